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

mod error;
mod existing;
mod files;
mod identical;
mod keep;
mod label_mappings;
mod manifest;
mod options;
mod phases;
mod publish;
mod run;
mod scaler_file;
mod size;
mod statistics;
mod summary;
mod writers;

pub use error::ExportError;
pub use existing::diff::{ExportDiff, ExportFacts, MeansDiff, MovedGame, SplitDiff, diff_exports};
pub use existing::folder::FolderError;
pub use existing::freshness::{Noted, stale_reasons, up_to_date};
pub use existing::overview::{ExportOverview, SplitOverview, overview};
pub use existing::verify::{ExportFault, ExportVerification, verify_export};
pub use keep::{DatedExports, KeepError};
pub use manifest::{IdenticalGames, seal_manifest};
pub use options::{ExportOptions, Layout};
pub use publish::{PublishError, export_around};
pub use run::export;
pub use scaler_file::{ColumnDrift, ColumnScale, ExportedScaler, read_columns};
pub use statistics::ClassCounts;
pub use summary::{ExportSummary, SplitSummary};
