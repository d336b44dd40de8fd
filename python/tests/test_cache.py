"""`Cache`: the games that `prep ingest` encoded, as `encode_log` encodes them."""

from __future__ import annotations

import json
import pickle
import shutil
import sqlite3
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from conftest import Games, clean_environment, command, same_bits

from splendor_prep import ENCODER_VERSION, Cache, CacheError, EncodedGame, encode_log


def assert_same_game(found: EncodedGame, expected: EncodedGame) -> None:
    assert (found.game_id, found.players) == (expected.game_id, expected.players)
    assert same_bits(found.features, expected.features)
    assert found.features.flags.c_contiguous
    for kind in ("labels", "masks", "index"):
        its, others = getattr(found, kind), getattr(expected, kind)
        assert list(its) == list(others)
        for name in its:
            assert same_bits(its[name], others[name]), (kind, name)


def test_a_cached_game_is_its_encoded_log(simulated: Games) -> None:
    cache = Cache.open(simulated.cache)
    for log in simulated.logs:
        assert_same_game(cache.game(int(log.stem)), encode_log(log))


def test_it_lists_its_games(simulated: Games) -> None:
    cache = Cache.open(simulated.cache)
    games = cache.games()
    assert [game.game_id for game in games] == [int(log.stem) for log in simulated.logs]
    assert len(cache) == len(games) == 60 and cache.damaged() == {}
    for game, log in zip(games, simulated.logs, strict=True):
        encoded = encode_log(log)
        assert (game.rows, game.players) == (len(encoded), encoded.players)
        assert (simulated.raw / game.source_path) == log
        assert (game.source_bytes, len(game.source_hash)) == (log.stat().st_size, 64)
        assert (game.encoder_version, game.repaired) == (ENCODER_VERSION, False)


def test_its_status_is_the_commands(simulated: Games, tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    shutil.copytree(simulated.raw, raw)
    logs = sorted(raw.glob("**/*.csv"))
    logs[0].unlink()
    logs[1].write_bytes(logs[1].read_bytes().replace(b"\n", b"\r\n"))
    logs[2].write_text("not a log\n")
    logs[3].rename(logs[3].with_name("777777.csv"))
    cache = Cache.open(simulated.cache)
    assert cache.status(simulated.raw) == {"up_to_date": 60}
    counts = cache.status(raw)
    ran = subprocess.run(
        [*command(), "status", raw, "--cache", simulated.cache, "--json"],
        capture_output=True,
        env=clean_environment(),
    )
    assert counts == json.loads(ran.stdout)["counts"]
    assert counts["bytes_changed"] == 1 and counts["deleted"] == 2 and sum(counts.values()) == 61


def test_a_damaged_game_is_named(simulated: Games, tmp_path: Path) -> None:
    path = tmp_path / "prep.sqlite"
    shutil.copy(simulated.cache, path)
    first, second = (int(log.stem) for log in simulated.logs[:2])
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE games SET masks = x'00' WHERE game_id = ?", (first,))
        connection.execute("UPDATE games SET players = 9 WHERE game_id = ?", (second,))
    connection.close()
    cache = Cache.open(path)
    with pytest.raises(CacheError, match=f"game {first} is damaged"):
        cache.game(first)
    with pytest.raises(CacheError, match=f"game {second} is damaged"):
        cache.game(second)
    assert list(cache.damaged()) == [second] and len(cache.games()) == 59


def test_it_goes_to_other_threads_and_processes(simulated: Games) -> None:
    cache = Cache.open(simulated.cache)
    ids = [game.game_id for game in cache.games()]
    with ThreadPoolExecutor(4) as threads:
        games = list(threads.map(cache.game, ids))
    assert [game.game_id for game in games] == ids
    copy = pickle.loads(pickle.dumps(cache))
    assert_same_game(copy.game(ids[0]), cache.game(ids[0]))


def test_another_working_folder_changes_nothing(
    simulated: Games, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(simulated.cache.parent)
    cache = Cache.open(simulated.cache.name)
    games = len(cache)
    monkeypatch.chdir(tmp_path)
    assert len(cache) == len(pickle.loads(pickle.dumps(cache))) == games
