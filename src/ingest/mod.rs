//! Ingest: find the logs, hash them, encode the new and changed ones, store them.
//!
//! First the cache is read: every game is checked by its checksums, so that damage is known before anything
//! is written. Then threads take logs one after another: read, hash, compare with the cache, encode and
//! compress if stale. Their results go in order of the game ids to the one writer, which commits every so
//! many games.
//!
//! A log that cannot be read is refused, and one that is still being written is deferred to the next run;
//! the others are ingested. A kill or a full disk loses the open batch and nothing else. If a folder has
//! lost more than a fifth of its logs, its disk is probably not mounted: nothing is deleted.

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
pub use find::{FoundLogs, LogFile, check_for_logs, find_logs, game_id_of, leads_elsewhere};
pub use game_status::{
    GameStatus, GameVersion, ReplayStatus, STATUS_NAMES, StatusCounts, StatusEntry,
};
pub use run::{IngestOptions, ingest};
pub use status::{StatusOptions, StatusReport, status};
pub use summary::{Affected, CacheTotals, IngestSummary, NotReplaying};
pub use verify::{Finding, FindingKind, LogChange, VerifyOptions, VerifyReport, verify};
pub use whole_file::{DEFAULT_SETTLE, MAX_LOG_BYTES};

use crate::accounting::Unaccounted;
use crate::cache::CacheError;
use crate::parallel::ThreadError;
use crate::words::{shell_path, shown};
use std::io;
use std::path::PathBuf;

/// Why an ingest could not go on.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    /// The data folder is not there.
    #[error(
        "there is no folder {}: give the folder that holds the logs; if you have none yet, \
         `prep simulate DIR --games 60` makes some", shown(.0)
    )]
    NoFolder(PathBuf),
    /// The data folder is a file.
    #[error(
        "{} is a file: give the folder that holds the logs, such as {}",
        shown(file),
        shell_path(folder)
    )]
    NotAFolder {
        /// What was given.
        file: PathBuf,
        /// The folder it is in.
        folder: PathBuf,
    },
    /// The data folder holds no logs.
    #[error(
        "no logs found in {}: looked there and in all folders below for *.csv files named after a \
         game id, such as 2_games/17.csv; {instead}",
        shown(root)
    )]
    NoLogs {
        /// The data folder.
        root: PathBuf,
        /// What is there, and what could be done about it.
        instead: String,
    },
    /// A folder could not be searched.
    #[error(
        "cannot search {}: {}: all of it must be readable, or its games would be taken for deleted",
        shown(root), shown(&error.to_string())
    )]
    Search {
        /// The data folder.
        root: PathBuf,
        /// The system's reason.
        error: walkdir::Error,
    },
    /// The cache failed.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// Not every log or game was looked at.
    #[error(transparent)]
    Unaccounted(#[from] Unaccounted),
    /// The worker threads could not be started.
    #[error(transparent)]
    Threads(#[from] ThreadError),
}

impl From<io::Error> for IngestError {
    /// Of a compressor that could not be made.
    fn from(error: io::Error) -> IngestError {
        CacheError::from(error).into()
    }
}
