//! Seats. The log numbers players in two ways, which must never be mixed up.
//!
//! A [`Seat`] is absolute: the same person all game. A [`RotatedIndex`] is the place in a row of
//! the log, where `player0_*` is the player to move. State columns are rotated, strategic features
//! go by seat; the two types keep one from indexing the other.

use super::color::{ByGem, Gem};

/// Two, three or four players.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PlayerCount {
    /// A game of two.
    Two,
    /// A game of three.
    Three,
    /// A game of four.
    Four,
}

/// Gold gems in the box, whatever the number of players.
pub const GOLD_SUPPLY: u8 = 5;

impl PlayerCount {
    /// Most players there can be; the log has columns for as many.
    pub const MAX: usize = 4;

    /// All counts, smallest first.
    pub const ALL: [PlayerCount; 3] = [PlayerCount::Two, PlayerCount::Three, PlayerCount::Four];

    /// `None` unless `count` is 2, 3 or 4.
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

    /// Gems of each kind in the game, gold included.
    pub fn supply(self) -> ByGem<u8> {
        ByGem::from_fn(|gem| if gem == Gem::Gold { GOLD_SUPPLY } else { self.color_supply() })
    }

    /// Nobles laid out at the start: one more than players.
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
    /// Every seat a table can have, taken or not.
    pub const ALL: [Seat; PlayerCount::MAX] = [Seat(0), Seat(1), Seat(2), Seat(3)];

    /// `None` where a game of this many players has no such seat.
    pub const fn new(seat: u8, players: PlayerCount) -> Option<Seat> {
        if seat < players.get() { Some(Seat(seat)) } else { None }
    }

    /// From 0.
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// Who moves after this player.
    pub const fn next(self, players: PlayerCount) -> Seat {
        Seat((self.0 + 1) % players.get())
    }
}

/// A player's place in a row of the log: 0 is to move, 1 moves next, and so on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RotatedIndex(u8);

impl RotatedIndex {
    /// Every place a row has columns for.
    pub const ALL: [RotatedIndex; PlayerCount::MAX] =
        [RotatedIndex(0), RotatedIndex(1), RotatedIndex(2), RotatedIndex(3)];

    /// From 0.
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// Who that is while `to_move` is to move; `None` past the last player.
    pub const fn seat(self, to_move: Seat, players: PlayerCount) -> Option<Seat> {
        let count = players.get();
        if self.0 >= count {
            return None;
        }
        // Not by division, which takes longer than all the rest.
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
