//! The rules of the game: gems, cards, nobles, seats, the board, legal moves and play.
//!
//! This module does not depend on files, CSV columns or features, and does not allocate: a [`Board`] is
//! a plain value on the stack.
//!
//! Two properties are intentional. Legal moves are those that the self-play search considers, which are
//! fewer than the printed rules allow (see [`for_each_legal_move`]); and one level-2 card exists in two
//! printings, which are both valid (see [`CARDS`]).

mod board;
mod card;
mod color;
mod game;
mod moves;
mod noble;
mod packed;
mod play;
mod seat;

pub use board::{
    Board, HAND_LIMIT, MAX_DISPLAYED, MAX_NOBLES, MAX_REDUCTION, MAX_RESERVED, MAX_VP,
    POINTS_TO_END, Player,
};
pub use card::{CARDS, CARDS_IN_BOX, Card, CardSet, DISPLAYED_PER_LEVEL, Level};
pub use color::{ByColor, ByGem, Color, Gem};
pub use game::Game;
pub use moves::{
    BuildFrom, MAX_GIVE_BACK, MAX_TAKE, Move, ReserveFrom, TAKE_TWO_PILE, for_each_legal_move,
};
pub use noble::{NOBLE_VP, NOBLES, Noble};
pub use packed::{NO_CARD, PackedBoard, PackedPlayer};
pub use play::{Draw, Impossible};
pub use seat::{GOLD_SUPPLY, PlayerCount, RotatedIndex, Seat};
