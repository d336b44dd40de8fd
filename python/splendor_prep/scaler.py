"""The normalization of an export."""

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
    """Mean and standard deviation of the training rows, as in ``scaler.npz`` of an export.

    A position must be normalized with the scaler of the training data before it is given to the network.
    Columns that are not normalized have mean 0, variance 1 and scale 1.
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
        """Standard deviation, float64 ``(columns,)``; 1 for a constant column, never 0."""
        self.normalized: npt.NDArray[np.bool_] = native.normalized
        """Whether the column is normalized, bool ``(columns,)``."""
        self.fitted_in: str | None = native.fitted_in
        """``export_id`` of the export whose training rows it was fitted on: this one, or that of
        ``--scaler-from``; None without a manifest, and for `fit`."""
        for values in (self.mean, self.var, self.scale, self.normalized):
            # These are copies: a change would have no effect.
            values.flags.writeable = False

    @classmethod
    def load(cls, export_dir: str | os.PathLike[str]) -> Scaler:
        """Reads the scaler of an export.

        Raises `ExportError` if there is none, if it has other columns than this encoder, if its values
        were changed, or if it does not belong to the export in its folder.
        """
        return cls(_native.Scaler.load(export_dir))

    @classmethod
    def fit(cls, sums: ColumnSums) -> Scaler:
        """Fits a scaler on the sums of some rows, bit for bit as an export of all columns fits it on its
        training rows.

        Raises ValueError for the sums of no rows, and for impossible sums.
        """
        return cls(_native.Scaler.fit(sums))

    @property
    def id(self) -> str:
        """A hash of the names and values of all columns, 64 hexadecimal digits, as in ``scaler.npz`` and
        the manifest."""
        return self._native.id

    def transform(self, rows: npt.ArrayLike) -> npt.NDArray[np.float32]:
        """Normalizes rows of the encoder, ``(columns,)`` or ``(..., columns)`` of any type that
        converts exactly to float32. Returns float32 of the same shape, bit for bit as in the export.

        Each value is ``(x - mean) / scale`` in float64, rounded once. Raises ValueError for another
        number of columns.
        """
        return self._native.transform(np.ascontiguousarray(rows, dtype=np.float32))

    def inverse_transform(self, rows: npt.ArrayLike) -> npt.NDArray[np.float32]:
        """The encoder's values of normalized rows, float32 of the same shape.

        Because of rounding, values are exact to a ten-thousandth; ``np.rint`` gives the whole number. Raises ValueError for another number of columns.
        """
        return self._native.inverse_transform(np.ascontiguousarray(rows, dtype=np.float32))

    def as_affine(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Weight and bias, float64 ``(columns,)`` each: ``x * weight + bias`` is normalized.

        A first layer ``W @ x + b`` that was trained on normalized rows takes the encoder's values with
        ``W * weight`` and ``b + W @ bias``.
        """
        weight = 1.0 / self.scale
        return weight, -self.mean * weight

    def to_sklearn(self) -> StandardScaler:
        """A fitted ``sklearn.preprocessing.StandardScaler`` with the same values.

        It takes rows of all columns and does not change those that are not normalized. Its
        ``n_samples_seen_`` is 0. Raises ImportError without scikit-learn.
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
        # By value: a scaler is stored with a model, and the export may be elsewhere by then.
        values = (list(self.columns), self.mean, self.var, self.scale, self.normalized)
        return _from_values, (*values, self.fitted_in)


def _from_values(*values: Any) -> Scaler:
    return Scaler(_native.Scaler(*values))
