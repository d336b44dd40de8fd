//! Faults of a game that does not replay.

use std::fmt;

macro_rules! kinds {
    ($($(#[doc = $doc:literal])* $kind:ident = $name:literal,)*) => {
        /// The kind of difference from the previous row and its move. A row has at most one fault, the
        /// first in this order.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum ReplayFaultKind {
            $($(#[doc = $doc])* $kind,)*
        }

        impl ReplayFaultKind {
            /// All kinds.
            pub const ALL: &[ReplayFaultKind] = &[$(ReplayFaultKind::$kind,)*];

            /// A name that is stable between versions, for tables and scripts.
            pub const fn name(self) -> &'static str {
                match self {
                    $(ReplayFaultKind::$kind => $name,)*
                }
            }

            /// The kind with this name.
            pub fn from_name(name: &str) -> Option<ReplayFaultKind> {
                ReplayFaultKind::ALL.iter().copied().find(|kind| kind.name() == name)
            }

            /// Its meaning in one sentence.
            pub fn meaning(self) -> &'static str {
                match self {
                    $(ReplayFaultKind::$kind => concat!($($doc),*).trim_start(),)*
                }
            }
        }
    };
}

kinds! {
    /// The first row is not the start of a game: turn 1, seat 0, and players without gems or cards.
    Start = "start",
    /// The game ended before this row.
    AfterEnd = "after_end",
    /// The wrong player is to move.
    Seat = "seat",
    /// The turn number is wrong.
    TurnNumber = "turn_number",
    /// The points of a player differ.
    Points = "points",
    /// The reductions of a player differ.
    Reductions = "reductions",
    /// The nobles on the table differ.
    Nobles = "nobles",
    /// The gems of a player differ.
    PlayerGems = "player_gems",
    /// The gems on the board differ.
    BoardGems = "board_gems",
    /// The reserved cards of a player differ.
    ReservedCards = "reserved_cards",
    /// The number of cards in a deck differs.
    Decks = "decks",
    /// The displayed cards differ.
    DisplayedCards = "displayed_cards",
    /// A drawn card was already in the game.
    RepeatedCard = "repeated_card",
    /// The move of this row is impossible.
    ImpossibleMove = "impossible_move",
}

/// A row that does not follow from the previous row and its move, or whose own move is impossible.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplayFault {
    /// Index of the row in the game, from 0.
    pub row: u32,
    /// The line in the file; the header is line 1.
    pub line: u64,
    /// The kind of fault.
    pub kind: ReplayFaultKind,
    /// The column, or the group of columns (`card3_*`).
    pub column: String,
    /// The actual value, or what is wrong with it.
    pub found: String,
    /// The expected value.
    pub expected: String,
}

impl fmt::Display for ReplayFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ReplayFault { column, found, expected, .. } = self;
        match self.kind {
            ReplayFaultKind::Start => {
                write!(f, "{column} is {found}, a game begins with {expected}")
            }
            ReplayFaultKind::AfterEnd => write!(f, "the game was over before this row"),
            ReplayFaultKind::RepeatedCard => {
                write!(f, "{column} is {found}, which was in the game before")
            }
            ReplayFaultKind::ImpossibleMove => {
                write!(f, "the move cannot be made: {column} is {found}, {expected}")
            }
            ReplayFaultKind::Points => {
                let player = column.trim_end_matches("_vp");
                write!(f, "{player} has {found} points, the move gives {expected}")
            }
            _ => write!(f, "{column} is {found}, the move gives {expected}"),
        }
    }
}

/// A fault without its location.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mismatch {
    pub(super) kind: ReplayFaultKind,
    pub(super) column: String,
    pub(super) found: String,
    pub(super) expected: String,
}

impl Mismatch {
    pub(super) fn new(
        kind: ReplayFaultKind,
        column: impl Into<String>,
        found: impl fmt::Display,
        expected: impl fmt::Display,
    ) -> Mismatch {
        let (found, expected) = (found.to_string(), expected.to_string());
        Mismatch { kind, column: column.into(), found, expected }
    }

    pub(super) fn at(self, row: u32, line: u64) -> ReplayFault {
        let Mismatch { kind, column, found, expected } = self;
        ReplayFault { row, line, kind, column, found, expected }
    }
}
