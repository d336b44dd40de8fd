"""`Stream`: the rows of an export in batches, whatever interrupts or divides it."""

from __future__ import annotations

import json
import multiprocessing
import os
import pickle
import re
import shutil
import signal
import subprocess
import sys
import time
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Games, rows_of, run_prep, same_bits

from splendor_prep import (
    FEATURE_COLUMNS,
    HEADS,
    CacheError,
    ExportError,
    Scaler,
    Stream,
    StreamBatch,
    encode_row,
)

RATIOS = (0.7, 0.2, 0.1)


def join(batches: list[StreamBatch]) -> dict[str, Any]:
    """The arrays of batches, joined, by name."""
    arrays = {"X": np.concatenate([batch.state for batch in batches])}
    for kind in ("labels", "masks", "index", "outcome"):
        for name in getattr(batches[0], kind):
            parts = [getattr(batch, kind)[name] for batch in batches]
            arrays[f"{kind} {name}"] = np.concatenate(parts)
    return arrays


def exported(export: Path, split: str) -> dict[str, Any]:
    arrays = {"X": np.load(export / f"X_{split}.npy")}
    for kind in ("labels", "masks", "index", "outcome"):
        for name, values in np.load(export / f"{kind}_{split}.npz").items():
            arrays[f"{kind} {name}"] = values
    return arrays


def assert_same_arrays(found: dict[str, Any], expected: dict[str, Any]) -> None:
    assert list(found) == list(expected)
    for name in found:
        assert same_bits(found[name], expected[name]), name


@pytest.mark.parametrize(
    ("options", "arguments"),
    [
        ("", {}),
        ("--split-method sklearn --seed 5", {"split_method": "sklearn", "split_seed": 5}),
        ("--features base --dtype float16", {"features": "base", "dtype": "float16"}),
        ("--no-normalize --dtype int8", {"normalize": False, "dtype": "int8"}),
        ("--masks all-ones --features base", {"masks": "all-ones", "features": "base"}),
    ],
)
def test_unshuffled_equals_export(
    simulated: Games, tmp_path: Path, options: str, arguments: dict[str, Any]
) -> None:
    out = tmp_path / "out"
    common = ["--split", ",".join(map(str, RATIOS)), *options.split(), "-q"]
    run_prep("export", "--cache", simulated.cache, "--out", out, *common)
    for split in ("train", "val", "test"):
        stream = Stream(simulated.cache, split, shuffle=False, ratios=RATIOS, **arguments)
        batches = list(stream)
        assert [len(batch) for batch in batches[:-1]] == [512] * (len(stream) - 1)
        assert stream.rows == sum(map(len, batches)) and len(stream) == len(batches)
        assert list(stream.columns) == json.loads((out / "feature_cols.json").read_text())
        assert_same_arrays(join(batches), exported(out, split))


def test_scaler_of_an_earlier_export(simulated: Games, export: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    options = ["--split", "0.5,0.5,0", "--scaler-from", export, "-q"]
    run_prep("export", "--cache", simulated.cache, "--out", out, *options)
    expected = exported(out, "val")
    for scaler in (export, str(export), Scaler.load(export)):
        stream = Stream(
            simulated.cache, "val", shuffle=False, ratios=(0.5, 0.5, 0), scaler=scaler
        )
        assert_same_arrays(join(list(stream)), expected)
    with pytest.raises(ValueError, match=f"{len(FEATURE_COLUMNS)} columns, the stream 422"):
        Stream(simulated.cache, "val", features="base", scaler=export)
    with pytest.raises(ExportError, match="does not exist"):
        Stream(simulated.cache, "val", scaler=tmp_path / "no")


def test_scaler_equals_export(simulated: Games, export: Path, tmp_path: Path) -> None:
    options: dict[str, Any] = {"ratios": RATIOS, "split_method": "sklearn"}
    stream = Stream(simulated.cache, "val", shuffle=False, **options)
    found, expected = stream.scaler(), Scaler.load(export)
    assert found is not None and found.columns == expected.columns == stream.columns
    for name in ("mean", "var", "scale", "normalized"):
        assert same_bits(getattr(found, name), getattr(expected, name)), name

    # At play: positions of the logs, by the scaler that was saved with the model.
    found.save(tmp_path)
    batch = next(iter(stream))
    log = {int(log.stem): log for log in simulated.logs}[int(batch.index["game_id"][0])]
    for state, row in zip(batch.state, rows_of(log)):
        assert same_bits(Scaler.load(tmp_path).transform(encode_row(row).features), state)

    base = Stream(simulated.cache, "val", features="base", **options).scaler()
    assert base is not None and len(base) == 422
    given = Stream(simulated.cache, "val", scaler=expected).scaler()
    assert given is not None and given.id == expected.id
    assert Stream(simulated.cache, "val", normalize=False).scaler() is None


def test_shuffled_epochs_have_every_row_once(simulated: Games) -> None:
    stored = join(list(Stream(simulated.cache, "train", shuffle=False)))
    stream = Stream(simulated.cache, "train", batch_size=100, seed=3)
    orders = []
    for epoch in range(2):
        assert (stream.epoch, stream.step) == (epoch, 0)
        arrays = join(list(stream))
        index = arrays["index game_id"], arrays["index row_in_game"]
        order = np.lexsort((index[1], index[0]))
        assert_same_arrays({name: values[order] for name, values in arrays.items()}, stored)
        orders.append(arrays)
    assert not same_bits(orders[0]["index game_id"], orders[1]["index game_id"])
    dropped = Stream(simulated.cache, "train", batch_size=100, seed=3, drop_last=True)
    assert {len(batch) for batch in dropped} == {100}


def test_iteration_continues_the_epoch(simulated: Games) -> None:
    stream = Stream(simulated.cache, "train", batch_size=100)
    for batch in stream:
        break
    assert (stream.epoch, stream.step) == (0, 1)
    assert len(list(stream)) == len(stream) - 1
    assert len(list(stream)) == len(stream)


def test_kept_arrays_do_not_change(simulated: Games) -> None:
    """The memory of arrays that are gone is used again, of no others."""
    stream = Stream(simulated.cache, "train", batch_size=64, threads=2)
    kept, copies = [], []
    for number, batch in enumerate(stream):
        if number % 3 == 0:
            kept.append(batch.state[5:] if number % 2 else batch.state)
            copies.append(kept[-1].copy())
    list(stream)
    del stream
    for values, copy in zip(kept, copies, strict=True):
        assert same_bits(values, copy)
        values += 1  # They are the caller's.


def test_state_continues_with_next_batch(simulated: Games) -> None:
    options: dict[str, Any] = {"batch_size": 128, "seed": 7}
    expected = [batch.index for batch in Stream(simulated.cache, "train", **options)]
    for stop_at in (0, 1, len(expected) // 2, len(expected)):
        stream = Stream(simulated.cache, "train", threads=2, **options)
        found = [batch.index for _, batch in zip(range(stop_at), stream)]
        state = json.dumps(stream.state_dict())
        assert len(state) < 300
        other = Stream(simulated.cache, "train", threads=1, **options)
        other.load_state_dict(json.loads(state))
        found += [batch.index for batch in other]
        assert len(found) == len(expected)
        for its, others in zip(found, expected):
            assert all(same_bits(its[name], others[name]) for name in its)
        assert (other.epoch, other.step) == (1, 0)


def test_states_of_other_streams(simulated: Games) -> None:
    state = Stream(simulated.cache, "train").state_dict()
    others: list[tuple[dict[str, Any], str]] = [
        ({"split": "val"}, "to other data"),
        ({"ratios": (0.5, 0.3, 0.2)}, "to other data"),
        ({"features": "base"}, "other values"),
        ({"normalize": False}, "other values"),
        ({"seed": 8}, "seed=0, but this stream has seed=8"),
        ({"batch_size": 8}, "batch_size=512, but this stream has batch_size=8"),
        ({"shuffle": False}, "shuffle=True, but this stream has shuffle=False"),
    ]
    for arguments, message in others:
        other = Stream(simulated.cache, **{"split": "train", **arguments})
        with pytest.raises(ValueError, match=message):
            other.load_state_dict(state)
    stream = Stream(simulated.cache, "train")
    for wrong in ({}, {**state, "more": 1}, {**state, "step": -1}, {**state, "epoch": "1"}):
        with pytest.raises(ValueError, match="not a state of a stream"):
            stream.load_state_dict(wrong)
    with pytest.raises(ValueError, match="an epoch has"):
        stream.load_state_dict({**state, "step": 10**6})


def test_earlier_games_after_an_ingest(simulated: Games, tmp_path: Path) -> None:
    cache, raw = tmp_path / "prep.sqlite", tmp_path / "raw"
    shutil.copy(simulated.cache, cache)
    shutil.copytree(simulated.raw, raw)
    options: dict[str, Any] = {"batch_size": 128, "seed": 7}
    stream = Stream(cache, "train", **options)
    next(iter(stream))
    state = stream.state_dict()
    run_prep("simulate", raw, "--games", "20", "--first-id", "61", "--seed", "7", "-q")
    run_prep("ingest", raw, "--cache", cache, "-q")
    with pytest.raises(ValueError, match="the state belongs to other data"):
        Stream(cache, "train", **options).load_state_dict(state)
    same = Stream(cache, "train", where="game_id <= 60", **options)
    same.load_state_dict(state)
    for its, others in zip(same, stream, strict=True):
        assert_same_arrays(join([its]), join([others]))


@pytest.mark.parametrize("world_size", [1, 2, 3, 5, 7])
def test_ranks_divide_each_batch(simulated: Games, world_size: int) -> None:
    whole = Stream(simulated.cache, "val", batch_size=100)
    ranks = [
        Stream(simulated.cache, "val", batch_size=100, rank=rank, world_size=world_size)
        for rank in range(world_size)
    ]
    for batch, *parts in zip(whole, *ranks, strict=True):
        assert max(map(len, parts)) - min(map(len, parts)) <= 1
        assert_same_arrays(join(parts), join([batch]))


KILLED = """
import json, pathlib, sys, zlib
from splendor_prep import Stream
cache, kept = sys.argv[1], pathlib.Path(sys.argv[2])
stream = Stream(cache, "train", batch_size=16, threads=int(sys.argv[3]))
saved = json.loads(kept.read_text()) if kept.exists() else {"hash": 0, "state": stream.state_dict()}
stream.load_state_dict(saved["state"])
for batch in stream:
    saved["hash"] = zlib.crc32(batch.state.tobytes(), saved["hash"])
    saved["state"] = stream.state_dict()
    new = kept.with_suffix(".new")
    new.write_text(json.dumps(saved))
    new.replace(kept)
    print(flush=True)
print("done", saved["hash"])
"""


def test_killed_runs_resume(simulated: Games, tmp_path: Path) -> None:
    def run(kept: Path, kill_after: int | None, threads: int) -> str:
        arguments = [sys.executable, "-c", KILLED, str(simulated.cache), str(kept), str(threads)]
        with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for _ in range(kill_after or 0):
                process.stdout.readline()
            if kill_after is not None:
                process.kill()
            return process.stdout.read()

    expected = run(tmp_path / "whole.json", None, 2).split()
    assert expected[0] == "done"
    kept = tmp_path / "killed.json"
    for threads, kill_after in enumerate((1, 20, 3, 40), start=1):
        assert "done" not in run(kept, kill_after, threads)
    assert run(kept, None, 1).split() == expected


def count_rows(stream: Stream) -> tuple[int, int]:
    return sum(map(len, stream)), stream.epoch


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_pickle(simulated: Games, method: str) -> None:
    stream = Stream(simulated.cache, "train", batch_size=100)
    for _ in zip(range(3), stream):
        pass
    # The stream has threads now, which a forked process has not; one is inherited, one is pickled.
    with multiprocessing.get_context(method).Pool(1) as pool:
        assert pool.apply(count_rows, (stream,)) == (stream.rows - 300, 1)
    copy = pickle.loads(pickle.dumps(stream))
    assert copy.state_dict() == stream.state_dict()
    for its, others in zip(copy, stream, strict=True):
        assert_same_arrays(join([its]), join([others]))
    batch = pickle.loads(pickle.dumps(next(iter(stream))))
    assert len(batch) == 100 and batch.state.shape == (100, len(FEATURE_COLUMNS))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Unix only")
def test_forked_process(simulated: Games) -> None:
    """Also if threads make batches during the fork, which one time in ten had a lock in the new process."""
    for _ in range(30):
        stream = Stream(simulated.cache, "train", batch_size=100)
        next(iter(stream))
        child = os.fork()
        if child == 0:
            found = count_rows(stream)
            os._exit(0 if found == (stream.rows - 100, 1) else 1)
        deadline = time.monotonic() + 60
        while (ended := os.waitpid(child, os.WNOHANG)) == (0, 0):
            if time.monotonic() > deadline:
                os.kill(child, signal.SIGKILL)
                pytest.fail("the forked process hangs")
            time.sleep(0.001)
        assert ended == (child, 0)
    assert len(list(stream)) == len(stream) - 1


FOREVER = """
import sys
from splendor_prep import Stream
stream = Stream(sys.argv[1], "train", batch_size=1_000_000, threads=1)
print(flush=True)
while True:
    for batch in stream:
        pass
"""


def test_ctrl_c(simulated: Games) -> None:
    arguments = [sys.executable, "-c", FOREVER, str(simulated.cache)]
    with subprocess.Popen(
        arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, complaints = process.communicate(timeout=60)
    assert process.returncode != 0 and "KeyboardInterrupt" in complaints


def test_invalid_options(simulated: Games, tmp_path: Path) -> None:
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"split": "dev"}, "split is `dev`, expected one of train, val, test"),
        ({"batch_size": 0}, "batch_size is 0, expected at least 1"),
        ({"rank": 2, "world_size": 2}, "rank is 2, expected less than world_size"),
        ({"dtype": "float64"}, "dtype is `float64`, expected one of float32, float16, int8"),
        ({"dtype": "int8"}, "normalize=False"),
        ({"ratios": (0.5, 0.1, 0.1)}, "0.7"),
        ({"split_method": "random"}, "expected one of hash, sklearn"),
        ({"features": "some"}, "expected one of base, all"),
        ({"masks": "none"}, "expected one of legal, all-ones"),
    ]
    for arguments, message in wrong:
        with pytest.raises(ValueError, match=message):
            Stream(simulated.cache, **{"split": "train", **arguments})
    with pytest.raises(CacheError, match="no.sqlite"):
        Stream(tmp_path / "no.sqlite", "train")


def test_pytorch_interface(simulated: Games, torch_data: types.ModuleType) -> None:
    stream = Stream(simulated.cache, "val", batch_size=100)
    tensors = stream.torch()
    assert len(tensors) == len(stream)
    expected = Stream(simulated.cache, "val", batch_size=100)
    for found, batch in zip(tensors, expected, strict=True):
        assert same_bits(found.state.values, batch.state)
        for head in HEADS:
            assert same_bits(found.labels[head].values, batch.labels[head].astype(np.int64))
            assert same_bits(found.masks[head].values, batch.masks[head] == 1)
        assert list(found.index) == list(batch.index)
    assert tensors.state_dict() == expected.state_dict()
    vars(torch_data).update(get_worker_info=lambda: "a worker")
    with pytest.raises(RuntimeError, match="num_workers=0"):
        next(iter(tensors))


def test_condition_and_weights(simulated: Games, tmp_path: Path) -> None:
    where = "players = 2 AND ending = 'finished'"
    run_prep("export", "--cache", simulated.cache, "--out", tmp_path / "out", "--where", where, "-q")
    stream = Stream(simulated.cache, "train", shuffle=False, where=where)
    batches = list(stream)
    assert_same_arrays(join(batches), exported(tmp_path / "out", "train"))
    assert all(batch.weight.dtype == np.float32 and (batch.weight == 1).all() for batch in batches)

    nobles = np.arange(5.0)
    weights = {"action_type": "balanced", "noble": nobles, "gem_take2": [1, 2, 3, 4, 5]}
    options: dict[str, Any] = {"where": where, "weights": weights, "game_weight": "turns / 2.0"}
    stream = Stream(simulated.cache, "train", shuffle=False, **options)
    rows, labels = join(batches), join(batches)["labels action_type"]
    turns = np.array([len(rows_of(log)) for log in simulated.logs])
    expected = turns[rows["index game_id"] - 1] / 2
    expected *= len(labels) / 4 / np.bincount(labels)[labels]
    expected *= np.append(nobles, 1)[rows["labels noble"]]
    expected *= np.array([1, 2, 3, 4, 5, 1])[rows["labels gem_take2"]]
    found = np.concatenate([batch.weight for batch in stream])
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert pickle.loads(pickle.dumps(stream)).state_dict() == stream.state_dict()

    for wrong, words in (
        ({"where": "player = 2"}, "no such column: player; the columns of game_list are game_id, "),
        ({"where": "players = 5"}, "none of 60 cached games meets the condition"),
        ({"game_weight": "1); SELECT (1"}, "syntax error"),
        ({"game_weight": "-players"}, "game_weight is -2 for game"),
        ({"weights": {"noble": [1, 2]}}, "the weights of noble must be 5 numbers"),
        ({"weights": {"noble": "even"}}, "the weights of a head are `even`"),
        ({"weights": {"nobel": "balanced"}}, "a key of weights is `nobel`, expected one of action_type, "),
    ):
        with pytest.raises(ValueError, match=re.escape(words)):
            Stream(simulated.cache, "train", **wrong)


def test_augmented_slots(simulated: Games) -> None:
    options: dict[str, Any] = {"shuffle": False, "normalize": False, "dtype": "int8"}
    stored = join(list(Stream(simulated.cache, "train", **options)))
    stream = Stream(simulated.cache, "train", augment="slots", **options)
    columns = [f"card{slot}_cost_red" for slot in range(4)]
    places = [FEATURE_COLUMNS.index(column) for column in columns]
    for _ in range(2):
        rows = join(list(stream))
        assert same_bits(rows["index game_id"], stored["index game_id"])
        assert same_bits(rows["labels action_type"], stored["labels action_type"])
        assert (rows["X"] != stored["X"]).any(axis=1).mean() > 0.9
        # The same cards in other slots, and as many of them legal.
        full = stored["X"][:, FEATURE_COLUMNS.index("card3_level")] == 1
        found, expected = (np.sort(x["X"][full][:, places], axis=1) for x in (rows, stored))
        assert same_bits(found, expected)
        legal = (x["masks card_selection"].sum(axis=1) for x in (rows, stored))
        assert same_bits(*legal)
    again = Stream(simulated.cache, "train", augment="slots", **options)
    again.load_state_dict({**again.state_dict(), "epoch": 1})
    assert_same_arrays(join(list(again)), rows)
    with pytest.raises(ValueError, match="other values"):
        again.load_state_dict(Stream(simulated.cache, "train", **options).state_dict())
    with pytest.raises(ValueError, match="augment is `colors`, expected one of slots"):
        Stream(simulated.cache, "train", augment="colors")
