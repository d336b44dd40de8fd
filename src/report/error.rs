//! Errors of reports.

use crate::accounting::Unaccounted;
use crate::cache::CacheError;
use crate::export::FolderError;
use crate::parallel::ThreadError;
use crate::words::advised;
use std::path::PathBuf;

/// Errors of reports.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// There is nothing to report on.
    #[error("the cache holds no games: run `{}` first", advised("ingest DIR", cache))]
    NoGames {
        /// The cache file.
        cache: PathBuf,
    },
    /// All cached games were encoded by another version of prep.
    #[error(
        "{} of the cache encoded by another version of prep, whose columns are unknown: \
         run `{}` first, which encodes {} again",
        if *games == 1 { "the only game was".to_owned() } else { format!("all {games} games were") },
        advised("ingest DIR", cache),
        if *games == 1 { "it" } else { "them" }
    )]
    OtherEncoder {
        /// The cache file.
        cache: PathBuf,
        /// Number of games.
        games: usize,
    },
    /// Ctrl-C.
    #[error("interrupted: no report was written")]
    Interrupted,
    /// An error of the cache.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// Not every row was counted.
    #[error(transparent)]
    Unaccounted(#[from] Unaccounted),
    /// The folder of `--export` or `--against` could not be read.
    #[error(transparent)]
    Export(#[from] FolderError),
    /// The threads could not be started.
    #[error(transparent)]
    Threads(#[from] ThreadError),
}
