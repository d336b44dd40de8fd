//! Exports: the cache's rows as arrays that a network trains on.

mod scaler;
mod split;

pub use scaler::{ColumnSums, Scaler, ScalerError};
pub use split::{Split, SplitError, SplitMethod, assign};
