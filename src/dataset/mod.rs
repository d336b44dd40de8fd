//! What every consumer of the cache shares: which games there are, the split of each game, the
//! columns, the scaler of the training rows, games decoded in parallel and in order, and the values of
//! `X`.
//!
//! A [`Dataset`] is one consistent view of the cache under some [`DatasetOptions`]. It depends on the
//! content of the cache and on the options alone: the split follows from game ids, and the scaler from
//! whole-number sums that are equal in any order of addition. It stores nothing.

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
pub use games::{Dataset, DatasetError, DatasetOptions, FaultyGame, Game};
pub use options::{FeatureSet, MaskSource};
pub use ratios::{Ratios, RatiosError};
pub use scaler::{Scaler, ScalerError};
pub use short_hash::ShortHash;
pub use split::{BySplit, Split, SplitError, SplitMethod, assign};
