//! The seven outputs of the network, and their place in a row of labels or masks.

use super::classes::{REMOVAL_CLASSES, REMOVALS, TAKE3_CLASSES, TAKE3_SETS};
use crate::gamelog::{ActionType, BUILD_PLACES};
use crate::rules::{Color, Gem, MAX_DISPLAYED, MAX_NOBLES};

/// One output of the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Head {
    /// Build, reserve, take 2 tokens, take 3 tokens.
    ActionType,
    /// The built card: flat card index, or 12 + place among the reserved.
    CardSelection,
    /// The reserved card: flat card index, or 10 + level for a deck's top. Class 11 is both the
    /// twelfth displayed card and the top of the level 1 deck; class 14 never occurs.
    CardReservation,
    /// The set of colors taken. Class 0, the empty set, never occurs.
    GemTake3,
    /// The color of which two gems are taken.
    GemTake2,
    /// The visiting noble, by place on the table.
    Noble,
    /// The gems given back; class 0 means none.
    GemsRemoved,
}

impl Head {
    /// The number of heads.
    pub const COUNT: usize = 7;

    /// All heads, in the order of their columns.
    pub const ALL: [Head; Head::COUNT] = [
        Head::ActionType,
        Head::CardSelection,
        Head::CardReservation,
        Head::GemTake3,
        Head::GemTake2,
        Head::Noble,
        Head::GemsRemoved,
    ];

    /// The array's name in `labels_*.npz` and `masks_*.npz`.
    pub const fn name(self) -> &'static str {
        match self {
            Head::ActionType => "action_type",
            Head::CardSelection => "card_selection",
            Head::CardReservation => "card_reservation",
            Head::GemTake3 => "gem_take3",
            Head::GemTake2 => "gem_take2",
            Head::Noble => "noble",
            Head::GemsRemoved => "gems_removed",
        }
    }

    /// The number of classes.
    pub const fn classes(self) -> usize {
        match self {
            Head::ActionType => ActionType::ALL.len(),
            Head::CardSelection | Head::CardReservation => BUILD_PLACES,
            Head::GemTake3 => TAKE3_CLASSES,
            Head::GemTake2 => Color::COUNT,
            Head::Noble => MAX_NOBLES,
            Head::GemsRemoved => REMOVAL_CLASSES,
        }
    }

    /// Index in [`Head::ALL`].
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Its range in a mask row.
    pub const fn mask_range(self) -> std::ops::Range<usize> {
        let mut start = 0;
        let mut before = 0;
        while before < self.index() {
            start += Head::ALL[before].classes();
            before += 1;
        }
        start..start + self.classes()
    }

    /// Description of the head's choice.
    pub const fn in_words(self) -> &'static str {
        match self {
            Head::ActionType => "the kind of move",
            Head::CardSelection => "the card that is built",
            Head::CardReservation => "the card that is reserved",
            Head::GemTake3 => "the colors of which one gem each is taken",
            Head::GemTake2 => "the color of which two gems are taken",
            Head::Noble => "the noble that visits after the card is built",
            Head::GemsRemoved => "the gems that are given back to keep at most ten",
        }
    }

    /// Description of a class; `class` is below [`Head::classes`].
    ///
    /// # Panics
    /// If the head has no such class.
    pub fn class_in_words(self, class: usize) -> String {
        assert!(class < self.classes(), "{} has no class {class}", self.name());
        match self {
            Head::ActionType => ActionType::ALL[class].logged_name().to_owned(),
            Head::CardSelection if class < MAX_DISPLAYED => displayed_card(class),
            Head::CardSelection => format!("own reserved card {}", class - MAX_DISPLAYED),
            Head::CardReservation => match class {
                0..=10 => displayed_card(class),
                11 => format!("{}, or the top of the level 1 deck", displayed_card(class)),
                12 | 13 => format!("the top of the level {} deck", class - 10),
                _ => "none (never occurs)".to_owned(),
            },
            Head::GemTake3 => {
                let taken = |color: &Color| TAKE3_SETS[class][*color] == 1;
                let names: Vec<_> = Color::ALL.into_iter().filter(taken).map(Color::name).collect();
                if names.is_empty() { "none (never occurs)".to_owned() } else { names.join(", ") }
            }
            Head::GemTake2 => format!("two {}", Color::ALL[class].name()),
            Head::Noble => format!("noble {class} on the table"),
            Head::GemsRemoved => {
                let counts = Gem::ALL.into_iter().zip(REMOVALS[class].0);
                let given: Vec<_> = counts
                    .filter(|&(_, count)| count > 0)
                    .map(|(gem, count)| format!("{count} {}", gem.name()))
                    .collect();
                if given.is_empty() { "none".to_owned() } else { given.join(", ") }
            }
        }
    }
}

fn displayed_card(flat_index: usize) -> String {
    format!("displayed card {flat_index} by flat index")
}

/// Width of a mask row: the classes of all heads.
pub const MASK_WIDTH: usize = Head::ALL[Head::COUNT - 1].mask_range().end;

const _: () = assert!(MASK_WIDTH == 4 + 15 + 15 + 26 + 5 + 5 + 84);

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn classes_in_words() {
        for (head, class, words) in [
            (Head::ActionType, 2, "take 2 tokens"),
            (Head::CardSelection, 0, "displayed card 0 by flat index"),
            (Head::CardSelection, 14, "own reserved card 2"),
            (
                Head::CardReservation,
                11,
                "displayed card 11 by flat index, or the top of the level 1 deck",
            ),
            (Head::CardReservation, 13, "the top of the level 3 deck"),
            (Head::CardReservation, 14, "none (never occurs)"),
            (Head::GemTake3, 0, "none (never occurs)"),
            (Head::GemTake3, 25, "green, red, black"),
            (Head::GemTake2, 4, "two black"),
            (Head::GemsRemoved, 0, "none"),
            (Head::GemsRemoved, 1, "1 gold"),
            (Head::GemsRemoved, 83, "3 white"),
        ] {
            assert_eq!(head.class_in_words(class), words, "{head:?} {class}");
        }
        for head in Head::ALL {
            let words: HashSet<_> = (0..head.classes()).map(|c| head.class_in_words(c)).collect();
            assert_eq!(words.len(), head.classes(), "{head:?}");
        }
    }
}
