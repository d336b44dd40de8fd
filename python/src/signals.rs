//! Ctrl-C while the library works.
//!
//! Python handles a signal in its main thread, between two instructions. What may take long is done by another
//! thread meanwhile, so that the main thread can look.

use numpy::{PyArray1, PyArrayMethods};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

/// How long the interpreter waits before it looks whether somebody pressed Ctrl-C.
pub(crate) const BETWEEN_SIGNALS: Duration = Duration::from_millis(50);

/// Does work without the GIL that Ctrl-C interrupts: then the flag is set, and what the work still does and
/// returns is nobody's any more.
pub(crate) fn interruptible<T: Send + 'static>(
    py: Python<'_>,
    work: impl FnOnce(&AtomicBool) -> T + Send + 'static,
) -> PyResult<T> {
    let stop = Arc::new(AtomicBool::new(false));
    let (sender, mut receiver) = channel();
    let is_stopped = stop.clone();
    // Nobody receives it after an interrupt.
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

/// Loads NumPy, which the `numpy` crate does with the first array, and panics if it cannot.
///
/// Ctrl-C shortly before would be such a reason. Python handles signals in its main thread alone, so another
/// one loads it.
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
