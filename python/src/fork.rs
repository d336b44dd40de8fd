//! Pauses streams during a fork, for example of a pool of worker processes.

use pyo3::prelude::*;
use pyo3::types::PyDict;
use splendor_prep::stream;
use std::cell::RefCell;
use std::sync::RwLockWriteGuard;

thread_local! {
    /// Held during a fork, after which this thread continues in both processes.
    static PAUSED: RefCell<Option<RwLockWriteGuard<'static, ()>>> = const { RefCell::new(None) };
}

#[pyfunction]
fn before_fork() {
    PAUSED.set(Some(stream::pause()));
}

#[pyfunction]
fn after_fork() {
    PAUSED.set(None);
}

/// Registers these functions with `os.register_at_fork`.
pub(crate) fn register(py: Python<'_>) -> PyResult<()> {
    let Some(register) = py.import("os")?.getattr_opt("register_at_fork")? else { return Ok(()) };
    let functions = PyDict::new(py);
    let after = pyo3::wrap_pyfunction!(after_fork, py)?;
    functions.set_item("before", pyo3::wrap_pyfunction!(before_fork, py)?)?;
    functions.set_item("after_in_parent", &after)?;
    functions.set_item("after_in_child", after)?;
    register.call((), Some(&functions)).map(drop)
}
