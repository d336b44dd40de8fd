//! All rows of one game, and their sums.

use super::feature::Value;
use super::labels::{LabelRow, labels};
use super::layout::FEATURE_COUNT;
use super::masks::{MaskRow, masks};
use super::{FeatureRow, features};
use crate::gamelog::Turn;

/// The encoded rows of a game, in the order they were logged.
///
/// The same buffers serve game after game: [`clear`](Self::clear) keeps their memory.
#[derive(Clone, Debug, Default)]
pub struct EncodedGame {
    turn_numbers: Vec<i32>,
    /// As many as the longest game so far has had. The rows of this game stand first, and are written
    /// in their places.
    features: Vec<FeatureRow>,
    labels: Vec<LabelRow>,
    masks: Vec<MaskRow>,
}

impl EncodedGame {
    /// Empties it for another game.
    pub fn clear(&mut self) {
        self.turn_numbers.clear();
        self.labels.clear();
        self.masks.clear();
    }

    /// Encodes a turn and adds its row.
    pub fn push(&mut self, turn: &Turn) {
        let row = self.turn_numbers.len();
        self.turn_numbers.push(turn.turn_number.into());
        self.labels.push(labels(&turn.action));
        self.masks.push(masks(&turn.board));
        if row == self.features.len() {
            self.features.push([0; FEATURE_COUNT]);
        }
        features(&turn.board, &mut self.features[row]);
    }

    /// Turn numbers, one a row.
    pub fn turn_numbers(&self) -> &[i32] {
        &self.turn_numbers
    }

    /// Features before normalisation, one array a row.
    pub fn features(&self) -> &[FeatureRow] {
        &self.features[..self.turn_numbers.len()]
    }

    /// Labels, one array a row.
    pub fn labels(&self) -> &[LabelRow] {
        &self.labels
    }

    /// Masks, one array a row.
    pub fn masks(&self) -> &[MaskRow] {
        &self.masks
    }

    /// Exact sums of every feature column.
    pub fn column_sums(&self) -> ColumnSums {
        let mut sums =
            ColumnSums { rows: self.features().len() as u64, ..ColumnSums::zero(FEATURE_COUNT) };
        for row in self.features() {
            for (column, &value) in row.iter().enumerate() {
                sums.sum[column] += i64::from(value);
                sums.sum_of_squares[column] += i64::from(value).pow(2);
            }
        }
        sums
    }
}

/// How many rows there are, and for each feature column the sum and the sum of squares over them.
///
/// Whole numbers, so that they come out the same in whatever order games are added up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnSums {
    /// Rows summed.
    pub rows: u64,
    /// Sum of each column.
    pub sum: Vec<i64>,
    /// Sum of the squares of each column.
    pub sum_of_squares: Vec<i64>,
}

impl ColumnSums {
    /// Of no rows.
    pub fn zero(columns: usize) -> ColumnSums {
        ColumnSums { rows: 0, sum: vec![0; columns], sum_of_squares: vec![0; columns] }
    }

    /// The sum and the sum of squares of one column's values.
    pub fn of_column(values: &[Value]) -> (i64, i64) {
        // 32 bits hold the sums of 100,000 rows (110 squared is 12,100), and the processor adds twice
        // as many of them at once as of 64.
        values.chunks(100_000).fold((0, 0), |(sum, sum_of_squares), part| {
            let values = || part.iter().map(|&value| i32::from(value));
            let squares = values().map(|value| value * value);
            (
                sum + i64::from(values().sum::<i32>()),
                sum_of_squares + i64::from(squares.sum::<i32>()),
            )
        })
    }

    /// Adds other rows' sums.
    ///
    /// # Panics
    /// If `other` has another number of columns.
    pub fn add(&mut self, other: &ColumnSums) {
        assert_eq!(self.sum.len(), other.sum.len(), "sums of as many columns");
        self.rows += other.rows;
        for (sum, more) in self.sum.iter_mut().zip(&other.sum) {
            *sum += more;
        }
        for (sum, more) in self.sum_of_squares.iter_mut().zip(&other.sum_of_squares) {
            *sum += more;
        }
    }
}
