"""Ctrl-C in a native call raises KeyboardInterrupt: it causes no panic and is not ignored."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import Games, clean_environment

# A thread sends `Ctrl-C` at some moment during repeated calls.
PROGRAM = """
import os, signal, sys, threading
import splendor_prep as s
from splendor_prep import _native
cache_path, raw, export, log, delay, action = sys.argv[1:]
{before}
try:
    threading.Timer(float(delay), lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    while True:
        {action}
except KeyboardInterrupt:
    print("KeyboardInterrupt")
"""
LONG_LOG = """
head, *rows = open(log, "rb").read().splitlines(keepends=True)
text = head + b"".join(rows) * 1500
"""
ACTIONS = {
    "the first call": (LONG_LOG, "s.encode_log(text)"),
    "encode_log": (LONG_LOG + "import numpy; s.encode_log(log)", "s.encode_log(text)"),
    "encode_log of a file": ("", "s.encode_log(log)"),
    "encode_row": ("import csv; row = next(csv.DictReader(open(log)))", "s.encode_row(row)"),
    "encode_rows": (
        "import csv; rows = list(csv.DictReader(open(log)))\\n"
        "import numpy; table = numpy.array([[float(row[n] or 'nan') for n in s.STATE_COLUMNS] for row in rows] * 200)",
        "s.encode_rows(table)",
    ),
    "Scaler.transform": (
        "import numpy; rows = numpy.ones((50_000, len(s.FEATURE_COLUMNS)), numpy.float32); scaler = s.Scaler.load(export)",
        "scaler.transform(rows)",
    ),
    "Cache.open": ("", "s.Cache.open(cache_path)"),
    "Cache.games": ("cache = s.Cache.open(cache_path)", "cache.games()"),
    "Cache.game": ("cache = s.Cache.open(cache_path)", "cache.game(2)"),
    "Cache.status": ("cache = s.Cache.open(cache_path)", "cache.status(raw)"),
    "opening a Stream": ("", "s.Stream(cache_path, 'train')"),
    "Stream": ("stream = s.Stream(cache_path, 'train', batch_size=8)", "list(stream)"),
    "Dataset": ("data = s.Dataset(export, 'train')", "list(data.batches(64, shuffle=True))"),
}


@pytest.mark.parametrize(
    ("action", "delay"),
    [*((action, 0.1) for action in ACTIONS), *(("the first call", delay) for delay in (0.01, 0.03))],
)
def test_interrupt_raises_keyboard_interrupt(
    action: str, delay: float, simulated: Games, export: Path
) -> None:
    before, call = ACTIONS[action]
    program = PROGRAM.format(before=before.replace("\\n", "\n"), action=call)
    arguments = [simulated.cache, simulated.raw, export, simulated.logs[0], delay, action]
    ran = subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)],
        capture_output=True, text=True, timeout=120, env=clean_environment(),
    )  # fmt: skip
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "KeyboardInterrupt\n", ""), ran


@pytest.mark.parametrize("call", ["games()", "game(2)", "status(raw)"])
def test_interrupted_while_waiting_for_a_commit(call: str, simulated: Games, tmp_path: Path) -> None:
    path = tmp_path / "prep.sqlite"
    path.write_bytes(simulated.cache.read_bytes())
    program = (
        "import sys, splendor_prep as s\n"
        "path, raw = sys.argv[1:]\n"
        "cache = s.Cache.open(path)\n"
        "cache.game(2)\n"
        "print('ready', flush=True); sys.stdin.readline(); print('waiting', flush=True)\n"
        "try:\n"
        f"    cache.{call}\n"
        "except KeyboardInterrupt:\n"
        "    print('KeyboardInterrupt')\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(path), str(simulated.raw)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None and process.stdin is not None
    assert process.stdout.readline() == "ready\n"
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("BEGIN EXCLUSIVE")
    try:
        process.stdin.write("go\n")
        process.stdin.flush()
        assert process.stdout.readline() == "waiting\n"
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        output, error = process.communicate(timeout=60)
    finally:
        process.kill()
        connection.execute("ROLLBACK")
        connection.close()
    assert output == "KeyboardInterrupt\n", (output, error)
