"""Arrays and tables of every kind give their exact numbers or an error."""

from __future__ import annotations

import random
from collections import namedtuple
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Games, rows_of, same_bits
from test_encoding import state_of

from splendor_prep import ACTION_COLUMNS, FEATURE_COLUMNS, HEADS, STATE_COLUMNS
from splendor_prep import EncodedRows, LogError, Scaler, encode_log, encode_row, encode_rows

MISSING = float("nan")


def positions_of(games: Games, count: int) -> np.ndarray:
    """Positions of games with two to four players, float64 with NaN for missing values."""
    rows = [state_of(row) for log in games.logs[::7] for row in rows_of(log)[::9]]
    random.Random(5).shuffle(rows)
    return np.array([[row[name] for name in STATE_COLUMNS] for row in rows[:count]], float)


@pytest.fixture(scope="module")
def positions(simulated: Games) -> np.ndarray:
    return positions_of(simulated, 40)


@pytest.fixture(scope="module")
def expected(positions: np.ndarray) -> list[Any]:
    return [encode_row(dict(zip(STATE_COLUMNS, row, strict=True))) for row in positions.tolist()]


def same_row(found: Any, expected: Any) -> bool:
    masks = (same_bits(found.masks[head], expected.masks[head]) for head in HEADS)
    return same_bits(found.features, expected.features) and all(masks)


def same_rows(found: EncodedRows, expected: list[Any]) -> bool:
    assert len(found) == len(expected)
    return same_bits(found.features, np.array([row.features for row in expected])) and all(
        same_bits(found.masks[head], np.array([row.masks[head] for row in expected])) for head in HEADS
    )


def masked(values: np.ndarray) -> Any:
    """With an impossible number under the mask."""
    under = np.where(np.isnan(values), 3, values)
    return np.ma.masked_array(under, mask=np.isnan(values))  # type: ignore[no-untyped-call,unused-ignore]


def spread(values: np.ndarray) -> np.ndarray:
    wide = np.zeros((*values.shape[:-1], values.shape[-1] * 3))
    wide[..., ::3] = values
    return wide[..., ::3]


def unaligned(values: np.ndarray) -> np.ndarray:
    data = b"\0" + np.ascontiguousarray(values).tobytes()
    return np.frombuffer(data, np.uint8)[1:].view(np.float64).reshape(values.shape)


KINDS: dict[str, Callable[[np.ndarray], Any]] = {
    "f2": lambda values: values.astype("f2"),
    "f4": lambda values: values.astype("f4"),
    ">f8": lambda values: values.astype(">f8"),
    ">f4": lambda values: values.astype(">f4"),
    "longdouble": lambda values: values.astype("g"),
    "complex without an imaginary part": lambda values: values.astype(complex),
    "objects": lambda values: values.astype(object),
    "Decimal": lambda values: np.vectorize(Decimal, otypes=[object])(values),
    "None": lambda values: np.where(np.isnan(values), None, values),  # type: ignore[call-overload]
    "text": lambda values: values.astype(str),
    "masked": masked,
    "masked objects": lambda values: masked(values).astype(object),
    "masked int8": lambda values: masked(values).astype("i1"),
    "spread": spread,
    "backwards": lambda values: np.ascontiguousarray(values[..., ::-1])[..., ::-1],
    "Fortran": np.asfortranarray,
    "unaligned": unaligned,
    "read-only": lambda values: np.frombuffer(values.tobytes()).reshape(values.shape),
    "list": lambda values: values.tolist(),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.filterwarnings("ignore:.*imaginary part", "ignore:.*masked element")
def test_array_dtypes(kind: str, positions: np.ndarray, expected: list[Any]) -> None:
    given = KINDS[kind](positions)
    assert same_rows(encode_rows(given), expected)
    for row, one in zip(KINDS[kind](positions[:5]), expected[:5], strict=True):
        assert same_row(encode_row(row), one)


def changed(change: Any, positions: np.ndarray, dtype: Any = object) -> np.ndarray:
    """With a different value of `gems_board_red` in the third row."""
    values = positions.astype(dtype)
    values[2, STATE_COLUMNS.index("gems_board_red")] = change
    return values


@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        (2 + 1j, complex),
        (np.complex64(2 + 1j), object),
        (2.5, np.float16),
        (np.longdouble(2) + 8 * np.finfo(np.longdouble).eps, np.longdouble),
        (Decimal("2.00000000000000000001"), object),
        (Fraction(2 * 10**30 + 1, 10**30), object),
        (2**64, object),
        (np.datetime64("2020-01-02"), object),
        (np.timedelta64(2, "s"), object),
        (b"2", object),
        ([2], object),
        ({2}, object),
    ],
)
@pytest.mark.filterwarnings("ignore:.*imaginary part")
def test_fractions_are_refused(
    value: Any, dtype: Any, positions: np.ndarray
) -> None:
    given = changed(None, positions) if dtype is object else changed(value, positions, dtype)
    if dtype is object:
        given[2, STATE_COLUMNS.index("gems_board_red")] = value
    with pytest.raises(LogError, match="^gems_board_red"):
        encode_row(given[2])
    with pytest.raises(LogError, match="^row 2: gems_board_red") as caught:
        encode_rows(given)
    assert caught.value.column == "gems_board_red"


@pytest.mark.parametrize("dtype", ["M8[s]", "m8[s]", "V8", "S3"])
def test_other_dtypes_are_refused(dtype: str) -> None:
    with pytest.raises(LogError):
        encode_row(np.zeros(382, dtype))
    with pytest.raises(LogError):
        encode_rows(np.zeros((2, 382), dtype))


def test_values_by_name(positions: np.ndarray, expected: list[Any]) -> None:
    names = list(STATE_COLUMNS)
    random.Random(1).shuffle(names)
    places = [STATE_COLUMNS.index(name) for name in names]
    given = positions[:, places]
    Position = namedtuple("Position", names)  # type: ignore[misc]
    records = np.array([tuple(row) for row in given], [(name, "f8") for name in names])
    for place, one in enumerate(expected):
        assert same_row(encode_row(Position(*given[place])), one)
        assert same_row(encode_row(records[place]), one)
    assert same_rows(encode_rows(records), expected)
    assert same_rows(encode_rows(records.view(np.recarray)), expected)
    assert same_rows(encode_rows([Position(*row) for row in given]), expected)
    assert same_rows(encode_rows(dict(zip(names, given.T, strict=True))), expected)
    assert same_rows(encode_rows({name: column.tolist() for name, column in zip(names, given.T)}), expected)
    columns = {name: masked(column) for name, column in zip(names, given.T, strict=True)}
    assert same_rows(encode_rows(columns), expected)
    with pytest.raises(TypeError):
        encode_row(set(range(382)))  # type: ignore[arg-type]


def test_pandas(positions: np.ndarray, expected: list[Any], log: Path) -> None:
    pd = pytest.importorskip("pandas")
    names = list(STATE_COLUMNS)
    random.Random(2).shuffle(names)
    frame = pd.DataFrame(positions, columns=STATE_COLUMNS)[names]
    for table in (frame, frame.astype("Int64"), frame.astype("float32"), frame.astype(object), frame.iloc[::-1][::-1]):
        assert same_rows(encode_rows(table), expected)
    assert same_rows(encode_rows(frame.itertuples(index=False)), expected)
    assert same_rows(encode_rows(frame.to_records(index=False)), expected)
    assert same_rows(encode_rows(frame.to_dict("records")), expected)
    assert same_row(encode_row(frame.iloc[3]), expected[3])
    assert same_row(encode_row(frame.to_records(index=False)[3]), expected[3])
    with pytest.raises(TypeError, match="encode_rows"):
        encode_row(frame.iloc[3:4])
    with pytest.raises(LogError, match="found the column `gems`"):
        encode_rows(frame.rename(columns={names[0]: "gems"}))
    with pytest.raises(ValueError, match="shape"):
        encode_rows(pd.concat([frame, frame[names[:1]]], axis=1))
    with pytest.raises((TypeError, LogError)):
        encode_rows(pd.DataFrame(positions))
    # A log read with pandas.
    game, table = encode_log(log), pd.read_csv(log)
    rows = encode_rows(table)
    assert same_bits(rows.features, game.features) and rows.labels is not None
    for head in HEADS:
        assert same_bits(rows.labels[head], game.labels[head])
        assert same_bits(rows.masks[head], game.masks[head])


def test_polars(positions: np.ndarray, expected: list[Any], log: Path) -> None:
    pl = pytest.importorskip("polars")
    names = list(STATE_COLUMNS)
    random.Random(3).shuffle(names)
    frame = pl.DataFrame(positions, schema=list(STATE_COLUMNS)).fill_nan(None)[names]
    assert same_rows(encode_rows(frame), expected)
    assert same_rows(encode_rows(frame.cast(pl.Int16)), expected)
    assert same_rows(encode_rows(frame.to_dicts()), expected)
    with pytest.raises(TypeError, match="encode_rows"):
        encode_row(frame[:1])
    assert same_bits(encode_rows(pl.read_csv(log, null_values="nan")).features, encode_log(log).features)


def test_rows_with_and_without_moves(log: Path) -> None:
    logged = rows_of(log)[:6]
    game = encode_log(log)
    rows = encode_rows(logged)
    assert rows.labels is not None
    for head in HEADS:
        assert same_bits(rows.labels[head], game.labels[head][:6])
    some = [{**row, **dict.fromkeys(ACTION_COLUMNS)} if place % 2 else row for place, row in enumerate(logged)]
    mixed = encode_rows(some)
    assert mixed.labels is not None
    for head in HEADS:
        assert mixed.labels[head][1::2].tolist() == [-1] * 3
        assert mixed.labels[head][::2].tolist() == rows.labels[head][::2].tolist()
    assert encode_rows([state_of(row) for row in logged]).labels is None


def test_many_and_no_rows(simulated: Games) -> None:
    """Enough for several threads, with an error in the last part."""
    values = positions_of(simulated, 700)
    values = np.tile(values, (2000 // len(values) + 1, 1))
    rows = encode_rows(values)
    assert same_bits(rows.features, np.array([encode_row(row).features for row in values]))
    values[-1, STATE_COLUMNS.index("player0_vp")] = MISSING
    values[-3, STATE_COLUMNS.index("num_players")] = MISSING
    with pytest.raises(LogError, match=f"^row {len(values) - 3}: num_players is missing"):
        encode_rows(values)
    nothing: list[Any] = [[], np.zeros((0, 382)), {}]
    for empty in nothing:
        none = encode_rows(empty)
        assert none.features.shape == (0, len(FEATURE_COLUMNS)) and none.labels is None
        assert none.masks["noble"].shape == (0, 5)


def test_wrong_shapes(positions: np.ndarray) -> None:
    for wrong in (positions[:, 1:], positions[0], positions[None]):
        with pytest.raises(ValueError, match="382"):
            encode_rows(wrong)
    with pytest.raises(ValueError, match="one value for each of 2 rows"):
        encode_rows({"num_players": [2, 2], "turn_number": [1, 2, 3]})
    with pytest.raises(ValueError, match="use `encode_row`"):
        encode_rows({"num_players": 2})
    with pytest.raises(LogError, match="did you mean noble0_vp"):
        encode_rows({"nobel0_vp": [1]})
    with pytest.raises(TypeError):
        encode_rows(7)


# `Scaler`.


@pytest.fixture(scope="module")
def features(positions: np.ndarray) -> np.ndarray:
    return encode_rows(positions).features


@pytest.fixture(scope="module")
def fitted(export: Path) -> Scaler:
    return Scaler.load(export)


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "g", ">f4", ">f8", "i1", "i2", "i4", "i8", ">i4", "O"])
def test_scaler_dtypes(dtype: str, features: np.ndarray, fitted: Scaler) -> None:
    expected = fitted.transform(features)
    given = features.astype(dtype)
    for rows in (given, np.asfortranarray(given), given[::-1][::-1], np.repeat(given, 2, 1)[:, ::2]):
        assert same_bits(fitted.transform(rows), expected)
    no_mask = np.ma.masked_array(given)  # type: ignore[no-untyped-call,unused-ignore]
    assert same_bits(fitted.transform(no_mask), expected)
    assert same_bits(fitted.transform(given[3]), expected[3])


def test_float64_is_rounded_once(features: np.ndarray, fitted: Scaler) -> None:
    rows = features + np.random.default_rng(1).random(features.shape)
    exact = (rows - fitted.mean) / fitted.scale
    assert same_bits(fitted.transform(rows), exact.astype(np.float32))
    assert same_bits(fitted.inverse_transform(rows), (rows * fitted.scale + fitted.mean).astype(np.float32))


def test_scaler_refuses(features: np.ndarray, fitted: Scaler) -> None:
    mask = np.ma.masked_array(features, mask=features > 3)  # type: ignore[no-untyped-call,unused-ignore]
    for change in (fitted.transform, fitted.inverse_transform):
        with pytest.raises(ValueError, match="masked"):
            change(mask)
        for dtype in (complex, str, "M8[s]", "V4"):
            with pytest.raises((TypeError, ValueError)):
                change(features.astype("i8").astype(dtype) if dtype != "V4" else np.zeros(len(FEATURE_COLUMNS), "V4"))
        with pytest.raises(ValueError, match="float64"):
            change(np.full(len(FEATURE_COLUMNS), 2**53 + 1))
        with pytest.raises(ValueError, match="float64"):
            change(np.array(["3"] * len(FEATURE_COLUMNS), object))
        with pytest.raises(ValueError, match="None"):
            change(np.array([None] * len(FEATURE_COLUMNS)))


def test_scaler_columns_by_name(features: np.ndarray, fitted: Scaler) -> None:
    expected = fitted.transform(features)
    names = [*FEATURE_COLUMNS, "more"]
    random.Random(4).shuffle(names)
    places = [FEATURE_COLUMNS.index(name) if name != "more" else 0 for name in names]
    given = features[:, places]
    assert same_bits(fitted.transform(given, columns=names), expected)
    assert same_bits(fitted.transform(given[2], columns=names), expected[2])
    assert same_bits(fitted.transform(dict(zip(names, given.T, strict=True))), expected)
    records = np.array([tuple(row) for row in given], [(name, "f4") for name in names])
    assert same_bits(fitted.transform(records), expected)
    assert same_bits(fitted.transform(records[2]), expected[2])
    assert np.allclose(fitted.inverse_transform(expected[:, ::-1], columns=fitted.columns[::-1]), features, atol=1e-3)
    with pytest.raises(ValueError, match=f"{len(names)} columns are named"):
        fitted.transform(features, columns=names)
    with pytest.raises(ValueError, match="do not have the column gems_board_white, nor 1 others"):
        fitted.transform(features[:, 2:], columns=FEATURE_COLUMNS[2:])
    with pytest.raises(ValueError, match="named twice"):
        fitted.transform(given, columns=[*names[:-1], names[0]])
    with pytest.raises(ValueError, match="twice"):
        fitted.transform(np.hstack([features, features]), columns=FEATURE_COLUMNS * 2)


def test_scaler_data_frames(features: np.ndarray, fitted: Scaler) -> None:
    pd = pytest.importorskip("pandas")
    expected = fitted.transform(features)
    frame = pd.DataFrame(features, columns=FEATURE_COLUMNS).iloc[:, ::-1]
    assert same_bits(fitted.transform(frame), expected)
    assert same_bits(fitted.transform(frame.iloc[4]), expected[4])
    assert same_bits(fitted.transform(pd.DataFrame(features)), expected)
    assert same_bits(fitted.transform(pd.Series(features[4])), expected[4])
    with pytest.raises(ValueError, match="do not have the column"):
        fitted.transform(frame[["card0_vp"]])
