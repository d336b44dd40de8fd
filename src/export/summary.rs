//! The summary of an export.

use super::manifest::IdenticalGames;
use super::scaler_file::ColumnDrift;
use crate::dataset::{Selection, Split};

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
    /// The games that are excluded, or included with a restriction.
    pub selection: Selection,
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
