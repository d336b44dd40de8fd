//! All rows of one game, and their sums.

use super::decode::{BaseRow, complete};
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
        features(&turn.board, self.next_features());
        self.turn_numbers.push(turn.turn_number.into());
        self.labels.push(labels(&turn.action));
        self.masks.push(masks(&turn.board));
    }

    /// Adds a row of which the base features were kept; `None` if they tell no position.
    pub fn push_kept(
        &mut self,
        turn_number: i32,
        base: &BaseRow,
        labels: LabelRow,
        masks: MaskRow,
    ) -> Option<()> {
        complete(base, self.next_features())?;
        self.turn_numbers.push(turn_number);
        self.labels.push(labels);
        self.masks.push(masks);
        Some(())
    }

    /// Where the features of the next row go.
    fn next_features(&mut self) -> &mut FeatureRow {
        let row = self.turn_numbers.len();
        if row == self.features.len() {
            self.features.push([0; FEATURE_COUNT]);
        }
        &mut self.features[row]
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
        let mut sums = ColumnSums::zero(FEATURE_COUNT);
        sums.add_rows(self.features());
        sums
    }
}

/// Sums of so many values, of seven bits and a sign, fit into an `i16`.
const MOST_ROWS_IN_16_BITS: usize = 1 << (i16::BITS - Value::BITS);
/// Sums of so many squares fit into a `u16`: the largest is 128 times 128.
const MOST_SQUARES_IN_16_BITS: usize = 3;

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
        // In 16 bits, where they fit: the processor adds four times as many such numbers at once as
        // of 64 bits.
        for rows in rows.chunks(MOST_ROWS_IN_16_BITS) {
            let mut sums = [0_i16; FEATURE_COUNT];
            let mut sums_of_squares = [0_u32; FEATURE_COUNT];
            for rows in rows.chunks(MOST_SQUARES_IN_16_BITS) {
                let row = |place: usize| rows.get(place).unwrap_or(&[0; FEATURE_COUNT]);
                let rows = [row(0), row(1), row(2)];
                for column in 0..FEATURE_COUNT {
                    let values = rows.map(|row| i16::from(row[column]));
                    let squares = values.map(|value| (value * value) as u16);
                    sums[column] += values[0] + values[1] + values[2];
                    sums_of_squares[column] += u32::from(squares[0] + squares[1] + squares[2]);
                }
            }
            for column in 0..FEATURE_COUNT {
                self.sum[column] += i64::from(sums[column]);
                self.sum_of_squares[column] += i64::from(sums_of_squares[column]);
            }
        }
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
