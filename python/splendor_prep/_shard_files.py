"""The files of an export that many machines write: whole under their names, or not there."""

from __future__ import annotations

import io
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import blake3
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as parquet
import ray

from ._native import FEATURE_COLUMNS, HEADS, EncodedGame

# In this folder of the output lies what is not whole yet.
UNFINISHED = ".unfinished"

# As in the Parquet files of `prep export`.
_ROW_GROUP_ROWS = 2048

Games = Iterator[tuple[EncodedGame, npt.NDArray[np.float32]]]
_OUTCOMES = ("won", "place", "margin", "rounds_left")
_INDEX = {"game_id": np.int64, "turn_number": np.int32, "row_in_game": np.int32}


class NewFiles:
    """Files that get their names when all of them are whole."""

    def __init__(self, target: Any, folder: str) -> None:
        self.target = target
        self.folder = folder
        self.written: dict[str, tuple[str, int, str]] = {}

    def write(self, name: str, fill: Callable[[HashedFile], object]) -> None:
        # A task that runs a second time may run beside the first: they share no file. Whose it is shows
        # where one that was left is from.
        temporary = f"{self.folder}/{UNFINISHED}/{name.replace('/', '-')}-{node_id()}-{uuid.uuid4().hex}"
        with self.target.open_output_stream(temporary) as stream:
            file = HashedFile(stream)
            fill(file)
        self.written[name] = temporary, file.bytes, file.hash.hexdigest()

    def name_all(self) -> list[dict[str, Any]]:
        for name, (temporary, _, _) in self.written.items():
            parent, _, _ = f"{self.folder}/{name}".rpartition("/")
            self.target.create_dir(parent, recursive=True)
            self.target.move(temporary, f"{self.folder}/{name}")
        return [
            {"file": name, "bytes": size, "blake3": digest}
            for name, (_, size, digest) in self.written.items()
        ]


class HashedFile(io.RawIOBase):
    """A stream whose bytes are counted and hashed on their way."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream
        self.bytes = 0
        self.hash = blake3.blake3()

    def writable(self) -> bool:
        return True

    def write(self, content: Any) -> int:
        self.stream.write(content)
        self.hash.update(content)
        size = memoryview(content).nbytes
        self.bytes += size
        return size


def write_npy(files: NewFiles, games: Games, name: str, split: str, rows: int) -> None:
    labels: dict[str, list[Any]] = {head: [np.empty(0, np.int32)] for head in HEADS}
    masks: dict[str, list[Any]] = {head: [np.empty((0, n), np.int8)] for head, n in HEADS.items()}
    index: dict[str, list[Any]] = {column: [np.empty(0, dtype)] for column, dtype in _INDEX.items()}
    outcome: dict[str, list[Any]] = {column: [np.empty(0, np.int32)] for column in _OUTCOMES}
    kinds = {"labels": labels, "masks": masks, "index": index, "outcome": outcome}

    def fill(file: HashedFile) -> None:
        # Game after game: a shard is never in memory whole.
        header = {"descr": "<f4", "fortran_order": False, "shape": (rows, len(FEATURE_COLUMNS))}
        np.lib.format.write_array_header_1_0(file, header)
        for game, features in games:
            file.write(np.ascontiguousarray(features).reshape(-1).view(np.uint8))
            for kind, lists in kinds.items():
                for column, values in getattr(game, kind).items():
                    lists[column].append(values)

    files.write(f"{name}/X_{split}.npy", fill)
    for kind, lists in kinds.items():
        content = npz({column: np.concatenate(values) for column, values in lists.items()})
        files.write(f"{name}/{kind}_{split}.npz", lambda file: file.write(content))


def npz(arrays: dict[str, Any]) -> bytes:
    content = io.BytesIO()
    np.savez(content, **arrays)
    return content.getvalue()


def write_parquet(files: NewFiles, games: Games, name: str) -> None:
    def listed(item: Any, length: int) -> Any:
        return pa.list_(pa.field("item", item, nullable=False), length)

    types = {column: pa.from_numpy_dtype(dtype) for column, dtype in _INDEX.items()}
    types["features"] = listed(pa.float32(), len(FEATURE_COLUMNS))
    types |= dict.fromkeys(HEADS, pa.int32())
    types |= {f"{head}_mask": listed(pa.int8(), classes) for head, classes in HEADS.items()}
    types |= dict.fromkeys(_OUTCOMES, pa.int32())
    schema = pa.schema([pa.field(column, type, nullable=False) for column, type in types.items()])

    def column(values: Any, type: Any) -> Any:
        flat = pa.array(np.ascontiguousarray(values).reshape(-1))
        return pa.FixedSizeListArray.from_arrays(flat, type=type) if values.ndim == 2 else flat

    def fill(file: HashedFile) -> None:
        held: list[Any] = []
        with parquet.ParquetWriter(
            pa.PythonFile(file, mode="w"),
            schema,
            compression="zstd",
            use_dictionary=True,
            write_statistics=list(_INDEX),
        ) as writer:
            for game, features in games:
                masks = {f"{head}_mask": values for head, values in game.masks.items()}
                arrays = {**game.index, "features": features, **game.labels, **masks, **game.outcome}
                held.append(
                    pa.table([column(arrays[name], types[name]) for name in types], schema=schema)
                )
                # Row groups of one size, whatever the games: read in full or skipped.
                if sum(map(len, held)) >= _ROW_GROUP_ROWS:
                    table = pa.concat_tables(held)
                    writer.write_table(table.slice(0, _ROW_GROUP_ROWS), _ROW_GROUP_ROWS)
                    held = [table.slice(_ROW_GROUP_ROWS)]
            if held:
                writer.write_table(pa.concat_tables(held), _ROW_GROUP_ROWS)

    files.write(name, fill)


def write_whole(target: Any, temporary: str, path: str, content: bytes) -> None:
    with target.open_output_stream(temporary) as stream:
        stream.write(content)
    target.move(temporary, path)


def node_id() -> str:
    node: str = ray.get_runtime_context().get_node_id()
    return node
