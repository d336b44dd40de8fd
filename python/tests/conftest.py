"""Shared fixtures: games of `prep simulate`, cached and exported with the command."""

from __future__ import annotations

import csv
import importlib
import os
import signal
import subprocess
import sys
import types
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

# A script that runs the tests with `&` ignores Ctrl-C, and so would every process that tests interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)

REPOSITORY = Path(__file__).resolve().parents[2]


def clean_environment() -> dict[str, str]:
    """Removes the settings of the user who runs the tests."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PREP_")}


def command() -> list[str]:
    """The `prep` command of this environment; the module if the package is not installed."""
    script = Path(sys.prefix) / "bin" / "prep"
    return [str(script)] if script.exists() else [sys.executable, "-m", "splendor_prep"]


def run_prep(
    *arguments: object, cwd: Path | None = None, expected: int = 0
) -> subprocess.CompletedProcess[str]:
    """Runs a command and checks its exit code."""
    ran = subprocess.run(
        [*command(), *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd,
        env=clean_environment(),
    )
    assert ran.returncode == expected, ran
    return ran


def example(name: str) -> Any:
    """A module of `python/examples`, which is not in a package."""
    folder = str(REPOSITORY / "python" / "examples")
    if folder not in sys.path:
        sys.path.insert(0, folder)
    return importlib.import_module(name)


def logs_below(folder: Path) -> list[Path]:
    """Logs in ascending order of game id, as in an export."""
    return sorted(folder.glob("**/*.csv"), key=lambda path: int(path.stem))


def rows_of(log: Path) -> list[dict[str, str]]:
    """The rows of a log, read with Python's csv module."""
    with open(log, newline="") as file:
        return list(csv.DictReader(file))


@dataclass
class Games:
    """Logs, their cache, and exports of all of them into one split."""

    raw: Path
    cache: Path
    unscaled: Path
    """An export with all games in `train`, not normalized."""

    @property
    def logs(self) -> list[Path]:
        return logs_below(self.raw)

    def array(self, kind: str, split: str = "train") -> Any:
        """An array, or all arrays of a file, of the export, read with NumPy."""
        if kind == "X":
            return np.load(self.unscaled / f"X_{split}.npy")
        return dict(np.load(self.unscaled / f"{kind}_{split}.npz"))


def made_from(raw: Path, folder: Path) -> Games:
    cache, unscaled = folder / "prep.sqlite", folder / "unscaled"
    run_prep("ingest", raw, "--cache", cache, "-q")
    everything = ["--split", "1,0,0", "--no-normalize"]
    run_prep("export", "--cache", cache, "--out", unscaled, *everything, "-q")
    return Games(raw, cache, unscaled)


@pytest.fixture(scope="session")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Games:
    """Sixty games with two, three and four players: about 5,000 rows."""
    folder = tmp_path_factory.mktemp("simulated")
    run_prep("simulate", folder / "raw", "--games", "60", "-q")
    return made_from(folder / "raw", folder)


@pytest.fixture(scope="session")
def golden(tmp_path_factory: pytest.TempPathFactory) -> Games:
    """The games with expected values, if they are beside the checkout."""
    folder = REPOSITORY.parent / "shared" / "golden"
    if not (folder / "features_raw.npz").exists():
        assert "PREP_REQUIRE_GOLDEN" not in os.environ, f"required here, but not at {folder}"
        pytest.skip(f"no expected values at {folder}")
    return made_from(folder / "games", tmp_path_factory.mktemp("golden"))


@pytest.fixture(scope="session")
def export(simulated: Games) -> Path:
    """A normalized export with all three splits."""
    out = simulated.raw.parent / "processed"
    split = ["--split", "0.7,0.2,0.1", "--split-method", "sklearn"]
    run_prep("export", "--cache", simulated.cache, "--out", out, *split, "-q")
    return out


@pytest.fixture
def log(simulated: Games) -> Iterator[Path]:
    """A log of a two-player game, which has missing players as well as missing cards."""
    yield next(log for log in simulated.logs if rows_of(log)[0]["num_players"] == "2")


class StandInTensor:
    """The methods of a tensor that the package calls, on an array."""

    def __init__(self, values: npt.NDArray[Any]) -> None:
        self.values = values

    def long(self) -> StandInTensor:
        return StandInTensor(self.values.astype(np.int64))

    def bool(self) -> StandInTensor:
        return StandInTensor(self.values.astype(np.bool_))


@pytest.fixture
def torch_data(monkeypatch: pytest.MonkeyPatch) -> Iterator[types.ModuleType]:
    """A stand-in for ``torch.utils.data`` where PyTorch is not installed."""
    if "torch" in sys.modules:
        pytest.skip("PyTorch is installed")
    torch, utils, data = (types.ModuleType(name) for name in ("torch", "utils", "data"))
    vars(torch).update(utils=utils, from_numpy=StandInTensor)
    vars(utils).update(data=data)
    bases = {name: type(name, (), {}) for name in ("Dataset", "IterableDataset")}
    vars(data).update(bases, get_worker_info=lambda: None)
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.delitem(sys.modules, "splendor_prep.torch", raising=False)
    yield data
    monkeypatch.delitem(sys.modules, "splendor_prep.torch")


def same_bits(found: npt.NDArray[Any], expected: npt.NDArray[Any]) -> bool:
    """Whether two arrays have the same type, shape and bytes."""
    alike = found.dtype == expected.dtype and found.shape == expected.shape
    return alike and found.tobytes() == expected.tobytes()
