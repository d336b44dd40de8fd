"""What can go wrong."""

from __future__ import annotations

__all__ = ["CacheError", "ExportError", "LogError", "PrepError"]


class PrepError(Exception):
    """Any error of this package that is not one of Python's own."""


class LogError(PrepError, ValueError):
    """A log, or a position, that cannot be read.

    ``str(error)`` is the sentence that ``prep ingest`` would print.
    """

    message: str
    """The sentence."""
    file: str | None
    """The file as it was given; ``<bytes>`` for bytes, None for a position of a live game."""
    line: int | None
    """Line in the file from 1, the header being 1; None where no line is at fault."""
    column: str | None
    """The column, or a group of columns like ``card3_*``; None where no column is at fault."""
    value: str | None
    """What stands there, shortened; None where nothing does."""
    expected: str
    """What would have been right."""
    kind: str
    """The kind of fault, a name that does not change: ``fraction``, ``no_such_card``, ..."""

    def __init__(
        self,
        message: str,
        file: str | None,
        line: int | None,
        column: str | None,
        value: str | None,
        expected: str,
        kind: str,
    ) -> None:
        # All of them, so that the error can be pickled, as workers do to hand it on.
        super().__init__(message, file, line, column, value, expected, kind)
        self.message = message
        self.file = file
        self.line = line
        self.column = column
        self.value = value
        self.expected = expected
        self.kind = kind

    def __str__(self) -> str:
        return self.message


class CacheError(PrepError, RuntimeError):
    """A cache that is not there, is held by another run, or is damaged."""


class ExportError(PrepError, RuntimeError):
    """A folder that is no export, or one whose files do not belong together."""
