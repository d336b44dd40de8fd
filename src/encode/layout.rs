//! The one place that knows which family stands where in a row.

use super::feature::{Feature, FeatureList};
use super::{card_positions, cards, comparison, nobles, one_hot, state, synergy, tokens};

/// Features of a row: the columns the specification describes add up to 1,308.
pub const FEATURE_COUNT: usize = state::WIDTH
    + card_positions::WIDTH
    + tokens::WIDTH
    + cards::WIDTH
    + nobles::WIDTH
    + synergy::WIDTH
    + comparison::WIDTH
    + one_hot::WIDTH;

/// *Base* features: those of the position itself, without what is computed on top.
pub const BASE_FEATURE_COUNT: usize = state::WIDTH + card_positions::WIDTH + one_hot::WIDTH;

/// Features that an export normalises.
pub const NORMALIZED_FEATURE_COUNT: usize = {
    let mut count = 0;
    let mut i = 0;
    while i < FEATURE_COUNT {
        count += FEATURES[i].normalized as usize;
        i += 1;
    }
    count
};

const _: () = assert!(FEATURE_COUNT == 1308);
const _: () = assert!(BASE_FEATURE_COUNT == 422);
const _: () = assert!(NORMALIZED_FEATURE_COUNT == 984);

/// Every feature in column order.
pub static FEATURES: [Feature; FEATURE_COUNT] = {
    let mut list = FeatureList::new();
    state::describe(&mut list);
    assert!(list.len == state::WIDTH);
    card_positions::describe(&mut list);
    tokens::describe(&mut list);
    cards::describe(&mut list);
    nobles::describe(&mut list);
    synergy::describe(&mut list);
    comparison::describe(&mut list);
    one_hot::describe(&mut list);
    assert!(list.len == FEATURE_COUNT);
    list.features
};
