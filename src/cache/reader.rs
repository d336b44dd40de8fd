//! Looking after the games one at a time, beside whoever writes.

use super::blob::{PackedGame, Unpacker};
use super::database::{open_to_read, sqlite_error};
use super::error::CacheError;
use super::record::GameRecord;
use super::rows::{
    BLOB_COLUMNS, CHECKED_COLUMNS, CHECKED_WIDTH, CachedGames, GAMES_WITH_PLAY, damage,
    first_damaged_blob, read_blobs, read_games, read_record, structure_faults,
};
use crate::encode::EncodedGame;
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

    /// The rows of a game and its record; `None` if the cache does not have it.
    ///
    /// # Errors
    /// [`CacheError::Damaged`] if they are not what was stored, [`CacheError::OtherEncoder`] if they
    /// are of another version of this program; if the file cannot be read.
    pub fn game(
        &mut self,
        game_id: GameId,
    ) -> Result<Option<(GameRecord, &EncodedGame)>, CacheError> {
        let game = self.packed(game_id).map_err(|error| match damage(&error) {
            Some(why) => CacheError::Damaged { game_id, what: "columns", why },
            None => sqlite_error(&self.path, error),
        })?;
        let Some(game) = game else { return Ok(None) };
        if !game.record.is_of_this_encoder() {
            return Err(CacheError::OtherEncoder { path: self.path.clone(), game_id });
        }
        let rows = self.unpacker.unpack(&game)?;
        Ok(Some((game.record, rows)))
    }

    fn packed(&self, game_id: GameId) -> rusqlite::Result<Option<PackedGame>> {
        let mut statement = self.connection.prepare_cached(&ROW_OF_GAME)?;
        let game = |row: &rusqlite::Row<'_>| {
            Ok(PackedGame { record: read_record(row)?, blobs: read_blobs(row, CHECKED_WIDTH)? })
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
        if !game.record.is_of_this_encoder() {
            // In another layout, or of other numbers: this program knows the checksums.
            return Ok(self.first_damage(game_id)?.into_iter().collect());
        }
        let mut faults = self.unpacker.faults(&game)?;
        if faults.is_empty() {
            let stored = self.unpacker.column_sums(&game)?;
            match self.unpacker.unpack(&game) {
                Ok(rows) if rows.column_sums() == stored => {}
                Ok(_) => {
                    faults.push("column_sums: they are not the sums of the features".to_owned());
                }
                Err(CacheError::Damaged { what, why, .. }) => faults.push(format!("{what}: {why}")),
                Err(error) => return Err(error),
            }
        }
        Ok(faults)
    }
}

static ROW_OF_GAME: LazyLock<String> = LazyLock::new(|| {
    let columns = &*CHECKED_COLUMNS;
    format!("SELECT {columns}, {BLOB_COLUMNS} FROM {GAMES_WITH_PLAY} WHERE game_id = ?1")
});

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::{Cache, CacheKey, FeatureSchema, GameRecord, PackedGame, Packer};
    use crate::encode::EncodedGame;
    use crate::gamelog::{GamePlay, ReadOptions};
    use crate::simulate::simulate_game;
    use crate::splendor::PlayerCount;
    use rusqlite::StatementStatus;

    /// Compiling a statement takes as long as reading a game does.
    #[test]
    fn the_statement_of_a_game_is_compiled_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("prep.sqlite");
        Cache::open_or_create(&path).unwrap();
        let reader = GameReader::open(&path).unwrap();
        for game_id in 1..=3 {
            assert_eq!(reader.first_damage(GameId(game_id)).unwrap(), None);
        }
        let statement = reader.connection.prepare_cached(&ROW_OF_GAME).unwrap();
        assert_eq!(statement.get_status(StatementStatus::Run), 3);
        assert_eq!(statement.get_status(StatementStatus::RePrepare), 0);
    }

    /// A game as a migration leaves one that was stored in an older layout: a blob that is new is
    /// empty, with a checksum of zeros, and the schema is another.
    #[test]
    fn a_game_of_an_older_layout_is_stale_but_not_damaged() {
        let mut game = EncodedGame::default();
        simulate_game(PlayerCount::Two, 1).iter().for_each(|turn| game.push(turn));
        let now = CacheKey::now(b"log", ReadOptions::default());
        let record = GameRecord {
            game_id: GameId(7),
            source_path: "7.csv".into(),
            source_bytes: 3,
            key: CacheKey { feature_schema: FeatureSchema([7; 8]), ..now },
            rows: game.features().len() as u32,
            players: 2,
            gem_fault_rows: 0,
            unbalanced_rows: 0,
        };
        let packed = Packer::new().unwrap().pack(record.clone(), &game).unwrap();
        let packed = PackedGame::from_blobs(record, packed.blobs());

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("prep.sqlite");
        let cache = Cache::open_or_create(&path).unwrap();
        let batch = cache.begin().unwrap();
        batch.put(&packed, &GamePlay::default()).unwrap();
        batch.commit().unwrap();
        let update = |columns: &str| {
            cache.connection.execute(&format!("UPDATE games SET {columns}"), []).unwrap();
        };
        update("turn_numbers = x'', turn_numbers_checksum = zeroblob(16)");

        let mut reader = GameReader::open(&path).unwrap();
        let none: [String; 0] = [];
        assert_eq!(reader.faults(GameId(7)).unwrap(), none);
        assert_eq!(reader.first_damage(GameId(7)).unwrap(), None);
        let stale = cache.games().unwrap().staleness(GameId(7), &now).unwrap();
        assert_eq!(stale.name(), "schema_changed");

        update("masks = zeroblob(20)");
        let damaged = "masks: the checksum does not match";
        assert_eq!(reader.faults(GameId(7)).unwrap(), [damaged]);
        assert_eq!(reader.first_damage(GameId(7)).unwrap().as_deref(), Some(damaged));
    }
}
