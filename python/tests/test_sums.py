"""Exact sums of rows, and the scaler that is fitted to them."""

from __future__ import annotations

import itertools
import json
import random

import numpy as np
import pytest
from conftest import Games

from splendor_prep import FEATURE_COLUMNS, ColumnSums, Scaler, assign_splits, encode_log


def bits_of(scaler: Scaler) -> tuple[str, bytes]:
    return scaler.id, scaler.mean.tobytes() + scaler.var.tobytes() + scaler.scale.tobytes()


def test_sums_do_not_depend_on_order(simulated: Games) -> None:
    each = [ColumnSums.of(encode_log(log).features) for log in simulated.logs]
    rows = simulated.array("X")
    whole = ColumnSums.of(rows)
    assert whole.rows == len(rows)
    assert np.array_equal(whole.sum, rows.astype(np.int64).sum(axis=0))
    assert np.array_equal(whole.sum_of_squares, (rows.astype(np.int64) ** 2).sum(axis=0))
    expected = bits_of(Scaler.load(simulated.unscaled))
    chance = random.Random(3)
    for _ in range(20):
        shuffled = chance.sample(each, len(each))
        cuts = [0, *sorted(chance.sample(range(len(each)), 5)), len(each)]
        groups = [sum(shuffled[a:b], start=ColumnSums()) for a, b in itertools.pairwise(cuts)]
        merged = sum(chance.sample(groups, len(groups)), start=ColumnSums())
        assert merged == whole
        assert bits_of(Scaler.fit(merged)) == expected


def test_invalid_sums() -> None:
    with pytest.raises(ValueError, match="no training rows"):
        Scaler.fit(ColumnSums())
    with pytest.raises(ValueError, match=f"{len(FEATURE_COLUMNS)} columns, found 3"):
        ColumnSums.of(np.zeros((2, 3), np.float32))
    for value in (0.5, 128.0, np.nan):
        with pytest.raises(ValueError, match="no value of the encoder"):
            ColumnSums.of(np.full((2, len(FEATURE_COLUMNS)), value, np.float32))
    with pytest.raises(ValueError, match=f"{len(FEATURE_COLUMNS)} columns"):
        ColumnSums(1, np.zeros(3, np.int64), np.zeros(3, np.int64))
    most = np.full(len(FEATURE_COLUMNS), 2**63 - 1)
    with pytest.raises(OverflowError):
        ColumnSums(1, most, most) + ColumnSums(1, most, most)


def test_splits_equal_export(simulated: Games) -> None:
    settings = json.loads((simulated.unscaled / "manifest.json").read_text())["settings"]
    ids = np.array(sorted(int(log.stem) for log in simulated.logs))
    splits = assign_splits(
        ids, split=tuple(settings["split"]), method=settings["split_method"], seed=settings["seed"]
    )
    for number, name in enumerate(["train", "val", "test"]):
        with np.load(simulated.unscaled / f"index_{name}.npz") as index:
            assert set(index["game_id"].tolist()) == set(ids[splits == number].tolist())
    with pytest.raises(ValueError, match="masked"):
        assign_splits(np.ma.masked_array([1, 2], mask=[False, True]))  # type: ignore[no-untyped-call,unused-ignore]
