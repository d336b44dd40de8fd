//! Exports: the cache's rows as arrays that a network trains on.
//!
//! **How it works.** One snapshot of the cache gives the list of games; [`assign`] puts each into a
//! split; the exact sums of the training games give the [`Scaler`]. Then games are read in
//! ascending order, unpacked and normalised by worker threads, and written in order by one writer
//! ([`NpyWriter`], or one Parquet file a split), a few thousand rows at a time. At last the finished
//! folder takes the place of the old one at once ([`Staging`]).
//!
//! **Memory** is that of the rows under way, however many games there are; of every game 29 bytes are
//! kept until the end.
//!
//! **Why the bytes are always the same.** An export is a function of the cache's content and the
//! options: which games go where comes from their ids, the scaler from whole numbers that add up
//! the same in any order, rows stand in order of game id, and no file carries a time stamp or a
//! path.
//!
//! **What it does not do.** It encodes nothing and keeps no state: feature set, masks,
//! normalisation and split are chosen anew each time.

mod block;
mod cell_table;
mod columns;
mod diff;
mod disk_use;
mod dtype;
mod early_sync;
mod exported_scaler;
mod feature_values;
mod files;
mod fingerprint;
mod games;
mod label_mappings;
mod manifest;
mod npy;
mod options;
mod overview;
mod parquet_schema;
mod parquet_shape;
mod parquet_writer;
mod phases;
mod publish;
mod receipt;
mod report;
mod row_writer;
mod run;
mod scaler;
mod scaler_file;
mod shapes;
mod spare;
mod split;
mod split_writer;
mod training_sums;
mod verify;

pub use cell_table::{CellTable, Misfit};
pub use diff::{
    DiffError, ExportDiff, ExportFacts, MeansDiff, MovedGame, NoMeans, SplitDiff, diff_exports,
};
pub use dtype::Dtype;
pub use exported_scaler::{ColumnScale, ExportedScaler};
pub use fingerprint::IdenticalGames;
pub use manifest::seal_manifest;
pub use npy::{NpyError, NpyWriter, pack_npz};
pub use options::{ExportOptions, Layout};
pub use overview::{ExportOverview, HeadOverview, OverviewError, SplitOverview, overview};
pub use publish::{PublishError, Staging, check_replaceable};
pub use run::{ExportSummary, SplitSummary, export};
pub use scaler::{Scaler, ScalerError};
pub use scaler_file::{ColumnDrift, scaler_id};
pub use split::{Split, SplitError, SplitMethod, assign};
pub use verify::{ExportFault, ExportVerification, verify_export};

use crate::accounting::Unaccounted;
use crate::cache::CacheError;
use crate::disk_space::{free_in_words, is_of_full_disk, needed_in_words, quota_in_words};
use crate::gamelog::GameId;
use std::path::{Path, PathBuf};

/// Why nothing was exported. The output folder is as it was; [`PublishError`] has the exception.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// There is nothing to export.
    #[error(
        "the cache holds no games: run `prep ingest DIR --cache {cache}` first; `prep status DIR \
         --cache {cache}` says why logs did not go in", cache = cache.display()
    )]
    NoGames {
        /// The cache file.
        cache: PathBuf,
    },
    /// Rows of two encoders must not be mixed in one array.
    #[error(
        "{} encoded by another version of prep: run `prep ingest DIR --cache {}` first, which \
         encodes {} anew (a game that --keep-missing kept leaves with an ingest without that flag)",
        if *games == 1 { "1 cached game was".to_owned() } else { format!("{games} cached games were") },
        cache.display(),
        if *games == 1 { "it" } else { "them" }
    )]
    OtherEncoder {
        /// The cache file.
        cache: PathBuf,
        /// How many.
        games: usize,
    },
    /// The scaler of `--scaler-from` cannot be used.
    #[error("cannot use the scaler of {}: {why}", export.display())]
    Scaler {
        /// The earlier export.
        export: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// [`Dtype::Int8`] was asked for with normalisation.
    #[error("int8 holds whole numbers, and normalised values are none: export with --no-normalize")]
    NormalizedIntegers,
    /// A value is not one of the type that is to be written.
    #[error(
        "game {game_id}: {column} is {value}, which {} does not hold: \
         export with --dtype float32",
        dtype.name()
    )]
    DoesNotFit {
        /// The game.
        game_id: GameId,
        /// Name of the column.
        column: &'static str,
        /// The value, normalised if the export is.
        value: f64,
        /// The type.
        dtype: Dtype,
    },
    /// The cached sums of a column are none that whole numbers can have.
    #[error(
        "the cached sums of {column} cannot come from its rows: delete the cache file and \
         run `prep ingest`, which makes it anew from the logs"
    )]
    ImpossibleSums {
        /// Name of the column.
        column: &'static str,
    },
    /// The disk has too little room, which is known before anything is written.
    #[error(
        "the export to {} needs {} and {} there: free some space, or choose another disk with --out",
        out.display(), needed_in_words(*needed), free_in_words(Some(*free))
    )]
    NoRoom {
        /// The folder to replace.
        out: PathBuf,
        /// Bytes that the export takes at its fullest moment, beside the old one.
        needed: u64,
        /// Bytes that are free.
        free: u64,
    },
    /// The disk was full before the export was done.
    #[error(
        "the disk is full: the export to {} needs {}, and {}{}: free some space, or choose another \
         disk with --out",
        out.display(), needed_in_words(*needed), free_in_words(*free),
        quota_in_words(*needed, *free)
    )]
    DiskFull {
        /// The folder to replace.
        out: PathBuf,
        /// Bytes that the export takes at its fullest moment, beside the old one.
        needed: u64,
        /// Bytes that are free now that what was written is removed, if known.
        free: Option<u64>,
    },
    /// A file of the export could not be written.
    #[error("cannot write {}: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        error: std::io::Error,
    },
    /// The folder of an export could not be listed.
    #[error("cannot read the export {}: {error}: give the folder that `prep export` wrote", path.display())]
    Unreadable {
        /// The folder.
        path: PathBuf,
        /// The system's reason.
        error: std::io::Error,
    },
    /// A file of an export is there and could not be read.
    #[error("cannot read {}: {error}: check that it is a file and may be read", path.display())]
    UnreadableFile {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        error: std::io::Error,
    },
    /// Ctrl-C.
    #[error("interrupted: the output folder is as it was")]
    Interrupted,
    /// The cache failed.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// Games could not be assigned to splits.
    #[error(transparent)]
    Split(#[from] SplitError),
    /// The scaler could not be fitted.
    #[error(transparent)]
    Fit(#[from] ScalerError),
    /// An array could not be written.
    #[error(transparent)]
    Npy(#[from] NpyError),
    /// The folder could not be published.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// Not every game or row was written.
    #[error(transparent)]
    Unaccounted(#[from] Unaccounted),
    /// The worker threads could not be started.
    #[error("cannot start worker threads")]
    Threads(#[from] rayon::ThreadPoolBuildError),
}

impl ExportError {
    fn file(path: &Path, error: std::io::Error) -> ExportError {
        ExportError::File { path: path.to_owned(), error }
    }

    /// Of the disk that is written to; that of the cache has an error of its own.
    fn is_of_full_disk(&self) -> bool {
        match self {
            ExportError::File { error, .. } => is_of_full_disk(error),
            // More has to be said than that.
            ExportError::Publish(PublishError::NotRestored { .. }) => false,
            error => is_of_full_disk(error),
        }
    }
}
