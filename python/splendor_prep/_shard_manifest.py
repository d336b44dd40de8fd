"""The shards of an export that many machines write, and the manifest that says what they hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import blake3
import numpy as np
import numpy.typing as npt

from ._native import FEATURE_COLUMNS
from .scaler import Scaler

SPLITS = ("train", "val", "test")


@dataclass
class Game:
    """A log that could be read; `log_hash` is the blake3 of its bytes."""

    game_id: int
    path: str
    rows: int
    log_hash: bytes


@dataclass
class Shard:
    """Whole games in ascending order, all of one split: what one task writes."""

    split: str
    number: int
    games: list[Game]

    @property
    def name(self) -> str:
        return f"{self.split}-{self.number:05}"

    @property
    def rows(self) -> int:
        return sum(game.rows for game in self.games)


def cut_into_shards(games: list[Game], split_of: npt.NDArray[np.uint8], shard_rows: int) -> list[Shard]:
    """Runs of games in ascending order, each of one split."""
    shards = []
    for place, split in enumerate(SPLITS):
        shard = Shard(split, 0, [])
        rows = 0
        for game, its_split in zip(games, split_of):
            if its_split != place:
                continue
            if shard.games and rows + game.rows > shard_rows:
                shards.append(shard)
                shard, rows = Shard(split, shard.number + 1, []), 0
            shard.games.append(game)
            rows += game.rows
        # A split without games has a shard without rows: its arrays have shapes and types all the same.
        shards.append(shard)
    return shards


def manifest_of(
    games: list[Game],
    shards: list[Shard],
    files: dict[str, Any],
    scaler: Scaler | None,
    *,
    split: tuple[float, float, float],
    split_method: str,
    seed: int,
    normalize: bool,
    format: str,
    repair: bool,
) -> dict[str, Any]:
    """As `prep export` has it, and where the rows of a split are."""

    def where(shard: Shard) -> dict[str, str]:
        return {"folder": shard.name} if format == "npy" else {"file": f"{shard.name}.parquet"}

    inputs = blake3.blake3()
    for game in games:
        inputs.update(game.game_id.to_bytes(8, "little", signed=True) + game.log_hash)
        inputs.update(bytes([repair]))
    splits: dict[str, Any] = {}
    for name in SPLITS:
        its_shards = [shard for shard in shards if shard.split == name]
        splits[name] = {
            "games": sum(len(shard.games) for shard in its_shards),
            "rows": sum(shard.rows for shard in its_shards),
            "game_ids": [game.game_id for shard in its_shards for game in shard.games],
            "shards": [
                {**where(shard), "games": len(shard.games), "rows": shard.rows} for shard in its_shards
            ],
        }
    return {
        "settings": {
            "split": list(split),
            "split_method": split_method,
            "seed": seed,
            "features": "all",
            "columns": len(FEATURE_COLUMNS),
            "masks": "legal",
            "normalized": normalize,
            "scaler": "fitted on train" if scaler else "none: no training rows",
            "dtype": "float32",
            "layout": f"{format} shards",
        },
        "inputs": {
            "games": len(games),
            "rows": sum(game.rows for game in games),
            "blake3": inputs.hexdigest(),
        },
        "scaler": {"id": scaler.id, "fitted_in": None} if scaler else None,
        "splits": splits,
        "files": dict(sorted(files.items())),
    }
