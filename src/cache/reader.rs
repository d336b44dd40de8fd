//! Reading a cache.

use super::blob::PackedGame;
use super::database::idle::{IdleReader, settled_state};
use super::database::version::FileVersion;
use super::database::{Waiting, open_again, open_to_read, sqlite_error};
use super::error::{CacheError, Damage};
use super::ingests::{self, IngestLine};
use super::key::GameRecord;
use super::rows::{
    CachedGame, GAMES_CHECKSUM, SELECT_GAMES, SELECT_RECORDS, SELECT_SUMS, check_game, of_row,
    read_fault, read_packed, read_record, read_sums, structure_faults,
};
use super::unpack::Unpacker;
use crate::encode::{ColumnSums, EncodedGame, FEATURE_COUNT};
use crate::gamelog::{GameId, ReplayFault};
use crate::platform::FileState;
use crate::words::shown;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

type SqliteResult<T> = rusqlite::Result<T>;

/// A log that the last ingest refused or deferred.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The game id, from the file's name.
    pub game_id: GameId,
    /// Path of the log relative to the data folder.
    pub source_path: String,
    /// blake3 of the refused log; `None` if it could not be read.
    pub source_hash: Option<blake3::Hash>,
    /// The error message, which begins with the path.
    pub message: String,
    /// Whether the log was deferred, not refused, because it is still being written.
    pub deferred: bool,
}

/// An inclusive range of game ids.
pub type IdRange = (GameId, GameId);

/// A cache opened for reading. No process can commit to it until this is dropped.
///
/// It can be used from several threads, each of which gets its own connection. Every method
/// fails if the file cannot be read: with [`CacheError::Malformed`] if it is damaged.
pub struct Reader {
    path: PathBuf,
    version: FileVersion,
    /// State of the file when it was opened; `None` if a change might not show in it.
    state: Option<FileState>,
    /// Connections that no thread is using. Each is in a read transaction.
    connections: Mutex<Vec<Connection>>,
}

impl Reader {
    /// Opens an existing cache. Creates and changes no files, except that it rolls back an unfinished
    /// transaction of a killed run.
    ///
    /// # Errors
    /// [`CacheError::Absent`] if it does not exist, [`CacheError::Older`] if an ingest must update it
    /// first; others if it cannot be read.
    pub fn open(path: &Path) -> Result<Reader, CacheError> {
        loop {
            let before = settled_state(path);
            let id = FileVersion::of(path).map(|version| version.id);
            let connection = open_to_read(path, Waiting::ToRead)?;
            // A merge or rebuild may have replaced it while this waited for its lock.
            let version = FileVersion::of(path).filter(|version| id == Some(version.id));
            let Some(version) = version else { continue };
            let state = settled_state(path).filter(|state| before == Some(*state));
            let connections = Mutex::new(vec![connection]);
            return Ok(Reader { path: path.to_owned(), version, state, connections });
        }
    }

    /// Opens a cache again with an idle connection; does not wait for locks.
    ///
    /// `None` if the cache has to be opened with [`open`](Self::open): the file was changed or replaced,
    /// another process is committing, or this process was forked.
    pub fn resume(idle: IdleReader) -> Option<Reader> {
        let (path, state, connection) = idle.resume()?;
        let connections = Mutex::new(vec![connection]);
        let version = FileVersion::of(&path)?;
        Some(Reader { path, version, state: Some(state), connections })
    }

    /// Releases the lock but keeps the connection for later reads; `None` if that is not possible.
    pub fn rest(self) -> Option<IdleReader> {
        let connections = self.connections.into_inner().unwrap_or_else(PoisonError::into_inner);
        // The connection with the lock; those of other threads need none.
        let locked = connections.into_iter().find(|connection| !connection.is_autocommit())?;
        IdleReader::new(self.path, self.state?, locked)
    }

    /// Opens a cache if it exists.
    ///
    /// # Errors
    /// As for [`open`](Self::open), except that a missing cache is not an error.
    pub fn open_if_there(path: &Path) -> Result<Option<Reader>, CacheError> {
        match Reader::open(path) {
            Ok(reader) => Ok(Some(reader)),
            Err(CacheError::Absent(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The cache file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The number of games, including damaged ones.
    pub fn game_count(&self) -> Result<u64, CacheError> {
        self.read(|connection| {
            let sql = "SELECT count(*) FROM games";
            connection.query_row(sql, [], |row| row.get::<_, i64>(0)).map(i64::unsigned_abs)
        })
    }

    /// The lowest and the highest game id; `None` if there are no games.
    pub fn id_range(&self) -> Result<Option<IdRange>, CacheError> {
        self.read(|connection| {
            let sql = "SELECT min(game_id), max(game_id) FROM games";
            let ends: (Option<i64>, Option<i64>) =
                connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(ends.0.zip(ends.1).map(|(first, last)| (GameId(first), GameId(last))))
        })
    }

    /// Calls `each` for every game in ascending order, with its record, or with the damage of its plain
    /// columns.
    ///
    /// # Errors
    /// If the file cannot be read to the end; `each` was called for the games before that.
    pub fn each_game(
        &self,
        mut each: impl FnMut(GameId, Result<GameRecord, Damage>),
    ) -> Result<(), CacheError> {
        self.read(|connection| {
            let mut statement =
                connection.prepare(&format!("{} ORDER BY game_id", *SELECT_RECORDS))?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                each(GameId(row.get(0)?), of_row(row, read_record(row))?);
            }
            Ok(())
        })
    }

    /// The records of all games.
    ///
    /// # Errors
    /// [`CacheError::Damaged`] if one of them cannot be read, [`CacheError::Malformed`] if the structure
    /// of the file is damaged, because games might be missing then.
    pub fn records(&self) -> Result<BTreeMap<GameId, GameRecord>, CacheError> {
        self.check_structure()?;
        let (mut records, mut first_damage) = (BTreeMap::new(), None);
        self.each_game(|game_id, record| match record {
            Ok(record) => _ = records.insert(game_id, record),
            Err(damage) => _ = first_damage.get_or_insert((game_id, damage)),
        })?;
        match first_damage {
            Some((game_id, damage)) => Err(CacheError::Damaged { game_id, damage }),
            None => Ok(records),
        }
    }

    /// The record of a game, or the damage of its plain columns; `None` if the cache does not hold it.
    pub fn record(
        &self,
        game_id: GameId,
    ) -> Result<Option<Result<GameRecord, Damage>>, CacheError> {
        self.row(&SELECT_RECORDS, game_id, read_record)
    }

    /// A game with compressed rows; `None` if the cache does not hold it. An [`Unpacker`] unpacks it.
    ///
    /// # Errors
    /// [`CacheError::Damaged`] if it cannot be read; if the file cannot.
    pub fn packed(&self, game_id: GameId) -> Result<Option<PackedGame>, CacheError> {
        self.game_with(&SELECT_GAMES, game_id, read_packed)
    }

    fn game_with(
        &self,
        select: &str,
        game_id: GameId,
        read: impl Fn(&Row<'_>) -> SqliteResult<PackedGame>,
    ) -> Result<Option<PackedGame>, CacheError> {
        let packed = self.row(select, game_id, read)?.transpose();
        packed.map_err(|damage| CacheError::Damaged { game_id, damage })
    }

    fn present(&self, game_id: GameId, game: Option<PackedGame>) -> Result<PackedGame, CacheError> {
        game.ok_or_else(|| CacheError::malformed(&self.path, format!("no game {game_id}")))
    }

    /// The record of a game and its unpacked rows; `None` if the cache does not hold it.
    ///
    /// # Errors
    /// [`CacheError::Damaged`] if the game is damaged, [`CacheError::OtherEncoder`] if another version
    /// of prep encoded it; others if the file cannot be read.
    pub fn game<'a>(
        &self,
        game_id: GameId,
        unpacker: &'a mut Unpacker,
    ) -> Result<Option<(GameRecord, &'a EncodedGame)>, CacheError> {
        let Some(game) = self.packed(game_id)? else { return Ok(None) };
        if !game.record.is_of_this_encoder() {
            return Err(CacheError::OtherEncoder { path: self.path.clone(), game_id });
        }
        let rows = unpacker.unpack(&game)?;
        Ok(Some((game.record, rows)))
    }

    /// The exact column sums over the given games.
    ///
    /// # Errors
    /// If a game is missing or damaged, or if the file cannot be read.
    pub fn column_sums(
        &self,
        game_ids: impl IntoIterator<Item = GameId>,
    ) -> Result<ColumnSums, CacheError> {
        let mut total = ColumnSums::zero(FEATURE_COUNT);
        let mut unpacker = Unpacker::new()?;
        for game_id in game_ids {
            let game = self.present(game_id, self.game_with(&SELECT_SUMS, game_id, read_sums)?)?;
            total.add(&unpacker.column_sums(&game)?);
        }
        Ok(total)
    }

    /// The turn numbers of the given games, concatenated.
    ///
    /// # Errors
    /// As [`column_sums`](Self::column_sums).
    pub fn turn_numbers(
        &self,
        game_ids: impl IntoIterator<Item = GameId>,
    ) -> Result<Vec<i32>, CacheError> {
        let (mut all, mut unpacker) = (Vec::new(), Unpacker::new()?);
        for game_id in game_ids {
            let game = self.present(game_id, self.packed(game_id)?)?;
            all.extend(unpacker.turn_numbers(&game)?);
        }
        Ok(all)
    }

    /// Splits all possible game ids into ranges with `games` games each, for threads that check games.
    pub fn id_ranges(&self, games: usize) -> Result<Vec<IdRange>, CacheError> {
        // Reads the smaller table. A game that is missing there only makes a range larger.
        let ids: Vec<i64> = self.read(|connection| {
            let mut statement = connection.prepare("SELECT game_id FROM game_play ORDER BY 1")?;
            statement.query_map([], |row| row.get(0))?.collect()
        })?;
        let (mut ranges, mut first) = (Vec::new(), i64::MIN);
        for &last in ids.iter().skip(games - 1).step_by(games).filter(|&&last| last < i64::MAX) {
            ranges.push((GameId(first), GameId(last)));
            first = last + 1;
        }
        ranges.push((GameId(first), GameId(i64::MAX)));
        Ok(ranges)
    }

    /// Every game in a range: its plain columns, and its blobs checked by their checksums.
    pub fn check_games(
        &self,
        (first, last): IdRange,
    ) -> Result<Vec<(GameId, CachedGame)>, CacheError> {
        self.read(|connection| {
            let sql = format!("{} WHERE game_id BETWEEN ?1 AND ?2 ORDER BY game_id", *SELECT_GAMES);
            let mut statement = connection.prepare_cached(&sql)?;
            let game = |row: &Row<'_>| Ok((GameId(row.get(0)?), check_game(row)?));
            statement.query_map(params![first.0, last.0], game)?.collect()
        })
    }

    /// Everything that is wrong with a game: columns, checksums, lengths, sums.
    pub fn all_damage(
        &self,
        game_id: GameId,
        unpacker: &mut Unpacker,
    ) -> Result<Vec<Damage>, CacheError> {
        Ok(match self.row(&SELECT_GAMES, game_id, read_packed)? {
            Some(Ok(game)) if game.record.is_of_this_encoder() => unpacker.all_damage(&game),
            // Another encoder version: the layout of its checksums and sums is unknown.
            Some(Ok(_)) | None => Vec::new(),
            Some(Err(damage)) => vec![damage],
        })
    }

    /// Faults in the structure of the file, one sentence each; reads the whole file.
    ///
    /// # Errors
    /// [`CacheError::Malformed`] if the file is too damaged for this check.
    pub fn structure_faults(&self) -> Result<Vec<String>, CacheError> {
        self.read(|connection| structure_faults(connection, "integrity_check"))
    }

    /// Checks that the structure of the file is not damaged.
    ///
    /// # Errors
    /// [`CacheError::Malformed`] if it is damaged.
    pub fn check_structure(&self) -> Result<(), CacheError> {
        let faults = self.read(|connection| structure_faults(connection, "quick_check"))?;
        faults.first().map_or(Ok(()), |why| Err(CacheError::malformed(&self.path, why)))
    }

    /// Logs that the last ingest refused or deferred, by game and path.
    pub fn refusals(&self) -> Result<Vec<Refusal>, CacheError> {
        self.read(|connection| {
            let mut statement = connection.prepare(
                "SELECT source_path, game_id, source_hash, message, deferred
                 FROM refusals ORDER BY game_id, source_path",
            )?;
            let refusal = |row: &Row<'_>| {
                let source_hash: Option<String> = row.get(2)?;
                Ok(Refusal {
                    source_path: row.get(0)?,
                    game_id: GameId(row.get(1)?),
                    source_hash: source_hash.and_then(|hash| blake3::Hash::from_hex(hash).ok()),
                    // Text from the file, which may come from somebody else.
                    message: shown(&row.get::<_, String>(3)?).to_string(),
                    deferred: row.get(4)?,
                })
            };
            statement.query_map([], refusal)?.collect()
        })
    }

    /// All columns of the same, with the path and the game id first.
    pub(super) fn refusal_rows(&self) -> Result<Vec<Vec<Value>>, CacheError> {
        self.read(|connection| {
            let mut statement =
                connection.prepare("SELECT * FROM refusals ORDER BY source_path")?;
            let columns = statement.column_count();
            let row = |row: &Row<'_>| (0..columns).map(|column| row.get(column)).collect();
            statement.query_map([], row)?.collect()
        })
    }

    /// The first faults of each game that does not replay, by row.
    pub fn replay_faults(&self) -> Result<BTreeMap<GameId, Vec<ReplayFault>>, CacheError> {
        self.read(|connection| {
            let mut statement = connection.prepare(
                "SELECT game_id, row_in_game, line, kind, column_name, found, expected
                 FROM game_faults ORDER BY game_id, row_in_game",
            )?;
            let mut rows = statement.query([])?;
            let mut faults = BTreeMap::new();
            while let Some(row) = rows.next()? {
                let of_game: &mut Vec<_> = faults.entry(GameId(row.get(0)?)).or_default();
                of_game.push(read_fault(row)?);
            }
            Ok(faults)
        })
    }

    /// Whether the last ingest finished; true if none is recorded. A killed run leaves complete batches,
    /// so the games themselves do not show that others are missing. A file that was copied while an ingest wrote
    /// it, or without its journal, may hold games of two states: that is an ingest that did not finish, too.
    pub fn last_ingest_finished(&self) -> Result<bool, CacheError> {
        self.read(|connection| {
            let sql = format!(
                "SELECT finished_at IS NOT NULL AND coalesce(games_checksum = ({GAMES_CHECKSUM}), TRUE)
                 FROM last_ingest"
            );
            let finished = connection.query_row(&sql, [], |row| row.get(0)).optional()?;
            Ok(finished.unwrap_or(true))
        })
    }

    /// When a game was encoded, in UTC, as `2026-01-31T03:00:00Z`.
    pub(super) fn ingested_at(&self, game_id: GameId) -> Result<String, CacheError> {
        self.read(|connection| {
            let sql = "SELECT ingested_at FROM games WHERE game_id = ?1";
            connection.prepare_cached(sql)?.query_row([game_id.0], |row| row.get(0))
        })
    }

    /// The ingests that changed the cache, oldest first.
    pub fn ingests(&self) -> Result<Vec<IngestLine>, CacheError> {
        self.read(ingests::read)
    }

    /// The day in UTC on which each game was encoded, as `2026-01-31`.
    pub fn ingest_days(&self) -> Result<BTreeMap<GameId, String>, CacheError> {
        self.read(|connection| {
            let sql = "SELECT game_id, substr(ingested_at, 1, 10) FROM games";
            let mut statement = connection.prepare(sql)?;
            statement.query_map([], |row| Ok((GameId(row.get(0)?), row.get(1)?)))?.collect()
        })
    }

    /// Reads one row of a table, or its damage; `None` if there is no such row.
    fn row<T>(
        &self,
        select: &str,
        game_id: GameId,
        read: impl Fn(&Row<'_>) -> SqliteResult<T>,
    ) -> Result<Option<Result<T, Damage>>, CacheError> {
        self.read(|connection| {
            let sql = format!("{select} WHERE game_id = ?1");
            let mut statement = connection.prepare_cached(&sql)?;
            statement.query_row([game_id.0], |row| of_row(row, read(row))).optional()
        })
    }

    pub(super) fn read<T>(
        &self,
        read: impl FnOnce(&Connection) -> SqliteResult<T>,
    ) -> Result<T, CacheError> {
        let free = || self.connections.lock().unwrap_or_else(PoisonError::into_inner);
        let connection = free().pop();
        let connection = match connection {
            Some(connection) => connection,
            None => open_again(&self.path)?,
        };
        let result = read(&connection).map_err(|error| sqlite_error(&self.path, error));
        free().push(connection);
        // Another file with its name, or other content, may hold other rows of the same games.
        match FileVersion::of(&self.path) == Some(self.version) {
            true => result,
            false => Err(CacheError::Replaced(self.path.clone())),
        }
    }
}
