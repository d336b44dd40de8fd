"""Imports the part that needs PyTorch, which is an optional dependency."""

from __future__ import annotations

import importlib
from types import ModuleType

__all__ = ["torch_module"]


def torch_module(method: str) -> ModuleType:
    """`splendor_prep.torch`, for a method such as ``Stream.torch``. Raises ImportError without PyTorch."""
    try:
        return importlib.import_module(".torch", __package__)
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise ImportError(
            f"{method}() needs PyTorch: run `pip install torch`, or install splendor-prep "
            "with its extra of that name, `pip install '.[torch]'`"
        ) from error
