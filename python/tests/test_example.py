"""Tests of `python/examples`: the gradient is correct, and its moves are legal by the rules engine of
`prep`. Its output, and that it learns, is tested in `test_walk_through.py`."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from conftest import Games, example, logs_below, rows_of, run_prep

from splendor_prep import ACTION_COLUMNS, HEADS, STATE_COLUMNS, Batch, Dataset, encode_log, encode_row

train_and_play, whole_move = example("train_and_play"), example("whole_move")

Move = dict[str, int]
Array = npt.NDArray[Any]


@pytest.fixture(scope="module")
def classes(export: Path) -> Any:
    return whole_move.Classes.read(export)


@pytest.fixture(scope="module")
def meanings() -> dict[str, list[str]]:
    """The meanings of the classes of each head, from the encoder."""
    meanings: dict[str, list[str]] = {head: [] for head in HEADS}
    for line in json.loads(run_prep("schema", "--heads", "--json").stdout):
        meanings[line["head"]].append(line["meaning"])
    return meanings


def logged(move: Move, meanings: dict[str, list[str]]) -> dict[str, object]:
    """A move as columns of a log."""
    means = {head: meanings[head][number] for head, number in move.items()}
    action: dict[str, object] = dict.fromkeys(ACTION_COLUMNS, "")
    action["action_type"] = means["action_type"]
    action["card_selection"] = move.get("card_selection", "")
    action["card_reservation"] = move.get("card_reservation", "")
    action["noble_selection"] = move.get("noble", -1)
    for color in ("white", "blue", "green", "red", "black"):
        if "gem_take3" in move:
            action[f"gem_take3_{color}"] = int(color in means["gem_take3"].split(", "))
        if "gem_take2" in move:
            action[f"gem_take2_{color}"] = 2 * int(means["gem_take2"] == f"two {color}")
    for part in means.get("gems_removed", "none").split(", "):
        if part != "none":
            count, gem = part.split()
            action[f"gems_removed_{gem}"] = count
    return action


def illegal_moves(
    log: Path, play: Callable[[dict[str, str]], Move], meanings: dict[str, list[str]], folder: Path
) -> list[dict[str, Any]]:
    """Chooses a move in every position of a log. Each part must be legal under its mask; returns the
    turns in which the whole move is illegal by the rules engine, as `prep inspect` reports it."""
    turns, masks = rows_of(log), encode_log(log).masks
    moves = [play({name: turn[name] for name in STATE_COLUMNS}) for turn in turns]
    for row, move in enumerate(moves):
        for head, number in move.items():
            assert masks[head][row, number] == 1, (log, row, head)
    copy = folder / log.name
    with open(copy, "w", newline="") as file:
        writer = csv.DictWriter(file, list(turns[0]))
        writer.writeheader()
        for turn, move in zip(turns, moves, strict=True):
            writer.writerow({**turn, **logged(move, meanings)})
    # The log contains exactly the parts of the move.
    labels = encode_log(copy).labels
    for row, move in enumerate(moves):
        expected = {head: -1 for head in HEADS} | {"gems_removed": 0} | move
        assert {head: int(values[row]) for head, values in labels.items()} == expected
    inspected = json.loads(run_prep("inspect", copy, "--json").stdout)["turns"]
    assert len(inspected) == len(turns)
    return [turn for turn in inspected if not turn["is_legal"]]


def test_moves_in_held_out_games_are_legal(
    simulated: Games, export: Path, classes: Any, meanings: dict[str, list[str]], tmp_path: Path
) -> None:
    dataset = Dataset(export, "train")
    stream = train_and_play.open_stream(simulated.cache, export, None, seed=3)
    assert stream.rows == len(dataset)
    trained = train_and_play.train(stream, epochs=2, seed=3)
    network = train_and_play.folded(trained, dataset.scaler())
    played: list[Move] = []

    def play(position: dict[str, str]) -> Move:
        played.append(train_and_play.play(network, position, classes))
        return played[-1]

    held_out = {int(game) for split in ("val", "test") for game in Dataset(export, split).groups()}
    logs = [log for log in simulated.logs if int(log.stem) in held_out]
    for log in logs:
        assert illegal_moves(log, play, meanings, tmp_path) == []
    assert len(played) > 1000 and len({move["action_type"] for move in played}) >= 3


def test_moves_are_legal_for_any_network(
    simulated: Games, classes: Any, meanings: dict[str, list[str]], tmp_path: Path
) -> None:
    """Random parts reach edge cases that a trained network does not."""
    random = np.random.default_rng(7)
    seen: set[tuple[str, int]] = set()

    def play(position: dict[str, str]) -> Move:
        move: Move = whole_move.choose(encode_row(position), classes, draw)
        seen.update(move.items())
        return move

    def draw(head: str, legal: Array) -> int:
        return int(random.choice(np.flatnonzero(legal)))

    for log in simulated.logs:
        assert illegal_moves(log, play, meanings, tmp_path) == []
    heads = [head for head, _ in seen]
    assert set(heads) == set(HEADS)
    assert heads.count("action_type") == 4 and heads.count("gems_removed") > 30


def test_masks_alone_are_not_enough(
    simulated: Games,
    classes: Any,
    meanings: dict[str, list[str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The masks alone allow illegal moves, as `whole_move` explains, and the check above detects them."""
    random = np.random.default_rng(7)

    def play(position: dict[str, str]) -> Move:
        move: Move = whole_move.choose(encode_row(position), classes, draw)
        return move

    def draw(head: str, legal: Array) -> int:
        return int(random.choice(np.flatnonzero(legal)))

    for rule, action in (("noble_fits", "build"), ("removal_fits", "take")):
        with monkeypatch.context() as without:
            without.setattr(whole_move, rule, lambda *_: True)
            illegal = [
                turn["move"]
                for log in simulated.logs
                for turn in illegal_moves(log, play, meanings, tmp_path)
            ]
        assert illegal and any(move.startswith(action) for move in illegal), rule


def test_position_without_legal_moves(simulated: Games, classes: Any) -> None:
    turn = next(
        turn
        for log in simulated.logs
        for turn in rows_of(log)
        if turn["player0_reserved2_level"] not in ("", "nan")
    )
    empty = ("gems_board_", "player0_gems_", "player0_reduction_")
    position = {name: "0" if name.startswith(empty) else turn[name] for name in STATE_COLUMNS}
    move = whole_move.choose(encode_row(position), classes, lambda head, legal: pytest.fail(head))
    assert move == {} and whole_move.in_words(move, classes) == "no move is legal"


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        ("build: card 3", {"action_type": "build", "card_selection": 3}),
        (
            "build: own reserved card 1; noble 2 visits",
            {"action_type": "build", "card_selection": 13, "noble": 2},
        ),
        (
            "take 3 tokens: white, green, black; 1 white, 2 gold back",
            {
                "action_type": "take 3 tokens",
                "gem_take3": "white, green, black",
                "gems_removed": "1 white, 2 gold",
            },
        ),
        (
            "take 2 tokens: red, red",
            {"action_type": "take 2 tokens", "gem_take2": "two red", "gems_removed": "none"},
        ),
        (
            "reserve: card 10; 1 black back",
            {"action_type": "reserve", "card_reservation": 10, "gems_removed": "1 black"},
        ),
        (
            "reserve: card 11, or the top of the level 1 deck",
            {"action_type": "reserve", "card_reservation": 11, "gems_removed": "none"},
        ),
        (
            "reserve: the top of the level 3 deck",
            {"action_type": "reserve", "card_reservation": 13, "gems_removed": "none"},
        ),
    ],
)
def test_move_in_words(
    words: str, parts: dict[str, str | int], classes: Any, meanings: dict[str, list[str]]
) -> None:
    move = {
        head: meanings[head].index(part) if isinstance(part, str) else part
        for head, part in parts.items()
    }
    assert whole_move.in_words(move, classes) == words


def small_batch(random: np.random.Generator) -> Batch:
    """Seven rows of eleven columns and three heads: one that does not apply to some row, one with an
    illegal logged class, and one that never applies."""
    masks = {"a": np.ones((7, 4), "i1"), "b": np.ones((7, 3), "i1"), "c": np.zeros((7, 5), "i1")}
    masks["a"][:, 2] = [0, 1, 0, 1, 1, 0, 1]
    masks["b"][3] = [1, 0, 1]
    labels = {
        "a": np.array([0, 1, 3, 2, -1, 0, 1], "i4"),
        "b": np.array([2, 1, 0, 1, 1, 2, 0], "i4"),
        "c": np.full(7, -1, "i4"),
    }
    return Batch(random.normal(size=(7, 11)), labels, masks)


def small_network(random: np.random.Generator) -> dict[str, Array]:
    shapes = {"hidden": (11, 6), "a": (6, 4), "b": (6, 3), "c": (6, 5)}
    biases = {f"{name}_bias": shape[1:] for name, shape in shapes.items()}
    return {name: random.normal(size=shape) for name, shape in {**shapes, **biases}.items()}


def test_gradient_of_the_loss() -> None:
    random = np.random.default_rng(11)
    batch, network = small_batch(random), small_network(random)
    _, gradient = train_and_play.loss_and_gradient(network, batch)
    assert list(gradient) and set(gradient) == set(network)
    step = 1e-6
    for name, weights in network.items():
        assert gradient[name].shape == weights.shape
        for place in np.ndindex(weights.shape):
            before = weights[place]
            weights[place] = before + step
            above, _ = train_and_play.loss_and_gradient(network, batch)
            weights[place] = before - step
            below, _ = train_and_play.loss_and_gradient(network, batch)
            weights[place] = before
            assert abs((above - below) / (2 * step) - gradient[name][place]) < 1e-7, (name, place)
    assert not gradient["c"].any() and gradient["a"].any() and gradient["hidden"].any()


def test_loss_equals_documentation() -> None:
    """Computes the loss row by row."""
    random = np.random.default_rng(12)
    batch, network = small_batch(random), small_network(random)
    expected = 0.0
    for head in ("a", "b", "c"):
        losses = []
        for row, label in enumerate(batch.labels[head]):
            mask = batch.masks[head][row] == 1
            if label < 0 or not mask[label]:
                continue
            hidden = np.maximum(batch.state[row] @ network["hidden"] + network["hidden_bias"], 0)
            weight = np.exp(hidden @ network[head] + network[f"{head}_bias"]) * mask
            losses.append(-np.log(weight[label] / weight.sum()))
        assert len(losses) == {"a": 6, "b": 6, "c": 0}[head]
        expected += float(np.mean(losses)) if losses else 0.0
    loss, _ = train_and_play.loss_and_gradient(network, batch)
    assert abs(loss - expected) < 1e-12


def test_export_with_named_columns(
    simulated: Games, classes: Any, tmp_path: Path
) -> None:
    """The network of an export of base features also takes the output of `encode_row`."""
    out = tmp_path / "base"
    everything = ["--split", "1,0,0", "--features", "base"]
    run_prep("export", "--cache", simulated.cache, "--out", out, *everything, "-q")
    dataset = Dataset(out, "train")
    network = train_and_play.new_network(dataset.state.shape[1], 16, 1)
    folded = train_and_play.folded(network, dataset.scaler())
    in_training = train_and_play.hidden_layer(network, dataset[:500].state)
    at_play = train_and_play.hidden_layer(folded, simulated.array("X")[:500])
    assert in_training.shape == (500, 16) and in_training.any()
    np.testing.assert_allclose(at_play, in_training, rtol=1e-4, atol=1e-4)


def test_unsupported_exports(
    simulated: Games, export: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    def refusal(*arguments: object) -> str:
        monkeypatch.setattr(sys, "argv", ["train_and_play.py", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            train_and_play.main()
        return str(ended.value)

    log = logs_below(simulated.raw)[0]
    assert "export without --no-normalize" in refusal(simulated.unscaled, log)
    assert "no row 5000" in refusal(export, log, "--row", 5000)
    assert list(tmp_path.iterdir()) == []
