//! The table `ingests`: a row for each ingest that changed the cache.

use rusqlite::types::Value;
use rusqlite::{Connection, Row, params, params_from_iter};
use std::collections::BTreeMap;

type SqliteResult<T> = rusqlite::Result<T>;

/// Number of rows that are kept: several years of nightly ingests.
const MOST_KEPT: i64 = 1_000;

/// The columns that count games by result: the names of [`StaleReason`](super::StaleReason), and those of
/// games that were not encoded.
pub const INGEST_COUNTS: [&str; 10] = [
    "new",
    "bytes_changed",
    "encoder_changed",
    "schema_changed",
    "repair_changed",
    "damaged",
    "up_to_date",
    "refused",
    "deferred",
    "deleted",
];

/// The result of an ingest.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct IngestCounts {
    /// Duration.
    pub seconds: f64,
    /// Number of games for each outcome; outcomes with no game may be missing.
    pub games: BTreeMap<&'static str, u64>,
    /// Encoded rows.
    pub encoded_rows: u64,
    /// Games in the cache afterwards.
    pub cached_games: u64,
    /// Rows in the cache afterwards.
    pub cached_rows: u64,
}

/// A row of the table.
#[derive(Clone, Debug, PartialEq)]
pub struct IngestLine {
    /// When it began, in UTC, as `2026-01-31T03:00:00Z`.
    pub started_at: String,
    /// Logs that were found.
    pub logs_found: u64,
    /// Its result; `None` if it did not finish.
    pub done: Option<IngestCounts>,
}

pub(super) fn begin(connection: &Connection, logs_found: i64) -> SqliteResult<()> {
    connection.execute(
        "INSERT INTO ingests (started_at, logs_found) VALUES (strftime('%Y-%m-%dT%H:%M:%SZ', 'now'), ?1)",
        [logs_found],
    )?;
    let oldest = connection.last_insert_rowid() - MOST_KEPT;
    connection.execute("DELETE FROM ingests WHERE ingest_id <= ?1", params![oldest]).map(drop)
}

pub(super) fn finish(connection: &Connection, done: &IngestCounts) -> SqliteResult<()> {
    let counts = INGEST_COUNTS.map(|name| done.games.get(name).copied().unwrap_or(0));
    let totals = [done.encoded_rows, done.cached_games, done.cached_rows];
    let numbers = counts.into_iter().chain(totals).map(|number| Value::Integer(number as i64));
    let values = [Value::Real(done.seconds)].into_iter().chain(numbers);
    let sql = format!(
        "UPDATE ingests SET finished_at = strftime('%Y-%m-%dT%H:%M:%SZ', 'now'), seconds = ?,
             {} = ?, encoded_rows = ?, games = ?, rows = ?
         WHERE ingest_id = (SELECT max(ingest_id) FROM ingests)",
        INGEST_COUNTS.join(" = ?, ")
    );
    connection.execute(&sql, params_from_iter(values)).map(drop)
}

/// All rows, oldest first.
pub(super) fn read(connection: &Connection) -> SqliteResult<Vec<IngestLine>> {
    let sql = format!(
        "SELECT started_at, logs_found, seconds, encoded_rows, games, rows, {}
         FROM ingests ORDER BY ingest_id",
        INGEST_COUNTS.join(", ")
    );
    connection.prepare(&sql)?.query_map([], read_line)?.collect()
}

fn read_line(row: &Row<'_>) -> SqliteResult<IngestLine> {
    let count = |column: usize| {
        let number: Option<i64> = row.get(column)?;
        Ok::<_, rusqlite::Error>(number.and_then(|number| u64::try_from(number).ok()).unwrap_or(0))
    };
    let seconds: Option<f64> = row.get(2)?;
    let done = match seconds {
        None => None,
        Some(seconds) => {
            let mut games = BTreeMap::new();
            for (place, name) in INGEST_COUNTS.into_iter().enumerate() {
                games.insert(name, count(6 + place)?);
            }
            let (encoded_rows, cached_games, cached_rows) = (count(3)?, count(4)?, count(5)?);
            Some(IngestCounts { seconds, games, encoded_rows, cached_games, cached_rows })
        }
    };
    Ok(IngestLine { started_at: row.get(0)?, logs_found: count(1)?, done })
}

#[cfg(test)]
mod tests {
    use super::super::database::MIGRATIONS;
    use super::*;

    #[test]
    fn lines_read_back_and_old_ones_are_removed() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(&MIGRATIONS.concat()).unwrap();
        let done = IngestCounts {
            seconds: 1.5,
            games: INGEST_COUNTS.into_iter().zip(1..).collect(),
            encoded_rows: 20,
            cached_games: 30,
            cached_rows: 40,
        };
        begin(&connection, 7).unwrap();
        finish(&connection, &done).unwrap();
        begin(&connection, 8).unwrap();
        let lines = read(&connection).unwrap();
        assert_eq!((lines[0].logs_found, &lines[0].done), (7, &Some(done)));
        assert_eq!((lines[1].logs_found, &lines[1].done), (8, &None));
        for _ in 2..=MOST_KEPT {
            begin(&connection, 9).unwrap();
        }
        let lines = read(&connection).unwrap();
        assert_eq!((lines.len(), lines[0].logs_found), (MOST_KEPT as usize, 8));
    }
}
