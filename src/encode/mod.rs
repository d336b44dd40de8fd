//! The encoder: one turn becomes 1,308 features, 7 labels and 7 masks.
//!
//! Pure functions from a [`Turn`](crate::gamelog::Turn) to numbers. Each feature family is a file that describes itself
//! (names, whether normalised, meaning) and encodes itself, side by side; [`FEATURES`] puts the
//! families in order, and widths are sums of named parts, checked when this compiles. Nothing is
//! computed over more than one row.
//!
//! | part | values | file |
//! | --- | --- | --- |
//! | 1 | 375 | `state.rs` |
//! | 2 | 24 | `card_positions.rs` |
//! | 3 | 886 | `tokens.rs`, `cards.rs`, `nobles.rs`, `synergy.rs`, `comparison.rs` |
//! | 4 | 23 | `one_hot.rs` |
//!
//! Parts 1 and 2 number players by [`RotatedIndex`](crate::rules::RotatedIndex), part 3 by
//! [`Seat`], part 4 by both. That mixture, and other quirks noted in the files, are what existing
//! models were trained on.
//!
//! [`board`] goes the other way, from a row to its position, and [`complete`] from the base features of
//! a row to all of them.
//!
//! **Changing anything here that changes a number means a new [`ENCODER_VERSION`]**, or caches will
//! hold a mixture. The README section "Changing the encoder" has the steps.

mod card_positions;
mod cards;
mod classes;
mod comparison;
mod decode;
mod feature;
mod game;
mod head;
mod in_words;
mod labels;
mod layout;
mod masks;
mod nobles;
mod one_hot;
mod seat_view;
mod state;
mod synergy;
mod tokens;

pub use classes::{
    REMOVAL_CLASSES, REMOVALS, TAKE3_CLASSES, TAKE3_SETS, removal_class, take3_class,
};
pub use decode::{BaseRow, base, board, complete};
pub use feature::{Family, Feature, Value};
pub use game::{ColumnSums, EncodedGame};
pub use head::{Head, MASK_WIDTH};
pub use labels::{Label, LabelRow, NO_LABEL, labels};
pub use layout::{BASE_FEATURE_COUNT, FEATURE_COUNT, FEATURES, NORMALIZED_FEATURE_COUNT};
pub use masks::{MaskRow, masks};

use crate::rules::{Board, Seat};
use feature::take;

/// Version of the numbers this encoder gives. Bump it with every change to a feature, label or
/// mask; every cached game is then encoded anew. It is its own number, not the crate's version:
/// most releases change no number, and must not cost anyone a night of re-encoding.
pub const ENCODER_VERSION: u32 = 1;

/// The features of one row.
pub type FeatureRow = [Value; FEATURE_COUNT];

/// Encodes a position.
pub fn features(board: &Board, row: &mut FeatureRow) {
    row.fill(0);
    let mut rest = &mut row[..];
    state::encode(board, take(&mut rest));
    card_positions::encode(board, take(&mut rest));
    tokens::encode(board, take(&mut rest));

    let cards = take::<{ cards::WIDTH }>(&mut rest).as_chunks_mut().0;
    let nobles = take::<{ nobles::WIDTH }>(&mut rest).as_chunks_mut().0;
    let synergy = take::<{ synergy::WIDTH }>(&mut rest).as_chunks_mut().0;
    for (i, seat) in Seat::ALL.into_iter().enumerate() {
        let Some(view) = seat_view::SeatView::new(board, seat) else { break };
        cards::encode(&view, &mut cards[i]);
        nobles::encode(board, view.player, &mut nobles[i]);
        synergy::encode(&view, &mut synergy[i]);
    }

    comparison::encode(board, take(&mut rest));
    one_hot::encode(board, take(&mut rest));
}
