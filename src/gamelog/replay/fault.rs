//! What is wrong with a game that does not replay.

use std::fmt;

macro_rules! kinds {
    ($($(#[doc = $doc:literal])* $kind:ident = $name:literal,)*) => {
        /// What does not follow from the row before. A row has one fault: the first of these that
        /// it has.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum ReplayFaultKind {
            $($(#[doc = $doc])* $kind,)*
        }

        impl ReplayFaultKind {
            /// All kinds.
            pub const ALL: &[ReplayFaultKind] = &[$(ReplayFaultKind::$kind,)*];

            /// A name that does not change between versions, for tables and scripts.
            pub const fn name(self) -> &'static str {
                match self {
                    $(ReplayFaultKind::$kind => $name,)*
                }
            }

            /// The kind with this name.
            pub fn from_name(name: &str) -> Option<ReplayFaultKind> {
                ReplayFaultKind::ALL.iter().copied().find(|kind| kind.name() == name)
            }

            /// What it means, in a sentence.
            pub fn meaning(self) -> &'static str {
                match self {
                    $(ReplayFaultKind::$kind => concat!($($doc),*).trim_start(),)*
                }
            }
        }
    };
}

kinds! {
    /// The first row is not the beginning of a game: turn 1, seat 0, and nobody has anything.
    Start = "start",
    /// The game was over before this row.
    AfterEnd = "after_end",
    /// Another player is to move.
    Seat = "seat",
    /// The turn has another number.
    TurnNumber = "turn_number",
    /// A player has other points.
    Points = "points",
    /// A player has other reductions.
    Reductions = "reductions",
    /// Other nobles are on the table.
    Nobles = "nobles",
    /// A player has other gems.
    PlayerGems = "player_gems",
    /// Other gems are on the board.
    BoardGems = "board_gems",
    /// A player has other cards in reserve.
    ReservedCards = "reserved_cards",
    /// A deck has another number of cards.
    Decks = "decks",
    /// Other cards are displayed.
    DisplayedCards = "displayed_cards",
    /// A card was drawn that was in the game before.
    RepeatedCard = "repeated_card",
    /// The move of this row cannot be made.
    ImpossibleMove = "impossible_move",
}

/// A row that does not follow from the row before and its move, or whose own move cannot be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplayFault {
    /// The row in the game, from 0.
    pub row: u32,
    /// The line in the file, from 1, the header being 1.
    pub line: u64,
    /// What is wrong.
    pub kind: ReplayFaultKind,
    /// The column that shows it, or the group of columns (`card3_*`).
    pub column: String,
    /// What the column has, or what is wrong with it.
    pub found: String,
    /// What follows from the row before.
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

/// A fault without its place.
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
