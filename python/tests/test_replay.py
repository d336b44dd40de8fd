"""Games that do not replay: in `Cache`, with `strict`, and excluded from a `Stream`."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import numpy as np
import pytest
from conftest import Games, logs_below, made_from, run_prep, same_bits

from splendor_prep import Cache, LogError, ReplayFault, Stream, encode_log


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Games:
    """Twelve games: game 4 has wrong points, game 5 lacks a row, and game 7 ends early."""
    folder = tmp_path_factory.mktemp("faulty")
    run_prep("simulate", folder / "raw", "--games", "12", "-q")
    logs = {int(log.stem): log for log in logs_below(folder / "raw")}
    lines = logs[4].read_text().splitlines(keepends=True)
    fields = lines[4].split(",")
    fields[lines[0].split(",").index("player1_vp")] = "60"
    logs[4].write_text("".join([*lines[:4], ",".join(fields), *lines[5:]]))
    for game_id, lost in ((5, 9), (7, -1)):
        lines = logs[game_id].read_text().splitlines(keepends=True)
        del lines[lost]
        logs[game_id].write_text("".join(lines))
    return made_from(folder / "raw", folder)


def test_endings_and_faults_of_cached_games(faulty: Games) -> None:
    connection = sqlite3.connect(faulty.cache)
    faults: dict[int, list[ReplayFault]] = {}
    sql = "SELECT game_id, line, kind, column_name, found, expected FROM replay_faults ORDER BY 1, 2"
    for game_id, *fault in connection.execute(sql):
        faults.setdefault(game_id, []).append(ReplayFault(*fault))
    listed = {game_id: rest for game_id, *rest in connection.execute(
        "SELECT game_id, ending, replay_fault_rows FROM game_list"
    )}
    connection.close()
    games = {game.game_id: game for game in Cache.open(faulty.cache).games()}
    for game_id, game in games.items():
        assert [game.ending, game.replay_fault_rows] == listed[game_id]
        assert list(game.replay_faults) == faults.get(game_id, [])
    assert {game_id for game_id, game in games.items() if game.replay_faults} == {4, 5}
    first = games[4].replay_faults[0]
    assert first == (5, "points", "player1_vp", "60", "0") and first.column_name == "player1_vp"
    assert games[7].ending == "unfinished" and {game.ending for game in games.values()} > {"finished"}


def test_games_not_replayed(faulty: Games, tmp_path: Path) -> None:
    cache = tmp_path / "prep.sqlite"
    shutil.copy(faulty.cache, cache)
    with sqlite3.connect(cache) as connection:
        connection.execute("DELETE FROM game_faults")
        connection.execute("DELETE FROM game_play")
    connection.close()
    damaged = Cache.open(cache).damaged()
    games = Cache.open(cache).games()
    assert len(games) + len(damaged) == 12
    assert all((game.ending, game.replay_fault_rows, game.replay_faults) == (None, None, ()) for game in games)


def test_strict(faulty: Games) -> None:
    for log in faulty.logs:
        game = encode_log(log)
        if int(log.stem) not in (4, 5):
            assert same_bits(encode_log(log, strict=True).features, game.features)
            continue
        with pytest.raises(LogError) as caught:
            encode_log(log, strict=True)
        assert caught.value.kind == "does_not_replay" and caught.value.file == str(log)
        if int(log.stem) == 4:
            assert caught.value.line == 5
            assert "player1 has 60 points, the move gives 0" in str(caught.value)
    cache = Cache.open(faulty.cache)
    assert cache.status(faulty.raw) == {"up_to_date": 12}
    assert cache.status(faulty.raw, strict=True) == {"up_to_date": 10, "refused": 2}


def test_replayable_only_stream_equals_export(faulty: Games, tmp_path: Path) -> None:
    out = tmp_path / "out"
    options = ["--split", "1,0,0", "--replayable-only", "-q"]
    run_prep("export", "--cache", faulty.cache, "--out", out, *options)
    stream = Stream(
        faulty.cache, "train", shuffle=False, ratios=(1, 0, 0), replayable_only=True, batch_size=64
    )
    batches = list(stream)
    assert same_bits(np.concatenate([batch.state for batch in batches]), np.load(out / "X_train.npy"))
    games = np.concatenate([batch.index["game_id"] for batch in batches])
    assert not {4, 5} & set(games.tolist())
    everything = Stream(faulty.cache, "train", ratios=(1, 0, 0))
    assert everything.rows > stream.rows
    with pytest.raises(ValueError, match="other data"):
        everything.load_state_dict(stream.state_dict())
