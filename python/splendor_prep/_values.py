"""Converts numbers of any container exactly."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["exact_numbers", "named_columns"]


def exact_numbers(values: Any) -> npt.NDArray[np.floating[Any]]:
    """The values as float32 or float64, in C order.

    Raises ValueError for masked values and values that float64 cannot represent, TypeError for other types.
    """
    if np.ma.is_masked(values):  # type: ignore[no-untyped-call,unused-ignore]
        raise ValueError("some values are masked: give rows without missing values")
    given = np.asarray(values)
    kind, size = given.dtype.kind, given.dtype.itemsize
    if kind not in "biufO":
        raise TypeError(f"expected numbers, found values of type {given.dtype}")
    is_single = kind == "b" or (kind == "f" and size <= 4) or (kind in "iu" and size <= 2)
    exact = np.require(given, np.float32 if is_single else np.float64, ["C", "A"])
    if kind == "O" or size >= (16 if kind == "f" else 8):
        with np.errstate(invalid="ignore"):
            is_nan = np.isnan(exact) & (given != given)
            is_same = (exact.astype(given.dtype) == given) | is_nan
        if not np.all(is_same):
            raise ValueError(f"{given[~is_same].flat[0]!r} is not a number that float64 represents exactly")
    return exact


def named_columns(rows: Any) -> tuple[Any, list[str]] | None:
    """An object that can be indexed by column name, and the names; None if the columns are unnamed.

    For DataFrames, structured arrays, mappings, and rows of them.
    """
    if hasattr(rows, "_asdict"):
        rows = rows._asdict()
    names: Iterable[Any] | None = getattr(getattr(rows, "dtype", None), "names", None)
    if names is None:
        names = getattr(rows, "columns", None)
    if names is None and hasattr(rows, "keys"):
        names = rows.keys()
    if names is None:
        return None
    names = list(names)
    # A DataFrame of an array without names has numbers as names.
    return (rows, names) if any(isinstance(name, str) for name in names) else None
