//! What one row of a log says.

use crate::rules::{
    Board, BuildFrom, ByColor, ByGem, MAX_DISPLAYED, MAX_RESERVED, Move, ReserveFrom,
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Identifies a game: the log's file stem, and its `game_id` column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GameId(pub i64);

impl fmt::Display for GameId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One turn: the position before the move, and the move that was chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Round number from 1, up to 10,000. Each player has one turn a round.
    pub turn_number: u16,
    /// The position, checked.
    pub board: Board,
    /// The move, as logged: it may be illegal, or disagree with its own `action_type`.
    pub action: LoggedAction,
}

/// The twenty action columns of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedAction {
    /// What kind of move it was.
    pub action_type: ActionType,
    /// Built card: 0-11 by flat card index, or 12 + place among the player's reserved cards.
    pub card_selection: Option<u8>,
    /// Reserved card: 0-11 by flat card index, or 10 + level for the top of a deck.
    pub card_reservation: Option<u8>,
    /// Gems of different colors taken, 0 or 1 each and at most three in all.
    pub gem_take3: Option<ByColor<u8>>,
    /// Two gems of one color, 0 or 2 each. In rows with the [gem fault](Self::has_gem_fault),
    /// 0 or 1 each.
    pub gem_take2: Option<ByColor<u8>>,
    /// The noble that visited, by its place on the table.
    pub noble: Option<u8>,
    /// Gems given back, at most three in all.
    pub gems_removed: ByGem<u8>,
}

impl LoggedAction {
    /// A move as the log writes it: columns that do not belong to its `action_type` are missing.
    pub fn of(chosen: Move) -> LoggedAction {
        let mut action = LoggedAction {
            action_type: ActionType::Build,
            card_selection: None,
            card_reservation: None,
            gem_take3: None,
            gem_take2: None,
            noble: None,
            gems_removed: ByGem::default(),
        };
        match chosen {
            Move::Build { card, noble } => {
                action.card_selection = Some(selection_code(card));
                action.noble = noble;
            }
            Move::Reserve { card, give_back } => {
                action.action_type = ActionType::Reserve;
                action.card_reservation = Some(reservation_code(card));
                action.gems_removed = give_back;
            }
            // The columns follow the kind of take, not the number of gems: a pair of different
            // colors belongs in `gem_take3`. Mixing these up is the known fault of old logs.
            Move::Take { gems, give_back } => {
                if gems.0.contains(&2) {
                    action.action_type = ActionType::Take2;
                    action.gem_take2 = Some(gems);
                } else {
                    action.action_type = ActionType::Take3;
                    action.gem_take3 = Some(gems);
                }
                action.gems_removed = give_back;
            }
        }
        action
    }

    /// Whether this row has the known fault of old logs: a take of three that is in the
    /// `gem_take2` columns, because the logger chose the columns by the number of gems taken.
    pub fn has_gem_fault(&self) -> bool {
        self.action_type == ActionType::Take3
            && self.gem_take3.is_none()
            && self.gem_take2.is_some_and(|taken| taken.0.contains(&1))
    }

    /// Reads a faulty row as it was meant: the values of `gem_take2` belong in `gem_take3`.
    pub fn repair_gem_fault(&mut self) {
        if self.has_gem_fault() {
            self.gem_take3 = self.gem_take2.take();
        }
    }
}

/// The kind of a move; the order is the class order of the `action_type` head.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ActionType {
    /// A card is built.
    Build,
    /// A card goes into reserve.
    Reserve,
    /// Two gems of one color.
    Take2,
    /// Any other take: one to three gems of different colors.
    Take3,
}

impl ActionType {
    /// All kinds in class order.
    pub const ALL: [ActionType; 4] =
        [ActionType::Build, ActionType::Reserve, ActionType::Take2, ActionType::Take3];

    /// As the log writes it.
    pub const fn logged_name(self) -> &'static str {
        match self {
            ActionType::Build => "build",
            ActionType::Reserve => "reserve",
            ActionType::Take2 => "take 2 tokens",
            ActionType::Take3 => "take 3 tokens",
        }
    }
}

/// Places for cards that a player may build: 12 on display, then 3 in reserve.
pub const BUILD_PLACES: usize = MAX_DISPLAYED + MAX_RESERVED;

/// How the log numbers a reservation.
///
/// A deck's top card is 10 + level, so the top of the level 1 deck shares 11 with the twelfth
/// displayed card. The logs are written so, and models were trained on it: a quirk kept on purpose.
pub const fn reservation_code(card: ReserveFrom) -> u8 {
    match card {
        ReserveFrom::Displayed(flat_index) => flat_index,
        ReserveFrom::DeckTop(level) => 10 + level.number(),
    }
}

/// How the log numbers a built card.
pub const fn selection_code(card: BuildFrom) -> u8 {
    match card {
        BuildFrom::Displayed(flat_index) => flat_index,
        BuildFrom::Reserved(place) => MAX_DISPLAYED as u8 + place,
    }
}
