//! Labels: the logged move as seven class numbers.

use super::classes::{removal_class, take3_class};
use super::head::Head;
use crate::gamelog::LoggedAction;
use crate::rules::ByColor;

/// A head's class, or -1 if the head does not apply to the move.
pub type Label = i32;

/// The labels of one row, by [`Head`].
pub type LabelRow = [Label; Head::COUNT];

/// The label of a head that does not apply.
pub const NO_LABEL: Label = -1;

/// The labels of a logged move, exactly as logged: columns that contradict `action_type`, and illegal
/// moves, are not corrected.
pub fn labels(action: &LoggedAction) -> LabelRow {
    let index = |logged: Option<u8>| logged.map_or(NO_LABEL, Label::from);
    let mut row = [NO_LABEL; Head::COUNT];
    row[Head::ActionType.index()] = action.action_type as Label;
    row[Head::CardSelection.index()] = index(action.card_selection);
    row[Head::CardReservation.index()] = index(action.card_reservation);
    row[Head::GemTake3.index()] = take3_label(action.gem_take3);
    row[Head::GemTake2.index()] = take2_label(action.gem_take2);
    row[Head::Noble.index()] = index(action.noble);
    row[Head::GemsRemoved.index()] = removal_class(&action.gems_removed) as Label;
    row
}

/// The class of the colors whose count is 1; -1 if there is none.
fn take3_label(taken: Option<ByColor<u8>>) -> Label {
    match taken {
        Some(taken) if taken.total() > 0 => take3_class(&taken) as Label,
        _ => NO_LABEL,
    }
}

/// The color whose count is 2; -1 if there is none, as in rows with the gem fault.
fn take2_label(taken: Option<ByColor<u8>>) -> Label {
    taken
        .and_then(|taken| taken.0.iter().position(|&gems| gems == 2))
        .map_or(NO_LABEL, |color| color as Label)
}
