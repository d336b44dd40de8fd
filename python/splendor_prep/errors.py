"""The exceptions of this package."""

from __future__ import annotations

__all__ = ["CacheError", "ExportError", "LogError", "PrepError"]


class PrepError(Exception):
    """The base class of the exceptions of this package."""


class LogError(PrepError, ValueError):
    """An invalid log or position.

    ``str(error)`` is the message that ``prep ingest`` would print.
    """

    message: str
    """The message."""
    file: str | None
    """The file as it was given; ``<bytes>`` for bytes, None for a position of a live game."""
    line: int | None
    """Line in the file from 1, the header being 1; None if no single line is wrong."""
    column: str | None
    """The column, or a group of columns like ``card3_*``; None if no single column is wrong."""
    value: str | None
    """The value that was found, shortened; None if there is none."""
    expected: str
    """What was expected instead."""
    kind: str
    """The kind of error, a stable name: ``fraction``, ``no_such_card``, ..."""

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
        # All arguments, so that the error can be pickled by worker processes.
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
    """Raised if a cache does not exist, is locked by another run, or is damaged."""


class ExportError(PrepError, RuntimeError):
    """A folder that is not an export, or whose files do not belong together."""
