//! A row of features back to the position it was encoded from, and from there to all of the row.
//!
//! The state columns hold all of a position, and the one-hot columns who is to move. So people can
//! be shown what a network was shown, from the very numbers, with no log at hand; and of a row only
//! the base features need to be kept: the strategic ones, two thirds of it, are computed from the
//! same position again.

use super::feature::Value;
use super::layout::{BASE_FEATURE_COUNT, FEATURE_COUNT, FEATURES};
use super::{FeatureRow, card_positions, features, one_hot, state};
use crate::rules::Board;

/// The base features of one row, in the order in which they stand in it.
pub type BaseRow = [Value; BASE_FEATURE_COUNT];

/// Parts 1 and 2, which stand first in a row. Part 4 stands last.
const LEADING: usize = state::WIDTH + card_positions::WIDTH;
const TRAILING: usize = one_hot::WIDTH;

const _: () = {
    let mut place = 0;
    while place < FEATURE_COUNT {
        let is_at_an_end = place < LEADING || place >= FEATURE_COUNT - TRAILING;
        assert!(FEATURES[place].family.is_base() == is_at_an_end);
        place += 1;
    }
};

/// The base features of a row.
pub fn base(row: &FeatureRow) -> BaseRow {
    let mut base = [0; BASE_FEATURE_COUNT];
    let (leading, trailing) = base.split_at_mut(LEADING);
    leading.copy_from_slice(&row[..LEADING]);
    trailing.copy_from_slice(&row[FEATURE_COUNT - TRAILING..]);
    base
}

/// Writes all features of the position whose base features these are, and returns the position;
/// `None` if there is none.
pub fn complete(base: &BaseRow, row: &mut FeatureRow) -> Option<Board> {
    let state: &[Value; state::WIDTH] = base.first_chunk()?;
    let (to_move, count) = one_hot::decode(base.last_chunk()?)?;
    let board = state::decode(state, to_move, count)?;
    features(&board, row);
    (self::base(row) == *base).then_some(board)
}

/// The position whose [`features`] are `row`, before normalisation; `None` if there is none.
///
/// Whatever comes out encodes to `row` again, all 1,308 values of it.
pub fn board(row: &FeatureRow) -> Option<Board> {
    let mut again = [0; FEATURE_COUNT];
    let board = complete(&base(row), &mut again)?;
    (again == *row).then_some(board)
}
