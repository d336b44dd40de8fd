"""Measures the effect of `Stream(augment="slots")`: the validation loss of each head with and without it.

    python slot_symmetry.py CACHE [--games 200 1000] [--validation 200] [--epochs 30] [--hidden 256]
    [--seed 1]

For each number of training games, the same network with seven heads is trained twice on the rows of these
games: as stored, and with reordered slots in each epoch. After each epoch, the loss of
each head is computed on the same validation rows, which are never augmented. The table has the smallest
loss of
each head over the epochs: a network with few games soon overfits, and its validation loss rises again.

Losses are the mean cross entropy over the rows to which a head applies, over the legal classes. Needs
PyTorch.
"""

from __future__ import annotations

import argparse
from typing import Any

import torch
from splendor_prep import HEADS, Cache, Stream

BATCH = 512


class Network(torch.nn.Module):  # type: ignore[misc,unused-ignore]
    """Two hidden layers, and one layer for each head."""

    def __init__(self, columns: int, hidden: int) -> None:
        super().__init__()
        self.body = torch.nn.Sequential(
            torch.nn.Linear(columns, hidden),
            torch.nn.ReLU(),
            torch.nn.Linear(hidden, hidden),
            torch.nn.ReLU(),
        )
        self.heads = torch.nn.ModuleDict(
            {head: torch.nn.Linear(hidden, classes) for head, classes in HEADS.items()}
        )

    def forward(self, state: Any) -> dict[str, Any]:
        body = self.body(state)
        return {head: layer(body) for head, layer in self.heads.items()}


def losses(network: Network, batch: Any) -> tuple[dict[str, Any], dict[str, int]]:
    """By head, the sum of the losses and the number of rows."""
    sums, counts = {}, {}
    for head, logits in network(batch.state).items():
        label = batch.labels[head]
        # Rows with an illegal logged move, or to which the head does not apply, are ignored.
        legal = batch.masks[head].gather(1, label.clamp(min=0)[:, None])[:, 0]
        rows = ((label >= 0) & legal).nonzero()[:, 0]
        masked = logits[rows].masked_fill(~batch.masks[head][rows], -1e9)
        sums[head] = torch.nn.functional.cross_entropy(masked, label[rows], reduction="sum")
        counts[head] = len(rows)
    return sums, counts


def validation(network: Network, stream: Stream) -> dict[str, float]:
    sums, counts = dict.fromkeys(HEADS, 0.0), dict.fromkeys(HEADS, 0)
    with torch.no_grad():
        for batch in stream.torch():
            for head, (loss, rows) in zip(HEADS, zip(*(x.values() for x in losses(network, batch)))):
                sums[head] += float(loss)
                counts[head] += rows
    return {head: sums[head] / max(counts[head], 1) for head in HEADS}


def train(
    cache: str, games: str, augment: str | None, epochs: int, hidden: int, seed: int
) -> dict[str, float]:
    """The smallest validation loss of each head."""
    torch.manual_seed(seed)
    # The validation rows are from other games, and normalized with the scaler of the training rows.
    options: dict[str, Any] = {"where": games, "batch_size": BATCH}
    stream = Stream(cache, "train", seed=seed, augment=augment, **options)
    held_out = Stream(cache, "val", shuffle=False, **options)
    network = Network(len(stream.columns), hidden)
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3, weight_decay=1e-4)
    best = dict.fromkeys(HEADS, float("inf"))
    for _ in range(epochs):
        for batch in stream.torch():
            sums, _ = losses(network, batch)
            # Averaged per row, not per head, so that heads with few rows in a batch do not count as
            # much as heads with many.
            loss = sum(sums.values()) / len(batch)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
        found = validation(network, held_out)
        best = {head: min(best[head], found[head]) for head in HEADS}
    return best


def games_of(cache: str, split: str) -> list[int]:
    stream = Stream(
        cache, split, shuffle=False, normalize=False, dtype="int8", features="base"
    )
    rows = (batch.index["game_id"].tolist() for batch in stream)
    return sorted({game for games in rows for game in games})


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("cache")
    parser.add_argument("--games", type=int, nargs="+", default=[200, 1000])
    parser.add_argument("--validation", type=int, default=200, help="games for validation")
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--hidden", type=int, default=256)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()

    # The same validation games each time, and `count` training games.
    cache = arguments.cache
    split = {name: games_of(cache, name) for name in ("train", "val")}
    val = split["val"][: arguments.validation]
    print(f"{len(Cache.open(cache))} games, {len(val)} of them to validate with")
    print("| games | augment | " + " | ".join(HEADS) + " |")
    print("| --- " * (len(HEADS) + 2) + "|")
    for count in arguments.games:
        ids = ", ".join(map(str, split["train"][:count] + val))
        for augment in (None, "slots"):
            games = f"game_id IN ({ids})"
            best = train(cache, games, augment, arguments.epochs, arguments.hidden, arguments.seed)
            row = " | ".join(f"{best[head]:.3f}" for head in HEADS)
            print(f"| {count} | {augment or ''} | {row} |", flush=True)


if __name__ == "__main__":
    main()
