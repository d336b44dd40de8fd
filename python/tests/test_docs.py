"""Runs the Python code in the README and the docs. Code that needs PyTorch, Ray or a GPU runs only if it
is available."""

from __future__ import annotations

import os
import re
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from conftest import REPOSITORY, run_prep

from splendor_prep import FEATURE_COLUMNS

PAGES = ("README.md", "docs/outputs.md", "docs/python.md")
BLOCKS = [
    block
    for page in PAGES
    for block in re.findall(r"^```python\n(.*?)^```$", (REPOSITORY / page).read_text(), re.S | re.M)
]


def reads_parquet(block: str) -> bool:
    return "read_parquet" in block


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files that the code reads."""
    folder = tmp_path_factory.mktemp("readme")
    run_prep("simulate", "data/raw", "--games", "60", "-q", cwd=folder)
    run_prep("ingest", "-q", cwd=folder)
    run_prep("export", "--split", "0.8,0.1,0.1", "-q", cwd=folder)
    run_prep("export", "--format", "parquet", "--out", "parquet/data/processed", "-q", cwd=folder)
    return folder


def needs(block: str) -> str | None:
    if "cuda" in block:
        return "a GPU"
    if "splendor_prep.ray" in block and "PREP_REQUIRE_RAY" not in os.environ:
        return "Ray" if find_spec("ray") is None else None
    return "PyTorch" if "torch" in block and find_spec("torch") is None else None


def test_code_runs(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # Later blocks use names of earlier ones.
    names: dict[str, Any] = {}
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    run = [block for block in BLOCKS if needs(block) is None]
    for block in run:
        monkeypatch.chdir(folder / "parquet" if reads_parquet(block) else folder)
        exec(compile(block, "docs", "exec"), names)
    if "ray" in sys.modules:
        sys.modules["ray"].shutdown()
    assert len(run) >= 5 and any(map(reads_parquet, run))
    assert names["X"].shape[1:] == names["rows"].features.shape[1:] == (len(FEATURE_COLUMNS),)
    assert names["state"].shape == (301,) and names["stream"].columns == names["columns"]
    assert names["legal"].any() and len(names["games"]) == len(names["train"])
    printed = capsys.readouterr().out
    assert "{'up_to_date': 60}" in printed
    assert printed.endswith("gems_board_red 2.5 a whole number from 0 to 7\n")


def test_all_code_compiles() -> None:
    assert [needs(block) for block in BLOCKS].count(None) < len(BLOCKS)
    for block in BLOCKS:
        compile(block, "docs", "exec")
