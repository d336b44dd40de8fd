"""`prep` as installed by the wheel: the same command as the binary, with the same exit codes and
conventions, in a Python process."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

from conftest import Games, clean_environment, command, run_prep

from splendor_prep import FEATURE_COLUMNS, Cache, CacheError


def test_demo(tmp_path: Path) -> None:
    ran = run_prep("demo", "--games", "12", cwd=tmp_path)
    assert "12 games encoded (12 new" in ran.stdout
    assert "X_train.npy" in ran.stdout
    assert (tmp_path / "data" / "demo" / "processed" / "manifest.json").exists()


def test_exit_codes(simulated: Games, tmp_path: Path) -> None:
    cache = ["--cache", tmp_path / "prep.sqlite"]
    run_prep("status", simulated.raw, *cache, "-q", expected=1)
    assert "no cache" in run_prep("export", *cache, cwd=tmp_path, expected=1).stderr
    usage = run_prep("ingset", expected=2).stderr
    assert "Usage: prep " in usage and "__main__" not in usage
    raw = tmp_path / "raw"
    raw.mkdir()
    for log in simulated.logs[:2]:
        (raw / log.name).write_bytes(log.read_bytes())
    (raw / "9999.csv").write_text("game_id,other\n1,2\n")
    assert "9999.csv" in run_prep("ingest", raw, *cache, expected=3).stderr
    run_prep("--help")


def test_stdout_and_stderr(simulated: Games) -> None:
    ran = run_prep("status", simulated.raw, "--cache", simulated.cache, "--json")
    assert ran.stdout.startswith("{") and ran.stdout.endswith("}\n") and ran.stderr == ""


def test_closed_pipe() -> None:
    with subprocess.Popen(
        [*command(), "schema", "--format", "csv"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=clean_environment(),
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


def test_ctrl_c_during_an_ingest(tmp_path: Path) -> None:
    run_prep("simulate", tmp_path / "raw", "--games", "1500", "-q")
    cache = tmp_path / "prep.sqlite"
    ingest = ["ingest", tmp_path / "raw", "--cache", cache, "--jobs", 1, "--batch-size", 50]
    process = subprocess.Popen(
        [*command(), *map(str, ingest)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=clean_environment(),
    )
    # When a batch is in the cache, the handler of Ctrl-C is installed.
    while process.poll() is None and not is_begun(cache):
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 128 + signal.SIGINT, errors
    assert "stopping" in errors and "KeyboardInterrupt" not in errors
    # The next run continues and does not start again.
    encoded = int(run_prep(*ingest).stdout.split()[0].replace(",", ""))
    assert 0 < encoded <= 1450
    run_prep("status", tmp_path / "raw", "--cache", cache, "-q")


def is_begun(cache: Path) -> bool:
    try:
        return len(Cache.open(cache)) > 0
    except CacheError:
        return False


def test_ctrl_c_while_blocked() -> None:
    """Nothing reads the output, so the command blocks until it is interrupted."""
    with subprocess.Popen(
        [*command(), "schema", "--format", "csv"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=clean_environment(),
    ) as process:
        assert process.stdout is not None
        process.stdout.read(10)
        process.send_signal(signal.SIGINT)
        process.wait(timeout=30)
    assert process.returncode == -signal.SIGINT


def test_ignored_ctrl_c() -> None:
    """As by a script that runs the command with `&`."""
    with subprocess.Popen(
        ["sh", "-c", "trap '' INT; exec \"$@\"", "sh", *command(), "schema", "--format", "csv"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=clean_environment(),
    ) as process:
        assert process.stdout is not None
        process.stdout.read(10)
        process.send_signal(signal.SIGINT)
        assert len(process.stdout.read().splitlines()) > len(FEATURE_COLUMNS)
    assert process.returncode == 0


def test_module_equals_command() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "splendor_prep", "--version"], capture_output=True, text=True
    )
    assert ran.stdout == run_prep("--version").stdout


def test_command_does_not_import_numpy() -> None:
    program = "import sys, splendor_prep.__main__; sys.exit('numpy' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True)
