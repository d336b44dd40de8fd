//! The exact sums of an export's training rows, for all its columns.
//!
//! `scaler.npz` would not do to see what the data is like: with `--scaler-from` it is of other
//! rows, and it says nothing of flags and places, which are not normalised. These are written
//! with every export, as `training_sums` of `preprocessing_stats.json`, and read by `prep diff`.

use super::columns::ExportedColumns;
use super::scaler::{Scaler, ScalerError};
use crate::encode::ColumnSums;
use serde::{Deserialize, Serialize};

/// Where they stand in [`STATS_FILE`].
pub(super) const TRAINING_SUMS: &str = "training_sums";
/// The file's name in an export.
pub(super) const STATS_FILE: &str = "preprocessing_stats.json";

/// Whole numbers, one a column.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct TrainingSums {
    rows: u64,
    sum: Vec<i64>,
    sum_of_squares: Vec<i64>,
}

impl TrainingSums {
    /// Those of the exported columns. `sums` are in the encoder's order.
    pub(super) fn of(sums: &ColumnSums, columns: &ExportedColumns) -> TrainingSums {
        TrainingSums {
            rows: sums.rows,
            sum: columns.choose(&sums.sum),
            sum_of_squares: columns.choose(&sums.sum_of_squares),
        }
    }

    /// Whether there are no training rows.
    pub(super) fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Mean and spread of every column, also of those that no export normalises.
    pub(super) fn fit_all(self) -> Result<Scaler, ScalerError> {
        let TrainingSums { rows, sum, sum_of_squares } = self;
        let every_column = vec![true; sum.len()];
        Scaler::fit(&ColumnSums { rows, sum, sum_of_squares }, &every_column)
    }
}

/// What is read back of [`STATS_FILE`].
#[derive(Deserialize)]
pub(super) struct Stats {
    /// Exports of older versions of prep have none.
    pub(super) training_sums: Option<TrainingSums>,
}
