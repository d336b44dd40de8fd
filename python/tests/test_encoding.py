"""Compares `encode_log` and `encode_row` bit for bit with `prep export --no-normalize`, and with the
expected values of the golden games."""

from __future__ import annotations

import gzip
import math
import multiprocessing
import pickle
import sys
import threading
from collections import UserDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import REPOSITORY, Games, rows_of, same_bits

import splendor_prep
from splendor_prep import ACTION_COLUMNS, FEATURE_COLUMNS, HEADS, STATE_COLUMNS
from splendor_prep import encode_log, encode_row


def number(text: str) -> float | None:
    return None if text.strip().lower() in ("", "nan") else float(text)


def state_of(row: dict[str, str]) -> dict[str, Any]:
    """The position of a row as in a playing program, with None for missing values."""
    return {name: number(row[name]) for name in STATE_COLUMNS}


@pytest.fixture(params=["simulated", "golden"])
def games(request: pytest.FixtureRequest) -> Games:
    games: Games = request.getfixturevalue(request.param)
    return games


def test_compressed_log(simulated: Games, tmp_path: Path) -> None:
    log = simulated.logs[0]
    packed = tmp_path / f"{log.name}.gz"
    packed.write_bytes(gzip.compress(log.read_bytes()))
    plain, encoded = encode_log(log), encode_log(packed)
    assert encoded.game_id == plain.game_id
    assert same_bits(encoded.features, plain.features)


def test_log_equals_export(games: Games) -> None:
    encoded = [encode_log(log) for log in games.logs]
    assert same_bits(np.concatenate([game.features for game in encoded]), games.array("X"))
    for kind in ("labels", "masks", "index", "outcome"):
        exported = games.array(kind)
        assert list(exported) == list(getattr(encoded[0], kind))
        for name, expected in exported.items():
            found = np.concatenate([getattr(game, kind)[name] for game in encoded])
            assert same_bits(found, expected), (kind, name)


def test_position_equals_export(games: Games) -> None:
    features, labels, masks = (games.array(kind) for kind in ("X", "labels", "masks"))
    row = 0
    for log in games.logs:
        for logged in rows_of(log):
            state = state_of(logged)
            from_dict = encode_row(state)
            from_array = encode_row(np.array([state[name] for name in STATE_COLUMNS], float))
            with_move = encode_row({**logged, **state})
            for encoded in (from_dict, from_array, with_move):
                assert same_bits(encoded.features, features[row]), (log, row)
                for head in HEADS:
                    assert same_bits(encoded.masks[head], masks[head][row]), (log, row, head)
            assert from_dict.labels is None and from_array.labels is None
            assert with_move.labels == {head: labels[head][row] for head in HEADS}, (log, row)
            row += 1
    assert row == len(features) > 1000


def test_golden_values(golden: Games) -> None:
    folder = REPOSITORY.parent / "shared" / "golden"
    encoded = [encode_log(log) for log in golden.logs]
    expected = np.load(folder / "features_raw.npz")["features"]
    assert np.array_equal(np.concatenate([game.features for game in encoded]), expected)
    for kind in ("labels", "masks"):
        for head, values in np.load(folder / f"{kind}.npz").items():
            if head in HEADS:
                found = np.concatenate([getattr(game, kind)[head] for game in encoded])
                assert np.array_equal(found, values), (kind, head)


def test_column_names(simulated: Games, log: Path) -> None:
    header = list(rows_of(log)[0])
    assert header == ["game_id", *STATE_COLUMNS, *ACTION_COLUMNS]
    assert (len(STATE_COLUMNS), len(ACTION_COLUMNS)) == (382, 20)
    names = (simulated.unscaled / "feature_cols.json").read_text()
    assert names == "[" + ",".join(f'\n  "{name}"' for name in FEATURE_COLUMNS) + "\n]\n"
    assert HEADS == {head: mask.shape[1] for head, mask in simulated.array("masks").items()}


def test_log_as_bytes_and_game_ids(log: Path) -> None:
    from_path = encode_log(str(log))
    assert from_path.game_id == int(log.stem)
    for encoded in (
        encode_log(log.read_bytes()),
        encode_log(bytearray(log.read_bytes()), game_id=int(log.stem)),
    ):
        assert encoded.game_id == from_path.game_id and len(encoded) == len(from_path)
        assert same_bits(encoded.features, from_path.features)


def test_repair(log: Path) -> None:
    lines = log.read_text().splitlines()
    header = lines[0].split(",")
    three = header.index("gem_take3_white")
    two = header.index("gem_take2_white")
    kind = header.index("action_type")
    place, faulty = next(
        (place, line.split(","))
        for place, line in enumerate(lines)
        if line.split(",")[kind] == "take 3 tokens"
    )
    taken = faulty[three : three + 5]
    faulty[three : three + 5] = ["nan"] * 5
    faulty[two : two + 5] = taken
    lines[place] = ",".join(faulty)
    text = ("\n".join(lines) + "\n").encode()
    row = place - 1
    assert encode_log(text).labels["gem_take3"][row] == -1
    meant = encode_log(log).labels["gem_take3"][row]
    assert encode_log(text, repair=True).labels["gem_take3"][row] == meant >= 0


@pytest.mark.parametrize("dtype", ["f8", "f4", ">f8", "O"])
def test_float_dtypes(log: Path, dtype: str) -> None:
    state = state_of(rows_of(log)[7])
    values = np.array([state[name] for name in STATE_COLUMNS], float)
    expected = encode_row(state).features
    given = values.astype(dtype)
    spread = np.repeat(given, 2)[::2]
    assert not spread.flags.c_contiguous
    assert same_bits(encode_row(given).features, expected)
    assert same_bits(encode_row(spread).features, expected)


@pytest.mark.parametrize("dtype", ["i8", "i4", "i2", "i1"])
def test_integer_dtypes(simulated: Games, dtype: str) -> None:
    """With four players and zeros for missing cards and nobles, no value is missing."""
    logs = [log for log in simulated.logs if rows_of(log)[0]["num_players"] == "4"]
    state = state_of(rows_of(logs[0])[-1])
    values = np.array([state[name] or 0 for name in STATE_COLUMNS])
    assert same_bits(encode_row(values.astype(dtype)).features, encode_row(state).features)


def test_missing_values(log: Path) -> None:
    logged = rows_of(log)[3]
    state = state_of(logged)
    missing = [name for name, value in state.items() if value is None]
    assert any(name.startswith("player3_") for name in missing)
    expected = encode_row(state).features
    shuffled = dict(sorted(state.items()))
    for same in (
        {**state, **dict.fromkeys(missing, math.nan)},
        {name: value for name, value in state.items() if value is not None},
        {name: logged[name] for name in STATE_COLUMNS},
        {name: None if value is None else np.int64(value) for name, value in state.items()},
        {name: None if value is None else np.float32(value) for name, value in state.items()},
        shuffled,
        {"".join(name): value for name, value in shuffled.items()},
        UserDict(state),
        list(state.values()),
        tuple(state.values()),
    ):
        assert same_bits(encode_row(same).features, expected)


def test_empty_move(log: Path) -> None:
    state = state_of(rows_of(log)[0])
    nothing: dict[str, Any] = dict.fromkeys(ACTION_COLUMNS)
    nothing["noble_selection"] = -1
    nothing["gems_removed_red"] = 0
    assert encode_row({**state, **nothing}).labels is None


def test_results_are_writable(log: Path) -> None:
    state = state_of(rows_of(log)[0])
    first, second = encode_row(state), encode_row(state)
    first.features[:] = -1
    first.masks["noble"][:] = -1
    assert second.features.min() >= -1 and second.masks["noble"].min() == 0
    assert same_bits(second.features, encode_row(state).features)


def test_process_pool(simulated: Games) -> None:
    logs = simulated.logs[:6]
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        games = pool.map(encode_log, logs)
    for game, log in zip(games, logs, strict=True):
        expected = encode_log(log)
        assert (game.game_id, game.players) == (expected.game_id, expected.players)
        assert same_bits(game.features, expected.features)
        assert all(same_bits(game.masks[head], expected.masks[head]) for head in HEADS)
    row = encode_row(rows_of(logs[0])[0])
    copy = pickle.loads(pickle.dumps(row))
    assert same_bits(copy.features, row.features) and copy.labels == row.labels is not None


def test_gil_is_released(simulated: Games) -> None:
    """Another thread that counts makes progress while a long log is encoded."""
    log = max(simulated.logs, key=lambda log: log.stat().st_size)
    header, *rows = log.read_text().splitlines(keepends=True)
    text = (header + "".join(rows) * 200).encode()
    switches = 0
    done = threading.Event()

    def count() -> None:
        nonlocal switches
        while not done.wait(0.001):
            switches += 1

    interval = sys.getswitchinterval()
    thread = threading.Thread(target=count)
    thread.start()
    # A held GIL is released only between two Python instructions, and this is a single one.
    sys.setswitchinterval(1000)
    try:
        before = switches
        encode_log(text)
        after = switches
    finally:
        sys.setswitchinterval(interval)
        done.set()
        thread.join()
    assert after - before > 10


def test_version_equals_command() -> None:
    from conftest import run_prep

    assert run_prep("--version").stdout.split()[:2] == ["prep", splendor_prep.__version__]
