//! Descriptions of the classes of the heads.

use crate::encode::{Head, REMOVALS, TAKE3_SETS};
use crate::gamelog::ActionType;
use crate::rules::{Color, MAX_DISPLAYED};

/// A short description of a class.
pub fn class_in_words(head: Head, class: usize) -> String {
    match head {
        Head::ActionType => {
            ActionType::ALL.get(class).map_or("?", |action| action.logged_name()).to_owned()
        }
        Head::CardSelection => match class.checked_sub(MAX_DISPLAYED) {
            None => format!("displayed card {class}"),
            Some(place) => format!("reserved card {place}"),
        },
        Head::CardReservation => match class {
            11 => "displayed card 11, or deck 1".to_owned(),
            12 | 13 => format!("top of deck {}", class - 10),
            14 => "never occurs".to_owned(),
            displayed => format!("displayed card {displayed}"),
        },
        Head::GemTake3 => {
            let colors = TAKE3_SETS[class].iter().filter(|&(_, &taken)| taken == 1);
            let names: Vec<&str> = colors.map(|(color, _)| color.name()).collect();
            if names.is_empty() { "no gems: never occurs".to_owned() } else { names.join(", ") }
        }
        Head::GemTake2 => Color::ALL.get(class).map_or("?", |color| color.name()).to_owned(),
        Head::Noble => format!("noble {class}"),
        Head::GemsRemoved => {
            let gems = REMOVALS[class].iter().filter(|&(_, &count)| count > 0);
            let names: Vec<String> =
                gems.map(|(gem, count)| format!("{count} {}", gem.name())).collect();
            if names.is_empty() { "none".to_owned() } else { names.join(", ") }
        }
    }
}

/// Whether no move has this class, so that it can never be legal.
pub fn never_occurs(head: Head, class: usize) -> bool {
    matches!((head, class), (Head::GemTake3, 0) | (Head::CardReservation, 14))
}
