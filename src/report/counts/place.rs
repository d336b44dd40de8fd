//! The place of a row.

use crate::gamelog::GameId;
use serde::Serialize;

/// A row of a game. Ordered, so that the first of several rows does not depend on the threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Place {
    /// The game.
    pub game_id: GameId,
    /// Its row, from 0.
    pub row_in_game: u32,
}

impl Place {
    pub(crate) fn new(game_id: GameId, row: usize) -> Place {
        Place { game_id, row_in_game: row as u32 }
    }
}

/// The first of two places.
pub(crate) fn first(one: Option<Place>, other: Option<Place>) -> Option<Place> {
    [one, other].into_iter().flatten().min()
}
