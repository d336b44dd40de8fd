//! What exports, streams and reports share: the selection of games, their splits, the columns, the
//! scaler of the training rows, decoding in parallel and in order, and the values of `X`.
//!
//! A [`Dataset`] is a consistent view of the cache with [`DatasetOptions`]. It depends only on the
//! content of the cache and the options: the split follows from game ids, and the scaler from integer
//! sums, which do not depend on the order of addition. It stores nothing.

mod columns;
mod dtype;
mod error;
mod features;
mod games;
mod options;
mod ratios;
mod scaler;
mod selection;
mod short_hash;
mod split;

pub use columns::{Columns, ColumnsError, FeatureSet};
pub use dtype::Dtype;
pub use error::DatasetError;
pub use features::{FeatureTable, FeatureValues, OutOfRange};
pub use games::Dataset;
pub use options::{DatasetOptions, MaskSource};
pub use ratios::{Ratios, RatiosError};
pub use scaler::{Scaler, ScalerError};
pub use selection::{FaultyGame, Game, Selection, log_hash};
pub use short_hash::ShortHash;
pub use split::{BySplit, Split, SplitError, SplitMethod, assign};
