"""Values that the compiled part returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["CachedGame", "EncodedRows", "ReplayFault"]


class ReplayFault(NamedTuple):
    """A row of a log that does not follow from the row before and its move, as in the view
    ``replay_faults`` of a cache."""

    line: int
    """Line in the log from 1, the header being 1."""
    kind: str
    """The kind of fault, a stable name: ``points``, ``seat``, ``repeated_card``, ..."""
    column_name: str
    """The column, or a group of columns like ``card3_*``."""
    found: str
    """What stands there."""
    expected: str
    """What follows from the row before."""


@dataclass(frozen=True)
class CachedGame:
    """A game of a cache, without its arrays."""

    game_id: int
    """The id of the game."""
    players: int
    """Players in the game: 2, 3 or 4."""
    rows: int
    """Rows of the log, one for each turn."""
    source_path: str
    """The log, relative to the folder that was ingested."""
    source_bytes: int
    """Size of the log."""
    source_hash: str
    """blake3 of the log, 64 hexadecimal digits."""
    encoder_version: int
    """Version of the encoder that made the rows."""
    repaired: bool
    """Whether it was read with ``--repair``."""
    gem_fault_rows: int
    """Rows with the known gem fault, repaired or not."""
    unbalanced_rows: int
    """Rows in which the gems on the table and in hands do not add up to the supply."""
    ending: str | None
    """``finished``, ``tie`` or ``unfinished``: the log ends before the round is complete. None for a game of
    an older cache that has not been replayed yet."""
    rounds: int | None
    """Rounds of the log; None as for `ending`."""
    points: tuple[int | None, ...] | None
    """Points of each of four seats after the last move, None for an empty seat; None as for `ending`."""
    places: tuple[int | None, ...] | None
    """Place of each of four seats, 1 is the best: None for an empty seat and in an unfinished game; None as for
    `ending`."""
    replay_fault_rows: int | None
    """Rows that do not follow from the row before, 0 for a game that replays; None as for `ending`."""
    replay_faults: tuple[ReplayFault, ...]
    """The first of these rows, at most five."""


@dataclass(frozen=True, eq=False)
class EncodedRows:
    """Many positions, before normalization. ``len(rows)`` is their number."""

    features: npt.NDArray[np.float32]
    """float32 ``(rows, 1308)``, C order, columns as in `FEATURE_COLUMNS`, or the `columns` that were asked for.
    Whole numbers."""
    labels: dict[str, npt.NDArray[np.int32]] | None
    """By head, int32 ``(rows,)``: the class of the given move, -1 where the head does not apply or a position
    has no move. None if no move was given."""
    masks: dict[str, npt.NDArray[np.int8]]
    """By head, int8 ``(rows, classes)``: 1 where a class is legal for the player to move."""

    def __len__(self) -> int:
        return len(self.features)

    def __repr__(self) -> str:
        labels = "without" if self.labels is None else "with"
        return f"EncodedRows({len(self)} rows, {labels} labels)"
