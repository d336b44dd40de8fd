"""Encodes Splendor self-play logs and positions: the same values in training and in play.

The package calls the library of the ``prep`` command: there is only one encoder.

=====================  ==========================================================================
`encode_log`           a log to arrays, as in an export
`encode_row`           one position of a live game to features and masks
`encode_rows`          positions of many live games in one call
`Stream`               batches from the cache, shuffled, for training
`Dataset`              the arrays of an export, memory-mapped, in rows or batches
`Scaler`               the normalization of an export, for positions of live games
`Cache`                the games that ``prep ingest`` has encoded
`ray`                  an export on many machines, with Ray: ``splendor-prep[ray]``
`ColumnSums`           exact sums of rows, for `Scaler.fit`
`assign_splits`        the split of each game, as ``prep export`` assigns it
`LogError`             an invalid input: file, line, column, value
=====================  ==========================================================================

``STATE_COLUMNS`` names the 382 columns of a position and ``ACTION_COLUMNS`` the 20 of a move, in the
order of a log; ``FEATURE_COLUMNS`` the 1,308 features in the order of an export; ``HEADS`` has the
number of classes of each of the seven heads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._native import (
    ACTION_COLUMNS,
    ENCODER_VERSION,
    FEATURE_COLUMNS,
    HEADS,
    STATE_COLUMNS,
    Cache,
    ColumnSums,
    EncodedGame,
    EncodedRow,
    StreamBatch,
    __version__,
    assign_splits,
    encode_log,
    encode_row,
    encode_rows,
)
from .errors import CacheError, ExportError, LogError, PrepError

if TYPE_CHECKING:
    from .dataset import Batch, Dataset, Sample
    from .records import CachedGame, EncodedRows, ReplayFault
    from .scaler import Scaler
    from .stream import Stream

__all__ = [
    "ACTION_COLUMNS",
    "ENCODER_VERSION",
    "FEATURE_COLUMNS",
    "HEADS",
    "STATE_COLUMNS",
    "Batch",
    "Cache",
    "CachedGame",
    "CacheError",
    "ColumnSums",
    "Dataset",
    "EncodedGame",
    "EncodedRow",
    "EncodedRows",
    "ExportError",
    "LogError",
    "PrepError",
    "ReplayFault",
    "Sample",
    "Scaler",
    "Stream",
    "StreamBatch",
    "__version__",
    "assign_splits",
    "encode_log",
    "encode_row",
    "encode_rows",
]

# Some of these import NumPy, which takes longer than most commands of `prep`, and the command needs this
# package without NumPy.
_LAZY = {
    "Batch": "dataset",
    "CachedGame": "records",
    "Dataset": "dataset",
    "EncodedRows": "records",
    "ReplayFault": "records",
    "Sample": "dataset",
    "Scaler": "scaler",
    "Stream": "stream",
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f".{_LAZY[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
