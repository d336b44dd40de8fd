//! Options of a stream.

use super::weights::WeightOptions;
use crate::dataset::{DatasetOptions, Dtype, MaskSource, Scaler, Split};

/// A random change of rows that does not change their meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Augment {
    /// Reorders slots whose order has no meaning, see
    /// [`PackedRow::reorder_slots`](crate::encode::PackedRow::reorder_slots).
    Slots,
}

impl Augment {
    /// All choices.
    pub const ALL: [Augment; 1] = [Augment::Slots];

    /// The name in options.
    pub const fn name(self) -> &'static str {
        match self {
            Augment::Slots => "slots",
        }
    }
}

/// The options of a stream. Options shared with exports have the same meaning.
#[derive(Clone, Debug)]
pub struct StreamOptions {
    /// The selection of games, the split and the columns.
    pub dataset: DatasetOptions,
    /// The split of the rows.
    pub split: Split,
    /// The source of the masks.
    pub masks: MaskSource,
    /// Whether values are normalized.
    pub normalize: bool,
    /// Element type of the values. [`Dtype::Int8`] requires `normalize` to be false.
    pub dtype: Dtype,
    /// A scaler for these columns, which is used instead of one fitted to the training rows.
    pub scaler: Option<Scaler>,
    /// The weights of rows.
    pub weights: WeightOptions,
    /// The augmentation; `None` for no change.
    pub augment: Option<Augment>,
    /// Number of rows of a batch over all ranks, at least 1.
    pub batch_size: u64,
    /// Whether each epoch has its own random order.
    pub shuffle: bool,
    /// Seed of the orders.
    pub seed: u64,
    /// Whether a smaller last batch is dropped.
    pub drop_last: bool,
    /// The part of each batch that this stream gives, below `world_size`.
    pub rank: u64,
    /// The number of parts of each batch, at least 1.
    pub world_size: u64,
    /// Number of threads that read the cache and make batches, at least 1.
    pub threads: usize,
}
