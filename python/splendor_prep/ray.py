"""Exports on several machines, with Ray: ``pip install 'splendor-prep[ray]'``.

`export` runs commands of ``prep`` as Ray tasks, in folders that all machines share:

1. ``prep ingest --part K/N``, a task for each part: encodes its new and changed logs into a separate cache;
2. ``prep merge``, on the machine that started the export: merges these caches;
3. ``prep export --shard K/N``, a task for each shard: writes its games with the scaler of all games;
4. ``prep join``: joins the shards into one export, which replaces an earlier one.

Ray may run a task again after a machine has failed, even at the same time: a cache has one writer at a time,
and a shard is renamed to its final name only when it is complete.
"""

from __future__ import annotations

import glob
import json
import os
import shutil
import subprocess
import sys
import tempfile
import uuid
import warnings
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import ray

from ._native import __version__
from .errors import ExportError, LogError
from .scaler import Scaler

__all__ = ["ExportedShards", "export"]

_REFUSED = 3
_USAGE = 2


@dataclass
class ExportedShards:
    """The result of `export`."""

    out: str
    """The folder."""
    shards: list[str]
    """The folders of the shards in `out`, in the order of their rows. Each is an export for `Dataset`."""
    manifest: dict[str, Any]
    """The content of ``manifest.json`` of the joined export."""
    scaler: Scaler | None
    """The scaler of the export; None if there are no training rows."""
    encoded: int
    """Number of new and changed games that were encoded, without those that an earlier run of a repeated task
    stored."""
    refused: list[LogError] = field(default_factory=list)
    """The refused logs, with file, line and column, as in ``prep ingest``."""


def export(
    logs: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    caches: str | os.PathLike[str] | None = None,
    split: tuple[float, float, float] = (0.8, 0.1, 0.1),
    split_method: Literal["hash", "sklearn"] = "hash",
    seed: int = 42,
    features: Literal["all", "base"] = "all",
    columns: str | os.PathLike[str] | None = None,
    masks: Literal["legal", "all-ones"] = "legal",
    normalize: bool = True,
    dtype: Literal["float32", "float16", "int8"] = "float32",
    scaler_from: str | os.PathLike[str] | None = None,
    format: Literal["npy", "parquet"] = "npy",
    layout: Literal["npz", "npy"] = "npz",
    replayable_only: bool = False,
    where: str | None = None,
    repair: bool = False,
    strict: bool = False,
    allow_delete: bool = False,
    parts: int | None = None,
    shards: int | None = None,
) -> ExportedShards:
    """Encodes the new and changed logs of a folder on all machines of the Ray cluster, and writes all games,
    split and normalized, in shards.

    `logs` is the folder of the logs. `out` is a folder that does not exist, is empty, or is an export, which is
    replaced atomically at the end. `caches` is a folder for the caches, ``<out>.caches`` by default: with the
    same folder, the next run encodes only new and changed logs. All machines must have these folders under the
    same paths.

    The other settings are the options of ``prep ingest`` and ``prep export``, with the same defaults.
    `allow_delete` allows a run in which more than a fifth of the games of a part have lost their logs. `parts`
    is the number of ingests and caches; by default, the number of existing caches, or of processors in the
    cluster. `shards` is the number of exports; by default, the number of processors.

    Each shard is a folder ``out/shard-00001-of-00008`` with a part of the games of each split, which
    `splendor_prep.Dataset` reads. The concatenated rows of the shards equal those of ``prep export``. Beside
    them are the scaler, the statistics and ``manifest.json`` of all games, for `Scaler.load`, ``prep verify
    --export`` and ``prep diff``.

    Uses the cluster that ``ray.init`` connected to, or starts one on this machine.

    Warns of games that are removed because their logs were deleted, and of games with identical rows.

    Raises ValueError for invalid settings, and `ExportError` with the message of ``prep`` for all other
    failures. Then `out` is unchanged.
    """
    out, logs = Path(out).absolute(), Path(logs).absolute()
    caches = Path(f"{out}.caches" if caches is None else caches).absolute()
    options = _flags(
        split=",".join(map(str, split)),
        split_method=split_method,
        seed=seed,
        masks=masks,
        dtype=dtype,
        format=format,
        layout=layout,
        no_normalize=not normalize,
        replayable_only=replayable_only,
        **({"features": features} if columns is None else {"columns": Path(columns).absolute()}),
        **({} if scaler_from is None else {"scaler_from": Path(scaler_from).absolute()}),
        **({} if where is None else {"where": where}),
    )
    # Detects invalid options before the first log is read.
    _prep("export", *options, f"--out={out}", f"--cache={caches / 'none.sqlite'}").check_usage()
    if out.is_dir() and os.listdir(out) and not (out / "manifest.json").exists():
        raise ExportError(f"{out} is not empty and is not an export: choose another folder")
    if not ray.is_initialized():
        ray.init()
    processors = max(1, int(ray.cluster_resources().get("CPU", 1)))

    caches.mkdir(parents=True, exist_ok=True)
    known = glob.glob("part-*-of-*.sqlite", root_dir=caches)
    of = parts or max((int(name[:-7].split("-")[3]) for name in known), default=processors)
    names = [f"part-{number}-of-{of}.sqlite" for number in range(1, of + 1)]
    ingest = _flags(repair=repair, strict=strict, allow_delete=allow_delete)
    ingested = _run_all(
        ["ingest", logs, "--cache", caches / name, "--part", f"{place}/{of}", *ingest, *_INGEST]
        for place, name in enumerate(names, 1)
    )
    reports = [json.loads(ran.stdout) for ran in ingested]
    unreadable = {
        f"the folder {logs / folder['path']} cannot be read: {folder['why']}"
        for part in reports
        for folder in part["unreadable_folders"]
    }
    if unreadable:
        # Its disk may not be mounted on one of the machines.
        raise ExportError("; ".join(sorted(unreadable)))
    deleted = [
        game_id for part in reports if not part["deleted_but_kept"] for game_id in part["deleted"]
    ]
    if deleted:
        ids = ", ".join(map(str, sorted(deleted)[:20])) + (", ..." if len(deleted) > 20 else "")
        warnings.warn(f"{len(deleted)} games removed, because their logs were deleted: {ids}", stacklevel=2)
    refused = [_log_error(logs, log) for part in reports for log in part["refused"]]
    refused.sort(key=lambda error: str(error.file))
    merged = caches / "all.sqlite"
    if not any(part["cache"]["games"] for part in reports) and refused:
        raise ExportError(f"none of {len(refused)} logs can be read; the first: {refused[0]}")
    inputs = [caches / name for name in names]
    _prep("merge", merged, *inputs, "--wait=600", "--allow-delete").check(_REFUSED)
    for name in set(known).difference(names):
        (caches / name).unlink()

    of = shards or processors
    work = out.parent / f".{out.name}.shards"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    try:
        folders = [work / str(number) for number in range(1, of + 1)]
        _run_all(
            (
                ["export", "--cache", merged, "--shard", f"{place}/{of}", *options, "--jobs=1", "-q"]
                for place in range(1, of + 1)
            ),
            folders,
        )
        joined = _prep("join", "-q", out, *folders)
        joined.check()
        # Of games with identical rows.
        for line in joined.stderr.splitlines():
            warnings.warn(line.removeprefix("warning: "), stacklevel=2)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return ExportedShards(
        os.fspath(out),
        sorted(map(os.fspath, out.glob("shard-*-of-*"))),
        json.loads((out / "manifest.json").read_text()),
        Scaler.load(out) if (out / "scaler.npz").exists() else None,
        sum(part["encoded"]["games"] for part in reports),
        refused,
    )


_INGEST = ["--jobs=1", "--json", "--wait=600"]


def _flags(**options: Any) -> list[str]:
    """Convert options to command-line flags; options that are False are omitted."""
    flags = []
    for name, value in options.items():
        if value is not False:
            flag = f"--{name.replace('_', '-')}"
            flags.append(flag if value is True else f"{flag}={value}")
    return flags


def _log_error(logs: Path, log: dict[str, Any]) -> LogError:
    others = (log[name] for name in ("line", "column", "value", "expected", "kind"))
    return LogError(log["why"], os.fspath(logs / log["path"]), *others)


@dataclass
class _Ran:
    """The result of a command."""

    code: int
    stdout: str
    stderr: str

    def check_usage(self) -> None:
        if self.code == _USAGE:
            raise ValueError(self.stderr.strip().removeprefix("error: "))

    def check(self, *others: int) -> None:
        self.check_usage()
        if self.code not in (0, *others):
            raise ExportError(self.stderr.strip().removeprefix("error: "))


def _prep(*arguments: Any) -> _Ran:
    """Runs a command of ``prep`` with no other settings than its arguments."""
    command = [sys.executable, "-m", "splendor_prep", *map(str, arguments)]
    variables = {name: value for name, value in os.environ.items() if not name.startswith("PREP_")}
    with tempfile.TemporaryDirectory() as empty:
        ran = subprocess.run(command, env=variables, cwd=empty, capture_output=True, text=True)
    return _Ran(ran.returncode, ran.stdout, ran.stderr)


def _run_all(
    commands: Iterable[list[Any]], folders: Iterable[Path | None] | None = None
) -> list[_Ran]:
    """Runs commands as tasks. If there are `folders`, each is the `--out` of its command."""
    commands = list(commands)
    pairs = zip(commands, folders or [None] * len(commands))
    task = ray.remote(num_cpus=1)(_run)
    tasks = [task.remote(__version__, command, folder) for command, folder in pairs]
    left = tasks
    while left:
        done, left = ray.wait(left)
        try:
            ray.get(done[0]).check(_REFUSED)
        except BaseException:
            for other in left:
                ray.cancel(other)
            raise
    results: list[_Ran] = ray.get(tasks)
    return results


def _run(version: str, command: list[Any], folder: Path | None) -> _Ran:
    if version != __version__:
        why = f"this machine has splendor-prep {__version__}, but the export was started with {version}"
        return _Ran(1, "", f"{why}: install the same version on all machines")
    if folder is None:
        return _prep(*command)
    attempt = folder.with_name(f"{folder.name}-{uuid.uuid4().hex}")
    ran = _prep(*command, f"--out={attempt}")
    if ran.code == 0:
        try:
            os.rename(attempt, folder)
        except OSError:
            # Another run of this task has written the same shard.
            if not folder.exists():
                raise
            shutil.rmtree(attempt)
    return ran
