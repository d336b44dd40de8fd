//! Games in and out of the SQLite file.

use super::blob::{Blob, PackedGame, Unpacker};
use super::database::{check, open_or_create, open_to_read, sqlite_error};
use super::error::CacheError;
use super::play;
use super::record::GameRecord;
use super::rows::{
    BLOB_COLUMNS, RECORD_COLUMN_COUNT, RECORD_COLUMNS, ROW_OF_GAME, each_game, game_error,
    plain_columns, read_blob, read_packed, structure_faults,
};
use crate::encode::ColumnSums;
use crate::gamelog::{GameId, GamePlay, LogError};
use rusqlite::TransactionBehavior::{self, Deferred, Immediate};
use rusqlite::{Connection, ToSql, Transaction, params};
use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// An open cache file.
pub struct Cache {
    pub(super) connection: Connection,
    pub(super) path: PathBuf,
    /// The file as it was when it was opened where nothing can be written.
    frozen: Option<FileState>,
}

/// What changes with a file: its inode, its size, its times.
type FileState = (u64, u64, i64, i64, i64);

fn file_state(path: &Path) -> Option<FileState> {
    let file = std::fs::metadata(path).ok()?;
    Some((file.ino(), file.len(), file.mtime(), file.mtime_nsec(), file.ctime_nsec()))
}

/// A log that the last ingest could not take in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The game, by the file's name.
    pub game_id: GameId,
    /// The log, below the data folder.
    pub source_path: String,
    /// blake3 of the refused bytes; `None` if they could not be read.
    pub source_hash: Option<blake3::Hash>,
    /// Where and what, in one sentence that begins with the path.
    pub message: String,
    /// Whether the log was set aside as still being written, rather than refused.
    pub set_aside: bool,
}

type SqliteResult<T> = rusqlite::Result<T>;

impl Cache {
    /// Opens a cache for writing, or makes a new one with the folders above it.
    ///
    /// # Errors
    /// If the file is no cache, is from a newer version, or cannot be written.
    pub fn open_or_create(path: &Path) -> Result<Cache, CacheError> {
        Ok(Cache { connection: open_or_create(path)?, path: path.to_owned(), frozen: None })
    }

    /// Opens a cache that is there, to read: it is not migrated, nothing of it is written, and it
    /// may lie where nothing can be.
    ///
    /// # Errors
    /// [`CacheError::Absent`] if it is not there, [`CacheError::Older`] if it must be migrated
    /// first, [`CacheError::LogBeside`] if it cannot be read without writing; else as
    /// [`open_or_create`](Self::open_or_create).
    pub fn open_existing(path: &Path) -> Result<Cache, CacheError> {
        let state = file_state(path);
        let connection = open_to_read(path)?;
        let is_frozen = connection.is_readonly("main").unwrap_or(false);
        Ok(Cache { connection, path: path.to_owned(), frozen: state.filter(|_| is_frozen) })
    }

    /// Opens a cache to read, if it is there.
    ///
    /// # Errors
    /// As [`open_existing`](Self::open_existing), but for its absence.
    pub fn open_if_there(path: &Path) -> Result<Option<Cache>, CacheError> {
        match Cache::open_existing(path) {
            Ok(cache) => Ok(Some(cache)),
            Err(CacheError::Absent(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Looks whether this program may write a cache here: there is nothing yet, or a cache that it
    /// knows. Leaves no trace, so it is the thing to do before making a lock file.
    ///
    /// # Errors
    /// If the file is something else, or is from a newer version.
    pub fn check(path: &Path) -> Result<(), CacheError> {
        check(path)
    }

    /// Makes sure that nobody wrote the file since it was opened, where it is read without locks
    /// because this process may not write: then rows of two states may have been read.
    ///
    /// # Errors
    /// [`CacheError::ChangedMeanwhile`] if somebody did.
    pub fn check_unchanged(&self) -> Result<(), CacheError> {
        match self.frozen {
            Some(state) if file_state(&self.path) != Some(state) => {
                Err(CacheError::ChangedMeanwhile(self.path.clone()))
            }
            _ => Ok(()),
        }
    }

    /// The file it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Gives `each` the plain columns of one game after another, in ascending order: its record, or
    /// what shows that they cannot be what was stored.
    ///
    /// # Errors
    /// If SQLite cannot read the file.
    pub fn each_game(
        &self,
        each: impl FnMut(GameId, Result<GameRecord, String>),
    ) -> Result<(), CacheError> {
        each_game(&self.connection, each).map_err(|error| self.error(error))
    }

    /// The plain columns of a game: its record, or what shows that they cannot be what was stored;
    /// `None` if it is not there.
    ///
    /// # Errors
    /// If SQLite cannot read the file.
    pub fn plain_columns(
        &self,
        game_id: GameId,
    ) -> Result<Option<Result<GameRecord, String>>, CacheError> {
        plain_columns(&self.connection, game_id).map_err(|error| self.error(error))
    }

    /// Makes sure that the file hangs together. In one that does not, a page may belong to two
    /// games, and writing one would spoil the other.
    ///
    /// # Errors
    /// [`CacheError::Malformed`] if it does not.
    pub fn check_structure(&self) -> Result<(), CacheError> {
        check_structure(&self.connection, &self.path)
    }

    /// Logs that the last ingest refused, by path.
    ///
    /// # Errors
    /// If SQLite cannot read the file.
    pub fn refusals(&self) -> Result<Vec<Refusal>, CacheError> {
        read_refusals(&self.connection).map_err(|error| self.error(error))
    }

    /// Begins to write. Nothing is kept unless [`Batch::commit`] is called.
    ///
    /// # Errors
    /// If another process holds the file for longer than half a minute.
    pub fn begin(&self) -> Result<Batch<'_>, CacheError> {
        Ok(Batch { transaction: self.transaction(Immediate)?, path: &self.path })
    }

    /// Begins to read: until the snapshot is dropped, it shows the cache as it is now, whatever
    /// others commit meanwhile.
    ///
    /// # Errors
    /// If SQLite cannot read the file.
    pub fn snapshot(&self) -> Result<Snapshot<'_>, CacheError> {
        Ok(Snapshot { transaction: self.transaction(Deferred)?, path: &self.path })
    }

    /// A transaction that borrows the cache only for reading, so that a writer can keep one open
    /// beside the cache it came from. SQLite refuses a second one on the same connection.
    fn transaction(&self, behavior: TransactionBehavior) -> Result<Transaction<'_>, CacheError> {
        Transaction::new_unchecked(&self.connection, behavior).map_err(|error| self.error(error))
    }

    fn error(&self, error: rusqlite::Error) -> CacheError {
        sqlite_error(&self.path, error)
    }
}

/// A cache as it was at one moment.
pub struct Snapshot<'a> {
    pub(super) transaction: Transaction<'a>,
    pub(super) path: &'a Path,
}

impl Snapshot<'_> {
    /// The cache file.
    pub(crate) fn path(&self) -> &Path {
        self.path
    }

    /// Gives `each` the record of one game after another, in ascending order.
    ///
    /// # Errors
    /// [`CacheError::Damaged`] if one cannot be read, [`CacheError::Malformed`] if the file does
    /// not hang together: games might be missing without a trace.
    pub fn each_record(&self, mut each: impl FnMut(GameRecord)) -> Result<(), CacheError> {
        check_structure(&self.transaction, self.path)?;
        let mut first_damage = None;
        each_game(&self.transaction, |game_id, record| match record {
            Ok(record) => each(record),
            Err(why) => _ = first_damage.get_or_insert((game_id, why)),
        })
        .map_err(|error| sqlite_error(self.path, error))?;
        match first_damage {
            Some((game_id, why)) => Err(CacheError::Damaged { game_id, what: "columns", why }),
            None => Ok(()),
        }
    }

    /// How many games there are, by SQLite's own count.
    ///
    /// # Errors
    /// If SQLite cannot read the file.
    pub fn game_count(&self) -> Result<u64, CacheError> {
        let count = self.transaction.query_row("SELECT count(*) FROM games", [], |row| row.get(0));
        count.map(i64::unsigned_abs).map_err(|error| sqlite_error(self.path, error))
    }

    /// All records at once, for those who look at each of them more than once.
    ///
    /// # Errors
    /// As [`each_record`](Self::each_record).
    pub fn records(&self) -> Result<BTreeMap<GameId, GameRecord>, CacheError> {
        let mut records = BTreeMap::new();
        self.each_record(|record| _ = records.insert(record.game_id, record))?;
        Ok(records)
    }

    /// Logs that the last ingest refused, by path.
    ///
    /// # Errors
    /// If SQLite cannot read the file.
    pub fn refusals(&self) -> Result<Vec<Refusal>, CacheError> {
        read_refusals(&self.transaction).map_err(|error| sqlite_error(self.path, error))
    }

    /// The day in UTC on which each game was encoded, as `2026-01-31`.
    ///
    /// # Errors
    /// If SQLite cannot read the file.
    pub fn ingest_days(&self) -> Result<BTreeMap<GameId, String>, CacheError> {
        let read = || -> SqliteResult<_> {
            let sql = "SELECT game_id, substr(ingested_at, 1, 10) FROM games";
            let mut statement = self.transaction.prepare(sql)?;
            statement.query_map([], |row| Ok((GameId(row.get(0)?), row.get(1)?)))?.collect()
        };
        read().map_err(|error| sqlite_error(self.path, error))
    }

    /// The exact column sums over some games.
    ///
    /// # Errors
    /// If a game is gone or damaged.
    pub fn column_sums(
        &self,
        game_ids: impl IntoIterator<Item = GameId>,
    ) -> Result<ColumnSums, CacheError> {
        let mut total = ColumnSums::zero(crate::encode::FEATURE_COUNT);
        let sql = "SELECT column_sums, column_sums_checksum FROM games WHERE game_id = ?1";
        let read = |error| sqlite_error(self.path, error);
        let mut statement = self.transaction.prepare(sql).map_err(read)?;
        let mut unpacker = Unpacker::new()?;
        for game_id in game_ids {
            let record = self.record(game_id)?;
            let sums = statement
                .query_row([game_id.0], |row| read_blob(row, 0))
                .map_err(|error| game_error(self.path, game_id, error))?;
            total.add(&unpacker.unpack_column_sums(&record, &sums)?);
        }
        Ok(total)
    }

    fn record(&self, game_id: GameId) -> Result<GameRecord, CacheError> {
        let record = plain_columns(&self.transaction, game_id)
            .and_then(|record| record.ok_or(rusqlite::Error::QueryReturnedNoRows))
            .map_err(|error| sqlite_error(self.path, error))?;
        record.map_err(|why| CacheError::Damaged { game_id, what: "columns", why })
    }

    /// A game, its blobs still packed: unpacking is the caller's to spread over threads.
    ///
    /// # Errors
    /// If the game is gone or its plain columns are damaged.
    pub fn game(&self, game_id: GameId) -> Result<PackedGame, CacheError> {
        let read = || -> SqliteResult<_> {
            let mut statement = self.transaction.prepare_cached(&ROW_OF_GAME)?;
            statement.query_row([game_id.0], read_packed)
        };
        read().map_err(|error| game_error(self.path, game_id, error))
    }
}

/// All columns of a game but the last in the order in which the rest of the room reads them.
static INSERT_GAME: LazyLock<String> = LazyLock::new(|| {
    let places: Vec<String> =
        (1..=RECORD_COLUMN_COUNT + 2 * Blob::COUNT).map(|place| format!("?{place}")).collect();
    format!(
        "INSERT OR REPLACE INTO games ({RECORD_COLUMNS}, {BLOB_COLUMNS}, ingested_at)
         VALUES ({}, strftime('%Y-%m-%dT%H:%M:%SZ', 'now'))",
        places.join(", ")
    )
});

/// Changes that are kept together or not at all.
pub struct Batch<'a> {
    transaction: Transaction<'a>,
    path: &'a Path,
}

impl Batch<'_> {
    /// Stores a game and how it went in place of any older version.
    ///
    /// # Errors
    /// If SQLite cannot write, as on a full disk.
    pub fn put(&self, game: &PackedGame, play: &GamePlay) -> Result<(), CacheError> {
        self.run(|transaction| {
            let mut statement = transaction.prepare_cached(&INSERT_GAME)?;
            let record = &game.record;
            let (source_hash, feature_schema) =
                (record.key.source_hash.to_hex(), record.key.feature_schema.to_string());
            let mut values: Vec<&dyn ToSql> =
                Vec::with_capacity(RECORD_COLUMN_COUNT + 2 * Blob::COUNT);
            let source_bytes = record.source_bytes as i64;
            let source_hash = source_hash.as_str();
            values.extend([
                &record.game_id.0 as &dyn ToSql,
                &record.source_path,
                &source_hash,
                &source_bytes,
                &record.rows,
                &record.players,
                &record.key.encoder_version,
                &feature_schema,
                &record.gem_fault_rows,
                &record.key.repaired,
                &record.unbalanced_rows,
            ]);
            for blob in &game.blobs {
                values.extend([&blob.bytes as &dyn ToSql, &blob.checksum]);
            }
            statement.execute(&values[..])?;
            let mut statement = transaction.prepare_cached(
                "INSERT OR REPLACE INTO game_play VALUES
                    (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
            )?;
            play::insert(&mut statement, record.game_id, play)
        })
    }

    /// Notes that a game's log lies elsewhere now; its rows stay.
    ///
    /// # Errors
    /// If SQLite cannot write.
    pub fn set_source_path(&self, game_id: GameId, source_path: &str) -> Result<(), CacheError> {
        self.run(|transaction| {
            transaction
                .prepare_cached("UPDATE games SET source_path = ?2 WHERE game_id = ?1")?
                .execute(params![game_id.0, source_path])?;
            Ok(())
        })
    }

    /// Drops a game.
    ///
    /// # Errors
    /// If SQLite cannot write.
    pub fn remove(&self, game_id: GameId) -> Result<(), CacheError> {
        self.run(|transaction| {
            for table in ["games", "game_play"] {
                transaction
                    .prepare_cached(&format!("DELETE FROM {table} WHERE game_id = ?1"))?
                    .execute([game_id.0])?;
            }
            Ok(())
        })
    }

    /// Forgets the refusals of a game, wherever its log lay.
    ///
    /// # Errors
    /// If SQLite cannot write.
    pub fn clear_refusals_of(&self, game_id: GameId) -> Result<(), CacheError> {
        self.run(|transaction| {
            transaction
                .prepare_cached("DELETE FROM refusals WHERE game_id = ?1")?
                .execute([game_id.0])?;
            Ok(())
        })
    }

    /// Notes that a log was refused or set aside. `error.file` must be the path below the data
    /// folder.
    ///
    /// # Errors
    /// If SQLite cannot write.
    pub fn put_refusal(
        &self,
        game_id: GameId,
        source_hash: Option<blake3::Hash>,
        error: &LogError,
    ) -> Result<(), CacheError> {
        self.run(|transaction| {
            transaction
                .prepare_cached(
                    "INSERT OR REPLACE INTO refusals VALUES
                        (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9,
                         strftime('%Y-%m-%dT%H:%M:%SZ', 'now'), ?10)",
                )?
                .execute(params![
                    error.file.to_string_lossy(),
                    game_id.0,
                    source_hash.map(|hash| hash.to_hex().to_string()),
                    error.fault.kind.name(),
                    error.line.map(|line| line as i64),
                    error.fault.column,
                    error.fault.found,
                    error.fault.expected,
                    error.to_string(),
                    error.fault.kind.may_be_unfinished(),
                ])?;
            Ok(())
        })
    }

    /// Makes the changes last, through a power cut too.
    ///
    /// # Errors
    /// If SQLite cannot write; nothing of the batch is kept then.
    pub fn commit(self) -> Result<(), CacheError> {
        let path = self.path;
        self.transaction.commit().map_err(|error| sqlite_error(path, error))
    }

    pub(super) fn run(
        &self,
        change: impl FnOnce(&Transaction<'_>) -> SqliteResult<()>,
    ) -> Result<(), CacheError> {
        change(&self.transaction).map_err(|error| sqlite_error(self.path, error))
    }
}

fn check_structure(connection: &Connection, path: &Path) -> Result<(), CacheError> {
    let faults =
        structure_faults(connection, "quick_check").map_err(|error| sqlite_error(path, error))?;
    match faults.into_iter().next() {
        Some(why) => Err(CacheError::Malformed { path: path.to_owned(), why }),
        None => Ok(()),
    }
}

fn read_refusals(connection: &Connection) -> SqliteResult<Vec<Refusal>> {
    let mut statement = connection.prepare(
        "SELECT source_path, game_id, source_hash, message, set_aside
         FROM refusals ORDER BY game_id, source_path",
    )?;
    let refusals = statement.query_map([], |row| {
        Ok(Refusal {
            source_path: row.get(0)?,
            game_id: GameId(row.get(1)?),
            source_hash: row
                .get::<_, Option<String>>(2)?
                .and_then(|hash| blake3::Hash::from_hex(hash).ok()),
            message: row.get(3)?,
            set_aside: row.get(4)?,
        })
    })?;
    refusals.collect()
}
