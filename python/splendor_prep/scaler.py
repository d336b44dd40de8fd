"""The normalization of an export."""

from __future__ import annotations

import json
import os
import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from . import _native
from ._native import FEATURE_COLUMNS
from ._values import exact_numbers, named_columns
from .errors import ExportError

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
        """Use `load`, `fit`, `from_sklearn`, or the ``scaler()`` of a `Dataset` or `Stream`."""
        self._native = native
        self.columns: tuple[str, ...] = tuple(native.columns)
        """Names of the columns, in the order of ``X``."""
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
        ``--scaler-from``; None without a manifest, for `fit`, and for `Stream.scaler`."""
        for values in (self.mean, self.var, self.scale, self.normalized):
            # These are copies: a change would have no effect.
            values.flags.writeable = False

    @classmethod
    def load(cls, export_dir: str | os.PathLike[str]) -> Scaler:
        """Reads the scaler of an export, or of a folder that `save` wrote.

        Raises `ExportError` if there is none, if it has other columns than this encoder, if its values
        were changed, or if it does not belong to the export in its folder.
        """
        return cls(_native.Scaler.load(export_dir))

    @classmethod
    def fit(cls, sums: ColumnSums) -> Scaler:
        """Fits a scaler to the sums of rows, with the same bits as an export of all columns of these rows.

        Raises ValueError for the sums of no rows, and for impossible sums.
        """
        return cls(_native.Scaler.fit(sums))

    @classmethod
    def from_sklearn(
        cls, scaler: Any, *, columns: Sequence[str] | str | os.PathLike[str] | None = None
    ) -> Scaler:
        """The scaler of a fitted ``sklearn.preprocessing.StandardScaler``, or of the path of a pickle of one,
        also from joblib. Loading a pickle runs code in it: use only files that you trust.

        `columns` are all columns of the model, in its order: names, or the path of an earlier
        ``feature_cols.json``. Columns that `scaler` was not fitted to are not normalized. The default is the
        columns that it was fitted to: its ``feature_names_in_``, or without names all 1,308 features.
        ``turn_number`` may be one of them.

        Raises TypeError for other objects, ValueError if columns are unknown, named twice, or do not include
        those of `scaler`, and for impossible values, such as NaN or a scale of 0, with the name of the column.
        """
        if isinstance(scaler, (str, os.PathLike)):
            scaler = _unpickled(Path(scaler))
        mean, scale, var = (getattr(scaler, name, None) for name in ("mean_", "scale_", "var_"))
        if not hasattr(scaler, "with_mean") or (mean is None and scale is None and scaler.with_mean):
            raise TypeError(f"expected a fitted StandardScaler, found {scaler!r:.80}")
        count = int(scaler.n_features_in_)
        names = getattr(scaler, "feature_names_in_", None)
        if columns is not None:
            columns = _native.column_names(columns)
        if names is None:
            names = columns or (FEATURE_COLUMNS if count == len(FEATURE_COLUMNS) else None)
            if names is None or len(names) != count:
                raise ValueError(
                    f"the scaler was fitted to {count} columns without names: give their names "
                    "as columns=, or set its feature_names_in_"
                )
        scaled = _native.column_names([str(name) for name in names])
        columns = columns or scaled
        missing = set(scaled).difference(columns)
        if missing:
            raise ValueError(f"the scaler was fitted to {min(missing)}, which is not one of the columns")
        places = [columns.index(name) for name in scaled]

        def values(fitted: Any, is_used: bool, otherwise: float) -> npt.NDArray[np.float64]:
            out = np.full(len(columns), otherwise)
            if is_used and fitted is not None:
                if np.shape(fitted) != (len(places),):
                    # NumPy would give a single value to all columns.
                    raise ValueError(
                        f"the scaler has values of shape {np.shape(fitted)} for {len(places)} columns"
                    )
                out[places] = fitted
            return out

        normalized = np.zeros(len(columns), bool)
        normalized[places] = True
        return _from_values(
            list(columns),
            values(mean, scaler.with_mean, 0.0),
            values(var, scaler.with_std, 1.0),
            values(scale, scaler.with_std, 1.0),
            normalized,
            None,
        )

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Writes ``scaler.npz`` and ``feature_cols.json`` to a folder, for `load`, `Stream` and ``prep export
        --scaler-from``. `fitted_in` is not stored.

        Raises `ExportError` if the folder is an export; OSError if it cannot be written.
        """
        folder = Path(folder)
        if (folder / "manifest.json").exists():
            raise ExportError(f"{folder} is an export, which has a scaler: save to another folder")
        folder.mkdir(parents=True, exist_ok=True)
        arrays = {name: getattr(self, name) for name in ("mean", "var", "scale", "normalized")}
        scaler_id = np.frombuffer(bytes.fromhex(self.id), np.uint8)
        with open(folder / ".scaler.npz", "wb") as file:
            np.savez(file, **arrays, scaler_id=scaler_id)
        names = json.dumps(list(self.columns), indent=2) + "\n"
        (folder / ".feature_cols.json").write_text(names)
        # Renamed, so that only complete files have these names.
        for name in ("scaler.npz", "feature_cols.json"):
            os.replace(folder / f".{name}", folder / name)

    @property
    def id(self) -> str:
        """A hash of the names and values of all columns, 64 hexadecimal digits, as in ``scaler.npz`` and
        the manifest."""
        return self._native.id

    def transform(
        self, rows: npt.ArrayLike | Any, *, columns: Sequence[str] | None = None
    ) -> npt.NDArray[np.float32]:
        """Normalizes rows of the encoder, ``(columns,)`` or ``(..., columns)`` of numbers of any type.
        Returns float32 of the same shape, bit for bit as in the export.

        The columns are those of the scaler, in its order. If `columns` or the rows themselves (a DataFrame, a
        structured array, a dict) name columns, those of the scaler are selected by name. A scaler of base
        features selects its 422 columns from rows of all 1,308 features.

        Each value is ``(x - mean) / scale`` in float64, rounded once. Raises ValueError for a missing column,
        a wrong number of columns, masked values, and numbers that float64 cannot represent; TypeError for
        values that are not numbers.
        """
        return self._native.transform(self._chosen(rows, columns))

    def inverse_transform(
        self, rows: npt.ArrayLike | Any, *, columns: Sequence[str] | None = None
    ) -> npt.NDArray[np.float32]:
        """The encoder's values of normalized rows, float32 of the same shape, with columns selected as in
        `transform`.

        Because of rounding, values differ by up to 0.0001; ``np.rint`` gives the integers. Raises the same
        exceptions as `transform`.
        """
        return self._native.inverse_transform(self._chosen(rows, columns))

    def _chosen(self, rows: Any, columns: Sequence[str] | None) -> npt.NDArray[np.floating[Any]]:
        """The values of this scaler's columns."""
        named = named_columns(rows) if columns is None else None
        if named is not None:
            rows, columns = named
            self._places(columns)
            return np.stack([exact_numbers(rows[name]) for name in self.columns], axis=-1)
        values = exact_numbers(rows)
        width = values.shape[-1] if values.ndim else 0
        if columns is None and width == len(FEATURE_COLUMNS) != len(self.columns):
            columns = FEATURE_COLUMNS
        if columns is None:
            return values
        if len(columns) != width:
            raise ValueError(
                f"{len(columns)} columns are named, found an array of shape {values.shape}"
            )
        return np.ascontiguousarray(values[..., self._places(columns)])

    def _places(self, columns: Sequence[str]) -> list[int]:
        """The positions of this scaler's columns among others."""
        places = {name: place for place, name in enumerate(columns)}
        if len(places) != len(columns):
            twice = next(name for name in places if list(columns).count(name) > 1)
            raise ValueError(f"the column {twice} is named twice")
        missing = [name for name in self.columns if name not in places]
        if missing:
            others = f", nor {len(missing) - 1} others" if len(missing) > 1 else ""
            raise ValueError(f"the rows do not have the column {missing[0]}{others} of the scaler")
        return [places[name] for name in self.columns]

    def as_affine(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Weight and bias, float64 ``(columns,)`` each: ``x * weight + bias`` normalizes a row.

        A first layer ``W @ x + b`` that was trained on normalized rows becomes one for the encoder's values
        with ``W * weight`` and ``b + W @ bias``.
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
        # By value, because a scaler is stored with a model, without the export.
        values = (list(self.columns), self.mean, self.var, self.scale, self.normalized)
        return _from_values, (*values, self.fitted_in)


def _unpickled(path: Path) -> Any:
    with open(path, "rb") as file:
        try:
            import joblib
        except ImportError:
            return pickle.load(file)
        return joblib.load(file)


def _from_values(*values: Any) -> Scaler:
    return Scaler(_native.Scaler(*values))
