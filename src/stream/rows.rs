//! The rows of a split in memory, without their features.

use crate::dataset::{Game, ShortHash};
use crate::encode::PackedRow;

/// A row and its game, in 124 bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub(super) packed: PackedRow,
    /// As a place among the games.
    game: u32,
}

const _: () = assert!(size_of::<Row>() == 124);

/// The rows of some games, in the order of an export.
#[derive(Debug, Default)]
pub(super) struct Rows {
    games: Vec<Game>,
    /// Of each game.
    first_rows: Vec<u64>,
    rows: Vec<Row>,
}

impl Rows {
    /// None yet, with space for as many.
    pub(super) fn with_capacity(rows: u64) -> Rows {
        Rows { rows: Vec::with_capacity(rows as usize), ..Rows::default() }
    }

    /// How many there are.
    pub(super) fn len(&self) -> u64 {
        self.rows.len() as u64
    }

    /// The row with a number, from 0.
    pub(super) fn get(&self, row: u64) -> &Row {
        &self.rows[row as usize]
    }

    /// The game of a row.
    pub(super) fn game(&self, row: &Row) -> &Game {
        &self.games[row.game as usize]
    }

    /// Where the row with a number is in its game, from 0.
    pub(super) fn row_in_game(&self, row: u64) -> u64 {
        row - self.first_rows[self.get(row).game as usize]
    }

    /// Adds a game, which comes after those that were added.
    pub(super) fn push(&mut self, game: Game, rows: &[PackedRow]) {
        let number = self.games.len() as u32;
        self.first_rows.push(self.len());
        self.games.push(game);
        self.rows.extend(rows.iter().map(|&packed| Row { packed, game: number }));
    }

    /// Identifies the games, the logs that they were made from, and their order.
    pub(super) fn id(&self) -> ShortHash {
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"splendor-prep stream data 1");
        for Game { game_id, rows, log_hash, .. } in &self.games {
            hasher.update(&game_id.0.to_le_bytes());
            hasher.update(&rows.to_le_bytes());
            hasher.update(log_hash.to_string().as_bytes());
        }
        hasher.finalize().into()
    }
}
