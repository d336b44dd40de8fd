"""The normalisation of an export."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from . import _native

if TYPE_CHECKING:
    from sklearn.preprocessing import StandardScaler

    from ._native import ColumnSums

__all__ = ["Scaler"]


class Scaler:
    """Mean and deviation of the training rows, as an export holds them in ``scaler.npz``.

    What ``X`` was normalised with is what a position must be normalised with before the network
    sees it. Columns that are not normalised have mean 0, variance 1 and scale 1.
    """

    def __init__(self, native: _native.Scaler) -> None:
        """Use `load` or `fit`."""
        self._native = native
        self.columns: tuple[str, ...] = tuple(native.columns)
        """Names of the columns, in the order of ``X``: 1,308, or the 422 base features."""
        self.mean: npt.NDArray[np.float64] = native.mean
        """float64 ``(columns,)``."""
        self.var: npt.NDArray[np.float64] = native.var
        """Population variance, float64 ``(columns,)``."""
        self.scale: npt.NDArray[np.float64] = native.scale
        """Deviation, float64 ``(columns,)``; 1 where the column is constant, never 0."""
        self.normalized: npt.NDArray[np.bool_] = native.normalized
        """Whether the column is normalised, bool ``(columns,)``."""
        self.fitted_in: str | None = native.fitted_in
        """``export_id`` of the export whose training rows it was fitted on: this one, or the one that
        ``--scaler-from`` named; None where the manifest is not there to say so, and for `fit`."""
        for values in (self.mean, self.var, self.scale, self.normalized):
            # A copy that nobody reads: changing it would change nothing.
            values.flags.writeable = False

    @classmethod
    def load(cls, export_dir: str | os.PathLike[str]) -> Scaler:
        """Reads the scaler of an export.

        Raises `ExportError` if there is none, if it is for other columns than this encoder's, if its
        values were changed, or if it does not belong to the export that it lies in.
        """
        return cls(_native.Scaler.load(export_dir))

    @classmethod
    def fit(cls, sums: ColumnSums) -> Scaler:
        """The scaler of the rows whose sums these are: what an export of all columns fits on its
        training rows, bit for bit.

        Raises ValueError for the sums of no rows, and for sums that no rows have.
        """
        return cls(_native.Scaler.fit(sums))

    @property
    def id(self) -> str:
        """What the scaler is, 64 hexadecimal digits: a hash of its columns' names and all its values,
        as ``scaler.npz`` and the manifest have it."""
        return self._native.id

    def transform(self, rows: npt.ArrayLike) -> npt.NDArray[np.float32]:
        """Normalises rows of the encoder, ``(columns,)`` or ``(..., columns)`` of any type that
        float32 holds exactly: float32 of the same shape, bit for bit what the export wrote.

        Each value is ``(x - mean) / scale`` in float64, rounded once. Raises ValueError for another
        number of columns.
        """
        return self._native.transform(np.ascontiguousarray(rows, dtype=np.float32))

    def inverse_transform(self, rows: npt.ArrayLike) -> npt.NDArray[np.float32]:
        """The encoder's values of normalised rows, float32 of the same shape.

        What was rounded away is gone: values come out within a ten-thousandth, and ``np.rint`` gives
        the whole number. Raises ValueError for another number of columns.
        """
        return self._native.inverse_transform(np.ascontiguousarray(rows, dtype=np.float32))

    def as_affine(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Weight and bias, float64 ``(columns,)`` each: ``x * weight + bias`` is normalised.

        To fold them into a first layer ``W @ x + b`` that was trained on normalised rows, so that it
        takes the encoder's own values: ``W * weight`` and ``b + W @ bias``.
        """
        weight = 1.0 / self.scale
        return weight, -self.mean * weight

    def to_sklearn(self) -> StandardScaler:
        """A fitted ``sklearn.preprocessing.StandardScaler`` with the same values.

        It takes rows of all columns and leaves those alone that are not normalised. How many rows it
        was fitted on it does not know. Raises ImportError without scikit-learn.
        """
        from sklearn.preprocessing import StandardScaler

        scaler: Any = StandardScaler()
        scaler.mean_ = self.mean.copy()
        scaler.var_ = self.var.copy()
        scaler.scale_ = self.scale.copy()
        scaler.n_features_in_ = len(self.columns)
        scaler.n_samples_seen_ = np.int64(0)
        fitted: StandardScaler = scaler
        return fitted

    def __len__(self) -> int:
        """Number of columns."""
        return len(self.columns)

    def __repr__(self) -> str:
        return f"Scaler({len(self)} columns, fitted in export {self.fitted_in or 'unknown'})"

    def __reduce__(self) -> tuple[Any, ...]:
        # By value: a scaler goes with a model, wherever the export is by then.
        values = (list(self.columns), self.mean, self.var, self.scale, self.normalized)
        return _from_values, (*values, self.fitted_in)


def _from_values(*values: Any) -> Scaler:
    return Scaler(_native.Scaler(*values))
