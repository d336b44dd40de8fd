//! Ingest: find the logs, hash them, encode the new and changed ones, store them.
//!
//! **How it works.** Worker threads take logs one after another: read, hash, compare with the
//! cache, encode and pack if stale. Their outcomes go through a short channel to the one writer,
//! which stores games and commits every so many. Before it takes in the first, it lists all cached games:
//! a file that does not hang together is found out before anything is written to it.
//!
//! **Memory** is flat however many games there are. The channel has a bound: workers wait when the writer
//! is behind. What the cache has of a game is read by the worker that has its log at hand, and dropped with
//! it. What is kept of every game until the end is its entry in the [list of logs](LogList), 12 bytes;
//! beyond that, only of those with which something is wrong.
//!
//! **What can go wrong, and what then.** A log that cannot be read is refused and the others go
//! in. One that is still being written is set aside: it is tried again by the next run. A kill loses the batch at hand and nothing else; so
//! does a full disk, and the run says how much more room the rest takes ([`Shortage`]). A folder that lost more than a fifth of
//! its logs is taken for a disk that is not mounted: nothing is removed.

mod disk_full;
mod examine;
mod find;
mod game_status;
mod log_list;
mod missing;
mod phases;
mod run;
mod status;
mod summary;
mod verify;
mod whole_file;
mod workers;
mod writer;

pub use disk_full::Shortage;
pub use find::{FoundLogs, LogFile, check_for_logs, find_logs, game_id_of};
pub use game_status::{GameStatus, GameVersion, StatusCounts, StatusEntry};
pub use log_list::LogList;
pub use missing::Missing;
pub use run::{IngestOptions, ingest};
pub use status::{StatusOptions, StatusReport, status};
pub use summary::{Affected, CacheTotals, IngestSummary};
pub use verify::{Finding, FindingKind, LogChange, VerifyOptions, VerifyReport, verify};

use crate::accounting::Unaccounted;
use crate::cache::CacheError;
use std::path::{Path, PathBuf};

/// Why an ingest could not go on.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    /// The data folder is not there.
    #[error(
        "there is no folder {}: give the folder that holds the logs; if you have none yet, \
         `prep simulate DIR --games 60` makes some", .0.display()
    )]
    NoFolder(PathBuf),
    /// The data folder is a file.
    #[error("{} is a file: give the folder that holds the logs, such as {}", file.display(), folder.display())]
    NotAFolder {
        /// What was given.
        file: PathBuf,
        /// The folder it lies in.
        folder: PathBuf,
    },
    /// The data folder holds no logs.
    #[error(
        "no logs found in {}: looked there and in all folders below for *.csv files named after a \
         game id, such as 2_games/17.csv; {instead}", root.display()
    )]
    NoLogs {
        /// The data folder.
        root: PathBuf,
        /// What is there, and what could be done about it.
        instead: String,
    },
    /// A folder could not be searched.
    #[error("cannot search {}: {error}: all of it must be readable, or its games would be taken for gone", root.display())]
    Search {
        /// The data folder.
        root: PathBuf,
        /// The system's reason.
        error: walkdir::Error,
    },
    /// There is no room for what is to be stored.
    #[error("{0}")]
    DiskFull(Shortage),
    /// The cache failed.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// Not every log or game was looked at.
    #[error(transparent)]
    Unaccounted(#[from] Unaccounted),
    /// The worker threads could not be started.
    #[error("cannot start worker threads")]
    Threads(#[from] rayon::ThreadPoolBuildError),
}

impl IngestError {
    /// Nothing in the folder is a log: says what is there instead.
    fn no_logs(root: &Path, found: &FoundLogs) -> IngestError {
        IngestError::NoLogs { root: root.to_owned(), instead: find::instead_of_logs(found) }
    }
}
