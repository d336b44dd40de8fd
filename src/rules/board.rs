//! The position before a move: everything that is visible at the table.

use super::card::{Card, DISPLAYED_PER_LEVEL, Level};
use super::color::{ByColor, ByGem, Gem};
use super::noble::Noble;
use super::seat::{PlayerCount, Seat};
use arrayvec::ArrayVec;

/// Face-up cards, at most.
pub const MAX_DISPLAYED: usize = DISPLAYED_PER_LEVEL * Level::COUNT;
/// Cards a player may hold in reserve.
pub const MAX_RESERVED: usize = 3;
/// Nobles on the table, at most.
pub const MAX_NOBLES: usize = 5;
/// Gems a player may hold at the end of a turn, gold included.
pub const HAND_LIMIT: u8 = 10;
/// Points a player may have, at most.
pub const MAX_VP: u8 = 60;
/// Reductions of one color a player may have, at most.
pub const MAX_REDUCTION: u8 = 20;
/// Points that end the game once the round is complete.
pub const POINTS_TO_END: u8 = 15;

/// What one player has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Player {
    /// Victory points, up to [`MAX_VP`].
    pub vp: u8,
    /// Gems in hand, at most ten in all.
    pub gems: ByGem<u8>,
    /// Permanent discounts from built cards, up to [`MAX_REDUCTION`] a color.
    pub reduction: ByColor<u8>,
    /// Cards in reserve, in the order they were reserved.
    pub reserved: ArrayVec<Card, MAX_RESERVED>,
}

impl Player {
    /// Gems that are missing per color to pay for `card` without gold.
    pub fn distance(&self, card: &Card) -> ByColor<u8> {
        ByColor(std::array::from_fn(|i| {
            let real_cost = card.cost.0[i].saturating_sub(self.reduction.0[i]);
            real_cost.saturating_sub(self.gems.0[i])
        }))
    }

    /// Whether gold in hand covers what is missing.
    pub fn can_build(&self, card: &Card) -> bool {
        self.distance(card).total() <= self.gems[Gem::Gold]
    }

    /// Reductions once `card` is built.
    pub fn reduction_with(&self, card: &Card) -> ByColor<u8> {
        let mut reduction = self.reduction;
        reduction[card.bonus] += 1;
        reduction
    }
}

/// A position: what the player to move sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Board {
    /// The player to move.
    pub to_move: Seat,
    /// Gems on the table.
    pub gems: ByGem<u8>,
    /// Face-up cards of each level, in slot order, empty slots dropped.
    pub displayed: [ArrayVec<Card, DISPLAYED_PER_LEVEL>; Level::COUNT],
    /// Face-down cards left of each level.
    pub decks: [u8; Level::COUNT],
    /// Nobles on the table.
    pub nobles: ArrayVec<Noble, MAX_NOBLES>,
    /// The players by seat: two to four, see [`Board::player_count`].
    pub players: ArrayVec<Player, { PlayerCount::MAX }>,
}

impl Board {
    /// How many play.
    ///
    /// # Panics
    /// If the board was built with fewer than two players; the log reader and the rules engine
    /// never do.
    pub fn player_count(&self) -> PlayerCount {
        PlayerCount::new(self.players.len() as u8).expect("a board has two to four players")
    }

    /// The player to move.
    pub fn mover(&self) -> &Player {
        &self.players[self.to_move.index()]
    }

    /// The player in that seat, or `None` if it is empty.
    pub fn player(&self, seat: Seat) -> Option<&Player> {
        self.players.get(seat.index())
    }

    /// Face-up cards by *flat card index*: level 1, then 2, then 3, numbered from 0 with no gaps,
    /// so that a level with three cards left moves the next level up by one.
    pub fn displayed_cards(&self) -> impl Iterator<Item = &Card> {
        self.displayed.iter().flatten()
    }

    /// Whether gems on the table and in hands add up to the supply. Old logs may not; that is
    /// worth a warning, not a refusal.
    pub fn gems_add_up(&self) -> bool {
        let supply = self.player_count().supply();
        supply.iter().all(|(gem, &supply)| {
            let held: u8 = self.players.iter().map(|player| player.gems[gem]).sum();
            self.gems[gem] + held == supply
        })
    }
}
