//! The seven things a network predicts, and where each stands in a row of labels or masks.

use super::classes::{REMOVAL_CLASSES, TAKE3_CLASSES};
use crate::gamelog::{ActionType, BUILD_PLACES};
use crate::rules::{Color, MAX_NOBLES};

/// One output of the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Head {
    /// build, reserve, take 2 tokens, take 3 tokens.
    ActionType,
    /// The built card: flat card index, or 12 + place among the reserved.
    CardSelection,
    /// The reserved card: flat card index, or 10 + level for a deck's top. Class 11 is both the
    /// twelfth displayed card and the top of the level 1 deck; class 14 never occurs.
    CardReservation,
    /// The set of colours taken. Class 0, the empty set, never occurs.
    GemTake3,
    /// The colour of which two are taken.
    GemTake2,
    /// The noble that comes along, by place on the table.
    Noble,
    /// The gems given back; class 0 is none.
    GemsRemoved,
}

impl Head {
    /// How many heads there are.
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

    /// How many classes it chooses from.
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

    /// Place in [`Head::ALL`], from 0.
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Its part of a mask row.
    pub const fn mask_range(self) -> std::ops::Range<usize> {
        let mut start = 0;
        let mut before = 0;
        while before < self.index() {
            start += Head::ALL[before].classes();
            before += 1;
        }
        start..start + self.classes()
    }
}

/// Width of a mask row: the classes of all heads.
pub const MASK_WIDTH: usize = Head::ALL[Head::COUNT - 1].mask_range().end;

const _: () = assert!(MASK_WIDTH == 4 + 15 + 15 + 26 + 5 + 5 + 84);
