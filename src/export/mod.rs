//! Exports: the cache's rows as arrays that a network trains on.

mod npy;
mod scaler;
mod split;

pub use npy::{NpyError, NpyWriter, pack_npz};
pub use scaler::{ColumnSums, Scaler, ScalerError};
pub use split::{Split, SplitError, SplitMethod, assign};
