//! The position before a move: everything that is visible on the table.

use super::card::{Card, DISPLAYED_PER_LEVEL, Level};
use super::color::{ByColor, ByGem, Gem};
use super::noble::Noble;
use super::seat::{PlayerCount, Seat};
use arrayvec::ArrayVec;

/// Maximum number of displayed cards.
pub const MAX_DISPLAYED: usize = DISPLAYED_PER_LEVEL * Level::COUNT;
/// Maximum number of reserved cards of a player.
pub const MAX_RESERVED: usize = 3;
/// Maximum number of nobles on the table.
pub const MAX_NOBLES: usize = 5;
/// Maximum number of gems of a player at the end of a turn, including gold.
pub const HAND_LIMIT: u8 = 10;
/// Maximum number of points of a player.
pub const MAX_VP: u8 = 60;
/// Maximum number of reductions of a player in one color.
pub const MAX_REDUCTION: u8 = 20;
/// Points that end the game when the round is complete.
pub const POINTS_TO_END: u8 = 15;

/// The state of a player.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Player {
    /// Victory points, at most [`MAX_VP`].
    pub vp: u8,
    /// Gems in hand, at most ten in total.
    pub gems: ByGem<u8>,
    /// Permanent discounts from built cards, at most [`MAX_REDUCTION`] per color.
    pub reduction: ByColor<u8>,
    /// Reserved cards, in the order in which they were reserved.
    pub reserved: ArrayVec<Card, MAX_RESERVED>,
}

impl Player {
    /// Missing gems per color to pay for `card` without gold.
    pub fn distance(&self, card: &Card) -> ByColor<u8> {
        ByColor(std::array::from_fn(|i| {
            let real_cost = card.cost.0[i].saturating_sub(self.reduction.0[i]);
            real_cost.saturating_sub(self.gems.0[i])
        }))
    }

    /// Whether the player can pay for the card, using gold for missing gems.
    pub fn can_build(&self, card: &Card) -> bool {
        self.distance(card).total() <= self.gems[Gem::Gold]
    }

    /// The reductions after building `card`.
    pub fn reduction_with(&self, card: &Card) -> ByColor<u8> {
        let mut reduction = self.reduction;
        reduction[card.bonus] += 1;
        reduction
    }
}

/// A position, as the player to move sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Board {
    /// The player to move.
    pub to_move: Seat,
    /// Gems on the table.
    pub gems: ByGem<u8>,
    /// Displayed cards of each level in slot order, without empty slots.
    pub displayed: [ArrayVec<Card, DISPLAYED_PER_LEVEL>; Level::COUNT],
    /// Number of cards in the deck of each level.
    pub decks: [u8; Level::COUNT],
    /// Nobles on the table.
    pub nobles: ArrayVec<Noble, MAX_NOBLES>,
    /// The players by seat: two to four, see [`Board::player_count`].
    pub players: ArrayVec<Player, { PlayerCount::MAX }>,
}

impl Board {
    /// The number of players.
    ///
    /// # Panics
    /// If the board has fewer than two players, which the log reader and the rules engine never create.
    pub fn player_count(&self) -> PlayerCount {
        PlayerCount::new(self.players.len() as u8).expect("a board has two to four players")
    }

    /// The player to move.
    pub fn mover(&self) -> &Player {
        &self.players[self.to_move.index()]
    }

    /// The player in that seat; `None` if it is empty.
    pub fn player(&self, seat: Seat) -> Option<&Player> {
        self.players.get(seat.index())
    }

    /// Displayed cards by *flat card index*: level 1, then 2, then 3, numbered from 0 without gaps, so
    /// that a level with only three cards shifts the indices of the next level by one.
    pub fn displayed_cards(&self) -> impl Iterator<Item = &Card> {
        self.displayed.iter().flatten()
    }

    /// Whether gems on the table and in hands add up to the supply. In old logs they may not, which
    /// causes only a warning.
    pub fn gems_add_up(&self) -> bool {
        let supply = self.player_count().supply();
        supply.iter().all(|(gem, &supply)| {
            let held: u8 = self.players.iter().map(|player| player.gems[gem]).sum();
            self.gems[gem] + held == supply
        })
    }
}
