"""The compiled part. Import these from `splendor_prep`."""

import os
from collections.abc import Mapping, Sequence
from typing import Any, Final, final

import numpy as np
import numpy.typing as npt

from .errors import LogError
from .records import CachedGame, EncodedRows

__all__ = [
    "ACTION_COLUMNS",
    "ENCODER_VERSION",
    "FEATURE_COLUMNS",
    "HEADS",
    "STATE_COLUMNS",
    "Cache",
    "ColumnSums",
    "EncodedGame",
    "EncodedRow",
    "Scaler",
    "Stream",
    "StreamBatch",
    "__version__",
    "assign_splits",
    "column_names",
    "encode_log",
    "encode_row",
    "encode_rows",
    "run_command",
]

__version__: Final[str]

ENCODER_VERSION: Final[int]
"""Version of the encoder's values. Rows of two versions must not be mixed."""

STATE_COLUMNS: Final[tuple[str, ...]]
"""Names of the 382 columns of a position, in the order of a log."""

ACTION_COLUMNS: Final[tuple[str, ...]]
"""Names of the 20 columns of a move, in the order of a log."""

FEATURE_COLUMNS: Final[tuple[str, ...]]
"""Names of the 1,308 features, in the order of an export."""

HEADS: Final[dict[str, int]]
"""Number of classes of each of the seven heads, in the order of an export."""

@final
class EncodedGame:
    """The rows of one game, before normalization, in the order in which they were logged.

    ``len(game)`` is the number of rows.
    """

    def __new__(
        cls,
        game_id: int,
        players: int,
        features: npt.NDArray[np.float32],
        labels: dict[str, npt.NDArray[np.int32]],
        masks: dict[str, npt.NDArray[np.int8]],
        index: dict[str, npt.NDArray[np.signedinteger[Any]]],
        outcome: dict[str, npt.NDArray[np.int32]],
    ) -> EncodedGame: ...

    @property
    def game_id(self) -> int:
        """The id of the game."""

    @property
    def players(self) -> int:
        """Players in the game: 2, 3 or 4."""

    @property
    def features(self) -> npt.NDArray[np.float32]:
        """float32 ``(rows, 1308)``, C order, columns as in `FEATURE_COLUMNS`. Whole numbers."""

    @property
    def labels(self) -> dict[str, npt.NDArray[np.int32]]:
        """By head, int32 ``(rows,)``: the logged class, -1 where the head does not apply."""

    @property
    def masks(self) -> dict[str, npt.NDArray[np.int8]]:
        """By head, int8 ``(rows, classes)``: 1 where a class is legal."""

    @property
    def index(self) -> dict[str, npt.NDArray[np.signedinteger[Any]]]:
        """``game_id`` int64, ``turn_number`` int32 (from 1), ``row_in_game`` int32 (from 0), each
        ``(rows,)``."""

    @property
    def outcome(self) -> dict[str, npt.NDArray[np.int32]]:
        """The outcome of the game for the player to move, each int32 ``(rows,)``: ``won`` (1 or 0), ``place`` (1
        to 4), ``margin`` (points ahead of the best other player in the end) and ``rounds_left``. Unknown for
        an unfinished game: -1, and -128 as ``margin``."""

    def __len__(self) -> int: ...

@final
class EncodedRow:
    """One position, before normalization."""

    def __new__(
        cls,
        features: npt.NDArray[np.float32],
        labels: dict[str, int] | None,
        masks: dict[str, npt.NDArray[np.int8]],
    ) -> EncodedRow: ...

    @property
    def features(self) -> npt.NDArray[np.float32]:
        """float32 ``(1308,)``, as in `FEATURE_COLUMNS`, or the `columns` that were asked for. Whole numbers."""

    @property
    def labels(self) -> dict[str, int] | None:
        """By head: the class of the given move, -1 where the head does not apply. None if no move
        was given."""

    @property
    def masks(self) -> dict[str, npt.NDArray[np.int8]]:
        """By head, int8 ``(classes,)``: 1 where a class is legal for the player to move."""

def encode_log(
    log: str | os.PathLike[str] | bytes | bytearray,
    *,
    game_id: int | None = None,
    repair: bool = False,
    strict: bool = False,
    file: str | os.PathLike[str] | None = None,
) -> EncodedGame:
    """Encodes a whole log, as ``prep ingest`` does.

    `log` is the path of a CSV file, which may be compressed (``.csv.gz``, ``.csv.zst``), or its bytes, for
    which `file` is the name in errors. `game_id` is the id that every row must have; without it, the stem
    of the file's name if that is a number, else the id of the first row. `repair` corrects rows with the
    known gem fault of old logs, as ``prep ingest --repair`` does. With `strict`, a log that does not replay
    is an error: a row does not follow from the row before and its move.

    Raises `LogError` for the first error in the log, and OSError (FileNotFoundError, ...) if the file
    cannot be opened. Releases the GIL.
    """

def encode_row(
    position: Mapping[str, Any] | Sequence[Any] | npt.NDArray[Any],
    /,
    *,
    columns: Sequence[str] | os.PathLike[str] | None = None,
) -> EncodedRow:
    """Encodes one position of a live game; it is checked like a row of a log.

    `position` is either a mapping from the names in `STATE_COLUMNS` to whole numbers, or 382 values
    in that order: an array (fastest: float64, float32 or signed integers) or another sequence. Names
    count where there are some: in named tuples and in records of structured arrays. A missing value (no
    card in that slot, no such player) is None, NaN, masked, or, in a mapping, absent; a card or noble of
    zeros is also a missing one. Text is read like a field of a log. Columns are in whole gems, cards and
    points, with the same ranges as in a log.

    A mapping may also hold the chosen move, by the names in `ACTION_COLUMNS`; then the result
    has labels too. ``game_id`` is ignored.

    `columns` names the features that the result has, in that order, such as those of an earlier
    ``feature_cols.json``: a sequence of names of `FEATURE_COLUMNS` and perhaps ``turn_number`` (a tuple is
    fastest), or the file itself.

    Raises `LogError` for a value outside its range, an impossible position, and an unknown column;
    ValueError for another number of values, and for a name in `columns` that is unknown or there twice;
    `ExportError` for a file that lists no columns; TypeError for anything else. Takes a few microseconds and
    holds the GIL.
    """

def encode_rows(
    positions: npt.NDArray[Any] | Mapping[str, Any] | Sequence[Any] | Any,
    /,
    *,
    columns: Sequence[str] | os.PathLike[str] | None = None,
) -> EncodedRows:
    """Encodes positions of many live games in one call; each is checked like a row of a log.

    `positions` is an array ``(rows, 382)`` with columns in the order of `STATE_COLUMNS`, a table by name (a
    DataFrame of pandas or polars, a dict of columns, a structured array), or a sequence of positions.
    Values and `columns` are as in `encode_row`. Columns of a table may be in any order; the values of an absent
    column are missing, and those of `ACTION_COLUMNS` are the chosen moves.

    Returns `EncodedRows`, with the same values as `encode_row` for each position. Raises the exceptions of
    `encode_row`; the message of a `LogError` begins with the row, from 0. Uses all cores and releases the GIL.
    """

@final
class Cache:
    """The games that ``prep ingest`` has encoded. Reads, never writes.

    Every call reads the current file, also after an ingest or if the file was replaced; between calls, an ingest
    may commit. A cache can be used by several threads, and passed to other processes, forked or spawned. Calls
    release the GIL. Every method raises `CacheError` if the file cannot be read.
    """

    @staticmethod
    def open(path: str | os.PathLike[str]) -> Cache:
        """Opens an existing cache.

        Raises `CacheError` if it does not exist or is from another version of prep.
        """

    @property
    def path(self) -> os.PathLike[str]:
        """The file."""

    def games(self) -> list[CachedGame]:
        """Every game, in ascending order of ``game_id``, except `damaged` ones."""

    def damaged(self) -> dict[int, str]:
        """Damaged games with the reason. The next ingest encodes them again."""

    def game(self, game_id: int) -> EncodedGame:
        """The arrays of one game.

        Raises KeyError if the cache does not have it, `CacheError` if it is damaged.
        """

    def status(
        self, data_root: str | os.PathLike[str], *, repair: bool = False, strict: bool = False
    ) -> dict[str, int]:
        """The number of games for each reason to encode, or not to encode, a game in the next ingest of a folder: the
        counts of ``prep status --json``. Reads every log. With `strict`, the reasons are those of an ingest with
        ``--strict``, which refuses games that do not replay.

        Reasons: ``new``, ``bytes_changed``, ``encoder_changed``, ``schema_changed``,
        ``repair_changed``, ``damaged``, ``deleted``, ``refused``, ``deferred``, ``up_to_date``; reasons
        that no game has are omitted.

        Raises `CacheError` if the folder, or a folder in it, cannot be searched.
        """

    def __len__(self) -> int: ...

@final
class Scaler:
    """The values of a scaler. Use `splendor_prep.Scaler`."""

    def __new__(
        cls,
        columns: list[str],
        mean: npt.NDArray[np.float64],
        var: npt.NDArray[np.float64],
        scale: npt.NDArray[np.float64],
        normalized: npt.NDArray[np.bool_],
        fitted_in: str | None,
    ) -> Scaler: ...
    @staticmethod
    def load(export: str | os.PathLike[str]) -> Scaler: ...
    @staticmethod
    def fit(sums: ColumnSums) -> Scaler: ...
    @property
    def id(self) -> str: ...
    @property
    def columns(self) -> list[str]: ...
    @property
    def fitted_in(self) -> str | None: ...
    @property
    def mean(self) -> npt.NDArray[np.float64]: ...
    @property
    def var(self) -> npt.NDArray[np.float64]: ...
    @property
    def scale(self) -> npt.NDArray[np.float64]: ...
    @property
    def normalized(self) -> npt.NDArray[np.bool_]: ...
    def transform(self, rows: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.float32]: ...
    def inverse_transform(self, rows: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.float32]: ...

@final
class StreamBatch:
    """A batch of a `Stream`, or the part of this rank.

    ``len(batch)`` is the number of rows. The arrays are the caller's and may be changed.
    """

    def __new__(
        cls,
        state: npt.NDArray[Any],
        labels: dict[str, npt.NDArray[np.int32]],
        masks: dict[str, npt.NDArray[np.int8]],
        index: dict[str, npt.NDArray[np.signedinteger[Any]]],
        outcome: dict[str, npt.NDArray[np.int32]],
        weight: npt.NDArray[np.float32],
    ) -> StreamBatch: ...

    @property
    def state(self) -> npt.NDArray[Any]:
        """``(rows, columns)``, C order: float32, or the `dtype` of the stream."""

    @property
    def labels(self) -> dict[str, npt.NDArray[np.int32]]:
        """By head, int32 ``(rows,)``: the logged class, -1 where the head does not apply."""

    @property
    def masks(self) -> dict[str, npt.NDArray[np.int8]]:
        """By head, int8 ``(rows, classes)``: 1 where a class is legal."""

    @property
    def index(self) -> dict[str, npt.NDArray[np.signedinteger[Any]]]:
        """``game_id`` int64, ``turn_number`` int32 (from 1), ``row_in_game`` int32 (from 0), each
        ``(rows,)``."""

    @property
    def outcome(self) -> dict[str, npt.NDArray[np.int32]]:
        """The outcome of the game for the player to move, each int32 ``(rows,)``: ``won`` (1 or 0), ``place`` (1
        to 4), ``margin`` (points ahead of the best other player in the end) and ``rounds_left``. Unknown for
        an unfinished game: -1, and -128 as ``margin``."""

    @property
    def weight(self) -> npt.NDArray[np.float32]:
        """The weight of each row, float32 ``(rows,)``: 1 without `weights` and `game_weight`."""

    def __len__(self) -> int: ...

@final
class Stream:
    """The batches of a split. Use `splendor_prep.Stream`."""

    def __new__(
        cls,
        cache: str | os.PathLike[str],
        split: str,
        ratios: tuple[float, float, float],
        split_method: str,
        split_seed: int,
        features: str,
        columns: Sequence[str] | os.PathLike[str] | None,
        masks: str,
        normalize: bool,
        dtype: str,
        scaler: Scaler | str | os.PathLike[str] | None,
        replayable_only: bool,
        where: str | None,
        weights: list[tuple[str, str | list[float]]],
        game_weight: str | None,
        augment: str | None,
        batch_size: int,
        shuffle: bool,
        seed: int,
        drop_last: bool,
        rank: int,
        world_size: int,
        threads: int,
    ) -> Stream: ...
    @property
    def columns(self) -> list[str]: ...
    @property
    def rows(self) -> int: ...
    @property
    def steps(self) -> int: ...
    def next(self) -> StreamBatch | None:
        """The next batch; None at the end of an epoch."""

    def position(self) -> tuple[int, int]:
        """Epoch and step."""

    def scaler(self) -> Scaler | None:
        """The scaler; None if the features are not normalized."""

    def state(self) -> str:
        """The state as JSON."""

    def load_state(self, state: str) -> None: ...

@final
class ColumnSums:
    """The number of rows, and the sum and the sum of squares of each feature.

    The sums are integers, so the order and grouping of games changes neither them nor a scaler that is fitted
    to them. ``ColumnSums(rows, sum, sum_of_squares)`` creates them from these values; without arguments, they are
    the sums of no rows. Raises ValueError if the length of an array is not 1308.
    """

    def __new__(
        cls,
        rows: int = 0,
        sum: npt.NDArray[np.int64] | None = None,
        sum_of_squares: npt.NDArray[np.int64] | None = None,
    ) -> ColumnSums: ...
    @staticmethod
    def of(features: npt.NDArray[np.float32]) -> ColumnSums:
        """The sums of rows of the encoder, float32 ``(rows, 1308)``, before normalization.

        Raises ValueError for another number of columns, and for a value that no feature can have.
        """

    def __add__(self, other: ColumnSums, /) -> ColumnSums: ...
    def __radd__(self, value: ColumnSums, /) -> ColumnSums: ...
    @property
    def rows(self) -> int:
        """Number of rows."""

    @property
    def sum(self) -> npt.NDArray[np.int64]:
        """Sum of each column, int64 ``(1308,)``, as in `FEATURE_COLUMNS`."""

    @property
    def sum_of_squares(self) -> npt.NDArray[np.int64]:
        """Sum of the squares of each column, int64 ``(1308,)``."""

def assign_splits(
    game_ids: npt.NDArray[np.int64],
    *,
    split: tuple[float, float, float] = ...,
    method: str = "hash",
    seed: int = 42,
) -> npt.NDArray[np.uint8]:
    """The split of each game, as ``prep export`` assigns it: uint8 ``(games,)``, 0 for train, 1 for val,
    2 for test.

    `game_ids` is int64 ``(games,)``, ascending and unique. `split` has the three shares, `method` is ``hash``
    (the split of a game depends only on its id and the seed) or ``sklearn`` (two nested ``GroupShuffleSplit``,
    which depend on all ids); `seed` is an integer from 0 to 4294967295.

    Raises ValueError for shares that do not sum to 1, an unknown method, and, with ``sklearn``, ids out of order
    or too few games for all splits.
    """

def column_names(columns: Sequence[str] | str | os.PathLike[str]) -> tuple[str, ...]:
    """The names of columns as a tuple. `columns` are names, or the path of a file that lists them.

    Raises ValueError if a column does not exist or is named twice, or there are no names; `ExportError` if the
    file is invalid.
    """

def run_command(arguments: list[str]) -> int:
    """Runs a command of ``prep``; returns its exit code."""
