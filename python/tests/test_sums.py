"""Exact sums of rows, and the scaler that is fitted to them."""

from __future__ import annotations

import json
import pickle
import random

import numpy as np
import pytest
from conftest import Games

from splendor_prep import FEATURE_COLUMNS, ColumnSums, Scaler, assign_splits, encode_log


def bits_of(scaler: Scaler) -> tuple[str, bytes]:
    return scaler.id, scaler.mean.tobytes() + scaler.var.tobytes() + scaler.scale.tobytes()


def test_sums_in_any_order_and_grouping_give_one_scaler(simulated: Games) -> None:
    each = [ColumnSums.of(encode_log(log).features) for log in simulated.logs]
    rows = simulated.array("X")
    whole = ColumnSums.of(rows)
    assert whole.rows == len(rows)
    assert np.array_equal(whole.sum, rows.astype(np.int64).sum(axis=0))
    assert np.array_equal(whole.sum_of_squares, (rows.astype(np.int64) ** 2).sum(axis=0))
    expected = bits_of(Scaler.load(simulated.unscaled))
    chance = random.Random(3)
    for _ in range(20):
        groups = [chance.sample(each, len(each))]
        while len(groups[0]) > 1:
            cut = chance.randint(1, len(groups[0]))
            groups.append([sum(groups[0][:cut], start=ColumnSums())])
            groups[0] = groups[0][cut:]
            if not groups[0]:
                break
        chance.shuffle(groups)
        merged = sum((sums for group in groups for sums in group), start=ColumnSums())
        assert merged == whole
        assert bits_of(Scaler.fit(merged)) == expected


def test_sums_say_what_they_cannot_be() -> None:
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


def test_sums_pickle() -> None:
    sums = ColumnSums(2, np.full(len(FEATURE_COLUMNS), 3), np.full(len(FEATURE_COLUMNS), 5))
    assert pickle.loads(pickle.dumps(sums)) == sums


def test_splits_are_those_of_an_export(simulated: Games) -> None:
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
