//! A compact position, for programs that hold hundreds of thousands of them.

use super::board::{Board, MAX_DISPLAYED, MAX_NOBLES, MAX_RESERVED, Player};
use super::card::{CARDS, Card, Level};
use super::color::{ByColor, ByGem};
use super::noble::{NOBLES, Noble};
use super::seat::{PlayerCount, RotatedIndex, Seat};

/// A [`Board`] in 88 bytes. Cards are indices in [`CARDS`], nobles in [`NOBLES`]; slots are filled from
/// the first, and the others have [`NO_CARD`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PackedBoard {
    /// The player to move.
    pub to_move: Seat,
    /// The number of players.
    pub players: PlayerCount,
    /// Gems on the table.
    pub gems: ByGem<u8>,
    /// Number of cards in the deck of each level.
    pub decks: [u8; Level::COUNT],
    /// Displayed cards by flat card index: by level, at most four of each.
    pub displayed: [u8; MAX_DISPLAYED],
    /// Nobles on the table.
    pub nobles: [u8; MAX_NOBLES],
    /// The players by seat; the other seats are empty.
    pub by_seat: [PackedPlayer; PlayerCount::MAX],
}

/// A [`Player`] in 15 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PackedPlayer {
    /// Victory points.
    pub vp: u8,
    /// Gems in hand.
    pub gems: ByGem<u8>,
    /// Permanent discounts from built cards.
    pub reduction: ByColor<u8>,
    /// Reserved cards.
    pub reserved: [u8; MAX_RESERVED],
}

/// Marks an empty slot of a card or a noble.
pub const NO_CARD: u8 = u8::MAX;

const _: () = assert!(size_of::<PackedBoard>() == 88 && CARDS.len() < NO_CARD as usize);

impl PackedBoard {
    /// A board with an empty table and players without anything.
    pub fn empty(to_move: Seat, players: PlayerCount) -> PackedBoard {
        let nobody = PackedPlayer {
            vp: 0,
            gems: ByGem::default(),
            reduction: ByColor::default(),
            reserved: [NO_CARD; MAX_RESERVED],
        };
        PackedBoard {
            to_move,
            players,
            gems: ByGem::default(),
            decks: [0; Level::COUNT],
            displayed: [NO_CARD; MAX_DISPLAYED],
            nobles: [NO_CARD; MAX_NOBLES],
            by_seat: [nobody; PlayerCount::MAX],
        }
    }

    /// Packs a board.
    pub fn pack(board: &Board) -> PackedBoard {
        let mut packed = PackedBoard {
            gems: board.gems,
            decks: board.decks,
            displayed: numbers(board.displayed_cards().map(Card::place)),
            nobles: numbers(board.nobles.iter().map(Noble::place)),
            ..PackedBoard::empty(board.to_move, board.player_count())
        };
        for (packed, player) in packed.by_seat.iter_mut().zip(&board.players) {
            let &Player { vp, gems, reduction, ref reserved } = player;
            let reserved = numbers(reserved.iter().map(Card::place));
            *packed = PackedPlayer { vp, gems, reduction, reserved };
        }
        packed
    }

    /// Unpacks the board.
    ///
    /// # Panics
    /// If a card or noble does not exist, or there are too many cards of one level.
    pub fn unpack(&self) -> Board {
        let mut board = Board {
            to_move: self.to_move,
            gems: self.gems,
            displayed: Default::default(),
            decks: self.decks,
            nobles: present(&self.nobles).map(|number| NOBLES[number]).collect(),
            players: Default::default(),
        };
        for number in present(&self.displayed) {
            let card = CARDS[number];
            board.displayed[card.level.index()].push(card);
        }
        for packed in &self.by_seat[..usize::from(self.players.get())] {
            let &PackedPlayer { vp, gems, reduction, reserved } = packed;
            let reserved = present(&reserved).map(|number| CARDS[number]).collect();
            board.players.push(Player { vp, gems, reduction, reserved });
        }
        board
    }

    /// A player by turn order; `None` after the last one.
    pub fn player_mut(&mut self, rotated: RotatedIndex) -> Option<&mut PackedPlayer> {
        let seat = rotated.seat(self.to_move, self.players)?;
        Some(&mut self.by_seat[seat.index()])
    }
}

fn numbers<const N: usize>(items: impl Iterator<Item = u8>) -> [u8; N] {
    let mut numbers = [NO_CARD; N];
    numbers.iter_mut().zip(items).for_each(|(number, item)| *number = item);
    numbers
}

fn present(numbers: &[u8]) -> impl Iterator<Item = usize> {
    numbers.iter().take_while(|&&number| number != NO_CARD).map(|&number| number.into())
}
