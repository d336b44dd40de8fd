//! The base features of a position, and their inverse.
//!
//! The base features describe a position completely: the state columns describe the table, the one-hot
//! columns the player to move. So the cache stores only them, and a reader gets the position itself,
//! from which [`features`](super::features) computes the row.

use super::families::{one_hot, state};
use super::{BASE_FEATURE_COUNT, FAMILIES, FeatureRow, Value};
use crate::rules::Board;

/// The base features of one position, in column order.
pub type BaseRow = [Value; BASE_FEATURE_COUNT];

/// The base features, selected from all features.
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

/// The position with these base features; writes all of its features to `row`. `None` if there is no
/// such position.
pub fn decode(base: &BaseRow, row: &mut FeatureRow) -> Option<Board> {
    // The state comes first, the one-hot columns last.
    let (to_move, count) = one_hot::decode(base.last_chunk()?)?;
    let board = state::decode(base.first_chunk::<{ state::WIDTH }>()?, to_move, count)?;
    super::features(&board, row);
    (self::base(row) == *base).then_some(board)
}
