//! Assigns games to splits.

use crate::arrays::{to_vec, vector};
use crate::errors::choice;
use numpy::{PyArray1, PyReadonlyArray1};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use splendor_prep::dataset::{Ratios, SplitMethod, assign};
use splendor_prep::gamelog::GameId;

/// The split of each game, as ``prep export`` assigns it: uint8 ``(games,)``, 0 for train, 1 for val,
/// 2 for test.
///
/// `game_ids` is int64 ``(games,)``, ascending and unique. `split` has the three shares, `method` is ``hash``
/// (the split of a game depends only on its id and the seed) or ``sklearn`` (two nested ``GroupShuffleSplit``,
/// which depend on all ids); `seed` is an integer from 0 to 4294967295.
///
/// Raises ValueError for shares that do not sum to 1, an unknown method, and, with ``sklearn``, ids out of order
/// or too few games for all splits.
#[pyfunction]
#[pyo3(signature = (game_ids, *, split=(0.8, 0.1, 0.1), method="hash", seed=42))]
pub(crate) fn assign_splits<'py>(
    py: Python<'py>,
    game_ids: PyReadonlyArray1<'py, i64>,
    split: (f64, f64, f64),
    method: &str,
    seed: u32,
) -> PyResult<Bound<'py, PyArray1<u8>>> {
    let wrong = |error: &dyn std::fmt::Display| PyValueError::new_err(error.to_string());
    let (train, val, test) = split;
    let ratios = Ratios::new(train, val, test).map_err(|error| wrong(&error))?;
    let method = choice("method", method, SplitMethod::ALL, SplitMethod::name)?;
    let game_ids: Vec<GameId> = to_vec(&game_ids)?.into_iter().map(GameId).collect();
    let splits =
        py.detach(|| assign(game_ids, ratios, seed, method)).map_err(|error| wrong(&error))?;
    Ok(vector(py, splits.into_iter().map(|split| split as u8).collect()))
}
