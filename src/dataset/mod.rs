//! What exports, streams and reports share: the selection of games, their splits, the columns, the
//! scaler of the training rows, decoding in parallel and in order, and the values of `X`.
//!
//! A [`Dataset`] is a consistent view of the cache with [`DatasetOptions`]. It depends only on the
//! content of the cache and the options: the split follows from game ids, and the scaler from integer
//! sums, which do not depend on the order of addition. It stores nothing.

mod columns;
mod decode;
mod dtype;
mod features;
mod games;
mod options;
mod ratios;
mod scaler;
mod short_hash;
mod split;

pub use columns::{Columns, ColumnsError};
pub use dtype::Dtype;
pub use features::{FeatureTable, FeatureValues, OutOfRange};
pub use games::{Dataset, DatasetError, DatasetOptions, FaultyGame, Game, log_hash};
pub use options::{FeatureSet, MaskSource};
pub use ratios::{Ratios, RatiosError};
pub use scaler::{Scaler, ScalerError};
pub use short_hash::ShortHash;
pub use split::{BySplit, Split, SplitError, SplitMethod, assign};
