//! The option `columns`: names of features, or the file that lists them.

use crate::arrays::items;
use crate::errors::export_error;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};
use splendor_prep::dataset::Columns;
use splendor_prep::export::read_columns;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

/// The columns from their names, or from the path of a file that lists them.
pub(crate) fn named_columns(columns: &Bound<'_, PyAny>) -> PyResult<Columns> {
    let py = columns.py();
    let is_path = columns.is_instance_of::<PyString>() || columns.hasattr("__fspath__")?;
    if is_path {
        let file: PathBuf = columns.extract()?;
        return py.detach(|| read_columns(&file)).map_err(|error| export_error(py, &error));
    }
    let names: Vec<String> = items(columns)?;
    Columns::named(&names).map_err(|error| PyValueError::new_err(error.to_string()))
}

/// The names of columns as a tuple. `columns` are names, or the path of a file that lists them.
///
/// Raises ValueError if a column does not exist or is named twice, or there are no names; `ExportError` if the
/// file is invalid.
#[pyfunction]
pub(crate) fn column_names<'py>(columns: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyTuple>> {
    PyTuple::new(columns.py(), named_columns(columns)?.names())
}

/// Like [`named_columns`], which takes longer than encoding a position: the last tuple, which cannot change, is
/// cached.
pub(crate) fn remembered_columns(columns: &Bound<'_, PyAny>) -> PyResult<Arc<Columns>> {
    static LAST: Mutex<Option<(Py<PyTuple>, Arc<Columns>)>> = Mutex::new(None);
    let Ok(tuple) = columns.cast_exact::<PyTuple>() else {
        return named_columns(columns).map(Arc::new);
    };
    if let Ok(last) = LAST.try_lock()
        && let Some((known, columns)) = &*last
        && known.is(tuple)
    {
        return Ok(columns.clone());
    }
    let columns = Arc::new(named_columns(tuple)?);
    let mut replaced = None;
    if let Ok(mut last) = LAST.try_lock() {
        replaced = last.replace((tuple.clone().unbind(), columns.clone()));
    }
    // Dropped without the lock, because dropping the names may run Python code.
    drop(replaced);
    Ok(columns)
}
