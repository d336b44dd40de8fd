//! Errors of datasets.

use super::scaler::ScalerError;
use super::split::SplitError;
use crate::accounting::Unaccounted;
use crate::cache::{CacheError, ExpressionError};
use crate::words::{advised, shown};
use std::path::PathBuf;

/// Why a dataset cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum DatasetError {
    /// The cache is empty.
    #[error(
        "the cache holds no games: run `{}` first; `{}` says why logs were not ingested",
        advised("ingest DIR", cache),
        advised("status DIR", cache)
    )]
    NoGames {
        /// The cache file.
        cache: PathBuf,
    },
    /// Rows of two encoders must not be mixed in one array.
    #[error(
        "{} encoded by another version of prep: run `{}` first, which encodes {} again (an ingest without --keep-missing drops games whose log is missing)",
        if *games == 1 { "1 cached game was".to_owned() } else { format!("{games} cached games were") },
        advised("ingest DIR", cache),
        if *games == 1 { "it" } else { "them" }
    )]
    OtherEncoder {
        /// The cache file.
        cache: PathBuf,
        /// Number of these games.
        games: usize,
    },
    /// Games that do not replay should be excluded, but some games have not been replayed.
    #[error(
        "{} not been replayed: run `{}` first, which replays {} (an ingest \
         without --keep-missing drops games whose log is missing)",
        if *games == 1 { "1 cached game has".to_owned() } else { format!("{games} cached games have") },
        advised("ingest DIR", cache),
        if *games == 1 { "it" } else { "them" }
    )]
    NotReplayed {
        /// The cache file.
        cache: PathBuf,
        /// Number of these games.
        games: usize,
    },
    /// All games are excluded because they do not replay.
    #[error(
        "{games} of {cached} cached games {} not replay, and no other game can be used: the view \
         replay_faults of the cache lists the faults of {}",
        if *games == 1 { "does" } else { "do" },
        if *games == 1 { "it" } else { "them" }
    )]
    NoneReplays {
        /// Number of games that do not replay.
        games: usize,
        /// Games in the cache.
        cached: usize,
    },
    /// The condition is invalid, see [`GameList`](crate::cache::GameList).
    #[error(transparent)]
    Condition(#[from] ExpressionError),
    /// No game meets the condition.
    #[error("none of {cached} cached games meets the condition `{}`", shown(condition))]
    NoneSelected {
        /// The condition.
        condition: String,
        /// Games in the cache.
        cached: usize,
    },
    /// The cached sums of a column are impossible.
    #[error(
        "the cached sums of {column} are impossible: an ingest with --rebuild creates the cache again \
         from the logs"
    )]
    ImpossibleSums {
        /// Name of the column.
        column: &'static str,
    },
    /// An error of the cache.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// Games could not be assigned to splits.
    #[error(transparent)]
    Split(#[from] SplitError),
    /// The scaler could not be fitted.
    #[error(transparent)]
    Fit(#[from] ScalerError),
    /// Not every game was counted.
    #[error(transparent)]
    Unaccounted(#[from] Unaccounted),
}
