"""Trains a small network directly from the cache, and plays a move with it, using only NumPy.

    python python/examples/train_and_play.py data/processed data/raw/2_games/1.csv --row 30

The training rows come from a `Stream`, with the split and the scaler of an export; the validation rows
of the export show how much was learned.

One hidden layer is shared by seven heads, each with a softmax over the legal classes. The loss is the
one of the README's PyTorch example: for each head the mean over the rows to which it applies and whose
logged class is legal, summed over the heads. The network is saved with the scaler folded into its first
layer, so that it takes the output of `encode_row` and cannot be combined with the scaler of another
export.

The chosen move is legal as a whole, which the seven masks alone do not ensure: see `whole_move`. The
same seed gives the same network on one machine; others may add numbers in a different order.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from whole_move import Classes, Move, choose, in_words

from splendor_prep import (
    FEATURE_COLUMNS,
    HEADS,
    STATE_COLUMNS,
    Batch,
    Dataset,
    PrepError,
    Scaler,
    Stream,
    StreamBatch,
    encode_row,
)

Array = npt.NDArray[Any]
Network = dict[str, Array]  # `hidden` and the seven heads, each (inputs, outputs), and a `_bias` of each


# The network


def new_network(columns: int, units: int, seed: int) -> Network:
    random = np.random.default_rng(seed)

    def layer(name: str, inputs: int, outputs: int, spread: float) -> Network:
        weights = random.normal(0, spread / inputs**0.5, (inputs, outputs))
        return {name: weights.astype("f4"), f"{name}_bias": np.zeros(outputs, "f4")}

    network = layer("hidden", columns, units, 1)
    for head, classes in HEADS.items():
        network |= layer(head, units, classes, 0.1)
    return network


def hidden_layer(network: Network, state: Array) -> Array:
    values: Array = np.maximum(state @ network["hidden"] + network["hidden_bias"], 0)
    return values


def log_probabilities(network: Network, head: str, hidden: Array, mask: Array) -> Array:
    """The log probability of each class; illegal classes have a probability of almost 0."""
    logits = np.where(mask == 1, hidden @ network[head] + network[f"{head}_bias"], -1e9)
    logits -= logits.max(axis=1, keepdims=True)
    values: Array = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    return values


def rows_to_learn(label: Array, mask: Array) -> Array:
    """The rows to which the head applies and whose logged class is legal."""
    applies = np.flatnonzero(label >= 0)
    rows: Array = applies[mask[applies, label[applies]] == 1]
    return rows


def loss_and_gradient(network: Network, batch: Batch | StreamBatch) -> tuple[float, Network]:
    state = batch.state.astype(network["hidden"].dtype, copy=False)
    hidden = hidden_layer(network, state)
    to_hidden = np.zeros_like(hidden)
    loss, gradient = 0.0, {}
    for head, label in batch.labels.items():
        rows = rows_to_learn(label, batch.masks[head])
        count = max(len(rows), 1)
        logged = np.arange(len(rows)), label[rows]
        log_p = log_probabilities(network, head, hidden[rows], batch.masks[head][rows])
        loss -= float(log_p[logged].sum()) / count
        to_logits = np.exp(log_p)
        to_logits[logged] -= 1
        to_logits /= count
        gradient[head] = hidden[rows].T @ to_logits
        gradient[f"{head}_bias"] = to_logits.sum(axis=0)
        to_hidden[rows] += to_logits @ network[head].T
    to_hidden[hidden == 0] = 0
    gradient["hidden"] = state.T @ to_hidden
    gradient["hidden_bias"] = to_hidden.sum(axis=0)
    return loss, gradient


# Training


class Adam:
    def __init__(self, network: Network, rate: float = 1e-3) -> None:
        self.network, self.rate, self.steps = network, rate, 0
        self.mean = {name: np.zeros_like(weights) for name, weights in network.items()}
        self.square = {name: np.zeros_like(weights) for name, weights in network.items()}

    def step(self, gradient: Network) -> None:
        self.steps += 1
        for name, weights in self.network.items():
            mean, square = self.mean[name], self.square[name]
            mean += 0.1 * (gradient[name] - mean)
            square += 0.001 * (gradient[name] ** 2 - square)
            unbiased = mean / (1 - 0.9**self.steps), square / (1 - 0.999**self.steps)
            weights -= self.rate * unbiased[0] / (np.sqrt(unbiased[1]) + 1e-8)


def open_stream(cache: Path, export: Path, where: str | None, seed: int) -> Stream:
    """The training rows of the cache, split and normalized as in an export."""
    settings = json.loads((export / "manifest.json").read_bytes())["settings"]
    return Stream(
        cache,
        "train",
        batch_size=128,
        seed=seed,
        where=where,
        ratios=tuple(settings["split"]),
        split_method=settings["split_method"],
        split_seed=settings["seed"],
        features=settings["features"],
        scaler=export,
    )


def train(stream: Stream, epochs: int, seed: int, units: int = 64) -> Network:
    network = new_network(len(stream.columns), units, seed)
    adam = Adam(network)
    for epoch in range(epochs):
        losses, rows = [], 0
        for batch in stream:
            loss, gradient = loss_and_gradient(network, batch)
            adam.step(gradient)
            losses.append(loss)
            rows += len(batch.state)
        print(f"epoch {epoch + 1}: loss {np.mean(losses):.3f} over {rows:,} rows")
    return network


def accuracy(network: Network, dataset: Dataset, trained_on: Dataset) -> dict[str, Array]:
    """By head: the number of rows with a choice, and the shares that are predicted correctly by the
    network, by a random legal class, and by the legal class that was most frequent in training."""
    right = {head: np.zeros(4) for head in dataset.labels}
    usual = {}
    for head, label in trained_on.labels.items():
        usual[head] = np.bincount(label[label >= 0], minlength=trained_on.masks[head].shape[1])
    for batch in dataset.batches(4096):
        hidden = hidden_layer(network, batch.state)
        for head, label in batch.labels.items():
            rows = rows_to_learn(label, batch.masks[head])
            rows = rows[batch.masks[head][rows].sum(axis=1) > 1]
            label, mask = label[rows], batch.masks[head][rows]
            chosen = log_probabilities(network, head, hidden[rows], mask).argmax(axis=1)
            most_usual = np.where(mask == 1, usual[head], -1).argmax(axis=1)
            drawn = 1 / mask.sum(axis=1)
            predicted = (chosen == label).sum(), drawn.sum(), (most_usual == label).sum()
            right[head] += len(rows), *predicted
    return right


def folded(network: Network, scaler: Scaler) -> Network:
    """The same network for all features without normalization; columns that the export does not have get
    weight 0."""
    weight, bias = scaler.as_affine()
    hidden = np.zeros((len(FEATURE_COLUMNS), network["hidden"].shape[1]))
    columns = [FEATURE_COLUMNS.index(name) for name in scaler.columns]
    hidden[columns] = weight[:, None] * network["hidden"]
    hidden_bias = network["hidden_bias"] + bias @ network["hidden"]
    return network | {"hidden": hidden, "hidden_bias": hidden_bias}


# Playing


def play(network: Network, position: Mapping[str, Any], classes: Classes) -> Move:
    """The move that a folded network prefers, part by part."""
    row = encode_row(position)
    hidden = hidden_layer(network, row.features[np.newaxis])

    def best(head: str, legal: Array) -> int:
        return int(log_probabilities(network, head, hidden, legal[np.newaxis]).argmax())

    return choose(row, classes, best)


def read_position(log: Path, row: int) -> dict[str, str]:
    """A position of a log without its move, as in a live game."""
    with open(log, newline="") as file:
        turns = list(csv.DictReader(file))
    if row >= len(turns):
        sys.exit(f"{log} has only rows 0 to {len(turns) - 1}, no row {row}")
    return {name: turns[row][name] for name in STATE_COLUMNS}


def main() -> None:
    parser = argparse.ArgumentParser(description="Trains a network from the cache and plays a move.")
    parser.add_argument("export", type=Path, help="folder of `prep export`, normalized")
    parser.add_argument("log", type=Path, help="log with the position to play in")
    parser.add_argument("--row", type=int, default=0, help="row of the position in the log, from 0")
    cache = Path("data/intermediate/prep.sqlite")
    parser.add_argument("--cache", type=Path, default=cache, help="cache with the training rows")
    parser.add_argument("--where", help="condition for the games, such as 'players = 2'")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--save", type=Path, default=Path("network.npz"), help="file for the network")
    chosen = parser.parse_args()

    dataset = Dataset(chosen.export, "train")
    position = read_position(chosen.log, chosen.row)
    if not json.loads((chosen.export / "manifest.json").read_bytes())["settings"]["normalized"]:
        sys.exit(f"{chosen.export} is not normalized: export without --no-normalize")
    stream = open_stream(chosen.cache, chosen.export, chosen.where, chosen.seed)
    network = train(stream, chosen.epochs, chosen.seed)

    print("held out        rows with a choice  network  any legal  most usual")
    for head, (rows, *right) in accuracy(network, Dataset(chosen.export, "val"), dataset).items():
        print(f"{head:16}{rows:18,.0f}" + "".join(f"{its / max(rows, 1):11.0%}" for its in right))

    arrays: dict[str, Any] = folded(network, dataset.scaler())
    np.savez(chosen.save, **arrays)
    print(f"{sum(map(np.size, network.values())):,} weights are in {chosen.save}")

    # A program that plays needs that file, the meanings of the classes, and the position.
    classes = Classes.read(chosen.export)
    with np.load(chosen.save) as saved:
        move = play(dict(saved), position, classes)
    print(f"{chosen.log}, row {chosen.row}: {in_words(move, classes)}")


if __name__ == "__main__":
    try:
        main()
    except (OSError, PrepError) as error:
        sys.exit(f"error: {error}")
