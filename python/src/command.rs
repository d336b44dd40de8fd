//! The `prep` command in a Python process.

use crate::arrays::items;
use pyo3::prelude::*;
use std::ffi::OsString;
use std::io::Write;

/// Runs a command of ``prep``; returns its exit code.
#[pyfunction]
pub(crate) fn run_command(py: Python<'_>, arguments: &Bound<'_, PyAny>) -> PyResult<u8> {
    let arguments: Vec<OsString> = items(arguments)?;
    Ok(py.detach(|| {
        // Not `sys.argv[0]`, which is the path of a file for `python -m splendor_prep`.
        let program = OsString::from("prep");
        let code = splendor_prep::cli::run_command(std::iter::once(program).chain(arguments));
        // Only a Rust program flushes at its end.
        let _ = std::io::stdout().flush();
        code
    }))
}
