//! Converts values of the library to NumPy arrays, with the layout of an export.

use numpy::ndarray::Dimension;
use numpy::{
    Element, IntoPyArray, Ix1, PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray, PyUntypedArray,
};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use splendor_prep::encode::{Head, Label};
use splendor_prep::gamelog::Outcome;

/// A head's name as an interned string, which dicts compare by identity.
pub(crate) fn head_name(py: Python<'_>, head: Head) -> &Bound<'_, PyString> {
    match head {
        Head::ActionType => pyo3::intern!(py, "action_type"),
        Head::CardSelection => pyo3::intern!(py, "card_selection"),
        Head::CardReservation => pyo3::intern!(py, "card_reservation"),
        Head::GemTake3 => pyo3::intern!(py, "gem_take3"),
        Head::GemTake2 => pyo3::intern!(py, "gem_take2"),
        Head::Noble => pyo3::intern!(py, "noble"),
        Head::GemsRemoved => pyo3::intern!(py, "gems_removed"),
    }
}

/// A dict with an entry for each head, in their order.
pub(crate) fn by_head<'py, T: pyo3::PyTypeInfo>(
    py: Python<'py>,
    mut value: impl FnMut(Head) -> PyResult<Bound<'py, T>>,
) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for head in Head::ALL {
        dict.set_item(head_name(py, head), value(head)?)?;
    }
    Ok(dict)
}

/// The labels and the masks of some rows, each by head.
pub(crate) fn labels_and_masks(
    py: Python<'_>,
    labels: [Vec<Label>; Head::COUNT],
    masks: [Vec<i8>; Head::COUNT],
    rows: usize,
) -> PyResult<(Py<PyDict>, Py<PyDict>)> {
    let (mut labels, mut masks) = (labels.into_iter(), masks.into_iter());
    let labels = by_head(py, |_| Ok(vector(py, labels.next().unwrap_or_default())))?;
    let masks =
        by_head(py, |head| matrix(py, masks.next().unwrap_or_default(), rows, head.classes()))?;
    Ok((labels.unbind(), masks.unbind()))
}

/// Game, turn and row of some rows, by name, as in `index_{split}.npz`.
pub(crate) fn index_dict(
    py: Python<'_>,
    game_ids: Vec<i64>,
    turn_numbers: Vec<i32>,
    rows_in_game: Vec<i32>,
) -> PyResult<Bound<'_, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("game_id", vector(py, game_ids))?;
    dict.set_item("turn_number", vector(py, turn_numbers))?;
    dict.set_item("row_in_game", vector(py, rows_in_game))?;
    Ok(dict)
}

/// The outcomes of some rows, by name.
pub(crate) fn outcome_dict(
    py: Python<'_>,
    outcomes: [Vec<i32>; Outcome::COUNT],
) -> PyResult<Bound<'_, PyDict>> {
    let dict = PyDict::new(py);
    for (name, values) in Outcome::NAMES.into_iter().zip(outcomes) {
        dict.set_item(name, vector(py, values))?;
    }
    Ok(dict)
}

/// An array of one dimension.
pub(crate) fn vector<T: Element>(py: Python<'_>, values: Vec<T>) -> Bound<'_, PyArray1<T>> {
    values.into_pyarray(py)
}

/// Whether an array has a mask.
pub(crate) fn is_masked(array: &Bound<'_, PyUntypedArray>) -> PyResult<bool> {
    let is_plain = array.is_exact_instance_of::<PyUntypedArray>();
    Ok(!is_plain && array.hasattr(pyo3::intern!(array.py(), "mask"))?)
}

/// Checks that an array is not masked and is aligned, which some views of bytes are not.
pub(crate) fn check_values<T: Element, D: Dimension>(
    array: &PyReadonlyArray<'_, T, D>,
) -> PyResult<()> {
    if is_masked(array.as_untyped())? {
        return Err(PyValueError::new_err("an array is masked: give one without missing values"));
    }
    match array.data().is_aligned() {
        true => Ok(()),
        false => Err(PyValueError::new_err("an array is not aligned: give a copy of it")),
    }
}

/// All values of an array of one dimension.
pub(crate) fn to_vec<T: Element + Copy>(array: &PyReadonlyArray<'_, T, Ix1>) -> PyResult<Vec<T>> {
    check_values(array)?;
    Ok(array.as_array().iter().copied().collect())
}

/// All items of a Python iterable. Its length is not used, because it may be wrong.
pub(crate) fn items<'py, T: for<'a> FromPyObject<'a, 'py>>(
    iterable: &Bound<'py, PyAny>,
) -> PyResult<Vec<T>> {
    if iterable.is_instance_of::<PyString>() {
        return Err(PyTypeError::new_err("expected a list, not a str"));
    }
    let mut items = Vec::new();
    for item in iterable.try_iter()? {
        items.push(item?.extract().map_err(Into::into)?);
    }
    Ok(items)
}

/// A matrix from its values, row after row.
pub(crate) fn matrix<T: Element>(
    py: Python<'_>,
    values: Vec<T>,
    rows: usize,
    columns: usize,
) -> PyResult<Bound<'_, PyArray2<T>>> {
    vector(py, values).reshape([rows, columns])
}
