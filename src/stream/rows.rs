//! The rows of a split in memory, without features.
//!
//! A game stays compressed until a batch needs one of its rows. So the first batch need not wait until
//! all games are decompressed, which takes half a second for half a million rows.

use crate::cache::{CacheError, PackedGame, Unpacker};
use crate::dataset::{Game, ShortHash};
use crate::encode::PackedRow;
use std::sync::{Mutex, OnceLock, PoisonError};

/// The rows of games, in the order of an export.
#[derive(Debug, Default)]
pub(super) struct Rows {
    games: Vec<Game>,
    /// Of each game.
    weights: Vec<f64>,
    /// Of each game.
    first_rows: Vec<u64>,
    slots: Vec<Slot>,
    count: u64,
}

/// The rows of a game.
#[derive(Debug)]
struct Slot {
    /// The compressed game, until it is unpacked.
    packed: Mutex<Option<PackedGame>>,
    rows: OnceLock<Box<[PackedRow]>>,
}

/// The place of a row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// Index of the game.
    pub(super) row: u64,
    game: usize,
    /// From 0.
    pub(super) row_in_game: usize,
}

impl Rows {
    /// The number of rows.
    pub(super) fn len(&self) -> u64 {
        self.count
    }

    /// The place of a row by its number, from 0.
    pub(super) fn place(&self, row: u64) -> Place {
        let game = self.first_rows.partition_point(|&first| first <= row) - 1;
        Place { row, game, row_in_game: (row - self.first_rows[game]) as usize }
    }

    /// The game of a row.
    pub(super) fn game(&self, place: Place) -> &Game {
        &self.games[place.game]
    }

    /// The weight of the game of a row.
    pub(super) fn game_weight(&self, place: Place) -> f64 {
        self.weights[place.game]
    }

    /// The weights of all games, in order.
    pub(super) fn game_weights(&self) -> &[f64] {
        &self.weights
    }

    /// A row; unpacks its game if necessary.
    pub(super) fn row(
        &self,
        place: Place,
        unpacker: &mut Unpacker,
    ) -> Result<&PackedRow, CacheError> {
        let rows = self.slots[place.game].rows(unpacker)?;
        Ok(&rows[place.row_in_game])
    }

    /// Appends a game.
    pub(super) fn push(&mut self, game: Game, weight: f64, packed: PackedGame) {
        self.games.push(game);
        self.weights.push(weight);
        self.first_rows.push(self.count);
        self.slots.push(Slot { packed: Mutex::new(Some(packed)), rows: OnceLock::new() });
        self.count += u64::from(game.rows);
    }

    /// Identifies the games, their logs and their order.
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

impl Slot {
    fn rows(&self, unpacker: &mut Unpacker) -> Result<&[PackedRow], CacheError> {
        if let Some(rows) = self.rows.get() {
            return Ok(rows);
        }
        // Other threads that need this game wait here.
        let mut packed = self.packed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(game) = &*packed {
            let rows = unpacker.unpack_rows(game)?.into_boxed_slice();
            self.rows.get_or_init(|| rows);
            *packed = None;
        }
        Ok(self.rows.get().expect("unpacked by this thread or another one"))
    }
}
