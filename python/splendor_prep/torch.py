"""Rows for PyTorch. This module needs ``torch``; `Dataset.torch` and `Stream.torch` import it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch

__all__ = ["TorchBatch", "TorchDataset", "TorchSample", "TorchStream"]


class Rows(Protocol):
    """What `TorchDataset` needs of a `Dataset`, so that the two modules do not import each other."""

    def __len__(self) -> int: ...
    def __getitem__(self, rows: Any, /) -> tuple[Any, dict[str, Any], dict[str, Any]]: ...


# mypy sees no type here where PyTorch is not installed.
class TorchDataset(torch.utils.data.Dataset):  # type: ignore[misc,unused-ignore,type-arg]
    """The rows of a `Dataset` as tensors, for a ``torch.utils.data.DataLoader``.

    ``dataset[row]`` is ``(state, labels, masks)``: a tensor ``(columns,)`` of the export's type, a
    dict of seven ints, a dict of seven bool tensors ``(classes,)``. For several rows, and in the batches of a
    ``DataLoader``, they are ``(batch, columns)``, int64 ``(batch,)`` and bool ``(batch, classes)``. The default
    collation takes a batch as it was copied from the export, all at once.
    """

    def __init__(self, dataset: Rows) -> None:
        self.dataset = dataset

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.dataset)

    def __getitem__(self, rows: Any) -> tuple[Any, dict[str, Any], dict[str, Any]]:
        """One row, or the rows selected by a slice, a list or an array. Raises IndexError if a row does not exist."""
        state, labels, masks = self.dataset[rows]
        classes = {
            head: label if isinstance(label, int) else torch.from_numpy(label).long()
            for head, label in labels.items()
        }
        tensors = {head: torch.from_numpy(mask).bool() for head, mask in masks.items()}
        return torch.from_numpy(state), classes, tensors

    def __getitems__(self, rows: Sequence[int]) -> Sequence[TorchSample]:
        """Several rows, which are made into samples only where they are looked at one by one."""
        return _Samples(*self[np.asarray(rows, dtype=np.intp)])


class TorchSample(tuple[Any, dict[str, int], dict[str, Any]]):
    """A row of a batch."""


class _Samples(Sequence[TorchSample]):
    """A batch that looks like a list of its rows."""

    def __init__(self, state: Any, labels: dict[str, Any], masks: dict[str, Any]) -> None:
        self.batch = [state, labels, masks]

    def __len__(self) -> int:
        return len(self.batch[0])

    def __getitem__(self, row: Any) -> Any:
        if isinstance(row, slice):
            return [self[row] for row in range(len(self))[row]]
        state, labels, masks = self.batch
        label = {head: int(labels[head][row]) for head in labels}
        return TorchSample((state[row], label, {head: masks[head][row] for head in masks}))


def _collate(samples: Sequence[Any], **options: Any) -> Any:
    """The default collation of samples, which is done already if they are those of a batch."""
    if isinstance(samples, _Samples):
        return samples.batch
    return torch.utils.data.default_collate([tuple(sample) for sample in samples])


# How PyTorch 2 learns of a type. Without it, the samples are collated as any others.
_collations = getattr(torch.utils.data, "_utils", None)
getattr(getattr(_collations, "collate", None), "default_collate_fn_map", {})[TorchSample] = _collate


class Batches(Protocol):
    """What `TorchStream` needs of a `Stream`."""

    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[Any]: ...
    def state_dict(self) -> dict[str, Any]: ...
    def load_state_dict(self, state: dict[str, Any], /) -> None: ...


@dataclass(frozen=True)
class TorchBatch:
    """Some rows as tensors of the types that losses take."""

    state: Any
    """``(rows, columns)``: float32, or the `dtype` of the stream."""
    labels: dict[str, Any]
    """By head, int64 ``(rows,)``: the logged class, -1 where the head does not apply: give a
    ``CrossEntropyLoss`` ``ignore_index=-1``."""
    masks: dict[str, Any]
    """By head, bool ``(rows, classes)``: whether a class is legal."""
    index: dict[str, Any]
    """``game_id`` int64, ``turn_number`` and ``row_in_game`` int32, each ``(rows,)``."""
    outcome: dict[str, Any]
    """The outcome of the game, int32 ``(rows,)``: as `StreamBatch.outcome`."""
    weight: Any
    """float32 ``(rows,)``: how much each row counts."""

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.state)

    def to(self, device: Any, *, non_blocking: bool = False) -> TorchBatch:
        """The batch on another device."""
        return self._each(lambda tensor: tensor.to(device, non_blocking=non_blocking))

    def pin_memory(self) -> TorchBatch:
        """The batch in pinned memory: what a ``DataLoader`` with ``pin_memory=True`` calls."""
        return self._each(lambda tensor: tensor.pin_memory())

    def _each(self, change: Callable[[Any], Any]) -> TorchBatch:
        labels, masks, index, outcome = (
            {name: change(tensor) for name, tensor in tensors.items()}
            for tensors in (self.labels, self.masks, self.index, self.outcome)
        )
        return TorchBatch(change(self.state), labels, masks, index, outcome, change(self.weight))


class TorchStream(torch.utils.data.IterableDataset):  # type: ignore[misc,unused-ignore,type-arg]
    """The batches of a `Stream` as `TorchBatch`, for ``DataLoader(dataset, batch_size=None)``, which can
    pin their memory.

    Each ``iter`` is the rest of an epoch. It makes batches with threads of its own, and refuses to be
    copied to worker processes: leave ``num_workers`` at 0.
    """

    def __init__(self, stream: Batches) -> None:
        self.stream = stream

    def __len__(self) -> int:
        """Batches of an epoch."""
        return len(self.stream)

    def __iter__(self) -> Iterator[TorchBatch]:
        """The batches that are left of this epoch."""
        if torch.utils.data.get_worker_info() is not None:
            raise RuntimeError(
                "each worker would give all batches: use num_workers=0, a stream has threads of its own"
            )
        for batch in self.stream:
            yield TorchBatch(
                torch.from_numpy(batch.state),
                {head: torch.from_numpy(labels).long() for head, labels in batch.labels.items()},
                {head: torch.from_numpy(mask).bool() for head, mask in batch.masks.items()},
                {name: torch.from_numpy(values) for name, values in batch.index.items()},
                {name: torch.from_numpy(values) for name, values in batch.outcome.items()},
                torch.from_numpy(batch.weight),
            )

    def state_dict(self) -> dict[str, Any]:
        """`Stream.state_dict`."""
        return self.stream.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """`Stream.load_state_dict`."""
        self.stream.load_state_dict(state)
