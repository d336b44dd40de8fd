"""`Cache` gives the games of `prep ingest` with the same values as `encode_log`."""

from __future__ import annotations

import json
import multiprocessing
import os
import pickle
import shutil
import sqlite3
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from conftest import Games, clean_environment, command, run_prep, same_bits

from splendor_prep import ENCODER_VERSION, Cache, CacheError, EncodedGame, encode_log


def assert_same_game(found: EncodedGame, expected: EncodedGame) -> None:
    assert (found.game_id, found.players) == (expected.game_id, expected.players)
    assert same_bits(found.features, expected.features)
    assert found.features.flags.c_contiguous
    for kind in ("labels", "masks", "index", "outcome"):
        its, others = getattr(found, kind), getattr(expected, kind)
        assert list(its) == list(others)
        for name in its:
            assert same_bits(its[name], others[name]), (kind, name)


def test_game_equals_encoded_log(simulated: Games) -> None:
    cache = Cache.open(simulated.cache)
    for log in simulated.logs:
        assert_same_game(cache.game(int(log.stem)), encode_log(log))


def test_games(simulated: Games) -> None:
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


def test_status_equals_command(simulated: Games, tmp_path: Path) -> None:
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


def test_status_with_a_folder_that_cannot_be_read(simulated: Games, tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    shutil.copytree(simulated.raw, raw)
    (raw / "unmounted").symlink_to("nowhere")
    with pytest.raises(CacheError, match="the folder unmounted cannot be read: a broken symbolic link"):
        Cache.open(simulated.cache).status(raw)


def test_damaged_game(simulated: Games, tmp_path: Path) -> None:
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


def test_threads_and_processes(simulated: Games) -> None:
    cache = Cache.open(simulated.cache)
    ids = [game.game_id for game in cache.games()]
    with ThreadPoolExecutor(4) as threads:
        games = list(threads.map(cache.game, ids))
    assert [game.game_id for game in games] == ids
    copy = pickle.loads(pickle.dumps(cache))
    assert_same_game(copy.game(ids[0]), cache.game(ids[0]))


def is_open(path: Path) -> bool:
    """Whether this process has the file open."""
    opened = (Path(os.readlink(entry)) for entry in Path("/proc/self/fd").iterdir() if entry.is_symlink())
    return path in opened


needs_proc = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="no /proc here")


@needs_proc
def test_idle_connection_has_no_lock(simulated: Games, tmp_path: Path) -> None:
    path = tmp_path / "prep.sqlite"
    shutil.copy(simulated.cache, path)
    time.sleep(0.2)
    cache = Cache.open(path)
    assert not is_open(path)
    first = cache.game(1)
    assert is_open(path)
    # An ingest commits in between.
    run_prep("simulate", tmp_path / "raw", "--games", 3, "--first-id", 1000, "--seed", 9, "-q")
    run_prep("ingest", tmp_path / "raw", "--cache", path, "--keep-missing", "-q")
    assert_same_game(cache.game(1000), encode_log(next(tmp_path.glob("raw/*/1000.csv"))))
    assert_same_game(cache.game(1), first)
    del cache
    assert not is_open(path)


@pytest.mark.parametrize("wait", [0, 0.2])
def test_replaced_file(
    simulated: Games, tmp_path: Path, wait: float
) -> None:
    path, other = tmp_path / "prep.sqlite", tmp_path / "other.sqlite"
    run_prep("simulate", tmp_path / "raw", "--games", 60, "--seed", 5, "-q")
    run_prep("ingest", tmp_path / "raw", "--cache", other, "-q")
    shutil.copy(simulated.cache, path)
    log = next(tmp_path.glob("raw/*/1.csv"))
    expected = [encode_log(simulated.logs[0]), encode_log(log)]
    assert not same_bits(expected[0].features, expected[1].features)
    cache = Cache.open(path)

    def check(which: int) -> None:
        for _ in range(3):
            time.sleep(wait)
            assert_same_game(cache.game(1), expected[which])

    check(0)
    shutil.copy(other, tmp_path / "new")
    os.replace(tmp_path / "new", path)
    check(1)
    # Writes the same file.
    shutil.copyfile(simulated.cache, path)
    check(0)
    shutil.copyfile(other, path)
    check(1)
    path.unlink()
    with pytest.raises(CacheError, match="prep ingest"):
        cache.game(1)


def features_of(cache: Cache, game_id: int) -> bytes:
    return cache.game(game_id).features.tobytes()


def test_forked_processes(simulated: Games) -> None:
    """With idle connections of threads of this process. No thread may read during a fork, because its
    lock would stay locked in the child."""
    cache = Cache.open(simulated.cache)
    time.sleep(0.1)
    ids = [game.game_id for game in cache.games()]
    expected = [encode_log(log).features.tobytes() for log in simulated.logs]
    with ThreadPoolExecutor(3) as threads:
        assert list(threads.map(features_of, [cache] * len(ids), ids)) == expected
    with multiprocessing.get_context("fork").Pool(2, _keep, (cache,)) as pool:
        read = pool.map_async(_features_of_kept, ids)
        assert [features_of(cache, game_id) for game_id in ids] == expected
        assert read.get(60) == expected


_kept: list[Cache] = []


def _keep(cache: Cache) -> None:
    """Without pickling: the same object as in the parent."""
    _kept.append(cache)


def _features_of_kept(game_id: int) -> bytes:
    return features_of(_kept[0], game_id)


def test_other_working_folder(
    simulated: Games, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(simulated.cache.parent)
    cache = Cache.open(simulated.cache.name)
    games = len(cache)
    monkeypatch.chdir(tmp_path)
    assert len(cache) == len(pickle.loads(pickle.dumps(cache))) == games
