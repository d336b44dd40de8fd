"""Batches from the cache, for training."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import _native
from ._pytorch import torch_module
from .scaler import Scaler

if TYPE_CHECKING:
    from ._native import StreamBatch
    from .torch import TorchStream

__all__ = ["Stream"]


class Stream:
    """The rows of one split of a cache in batches, epoch after epoch, without arrays on disk.

    ``for batch in stream`` yields the remaining batches of the current epoch; the next loop is the next epoch.
    ``len(stream)`` is the number of batches of an epoch.

    The values equal those of ``prep export`` with the same options: `split` (``train``, ``val`` or ``test``),
    `ratios` (its ``--split``: the shares of the three, which sum to 1), `split_method` (``hash`` or
    ``sklearn``), `split_seed` (its ``--seed``, from 0 to 4294967295), `features` (``all`` or ``base``), or
    instead `columns` (their names, or the file that lists them), `masks` (``legal`` or ``all-ones``),
    `normalize`, `dtype` (``float32``, ``float16``, or ``int8`` without `normalize`), `scaler` (a `Scaler`, or
    the folder of an earlier export or of `Scaler.save`; otherwise it is fitted on the training rows, whatever
    the split) and `replayable_only`. Without `shuffle`, an epoch is ``X_{split}.npy``, labels, masks and
    index of that export, byte for byte.

    `where` is a condition over the columns of the view ``game_list`` of the cache, such as ``players = 2 AND
    ending = 'finished'``: only games that meet it are in any split, as with ``prep export --where``.

    `weights` gives each row a weight by its labels: by head, ``"balanced"`` (by the training labels, as
    scikit-learn's ``class_weight``; the mean weight of a label is 1) or a number for each class.
    `game_weight` is a numeric expression over the columns of ``game_list``, such as ``CASE WHEN players = 2
    THEN 1 ELSE 0.5 END``. The weight of a row is the product of all of them; a head that does not apply
    to a row counts as 1.

    ``augment="slots"`` reorders the displayed cards of each level, the nobles and the reserved cards of each
    player in each row, with their features, labels and masks: an exact symmetry of the game. The orders are
    a function of `seed`, the epoch and the row, also without `shuffle`.

    With `shuffle`, the order of an epoch is a random permutation of all rows, a function of their number,
    `seed` (from 0 to 2**64 - 1) and the epoch. With `drop_last`, a smaller last batch is dropped.

    Each `rank` of `world_size` processes gets a part of each batch of `batch_size` rows. The sizes of the
    parts differ by at most one row; in a last batch with fewer rows than ranks, some are empty. The batches
    are the same for any `world_size`: no row is dropped or repeated.

    All positions of the split are read into memory when it is opened, about 120 bytes each, and the
    cache is not used afterwards. `threads` threads (0: one for each core) make batches ahead, up to two
    each, with the GIL released. A stream can be passed to other processes: it is pickled as its
    arguments and its state.

    Raises `CacheError` if the cache cannot be read, `ExportError` for the scaler of a folder that is not
    an export or a file that lists no columns, ValueError for an option or a column that does not exist, and
    for a condition or weights that cannot be used.
    """

    def __init__(
        self,
        cache: str | os.PathLike[str],
        split: str,
        *,
        batch_size: int = 512,
        shuffle: bool = True,
        seed: int = 0,
        drop_last: bool = False,
        ratios: tuple[float, float, float] = (0.8, 0.1, 0.1),
        split_method: str = "hash",
        split_seed: int = 42,
        features: str = "all",
        columns: Sequence[str] | str | os.PathLike[str] | None = None,
        masks: str = "legal",
        normalize: bool = True,
        dtype: str = "float32",
        scaler: Scaler | str | os.PathLike[str] | None = None,
        replayable_only: bool = False,
        where: str | None = None,
        weights: Mapping[str, str | Sequence[float]] | None = None,
        game_weight: str | None = None,
        augment: str | None = None,
        rank: int = 0,
        world_size: int = 1,
        threads: int = 0,
    ) -> None:
        for name, value, least in (
            ("batch_size", batch_size, 1),
            ("seed", seed, 0),
            ("world_size", world_size, 1),
            ("rank", rank, 0),
            ("threads", threads, 0),
        ):
            if value < least:
                raise ValueError(f"{name} is {value}, expected at least {least}")
        if rank >= world_size:
            raise ValueError(f"rank is {rank}, expected less than world_size, which is {world_size}")
        if columns is not None:
            # Read now: a copy of this stream in another process must not read another file.
            columns = _native.column_names(columns)
        self.cache = Path(cache).absolute()
        """The cache."""
        self.split = split
        """``train``, ``val`` or ``test``."""
        self.batch_size = batch_size
        """Number of rows of a batch over all ranks."""
        self._arguments: dict[str, Any] = {
            "batch_size": batch_size,
            "shuffle": shuffle,
            "seed": seed,
            "drop_last": drop_last,
            "ratios": ratios,
            "split_method": split_method,
            "split_seed": split_seed,
            "features": features,
            "columns": columns,
            "masks": masks,
            "normalize": normalize,
            "dtype": dtype,
            "scaler": scaler,
            "replayable_only": replayable_only,
            "where": where,
            "weights": weights,
            "game_weight": game_weight,
            "augment": augment,
            "rank": rank,
            "world_size": world_size,
            "threads": threads,
        }
        class_weights = [
            (head, given if isinstance(given, str) else [float(weight) for weight in given])
            for head, given in (weights or {}).items()
        ]
        native_scaler = scaler._native if isinstance(scaler, Scaler) else scaler
        options = {**self._arguments, "scaler": native_scaler, "weights": class_weights}
        self._native = _native.Stream(self.cache, split, **options)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns, in order."""
        return tuple(self._native.columns)

    def scaler(self) -> Scaler | None:
        """The scaler that ``batch.state`` is normalized with; None without `normalize`.

        A network needs it in play: save it with the model by `Scaler.save`. A stream that is opened after
        the next ingest fits another scaler.
        """
        native = self._native.scaler()
        return None if native is None else Scaler(native)

    @property
    def rows(self) -> int:
        """Rows of the split."""
        return self._native.rows

    @property
    def epoch(self) -> int:
        """Index of the epoch of the next batch, starting at 0."""
        return self._native.position()[0]

    @property
    def step(self) -> int:
        """Number of batches of this epoch that were returned; ``len(stream)`` at its end."""
        return self._native.position()[1]

    def __len__(self) -> int:
        """Batches of an epoch."""
        return self._native.steps

    def __iter__(self) -> Iterator[StreamBatch]:
        """The remaining batches of this epoch."""
        while (batch := self._native.next()) is not None:
            yield batch

    def state_dict(self) -> dict[str, Any]:
        """The state of the stream, less than 300 bytes of JSON, for `load_state_dict`.

        It contains the epoch and the step, and identifies the data and the options that batches depend on.
        """
        state: dict[str, Any] = json.loads(self._native.state())
        return state

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continues from a state, immediately and with the next batch. `rank`, `world_size` and `threads` may
        differ from those of the stream that returned it.

        Raises ValueError, which names the difference, for the state of another stream: other games or logs
        (as after an ingest), other values, another order.
        """
        self._native.load_state(json.dumps(state))

    def torch(self) -> TorchStream:
        """The batches as a ``torch.utils.data.IterableDataset`` of tensors: ``DataLoader(stream.torch(),
        batch_size=None)``, or without a ``DataLoader``.

        Raises ImportError without PyTorch.
        """
        module = torch_module("Stream.torch")
        loader: TorchStream = module.TorchStream(self)
        return loader

    def __repr__(self) -> str:
        return (
            f"Stream({str(self.cache)!r}, {self.split!r}): {self.rows} rows, {len(self)} batches of "
            f"{self.batch_size}"
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return _open_same, (self.cache, self.split, self._arguments, self.state_dict())


def _open_same(
    cache: Path, split: str, arguments: dict[str, Any], state: dict[str, Any]
) -> Stream:
    stream = Stream(cache, split, **arguments)
    stream.load_state_dict(state)
    return stream
