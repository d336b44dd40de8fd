"""The logs of an export on many machines: in a folder or at a URI that all of them can reach."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

import pyarrow.fs as pafs

from ._native import arrange_logs, find_logs
from .errors import ExportError, LogError


def place_of(path: str | os.PathLike[str]) -> tuple[Any, str]:
    """The file system of a path or URI, and the path in it."""
    text = os.fspath(path)
    if "://" in text:
        file_system, inner = pafs.FileSystem.from_uri(text)
        return file_system, inner.rstrip("/")
    return pafs.LocalFileSystem(), os.path.abspath(text)


def contents_of(file_system: Any, folder: str) -> list[Any]:
    """Files and folders below a folder; none if it is not there."""
    selector = pafs.FileSelector(folder, allow_not_found=True, recursive=True)
    infos: list[Any] = file_system.get_file_info(selector)
    return infos


def find_given_logs(
    logs: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
) -> tuple[Any, list[tuple[int, str]], list[LogError], list[str]]:
    """The file system, the logs, the refused files, and the files that are not logs."""
    if not isinstance(logs, (str, os.PathLike)):
        places = [place_of(log) for log in logs]
        if not places:
            raise ExportError("no logs were given")
        file_system = places[0][0]
        if any(other != file_system for other, _ in places):
            raise ValueError("the logs are on several file systems: export those of one at a time")
        paths = [path for _, path in places]
    else:
        file_system, folder = place_of(logs)
        if isinstance(file_system, pafs.LocalFileSystem):
            paths = [os.fspath(path) for path in find_logs(folder)]
        else:
            infos = contents_of(file_system, folder)
            paths = [info.path for info in infos if info.is_file and _is_log(info.path, folder)]
    found, refused, skipped = arrange_logs(paths)
    if not found and not refused:
        raise ExportError(f"no logs found in {logs}: their names are game ids, such as 17.csv")
    return file_system, found, refused, skipped


def _is_log(path: str, folder: str) -> bool:
    parts = path[len(folder) :].split("/")
    return path.endswith(".csv") and not any(part.startswith(".") for part in parts)


def read_file(file_system: Any, path: str) -> bytes:
    with file_system.open_input_stream(path) as file:
        content: bytes = file.read()
    return content
