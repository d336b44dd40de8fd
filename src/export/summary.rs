//! The summary of an export.

use super::manifest::IdenticalGames;
use super::scaler_file::ColumnDrift;
use crate::cache::Refusal;
use crate::dataset::{FaultyGame, Split};

/// The summary of an export.
#[derive(Clone, Debug)]
pub struct ExportSummary {
    /// Whether nothing was written, because the export was [up to date](super::up_to_date).
    pub up_to_date: bool,
    /// Each split, in order.
    pub splits: Vec<SplitSummary>,
    /// Number of columns of `X`.
    pub columns: usize,
    /// Size of all files except the manifest in bytes.
    pub bytes: u64,
    /// Whether the last ingest finished; if not, games may be missing.
    pub last_ingest_finished: bool,
    /// Games that are excluded because their logs were refused or deferred.
    pub excluded: Vec<Refusal>,
    /// Games with the rows of an older log, because the log was refused or deferred since.
    pub outdated: Vec<Refusal>,
    /// Games that do not replay, in ascending order. They are excluded with `replayable_only`.
    pub does_not_replay: Vec<FaultyGame>,
    /// The number of games that an earlier version of prep stored without replaying them.
    pub not_replayed: usize,
    /// The number of cached games that do not meet the condition.
    pub not_selected: u64,
    /// Games with identical rows.
    pub identical_games: Vec<IdenticalGames>,
    /// With `scaler_from`: the drift of each normalized column, largest first.
    pub drift: Option<Vec<ColumnDrift>>,
}

/// The summary of a split.
#[derive(Clone, Copy, Debug)]
pub struct SplitSummary {
    /// The split.
    pub split: Split,
    /// Number of games.
    pub games: usize,
    /// Number of rows.
    pub rows: u64,
    /// Number of labels that are not legal under their mask, over all heads.
    pub illegal_labels: u64,
}
