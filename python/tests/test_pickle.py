"""Every class can be passed to another process."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import multiprocessing
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Games, rows_of

import splendor_prep
from splendor_prep import Cache, CacheError, ColumnSums, Dataset, ExportError, LogError, PrepError
from splendor_prep import ReplayFault, Scaler, Stream, encode_log, encode_row, encode_rows

CLASSES = {
    name for name in splendor_prep.__all__ if inspect.isclass(getattr(splendor_prep, name))
}


@pytest.fixture(scope="module")
def objects(simulated: Games, export: Path) -> dict[str, Any]:
    """An object of each class."""
    log = simulated.logs[0]
    game = encode_log(log)
    dataset = Dataset(export, "train")
    stream = Stream(simulated.cache, "train", batch_size=16)
    batch = next(iter(stream))
    cache = Cache.open(simulated.cache)
    cache.game(game.game_id)
    with pytest.raises(LogError) as caught:
        encode_log(b"nothing")
    objects = [cache, cache.games()[3], ColumnSums.of(game.features), dataset, dataset[2], dataset[2:5], game]
    objects += [encode_row(rows_of(log)[0]), encode_rows(rows_of(log)), Scaler.load(export), stream, batch]
    objects += [caught.value, CacheError("c"), ExportError("e"), PrepError("p"), ReplayFault(5, "points", "a", "1", "2")]
    return {type(thing).__name__: thing for thing in objects}


def content(thing: Any) -> Any:
    """The plain values that a copy must have, too."""
    if isinstance(thing, np.ndarray):
        return (thing.dtype.str, thing.shape, thing.tobytes())
    if isinstance(thing, dict):
        return {name: content(value) for name, value in thing.items()}
    if isinstance(thing, (list, tuple)):
        return [content(value) for value in thing]
    if thing is None or isinstance(thing, (str, int, float, bytes, Path)):
        return thing
    if isinstance(thing, Exception):
        return (type(thing), thing.args, vars(thing))
    if isinstance(thing, Stream):
        return (thing.state_dict(), thing.columns, thing.rows)
    if dataclasses.is_dataclass(thing):
        return {field.name: content(getattr(thing, field.name)) for field in dataclasses.fields(thing)}
    names = [name for name, value in inspect.getmembers(thing) if name[0] != "_" and not callable(value)]
    assert names, type(thing)
    return {name: content(getattr(thing, name)) for name in names if name != "id" or "fitted_in" in names}


def test_every_class_is_tested(objects: dict[str, Any]) -> None:
    assert set(objects) == CLASSES


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_copies_are_equal(name: str, objects: dict[str, Any]) -> None:
    thing = objects[name]
    expected = content(thing)
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        loaded = pickle.loads(pickle.dumps(thing, protocol))
        assert type(loaded) is type(thing) and content(loaded) == expected
    assert content(copy.copy(thing)) == content(copy.deepcopy(thing)) == expected
    assert repr(loaded) == repr(thing)


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_process_pool(simulated: Games, method: str) -> None:
    cache = Cache.open(simulated.cache)
    games = cache.games()
    with multiprocessing.get_context(method).Pool(2) as pool:
        assert pool.map(copy.copy, games) == games
        assert [len(game) for game in pool.map(cache.game, [game.game_id for game in games])] == [
            game.rows for game in games
        ]
