//! What every consumer of the cache shares: which games, in which split, as which rows.

mod options;
mod ratios;

pub use options::{FeatureSet, MaskSource};
pub use ratios::{Ratios, RatiosError};
