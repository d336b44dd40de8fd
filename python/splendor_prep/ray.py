"""An export made by many machines, with Ray Data: ``pip install 'splendor-prep[ray]'``.

`export` writes the arrays that ``prep export`` writes of the same logs, bit for bit, cut into shards.
Every number is still made by the compiled part: Ray brings logs to `encode_log` and puts down what
comes back. What it is made of:

1. *Measure.* Each log is encoded once, and only its rows are counted and its columns added up.
2. *Decide.* From the ids of the games that could be read, `assign_splits` says which of them train, and
   the exact sums of those make the scaler. Sums are whole numbers: whichever machine adds them in
   whichever order, the scaler is the same.
3. *Write.* Each shard is a run of games in ascending order, and one task: it encodes their logs again,
   normalizes, and writes. Encoding twice costs less than keeping 400 KB a game between the passes;
   ``docs/past-one-machine.md`` has the numbers.

A task may be run again after a machine has died, or even twice at once: what a shard holds follows from
its name, and a file gets its name when it is whole. The manifest is written last.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import blake3
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import ray
import ray.data

from ._native import (
    FEATURE_COLUMNS,
    ColumnSums,
    __version__,
    assign_splits,
    encode_log,
    seal_manifest,
)
from ._log_source import contents_of, find_given_logs, place_of, read_file
from ._shard_files import (
    UNFINISHED,
    Games,
    NewFiles,
    node_id,
    npz,
    write_npy,
    write_parquet,
    write_whole,
)
from ._shard_manifest import Game, Shard, cut_into_shards, manifest_of
from .errors import ExportError, LogError
from .scaler import Scaler

__all__ = ["ExportedShards", "export"]

# Of some 58 KB each: a task encodes for a second or two, beside which giving it out is little.
_LOGS_A_TASK = 1024
_ERROR_FIELDS = ("message", "file", "line", "column", "value", "expected", "kind")


@dataclass
class ExportedShards:
    """What `export` wrote."""

    out: str
    """The folder."""
    manifest: dict[str, Any]
    """What ``manifest.json`` says; ``manifest["splits"]["train"]["shards"]`` lists the shards of a split
    in the order of their rows, each with ``folder`` or ``file``, ``games`` and ``rows``."""
    scaler: Scaler | None
    """Fitted on the training rows; None if there are none."""
    refused: list[LogError] = field(default_factory=list)
    """The logs that are not in the export, with file, line and column, as ``prep ingest`` says it."""
    skipped: list[str] = field(default_factory=list)
    """Files that were given and are not called after a game id."""


def export(
    logs: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    out: str | os.PathLike[str],
    *,
    split: tuple[float, float, float] = (0.8, 0.1, 0.1),
    split_method: Literal["hash", "sklearn"] = "hash",
    seed: int = 42,
    normalize: bool = True,
    format: Literal["npy", "parquet"] = "npy",
    repair: bool = False,
    strict: bool = False,
    shard_rows: int = 50_000,
) -> ExportedShards:
    """Encodes logs on all machines of the Ray cluster, and writes them split and normalized.

    `logs` is a folder, searched as ``prep ingest`` does, or the files themselves; `out` is a folder that
    is not there yet, or is empty. Both are paths that every machine sees under the same name, or URIs
    that `pyarrow.fs` knows (``s3://bucket/logs``). The other settings are those of ``prep export`` and
    ``prep ingest``, with the same defaults: all 1,308 columns, float32, masks of legal moves.

    A shard has as many whole games as make `shard_rows` rows, or one game that has more. As ``npy``, each
    is a folder ``train-00000`` with ``X_train.npy`` and ``labels_train.npz``, ``masks_train.npz`` and
    ``index_train.npz``, which `splendor_prep.Dataset` reads; as ``parquet``, a file ``train-00000.parquet``
    with the columns of ``prep export --format parquet``. One shard after another, the rows are those of
    ``prep export``, in its order. Beside them lie ``scaler.npz`` and ``feature_cols.json``, for
    ``Scaler.load(out)``, and ``manifest.json``, which is written last: a folder without is not whole.

    A log that cannot be read as one is left out and listed in ``refused``, and with `strict` also one that
    does not replay. Uses the cluster that
    ``ray.init`` connected to, or starts one on this machine, as Ray Data does.

    Raises ValueError for settings that cannot be, `ExportError` if `out` is not empty, no log can be
    read, or a log changed meanwhile, and OSError if a file cannot be reached. Nothing is left in `out`
    then.
    """
    if format not in ("npy", "parquet"):
        raise ValueError(f"format is `{format}`, expected npy or parquet")
    if shard_rows < 1:
        raise ValueError(f"shard_rows is {shard_rows}, expected at least 1")
    # So that a slip is known before the first log is read.
    settings: dict[str, Any] = {"split": split, "method": split_method, "seed": seed}
    assign_splits(np.arange(3, dtype=np.int64), **{**settings, "method": "hash"})
    if split_method not in ("hash", "sklearn"):
        raise ValueError(f"split_method is `{split_method}`, expected hash or sklearn")

    source, found, refused, skipped = find_given_logs(logs)
    target, folder = place_of(out)
    if contents_of(target, folder):
        raise ExportError(f"{out} is not empty: choose another folder, or remove it")
    try:
        target.create_dir(f"{folder}/{UNFINISHED}", recursive=True)
        measured = _measure(source, found, repair, strict)
        games, unreadable = _games_of(measured)
        refused += unreadable
        refused.sort(key=lambda error: str(error.file))
        if not games:
            why = f"; the first: {refused[0]}" if refused else ""
            raise ExportError(f"none of {len(refused)} logs can be read{why}")
        game_ids = np.array([game.game_id for game in games], dtype=np.int64)
        split_of = assign_splits(game_ids, **settings)
        sums = _sums_of(measured, game_ids[split_of == 0])
        del measured
        scaler = Scaler.fit(sums) if normalize or sums.rows else None

        shards = cut_into_shards(games, split_of, shard_rows)
        writer = _Writer(source, target, folder, scaler if normalize else None, format, repair)
        files = _write(writer, shards)
        files |= _write_rest(target, folder, scaler)
        manifest = manifest_of(
            games,
            shards,
            files,
            scaler,
            split=split,
            split_method=split_method,
            seed=seed,
            normalize=normalize,
            format=format,
            repair=repair,
        )
        manifest["left_out"] = [{"file": error.file, "why": error.message} for error in refused]
        target.delete_dir(f"{folder}/{UNFINISHED}")
        _check_contents(target, folder, files)
        sealed = seal_manifest(json.dumps(manifest))
        write_whole(target, f"{folder}/.manifest.json", f"{folder}/manifest.json", sealed.encode())
    except BaseException:
        target.delete_dir_contents(folder, missing_dir_ok=True)
        raise
    return ExportedShards(os.fspath(out), json.loads(sealed), scaler, refused, skipped)


# Measuring.


def _measure(
    source: Any, found: list[tuple[int, str]], repair: bool, strict: bool
) -> Any:
    """A dataset with a row a log: its rows, its sums, or why it cannot be read."""
    items = [{"game_id": game_id, "path": path} for game_id, path in found]
    # Where there are few logs, each processor still has some.
    processors = int(_cluster_processors())
    tasks = max(math.ceil(len(items) / _LOGS_A_TASK), min(len(items), 4 * processors))
    dataset = ray.data.from_items(items, override_num_blocks=tasks)
    measure = _Measure(source, repair, strict)
    return dataset.map_batches(measure, batch_size=None, batch_format="pyarrow").materialize()


def _cluster_processors() -> float:
    if not ray.is_initialized():
        ray.init()
    return float(ray.cluster_resources().get("CPU", 1))


@dataclass
class _Measure:
    source: Any
    repair: bool
    strict: bool
    version: str = __version__

    def __call__(self, logs: Any) -> Any:
        try:
            _check_version(self.version)
            rows = [self.row(log["game_id"], log["path"]) for log in logs.to_pylist()]
        except _FAILURES as failure:
            rows = [_as_row(failure)]
        lists = {"sum": pa.list_(pa.int64()), "sum_of_squares": pa.list_(pa.int64())}
        texts = dict.fromkeys(_ERROR_FIELDS, pa.string())
        texts |= dict.fromkeys(("export_failure", "system_failure"), pa.string())
        numbers = {"game_id": pa.int64(), "rows": pa.int64(), "line": pa.int64()}
        others = {"path": pa.string(), "log_hash": pa.binary()}
        schema = pa.schema({**texts, **others, **numbers, **lists})
        return pa.Table.from_pylist(rows, schema=schema)

    def row(self, game_id: int, path: str) -> dict[str, Any]:
        content = read_file(self.source, path)
        row: dict[str, Any] = {"game_id": game_id, "path": path}
        try:
            game = encode_log(
                content, game_id=game_id, repair=self.repair, strict=self.strict, file=path
            )
        except LogError as error:
            return row | {name: getattr(error, name) for name in _ERROR_FIELDS}
        sums = ColumnSums.of(game.features)
        return row | {
            "rows": sums.rows,
            "log_hash": blake3.blake3(content).digest(),
            "sum": sums.sum,
            "sum_of_squares": sums.sum_of_squares,
        }


def _games_of(measured: Any) -> tuple[list[Game], list[LogError]]:
    """The games in ascending order, and the logs that cannot be read. The sums stay where they are."""
    failures = ["export_failure", "system_failure"]
    columns = [*_ERROR_FIELDS, *failures, "game_id", "path", "rows", "log_hash"]
    games, refused = [], []
    for row in _sound(measured.select_columns(columns).iter_rows()):
        if row["kind"] is None:
            games.append(Game(row["game_id"], row["path"], row["rows"], row["log_hash"]))
        else:
            refused.append(LogError(*(row[name] for name in _ERROR_FIELDS)))
    return sorted(games, key=lambda game: game.game_id), refused


def _sums_of(measured: Any, training: npt.NDArray[np.int64]) -> ColumnSums:
    """The sums of the training games: each task adds up those of its logs, and here the tasks'."""
    add_up = _AddUp(training)
    added = measured.map_batches(add_up, batch_size=None, batch_format="pyarrow")
    return sum(_all_sums(added), start=ColumnSums())


@dataclass
class _AddUp:
    training: npt.NDArray[np.int64]

    def __call__(self, logs: Any) -> Any:
        trains = np.isin(logs["game_id"].to_numpy(), self.training)
        sums = sum(map(_sums_in, logs.filter(pa.array(trains)).to_batches()), start=ColumnSums())
        columns = {"rows": [sums.rows], "sum": [sums.sum], "sum_of_squares": [sums.sum_of_squares]}
        return pa.table(columns)


def _all_sums(added: Any) -> Iterator[ColumnSums]:
    for batch in added.iter_batches(batch_size=None, batch_format="pyarrow"):
        yield from map(_sums_in, batch.to_batches())


def _sums_in(batch: Any) -> ColumnSums:
    """Of all rows of a batch, each of which holds sums."""
    games = zip(batch["rows"].to_pylist(), batch["sum"], batch["sum_of_squares"])
    each = (ColumnSums(rows, *(values.values.to_numpy() for values in sums)) for rows, *sums in games)
    return sum(each, start=ColumnSums())


# Writing.


def _write(writer: _Writer, shards: list[Shard]) -> dict[str, Any]:
    """All shards, a task each; gives their files."""
    items = [
        {
            "split": shard.split,
            "name": shard.name,
            "rows": shard.rows,
            "game_ids": np.array([game.game_id for game in shard.games], dtype=np.int64),
            "paths": json.dumps([game.path for game in shard.games]),
            "log_hashes": b"".join(game.log_hash for game in shard.games),
        }
        for shard in shards
    ]
    dataset = ray.data.from_items(items, override_num_blocks=len(items))
    written = dataset.map_batches(writer, batch_size=None, batch_format="pyarrow")
    rows = _sound(written.iter_rows())
    return {row["file"]: {"bytes": row["bytes"], "blake3": row["blake3"]} for row in rows}


@dataclass
class _Writer:
    source: Any
    target: Any
    folder: str
    scaler: Scaler | None
    format: str
    repair: bool
    version: str = __version__

    def __call__(self, shards: Any) -> Any:
        try:
            _check_version(self.version)
            files = [file for shard in shards.to_pylist() for file in self.shard(shard)]
        except _FAILURES as failure:
            files = [_as_row(failure)]
        texts = ("file", "blake3", "export_failure", "system_failure")
        schema = pa.schema({**dict.fromkeys(texts, pa.string()), "bytes": pa.int64()})
        return pa.Table.from_pylist(files, schema=schema)

    def shard(self, shard: dict[str, Any]) -> list[dict[str, Any]]:
        """Writes the files of a shard, and names them when all are whole."""
        files = NewFiles(self.target, self.folder)
        games = self.games(shard)
        if self.format == "npy":
            write_npy(files, games, shard["name"], shard["split"], shard["rows"])
        else:
            write_parquet(files, games, f"{shard['name']}.parquet")
        return files.name_all()

    def games(self, shard: dict[str, Any]) -> Games:
        """The games of a shard with their features as they are to be written."""
        hashes = shard["log_hashes"]
        paths = json.loads(shard["paths"])
        for place, (game_id, path) in enumerate(zip(shard["game_ids"], paths)):
            content = read_file(self.source, path)
            if blake3.blake3(content).digest() != hashes[32 * place : 32 * (place + 1)]:
                raise ExportError(f"{path} changed during the export: export again")
            game = encode_log(content, game_id=game_id, repair=self.repair, file=path)
            scaler = self.scaler
            yield game, game.features if scaler is None else scaler.transform(game.features)


def _write_rest(target: Any, folder: str, scaler: Scaler | None) -> dict[str, Any]:
    contents = {"feature_cols.json": json.dumps(FEATURE_COLUMNS, indent=2).encode()}
    if scaler is not None:
        values = {"mean": scaler.mean, "var": scaler.var, "scale": scaler.scale}
        scaler_id = np.frombuffer(bytes.fromhex(scaler.id), np.uint8)
        arrays = {**values, "normalized": scaler.normalized, "scaler_id": scaler_id}
        contents["scaler.npz"] = npz(arrays)
    files = {}
    for name, content in contents.items():
        write_whole(target, f"{folder}/{UNFINISHED}/{name}", f"{folder}/{name}", content)
        digest = blake3.blake3(content).hexdigest()
        files[name] = {"bytes": len(content), "blake3": digest}
    return files


def _check_contents(target: Any, folder: str, files: dict[str, Any]) -> None:
    """Whether the folder holds what was written, and that alone."""
    found = {
        info.path[len(folder) + 1 :]: info.size for info in contents_of(target, folder) if info.is_file
    }
    written = {name: file["bytes"] for name, file in files.items()}
    for name in sorted(found.keys() | written.keys()):
        if found.get(name) != written.get(name):
            raise ExportError(
                f"{name} has {found.get(name)} bytes in {folder}, {written.get(name)} were written: "
                "does every machine see the folder under this name?"
            )


def _check_version(version: str) -> None:
    if version != __version__:
        raise ExportError(
            f"splendor-prep {version} is on the machine that began the export and {__version__} on "
            f"node {node_id()}: install the same on all"
        )


# What ends an export. Ray would hand it on as text within an exception of its own, so that no caller
# could tell one from another; as a row it comes back as what it was.
_FAILURES = (ExportError, OSError)


def _as_row(failure: Exception) -> dict[str, Any]:
    kind = "system_failure" if isinstance(failure, OSError) else "export_failure"
    return {kind: str(failure)}


def _sound(rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for row in rows:
        if row["system_failure"] is not None:
            raise OSError(row["system_failure"])
        if row["export_failure"] is not None:
            raise ExportError(row["export_failure"])
        yield row
