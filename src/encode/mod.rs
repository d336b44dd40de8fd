//! The encoder: converts a position to features and 7 masks, and a logged move to 7 labels.
//!
//! All functions depend only on one row. Each feature family is a file that describes its columns
//! (names, meanings, whether normalized) and computes them; [`FAMILIES`] defines the order of the
//! families.
//!
//! | part | files in `families` |
//! | --- | --- |
//! | 1 | `state.rs` |
//! | 2 | `card_positions.rs` |
//! | 3 | `tokens.rs`, `cards.rs`, `nobles.rs`, `synergy.rs`, `comparison.rs`, `progress.rs` |
//! | 4 | `one_hot.rs` |
//!
//! Parts 1, 2 and 4 are the *base* features. They describe the whole position and are stored in the
//! cache; [`decode_columns`] converts them back to positions. The other features are computed from the
//! position whenever rows are read, so all rows come from [`features`].
//!
//! Parts 1 and 2 number players by [`RotatedIndex`](crate::rules::RotatedIndex), part 3 by
//! [`Seat`](crate::rules::Seat), part 4 by both. Existing models were trained on this mixture, and on
//! other quirks noted in the files.
//!
//! **A change of any value needs a new [`ENCODER_VERSION`]**, or caches would hold a mixture of old and
//! new values.

mod classes;
mod columns;
mod families;
mod feature;
mod game;
mod head;
mod labels;
mod masks;
mod packed_row;
mod position;
mod slots;

pub use classes::{
    REMOVAL_CLASSES, REMOVALS, TAKE3_CLASSES, TAKE3_SETS, removal_class, take3_class,
};
pub use columns::decode_columns;
pub use families::FAMILIES;
pub use feature::{Family, Feature, Value};
pub use game::{ColumnSums, EncodedGame};
pub use head::{Head, MASK_WIDTH};
pub use labels::{Label, LabelRow, NO_LABEL, labels};
pub use masks::{MaskRow, masks};
pub use packed_row::{PackedMasks, PackedRow};

use crate::rules::Board;
use feature::FeatureList;
use position::Position;
use std::sync::LazyLock;

/// Version of the values that this encoder computes. Increase it with every change of a feature, label
/// or mask; every cached game is then encoded again. It differs from the crate's version, because most
/// releases change no values and must not make every user encode all games again.
pub const ENCODER_VERSION: u32 = 1;

/// Number of features of a row.
pub const FEATURE_COUNT: usize = width(false);
/// Number of base features of a row.
pub const BASE_FEATURE_COUNT: usize = width(true);

/// The total width of all families, or of the base families.
const fn width(only_base: bool) -> usize {
    let (mut width, mut i) = (0, 0);
    while i < FAMILIES.len() {
        if FAMILIES[i].is_base || !only_base {
            width += FAMILIES[i].width;
        }
        i += 1;
    }
    width
}

/// Every feature in column order.
pub static FEATURES: LazyLock<Vec<Feature>> = LazyLock::new(|| FeatureList::describe(&FAMILIES));

/// The features of one row.
pub type FeatureRow = [Value; FEATURE_COUNT];

/// The base features of one position, in column order.
pub type BaseRow = [Value; BASE_FEATURE_COUNT];

/// Writes the features of a position.
pub fn features(board: &Board, row: &mut FeatureRow) {
    encode(board, row, |_| true);
}

/// Writes the base features of a position, and 0 in all other columns.
pub fn base_features(board: &Board, row: &mut FeatureRow) {
    encode(board, row, |family| family.is_base);
}

fn encode(board: &Board, row: &mut FeatureRow, is_wanted: impl Fn(&Family) -> bool) {
    row.fill(0);
    let position = Position::new(board);
    let mut rest = &mut row[..];
    for family in &FAMILIES {
        let (values, others) = std::mem::take(&mut rest).split_at_mut(family.width);
        if is_wanted(family) {
            (family.encode)(&position, values);
        }
        rest = others;
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn families_are_as_wide_as_they_say() {
        for family in &FAMILIES {
            let columns = FEATURES.iter().filter(|feature| feature.family == family).count();
            assert_eq!(columns, family.width, "{}", family.name);
        }
        assert!(FEATURES.is_sorted_by_key(|feature| {
            FAMILIES.iter().position(|family| family == feature.family)
        }));
    }

    #[test]
    fn meanings_are_distinct() {
        let mut seen = HashSet::new();
        for Feature { name, meaning, .. } in FEATURES.iter() {
            let is_always_0 = meaning.ends_with("always 0: the log does not record it");
            assert!(seen.insert(meaning) || is_always_0, "{name}: {meaning}");
        }
    }
}
