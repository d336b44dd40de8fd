//! Exports: the cache's rows as arrays that a network trains on.
//!
//! A [`Dataset`](crate::dataset::Dataset) says which games there are and in which split each is. Worker
//! threads decode and normalize them, and one writer writes them in ascending order: NumPy arrays, or
//! one Parquet file for each split. At last the finished folder replaces the old one at
//! once.
//!
//! Memory is bounded: only some thousand rows are decoded at a time, however many games there are.
//!
//! The bytes of an export are a function of the content of the cache and the options: the split and
//! the scaler of a dataset are, rows are in the order of game ids, and no file holds a time stamp or a
//! path.

mod arrays;
mod block;
mod diff;
mod error;
mod features;
mod files;
mod folder;
mod freshness;
mod identical;
mod keep;
mod label_mappings;
mod manifest;
mod manifest_values;
mod npy;
mod options;
mod overview;
mod parquet_schema;
mod parquet_shape;
mod parquet_writer;
mod phases;
mod publish;
mod read_arrays;
mod run;
mod scaler_file;
mod size;
mod split_writer;
mod statistics;
mod summary;
mod verify;

pub use diff::{ExportDiff, ExportFacts, MeansDiff, MovedGame, SplitDiff, diff_exports};
pub use error::ExportError;
pub use folder::FolderError;
pub use freshness::{Noted, stale_reasons, up_to_date};
pub use keep::{DatedExports, KeepError};
pub use manifest::{IdenticalGames, seal_manifest};
pub use options::{ExportOptions, Layout};
pub use overview::{ExportOverview, SplitOverview, overview};
pub use publish::{PublishError, export_around};
pub use run::export;
pub use scaler_file::{ColumnDrift, ColumnScale, ExportedScaler, read_columns};
pub use statistics::ClassCounts;
pub use summary::{ExportSummary, SplitSummary};
pub use verify::{ExportFault, ExportVerification, verify_export};
