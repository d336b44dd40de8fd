//! Looking after the games one at a time, beside whoever writes.

use super::blob::{Blob, PackedGame, UnpackedGame, Unpacker};
use super::database::{open_to_read, sqlite_error};
use super::error::CacheError;
use super::record::GameRecord;
use super::rows::{
    BLOB_COLUMNS, CachedGames, RECORD_COLUMNS, RECORD_WIDTH, damage, first_damaged_blob, read_blob,
    read_games, read_record, structure_faults,
};
use crate::encode::{ColumnSums, FEATURE_COUNT};
use crate::gamelog::GameId;
use rusqlite::{Connection, OptionalExtension};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// A connection of its own to a cache, which reads one game after the other.
///
/// It sees a game's columns and blobs as they were together at one moment, and keeps no transaction
/// open from one game to the next: a writer is never in the way, nor kept from tidying up its
/// write-ahead log.
pub struct GameReader {
    connection: Connection,
    unpacker: Unpacker,
    path: PathBuf,
}

impl GameReader {
    /// Opens a cache that is there.
    ///
    /// # Errors
    /// As [`Cache::open_existing`](super::Cache::open_existing).
    pub fn open(path: &Path) -> Result<GameReader, CacheError> {
        let connection = open_to_read(path)?;
        let unpacker = Unpacker::new()?;
        Ok(GameReader { connection, unpacker, path: path.to_owned() })
    }

    /// Every cached game, and what kept the list from its end if it was cut short.
    pub fn games(&self) -> (CachedGames, Option<CacheError>) {
        let mut games = CachedGames::default();
        let read = read_games(&self.connection, &mut games);
        (games, read.err().map(|error| sqlite_error(&self.path, error)))
    }

    /// Games whose logs the last ingest refused.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn refused_games(&self) -> Result<BTreeSet<GameId>, CacheError> {
        let read = || -> rusqlite::Result<_> {
            let mut statement = self.connection.prepare("SELECT game_id FROM refusals")?;
            statement.query_map([], |row| row.get(0).map(GameId))?.collect()
        };
        read().map_err(|error| sqlite_error(&self.path, error))
    }

    /// What is wrong with how the file hangs together, a sentence each; reads all of it.
    ///
    /// # Errors
    /// [`CacheError::Malformed`] if it is too broken for that.
    pub fn structure_faults(&self) -> Result<Vec<String>, CacheError> {
        structure_faults(&self.connection, "integrity_check")
            .map_err(|error| sqlite_error(&self.path, error))
    }

    /// What of a game's row is not what was stored, by its columns and the checksums alone, without
    /// unpacking; `None` if all of it is, or the game is gone.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn first_damage(&self, game_id: GameId) -> Result<Option<String>, CacheError> {
        let read = || {
            let mut statement = self.connection.prepare_cached(&ROW_OF_GAME)?;
            statement.query_row([game_id.0], first_damaged_blob).optional()
        };
        match read() {
            Ok(damaged) => Ok(damaged.flatten()),
            Err(error) => match damage(&error) {
                Some(what) => Ok(Some(what)),
                None => Err(sqlite_error(&self.path, error)),
            },
        }
    }

    /// What the cache knows of a game, and its arrays; `None` if it does not have the game.
    ///
    /// # Errors
    /// [`CacheError::Damaged`] if its row is not what was stored, or if the file cannot be read.
    pub fn game(
        &mut self,
        game_id: GameId,
    ) -> Result<Option<(GameRecord, UnpackedGame)>, CacheError> {
        let packed = self.packed(game_id).map_err(|error| match damage(&error) {
            Some(why) => CacheError::Damaged { game_id, what: "columns", why },
            None => sqlite_error(&self.path, error),
        })?;
        let Some(game) = packed else { return Ok(None) };
        let unpacked = self.unpacker.unpack(&game)?;
        Ok(Some((game.record, unpacked)))
    }

    fn packed(&self, game_id: GameId) -> rusqlite::Result<Option<PackedGame>> {
        let mut statement = self.connection.prepare_cached(&ROW_OF_GAME)?;
        let game = |row: &rusqlite::Row<'_>| {
            let blob = |blob| read_blob(row, RECORD_WIDTH, blob);
            let [a, b, c, d, e] = Blob::ALL;
            let blobs = [blob(a)?, blob(b)?, blob(c)?, blob(d)?, blob(e)?];
            Ok(PackedGame { record: read_record(row)?, blobs })
        };
        statement.query_row([game_id.0], game).optional()
    }

    /// Everything that is wrong with a game: columns, checksums, lengths, sums. Nothing if it is
    /// gone.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn faults(&mut self, game_id: GameId) -> Result<Vec<String>, CacheError> {
        let game = match self.packed(game_id) {
            Ok(Some(game)) => game,
            Ok(None) => return Ok(Vec::new()),
            Err(error) => match damage(&error) {
                Some(what) => return Ok(vec![what]),
                None => return Err(sqlite_error(&self.path, error)),
            },
        };
        let mut faults = self.unpacker.faults(&game)?;
        if faults.is_empty() {
            let features = self.unpacker.unpack(&game)?.features;
            let stored =
                self.unpacker.unpack_column_sums(&game.record, game.blob(Blob::ColumnSums))?;
            let mut sums = ColumnSums { rows: stored.rows, ..ColumnSums::zero(FEATURE_COUNT) };
            for column in 0..FEATURE_COUNT {
                // Whole numbers of at most three digits: exact, however they are added.
                for value in features.column(column).iter().map(|&value| value as i64) {
                    sums.sum[column] += value;
                    sums.sum_of_squares[column] += value * value;
                }
            }
            if sums != stored {
                faults.push("column_sums: they are not the sums of the features".to_owned());
            }
        }
        Ok(faults)
    }
}

static ROW_OF_GAME: LazyLock<String> = LazyLock::new(|| {
    format!("SELECT {RECORD_COLUMNS}, {BLOB_COLUMNS} FROM games WHERE game_id = ?1")
});
