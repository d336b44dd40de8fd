"""Compares the scaler with the arrays of its export, and with scikit-learn."""

from __future__ import annotations

import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
from conftest import Games, run_prep, same_bits
from sklearn.preprocessing import StandardScaler

from splendor_prep import FEATURE_COLUMNS, Dataset, ExportError, Scaler, encode_row


@pytest.fixture
def scaler(export: Path) -> Scaler:
    return Scaler.load(export)


def unscaled(simulated: Games, export: Path, split: str) -> np.ndarray:
    """The values of the rows of a split before normalization."""
    games = np.load(export / f"index_{split}.npz")["game_id"]
    rows = np.isin(simulated.array("index")["game_id"], games)
    values: np.ndarray = simulated.array("X")[rows]
    return values


@pytest.mark.parametrize("split", ["train", "val", "test"])
def test_transform_equals_export(
    simulated: Games, export: Path, scaler: Scaler, split: str
) -> None:
    exported = np.load(export / f"X_{split}.npy")
    rows = unscaled(simulated, export, split)
    assert len(rows) > 300
    assert same_bits(scaler.transform(rows), exported)
    assert same_bits(scaler.transform(rows.astype(np.int8)), exported)
    assert same_bits(scaler.transform(rows.astype(np.float64)), exported)
    assert same_bits(scaler.transform(np.asfortranarray(rows)), exported)
    assert same_bits(scaler.transform(rows[5]), exported[5])
    assert same_bits(scaler.transform(rows[:6].reshape(2, 3, -1)), exported[:6].reshape(2, 3, -1))
    assert np.array_equal(np.rint(scaler.inverse_transform(exported)), rows)
    assert np.abs(scaler.inverse_transform(exported) - rows).max() < 1e-4


def test_equals_standard_scaler(
    simulated: Games, export: Path, scaler: Scaler
) -> None:
    rows = unscaled(simulated, export, "train").astype(np.float64)
    fitted = StandardScaler().fit(rows[:, scaler.normalized])
    for name in ("mean", "var", "scale"):
        found = getattr(scaler, name)[scaler.normalized]
        np.testing.assert_allclose(found, getattr(fitted, f"{name}_"), rtol=1e-12, atol=1e-12)

    made = scaler.to_sklearn()
    assert type(made) is StandardScaler
    for name in ("mean", "var", "scale"):
        assert same_bits(getattr(made, f"{name}_"), getattr(scaler, name))
    held_out = unscaled(simulated, export, "test").astype(np.float64)
    found = made.transform(held_out)
    expected = fitted.transform(held_out[:, scaler.normalized])
    np.testing.assert_allclose(found[:, scaler.normalized], expected, rtol=1e-12, atol=1e-12)
    others = ~scaler.normalized
    assert np.array_equal(found[:, others], held_out[:, others])
    np.testing.assert_allclose(made.inverse_transform(found), held_out, rtol=0, atol=1e-12)


def test_folding_into_a_linear_layer(
    simulated: Games, export: Path, scaler: Scaler
) -> None:
    rows = unscaled(simulated, export, "val").astype(np.float64)
    weight, bias = scaler.as_affine()
    normalized = (rows - scaler.mean) / scaler.scale
    np.testing.assert_allclose(rows * weight + bias, normalized, rtol=1e-12, atol=1e-12)
    layer = np.random.default_rng(1).normal(size=(8, len(scaler)))
    folded = rows @ (layer * weight).T + layer @ bias
    np.testing.assert_allclose(folded, normalized @ layer.T, rtol=1e-9, atol=1e-9)


def test_attributes(export: Path, scaler: Scaler) -> None:
    assert scaler.columns == FEATURE_COLUMNS and len(scaler) == len(FEATURE_COLUMNS)
    assert 0 < scaler.normalized.sum() < len(scaler)
    assert scaler.fitted_in == Dataset(export, "train").export_id is not None
    arrays = np.load(export / "scaler.npz")
    for name in ("mean", "var", "scale", "normalized"):
        assert same_bits(getattr(scaler, name), arrays[name])
    with pytest.raises(ValueError):
        scaler.mean[0] = 1
    with pytest.raises(ValueError, match=f"rows of {len(FEATURE_COLUMNS)} columns"):
        scaler.transform(np.zeros((3, len(scaler) - 1)))
    assert scaler.transform(np.zeros((0, len(scaler)))).shape == (0, len(scaler))


def test_pickle_without_export(scaler: Scaler, simulated: Games) -> None:
    copy = pickle.loads(pickle.dumps(scaler))
    rows = simulated.array("X")[:20]
    assert same_bits(copy.transform(rows), scaler.transform(rows))
    assert (copy.columns, copy.fitted_in) == (scaler.columns, scaler.fitted_in)


def test_base_features_and_an_earlier_scaler(simulated: Games, export: Path, tmp_path: Path) -> None:
    base, later = tmp_path / "base", tmp_path / "later"
    common = ["--cache", simulated.cache, "--split", "0.7,0.2,0.1", "-q"]
    run_prep("export", *common, "--features", "base", "--out", base)
    assert len(Scaler.load(base)) == 422
    run_prep("export", *common, "--scaler-from", export, "--out", later)
    scaler = Scaler.load(later)
    assert scaler.fitted_in == Dataset(export, "train").export_id != Dataset(later, "train").export_id
    assert same_bits(scaler.mean, Scaler.load(export).mean)


def test_all_features_with_a_base_scaler(
    simulated: Games, tmp_path: Path
) -> None:
    base = tmp_path / "base"
    options = ["--features", "base", "--split", "1,0,0", "-q"]
    run_prep("export", "--cache", simulated.cache, "--out", base, *options)
    scaler, exported = Scaler.load(base), np.load(base / "X_train.npy")
    rows = simulated.array("X")
    assert same_bits(scaler.transform(rows), exported)
    assert same_bits(scaler.transform(rows[7]), exported[7])
    places = [FEATURE_COLUMNS.index(name) for name in scaler.columns]
    assert same_bits(scaler.transform(rows[:, places]), exported)
    with pytest.raises(ValueError, match="for rows of 422 columns"):
        scaler.transform(rows[:, :500])


def test_scaler_of_another_export(
    simulated: Games, export: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    run_prep("export", "--cache", simulated.cache, "--out", other, "--split", "1,0,0", "-q")
    shutil.copy(export / "scaler.npz", other / "scaler.npz")
    with pytest.raises(ExportError, match="does not belong to its export"):
        Scaler.load(other)


def test_position_is_normalized_as_in_the_export(
    simulated: Games, export: Path, scaler: Scaler
) -> None:
    from conftest import rows_of

    index = np.load(export / "index_val.npz")
    log = next(log for log in simulated.logs if int(log.stem) == index["game_id"][0])
    state = scaler.transform(encode_row(rows_of(log)[0]).features)
    assert same_bits(state, np.load(export / "X_val.npy")[0])
