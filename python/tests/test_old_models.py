"""Models of an earlier pipeline, with its columns in its order and its scaler."""

from __future__ import annotations

import json
import pickle
import random
import subprocess
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from conftest import Games, clean_environment, command, rows_of, run_prep, same_bits
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from splendor_prep import FEATURE_COLUMNS, Dataset, ExportError, Scaler, Stream
from splendor_prep import encode_log, encode_row, encode_rows

SPLIT = ["--split", "0.7,0.2,0.1", "--split-method", "sklearn", "-q"]
RATIOS = {"ratios": (0.7, 0.2, 0.1), "split_method": "sklearn"}


@pytest.fixture(scope="module")
def columns() -> tuple[str, ...]:
    """Most columns, in a different order, and the turn number."""
    names = random.Random(7).sample(FEATURE_COLUMNS, 1200)
    names.insert(400, "turn_number")
    return tuple(names)


@pytest.fixture(scope="module")
def file(columns: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("old") / "feature_cols.json"
    file.write_text(json.dumps(columns))
    return file


def chosen(features: Any, turn_numbers: Any, columns: tuple[str, ...]) -> Any:
    """Selects the columns from rows of all features, independently of the package."""
    table = dict(zip(FEATURE_COLUMNS, np.asarray(features).T, strict=True))
    table["turn_number"] = np.asarray(turn_numbers, np.float32)
    return np.stack([table[name] for name in columns], axis=1)


def raw_rows(simulated: Games, export: Path, split: str, columns: tuple[str, ...]) -> Any:
    """The values of a split of `export` without normalization."""
    games = np.load(export / f"index_{split}.npz")["game_id"]
    index = simulated.array("index")
    rows = np.isin(index["game_id"], games)
    return chosen(simulated.array("X")[rows], index["turn_number"][rows], columns)


@pytest.fixture(scope="module")
def old_export(simulated: Games, export: Path, file: Path) -> Path:
    out = file.parent / "export"
    run_prep("export", "--cache", simulated.cache, "--out", out, "--columns", file, *SPLIT)
    return out


def test_export_has_named_columns(
    simulated: Games, export: Path, old_export: Path, columns: tuple[str, ...]
) -> None:
    assert tuple(json.loads((old_export / "feature_cols.json").read_text())) == columns
    scaler = Scaler.load(old_export)
    assert scaler.columns == columns and len(scaler) == 1201
    train = raw_rows(simulated, export, "train", columns).astype(np.float64)
    fitted = StandardScaler().fit(train[:, scaler.normalized])
    np.testing.assert_allclose(scaler.mean[scaler.normalized], fitted.mean_, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(scaler.scale[scaler.normalized], fitted.scale_, rtol=1e-12, atol=1e-12)
    place = columns.index("turn_number")
    assert scaler.normalized[place] and scaler.mean[place] > 1
    for split in ("train", "val", "test"):
        found = np.load(old_export / f"X_{split}.npy")
        rows = raw_rows(simulated, export, split, columns)
        assert same_bits(found, scaler.transform(rows)) and len(found) > 100
        for kind in ("labels", "masks", "index"):
            assert (old_export / f"{kind}_{split}.npz").read_bytes() == (export / f"{kind}_{split}.npz").read_bytes()
    assert same_bits(Dataset(old_export, "val").state, np.load(old_export / "X_val.npy"))


@pytest.mark.parametrize("dtype", ["float32", "float16", "int8"])
def test_unscaled_types(
    dtype: str, simulated: Games, columns: tuple[str, ...], file: Path, tmp_path: Path
) -> None:
    options = ["--split", "1,0,0", "--no-normalize", "--dtype", dtype, "--columns", file, "-q"]
    run_prep("export", "--cache", simulated.cache, "--out", tmp_path / "out", *options)
    expected = chosen(simulated.array("X"), simulated.array("index")["turn_number"], columns)
    assert same_bits(np.load(tmp_path / "out" / "X_train.npy"), expected.astype(dtype))


def test_named_columns_in_parquet(
    simulated: Games, old_export: Path, file: Path, tmp_path: Path
) -> None:
    pq = pytest.importorskip("pyarrow.parquet")
    out = tmp_path / "out"
    options = ["--columns", file, "--format", "parquet", *SPLIT]
    run_prep("export", "--cache", simulated.cache, "--out", out, *options)
    values = pq.read_table(out / "val.parquet")["features"].combine_chunks().flatten().to_numpy()
    expected = np.load(old_export / "X_val.npy")
    assert same_bits(values.reshape(-1, 1201), expected)


def test_stream_equals_export(
    simulated: Games, old_export: Path, columns: tuple[str, ...], file: Path, tmp_path: Path
) -> None:
    names = tmp_path / "names.json"
    names.write_text(file.read_text())
    for given in (columns, list(columns), names, str(names)):
        stream = Stream(simulated.cache, "val", shuffle=False, columns=given, **RATIOS)  # type: ignore[arg-type]
        assert stream.columns == columns
        found = np.concatenate([batch.state for batch in stream])
        assert same_bits(found, np.load(old_export / "X_val.npy"))
    names.unlink()
    assert pickle.loads(pickle.dumps(stream)).columns == columns
    with pytest.raises(ValueError, match="there is no column gem_board_red: the nearest is gems_board_red"):
        Stream(simulated.cache, "val", columns=["turn_number", "gem_board_red"])
    with pytest.raises(ExportError, match="cannot use the columns of"):
        Stream(simulated.cache, "val", columns=names)
    with pytest.raises(ValueError, match="columns=scaler.columns"):
        Stream(simulated.cache, "val", columns=columns[::-1], scaler=Scaler.load(old_export))


def test_positions_with_named_columns(simulated: Games, columns: tuple[str, ...], file: Path) -> None:
    log = simulated.logs[3]
    game, rows = encode_log(log), rows_of(log)
    expected = chosen(game.features, game.index["turn_number"], columns)
    for given in (columns, list(columns), file):
        assert same_bits(encode_rows(rows, columns=given).features, expected)
        for row, values in zip(rows[:4], expected, strict=False):
            assert same_bits(encode_row(row, columns=given).features, values)
    # A different tuple than the last one.
    assert same_bits(encode_row(rows[0], columns=columns[:5]).features, expected[0, :5])
    assert same_bits(encode_row(rows[0], columns=columns).features, expected[0])
    assert same_bits(encode_row(rows[0]).features, game.features[0])
    assert encode_row(rows[0], columns=("turn_number",)).features.tolist() == [1.0]
    for wrong, error in (
        (["card0_vp", "card0_vp"], "named twice"), ([], "no columns"), (["turn_numbr"], "nearest is turn_number"),
    ):  # fmt: skip
        for encode in (lambda: encode_row(rows[0], columns=wrong), lambda: encode_rows(rows, columns=wrong)):
            with pytest.raises(ValueError, match=error):
                encode()
    with pytest.raises(TypeError):
        encode_row(rows[0], columns=[1])  # type: ignore[list-item]


def test_verify_and_diff(simulated: Games, old_export: Path, export: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    names = tmp_path / "names.json"
    names.write_text((old_export / "feature_cols.json").read_text())
    run_prep("export", "--cache", simulated.cache, "--out", out, "--columns", names, *SPLIT)
    assert json.loads((out / "manifest.json").read_text())["settings"]["features"] == "columns"
    run_prep("verify", "--cache", simulated.cache, "--export", out)
    good = (out / "X_val.npy").read_bytes()
    (out / "X_val.npy").write_bytes(good[:-1] + b"\1")
    ran = run_prep("verify", "--cache", simulated.cache, "--export", out, expected=1)
    assert f"--columns {out / 'feature_cols.json'}" in ran.stdout + ran.stderr
    # The advised command restores the export.
    advised = next(line for line in (ran.stdout + ran.stderr).splitlines() if "prep export --out" in line)
    advised = advised[advised.index("prep export") + 5 :].strip("`")
    advised = f"{' '.join(command())} {advised}"
    subprocess.run(advised, shell=True, check=True, env=clean_environment())
    assert (out / "X_val.npy").read_bytes() == good
    # Without the file of names, the columns are unknown.
    (out / "feature_cols.json").write_text("[]")
    ran = run_prep("verify", "--cache", simulated.cache, "--export", out, expected=1)
    assert "--columns FILE" in ran.stdout + ran.stderr
    ran = run_prep("diff", old_export, export, expected=1)
    assert f"different columns (1201 and {len(FEATURE_COLUMNS)})" in ran.stdout + ran.stderr


def test_invalid_column_files(simulated: Games, tmp_path: Path) -> None:
    file = tmp_path / "names.json"
    common = ["export", "--cache", simulated.cache, "--out", tmp_path / "out", "--columns", file]
    for text, error in {
        '["card0_vp", "crad0_vp"]': "there is no column crad0_vp: the nearest is card0_vp",
        '["card0_vp", "card0_vp"]': "the column card0_vp is named twice",
        "[]": "no columns are named",
        '{"card0_vp": 1}': "it is not a JSON list of names",
        '["card0_vp"': "it is not a JSON list of names",
    }.items():
        file.write_text(text)
        ran = run_prep(*common, expected=1)
        assert f"cannot use the columns of {file}: {error}" in ran.stderr, ran
    file.unlink()
    assert "cannot use the columns of" in run_prep(*common, expected=1).stderr
    assert "--features" in run_prep(*common, "--features", "base", expected=2).stderr
    assert not (tmp_path / "out").exists()


# Scalers of scikit-learn.


@pytest.fixture(scope="module")
def train(simulated: Games, export: Path, columns: tuple[str, ...]) -> Any:
    return raw_rows(simulated, export, "train", columns).astype(np.float64)


def fitted_by_name(train: Any, columns: tuple[str, ...], **options: Any) -> StandardScaler:
    scaler = StandardScaler(**options).fit(train)
    # As scikit-learn sets it for a DataFrame.
    scaler.feature_names_in_ = np.array(columns, object)
    return scaler


def test_scikit_learn_scaler_round_trip(
    simulated: Games, export: Path, columns: tuple[str, ...], train: Any, file: Path, tmp_path: Path
) -> None:
    fitted = fitted_by_name(train, columns)
    paths = [tmp_path / "scaler.pkl", tmp_path / "scaler.joblib"]
    paths[0].write_bytes(pickle.dumps(fitted))
    joblib.dump(fitted, paths[1])
    rows = raw_rows(simulated, export, "val", columns)
    expected = fitted.transform(rows.astype(np.float64)).astype(np.float32)
    without_names = StandardScaler().fit(train)
    for scaler in (
        Scaler.from_sklearn(fitted),
        *map(Scaler.from_sklearn, paths),
        Scaler.from_sklearn(str(paths[0])),
        Scaler.from_sklearn(without_names, columns=columns),
        Scaler.from_sklearn(without_names, columns=file),
    ):
        assert scaler.columns == columns and scaler.normalized.all() and scaler.fitted_in is None
        assert same_bits(scaler.transform(rows), expected)
        assert same_bits(scaler.to_sklearn().mean_, fitted.mean_)
    saved = tmp_path / "old" / "scaler"
    scaler.save(saved)
    loaded = Scaler.load(saved)
    assert (loaded.id, loaded.columns) == (scaler.id, columns)
    for name in ("mean", "var", "scale", "normalized"):
        assert same_bits(getattr(loaded, name), getattr(scaler, name))
    assert sorted(path.name for path in saved.iterdir()) == ["feature_cols.json", "scaler.npz"]
    scaler.save(saved)
    # For an export and for a stream with the columns of the old model.
    out = tmp_path / "out"
    options = ["--columns", saved / "feature_cols.json", "--scaler-from", saved, *SPLIT]
    run_prep("export", "--cache", simulated.cache, "--out", out, *options)
    assert same_bits(np.load(out / "X_val.npy"), expected)
    for given in (saved, scaler):
        stream = Stream(
            simulated.cache, "val", shuffle=False, columns=columns, scaler=given, **RATIOS  # type: ignore[arg-type]
        )
        assert same_bits(np.concatenate([batch.state for batch in stream]), expected)
    run_prep("verify", "--cache", simulated.cache, "--export", out)
    with pytest.raises(ExportError, match="is an export"):
        scaler.save(out)


def test_columns_without_scaler_are_unchanged(
    simulated: Games, export: Path, columns: tuple[str, ...], train: Any, tmp_path: Path
) -> None:
    some = [place for place, name in enumerate(columns) if "position" not in name]
    fitted = fitted_by_name(train[:, some], tuple(columns[place] for place in some))
    scaler = Scaler.from_sklearn(fitted, columns=columns)
    rows = raw_rows(simulated, export, "test", columns)
    expected = rows.copy()
    expected[:, some] = fitted.transform(rows[:, some].astype(np.float64))
    assert same_bits(scaler.transform(rows), expected)
    assert scaler.normalized.sum() == len(some) < len(columns)
    scaler.save(tmp_path)
    assert same_bits(Scaler.load(tmp_path).transform(rows), expected)


@pytest.mark.parametrize("options", [{"with_mean": False}, {"with_std": False}, {"with_mean": False, "with_std": False}])
def test_scalers_that_only_center_or_only_divide(
    options: dict[str, bool], train: Any, columns: tuple[str, ...], tmp_path: Path
) -> None:
    fitted = fitted_by_name(train, columns, **options)
    scaler = Scaler.from_sklearn(fitted)
    assert same_bits(scaler.transform(train), fitted.transform(train).astype(np.float32))
    scaler.save(tmp_path)
    assert same_bits(Scaler.load(tmp_path).transform(train), scaler.transform(train))


def test_invalid_scalers(train: Any, columns: tuple[str, ...], tmp_path: Path) -> None:
    for wrong in (MinMaxScaler().fit(train), StandardScaler(), {"scaler": 1}, None):
        with pytest.raises(TypeError, match="StandardScaler"):
            Scaler.from_sklearn(wrong)
    without_names = StandardScaler().fit(train)
    with pytest.raises(ValueError, match="1201 columns without names"):
        Scaler.from_sklearn(without_names)
    with pytest.raises(ValueError, match="1201 columns without names"):
        Scaler.from_sklearn(without_names, columns=columns[1:])
    fitted = fitted_by_name(train, columns)
    with pytest.raises(ValueError, match=f"fitted to {columns[0]}, which is not one of the columns"):
        Scaler.from_sklearn(fitted, columns=columns[1:])
    fitted.feature_names_in_[3] = "turn"
    with pytest.raises(ValueError, match="there is no column turn: the nearest is turn_number"):
        Scaler.from_sklearn(fitted)
    with pytest.raises(FileNotFoundError):
        Scaler.from_sklearn(tmp_path / "none.pkl")
    features = np.zeros((2, len(FEATURE_COLUMNS)))
    assert Scaler.from_sklearn(StandardScaler().fit(features)).columns == FEATURE_COLUMNS


@pytest.mark.parametrize(
    ("name", "value"),
    [("mean_", np.nan), ("mean_", 1e12), ("var_", -1.0), ("scale_", np.nan), ("scale_", np.inf), ("scale_", 0.0)],
)
def test_impossible_values_of_a_scaler(
    name: str, value: float, train: Any, columns: tuple[str, ...]
) -> None:
    """As of a column that was empty in all rows; normalized values would not be finite."""
    fitted = fitted_by_name(train, columns)
    getattr(fitted, name)[7] = value
    with pytest.raises(ValueError, match=f"impossible values for {columns[7]}: mean "):
        Scaler.from_sklearn(fitted)
    # NumPy would give it to every column.
    setattr(fitted, name, np.ones(1))
    with pytest.raises(ValueError, match=r"values of shape \(1,\) for 1201 columns"):
        Scaler.from_sklearn(fitted)
