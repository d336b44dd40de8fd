"""Runs all code blocks of `docs/walk-through.md` in order, and checks the last one in detail, which
trains the network of `python/examples` and plays with it."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import REPOSITORY, clean_environment, command, logs_below, rows_of

from splendor_prep import FEATURE_COLUMNS, HEADS, encode_row

PAGE = (REPOSITORY / "docs" / "walk-through.md").read_text()
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.S | re.M)
INSTALLS = ("cargo install", "python3 -m venv")


class Walked:
    """Runs the page in an empty folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.printed: dict[str, str] = {}
        # Without an installed wheel, `prep` is a module and not a command.
        bin = folder / "bin"
        bin.mkdir()
        (bin / "prep").write_text(f'#!/bin/sh\nexec {shlex.join(command())} "$@"\n')
        (bin / "prep").chmod(0o755)
        path = f"{bin}:{Path(sys.executable).parent}:{os.environ['PATH']}"
        self.environment = clean_environment() | {"PATH": path, "CHECKOUT": str(REPOSITORY)}

    def run(self, language: str, block: str) -> str:
        programs = {"sh": ["bash", "-euo", "pipefail"], "python": [sys.executable, "-W", "error"]}
        ran = subprocess.run(
            [*programs[language], "-c", block],
            capture_output=True,
            text=True,
            cwd=self.folder,
            env=self.environment,
        )
        assert ran.returncode == 0, (block, ran.stdout, ran.stderr)
        return ran.stdout


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> Walked:
    walked = Walked(tmp_path_factory.mktemp("walked"))
    for language, block in BLOCKS:
        if not block.startswith(INSTALLS):
            walked.printed[block] = walked.run(language, block)
    return walked


@pytest.fixture(scope="module")
def played(walked: Walked) -> str:
    """The output of the example."""
    (printed,) = (text for block, text in walked.printed.items() if "train_and_play.py" in block)
    return printed


@pytest.fixture(scope="module")
def network(walked: Walked) -> dict[str, np.ndarray]:
    return dict(np.load(walked.folder / "network.npz"))


def test_whole_page_was_run(walked: Walked) -> None:
    installations = [block for _, block in BLOCKS if block.startswith(INSTALLS)]
    assert len(walked.printed) + len(installations) == len(BLOCKS) == len(dict.fromkeys(BLOCKS))
    # `tests/it/walkthrough.rs` tests the first, and `python/test.sh` the second.
    assert installations[0] == "cargo install --locked --path .\n"
    assert "pip install .\n" in installations[1] and len(installations) == 2


def percents_of(head: str, played: str) -> tuple[int, list[int]]:
    (line,) = (line for line in played.splitlines() if line.startswith(head))
    rows, *percents = line.removeprefix(head).replace(",", "").replace("%", "").split()
    return int(rows), [int(percent) for percent in percents]


def test_training_uses_every_row(
    walked: Walked, played: str, network: dict[str, np.ndarray]
) -> None:
    folder = walked.folder / "data" / "processed"
    rows = len(np.load(folder / "X_train.npy", mmap_mode="r"))
    epochs = re.findall(r"epoch (\d+): loss ([\d.]+) over ([\d,]+) rows", played)
    assert [int(epoch) for epoch, _, _ in epochs] == list(range(1, 9))
    assert [int(seen.replace(",", "")) for _, _, seen in epochs] == [rows] * 8
    losses = [float(loss) for _, loss, _ in epochs]
    assert losses == sorted(losses, reverse=True) and losses[-1] < 0.6 * losses[0]
    # The features, 64 units, the classes of all heads; a bias each.
    outputs = sum(HEADS.values())
    weights = len(FEATURE_COLUMNS) * 64 + 64 + 64 * outputs + outputs
    assert sum(values.size for values in network.values()) == weights
    assert f"{weights:,} weights are in network.npz" in played
    assert all(values.any() and np.isfinite(values).all() for values in network.values())


def test_predictions_beat_baselines(walked: Walked, played: str) -> None:
    """With eight seeds the network always predicted 92 % of the actions, compared with 42 % and 81 %."""
    folder = walked.folder / "data" / "processed"
    labels, masks = (np.load(folder / f"{kind}_val.npz") for kind in ("labels", "masks"))
    for head in HEADS:
        applies = labels[head] >= 0
        label, mask = labels[head][applies], masks[head][applies]
        choice = mask.sum(axis=1) > 1  # simulated players make only legal moves
        rows, (network, any_legal, most_usual) = percents_of(head, played)
        assert rows == choice.sum()
        if rows:
            assert abs(any_legal - 100 * (1 / mask[choice].sum(axis=1)).mean()) <= 0.5
        if head == "action_type":
            assert network >= any_legal + 35 and network >= most_usual + 5
    # There are too few nobles and reservations for a comparison.
    for head in ("card_selection", "gem_take3", "gems_removed"):
        _, (network, any_legal, _) = percents_of(head, played)
        assert network > any_legal


def test_play_equals_training(
    walked: Walked, played: str, network: dict[str, np.ndarray]
) -> None:
    """The saved network predicts as many moves of the validation games from their logs with `encode_row`
    as the example counted in the export."""
    held_out = set(np.load(walked.folder / "data/processed/index_val.npz")["game_id"].tolist())
    rows, predicted = dict.fromkeys(HEADS, 0), dict.fromkeys(HEADS, 0)
    for log in logs_below(walked.folder / "data" / "raw"):
        for turn in rows_of(log) if int(log.stem) in held_out else []:
            row = encode_row(turn)
            assert row.labels is not None
            hidden = np.maximum(row.features @ network["hidden"] + network["hidden_bias"], 0)
            for head, label in row.labels.items():
                if label >= 0 and row.masks[head].sum() > 1:
                    logits = hidden @ network[head] + network[f"{head}_bias"]
                    rows[head] += 1
                    predicted[head] += np.where(row.masks[head], logits, -np.inf).argmax() == label
    for head in HEADS:
        counted, (percent, *_) = percents_of(head, played)
        # A different order of addition may decide a few ties differently.
        assert rows[head] == counted
        assert abs(predicted[head] - counted * percent / 100) <= 1 + 0.005 * counted, head


def test_seed_determines_the_network(walked: Walked) -> None:
    block = '"$CHECKOUT/python/examples/train_and_play.py" data/processed data/raw/2_games/1.csv'
    names = {"one": 5, "same": 5, "other": 6}
    printed = {
        name: walked.run("sh", f"python {block} --where 'game_id <= 100' --epochs 1 --seed {seed} --save {name}.npz")
        for name, seed in names.items()
    }
    one, same, other = ((walked.folder / f"{name}.npz").read_bytes() for name in names)
    assert one == same != other
    assert printed["one"].replace("one.npz", "") == printed["same"].replace("same.npz", "")
