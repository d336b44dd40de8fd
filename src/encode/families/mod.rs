//! The feature families: each file describes the columns of one (names, meanings, whether normalized) and
//! computes them.

mod card_positions;
mod cards;
mod comparison;
mod nobles;
pub(super) mod one_hot;
mod progress;
mod state;
mod synergy;
mod tokens;

use crate::encode::feature::Family;

/// The feature families, in column order.
pub static FAMILIES: [Family; 9] = [
    state::FAMILY,
    card_positions::FAMILY,
    tokens::FAMILY,
    cards::FAMILY,
    nobles::FAMILY,
    synergy::FAMILY,
    comparison::FAMILY,
    progress::FAMILY,
    one_hot::FAMILY,
];
