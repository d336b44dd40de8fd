//! Ingest: finds the logs, hashes them, encodes the new and changed ones, and stores them.
//!
//! First the cache is read, and every game is checked by its checksums, so that damage is detected
//! before anything is written. Then threads process the logs: they read, hash, compare with the cache,
//! and encode and compress stale games. A single writer stores the results in the order of game ids and
//! commits in batches.
//!
//! A log with an error is refused, and one that is still being written is deferred to the next run; the
//! others are ingested. A kill or a full disk loses only the current batch. If more than a fifth of the
//! cached games have no log, a disk is probably not mounted, and nothing is deleted.

mod batch;
mod cached;
mod compression;
mod examine;
mod find;
mod game_status;
mod phases;
mod run;
mod status;
mod summary;
mod verify;
mod whole_file;

pub use compression::read_log_file;
pub use find::{
    FoundLogs, LogFile, UnreadableFolder, check_for_logs, find_logs, game_id_of, leads_elsewhere,
};
pub use game_status::{
    GameStatus, GameVersion, ReplayStatus, StatusCounts, StatusEntry, status_names,
};
pub use run::{IngestOptions, ingest};
pub use status::{StatusOptions, StatusReport, status};
pub use summary::{Affected, CacheTotals, IngestSummary, NotReplaying};
pub use verify::{Finding, FindingKind, LogChange, VerifyOptions, VerifyReport, verify};
pub use whole_file::{DEFAULT_SETTLE, MAX_LOG_BYTES};

use crate::accounting::Unaccounted;
use crate::cache::CacheError;
use crate::parallel::ThreadError;
use crate::words::{counted, shell_path, shown};
use std::io;
use std::path::PathBuf;

/// Why an ingest failed.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages explain the fields")]
pub enum IngestError {
    /// The data folder does not exist.
    #[error(
        "there is no folder {}: give the folder that holds the logs; if you have none yet, `prep \
         simulate DIR --games 60` creates some", shown(.0)
    )]
    NoFolder(PathBuf),
    /// The data folder is a file.
    #[error(
        "{} is a file: give the folder that holds the logs, such as {}",
        shown(file),
        shell_path(folder)
    )]
    NotAFolder { file: PathBuf, folder: PathBuf },
    /// The data folder contains no logs.
    #[error(
        "no logs found in {}: searched it and its subfolders for *.csv files named after a game \
         id, such as 2_games/17.csv; {instead}",
        shown(root)
    )]
    NoLogs { root: PathBuf, instead: String },
    /// The data folder could not be searched.
    #[error("cannot search {}: {}", shown(root), shown(&error.to_string()))]
    Search { root: PathBuf, error: walkdir::Error },
    /// The data folder, or many of its logs, were deleted, moved or unmounted during the run.
    #[error(
        "{} or many of its logs disappeared during the run ({} not read): is its disk still mounted? Run \
         this again when it is",
        shown(root),
        counted(*deleted, "log")
    )]
    Vanished { root: PathBuf, deleted: usize },
    /// Ctrl-C, before anything was changed.
    #[error("interrupted: nothing was changed")]
    Interrupted,
    /// The cache failed.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// Not every log or game was examined.
    #[error(transparent)]
    Unaccounted(#[from] Unaccounted),
    /// The worker threads could not be started.
    #[error(transparent)]
    Threads(#[from] ThreadError),
}

impl From<io::Error> for IngestError {
    /// The error of a compressor that could not be created.
    fn from(error: io::Error) -> IngestError {
        CacheError::from(error).into()
    }
}
