"""The compiled part. Import these from `splendor_prep`."""

import os
from collections.abc import Mapping, Sequence
from typing import Any, Final, final

import numpy as np
import numpy.typing as npt

__all__ = [
    "ACTION_COLUMNS",
    "ENCODER_VERSION",
    "FEATURE_COLUMNS",
    "HEADS",
    "STATE_COLUMNS",
    "Cache",
    "CachedGame",
    "EncodedGame",
    "EncodedRow",
    "Scaler",
    "__version__",
    "encode_log",
    "encode_row",
    "run_command",
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
) -> EncodedGame:
    """Encodes a whole log, as ``prep ingest`` does.

    `log` is the path of a CSV file, or its bytes. `game_id` is what every row must say; without it,
    the stem of the file's name if that is a number, else what the first row says. `repair` reads rows
    with the known gem fault of old logs as they were meant, as ``prep ingest --repair`` does.

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

def run_command(arguments: list[str]) -> int:
    """Runs a command of ``prep``; gives its exit code."""
