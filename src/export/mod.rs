//! Exports: writes the rows of the cache as arrays for training.
//!
//! A [`Dataset`](crate::dataset::Dataset) selects the games and assigns each to a split. Worker threads
//! decode and normalize them, and one writer writes them in ascending order, as NumPy arrays or as one
//! Parquet file per split. Finally the new folder replaces the old one atomically.
//!
//! Memory is bounded: only a few thousand rows are decoded at a time, regardless of the number of games.
//!
//! The bytes of an export are a function of the content of the cache and the options: so are the split
//! and the scaler of a dataset, rows are in the order of game ids, and no file contains a time stamp or
//! a path.

mod error;
mod existing;
mod files;
mod join;
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
pub use existing::freshness::{Noted, has_games_of, stale_reasons, up_to_date};
pub use existing::overview::{ExportOverview, SplitOverview, overview};
pub use existing::verify::{ExportFault, ExportVerification, verify_export};
pub use join::{JoinError, JoinSummary, join_shards};
pub use keep::{DatedExports, KeepError};
pub use manifest::IdenticalGames;
pub use options::{ExportOptions, Layout};
pub use publish::{PublishError, export_around};
pub use run::export;
pub use scaler_file::{ColumnDrift, ColumnScale, ExportedScaler, read_columns};
pub use statistics::ClassCounts;
pub use summary::{ExportSummary, SplitSummary};
