//! Reads rows of `games` and `game_play` as records and blobs, and detects damaged rows.

use super::blob::{Blob, Packed, PackedGame, checksum, checksum_damage, record_checksum};
use super::error::Damage;
use super::key::{CacheKey, FeatureSchema, GameRecord, StaleReason, staleness};
use super::play::{self, FAULTS, PLAY_COLUMNS, PLAY_WIDTH};
use crate::gamelog::{GameId, ReplayFault, ReplayFaultKind};
use rusqlite::types::Type;
use rusqlite::{Connection, Error, Row};
use std::sync::LazyLock;

type SqliteResult<T> = rusqlite::Result<T>;

/// The plain columns, in the order of [`read_record`].
pub(super) const RECORD_COLUMNS: &str = "game_id, source_path, source_hash, source_bytes, rows, \
     players, encoder_version, feature_schema, gem_fault_rows, repaired, unbalanced_rows, ingested_at, \
     record_checksum";
pub(super) const RECORD_WIDTH: usize = 13;
const INGESTED_AT: usize = RECORD_WIDTH - 2;
const RECORD_CHECKSUM: usize = RECORD_WIDTH - 1;
/// Each blob with its checksum, in the order of [`Blob::ALL`].
pub(super) const BLOB_COLUMNS: &str = "turn_numbers, turn_numbers_checksum, features, \
     features_checksum, labels, labels_checksum, masks, masks_checksum, column_sums, \
     column_sums_checksum";

/// A checksum of all games, in any order. It cannot overflow: there are fewer than 2^31 games.
pub(super) const GAMES_CHECKSUM: &str =
    "SELECT count(*) + coalesce(sum(record_checksum & 0xFFFFFFFF), 0) FROM games";

/// No log has more turns, because its size would exceed the limit for logs.
const MAX_ROWS: u32 = 1 << 20;

/// Where the blob columns begin after those of [`SELECT_RECORDS`].
const FIRST_BLOB: usize = RECORD_WIDTH + PLAY_WIDTH + 1;

/// The columns that [`read_record`] reads, of all games; a `WHERE` may follow.
pub(super) static SELECT_RECORDS: LazyLock<String> = LazyLock::new(|| select(""));
/// All columns of all games; a `WHERE` may follow.
pub(super) static SELECT_GAMES: LazyLock<String> =
    LazyLock::new(|| select(&format!(", {BLOB_COLUMNS}")));
/// The columns of [`read_record`], and the column sums with their checksum.
pub(super) static SELECT_SUMS: LazyLock<String> =
    LazyLock::new(|| select(", column_sums, column_sums_checksum"));

fn select(more: &str) -> String {
    format!(
        "SELECT {RECORD_COLUMNS}, {PLAY_COLUMNS}, {FAULTS}{more}
         FROM games LEFT JOIN game_play USING (game_id)"
    )
}

/// The cached data of a game, as far as it was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CachedGame {
    /// Its plain columns; `None` if they are damaged.
    pub record: Option<GameRecord>,
    /// The damage of a column or blob, if there is any.
    pub damage: Option<Damage>,
}

impl CachedGame {
    /// Why it must be encoded again; `None` if it is up to date.
    pub fn staleness(&self, now: &CacheKey) -> Option<StaleReason> {
        let stale = self.record.as_ref().and_then(|record| staleness(Some(record), now));
        stale.or_else(|| self.damage.clone().map(StaleReason::Damaged))
    }
}

/// Reads a row of [`SELECT_GAMES`] and checks the checksums of its blobs without copying them.
pub(super) fn check_game(row: &Row<'_>) -> SqliteResult<CachedGame> {
    let record = match of_row(row, read_record(row))? {
        Ok(record) => record,
        Err(damage) => return Ok(CachedGame { record: None, damage: Some(damage) }),
    };
    let mut damage = None;
    // Blobs of other formats have other checksums, and their games are encoded again anyway.
    if record.is_of_this_encoder() {
        let check = || -> SqliteResult<Option<Damage>> {
            for blob in Blob::ALL {
                let column = FIRST_BLOB + 2 * blob as usize;
                let bytes = |column: usize| {
                    row.get_ref(column)?.as_blob().map_err(|error| unreadable(column, error))
                };
                if checksum(blob, &record, bytes(column)?) != *bytes(column + 1)? {
                    return Ok(Some(checksum_damage(blob)));
                }
            }
            Ok(None)
        };
        damage = of_row(row, check())?.unwrap_or_else(Some);
    }
    Ok(CachedGame { record: Some(record), damage })
}

/// Reads the plain columns of a row, which come first.
pub(super) fn read_record(row: &Row<'_>) -> SqliteResult<GameRecord> {
    let source_hash: String = row.get(2)?;
    let feature_schema: String = row.get(7)?;
    let mut record = GameRecord {
        game_id: GameId(row.get(0)?),
        source_path: row.get(1)?,
        source_bytes: row.get::<_, i64>(3)?.try_into().map_err(|error| unreadable(3, error))?,
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
        play: None,
    };
    let GameRecord { rows, players, gem_fault_rows, unbalanced_rows, .. } = record;
    let wrong = [
        (4, rows == 0 || rows > MAX_ROWS),
        (5, !(2..=4).contains(&players)),
        (8, gem_fault_rows > rows),
        (10, unbalanced_rows > rows),
    ];
    if let Some((column, _)) = wrong.into_iter().find(|(_, is_wrong)| *is_wrong) {
        return Err(unreadable(column, "out of range"));
    }
    let ingested_at = row.get_ref(INGESTED_AT)?.as_str();
    let ingested_at = ingested_at.map_err(|error| unreadable(INGESTED_AT, error))?;
    // Games of older caches have none.
    let stored: Option<i64> = row.get(RECORD_CHECKSUM)?;
    if stored.is_some_and(|stored| stored != record_checksum(&record, ingested_at)) {
        return Err(unreadable(RECORD_CHECKSUM, "does not match"));
    }
    let play = play::read(row, RECORD_WIDTH, &record)?;
    record.play = play.map_err(|why| unreadable(RECORD_WIDTH + PLAY_WIDTH - 1, why))?;
    Ok(record)
}

/// Reads a row of [`SELECT_GAMES`] with its blobs.
pub(super) fn read_packed(row: &Row<'_>) -> SqliteResult<PackedGame> {
    let record = read_record(row)?;
    let mut blobs = Vec::with_capacity(Blob::COUNT);
    for blob in Blob::ALL {
        blobs.push(read_blob(row, FIRST_BLOB + 2 * blob as usize)?);
    }
    Ok(PackedGame { record, blobs: blobs.try_into().expect("one for each kind") })
}

/// Reads a row of [`SELECT_SUMS`]: a game of which only the column sums can be unpacked.
pub(super) fn read_sums(row: &Row<'_>) -> SqliteResult<PackedGame> {
    let mut blobs: [Packed; Blob::COUNT] = Default::default();
    blobs[Blob::ColumnSums as usize] = read_blob(row, FIRST_BLOB)?;
    Ok(PackedGame { record: read_record(row)?, blobs })
}

/// Reads a row of `game_faults`.
pub(super) fn read_fault(row: &Row<'_>) -> SqliteResult<ReplayFault> {
    let kind: String = row.get(3)?;
    Ok(ReplayFault {
        row: row.get(1)?,
        line: row.get::<_, i64>(2)?.try_into().map_err(|error| unreadable(2, error))?,
        kind: ReplayFaultKind::from_name(&kind).ok_or_else(|| unreadable(3, "not a fault"))?,
        column: row.get(4)?,
        found: row.get(5)?,
        expected: row.get(6)?,
    })
}

fn read_blob(row: &Row<'_>, column: usize) -> SqliteResult<Packed> {
    Ok(Packed { bytes: row.get(column)?, checksum: row.get(column + 1)? })
}

fn unreadable(
    column: usize,
    error: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> rusqlite::Error {
    Error::FromSqlConversionFailure(column, Type::Text, error.into())
}

/// Distinguishes a damaged row from an error while reading the file.
pub(super) fn of_row<T>(row: &Row<'_>, read: SqliteResult<T>) -> SqliteResult<Result<T, Damage>> {
    let column = match read {
        Ok(value) => return Ok(Ok(value)),
        Err(
            Error::FromSqlConversionFailure(column, ..)
            | Error::IntegralValueOutOfRange(column, _)
            | Error::InvalidColumnType(column, ..)
            | Error::Utf8Error(column, _),
        ) => column,
        Err(error) => return Err(error),
    };
    if (RECORD_WIDTH..FIRST_BLOB).contains(&column) {
        return Ok(Err(Damage::new("game_play", "its counts or faults are not what was stored")));
    }
    if column == RECORD_CHECKSUM {
        return Ok(Err(Damage::new("games", "its columns are not what was stored")));
    }
    let name = row.as_ref().column_name(column).unwrap_or("a column").to_owned();
    Ok(Err(Damage::new(name, "it is not what was stored")))
}

/// Limit on the number of faults listed.
pub(super) const MAX_STRUCTURE_FAULTS: usize = 100;

/// Faults that SQLite's `quick_check` or `integrity_check` finds in the structure of the file, one
/// sentence each.
///
/// Values of a wrong type or NULL are not listed: that is damage of one game, which its checksums detect
/// too and the next ingest repairs.
pub(super) fn structure_faults(connection: &Connection, check: &str) -> SqliteResult<Vec<String>> {
    let mut statement = connection.prepare(&format!("PRAGMA {check}({MAX_STRUCTURE_FAULTS})"))?;
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
