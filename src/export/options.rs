//! Options of an export.

use crate::dataset::{DatasetOptions, Dtype, MaskSource};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// The file format of a split.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Layout {
    /// `X` as `.npy`; labels and masks as one `.npz` each.
    #[default]
    Npz,
    /// `X` as `.npy`; labels and masks as one `.npy` per head, which `np.load` can memory-map.
    Npy,
    /// One Parquet file.
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

/// The options of an export.
#[derive(Clone, Debug)]
pub struct ExportOptions {
    /// The folder to replace.
    pub out: PathBuf,
    /// The selection of games, the split and the columns.
    pub dataset: DatasetOptions,
    /// The source of the masks.
    pub masks: MaskSource,
    /// Whether `X` is normalized.
    pub normalize: bool,
    /// Element type of `X`. [`Dtype::Int8`] requires `normalize` to be false.
    pub dtype: Dtype,
    /// An earlier export whose scaler is used instead of one fitted to the training rows.
    pub scaler_from: Option<PathBuf>,
    /// The file format.
    pub layout: Layout,
    /// Worker threads, at least 1.
    pub jobs: usize,
    /// Whether to report resident memory.
    pub monitor_memory: bool,
}
