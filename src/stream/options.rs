//! What a stream gives.

use super::weights::WeightOptions;
use crate::dataset::{DatasetOptions, Dtype, MaskSource, Scaler, Split};

/// A change of rows that a network should take for the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Augment {
    /// Another order of slots whose order means nothing, see
    /// [`PackedRow::reorder_slots`](crate::encode::PackedRow::reorder_slots).
    Slots,
}

impl Augment {
    /// Every choice.
    pub const ALL: [Augment; 1] = [Augment::Slots];

    /// The name in options.
    pub const fn name(self) -> &'static str {
        match self {
            Augment::Slots => "slots",
        }
    }
}

/// What a stream gives, and in which order. Options that an export has too mean the same there.
#[derive(Clone, Debug)]
pub struct StreamOptions {
    /// Which columns, and which games are in which split.
    pub dataset: DatasetOptions,
    /// The split whose rows are given.
    pub split: Split,
    /// Which masks.
    pub masks: MaskSource,
    /// Whether values are normalized.
    pub normalize: bool,
    /// Type of the values. [`Dtype::Int8`] needs `normalize` to be false.
    pub dtype: Dtype,
    /// The scaler of these columns to use, instead of one fitted on the training rows.
    pub scaler: Option<Scaler>,
    /// How much each row counts.
    pub weights: WeightOptions,
    /// What is changed in rows that a network should take for the same; `None` for nothing.
    pub augment: Option<Augment>,
    /// Rows of a batch, all ranks together; at least 1.
    pub batch_size: u64,
    /// Whether each epoch has a random order of its own.
    pub shuffle: bool,
    /// What the orders depend on, beside the epoch.
    pub seed: u64,
    /// Whether a last batch that is smaller than the others is left out.
    pub drop_last: bool,
    /// Which part of each batch is given, below `world_size`.
    pub rank: u64,
    /// Into how many parts each batch is cut; at least 1.
    pub world_size: u64,
    /// Threads that read the cache and make batches, at least 1.
    pub threads: usize,
}
