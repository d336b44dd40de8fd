//! Descriptions of the classes of the heads.

use crate::encode::Head;
use crate::rules::{Color, MAX_DISPLAYED};

/// A short description of a class.
pub(crate) fn class_in_words(head: Head, class: usize) -> String {
    match (head, class) {
        (Head::CardSelection, MAX_DISPLAYED..) => {
            format!("reserved card {}", class - MAX_DISPLAYED)
        }
        (Head::CardReservation, 11) => "displayed card 11, or deck 1".to_owned(),
        (Head::CardReservation, 12 | 13) => format!("top of deck {}", class - 10),
        (Head::CardReservation, 14) => "never occurs".to_owned(),
        (Head::CardSelection | Head::CardReservation, _) => format!("displayed card {class}"),
        (Head::GemTake3, 0) => "no gems: never occurs".to_owned(),
        (Head::GemTake2, _) => Color::ALL[class].name().to_owned(),
        (Head::Noble, _) => format!("noble {class}"),
        _ => head.class_in_words(class),
    }
}

/// Whether no move has this class, so that it can never be legal.
pub(crate) fn never_occurs(head: Head, class: usize) -> bool {
    matches!((head, class), (Head::GemTake3, 0) | (Head::CardReservation, 14))
}
