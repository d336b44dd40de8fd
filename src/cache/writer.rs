//! Writing a cache.

use super::blob::{Blob, PackedGame, record_checksum};
use super::database::lock::WriterLock;
use super::database::version::FileVersion;
use super::database::{PAGE_BYTES, Waiting, check, open_or_create, sqlite_error, wait_for_lock};
use super::error::CacheError;
use super::ingests::{self, IngestCounts};
use super::key::GameRecord;
use super::play::{self, PLAY_COLUMNS, PLAY_WIDTH};
use super::rows::{BLOB_COLUMNS, GAMES_CHECKSUM, RECORD_COLUMNS, RECORD_WIDTH, structure_faults};
use crate::gamelog::{GameId, GamePlay, LogError, ReplayFault};
use crate::words::shown;
use rusqlite::types::Value;
use rusqlite::{Connection, ToSql, ffi, params};
use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

type SqliteResult<T> = rusqlite::Result<T>;

pub(super) const REMOVE_REFUSALS: &str = "DELETE FROM refusals WHERE game_id = ?1";

/// All columns of a game.
static INSERT_GAME: LazyLock<String> = LazyLock::new(|| {
    let values = vec!["?"; RECORD_WIDTH + 2 * Blob::COUNT].join(", ");
    format!("INSERT OR REPLACE INTO games ({RECORD_COLUMNS}, {BLOB_COLUMNS}) VALUES ({values})")
});

/// All columns of how a game went.
static INSERT_PLAY: LazyLock<String> = LazyLock::new(|| {
    let values = vec!["?"; 1 + PLAY_WIDTH].join(", ");
    format!("INSERT OR REPLACE INTO game_play (game_id, {PLAY_COLUMNS}) VALUES ({values})")
});

const DELETE_FAULTS: &str = "DELETE FROM game_faults WHERE game_id = ?1";

/// A file is vacuumed if it is more than this many times as large as a new one with the same games.
const MAX_EXCESS: f64 = 1.5;

/// Writes a cache. Changes become permanent and visible to readers with [`commit`](Self::commit), all
/// together. Every method fails if SQLite cannot write, for example on a full disk.
pub struct Writer<'a> {
    connection: Connection,
    path: PathBuf,
    /// The file as this has opened or last committed it. Later changes depend on what was read then.
    version: Cell<FileVersion>,
    /// Set when the run should stop: commits then do not wait for readers.
    stop: &'a AtomicBool,
    /// Lock of the cache that this writes or will replace.
    _lock: Option<WriterLock>,
}

impl<'a> Writer<'a> {
    /// Opens a cache for writing, or creates it and its parent folders. Waits for another writer up to
    /// `wait`.
    ///
    /// # Errors
    /// [`CacheError::Held`] if there is another writer; others if the file is not a cache, has a newer
    /// version, or cannot be written.
    pub fn open(
        path: &Path,
        wait: Duration,
        stop: &'a AtomicBool,
    ) -> Result<Writer<'a>, CacheError> {
        // First, so that no lock file is created beside a file that is not a cache.
        check(path)?;
        let lock = WriterLock::acquire(path, wait)?;
        Ok(Writer { _lock: Some(lock), ..Writer::unlocked(path, stop)? })
    }

    /// Without a lock, for a file that no other process knows.
    pub(super) fn unlocked(path: &Path, stop: &'a AtomicBool) -> Result<Writer<'a>, CacheError> {
        let connection = open_or_create(path, stop)?;
        let version = FileVersion::of(path).ok_or_else(|| CacheError::Replaced(path.to_owned()))?;
        let (path, version) = (path.to_owned(), Cell::new(version));
        Ok(Writer { connection, path, version, stop, _lock: None })
    }

    /// The cache file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Stores a game with its replay faults, and replaces an older version of it. `ingested_at` is the UTC time
    /// at which it was encoded, if that is not now.
    pub fn put(
        &self,
        game: &PackedGame,
        faults: &[ReplayFault],
        ingested_at: Option<&str>,
    ) -> Result<(), CacheError> {
        self.change(|connection| {
            let record = &game.record;
            let source_bytes = record.source_bytes as i64;
            let (source_hash, feature_schema) =
                (record.key.source_hash.to_hex(), record.key.feature_schema.to_string());
            let source_hash = source_hash.as_str();
            let ingested_at = match ingested_at {
                Some(time) => time.to_owned(),
                None => {
                    let now = "SELECT strftime('%Y-%m-%dT%H:%M:%SZ', 'now')";
                    connection.prepare_cached(now)?.query_row([], |row| row.get(0))?
                }
            };
            let record_checksum = record_checksum(record, &ingested_at);
            let mut values: Vec<&dyn ToSql> = vec![
                &record.game_id.0,
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
                &ingested_at,
                &record_checksum,
            ];
            for blob in &game.blobs {
                values.extend([&blob.bytes as &dyn ToSql, &blob.checksum]);
            }
            connection.prepare_cached(&INSERT_GAME)?.execute(&values[..]).map(drop)
        })?;
        match &game.record.play {
            Some(play) => self.put_play(&game.record, play, faults),
            None => Ok(()),
        }
    }

    /// Stores how a game went, with its replay faults.
    pub fn put_play(
        &self,
        game: &GameRecord,
        play: &GamePlay,
        faults: &[ReplayFault],
    ) -> Result<(), CacheError> {
        let game_id = game.game_id;
        self.change(|connection| {
            let mut statement = connection.prepare_cached(&INSERT_PLAY)?;
            play::insert(&mut statement, game, play, faults)?;
            connection.prepare_cached(DELETE_FAULTS)?.execute([game_id.0])?;
            for fault in faults {
                let ReplayFault { row, line, kind, column, found, expected } = fault;
                let values =
                    params![game_id.0, row, *line as i64, kind.name(), column, found, expected];
                let sql = "INSERT INTO game_faults VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
                connection.prepare_cached(sql)?.execute(values)?;
            }
            Ok(())
        })
    }

    /// Changes the path of a game's log; the rows stay.
    pub fn set_source_path(&self, old: &GameRecord, source_path: &str) -> Result<(), CacheError> {
        let record = GameRecord { source_path: source_path.to_owned(), ..old.clone() };
        let game_id = record.game_id.0;
        self.change(|connection| {
            let sql = "SELECT ingested_at FROM games WHERE game_id = ?1";
            let mut statement = connection.prepare_cached(sql)?;
            let ingested_at: String = statement.query_row([game_id], |row| row.get(0))?;
            let checksum = record_checksum(&record, &ingested_at);
            let sql = "UPDATE games SET source_path = ?2, record_checksum = ?3 WHERE game_id = ?1";
            let mut statement = connection.prepare_cached(sql)?;
            statement.execute(params![game_id, source_path, checksum]).map(drop)
        })
    }

    /// Removes a game.
    pub fn remove(&self, game_id: GameId) -> Result<(), CacheError> {
        self.execute("DELETE FROM games WHERE game_id = ?1", [game_id.0])?;
        self.execute("DELETE FROM game_play WHERE game_id = ?1", [game_id.0])?;
        self.execute(DELETE_FAULTS, [game_id.0])
    }

    /// Records that a log was refused or deferred. `error.file` must be the path below the data folder.
    pub fn put_refusal(
        &self,
        game_id: GameId,
        source_hash: Option<blake3::Hash>,
        error: &LogError,
    ) -> Result<(), CacheError> {
        self.execute(
            "INSERT OR REPLACE INTO refusals VALUES
                (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, strftime('%Y-%m-%dT%H:%M:%SZ', 'now'), ?10)",
            params![
                error.file.to_string_lossy(),
                game_id.0,
                source_hash.map(|hash| hash.to_hex().to_string()),
                error.fault.kind.name(),
                error.line.map(|line| line as i64),
                error.fault.column,
                error.fault.found,
                error.fault.expected,
                error.to_string(),
                error.fault.deferred,
            ],
        )
    }

    /// Stores a row of `refusals` from another cache.
    pub(super) fn copy_refusal(&self, row: &[Value]) -> Result<(), CacheError> {
        let sql =
            "INSERT OR REPLACE INTO refusals VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
        self.execute(sql, rusqlite::params_from_iter(row))
    }

    /// Removes the refusals of a game, for all paths.
    pub fn remove_refusals(&self, game_id: GameId) -> Result<(), CacheError> {
        self.execute(REMOVE_REFUSALS, [game_id.0])
    }

    /// Checks the number of stored games, and of refused or deferred logs. A unique index that somebody
    /// added to the tables can make one game replace another.
    ///
    /// # Errors
    /// [`CacheError::Malformed`] if there are more or fewer.
    pub fn check_stored(&self, games: u64, refusals: u64) -> Result<(), CacheError> {
        for (table, what, expected) in
            [("games", "games", games), ("refusals", "refused or deferred logs", refusals)]
        {
            let sql = format!("SELECT count(*) FROM {table}");
            let count = |connection: &Connection| {
                connection.query_row(&sql, [], |row| row.get::<_, i64>(0).map(i64::unsigned_abs))
            };
            let found = self.run(count)?;
            if found != expected {
                let why = format!("it holds {found} {what}, not the {expected} that were stored");
                return Err(CacheError::malformed(&self.path, why));
            }
        }
        Ok(())
    }

    /// Records that an ingest begins. Until [`finish_ingest`](Self::finish_ingest), the last ingest has
    /// not finished.
    pub fn begin_ingest(&self, logs_found: usize) -> Result<(), CacheError> {
        let logs_found = logs_found as i64;
        let begin = "INSERT OR REPLACE INTO last_ingest (only_row, started_at, logs_found)
             VALUES (1, strftime('%Y-%m-%dT%H:%M:%SZ', 'now'), ?1)";
        self.execute(begin, [logs_found])?;
        self.change(|connection| ingests::begin(connection, logs_found))
    }

    /// Records that the ingest has finished, with its result.
    pub fn finish_ingest(&self, done: &IngestCounts) -> Result<(), CacheError> {
        let sql = format!(
            "UPDATE last_ingest SET finished_at = strftime('%Y-%m-%dT%H:%M:%SZ', 'now'),
                 games_checksum = ({GAMES_CHECKSUM})"
        );
        self.execute(&sql, [])?;
        self.change(|connection| ingests::finish(connection, done))
    }

    /// Commits all changes since the last commit, durably. Waits for programs that are reading the
    /// cache.
    ///
    /// # Errors
    /// [`CacheError::Busy`] if one of them reads for more than ten minutes, or if the run is stopped
    /// meanwhile; others if SQLite cannot write. The changes are rolled back then.
    /// [`CacheError::Replaced`] if another file has the name of the cache, which has none of the changes.
    pub fn commit(&self) -> Result<(), CacheError> {
        wait_for_lock(&self.path, Waiting::ToWrite(self.stop), || {
            self.check_version()?;
            match self.connection.is_autocommit() {
                true => Ok(()),
                false => self.connection.execute_batch("COMMIT"),
            }
        })?;
        self.written()
    }

    /// SQLite notices only that a file was replaced before a transaction began; it would commit to the old one,
    /// or write some pages of a file that `cp` has overwritten.
    fn check_version(&self) -> SqliteResult<()> {
        let replaced = ffi::Error::new(ffi::SQLITE_READONLY_DBMOVED);
        match FileVersion::of(&self.path) == Some(self.version.get()) {
            true => Ok(()),
            false => Err(rusqlite::Error::SqliteFailure(replaced, None)),
        }
    }

    /// Notes the version of the file after this has written it.
    fn written(&self) -> Result<(), CacheError> {
        let is_this = |version: &FileVersion| version.id == self.version.get().id;
        let version = FileVersion::of(&self.path).filter(is_this);
        self.version.set(version.ok_or_else(|| CacheError::Replaced(self.path.clone()))?);
        Ok(())
    }

    /// Checks that the structure of the file is not damaged, before a row that may be damaged is
    /// replaced or removed: in a damaged file a page may belong to two games, and changing one would
    /// damage the other.
    ///
    /// # Errors
    /// [`CacheError::Malformed`] if it is damaged.
    pub fn check_structure(&self) -> Result<(), CacheError> {
        let faults = self.run(|connection| structure_faults(connection, "quick_check"))?;
        faults.first().map_or(Ok(()), |why| Err(CacheError::malformed(&self.path, why)))
    }

    /// Rewrites the file (`VACUUM`) if that makes it much smaller: inserted and removed games leave free
    /// space in the pages. `begin` is called first. If the file cannot be rewritten, for example on a
    /// full disk or while another program reads it, it stays unchanged.
    ///
    /// # Errors
    /// If SQLite cannot read the file; [`CacheError::Malformed`] if its structure is damaged,
    /// [`CacheError::Replaced`] if another file has its name afterwards.
    pub fn vacuum(&self, begin: impl FnOnce()) -> Result<(), CacheError> {
        let has_changed = self.connection.total_changes() > 0;
        if !has_changed || self.run(excess)? <= MAX_EXCESS {
            return Ok(());
        }
        // VACUUM would hide a damaged structure.
        self.check_structure()?;
        begin();
        let vacuum = || -> SqliteResult<()> {
            // The temporary file is as large as the cache and must not be in memory.
            self.connection.pragma_update(None, "temp_store", "file")?;
            self.connection.pragma_update(None, "cache_spill", true)?;
            self.connection.pragma_update(None, "page_size", PAGE_BYTES)?;
            self.connection.execute_batch("VACUUM")
        };
        if let Err(error) = vacuum() {
            tracing::info!("the cache {} is larger than needed: {error}", shown(&self.path));
        }
        self.written()
    }

    fn execute(&self, sql: &str, parameters: impl rusqlite::Params) -> Result<(), CacheError> {
        self.change(|connection| connection.prepare_cached(sql)?.execute(parameters).map(drop))
    }

    /// Executes a change; begins a transaction if there is none.
    fn change(
        &self,
        change: impl FnOnce(&Connection) -> SqliteResult<()>,
    ) -> Result<(), CacheError> {
        if self.connection.is_autocommit() {
            wait_for_lock(&self.path, Waiting::ToWrite(self.stop), || {
                self.connection.execute_batch("BEGIN IMMEDIATE").and_then(|()| self.check_version())
            })?;
        }
        self.run(change)
    }

    fn run<T>(&self, run: impl FnOnce(&Connection) -> SqliteResult<T>) -> Result<T, CacheError> {
        run(&self.connection).map_err(|error| sqlite_error(&self.path, error))
    }
}

/// Ratio of the file's pages to the pages that the content of its tables would fill.
fn excess(connection: &Connection) -> SqliteResult<f64> {
    let pages: i64 = connection.pragma_query_value(None, "page_count", |row| row.get(0))?;
    let page_bytes: i64 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
    let sql = "SELECT sum((pgsize - unused + ?1 - 1) / ?1) FROM dbstat WHERE aggregate = TRUE";
    let needed: i64 = connection.query_row(sql, [page_bytes], |row| row.get(0))?;
    Ok(pages as f64 / needed.max(1) as f64)
}

/// Whether more than a fifth of the cached games are missing from their replacement, which is probably a
/// mistake, such as a disk that is not mounted.
pub fn too_many_missing(missing: usize, cached: usize) -> bool {
    missing * 5 > cached
}
