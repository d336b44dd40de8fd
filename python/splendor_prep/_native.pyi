"""The compiled part. Import these from `splendor_prep`."""

import os
from collections.abc import Mapping, Sequence
from typing import Any, Final, final

import numpy as np
import numpy.typing as npt

from .errors import LogError

__all__ = [
    "ACTION_COLUMNS",
    "ENCODER_VERSION",
    "FEATURE_COLUMNS",
    "HEADS",
    "STATE_COLUMNS",
    "Cache",
    "CachedGame",
    "ColumnSums",
    "EncodedGame",
    "EncodedRow",
    "Scaler",
    "__version__",
    "arrange_logs",
    "assign_splits",
    "encode_log",
    "encode_row",
    "find_logs",
    "run_command",
    "seal_manifest",
]

__version__: Final[str]

ENCODER_VERSION: Final[int]
"""Version of the numbers that the encoder gives. Rows of two versions must not be mixed."""

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
    """The rows of one game, before normalisation, in the order in which they were logged.

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
    ) -> EncodedGame: ...

    @property
    def game_id(self) -> int:
        """Which game it is."""

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

    def __len__(self) -> int: ...

@final
class EncodedRow:
    """One position, before normalisation."""

    def __new__(
        cls,
        features: npt.NDArray[np.float32],
        labels: dict[str, int] | None,
        masks: dict[str, npt.NDArray[np.int8]],
    ) -> EncodedRow: ...

    @property
    def features(self) -> npt.NDArray[np.float32]:
        """float32 ``(1308,)``, as in `FEATURE_COLUMNS`. Whole numbers."""

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
    file: str | os.PathLike[str] | None = None,
) -> EncodedGame:
    """Encodes a whole log, as ``prep ingest`` does.

    `log` is the path of a CSV file, or its bytes; `file` is what errors are to call bytes. `game_id` is
    what every row must say; without it, the stem of the file's name if that is a number, else what the
    first row says. `repair` reads rows with the known gem fault of old logs as they were meant, as
    ``prep ingest --repair`` does.

    Raises `LogError` for the first fault in the log, and OSError (FileNotFoundError, ...) if the file
    cannot be opened. Other threads of Python run meanwhile.
    """

def encode_row(
    position: Mapping[str, Any] | Sequence[Any] | npt.NDArray[Any],
    /,
) -> EncodedRow:
    """Encodes one position of a live game; the rules are those of a row of a log.

    `position` is either a mapping from the names in `STATE_COLUMNS` to whole numbers, or 382 values
    in that order: an array (fastest: float64, float32 or signed integers) or another sequence. A
    missing value (no card in that slot, no such player) is None, NaN, or, in a mapping, absent; a
    card or noble of zeros is a missing one, too. Text is read as a field of a log is. Columns are in
    whole gems, cards and points; each has the range that it has in a log.

    A mapping may also hold the chosen move, by the names in `ACTION_COLUMNS`; then the labels come
    back as well. Its ``game_id`` is not looked at.

    Raises `LogError` for a value outside its range, a position that cannot be, and a column that does
    not exist; ValueError for another number of values, TypeError for anything else. Takes a few
    microseconds, during which other threads of Python wait.
    """

@final
class CachedGame:
    """What a cache knows of a game beside its arrays."""

    @property
    def game_id(self) -> int:
        """Which game it is."""

    @property
    def players(self) -> int:
        """Players in the game: 2, 3 or 4."""

    @property
    def rows(self) -> int:
        """Rows in the log, one a turn."""

    @property
    def source_path(self) -> str:
        """The log, relative to the folder that was ingested."""

    @property
    def source_bytes(self) -> int:
        """Size of the log."""

    @property
    def source_hash(self) -> str:
        """blake3 of the log, 64 hexadecimal digits."""

    @property
    def encoder_version(self) -> int:
        """Version of the encoder that made the rows."""

    @property
    def repaired(self) -> bool:
        """Whether it was read with ``--repair``."""

    @property
    def gem_fault_rows(self) -> int:
        """Rows with the known gem fault, repaired or not."""

    @property
    def unbalanced_rows(self) -> int:
        """Rows in which the gems on the table and in hands do not add up to the supply."""

@final
class Cache:
    """The games that ``prep ingest`` has encoded. Reads, never writes.

    Every call reads the file as it is then, so a cache may be handed to other processes, and an
    ingest may run meanwhile. Other threads of Python run during each call. Every method raises
    `CacheError` if the file cannot be read.
    """

    @staticmethod
    def open(path: str | os.PathLike[str]) -> Cache:
        """Opens a cache that is there.

        Raises `CacheError` if it is not, or is from another version of prep.
        """

    @property
    def path(self) -> os.PathLike[str]:
        """The file."""

    def games(self) -> list[CachedGame]:
        """Every game, in ascending order of ``game_id``, but for `damaged` ones."""

    def damaged(self) -> dict[int, str]:
        """Games whose entry cannot be what was stored, and what shows it. The next ingest encodes
        them anew."""

    def game(self, game_id: int) -> EncodedGame:
        """The arrays of one game.

        Raises KeyError if the cache does not have it, `CacheError` if it is damaged.
        """

    def status(
        self, data_root: str | os.PathLike[str], *, repair: bool = False
    ) -> dict[str, int]:
        """How many games have which reason to be encoded, or not, by the next ingest of that folder:
        the counts of ``prep status --json``. Reads every log.

        Reasons: ``new``, ``bytes_changed``, ``encoder_changed``, ``schema_changed``,
        ``repair_changed``, ``damaged``, ``gone``, ``refused``, ``set_aside``, ``up_to_date``; those
        that no game has are left out.

        Raises `CacheError` if the folder cannot be searched.
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
    def transform(self, rows: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]: ...
    def inverse_transform(self, rows: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]: ...

@final
class ColumnSums:
    """How many rows there are, and for each feature the sum and the sum of squares over them.

    Whole numbers: games added up in any order and grouping give the same, and so the same scaler,
    bit for bit. ``ColumnSums(rows, sum, sum_of_squares)`` is what those attributes said; without
    arguments, the sums of no rows. Raises ValueError for arrays of another length than 1308.
    """

    def __new__(
        cls,
        rows: int = 0,
        sum: npt.NDArray[np.int64] | None = None,
        sum_of_squares: npt.NDArray[np.int64] | None = None,
    ) -> ColumnSums: ...
    @staticmethod
    def of(features: npt.NDArray[np.float32]) -> ColumnSums:
        """The sums of the encoder's own rows, float32 ``(rows, 1308)``, before normalisation.

        Raises ValueError for another number of columns, and for a value that no feature can have.
        """

    def __add__(self, other: ColumnSums, /) -> ColumnSums: ...
    def __radd__(self, value: ColumnSums, /) -> ColumnSums: ...
    @property
    def rows(self) -> int:
        """Rows summed."""

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

    `game_ids` is int64 ``(games,)``, ascending and unique. `split` is the shares of the three, `method`
    ``hash`` (a game's split depends on its own id and the seed alone) or ``sklearn`` (two nested
    ``GroupShuffleSplit``, which depend on all ids); `seed` is a whole number from 0 to 4294967295.

    Raises ValueError for shares that do not sum to 1, another method, and, with ``sklearn``, ids out of
    order or too few games to give each split one.
    """

def find_logs(folder: str | os.PathLike[str]) -> list[os.PathLike[str]]:
    """Paths of the logs in a folder and all folders in it, as ``prep ingest`` finds them: files called
    ``<game id>.csv``, hidden ones left out.

    Raises OSError if the folder, or one in it, cannot be read. There may be none.
    """

def arrange_logs(paths: list[str]) -> tuple[list[tuple[int, str]], list[LogError], list[str]]:
    """Paths, of any file system, in the order in which an export has their games: ascending by the game
    id that the file's name is.

    Gives three lists: ``(game_id, path)`` of each log; a `LogError` for each file whose game another
    file claims too, as ``prep ingest`` refuses both; and the paths that are not called after a game id.
    """

def seal_manifest(manifest: str) -> str:
    """The manifest of an export that was written by other means, as JSON, with what is this version's to
    say: ``prep_version``, ``encoder_version``, ``feature_schema``, and the ``export_id`` made from all
    of it.

    Raises ValueError if it is not a JSON object.
    """

def run_command(arguments: list[str]) -> int:
    """Runs a command of ``prep``; gives its exit code."""
