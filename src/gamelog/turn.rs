//! The content of one row of a log.

use crate::rules::{
    Board, BuildFrom, ByColor, ByGem, MAX_DISPLAYED, MAX_RESERVED, Move, ReserveFrom,
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Identifies a game: the stem of its log's name, and the value of its `game_id` column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GameId(pub i64);

impl fmt::Display for GameId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A turn: the position before the move, and the move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Round number from 1 to 10,000. Each player has one turn per round.
    pub turn_number: u16,
    /// The checked position.
    pub board: Board,
    /// The move as logged: it may be illegal, or contradict its own `action_type`.
    pub action: LoggedAction,
}

/// The twenty action columns of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedAction {
    /// The kind of move.
    pub action_type: ActionType,
    /// Built card: 0-11 by flat card index, or 12 + place among the player's reserved cards.
    pub card_selection: Option<u8>,
    /// Reserved card: 0-11 by flat card index, or 10 + level for the top of a deck.
    pub card_reservation: Option<u8>,
    /// Gems of different colors taken, 0 or 1 each and at most three in total.
    pub gem_take3: Option<ByColor<u8>>,
    /// Two gems of one color, 0 or 2 each. In rows with the [gem fault](Self::has_gem_fault),
    /// 0 or 1 each.
    pub gem_take2: Option<ByColor<u8>>,
    /// The visiting noble, by its place on the table.
    pub noble: Option<u8>,
    /// Gems given back, at most three in total.
    pub gems_removed: ByGem<u8>,
}

impl LoggedAction {
    /// A move as in a log: columns that do not belong to its `action_type` are missing.
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
            // The columns depend on the kind of take, not on the number of gems: a pair of different
            // colors belongs in `gem_take3`. Old logs have this wrong, which is the known gem fault.
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

    /// Repairs a faulty row: moves the values of `gem_take2` to `gem_take3`.
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
    /// A card is reserved.
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

    /// The name in the log.
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

/// The number of a reservation in the log.
///
/// A deck's top card is 10 + level, so the top of the level 1 deck shares 11 with the twelfth displayed
/// card. The quirk is intentional: existing logs have it, and models were trained on it.
pub const fn reservation_code(card: ReserveFrom) -> u8 {
    match card {
        ReserveFrom::Displayed(flat_index) => flat_index,
        ReserveFrom::DeckTop(level) => 10 + level.number(),
    }
}

/// The number of a built card in the log.
pub const fn selection_code(card: BuildFrom) -> u8 {
    match card {
        BuildFrom::Displayed(flat_index) => flat_index,
        BuildFrom::Reserved(place) => MAX_DISPLAYED as u8 + place,
    }
}
