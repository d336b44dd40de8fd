//! All rows of one game, and their sums.

use super::labels::{LabelRow, labels};
use super::masks::{MaskRow, masks};
use super::{FEATURE_COUNT, FeatureRow, Value, features};
use crate::gamelog::Turn;
use crate::rules::Board;

/// The positions of a game with their encoded rows, in the order they were logged.
///
/// The buffers can be reused: [`clear`](Self::clear) keeps their memory.
#[derive(Clone, Debug, Default)]
pub struct EncodedGame {
    turn_numbers: Vec<i32>,
    boards: Vec<Board>,
    features: Vec<FeatureRow>,
    labels: Vec<LabelRow>,
    masks: Vec<MaskRow>,
}

impl EncodedGame {
    /// Clears it for another game.
    pub fn clear(&mut self) {
        self.turn_numbers.clear();
        self.boards.clear();
        self.features.clear();
        self.labels.clear();
        self.masks.clear();
    }

    /// Encodes a turn and adds its row.
    pub fn push(&mut self, turn: &Turn) {
        let (labels, masks) = (labels(&turn.action), masks(&turn.board));
        self.push_row(turn.turn_number.into(), turn.board.clone(), labels, masks);
    }

    /// Computes the features of a position and adds its row.
    pub fn push_row(&mut self, turn_number: i32, board: Board, labels: LabelRow, masks: MaskRow) {
        self.features.push([0; FEATURE_COUNT]);
        if let Some(row) = self.features.last_mut() {
            features(&board, row);
        }
        self.boards.push(board);
        self.turn_numbers.push(turn_number);
        self.labels.push(labels);
        self.masks.push(masks);
    }

    /// The turn number of each row.
    pub fn turn_numbers(&self) -> &[i32] {
        &self.turn_numbers
    }

    /// The position of each row.
    pub fn boards(&self) -> &[Board] {
        &self.boards
    }

    /// The features of each row before normalization.
    pub fn features(&self) -> &[FeatureRow] {
        &self.features
    }

    /// The labels of each row.
    pub fn labels(&self) -> &[LabelRow] {
        &self.labels
    }

    /// The masks of each row.
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

/// The number of rows, and the sum and the sum of squares of each feature column.
///
/// These are integers, so they do not depend on the order in which games are added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnSums {
    /// Number of rows.
    pub rows: u64,
    /// Sum of each column.
    pub sum: Vec<i64>,
    /// Sum of the squares of each column.
    pub sum_of_squares: Vec<i64>,
}

impl ColumnSums {
    /// The sums of no rows.
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
        const BLOCK: usize = 32;
        let blocks = self.sum.chunks_mut(BLOCK).zip(self.sum_of_squares.chunks_mut(BLOCK));
        for (block, (sum, sum_of_squares)) in blocks.enumerate() {
            // The last block overlaps the previous one.
            let first = (block * BLOCK).min(FEATURE_COUNT - BLOCK);
            let skip = BLOCK - sum.len();
            let (sums, squares) = sum_block::<BLOCK>(rows, first);
            sum.iter_mut().zip(&sums[skip..]).for_each(|(sum, more)| *sum += more);
            sum_of_squares.iter_mut().zip(&squares[skip..]).for_each(|(sum, more)| *sum += more);
        }
    }

    /// Adds a column with these values.
    pub fn push_column(&mut self, values: impl IntoIterator<Item = i32>) {
        let (mut sum, mut sum_of_squares) = (0, 0);
        for value in values {
            sum += i64::from(value);
            sum_of_squares += i64::from(value) * i64::from(value);
        }
        self.sum.push(sum);
        self.sum_of_squares.push(sum_of_squares);
    }

    /// Adds the sums of other rows.
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
/// The sums of `N` columns from `first` on, and the sums of their squares.
///
/// Adds few columns at a time, with 16 and 32 bits for as many rows as cannot overflow, so that vector
/// instructions add several columns in registers.
fn sum_block<const N: usize>(rows: &[FeatureRow], first: usize) -> ([i64; N], [i64; N]) {
    const ROWS_OF_SQUARES: usize = (u16::MAX as u32 / (Value::MIN as i32).pow(2) as u32) as usize;
    let (mut sums, mut squares) = ([0; N], [0; N]);
    for rows in rows.chunks(1 << 7) {
        let (mut few_sums, mut few_squares) = ([0_i16; N], [0_u32; N]);
        for rows in rows.chunks(ROWS_OF_SQUARES) {
            let mut fewer_squares = [0_u16; N];
            for row in rows {
                let values: &[Value; N] = row[first..].first_chunk().expect("the row is longer");
                for column in 0..N {
                    let value = i16::from(values[column]);
                    few_sums[column] += value;
                    fewer_squares[column] += (value * value) as u16;
                }
            }
            for column in 0..N {
                few_squares[column] += u32::from(fewer_squares[column]);
            }
        }
        for column in 0..N {
            sums[column] += i64::from(few_sums[column]);
            squares[column] += i64::from(few_squares[column]);
        }
    }
    (sums, squares)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Includes columns of the smallest and the largest values, and any number of rows.
    #[test]
    fn sums_are_exact() {
        for count in [0, 1, 2, 3, 4, 127, 128, 300] {
            let value = |row: usize, column: usize| match column % 3 {
                0 => Value::MIN,
                1 => Value::MAX,
                _ => (row * 31 + column * 7) as Value,
            };
            let row = |row| std::array::from_fn(|column| value(row, column));
            let rows: Vec<FeatureRow> = (0..count).map(row).collect();
            let mut sums = ColumnSums::zero(FEATURE_COUNT);
            sums.add_rows(&rows);
            let mut plain = ColumnSums { rows: count as u64, sum: vec![], sum_of_squares: vec![] };
            for column in 0..FEATURE_COUNT {
                plain.push_column(rows.iter().map(|row| row[column].into()));
            }
            assert_eq!(sums, plain, "{count} rows");
        }
    }
}
