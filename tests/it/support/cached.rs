//! Reads the cache file directly with SQLite, and ingests with the library.

// Not every test uses all of this module.
#![allow(dead_code)]

use rusqlite::{Connection, ErrorCode};
use splendor_prep::gamelog::ReadOptions;
use splendor_prep::ingest::{DEFAULT_SETTLE, IngestOptions};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

/// A time before any ingest.
const LONG_AGO: &str = "2001-01-01T00:00:00Z";

/// A row of `games`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CachedGame {
    pub(crate) source_path: String,
    pub(crate) source_hash: String,
    pub(crate) ingested_at: String,
    /// All blobs, concatenated.
    pub(crate) blobs: Vec<u8>,
}

/// All rows of `games`, by game id.
pub(crate) fn cached_games(cache: &Path) -> BTreeMap<i64, CachedGame> {
    let connection = Connection::open(cache).expect("a cache");
    let mut statement = connection
        .prepare(
            "SELECT game_id, source_path, source_hash, ingested_at,
                    turn_numbers, features, labels, masks, column_sums
             FROM games",
        )
        .expect("a table of games");
    let games = statement
        .query_map([], |row| {
            let blobs: Vec<Vec<u8>> = (4..9).map(|blob| row.get(blob)).collect::<Result<_, _>>()?;
            let game = CachedGame {
                source_path: row.get(1)?,
                source_hash: row.get(2)?,
                ingested_at: row.get(3)?,
                blobs: blobs.concat(),
            };
            Ok((row.get(0)?, game))
        })
        .expect("rows");
    games.collect::<Result<_, _>>().expect("a row")
}

/// The ids of all games.
pub(crate) fn cached_ids(cache: &Path) -> Vec<i64> {
    cached_games(cache).into_keys().collect()
}

/// Runs SQL against the cache.
pub(crate) fn execute(cache: &Path, sql: &str) {
    Connection::open(cache).and_then(|connection| connection.execute_batch(sql)).expect(sql);
}

/// Changes stored games as if an earlier version of prep had stored them, which wrote no checksums of columns.
pub(crate) fn execute_unchecked(cache: &Path, sql: &str) {
    execute(
        cache,
        &format!(
            "{sql}; UPDATE games SET record_checksum = NULL; UPDATE last_ingest SET games_checksum = NULL"
        ),
    );
}

/// Makes every cached game look old, so that [`written_since`] finds games that are written later:
/// ingest times are whole seconds, and tests are faster than that.
pub(crate) fn make_old(cache: &Path) {
    execute_unchecked(cache, &format!("UPDATE games SET ingested_at = '{LONG_AGO}'"));
}

/// Games that were written after [`make_old`].
pub(crate) fn written_since(cache: &Path) -> Vec<i64> {
    let games = cached_games(cache);
    games.into_iter().filter(|(_, game)| game.ingested_at != LONG_AGO).map(|(id, _)| id).collect()
}

/// The current number of games in the cache, while another process may be writing or creating it.
pub(crate) fn games_so_far(cache: &Path) -> u32 {
    let count = || {
        let connection = Connection::open(cache)?;
        connection.busy_timeout(Duration::ZERO)?;
        connection.query_row("SELECT count(*) FROM games", [], |row| row.get(0))
    };
    while cache.exists() {
        match count() {
            // During a commit.
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => {
                std::thread::sleep(Duration::from_millis(1));
            }
            count => return count.unwrap_or(0),
        }
    }
    0
}

/// Options of an ingest in this process.
pub(crate) fn ingest_options(root: &Path) -> IngestOptions {
    IngestOptions {
        root: root.to_owned(),
        jobs: 2,
        batch_size: 100.try_into().expect("not zero"),
        settle: DEFAULT_SETTLE,
        read: ReadOptions::default(),
        max_games: None,
        part: None,
        allow_delete: false,
        keep_missing: false,
        known_games: Vec::new(),
        monitor_memory: false,
    }
}
