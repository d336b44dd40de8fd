//! `splendor_prep._native`: the Python interface of the library crate.
//!
//! Nothing is computed here. Each file converts Python values to those of one module of the library, and results
//! to NumPy arrays. Code that is simpler in Python is in `python/splendor_prep`.
//!
//! | file | content |
//! | --- | --- |
//! | `log.rs` | `encode_log`, `EncodedGame` |
//! | `position.rs` | `encode_row`, `EncodedRow`: one position of a live game |
//! | `positions.rs` | `encode_rows`: many of them |
//! | `scaler.rs` | the scaler of an export, or of sums |
//! | `sums.rs`, `split.rs` | exact sums of rows, and the split of games |
//! | `stream.rs` | `Stream`: batches from the cache |
//! | `cache.rs` | `Cache` |
//! | `columns.rs` | the option `columns` |
//! | `command.rs` | the `prep` command |
//! | `arrays.rs`, `pooled.rs`, `errors.rs` | conversion to arrays and exceptions |
//! | `signals.rs`, `fork.rs` | Ctrl-C, and forks |

mod arrays;
mod cache;
mod columns;
mod command;
mod errors;
mod fork;
mod log;
mod pooled;
mod position;
mod positions;
mod scaler;
mod signals;
mod split;
mod stream;
mod sums;

use pyo3::prelude::*;

/// The module of the result classes that are written in Python.
const RECORDS_MODULE: &str = "splendor_prep.records";

#[pymodule]
mod _native {
    #[pymodule_export]
    use super::cache::Cache;
    #[pymodule_export]
    use super::columns::column_names;
    #[pymodule_export]
    use super::command::run_command;
    #[pymodule_export]
    use super::log::{EncodedGame, encode_log};
    #[pymodule_export]
    use super::position::{EncodedRow, encode_row};
    #[pymodule_export]
    use super::positions::encode_rows;
    #[pymodule_export]
    use super::scaler::Scaler;
    #[pymodule_export]
    use super::split::assign_splits;
    #[pymodule_export]
    use super::stream::{Stream, StreamBatch};
    #[pymodule_export]
    use super::sums::ColumnSums;

    use pyo3::prelude::*;
    use pyo3::types::{PyDict, PyString, PyTuple};
    use splendor_prep::encode::{ENCODER_VERSION, FEATURES, Head};
    use splendor_prep::gamelog::{action_column_names, state_column_names};

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        let py = module.py();
        // Interned, as `encode_row` expects the keys of a dict.
        let interned = |name| PyString::intern(py, name);
        let state: Vec<_> = state_column_names().map(interned).collect();
        let action: Vec<_> = action_column_names().map(interned).collect();
        let features: Vec<&str> = FEATURES.iter().map(|feature| feature.name.as_str()).collect();
        let classes = PyDict::new(py);
        for head in Head::ALL {
            classes.set_item(head.name(), head.classes())?;
        }
        super::fork::register(py)?;
        module.add("STATE_COLUMNS", PyTuple::new(py, state)?)?;
        module.add("ACTION_COLUMNS", PyTuple::new(py, action)?)?;
        module.add("FEATURE_COLUMNS", PyTuple::new(py, features)?)?;
        module.add("HEADS", classes)?;
        module.add("ENCODER_VERSION", ENCODER_VERSION)?;
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
