//! The library's errors as the exceptions of `splendor_prep.errors`.
//!
//! They are Python classes, so that they can be pickled, and derive from `PrepError` and a built-in exception.

use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyTuple, PyType};
use splendor_prep::gamelog::{Fault, LogError};
use std::path::Path;

const ERRORS_MODULE: &str = "splendor_prep.errors";

/// The same on every Unix.
const EISDIR: i32 = 21;

/// The error of a log, with file, line and column.
pub(crate) fn log_error(py: Python<'_>, error: &LogError) -> PyErr {
    let file = error.file.to_string_lossy().into_owned();
    input_error(py, error.to_string(), Some(file), error.line, &error.fault)
}

/// The error of an invalid position, which has no file.
#[cold]
pub(crate) fn position_error(py: Python<'_>, fault: &Fault) -> PyErr {
    input_error(py, fault.to_string(), None, None, fault)
}

/// Adds the number of the row to the error of a position.
#[cold]
pub(crate) fn in_row(py: Python<'_>, row: usize, error: PyErr) -> PyErr {
    let with_row = || -> PyResult<PyErr> {
        let class = LOG_ERROR.import(py, ERRORS_MODULE, "LogError")?;
        if !error.matches(py, class)? {
            return Ok(error.clone_ref(py));
        }
        let arguments: Vec<Bound<'_, PyAny>> = error.value(py).getattr("args")?.extract()?;
        let message = format!("row {row}: {}", arguments[0]).into_pyobject(py)?.into_any();
        let others = arguments.into_iter().skip(1);
        let arguments =
            PyTuple::new(py, std::iter::once(message).chain(others).collect::<Vec<_>>())?;
        Ok(PyErr::from_value(class.call1(arguments)?))
    };
    with_row().unwrap_or_else(|error| error)
}

static LOG_ERROR: PyOnceLock<Py<PyType>> = PyOnceLock::new();

fn input_error(
    py: Python<'_>,
    message: String,
    file: Option<String>,
    line: Option<u64>,
    fault: &Fault,
) -> PyErr {
    let Fault { kind, column, found, expected, .. } = fault;
    let arguments = (message, file, line, column, found, expected, kind.name());
    raise(py, &LOG_ERROR, "LogError", arguments)
}

/// An error of a cache.
pub(crate) fn cache_error(py: Python<'_>, error: &dyn std::error::Error) -> PyErr {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    raise(py, &CLASS, "CacheError", (error.to_string(),))
}

/// An error of an export.
pub(crate) fn export_error(py: Python<'_>, error: &dyn std::error::Error) -> PyErr {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    raise(py, &CLASS, "ExportError", (error.to_string(),))
}

/// An `OSError` with the path, such as `FileNotFoundError`.
pub(crate) fn os_error(path: &Path, error: &std::io::Error) -> PyErr {
    // An error that is detected before the file is opened has no error code of the system.
    let is_folder = error.kind() == std::io::ErrorKind::IsADirectory;
    match error.raw_os_error().or(is_folder.then_some(EISDIR)) {
        Some(code) => {
            let words = error.to_string();
            let words = words.split(" (os error").next().unwrap_or_default().to_owned();
            PyOSError::new_err((code, words, path.as_os_str().to_owned()))
        }
        None => PyOSError::new_err(format!("{}: {error}", path.display())),
    }
}

/// The choice with this name. Raises ValueError for other names.
pub(crate) fn choice<T: Copy, const N: usize>(
    option: &str,
    name: &str,
    choices: [T; N],
    name_of: impl Fn(T) -> &'static str,
) -> PyResult<T> {
    let chosen = choices.into_iter().find(|&choice| name_of(choice) == name);
    chosen.ok_or_else(|| {
        let expected: Vec<_> = choices.into_iter().map(name_of).collect();
        let expected = expected.join(", ");
        PyValueError::new_err(format!("{option} is `{name}`, expected one of {expected}"))
    })
}

fn raise<'py, A>(
    py: Python<'py>,
    class: &'static PyOnceLock<Py<PyType>>,
    name: &str,
    arguments: A,
) -> PyErr
where
    A: pyo3::call::PyCallArgs<'py>,
{
    let instance = class.import(py, ERRORS_MODULE, name).and_then(|class| class.call1(arguments));
    instance.map_or_else(|error| error, PyErr::from_value)
}
