"""Compares an export of a Ray cluster with `prep export` of the same logs, on two nodes with one
processor each, also when a node dies."""

from __future__ import annotations

import json
import os
import random
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Games, made_from, run_prep, same_bits

from splendor_prep import (
    FEATURE_COLUMNS,
    HEADS,
    ColumnSums,
    Dataset,
    ExportError,
    Scaler,
    assign_splits,
    encode_log,
)
from splendor_prep._native import arrange_logs, find_logs

needs_ray = pytest.mark.skipif(
    find_spec("ray") is None and "PREP_REQUIRE_RAY" not in os.environ, reason="no Ray here"
)
SPLITS = ("train", "val", "test")


@dataclass
class TwoNodes:
    """A cluster of two nodes with a processor and a small object store each."""

    cluster: Any
    second: Any

    def kill_the_second(self) -> None:
        self.cluster.remove_node(self.second, allow_graceful=False)

    @property
    def second_id(self) -> str:
        return str(self.second.node_id)


NODE = {"num_cpus": 1, "object_store_memory": 80 * 2**20}


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    import ray
    from ray.cluster_utils import Cluster

    # Sockets lie in it, whose paths may be no longer than 107 bytes.
    sessions = tempfile.mkdtemp(prefix="prep-ray-")
    # Set for the whole process: the cluster writes its address to the default folder, even if the nodes
    # use others, and fails if that does not exist.
    os.environ["RAY_TMPDIR"] = sessions
    head = {**NODE, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    try:
        ray.init(address=cluster.address, log_to_driver=False, logging_level="error")
        ray.data.DataContext.get_current().enable_progress_bars = False
        yield cluster
    finally:
        ray.shutdown()
        started = [
            process.process.pid
            for node in [cluster.head_node, *cluster.worker_nodes]
            for processes in node.all_processes.values()
            for process in processes
        ]
        cluster.shutdown()
        left = [pid for pid in started if is_running(pid)]
        shutil.rmtree(sessions, ignore_errors=True)
        del os.environ["RAY_TMPDIR"]
    assert started and not left


def is_running(pid: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False


@pytest.fixture
def nodes(cluster: Any) -> Iterator[TwoNodes]:
    """Both nodes: the second is a new one where a test has killed the last."""
    second = next(iter(cluster.worker_nodes), None) or cluster.add_node(**NODE)
    yield TwoNodes(cluster, second)


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Games:
    """Enough games that a node can die between two of them."""
    folder = tmp_path_factory.mktemp("many")
    run_prep("simulate", folder / "raw", "--games", "240", "--seed", "5", "-q")
    return made_from(folder / "raw", folder)


def exported(games: Games, *options: object) -> Path:
    """What `prep export` writes of them on one machine."""
    out = games.raw.parent / "one-machine"
    run_prep("export", "--cache", games.cache, "--out", out, *options, "-q")
    return out


def arrays(rows: Dataset) -> dict[str, Any]:
    labels = {f"label {head}": rows.labels[head] for head in HEADS}
    masks = {f"mask {head}": rows.masks[head] for head in HEADS}
    return {"X": rows.state, **rows.index, **rows.outcome, **labels, **masks}


def sharded(out: Path, split: str) -> dict[str, Any]:
    """The arrays of a split, one shard after another."""
    manifest = json.loads((out / "manifest.json").read_text())
    listed = manifest["splits"][split]
    read = of_npy if "folder" in listed["shards"][0] else of_parquet
    shards = [read(out, shard, split) for shard in listed["shards"]]
    for shard, values in zip(listed["shards"], shards):
        assert len(values["X"]) == shard["rows"]
        assert len(np.unique(values["game_id"])) == shard["games"]
    return {name: np.concatenate([shard[name] for shard in shards]) for name in shards[0]}


def of_npy(out: Path, shard: dict[str, Any], split: str) -> dict[str, Any]:
    return arrays(Dataset(out / shard["folder"], split))


def of_parquet(out: Path, shard: dict[str, Any], split: str) -> dict[str, Any]:
    import polars as pl

    frame = pl.read_parquet(out / shard["file"])
    labels = {f"label {head}": frame[head].to_numpy() for head in HEADS}
    masks = {f"mask {head}": frame[f"{head}_mask"].to_numpy() for head in HEADS}
    index = {name: frame[name].to_numpy() for name in ("game_id", "turn_number", "row_in_game")}
    index |= {name: frame[name].to_numpy() for name in ("won", "place", "margin", "rounds_left")}
    return {"X": frame["features"].to_numpy(), **index, **labels, **masks}


def assert_same(out: Path, one_machine: Path) -> None:
    """Every array of every split, the scaler, and nothing in the folder that is not listed."""
    for split in SPLITS:
        found, expected = sharded(out, split), arrays(Dataset(one_machine, split))
        assert found.keys() == expected.keys() and len(found["X"]) > 0
        for name, values in expected.items():
            assert same_bits(found[name], values), (split, name)
    found, expected = (np.load(folder / "scaler.npz") for folder in (out, one_machine))
    assert set(found.files) == set(expected.files)
    for name in expected.files:
        assert same_bits(found[name], expected[name]), name

    manifest, other = (
        json.loads((folder / "manifest.json").read_text()) for folder in (out, one_machine)
    )
    assert manifest["scaler"]["id"] == other["scaler"]["id"]
    assert manifest["inputs"]["blake3"] == other["inputs"]["blake3"]
    names = {str(file.relative_to(out)) for file in out.rglob("*") if file.is_file()}
    assert names == {*manifest["files"], "manifest.json"}
    assert not (out / ".unfinished").exists()


@needs_ray
@pytest.mark.parametrize("format", ["npy", "parquet"])
def test_shards_are_the_arrays_of_an_export(
    nodes: TwoNodes, simulated: Games, tmp_path: Path, format: Any
) -> None:
    from splendor_prep.ray import export

    done = export(simulated.raw, tmp_path / "out", shard_rows=700, format=format)
    assert_same(tmp_path / "out", exported(simulated))
    assert len(done.manifest["splits"]["train"]["shards"]) > 3
    assert not done.refused and not done.skipped
    scaler = Scaler.load(tmp_path / "out")
    assert done.scaler is not None and scaler.id == done.scaler.id
    assert scaler.fitted_in == done.manifest["export_id"]
    # An export on one machine accepts it like any other scaler.
    later = ["--out", tmp_path / "later", "--scaler-from", tmp_path / "out", "-q"]
    run_prep("export", "--cache", simulated.cache, *later)
    assert Scaler.load(tmp_path / "later").fitted_in == done.manifest["export_id"]


@needs_ray
def test_settings_are_those_of_an_export(
    nodes: TwoNodes, simulated: Games, tmp_path: Path
) -> None:
    from splendor_prep.ray import export

    logs = random.Random(1).sample(simulated.logs, len(simulated.logs))
    settings: dict[str, Any] = {"split": (0.6, 0.3, 0.1), "split_method": "sklearn", "seed": 7}
    export(logs, tmp_path / "out", **settings, normalize=False)
    flags = ["--split", "0.6,0.3,0.1", "--split-method", "sklearn", "--seed", "7", "--no-normalize"]
    assert_same(tmp_path / "out", exported(simulated, *flags))


@needs_ray
def test_a_node_that_dies_while_shards_are_written(
    nodes: TwoNodes, many: Games, tmp_path: Path
) -> None:
    from splendor_prep.ray import export

    out = tmp_path / "out"
    seen: dict[str, Any] = {}

    def kill_once_it_has_written() -> None:
        begun: set[str] = set()
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            for file in names_in(out / ".unfinished"):
                if nodes.second_id in file:
                    begun.add("-".join(file.split("-")[:2]))
            whole = set(names_in(out))
            if len(begun) > 3 and begun & whole:
                nodes.kill_the_second()
                seen.update(of_the_second=begun & whole, whole_after=names_in(out))
                return
            time.sleep(0.001)

    killer = threading.Thread(target=kill_once_it_has_written)
    killer.start()
    done = export(many.raw, out, shard_rows=1)
    killer.join()
    shards = [s["folder"] for split in SPLITS for s in done.manifest["splits"][split]["shards"]]
    assert len(shards) == 240
    # It had done some, and there was more to do when it was gone.
    assert seen["of_the_second"]
    assert len([name for name in seen["whole_after"] if name in shards]) < len(shards) - 10
    assert "manifest.json" not in seen["whole_after"]
    assert_same(out, exported(many))


def names_in(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except FileNotFoundError:
        return []


@needs_ray
def test_sums_that_a_node_took_with_it_are_made_again(
    nodes: TwoNodes, many: Games, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ray.experimental import get_object_locations

    import splendor_prep.ray as module

    lost = 0
    games_of: Callable[[Any], Any] = module._games_of

    def kill_before(measured: Any) -> Any:
        nonlocal lost
        places = get_object_locations(measured.get_internal_block_refs()).values()
        lost = [place["node_ids"] for place in places].count([nodes.second_id])
        assert 0 < lost < len(places)
        nodes.kill_the_second()
        return games_of(measured)

    monkeypatch.setattr(module, "_games_of", kill_before)
    module.export(many.raw, tmp_path / "out", shard_rows=5_000)
    assert lost
    assert_same(tmp_path / "out", exported(many))


@needs_ray
def test_refused_logs_are_named_and_stop_nothing(
    nodes: TwoNodes, simulated: Games, tmp_path: Path
) -> None:
    from splendor_prep.ray import export

    raw = tmp_path / "raw"
    shutil.copytree(simulated.raw, raw)
    broken, cut_off, twin = (raw / path.relative_to(simulated.raw) for path in simulated.logs[3:6])
    lines = broken.read_text().splitlines(keepends=True)
    place = lines[0].strip().split(",").index("gems_board_red")
    values = lines[4].split(",")
    values[place] = "2.5"
    broken.write_text("".join([*lines[:4], ",".join(values), *lines[5:]]))
    cut_off.write_bytes(cut_off.read_bytes()[:-30])
    (raw / "again").mkdir()
    shutil.copy(twin, raw / "again" / twin.name)
    (raw / "notes.csv").write_text("not a game\n")

    cache = tmp_path / "prep.sqlite"
    said = run_prep("ingest", raw, "--cache", cache, expected=3).stderr
    run_prep("export", "--cache", cache, "--out", tmp_path / "one", "-q")
    done = export(raw, tmp_path / "out")
    assert_same(tmp_path / "out", tmp_path / "one")
    refused = {error.file: error for error in done.refused}
    assert refused.keys() == {*map(str, (broken, cut_off, twin, raw / "again" / twin.name))}
    error = refused[str(broken)]
    assert (error.line, error.column, error.value) == (5, "gems_board_red", "2.5")
    assert refused[str(cut_off)].kind == "cut_off"
    assert refused[str(twin)].kind == "game_in_two_files"
    for error in done.refused:
        # The same words, but that a folder's own path stands before the file's.
        assert error.message.replace(f"{raw}/", "").split("; ")[0] in " ".join(said.split()), error
    assert {entry["file"] for entry in done.manifest["left_out"]} == refused.keys()


@needs_ray
def test_what_cannot_be_exported_leaves_nothing(
    nodes: TwoNodes, simulated: Games, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import splendor_prep.ray as module
    from splendor_prep._shard_manifest import cut_into_shards

    raw, out = tmp_path / "raw", tmp_path / "out"
    raw.mkdir()
    with pytest.raises(ExportError, match="no logs found"):
        module.export(raw, out)
    (raw / "9.csv").write_text("game_id\n9\n")
    with pytest.raises(ExportError, match=r"none of 1 logs can be read; the first: .*9\.csv:1: "):
        module.export(raw, out)
    with pytest.raises(ValueError, match="sum to"):
        module.export(raw, out, split=(0.5, 0.1, 0.1))
    wrong: Any = "zarr"
    with pytest.raises(ValueError, match="expected npy or parquet"):
        module.export(raw, out, format=wrong)
    assert not names_in(out)

    shutil.copy(simulated.logs[0], raw / simulated.logs[0].name)
    changed = raw / simulated.logs[0].name

    def change(*arguments: Any) -> Any:
        changed.write_bytes(simulated.logs[0].read_bytes().replace(b"\n", b"\r\n"))
        return cut_into_shards(*arguments)

    monkeypatch.setattr(module, "cut_into_shards", change)
    with pytest.raises(ExportError, match=r"\.csv changed during the export"):
        module.export(raw, out, split=(1, 0, 0))
    assert not names_in(out)
    (out / "mine.txt").write_text("keep")
    with pytest.raises(ExportError, match="is not empty"):
        module.export(raw, out)
    assert names_in(out) == ["mine.txt"]


def bits_of(scaler: Scaler) -> tuple[str, bytes]:
    return scaler.id, scaler.mean.tobytes() + scaler.var.tobytes() + scaler.scale.tobytes()


def test_sums_in_any_order_and_grouping_give_one_scaler(simulated: Games) -> None:
    each = [ColumnSums.of(encode_log(log).features) for log in simulated.logs]
    rows = simulated.array("X")
    whole = ColumnSums.of(rows)
    assert whole.rows == len(rows)
    assert np.array_equal(whole.sum, rows.astype(np.int64).sum(axis=0))
    assert np.array_equal(whole.sum_of_squares, (rows.astype(np.int64) ** 2).sum(axis=0))
    expected = bits_of(Scaler.load(simulated.unscaled))
    chance = random.Random(3)
    for _ in range(20):
        groups = [chance.sample(each, len(each))]
        while len(groups[0]) > 1:
            cut = chance.randint(1, len(groups[0]))
            groups.append([sum(groups[0][:cut], start=ColumnSums())])
            groups[0] = groups[0][cut:]
            if not groups[0]:
                break
        chance.shuffle(groups)
        merged = sum((sums for group in groups for sums in group), start=ColumnSums())
        assert merged == whole
        assert bits_of(Scaler.fit(merged)) == expected


def test_sums_say_what_they_cannot_be() -> None:
    with pytest.raises(ValueError, match="no training rows"):
        Scaler.fit(ColumnSums())
    with pytest.raises(ValueError, match=f"{len(FEATURE_COLUMNS)} columns, found 3"):
        ColumnSums.of(np.zeros((2, 3), np.float32))
    for value in (0.5, 128.0, np.nan):
        with pytest.raises(ValueError, match="no value of the encoder"):
            ColumnSums.of(np.full((2, len(FEATURE_COLUMNS)), value, np.float32))
    with pytest.raises(ValueError, match=f"{len(FEATURE_COLUMNS)} columns"):
        ColumnSums(1, np.zeros(3, np.int64), np.zeros(3, np.int64))
    most = np.full(len(FEATURE_COLUMNS), 2**63 - 1)
    with pytest.raises(OverflowError):
        ColumnSums(1, most, most) + ColumnSums(1, most, most)


@pytest.mark.parametrize("method", ["hash", "sklearn"])
def test_games_are_assigned_as_an_export_does(simulated: Games, method: str) -> None:
    one_machine = exported(simulated, "--split-method", method)
    ids = np.array([int(log.stem) for log in simulated.logs], np.int64)
    splits = assign_splits(ids, method=method)
    for place, split in enumerate(SPLITS):
        games = np.unique(Dataset(one_machine, split).groups())
        assert np.array_equal(ids[splits == place], games)
    with pytest.raises(ValueError, match="expected one of hash, sklearn"):
        assign_splits(ids, method="random")


def test_logs_are_those_that_an_ingest_finds(simulated: Games) -> None:
    found, refused, skipped = arrange_logs([*map(str, find_logs(simulated.raw)), "x/a.csv"])
    assert [path for _, path in found] == [str(path) for path in simulated.logs]
    assert (refused, skipped) == ([], ["x/a.csv"])
