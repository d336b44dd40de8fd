"""Time to encode one position from a dict and from an array in column order, compared with the forward
pass of a small network and with the complete step from position to move.

    python python/benches/one_position.py [--check]

Each is timed in rounds and the best round is reported, as `timeit` recommends, because the others were
disturbed. The results are compared with `encode_log` first; `--check` does only that. No test depends on
a time.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import timeit
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from splendor_prep import HEADS, STATE_COLUMNS, EncodedRow, Scaler, encode_log, encode_row


class Network:
    """Two hidden layers of 256 and seven heads: a minimal network."""

    def __init__(self, inputs: int, seed: int = 0) -> None:
        draw = np.random.default_rng(seed)
        sizes = [inputs, 256, 256, sum(HEADS.values())]
        self.layers = [
            (draw.normal(size=(m, n)).astype(np.float32) / np.float32(m) ** 0.5, np.zeros(n, "f4"))
            for m, n in zip(sizes, sizes[1:])
        ]

    def logits(self, state: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        *hidden, (weight, bias) = self.layers
        for its_weight, its_bias in hidden:
            state = np.maximum(state @ its_weight + its_bias, 0)
        out: npt.NDArray[np.float32] = state @ weight + bias
        return out

    def choose(self, row: EncodedRow, state: npt.NDArray[np.float32]) -> dict[str, int]:
        """The best legal class of each head."""
        chosen, first = {}, 0
        logits = self.logits(state)
        for head, mask in row.masks.items():
            its_logits = logits[first : first + len(mask)]
            chosen[head] = int(np.where(mask == 1, its_logits, -np.inf).argmax())
            first += len(mask)
        return chosen


def position(folder: Path) -> tuple[dict[str, Any], npt.NDArray[np.float32], Scaler]:
    """The twentieth turn of a four-player game, its features, and the scaler of an export."""
    prep = [sys.executable, "-m", "splendor_prep", "-q"]
    for arguments in (
        ["simulate", "raw", "--games", "40"],
        ["ingest", "raw", "--cache", "prep.sqlite"],
        ["export", "--cache", "prep.sqlite", "--out", "processed", "--split", "1,0,0"],
    ):
        subprocess.run([*prep, *arguments], cwd=folder, check=True)
    log = max(folder.glob("raw/**/*.csv"), key=lambda path: path.parent.name)
    lines = log.read_text().splitlines()
    fields = dict(zip(lines[0].split(","), lines[20].split(",")))
    state: dict[str, Any] = {
        name: None if fields[name] in ("", "nan") else int(float(fields[name]))
        for name in STATE_COLUMNS
    }
    return state, encode_log(log).features[19], Scaler.load(folder / "processed")


def microseconds(call: Callable[[], Any], rounds: int = 20) -> float:
    number, _ = timeit.Timer(call).autorange()
    number = max(1, number // 10)
    return min(timeit.repeat(call, number=number, repeat=rounds)) / number * 1e6


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--check", action="store_true", help="compare, do not time")
    check_only: bool = parser.parse_args().check
    with tempfile.TemporaryDirectory() as folder:
        state, expected, scaler = position(Path(folder))
    in_order = np.array([state[name] for name in STATE_COLUMNS], float)
    in_float32 = in_order.astype(np.float32)
    other_order = dict(sorted(state.items()))
    floats = {name: np.nan if value is None else float(value) for name, value in state.items()}
    network = Network(len(expected))

    def whole_move() -> dict[str, int]:
        row = encode_row(in_order)
        return network.choose(row, scaler.transform(row.features))

    for form in (state, other_order, floats, in_order, in_float32, list(state.values())):
        assert np.array_equal(encode_row(form).features, expected)
    masks = encode_row(state).masks
    assert all(masks[head][chosen] or not masks[head].any() for head, chosen in whole_move().items())
    if check_only:
        print("every form of the position gives the same features as its log")
        return

    row = encode_row(in_order)
    normalized = scaler.transform(row.features)
    for name, call in {
        "encode_row, dict of int and None": lambda: encode_row(state),
        "encode_row, dict of float": lambda: encode_row(floats),
        "encode_row, dict in another order": lambda: encode_row(other_order),
        "encode_row, list": lambda: encode_row(list(state.values())),
        "encode_row, array float64": lambda: encode_row(in_order),
        "encode_row, array float32": lambda: encode_row(in_float32),
        "Scaler.transform, one row": lambda: scaler.transform(row.features),
        "network with two layers of 256, forward": lambda: network.logits(normalized),
        "array to move, all of it": whole_move,
    }.items():
        print(f"{name:36} {microseconds(call):8.1f} µs")


if __name__ == "__main__":
    main()
