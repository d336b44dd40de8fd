//! Numbers of the library to NumPy arrays, laid out as in an export.

use numpy::{Element, IntoPyArray, PyArray1, PyArray2, PyArrayMethods};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use splendor_prep::encode::Head;

/// A head's name, the same object every time: a dict finds it without comparing letters.
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

/// An array of one dimension.
pub(crate) fn vector<T: Element>(py: Python<'_>, values: Vec<T>) -> Bound<'_, PyArray1<T>> {
    values.into_pyarray(py)
}

/// An array of rows, from their values one row after the other.
pub(crate) fn matrix<T: Element>(
    py: Python<'_>,
    values: Vec<T>,
    rows: usize,
    columns: usize,
) -> PyResult<Bound<'_, PyArray2<T>>> {
    vector(py, values).reshape([rows, columns])
}
