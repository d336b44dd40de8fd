"""Compares an export of a Ray cluster with `prep export` of the same logs, on two nodes with one
processor each, also when a node dies."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Games, made_from, run_prep, same_bits

from splendor_prep import HEADS, Dataset, ExportError, Scaler

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


def exported(games: Games, *options: object, cache: Path | None = None) -> Path:
    """What `prep export` writes of them on one machine."""
    out = games.raw.parent / "one-machine"
    run_prep("export", "--cache", cache or games.cache, "--out", out, *options, "-q")
    return out


def arrays(folder: Path | str, split: str) -> dict[str, Any]:
    rows = Dataset(folder, split)
    labels = {f"label {head}": rows.labels[head] for head in HEADS}
    masks = {f"mask {head}": rows.masks[head] for head in HEADS}
    return {"X": rows.state, **rows.index, **rows.outcome, **labels, **masks}


def assert_same(done: Any, one_machine: Path) -> None:
    """Every array of every split, and all else."""
    for split in SPLITS:
        shards = [arrays(shard, split) for shard in done.shards]
        for name, values in arrays(one_machine, split).items():
            found = np.concatenate([shard[name] for shard in shards])
            assert same_bits(found, values), (split, name)
    assert_same_files(done, one_machine)


def assert_same_files(done: Any, one_machine: Path) -> None:
    """The scaler and the statistics, and an export that is whole."""
    out = Path(done.out)
    for name in ("scaler.npz", "feature_cols.json", "preprocessing_stats.json"):
        assert (out / name).read_bytes() == (one_machine / name).read_bytes(), name
    run_prep("verify", "--export", out, "-q")
    run_prep("diff", one_machine, out, "--max-drift", "0", "-q")
    assert not (out.parent / f".{out.name}.shards").exists()


@needs_ray
def test_shards_equal_export(
    nodes: TwoNodes, simulated: Games, tmp_path: Path
) -> None:
    from splendor_prep.ray import export

    done = export(simulated.raw, tmp_path / "out", shards=3)
    assert_same(done, exported(simulated))
    assert len(done.shards) == 3 and not done.refused
    assert done.encoded == len(simulated.logs)
    scaler = Scaler.load(tmp_path / "out")
    assert done.scaler is not None and scaler.id == done.scaler.id
    assert scaler.fitted_in == done.manifest["export_id"]
    # The same games as tables, from the same caches.
    columns = tmp_path / "out" / "feature_cols.json"
    table = export(
        simulated.raw,
        tmp_path / "table",
        caches=tmp_path / "out.caches",
        columns=columns,
        scaler_from=tmp_path / "out",
        format="parquet",
        shards=2,
    )
    flags = ["--columns", columns, "--scaler-from", tmp_path / "out", "--format", "parquet"]
    assert table.encoded == 0
    assert_same_files(table, exported(simulated, *flags))
    assert all((Path(shard) / "train.parquet").exists() for shard in table.shards)
    # An export on one machine takes it as it takes any.
    later = ["--out", tmp_path / "later", "--scaler-from", tmp_path / "out", "-q"]
    run_prep("export", "--cache", simulated.cache, *later)
    assert Scaler.load(tmp_path / "later").fitted_in == done.manifest["export_id"]


@needs_ray
def test_settings_equal_export(
    nodes: TwoNodes, simulated: Games, tmp_path: Path
) -> None:
    from splendor_prep.ray import export

    done = export(
        simulated.raw,
        tmp_path / "out",
        split=(0.6, 0.3, 0.1),
        split_method="sklearn",
        seed=7,
        normalize=False,
        features="base",
        dtype="float16",
        where="game_id > 3",
        replayable_only=True,
        shards=2,
    )
    flags = ["--split", "0.6,0.3,0.1", "--split-method", "sklearn", "--seed", "7", "--no-normalize"]
    flags += ["--features", "base", "--dtype", "float16", "--replayable-only"]
    assert_same(done, exported(simulated, *flags, "--where", "game_id > 3"))


@needs_ray
def test_second_run_is_incremental(
    nodes: TwoNodes, many: Games, tmp_path: Path
) -> None:
    from splendor_prep.ray import export

    raw = tmp_path / "raw"
    shutil.copytree(many.raw, raw)
    held_back = [raw / log.relative_to(many.raw) for log in many.logs[::100]]
    later = {log: log.read_bytes() for log in held_back}
    for log in held_back:
        log.unlink()
    first = export(raw, tmp_path / "out", parts=3)
    assert first.encoded == len(many.logs) - len(later)
    for log, content in later.items():
        log.write_bytes(content)
    second = export(raw, tmp_path / "out")
    assert second.encoded == len(later) == 3
    assert len(list((tmp_path / "out.caches").glob("part-*.sqlite"))) == 3
    assert_same(second, exported(many))
    held_back[0].unlink()
    with pytest.warns(UserWarning, match=f"1 games removed, because their logs were deleted: {held_back[0].stem}$"):
        export(raw, tmp_path / "out")
    held_back[0].write_bytes(later[held_back[0]])
    third = export(raw, tmp_path / "out", parts=2)
    assert third.encoded == len(many.logs)
    assert len(list((tmp_path / "out.caches").glob("part-*.sqlite"))) == 2


@needs_ray
@pytest.mark.parametrize("at", ["ingest", "export"])
def test_node_failure(
    nodes: TwoNodes, many: Games, tmp_path: Path, at: str
) -> None:
    from splendor_prep.ray import export

    out = tmp_path / "out"
    work, caches = tmp_path / ".out.shards", tmp_path / "out.caches"
    seen: list[int] = []

    def whole() -> int:
        if at == "ingest":
            return len([name for name in names_in(caches) if name.endswith(".sqlite")])
        return len([name for name in names_in(work) if name.isdecimal()])

    def kill_in_the_middle() -> None:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            if whole() >= 4:
                nodes.kill_the_second()
                seen.append(whole())
                return
            time.sleep(0.001)

    killer = threading.Thread(target=kill_in_the_middle)
    killer.start()
    done = export(many.raw, out, parts=12, shards=12)
    killer.join()
    # There was more to do when it was gone.
    assert seen and 4 <= seen[0] < 12
    assert done.encoded <= len(many.logs)
    assert_same(done, exported(many))


def names_in(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except FileNotFoundError:
        return []


@needs_ray
def test_refused_logs(
    nodes: TwoNodes, simulated: Games, tmp_path: Path
) -> None:
    from splendor_prep.ray import export

    raw = tmp_path / "raw"
    shutil.copytree(simulated.raw, raw)
    broken, twin = (raw / path.relative_to(simulated.raw) for path in simulated.logs[3:5])
    lines = broken.read_text().splitlines(keepends=True)
    place = lines[0].strip().split(",").index("gems_board_red")
    values = lines[4].split(",")
    values[place] = "2.5"
    broken.write_text("".join([*lines[:4], ",".join(values), *lines[5:]]))
    (raw / "again").mkdir()
    (raw / "again" / twin.name).write_bytes(twin.read_bytes() + b"\n")
    (raw / "notes.csv").write_text("not a game\n")
    first = simulated.logs[0]
    (raw / "999.csv").write_text(first.read_text().replace(f"\n{first.stem},", "\n999,"))

    cache = tmp_path / "prep.sqlite"
    said = run_prep("ingest", raw, "--cache", cache, expected=3).stderr
    with pytest.warns(UserWarning, match=rf"games {first.stem} \(.*, 999 \(.* have identical rows"):
        done = export(raw, tmp_path / "out")
    assert_same(done, exported(simulated, cache=cache))
    refused = {error.file: error for error in done.refused}
    assert refused.keys() == {*map(str, (broken, twin, raw / "again" / twin.name))}
    error = refused[str(broken)]
    assert (error.line, error.column, error.value) == (5, "gems_board_red", "2.5")
    assert refused[str(twin)].kind == "game_in_two_files"
    for error in done.refused:
        assert error.message.split("; ")[0] in " ".join(said.split()), error
    ids = {entry["game_id"] for entry in done.manifest["excluded"]}
    assert ids == {int(broken.stem), int(twin.stem)}


@needs_ray
def test_failed_export_leaves_nothing(
    nodes: TwoNodes, simulated: Games, tmp_path: Path
) -> None:
    from splendor_prep.ray import export

    raw, out = tmp_path / "raw", tmp_path / "out"
    raw.mkdir()
    with pytest.raises(ExportError, match="the folder is empty"):
        export(raw, out)
    (raw / "9.csv").write_text("game_id\n9\n")
    with pytest.raises(ExportError, match=r"none of 1 logs can be read; the first: 9\.csv:1: "):
        export(raw, out)
    with pytest.raises(ValueError, match="sum to"):
        export(raw, out, split=(0.5, 0.1, 0.1))
    wrong: Any = "zarr"
    with pytest.raises(ValueError, match="zarr"):
        export(raw, out, format=wrong)
    with pytest.raises(ValueError, match="int8"):
        export(raw, out, dtype="int8")
    shutil.copy(simulated.logs[0], raw / simulated.logs[0].name)
    with pytest.raises(ValueError, match="no such column: player"):
        export(raw, out, where="player = 2")
    (raw / "disk").symlink_to("not-mounted")
    with pytest.raises(ExportError, match="raw/disk cannot be read: a broken symbolic link"):
        export(raw, out)
    assert not out.exists() and set(names_in(tmp_path)) == {"raw", "out.caches"}
    out.mkdir()
    (out / "mine.txt").write_text("keep")
    with pytest.raises(ExportError, match="is not empty"):
        export(raw, out)
    assert names_in(out) == ["mine.txt"]
