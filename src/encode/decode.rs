//! A row of features back to the position it was encoded from.
//!
//! The state columns hold all of a position, and the one-hot columns who is to move. So people can
//! be shown what a network was shown, from the very numbers, with no log at hand.

use super::feature::Value;
use super::layout::FEATURE_COUNT;
use super::{FeatureRow, features, one_hot, state};
use crate::splendor::Board;

/// The position whose [`features`] are `row`, before normalisation; `None` if there is none.
///
/// Whatever comes out encodes to `row` again, all 1,308 values of it.
pub fn board(row: &FeatureRow) -> Option<Board> {
    let state: &[Value; state::WIDTH] = row.first_chunk()?;
    let (to_move, count) = one_hot::decode(row.last_chunk()?)?;
    let board = state::decode(state, to_move, count)?;
    let mut again = [0; FEATURE_COUNT];
    features(&board, &mut again);
    (again == *row).then_some(board)
}
