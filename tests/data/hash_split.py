"""Writes hash_split.txt: the split of a game by hash, computed without this crate.

Run from this folder:  pip install blake3 && python hash_split.py > hash_split.txt
"""
import struct

import blake3


def split(game_id, seed, train, val):
    digest = blake3.blake3(b"splendor-prep split 1" + struct.pack("<Iq", seed, game_id)).digest()
    place = (int.from_bytes(digest[:8], "little") >> 11) / 2**53
    return "train" if place < train else "val" if place < train + val else "test"


print("# Written by hash_split.py: seed, game id, split at ratios 0.8, 0.1, 0.1 and at 0.34, 0.33, 0.33.")
for seed in (0, 42, 2**32 - 1):
    small = range(1, 31)
    large = (-1, -(2**63), 2**63 - 1, 1_000_000_007)
    for game_id in (*small, *large)[: 34 if seed else 32]:
        print(seed, game_id, split(game_id, seed, 0.8, 0.1), split(game_id, seed, 0.34, 0.33))
