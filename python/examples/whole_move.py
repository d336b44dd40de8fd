"""Combines seven heads to one legal move, and describes it.

A move is not always legal if each part is legal under its mask, because a mask has the classes of *all*
legal moves. Two parts depend on others: the visiting noble on the built card, and the gems given back on
the gems taken (class 0, nothing given back, is always legal under the mask, even with ten gems in hand).
So `choose` chooses these two last, among the classes that are legal under the mask *and* fit the rest.
The result is a move that the self-play search considers. These are fewer than the printed rules allow:
the search reserves only if there is nothing to take or build.

Class 11 of a reservation is ambiguous: it is both the twelfth displayed card and the top of the level 1
deck. If both exist, both are legal.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from splendor_prep import FEATURE_COLUMNS, EncodedRow

Array = npt.NDArray[Any]
Move = dict[str, int]  # the class of each head of the move

COLORS = ("white", "blue", "green", "red", "black")
GEMS = (*COLORS, "gold")
HAND_LIMIT = 10
RESERVED, LEVEL_1_DECK = 12, 11  # the first class of a reserved card, and of a deck
OBJECT = {
    "build": "card_selection",
    "reserve": "card_reservation",
    "take 2 tokens": "gem_take2",
    "take 3 tokens": "gem_take3",
}


class Classes(NamedTuple):
    """The meanings of the classes that are not just slot numbers."""

    actions: list[str]
    take3: list[list[str]]
    removals: Array
    """The number of each of `GEMS` given back, ``(classes, 6)``."""

    @classmethod
    def read(cls, export_dir: Path) -> Classes:
        mappings = json.loads((export_dir / "label_mappings.json").read_bytes())
        actions = mappings["action_type"]
        sets, removals = mappings["gem_take3_classes"], mappings["gem_removal_classes"]
        return cls(
            sorted(actions, key=lambda name: actions[name]),
            [sets[str(number)] for number in range(len(sets))],
            np.array([removals[str(number)] for number in range(len(removals))]),
        )


def choose(row: EncodedRow, classes: Classes, best: Callable[[str, Array], int]) -> Move:
    """A legal move; empty if there is none. `best` chooses a class of a head among those that are True."""
    move: Move = {}

    def add(head: str, fits: Array | bool = True) -> None:
        legal = (row.masks[head] == 1) & fits
        if legal.any():
            move[head] = best(head, legal)

    add("action_type")
    if move:
        action = classes.actions[move["action_type"]]
        add(OBJECT[action])
        feature = dict(zip(FEATURE_COLUMNS, row.features.tolist(), strict=True))
        if action == "build":
            add("noble", noble_fits(move, feature, len(row.masks["noble"])))
        else:
            add("gems_removed", removal_fits(move, feature, classes))
    return move


def noble_fits(move: Move, feature: Mapping[str, float], nobles: int) -> Array:
    """The nobles whose requirements are met by the player's bonuses and that of the built card."""
    number = move["card_selection"]
    card = f"card{number}" if number < RESERVED else f"player0_reserved{number - RESERVED}"
    bonuses = [feature[f"player0_reduction_{c}"] + feature[f"{card}_bonus_{c}"] for c in COLORS]
    asked = [[feature[f"noble{n}_req_{c}"] for c in COLORS] for n in range(nobles)]
    fits: Array = np.all(np.array(asked) <= bonuses, axis=1)
    return fits


def removal_fits(move: Move, feature: Mapping[str, float], classes: Classes) -> Array:
    """The ways to give back exactly the gems above ten, from the gems in hand after taking."""
    taken = gems_taken(move, classes)
    if "card_reservation" in move and feature["gems_board_gold"] > 0:
        taken = ["gold"]
    hand = np.array([feature[f"player0_gems_{gem}"] + taken.count(gem) for gem in GEMS])
    excess = max(hand.sum() - HAND_LIMIT, 0)
    fits: Array = (classes.removals <= hand).all(axis=1) & (classes.removals.sum(axis=1) == excess)
    return fits


def gems_taken(move: Move, classes: Classes) -> list[str]:
    if "gem_take2" in move:
        return [COLORS[move["gem_take2"]]] * 2
    return classes.take3[move["gem_take3"]] if "gem_take3" in move else []


def in_words(move: Move, classes: Classes) -> str:
    if not move:
        return "no move is legal"
    action = classes.actions[move["action_type"]]
    words = ", ".join(gems_taken(move, classes)) or card_in_words(move)
    if "noble" in move:
        words += f"; noble {move['noble']} visits"
    back = classes.removals[move.get("gems_removed", 0)]
    if back.any():
        counts = (f"{count} {gem}" for count, gem in zip(back, GEMS, strict=True) if count)
        words += f"; {', '.join(counts)} back"
    return f"{action}: {words}"


def card_in_words(move: Move) -> str:
    if "card_selection" in move:
        number = move["card_selection"]
        return f"own reserved card {number - RESERVED}" if number >= RESERVED else f"card {number}"
    number = move["card_reservation"]
    deck = f"the top of the level {number - LEVEL_1_DECK + 1} deck"
    if number == LEVEL_1_DECK:
        return f"card {number}, or {deck}"
    return deck if number > LEVEL_1_DECK else f"card {number}"
