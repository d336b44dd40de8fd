"""An export for PyTorch. This module needs ``torch``; `Dataset.torch` imports it."""

from __future__ import annotations

from typing import Any, Protocol

import torch

__all__ = ["TorchDataset"]


class Rows(Protocol):
    """What `TorchDataset` needs of a `Dataset`, so that the two modules do not import each other."""

    def __len__(self) -> int: ...
    def __getitem__(self, row: int, /) -> tuple[Any, dict[str, int], dict[str, Any]]: ...


# mypy sees no type here where PyTorch is not installed.
class TorchDataset(torch.utils.data.Dataset):  # type: ignore[misc,unused-ignore,type-arg]
    """The rows of a `Dataset` as tensors, for a ``torch.utils.data.DataLoader``.

    ``dataset[row]`` is ``(state, labels, masks)``: a tensor ``(columns,)`` of the export's type, a
    dict of seven ints, a dict of seven int8 tensors ``(classes,)``. The default collation makes
    ``(batch, columns)``, int64 ``(batch,)`` and int8 ``(batch, classes)`` of them.
    """

    def __init__(self, dataset: Rows) -> None:
        self.dataset = dataset

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.dataset)

    def __getitem__(self, row: int) -> tuple[Any, dict[str, int], dict[str, Any]]:
        """One row. Raises IndexError if it does not exist."""
        state, labels, masks = self.dataset[row]
        tensors = {head: torch.from_numpy(mask) for head, mask in masks.items()}
        return torch.from_numpy(state), labels, tensors
