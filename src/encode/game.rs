//! All rows of one game, and their sums.

use super::base::{BaseRow, decode};
use super::labels::{LabelRow, labels};
use super::masks::{MaskRow, masks};
use super::{FEATURE_COUNT, FeatureRow, features};
use crate::gamelog::Turn;
use crate::rules::Board;

/// The positions of a game with their encoded rows, in the order they were logged.
///
/// The same buffers serve game after game: [`clear`](Self::clear) keeps their memory.
#[derive(Clone, Debug, Default)]
pub struct EncodedGame {
    turn_numbers: Vec<i32>,
    boards: Vec<Board>,
    features: Vec<FeatureRow>,
    labels: Vec<LabelRow>,
    masks: Vec<MaskRow>,
}

impl EncodedGame {
    /// Empties it for another game.
    pub fn clear(&mut self) {
        self.turn_numbers.clear();
        self.boards.clear();
        self.features.clear();
        self.labels.clear();
        self.masks.clear();
    }

    /// Encodes a turn and adds its row.
    pub fn push(&mut self, turn: &Turn) {
        self.features.push([0; FEATURE_COUNT]);
        if let Some(row) = self.features.last_mut() {
            features(&turn.board, row);
        }
        self.boards.push(turn.board.clone());
        self.turn_numbers.push(turn.turn_number.into());
        self.labels.push(labels(&turn.action));
        self.masks.push(masks(&turn.board));
    }

    /// Adds the row of a position that is given by its base features; `None` if there is no such
    /// position.
    pub fn push_base(
        &mut self,
        turn_number: i32,
        base: &BaseRow,
        labels: LabelRow,
        masks: MaskRow,
    ) -> Option<()> {
        let mut row = [0; FEATURE_COUNT];
        self.boards.push(decode(base, &mut row)?);
        self.features.push(row);
        self.turn_numbers.push(turn_number);
        self.labels.push(labels);
        self.masks.push(masks);
        Some(())
    }

    /// Turn numbers, one a row.
    pub fn turn_numbers(&self) -> &[i32] {
        &self.turn_numbers
    }

    /// Positions, one a row.
    pub fn boards(&self) -> &[Board] {
        &self.boards
    }

    /// Features before normalization, one array a row.
    pub fn features(&self) -> &[FeatureRow] {
        &self.features
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
        let mut sums = ColumnSums::zero(FEATURE_COUNT);
        sums.add_rows(self.features());
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

    /// Adds rows of all features.
    ///
    /// # Panics
    /// If these are not sums of all features.
    pub fn add_rows(&mut self, rows: &[FeatureRow]) {
        assert_eq!(self.sum.len(), FEATURE_COUNT, "sums of as many columns");
        self.rows += rows.len() as u64;
        // In 16 and 32 bits, where the sums of so many values fit: one instruction adds several of them.
        for rows in rows.chunks(1 << 7) {
            let mut sums = [0_i16; FEATURE_COUNT];
            let mut sums_of_squares = [0_i32; FEATURE_COUNT];
            for row in rows {
                for (column, &value) in row.iter().enumerate() {
                    let value = i16::from(value);
                    sums[column] += value;
                    sums_of_squares[column] += i32::from(value * value);
                }
            }
            for column in 0..FEATURE_COUNT {
                self.sum[column] += i64::from(sums[column]);
                self.sum_of_squares[column] += i64::from(sums_of_squares[column]);
            }
        }
    }

    /// Adds a column with these values of the rows.
    pub fn push_column(&mut self, values: impl IntoIterator<Item = i32>) {
        let (mut sum, mut sum_of_squares) = (0, 0);
        for value in values {
            sum += i64::from(value);
            sum_of_squares += i64::from(value) * i64::from(value);
        }
        self.sum.push(sum);
        self.sum_of_squares.push(sum_of_squares);
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
