//! Rows of `games` to records and blobs, and what is wrong with a row that does not read.

use super::blob::{Blob, Packed, PackedGame, checksum};
use super::play::{self, PLAY_COLUMNS, PLAY_WIDTH};
use super::record::{CacheKey, FeatureSchema, GameRecord, StaleReason, staleness};
use crate::gamelog::GameId;
use rusqlite::{Connection, Error, OptionalExtension, Row};
use std::path::Path;
use std::sync::LazyLock;

type SqliteResult<T> = rusqlite::Result<T>;

/// The plain columns, in the order of [`read_record`].
pub(super) const RECORD_COLUMNS: &str = "game_id, source_path, source_hash, source_bytes, rows, \
     players, encoder_version, feature_schema, gem_fault_rows, repaired, unbalanced_rows";
pub(super) const RECORD_COLUMN_COUNT: usize = 11;
/// The plain columns and how the game went, which [`read_record`] checks.
pub(super) static CHECKED_COLUMNS: LazyLock<String> =
    LazyLock::new(|| format!("{RECORD_COLUMNS}, {PLAY_COLUMNS}"));
/// How many those are: the first blob column stands after them.
pub(super) const CHECKED_WIDTH: usize = RECORD_COLUMN_COUNT + PLAY_WIDTH;
/// Where they stand.
pub(super) const GAMES_WITH_PLAY: &str = "games LEFT JOIN game_play USING (game_id)";
/// Each blob with its checksum, in the order of [`Blob::ALL`].
pub(super) const BLOB_COLUMNS: &str = "turn_numbers, turn_numbers_checksum, features, \
     features_checksum, labels, labels_checksum, masks, masks_checksum, column_sums, \
     column_sums_checksum";

/// All of a game's row, but the day on which it was encoded.
pub(super) static ROW_OF_GAME: LazyLock<String> = LazyLock::new(|| {
    let columns = &*CHECKED_COLUMNS;
    format!("SELECT {columns}, {BLOB_COLUMNS} FROM {GAMES_WITH_PLAY} WHERE game_id = ?1")
});

/// What the cache has of a game.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CachedGame {
    /// Its plain columns, or what shows that they cannot be what was stored.
    pub record: Result<GameRecord, String>,
    /// What shows that a blob is not what was stored. Only where the blobs were looked at.
    pub damaged_blob: Option<String>,
}

impl CachedGame {
    /// What shows that its row is not what was stored; `None` if it is, as far as it was looked at.
    pub fn damage(&self) -> Option<&str> {
        self.record.as_ref().err().or(self.damaged_blob.as_ref()).map(String::as_str)
    }

    /// Why it must be encoded anew; `None` if it is up to date.
    pub fn staleness(&self, now: &CacheKey) -> Option<StaleReason> {
        let stale = self.record.as_ref().ok().and_then(|record| staleness(Some(record), now));
        let damaged = || self.damage().map(|what| StaleReason::Damaged { what: what.to_owned() });
        stale.or_else(damaged)
    }
}

/// Gives `each` the plain columns of one game after another, in ascending order, as far as the file
/// can be read.
///
/// A row that cannot be what was stored goes to it as what shows that. No list of all games is made:
/// it would be most of what a run keeps in memory.
pub(super) fn each_game(
    connection: &Connection,
    mut each: impl FnMut(GameId, Result<GameRecord, String>),
) -> SqliteResult<()> {
    let sql = format!("SELECT {} FROM {GAMES_WITH_PLAY} ORDER BY game_id", *CHECKED_COLUMNS);
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        each(GameId(row.get(0)?), of_row(read_record(row))?);
    }
    Ok(())
}

/// The plain columns of one game; `None` if there is no such game.
pub(super) fn plain_columns(
    connection: &Connection,
    game_id: GameId,
) -> SqliteResult<Option<Result<GameRecord, String>>> {
    static PLAIN_COLUMNS: LazyLock<String> = LazyLock::new(|| {
        format!("SELECT {} FROM {GAMES_WITH_PLAY} WHERE game_id = ?1", *CHECKED_COLUMNS)
    });
    let mut statement = connection.prepare_cached(&PLAIN_COLUMNS)?;
    statement.query_row([game_id.0], |row| of_row(read_record(row))).optional()
}

/// Tells the damage of a row, which is its own, from an error of reading the file.
fn of_row<T>(read: SqliteResult<T>) -> SqliteResult<Result<T, String>> {
    read.map(Ok).or_else(|error| damage(&error).map(Err).ok_or(error))
}

/// Reads the plain columns of a row, which are its first, and checks how the game went.
pub(super) fn read_record(row: &Row<'_>) -> SqliteResult<GameRecord> {
    let source_hash: String = row.get(2)?;
    let feature_schema: String = row.get(7)?;
    let record = GameRecord {
        game_id: GameId(row.get(0)?),
        source_path: row.get(1)?,
        source_bytes: row
            .get::<_, i64>(3)?
            .try_into()
            .map_err(|error: std::num::TryFromIntError| unreadable(3, error))?,
        key: CacheKey {
            source_hash: blake3::Hash::from_hex(&source_hash)
                .map_err(|error| unreadable(2, error))?,
            encoder_version: row.get(6)?,
            feature_schema: FeatureSchema::from_hex(&feature_schema)
                .ok_or_else(|| unreadable(7, "not a fingerprint"))?,
            repaired: row.get(9)?,
        },
        rows: row.get(4)?,
        players: row.get(5)?,
        gem_fault_rows: row.get(8)?,
        unbalanced_rows: row.get(10)?,
    };
    let rows = 1..=record.rows;
    let is_count = |count: u32| count == 0 || rows.contains(&count);
    match () {
        () if record.rows == 0 => Err(unreadable(4, "no rows")),
        () if !(2..=4).contains(&record.players) => Err(unreadable(5, "not 2 to 4 players")),
        () if !is_count(record.gem_fault_rows) => Err(unreadable(8, "more than its rows")),
        () if !is_count(record.unbalanced_rows) => Err(unreadable(10, "more than its rows")),
        () => match play::first_fault(
            row,
            RECORD_COLUMN_COUNT,
            record.game_id,
            record.key.feature_schema,
        )? {
            Some(column) => Err(unreadable(column, "not the counts that were stored")),
            None => Ok(record),
        },
    }
}

fn unreadable(
    column: usize,
    error: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> rusqlite::Error {
    Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, error.into())
}

/// What is wrong with a row, if it is the row that is wrong and not the file.
pub(super) fn damage(error: &Error) -> Option<String> {
    let column = match error {
        Error::FromSqlConversionFailure(column, ..) | Error::IntegralValueOutOfRange(column, _) => {
            *column
        }
        Error::InvalidColumnType(column, ..) | Error::Utf8Error(column, _) => *column,
        _ => return None,
    };
    if (RECORD_COLUMN_COUNT..CHECKED_WIDTH).contains(&column) {
        return Some("game_play: its counts are not what was stored".to_owned());
    }
    let columns = [&**CHECKED_COLUMNS, BLOB_COLUMNS].map(|columns| columns.split(", "));
    let name = columns.into_iter().flatten().nth(column).unwrap_or("a column");
    Some(format!("{name} is not what was stored"))
}

/// Reads all of a row.
pub(super) fn read_packed(row: &Row<'_>) -> SqliteResult<PackedGame> {
    Ok(PackedGame { record: read_record(row)?, blobs: read_blobs(row, CHECKED_WIDTH)? })
}

/// Reads all blobs with their checksums, which begin at a column.
fn read_blobs(row: &Row<'_>, first: usize) -> SqliteResult<[Packed; Blob::COUNT]> {
    let mut blobs = Vec::with_capacity(Blob::COUNT);
    for blob in Blob::ALL {
        blobs.push(read_blob(row, first + 2 * blob as usize)?);
    }
    Ok(blobs.try_into().expect("one for each kind"))
}

/// Reads a blob from one column and its checksum from the next.
pub(super) fn read_blob(row: &Row<'_>, column: usize) -> SqliteResult<Packed> {
    Ok(Packed { bytes: row.get(column)?, checksum: row.get(column + 1)? })
}

/// Looks at all of a row. The blobs stand after the plain columns.
pub(super) fn look_at_row(row: &Row<'_>) -> SqliteResult<CachedGame> {
    let record = of_row(read_record(row))?;
    let damaged_blob = match &record {
        // Blobs of another layout have other checksums, and are made anew anyway.
        Ok(record) if record.is_of_this_encoder() => {
            of_row(first_damaged_blob(row, record))?.unwrap_or_else(Some)
        }
        _ => None,
    };
    Ok(CachedGame { record, damaged_blob })
}

/// The first blob of a row that is not what was stored, by its checksum. They are hashed where SQLite
/// holds them.
fn first_damaged_blob(row: &Row<'_>, record: &GameRecord) -> SqliteResult<Option<String>> {
    for blob in Blob::ALL {
        let column = CHECKED_WIDTH + 2 * blob as usize;
        let bytes = |column: usize| {
            row.get_ref(column)?.as_blob().map_err(|error| unreadable(column, error))
        };
        let (blob_bytes, stored) = (bytes(column)?, bytes(column + 1)?);
        if checksum(blob, record, blob_bytes) != *stored {
            return Ok(Some(format!("{}: the checksum does not match", blob.name())));
        }
    }
    Ok(None)
}

/// What SQLite itself finds wrong with how the file hangs together, a sentence each, at most
/// [`LISTED_FAULTS`].
///
/// A value of a wrong type or a NULL is left out: that is damage of one game, which its checksums
/// find as well, and which is mended by encoding that game anew.
pub(super) fn structure_faults(connection: &Connection, pragma: &str) -> SqliteResult<Vec<String>> {
    let mut statement = connection.prepare(&format!("PRAGMA {pragma}({LISTED_FAULTS})"))?;
    let found = statement.query_map([], |row| row.get::<_, String>(0))?;
    let mut faults = Vec::new();
    for fault in found {
        let fault = fault?;
        let is_of_one_row = fault.starts_with("non-") || fault.starts_with("NULL value in ");
        if fault != "ok" && !is_of_one_row {
            faults.extend(fault.lines().filter(|line| !line.starts_with("***")).map(str::to_owned));
        }
    }
    Ok(faults)
}

/// More than these tell nobody more.
pub(super) const LISTED_FAULTS: usize = 100;

/// An error of reading a game: its own damage, or the file's.
pub(super) fn game_error(path: &Path, game_id: GameId, error: Error) -> super::CacheError {
    match damage(&error) {
        Some(why) => super::CacheError::Damaged { game_id, what: "columns", why },
        None => super::database::sqlite_error(path, error),
    }
}
