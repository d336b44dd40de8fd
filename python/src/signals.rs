//! Ctrl-C during calls of the library.
//!
//! Python handles signals in its main thread, between two instructions. So long calls run on another thread, while
//! the main thread waits and checks for signals.

use numpy::{PyArray1, PyArrayMethods};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

/// Time between two checks for Ctrl-C.
pub(crate) const BETWEEN_SIGNALS: Duration = Duration::from_millis(50);

/// Runs `work` on another thread without the GIL. After Ctrl-C, sets the flag, which may end the work early, and
/// drops its result.
pub(crate) fn interruptible<T: Send + 'static>(
    py: Python<'_>,
    work: impl FnOnce(&AtomicBool) -> T + Send + 'static,
) -> PyResult<T> {
    let stop = Arc::new(AtomicBool::new(false));
    let (sender, mut receiver) = channel();
    let is_stopped = stop.clone();
    // After an interrupt there is no receiver.
    thread::Builder::new().spawn(move || _ = sender.send(work(&is_stopped)))?;
    loop {
        let receiver = &mut receiver;
        match py.detach(move || receiver.recv_timeout(BETWEEN_SIGNALS)) {
            Ok(done) => return Ok(done),
            Err(RecvTimeoutError::Timeout) => {
                py.check_signals().inspect_err(|_| stop.store(true, Ordering::Relaxed))?;
            }
            Err(RecvTimeoutError::Disconnected) => {
                return Err(PyRuntimeError::new_err("the library panicked: this is a bug"));
            }
        }
    }
}

/// Imports NumPy. Otherwise the `numpy` crate imports it with the first array, and panics if that fails, for
/// example because of Ctrl-C. Signals are handled only in the main thread, so another thread imports it.
pub(crate) fn load_numpy(py: Python<'_>) -> PyResult<()> {
    static LOADED: PyOnceLock<()> = PyOnceLock::new();
    let load = || {
        Python::attach(|py| -> PyResult<()> {
            py.import("numpy")?;
            drop(PyArray1::<u8>::zeros(py, 0, false).try_readonly());
            Ok(())
        })
    };
    let on_thread = || {
        let thread = thread::Builder::new().spawn(load)?;
        let loaded = py.detach(|| thread.join());
        loaded.unwrap_or_else(|_| Err(PyRuntimeError::new_err("NumPy could not be loaded")))
    };
    LOADED.get_or_try_init(py, on_thread).copied()
}
