//! What an export reports.

use super::manifest::IdenticalGames;
use super::scaler_file::ColumnDrift;
use crate::cache::Refusal;
use crate::dataset::{FaultyGame, Split};

/// What was exported.
#[derive(Clone, Debug)]
pub struct ExportSummary {
    /// Whether nothing was written, because the export was [up to date](super::up_to_date).
    pub up_to_date: bool,
    /// Each split, in order.
    pub splits: Vec<SplitSummary>,
    /// Columns of `X`.
    pub columns: usize,
    /// Bytes of all files but the manifest.
    pub bytes: u64,
    /// Whether the last ingest finished; if not, games may be missing.
    pub last_ingest_finished: bool,
    /// Games that are missing because their logs were refused or deferred.
    pub excluded: Vec<Refusal>,
    /// Games with the rows of an older log, because the log was refused or deferred since.
    pub outdated: Vec<Refusal>,
    /// Games that do not replay, in ascending order. They are left out with `replayable_only`.
    pub does_not_replay: Vec<FaultyGame>,
    /// How many games are there that an older prep stored without replaying them.
    pub not_replayed: usize,
    /// How many cached games do not meet the condition.
    pub not_selected: u64,
    /// Games with the same rows as another.
    pub identical_games: Vec<IdenticalGames>,
    /// With `scaler_from`: how far each normalized column's mean has moved, farthest first.
    pub drift: Option<Vec<ColumnDrift>>,
}

/// What one split holds.
#[derive(Clone, Copy, Debug)]
pub struct SplitSummary {
    /// Which.
    pub split: Split,
    /// Games in it.
    pub games: usize,
    /// Rows of those games.
    pub rows: u64,
    /// Labels that are not legal under their mask, over all heads.
    pub illegal_labels: u64,
}
