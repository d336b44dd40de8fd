//! Seats. Logs number players in two ways, which must not be confused.
//!
//! A [`Seat`] is absolute: the same player during the whole game. A [`RotatedIndex`] is the number in a
//! row of the log, where `player0_*` is the player to move. State columns are rotated, strategic
//! features use seats; separate types prevent mixing them.

use super::color::{ByGem, Gem};

/// Two, three or four players.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PlayerCount {
    /// Two players.
    Two,
    /// Three players.
    Three,
    /// Four players.
    Four,
}

/// The number of gold gems, for any number of players.
pub const GOLD_SUPPLY: u8 = 5;

impl PlayerCount {
    /// Maximum number of players; logs have columns for this number.
    pub const MAX: usize = 4;

    /// All numbers of players, smallest first.
    pub const ALL: [PlayerCount; 3] = [PlayerCount::Two, PlayerCount::Three, PlayerCount::Four];

    /// The number of players; `None` unless `count` is 2, 3 or 4.
    pub const fn new(count: u8) -> Option<PlayerCount> {
        match count {
            2 => Some(PlayerCount::Two),
            3 => Some(PlayerCount::Three),
            4 => Some(PlayerCount::Four),
            _ => None,
        }
    }

    /// 2, 3 or 4.
    pub const fn get(self) -> u8 {
        self as u8 + 2
    }

    /// Gems of each color in the game: 4, 5 or 7.
    pub const fn color_supply(self) -> u8 {
        match self {
            PlayerCount::Two => 4,
            PlayerCount::Three => 5,
            PlayerCount::Four => 7,
        }
    }

    /// Gems of each kind in the game, including gold.
    pub fn supply(self) -> ByGem<u8> {
        ByGem::from_fn(|gem| if gem == Gem::Gold { GOLD_SUPPLY } else { self.color_supply() })
    }

    /// Number of nobles at the start: one more than players.
    pub const fn nobles(self) -> u8 {
        self.get() + 1
    }

    /// The seats of this game, in turn order.
    pub fn seats(self) -> impl Iterator<Item = Seat> {
        (0..self.get()).map(Seat)
    }
}

/// A player's absolute place at the table, 0 to 3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seat(u8);

impl Seat {
    /// All possible seats.
    pub const ALL: [Seat; PlayerCount::MAX] = [Seat(0), Seat(1), Seat(2), Seat(3)];

    /// The seat with this index; `None` if a game with this number of players has no such seat.
    pub const fn new(seat: u8, players: PlayerCount) -> Option<Seat> {
        if seat < players.get() { Some(Seat(seat)) } else { None }
    }

    /// The index, from 0.
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// The seat that moves next.
    pub const fn next(self, players: PlayerCount) -> Seat {
        Seat((self.0 + 1) % players.get())
    }
}

/// A player's number in a row of the log: 0 is to move, 1 moves next, and so on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RotatedIndex(u8);

impl RotatedIndex {
    /// All rotated indices.
    pub const ALL: [RotatedIndex; PlayerCount::MAX] =
        [RotatedIndex(0), RotatedIndex(1), RotatedIndex(2), RotatedIndex(3)];

    /// The index, from 0.
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// The seat of this player when `to_move` is to move; `None` after the last player.
    pub const fn seat(self, to_move: Seat, players: PlayerCount) -> Option<Seat> {
        let count = players.get();
        if self.0 >= count {
            return None;
        }
        // Without a division, which would take longer than the rest.
        let seat = to_move.0 + self.0;
        Some(Seat(if seat < count { seat } else { seat - count }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rotation() {
        let to_move = Seat::new(2, PlayerCount::Three).unwrap();
        let seats: Vec<_> = RotatedIndex::ALL
            .iter()
            .map(|rotated| rotated.seat(to_move, PlayerCount::Three).map(Seat::index))
            .collect();
        assert_eq!(seats, [Some(2), Some(0), Some(1), None]);
    }

    #[test]
    fn supply() {
        let supply = PlayerCount::ALL.map(|players| players.supply().0);
        assert_eq!(supply, [[4, 4, 4, 4, 4, 5], [5; 6], [7, 7, 7, 7, 7, 5]]);
    }
}
