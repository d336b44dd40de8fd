//! What to export, and how.

use crate::dataset::{DatasetOptions, Dtype, MaskSource};
use std::path::PathBuf;

/// What files the rows of a split are stored in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Layout {
    /// `X` as `.npy`; one `.npz` a split for labels and one for masks.
    #[default]
    Npz,
    /// `X` as `.npy`; labels and masks as one `.npy` a head, which `np.load` can map into memory.
    Npy,
    /// All of a split in one Parquet file.
    Parquet,
}

impl Layout {
    /// `npz`, `npy` or `parquet`.
    pub const fn name(self) -> &'static str {
        match self {
            Layout::Npz => "npz",
            Layout::Npy => "npy",
            Layout::Parquet => "parquet",
        }
    }
}

/// What to export, and where to.
#[derive(Clone, Debug)]
pub struct ExportOptions {
    /// The folder to replace.
    pub out: PathBuf,
    /// Which columns, and which games are in which split.
    pub dataset: DatasetOptions,
    /// Which masks.
    pub masks: MaskSource,
    /// Whether `X` is normalized.
    pub normalize: bool,
    /// Type of the values of `X`. [`Dtype::Int8`] needs `normalize` to be false.
    pub dtype: Dtype,
    /// An earlier export whose scaler to use, instead of one fitted on the training rows.
    pub scaler_from: Option<PathBuf>,
    /// What files the rows are stored in.
    pub layout: Layout,
    /// Worker threads, at least 1.
    pub jobs: usize,
    /// Report resident memory.
    pub monitor_memory: bool,
}
