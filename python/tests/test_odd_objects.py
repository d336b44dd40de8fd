"""Unusual objects for every argument. A call may raise any `Exception`; a panic of the library, which is
not an `Exception`, is a bug, and so is a crash of the process."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Games, rows_of

import splendor_prep
from splendor_prep import FEATURE_COLUMNS, STATE_COLUMNS, Cache, LogError, _native

SEEDS = 300
COUNT = len(FEATURE_COLUMNS)


class Raises(Exception):
    pass


class RaisesAlways:
    """Every access raises an exception."""

    def __getattr__(self, name: str) -> Any:
        raise Raises(name)

    def __repr__(self) -> str:
        raise Raises

    __str__ = __len__ = __iter__ = __int__ = __index__ = __float__ = __bool__ = __fspath__ = __repr__

    def __hash__(self) -> int:
        raise Raises

    def __eq__(self, other: object) -> bool:
        raise Raises


class Endless(Sequence[Any]):
    """Claims to have more items than fit into memory."""

    def __len__(self) -> int:
        return 2**62

    def __getitem__(self, at: Any) -> Any:
        if at > 1000:
            raise IndexError
        return "7.csv"


class Lies(Sequence[Any]):
    """Has a different number of items than its length."""

    def __init__(self, length: int, items: list[Any]) -> None:
        self.length, self.items = length, items

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, at: Any) -> Any:
        return self.items[at]


class OddText(str):
    def __hash__(self) -> int:
        return 7

    def __eq__(self, other: object) -> bool:
        return True


class OddNumber(int):
    def __index__(self) -> int:
        return 2**70

    def __float__(self) -> float:
        return float("nan")


class OddPath:
    def __fspath__(self) -> Any:
        return 7


class Shrinking(Mapping[str, Any]):
    def __init__(self) -> None:
        self.names = list(STATE_COLUMNS)

    def __getitem__(self, name: str) -> Any:
        return self.names.pop() and 0

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)

    def keys(self) -> Any:
        return self.names


def dict_that_changes(change: Callable[[dict[Any, Any]], object]) -> dict[Any, Any]:
    """A position whose keys change the dict when they are compared."""
    position: dict[Any, Any] = {}
    is_armed = False

    class Key(str):
        def __hash__(self) -> int:
            if is_armed:
                change(position)
            return str.__hash__(self)

        def __eq__(self, other: object) -> bool:
            if is_armed:
                change(position)
            return str.__eq__(self, other)

    position[Key(STATE_COLUMNS[5])] = 1
    position.update(dict.fromkeys(STATE_COLUMNS[6:], 0))
    is_armed = True
    return position


def value_that_changes(change: Callable[[dict[Any, Any]], object]) -> dict[Any, Any]:
    """A position whose values change the dict when they are converted to numbers."""
    position: dict[Any, Any] = dict.fromkeys(STATE_COLUMNS, 0)

    class Value:
        def __index__(self) -> int:
            change(position)
            return 1

        def __float__(self) -> float:
            change(position)
            return 1.0

    position[STATE_COLUMNS[7]] = Value()
    return position


CHANGES: list[Callable[[dict[Any, Any]], object]] = [
    lambda position: position.update({f"x{len(position)}": 1}),
    lambda position: position.clear(),
    lambda position: position.popitem() if position else None,
]


def odd_objects(dice: random.Random, folder: Path) -> list[Any]:
    """One object of each kind; each seed draws from them."""
    unaligned = np.frombuffer(b"\0" * (8 * COUNT + 1), np.uint8)[1:]
    lists: list[Any] = []
    lists.append(lists)
    change = dice.choice(CHANGES)
    return [
        None,
        Ellipsis,
        object(),
        RaisesAlways(),
        Endless(),
        Lies(len(STATE_COLUMNS), [0] * dice.randrange(2000)),
        Lies(-1, []),
        OddText(dice.choice(STATE_COLUMNS)),
        OddNumber(3),
        OddPath(),
        Shrinking(),
        dict_that_changes(change),
        value_that_changes(change),
        {OddText("a"): 1},
        {RaisesAlways: 1, 7: RaisesAlways()},
        dict.fromkeys(STATE_COLUMNS, dice.choice([2**64, -(2**70), 1e308, float("inf"), "\ud800", b"", [], 1j])),
        lists,
        "",
        "\0",
        "\ud800",
        "a" * 100_000,
        b"",
        b"\xff\0" * 50,
        bytearray(b"game_id\n1"),
        memoryview(b"abc"),
        folder,
        folder / "none.csv",
        "/dev/zero",
        dice.choice([True, 0, -1, 2**31, 2**63 - 1, 2**63, 2**64, -(2**63), 2**200]),
        dice.choice([0.1, -0.0, float("nan"), float("inf"), 1e308, 5e-324]),
        (dice.random(), dice.random(), dice.choice([0.0, float("nan"), -1.0])),
        range(dice.randrange(500)),
        iter([1, 2]),
        (word for word in ["status", "--no-such"]),
        ["--version"],
        [dice.choice(["\0", "\ud800", "-", "--", "ingest"])],
        unaligned[: 8 * 382].view(np.float64),
        unaligned[: 8 * COUNT].view(np.int64),
        unaligned[: 4 * COUNT].view(np.float32).reshape(1, COUNT),
        np.zeros(dice.choice([0, 1, 382, 422, COUNT]), dice.choice(["f8", "f4", ">f8", "i8", "i1", "u8", "f2", "O", "U3", "M8[s]", "?"])),
        np.zeros((dice.choice([0, 1, 3]), dice.choice([0, 382, COUNT])), np.float32)[:, ::-1],
        np.broadcast_to(np.float32(1), (2, COUNT)),
        np.broadcast_to(np.int64(dice.choice([0, 2**62, -(2**63)])), (COUNT,)),
        np.zeros((), np.float64),
        np.full((1, COUNT), dice.choice([np.nan, np.inf, 1e9, -1e9, 0.5]), np.float32),
        np.full(COUNT, dice.choice([2**62, -(2**63), 2**63 - 1]), np.int64),
        np.array([OddNumber(1), OddPath()] * 191, object),
        np.ma.masked_all(382),  # type: ignore[no-untyped-call,unused-ignore]
        np.rec.array([(1, 2.0)]),
    ]


def test_no_argument_causes_a_panic(
    simulated: Games, export: Path, log: Path, tmp_path: Path
) -> None:
    vector = np.ones(2)
    scaler = _native.Scaler(["a", "b"], vector, vector, vector, vector > 0, None)
    good = _native.encode_log(log)
    cache = Cache.open(simulated.cache)
    position = {name: rows_of(log)[0][name] for name in STATE_COLUMNS}
    # Each callable with valid arguments.
    calls: list[tuple[Callable[..., Any], list[Any], dict[str, Any]]] = [
        (_native.encode_row, [position], {}),
        (_native.encode_rows, [[position]], {}),
        (_native.encode_rows, [{name: [value] for name, value in position.items()}], {}),
        (_native.encode_log, [log], {"game_id": None, "repair": False, "strict": False, "file": None}),
        (_native.run_command, [["--version"]], {}),
        (Cache.open, [simulated.cache], {}),
        (cache.game, [1], {}),
        (cache.status, [simulated.raw], {"repair": False, "strict": False}),
        (_native.Scaler, [["a", "b"], vector, vector, vector, vector > 0, None], {}),
        (_native.Scaler.load, [export], {}),
        (scaler.transform, [np.ones((3, 2), np.float32)], {}),
        (scaler.inverse_transform, [np.ones(2, np.float32)], {}),
        (
            _native.EncodedGame,
            [1, 2, good.features, good.labels, good.masks, good.index, good.outcome],
            {},
        ),
        (splendor_prep.Dataset, [export, "train"], {}),
    ]
    for call, arguments, named in calls:
        call(*arguments, **named)
    dice, tried = random.Random(1), 0
    for _ in range(SEEDS):
        odd = odd_objects(dice, tmp_path)
        call, arguments, named = dice.choice(calls)
        places = [*range(len(arguments)), *named]
        for value in odd:
            place = dice.choice(places)
            positional, keywords = list(arguments), dict(named)
            if isinstance(place, int):
                positional[place] = value
            else:
                keywords[place] = value
            tried += 1
            # A panic is a BaseException and is not caught here.
            try:
                result = call(*positional, **keywords)
                repr(result)
                len(result) if hasattr(result, "__len__") else None
            except (Exception, SystemExit):
                pass
    assert tried > 10 * SEEDS


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("odd", [dict_that_changes, value_that_changes])
def test_dict_changed_while_read(odd: Any, change: Any) -> None:
    try:
        splendor_prep.encode_row(odd(change))
    except Exception as error:
        assert isinstance(error, (TypeError, ValueError, RuntimeError)), repr(error)


def test_unaligned_array(export: Path) -> None:
    values = np.frombuffer(b"\0" * (8 * 1308 + 1), np.uint8)[1:]
    with pytest.raises(LogError):
        # Read like any other array; it is not a valid position.
        splendor_prep.encode_row(values[: 8 * 382].view(np.float64))
    with pytest.raises(ValueError, match="not aligned"):
        _native.Scaler.load(export).transform(values[: 4 * len(FEATURE_COLUMNS)].view(np.float32))
