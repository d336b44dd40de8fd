"""Invalid inputs, and the file, line, column and value in the exceptions."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Games, rows_of
from test_encoding import state_of

from splendor_prep import STATE_COLUMNS, Cache, Dataset, ExportError, LogError, Scaler
from splendor_prep import CacheError, encode_log, encode_row


@pytest.fixture
def state(log: Path) -> dict[str, Any]:
    return state_of(rows_of(log)[5])


def broken(log: Path, folder: Path, line: int, column: str, value: str) -> Path:
    """A copy of a log with one changed value."""
    lines = log.read_text().splitlines(keepends=True)
    fields = lines[line - 1].rstrip("\n").split(",")
    fields[lines[0].rstrip("\n").split(",").index(column)] = value
    lines[line - 1] = ",".join(fields) + "\n"
    copy = folder / log.name
    copy.write_text("".join(lines))
    return copy


def test_log_error_attributes(log: Path, tmp_path: Path) -> None:
    path = broken(log, tmp_path, 9, "card3_cost_red", "2.5")
    with pytest.raises(LogError) as caught:
        encode_log(path)
    error = caught.value
    assert (error.file, error.line) == (str(path), 9)
    assert (error.column, error.value) == ("card3_cost_red", "2.5")
    assert (error.expected, error.kind) == ("a whole number from 0 to 7", "fraction")
    assert str(error) == (
        f"{path}:9: card3_cost_red is `2.5`, expected a whole number from 0 to 7"
    )
    assert isinstance(error, ValueError)
    with pytest.raises(LogError) as caught:
        encode_log(path.read_bytes())
    assert (caught.value.file, caught.value.line) == ("<bytes>", 9)


def test_errors_pickle(log: Path, tmp_path: Path) -> None:
    with pytest.raises(LogError) as caught:
        encode_log(broken(log, tmp_path, 2, "deck_level1_remaining", "37"))
    copy = pickle.loads(pickle.dumps(caught.value))
    assert str(copy) == str(caught.value) and vars(copy) == vars(caught.value)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        encode_log(tmp_path / "7.csv")
    assert caught.value.filename == str(tmp_path / "7.csv")
    with pytest.raises(IsADirectoryError):
        encode_log(tmp_path)


def test_log_of_another_game(log: Path, tmp_path: Path) -> None:
    copy = tmp_path / "999999.csv"
    copy.write_bytes(log.read_bytes())
    with pytest.raises(LogError, match="the game the file is named after") as caught:
        encode_log(copy)
    assert caught.value.kind == "other_game"
    with pytest.raises(LogError):
        encode_log(log.read_bytes(), game_id=999999)


def test_empty_log() -> None:
    with pytest.raises(LogError) as caught:
        encode_log(b"")
    assert (caught.value.kind, caught.value.line) == ("empty", None)
    with pytest.raises(TypeError, match="a path or its bytes"):
        encode_log(7)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("column", "value", "kind", "shown"),
    [
        ("gems_board_red", 2.5, "fraction", "2.5"),
        ("gems_board_red", 1e300, "out_of_range", None),
        ("gems_board_red", float("-inf"), "infinity", "-inf"),
        ("gems_board_red", 5, "out_of_range", "5"),
        ("gems_board_red", -1, "out_of_range", "-1"),
        ("gems_board_red", 10**30, "out_of_range", None),
        ("gems_board_red", "two", "text", "two"),
        ("gems_board_red", object, "text", None),
        ("gems_board_red", None, "missing_value", None),
        ("turn_number", float("nan"), "missing_value", None),
        ("num_players", 5, "out_of_range", "5"),
        ("current_player", 3, "out_of_range", "3"),
        ("player1_position", 3, "wrong_seat", "3"),
        ("player0_vp", None, "missing_value", None),
        ("player2_vp", 1, "part_of_group", "1"),
        ("card0_vp", 5, "no_such_card", None),
        ("noble0_vp", 0, "no_such_noble", None),
        ("card0_cost_white", None, "part_of_group", None),
    ],
)
def test_invalid_positions(
    state: dict[str, Any], column: str, value: Any, kind: str, shown: str | None
) -> None:
    with pytest.raises(LogError) as caught:
        encode_row({**state, column: value})
    error = caught.value
    group = column.rsplit("_", 1)[0]
    assert error.column in (column, f"{group}_*", f"{column.split('_')[0]}_*"), error
    assert (error.file, error.line, error.kind) == (None, None, kind), error
    assert shown is None or error.value == shown


def test_unknown_column(state: dict[str, Any]) -> None:
    with pytest.raises(LogError, match="did you mean noble0_vp") as caught:
        encode_row({**state, "nobel0_vp": 3})
    assert caught.value.kind == "unknown_column"
    with pytest.raises(TypeError, match="a column's name"):
        encode_row({**state, 7: 3})  # type: ignore[dict-item]


def test_incomplete_move(state: dict[str, Any]) -> None:
    with pytest.raises(LogError) as caught:
        encode_row({**state, "card_selection": 2})
    assert (caught.value.column, caught.value.kind) == ("action_type", "missing_value")
    with pytest.raises(LogError, match="`build`, `reserve`") as caught:
        encode_row({**state, "action_type": "bild"})
    assert caught.value.value == "bild"
    assert encode_row({**state, "action_type": "build"}).labels is not None


def test_wrong_number_of_values(state: dict[str, Any]) -> None:
    values = [state[name] for name in STATE_COLUMNS]
    with pytest.raises(ValueError, match="expected 382 values"):
        encode_row(values[1:])
    with pytest.raises(ValueError, match="expected 382 values"):
        encode_row(np.zeros(383))
    with pytest.raises(ValueError, match="shape"):
        encode_row(np.zeros((2, 382)))
    for neither in (7, None, "x" * 382):
        with pytest.raises(TypeError):
            encode_row(neither)  # type: ignore[arg-type]


def test_value_that_changes_the_dict(state: dict[str, Any]) -> None:
    class Meddling:
        def __init__(self, value: float) -> None:
            self.value = value

        def __float__(self) -> float:
            state.clear()
            return self.value

    state["gems_board_red"] = Meddling(2.0)
    expected = encode_row({**state, "gems_board_red": 2})
    assert encode_row(state).features.tolist() == expected.features.tolist()
    assert state == {}


def test_error_of_a_value_is_raised(state: dict[str, Any]) -> None:
    class Mapping:
        def keys(self) -> Any:
            raise OSError("the board does not answer")

    with pytest.raises(OSError, match="does not answer"):
        encode_row(Mapping())  # type: ignore[arg-type]


def test_not_an_export(tmp_path: Path, export: Path) -> None:
    with pytest.raises(ExportError, match="feature_cols.json"):
        Scaler.load(tmp_path)
    with pytest.raises(ExportError, match="cannot be read as an export of prep"):
        Dataset(tmp_path, "train")
    with pytest.raises(ValueError, match="expected one of train, val, test"):
        Dataset(export, "training")


def test_missing_cache(tmp_path: Path, simulated: Games) -> None:
    with pytest.raises(CacheError, match="run `prep ingest DIR --cache .*` first"):
        Cache.open(tmp_path / "prep.sqlite")
    (tmp_path / "other").write_text("not a cache, but longer than a header of SQLite is" * 9)
    with pytest.raises(CacheError, match="not a prep cache"):
        Cache.open(tmp_path / "other")
    with pytest.raises(KeyError):
        Cache.open(simulated.cache).game(123456789)
    with pytest.raises(CacheError):
        Cache.open(simulated.cache).status(tmp_path / "nowhere")
