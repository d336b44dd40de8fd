//! Looking after the games one at a time, beside whoever writes.

use super::blob::{PackedGame, Unpacker};
use super::database::{open_to_read, sqlite_error};
use super::error::CacheError;
use super::record::GameRecord;
use super::rows::{
    CachedGame, ROW_OF_GAME, damage, each_game, look_at_row, plain_columns, read_packed,
    structure_faults,
};
use crate::encode::EncodedGame;
use crate::gamelog::GameId;
use rusqlite::{Connection, OptionalExtension};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A connection of its own to a cache, which reads one game after the other.
///
/// It sees a game's columns and blobs as they were together at one moment, and a writer is never in
/// the way. Only [`look`](Self::look) keeps its transaction open, for the next one: until it is
/// [let go](Self::let_go), all that is read is as it was then, and a writer cannot tidy up its
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

    /// Gives `each` the plain columns of one game after another, in ascending order: its record, or
    /// what shows that they cannot be what was stored.
    ///
    /// # Errors
    /// Whatever keeps it from the end of the list; `each` has the games before that.
    pub fn each_game(
        &self,
        each: impl FnMut(GameId, Result<GameRecord, String>),
    ) -> Result<(), CacheError> {
        each_game(&self.connection, each).map_err(|error| sqlite_error(&self.path, error))
    }

    /// How many games there are, damaged ones too, and the lowest and the highest id.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn range(&self) -> Result<(u64, Option<(GameId, GameId)>), CacheError> {
        let sql = "SELECT count(*), min(game_id), max(game_id) FROM games";
        let read = |row: &rusqlite::Row<'_>| {
            let ends: (Option<i64>, Option<i64>) = (row.get(1)?, row.get(2)?);
            Ok((
                row.get::<_, i64>(0)? as u64,
                ends.0.zip(ends.1).map(|(low, high)| (GameId(low), GameId(high))),
            ))
        };
        self.connection.query_row(sql, [], read).map_err(|error| sqlite_error(&self.path, error))
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

    /// The plain columns of a game: its record, or what shows that they cannot be what was stored;
    /// `None` if the cache does not have it.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn plain_columns(
        &self,
        game_id: GameId,
    ) -> Result<Option<Result<GameRecord, String>>, CacheError> {
        plain_columns(&self.connection, game_id).map_err(|error| sqlite_error(&self.path, error))
    }

    /// Looks at all of a game's row, the blobs by their checksums alone, without unpacking; `None` if
    /// the cache does not have it. Shows the cache as it was at the first look since it was let go.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn look(&self, game_id: GameId) -> Result<Option<CachedGame>, CacheError> {
        let look = || {
            if self.connection.is_autocommit() {
                self.connection.prepare_cached("BEGIN")?.execute([])?;
            }
            let mut statement = self.connection.prepare_cached(&ROW_OF_GAME)?;
            statement.query_row([game_id.0], look_at_row).optional()
        };
        look().map_err(|error| sqlite_error(&self.path, error))
    }

    /// Ends what [`look`](Self::look) has begun. To begin and to end it for every game takes a sixteenth
    /// of an ingest with nothing to do.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn let_go(&self) -> Result<(), CacheError> {
        let end = || match self.connection.is_autocommit() {
            true => Ok(0),
            false => self.connection.prepare_cached("COMMIT")?.execute([]),
        };
        end().map(|_| ()).map_err(|error| sqlite_error(&self.path, error))
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
        statement.query_row([game_id.0], read_packed).optional()
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
            // Of another layout: what its checksums and sums are over is not known.
            return Ok(Vec::new());
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::{Cache, CacheKey, FeatureSchema, GameRecord, PackedGame, Packer};
    use crate::encode::EncodedGame;
    use crate::gamelog::{GamePlay, LogError, ReadOptions};
    use crate::rules::PlayerCount;
    use crate::simulate::simulate_game;
    use rusqlite::StatementStatus;

    /// Compiling a statement takes as long as reading a game does.
    #[test]
    fn the_statement_of_a_game_is_compiled_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("prep.sqlite");
        Cache::open_or_create(&path).unwrap();
        let reader = GameReader::open(&path).unwrap();
        for game_id in 1..=3 {
            assert_eq!(reader.look(GameId(game_id)).unwrap(), None);
        }
        let statement = reader.connection.prepare_cached(&ROW_OF_GAME).unwrap();
        assert_eq!(statement.get_status(StatementStatus::Run), 3);
        assert_eq!(statement.get_status(StatementStatus::RePrepare), 0);
    }

    #[test]
    fn what_is_looked_at_stays_as_it_is_until_it_is_let_go() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("prep.sqlite");
        let cache = Cache::open_or_create(&path).unwrap();
        let reader = GameReader::open(&path).unwrap();
        let are_refused = || reader.refused_games().unwrap().len();
        assert_eq!(reader.look(GameId(7)).unwrap(), None);
        let error = LogError::changed_while_read("7.csv");
        let batch = cache.begin().unwrap();
        batch.put_refusal(GameId(7), None, &error).unwrap();
        batch.commit().unwrap();

        assert_eq!(are_refused(), 0, "as it was at the first look");
        reader.let_go().unwrap();
        assert_eq!(are_refused(), 1);
        assert!(reader.connection.is_autocommit(), "nobody has to wait for it");
        reader.let_go().unwrap();
    }

    /// By these locks, other programs know that they are not the last to close the cache: who is removes
    /// the write-ahead log.
    #[test]
    #[cfg(target_os = "linux")]
    fn opening_a_cache_again_leaves_the_locks_of_those_who_have_it_open() {
        use std::os::unix::fs::MetadataExt;

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("prep.sqlite");
        let cache = Cache::open_or_create(&path).unwrap();
        cache.refusals().unwrap();
        let inode = format!(":{} ", std::fs::metadata(&path).unwrap().ino());
        let locks = || {
            let all = std::fs::read_to_string("/proc/locks").unwrap();
            all.lines().filter(|lock| lock.contains(&inode)).count()
        };
        let held = locks();
        assert!(held > 0);
        drop(GameReader::open(&path).unwrap());
        Cache::check(&path).unwrap();
        assert_eq!(locks(), held);
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
        let looked_at = reader.look(GameId(7)).unwrap().unwrap();
        assert_eq!(looked_at.damage(), None);
        assert_eq!(looked_at.staleness(&now).unwrap().name(), "schema_changed");
    }
}
