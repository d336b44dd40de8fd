//! The base features of a position, and back to the position.
//!
//! They hold all of a position: the state columns say what is on the table, the one-hot columns who
//! is to move. So they are all that the cache stores of it, and everybody who reads the cache gets
//! the position itself, from which [`features`](super::features) computes the row.

use super::families::{one_hot, state};
use super::{BASE_FEATURE_COUNT, FAMILIES, FeatureRow, Value};
use crate::rules::Board;

/// The base features of one position, in column order.
pub type BaseRow = [Value; BASE_FEATURE_COUNT];

/// The base features among all.
pub fn base(row: &FeatureRow) -> BaseRow {
    let mut base = [0; BASE_FEATURE_COUNT];
    let (mut rest, mut out) = (&row[..], &mut base[..]);
    for family in &FAMILIES {
        let (values, others) = rest.split_at(family.width);
        if family.is_base {
            let (next, after) = std::mem::take(&mut out).split_at_mut(family.width);
            next.copy_from_slice(values);
            out = after;
        }
        rest = others;
    }
    base
}

/// The position that has these base features, and all of its features written to `row`; `None` if
/// there is none.
pub fn decode(base: &BaseRow, row: &mut FeatureRow) -> Option<Board> {
    // The state is first, the one-hot columns are last.
    let (to_move, count) = one_hot::decode(base.last_chunk()?)?;
    let board = state::decode(base.first_chunk::<{ state::WIDTH }>()?, to_move, count)?;
    super::features(&board, row);
    (self::base(row) == *base).then_some(board)
}
