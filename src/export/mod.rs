//! Exports: the cache's rows as arrays that a network trains on.

mod split;

pub use split::{Split, SplitError, SplitMethod, assign};
