"""The arrays of an export, for training."""

from __future__ import annotations

import json
import operator
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeGuard, overload

import numpy as np
import numpy.typing as npt

from ._native import HEADS
from ._pytorch import torch_module
from .errors import ExportError
from .scaler import Scaler

if TYPE_CHECKING:
    from .torch import TorchDataset

__all__ = ["Batch", "Dataset", "Sample"]

SPLITS = ("train", "val", "test")
OUTCOMES = ("won", "place", "margin", "rounds_left")


class Sample(NamedTuple):
    """One row."""

    state: npt.NDArray[Any]
    """``(columns,)``: float32, or the type of the export."""
    labels: dict[str, int]
    """By head: the logged class, -1 where the head does not apply."""
    masks: dict[str, npt.NDArray[np.int8]]
    """By head, int8 ``(classes,)``: 1 where a class is legal."""


class Batch(NamedTuple):
    """Several rows."""

    state: npt.NDArray[Any]
    """``(rows, columns)``: float32, or the type of the export."""
    labels: dict[str, npt.NDArray[np.int32]]
    """By head, int32 ``(rows,)``: the logged class, -1 where the head does not apply."""
    masks: dict[str, npt.NDArray[np.int8]]
    """By head, int8 ``(rows, classes)``: 1 where a class is legal."""


class Dataset:
    """One split of an export: ``len(dataset)`` rows, ``dataset[row]``, or `batches`.

    All files are memory-mapped, with either ``--layout``: they are read on access, and the processes of a
    machine share their pages. A dataset can be passed to worker processes, forked or spawned: it is pickled
    as its path, and raises `ExportError` in a worker if the export was replaced.

    Raises `ExportError` if the folder is not an export of arrays, ValueError for an unknown split.
    """

    def __init__(self, export_dir: str | os.PathLike[str], split: str) -> None:
        if split not in SPLITS:
            raise ValueError(f"split is `{split}`, expected one of {', '.join(SPLITS)}")
        # Absolute, so that a change of the working folder does not change the export.
        self.export_dir = Path(export_dir).absolute()
        """The folder of the export."""
        self.split = split
        """``train``, ``val`` or ``test``."""
        parquet = self.export_dir / f"{split}.parquet"
        if parquet.exists() and not (self.export_dir / f"X_{split}.npy").exists():
            raise ExportError(
                f"{self.export_dir} was exported with --format parquet, but a dataset maps arrays: export "
                f"without --format, or read {parquet.name} with Polars, pandas or DuckDB"
            )
        self.export_id: str | None = _export_id(self.export_dir)
        """The id of the export: exports with equal ids are equal."""
        try:
            self.state: npt.NDArray[Any] = _map_npy(self.export_dir / f"X_{split}.npy")
            """``X``, mapped: ``(rows, columns)``, float32 unless exported otherwise."""
            labels = _map_arrays(self.export_dir, f"labels_{split}", HEADS)
            masks = _map_arrays(self.export_dir, f"masks_{split}", HEADS)
            self.index: dict[str, npt.NDArray[Any]] = _map_arrays(
                self.export_dir, f"index_{split}", ("game_id", "turn_number", "row_in_game")
            )
            """``game_id`` int64, ``turn_number`` and ``row_in_game`` int32, mapped, ``(rows,)``."""
            has_outcome = (self.export_dir / f"outcome_{split}.npz").exists()
            self.outcome: dict[str, npt.NDArray[np.int32]] = _map_arrays(
                self.export_dir, f"outcome_{split}", OUTCOMES if has_outcome else ()
            )
            """The outcome of the game of each row, mapped, int32 ``(rows,)``: as `EncodedGame.outcome`. Empty for
            an export of an earlier version."""
        except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
            raise ExportError(
                f"{self.export_dir} cannot be read as an export of prep: {error}"
            ) from error
        self.labels: dict[str, npt.NDArray[np.int32]] = labels
        """By head, mapped, int32 ``(rows,)``: the logged class, -1 where the head does not apply."""
        self.masks: dict[str, npt.NDArray[np.int8]] = masks
        """By head, mapped, int8 ``(rows, classes)``: 1 where a class is legal."""
        of_rows = (labels, masks, self.index, self.outcome)
        for name, values in [item for arrays in of_rows for item in arrays.items()]:
            if len(values) != len(self.state):
                raise ExportError(
                    f"{self.export_dir} is incomplete: {name} has {len(values)} rows, "
                    f"X_{split}.npy {len(self.state)}"
                )
        # Loaded now, because the export may be replaced later.
        self._scaler: Scaler | ExportError
        try:
            self._scaler = Scaler.load(self.export_dir)
        except ExportError as error:
            self._scaler = error
        if _export_id(self.export_dir) != self.export_id:
            raise ExportError(f"{self.export_dir} was replaced while it was opened: open it again")

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.state)

    @overload
    def __getitem__(self, rows: int | np.integer[Any]) -> Sample: ...
    @overload
    def __getitem__(self, rows: slice | list[int] | npt.NDArray[Any]) -> Batch: ...
    def __getitem__(
        self, rows: int | np.integer[Any] | slice | list[int] | npt.NDArray[Any]
    ) -> Sample | Batch:
        """A `Sample` for an integer of any type, a `Batch` for a slice, a list or an array of rows.

        The arrays are copies and may be changed. Raises IndexError for a row that does not exist.
        """
        if _is_one_row(rows):
            rows = operator.index(rows)
            return Sample(
                np.array(self.state[rows]),
                {head: int(values[rows]) for head, values in self.labels.items()},
                {head: np.array(values[rows]) for head, values in self.masks.items()},
            )
        return Batch(
            _copy(self.state, rows),
            {head: _copy(values, rows) for head, values in self.labels.items()},
            {head: _copy(values, rows) for head, values in self.masks.items()},
        )

    def __getitems__(self, rows: list[int]) -> list[Sample]:
        """Several rows as samples that share the memory of one batch, for the ``DataLoader`` of PyTorch."""
        batch = self[np.asarray(rows, dtype=np.intp)]
        return [
            Sample(
                state,
                {head: int(values[row]) for head, values in batch.labels.items()},
                {head: values[row] for head, values in batch.masks.items()},
            )
            for row, state in enumerate(batch.state)
        ]

    def batches(
        self, size: int, *, shuffle: bool = False, seed: int = 0, drop_last: bool = False
    ) -> Iterator[Batch]:
        """All rows once, in batches of `size`. A smaller last batch is dropped with `drop_last`.

        With `shuffle`, the order depends only on `seed` and the number of rows: use a different seed for
        each epoch. Raises ValueError for a size below 1.
        """
        if size < 1:
            raise ValueError(f"size is {size}, expected at least 1")
        return self._batches(size, shuffle, seed, drop_last)

    def _batches(self, size: int, shuffle: bool, seed: int, drop_last: bool) -> Iterator[Batch]:
        rows = len(self)
        order = np.random.default_rng(seed).permutation(rows) if shuffle else None
        for first in range(0, rows, size):
            if drop_last and first + size > rows:
                return
            end = first + size
            yield self[first:end] if order is None else self[order[first:end]]

    def groups(self) -> npt.NDArray[np.int64]:
        """The game of each row, int64 ``(rows,)``: the ``groups`` for ``GroupKFold`` of scikit-learn, which
        keeps the rows of a game together."""
        return np.array(self.index["game_id"])

    def scaler(self) -> Scaler:
        """The scaler of the export when it was opened. Raises `ExportError` if it has none."""
        if isinstance(self._scaler, ExportError):
            raise self._scaler
        return self._scaler

    def torch(self) -> TorchDataset:
        """These rows as a ``torch.utils.data.Dataset`` of tensors, for use with a ``DataLoader``.

        Raises ImportError without PyTorch.
        """
        module = torch_module("Dataset.torch")
        loader: TorchDataset = module.TorchDataset(self)
        return loader

    def __repr__(self) -> str:
        rows, columns = self.state.shape
        return f"Dataset({str(self.export_dir)!r}, {self.split!r}): {rows} rows, {columns} columns"

    def __reduce__(self) -> tuple[Any, ...]:
        return _open_same, (self.export_dir, self.split, self.export_id)


def _copy(values: npt.NDArray[Any], rows: Any) -> npt.NDArray[Any]:
    """Copies rows: a slice is a view, other indices copy already."""
    chosen: npt.NDArray[Any] = values[rows]
    return chosen.copy() if isinstance(rows, slice) else chosen


def _is_one_row(rows: Any) -> TypeGuard[int]:
    """Whether this is one row, such as a 0-dimensional tensor, and not an array of one row."""
    return hasattr(rows, "__index__") and getattr(rows, "ndim", 0) == 0


def _open_same(export_dir: Path, split: str, export_id: str | None) -> Dataset:
    dataset = Dataset(export_dir, split)
    if dataset.export_id != export_id:
        raise ExportError(
            f"{export_dir} was replaced since this dataset was opened: open it again, or "
            "export to another folder"
        )
    return dataset


def _export_id(export_dir: Path) -> str | None:
    """The id in the manifest; None without a manifest or id."""
    try:
        manifest = json.loads((export_dir / "manifest.json").read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise ExportError(f"{export_dir / 'manifest.json'} cannot be read: {error}") from error
    export_id = manifest.get("export_id") if isinstance(manifest, dict) else None
    return export_id if isinstance(export_id, str) else None


def _map_arrays(folder: Path, stem: str, names: Any) -> dict[str, npt.NDArray[Any]]:
    """Arrays of an `.npz` file, or of one `.npy` file each."""
    archive = folder / f"{stem}.npz"
    if not archive.exists():
        return {name: _map_npy(folder / f"{stem}_{name}.npy") for name in names}
    with zipfile.ZipFile(archive) as members, open(archive, "rb") as file:
        offsets = {name: _offset_of(members.getinfo(f"{name}.npy"), file) for name in names}
    return {name: _map_npy(archive, offset) for name, offset in offsets.items()}


def _offset_of(member: zipfile.ZipInfo, file: Any) -> int:
    """The offset of a member's bytes. `np.load` would read all of it into memory."""
    if member.compress_type != zipfile.ZIP_STORED:
        raise ValueError(f"{member.filename} is compressed: prep does not write such files")
    # The extra field of the header may be longer than that of the directory.
    file.seek(member.header_offset + 26)
    name, extra = np.frombuffer(file.read(4), "<u2").tolist()
    return int(member.header_offset + 30 + name + extra)


def _map_npy(path: Path, offset: int = 0) -> npt.NDArray[Any]:
    """Maps the array at an offset of a file."""
    with open(path, "rb") as file:
        file.seek(offset)
        version = np.lib.format.read_magic(file)
        read_header = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }[version]
        shape, fortran_order, dtype = read_header(file)
        if 0 in shape:
            # An empty array cannot be mapped.
            return np.empty(shape, dtype)
        order: Any = "F" if fortran_order else "C"
        values = np.memmap(path, dtype, mode="r", offset=file.tell(), shape=shape, order=order)
    # As a plain array, because copies of rows of a `memmap` would be a `memmap` too.
    return values.view(np.ndarray)
