//! The write-ahead log: that there can be one, and that it stays small.
//!
//! SQLite empties the log into the cache file as commits go by, but never past what a reader still
//! sees. An export that reads for minutes beside an ingest that writes for minutes would let it grow
//! to the size of the cache. So a run that finds it long waits until the reader is done.

use super::database::{BUSY_TIMEOUT, LOGS, PAGE_BYTES};
use super::error::CacheError;
use super::lock::{beside, real_path};
use super::store::Cache;
use rusqlite::Connection;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Past this the log is long. A batch may come on top of it.
const LONG: u64 = 32 << 20;

/// Past this, a commit copies what it can of the log into the cache file.
const CHECKPOINT: u32 = 4 << 20;

/// Pages that a commit changes, though it be of one game: the rows of a game and their neighbours in the
/// tables, and what SQLite keeps about tables and pages.
const PAGES_OF_A_COMMIT: u64 = 8;

/// What an emptied log may keep of its length, so that it is not made anew by every batch.
const KEPT_LENGTH: i64 = 8 << 20;

/// How long a run waits for readers: longer than any export takes.
const PATIENCE: Duration = Duration::from_secs(600);

/// How long a run waits before it says so.
const SILENCE: Duration = Duration::from_secs(1);

/// Puts the cache into write-ahead mode: readers go on while a run writes, and a commit is one
/// sync. The mode stays in the file.
pub(super) fn enter(connection: &Connection, path: &Path) -> Result<(), CacheError> {
    let mode = connection
        .pragma_update_and_check(None, "journal_mode", "wal", |row| row.get::<_, String>(0))
        .map_err(|error| super::database::sqlite_error(path, error))?;
    check_mode(&mode, path)
}

/// SQLite answers with the mode that it is in then, and no error: where there is no shared memory,
/// it stays in the old one, in which readers and writers lock each other out.
fn check_mode(mode: &str, path: &Path) -> Result<(), CacheError> {
    match mode {
        "wal" => Ok(()),
        _ => Err(CacheError::FileSystem {
            path: path.to_owned(),
            why: "SQLite cannot keep a write-ahead log there".to_owned(),
        }),
    }
}

/// Settings of a connection that may write.
pub(super) fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update_and_check(None, "journal_size_limit", KEPT_LENGTH, |_| Ok(()))?;
    // A commit is on the disk before the next batch begins, whatever SQLite was built to do.
    connection.pragma_update(None, "synchronous", "full")
}

/// Has the log copied into the cache file long before it is [`LONG`].
pub(super) fn checkpoint_in_time(connection: &Connection, page_bytes: u32) -> rusqlite::Result<()> {
    let pages = CHECKPOINT / page_bytes;
    connection.pragma_update_and_check(None, "wal_autocheckpoint", pages, |_| Ok(()))
}

impl Cache {
    /// Empties the write-ahead log into the cache file if it has grown long; waits for those who
    /// read an older state of the cache, unless `stop` is set.
    ///
    /// # Errors
    /// [`CacheError::Busy`] if one of them reads for more than ten minutes.
    pub fn bound_write_ahead_log(&self, stop: &AtomicBool) -> Result<(), CacheError> {
        self.bound(LONG, PATIENCE, stop)
    }

    /// Gives the room of the write-ahead log back to the disk, as far as that can be done now: on a
    /// full disk it may not.
    pub fn try_to_empty_write_ahead_log(&self) {
        let _ = self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    }

    fn bound(&self, long: u64, patience: Duration, stop: &AtomicBool) -> Result<(), CacheError> {
        let length = || write_ahead_log_bytes(&self.path);
        if length() < long {
            return Ok(());
        }
        let begun = Instant::now();
        let mut said = false;
        loop {
            if self.empty_write_ahead_log()? || stop.load(Ordering::Relaxed) {
                return Ok(());
            }
            if begun.elapsed() >= patience {
                return Err(CacheError::Busy(self.path.clone()));
            }
            if begun.elapsed() >= SILENCE && !said {
                said = true;
                tracing::info!(
                    "waiting for another program that reads the cache (an export?), so that {} \
                     stays short",
                    log_path(&self.path).display()
                );
            }
            std::thread::sleep(RETRY);
        }
    }

    /// Tries once; `false` if somebody is in the way. SQLite itself would wait for them, deaf to
    /// Ctrl-C.
    fn empty_write_ahead_log(&self) -> Result<bool, CacheError> {
        let empty = || -> rusqlite::Result<bool> {
            self.connection.busy_timeout(Duration::ZERO)?;
            let sql = "PRAGMA wal_checkpoint(TRUNCATE)";
            let busy = self.connection.query_row(sql, [], |row| row.get::<_, i64>(0));
            self.connection.busy_timeout(BUSY_TIMEOUT)?;
            Ok(busy? == 0)
        };
        empty().map_err(|error| super::database::sqlite_error(&self.path, error))
    }
}

/// Between two looks whether readers are done.
const RETRY: Duration = Duration::from_millis(50);

/// Bytes of the write-ahead log of the cache at a path: what the cache file may yet grow by.
pub fn write_ahead_log_bytes(cache: &Path) -> u64 {
    std::fs::metadata(log_path(cache)).map_or(0, |log| log.len())
}

/// Bytes that the write-ahead log takes at most while so many games, which take so many bytes, are
/// stored in batches of any size, beside a reader.
pub fn longest_write_ahead_log(games: u64, bytes: u64) -> u64 {
    // However little of a page has changed, all of it is written.
    let pages = games.saturating_mul(PAGES_OF_A_COMMIT);
    pages.saturating_mul(PAGE_BYTES.into()).min(CHECKPOINT.into()) + bytes.min(2 * LONG)
}

fn log_path(cache: &Path) -> PathBuf {
    beside(&real_path(cache), LOGS[0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_that_is_not_write_ahead_is_an_error_that_says_what_to_do() {
        let path = Path::new("/net/prep.sqlite");
        check_mode("wal", path).unwrap();
        let error = check_mode("delete", path).unwrap_err().to_string();
        assert!(error.contains("/net/prep.sqlite") && error.contains("--cache"), "{error}");

        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("prep.sqlite");
        let pragma = |name| -> String {
            let cache = Cache::open_or_create(&file).unwrap();
            let value = |row: &rusqlite::Row<'_>| row.get::<_, rusqlite::types::Value>(0);
            format!("{:?}", cache.connection.pragma_query_value(None, name, value).unwrap())
        };
        assert_eq!(pragma("synchronous"), "Integer(2)", "full");
        // Somebody's browser may have taken it out of the mode; the next run puts it back.
        let browser = Connection::open(&file).unwrap();
        browser.pragma_update(None, "journal_mode", "delete").unwrap();
        drop(browser);
        assert_eq!(std::fs::read(&file).unwrap()[18], 1, "the header's mode");
        assert_eq!(pragma("journal_mode"), "Text(\"wal\")");

        // SQLite itself: a database in memory has no write-ahead log.
        let connection = Connection::open_in_memory().unwrap();
        assert!(matches!(enter(&connection, path), Err(CacheError::FileSystem { .. })));
    }

    #[test]
    fn a_long_log_waits_for_readers_and_is_emptied_when_they_are_done() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("prep.sqlite");
        let cache = Cache::open_or_create(&path).unwrap();
        let reader = Cache::open_existing(&path).unwrap();
        let length = || std::fs::metadata(log_path(&path)).unwrap().len();
        let go_on = AtomicBool::new(false);
        let write = || {
            let batch = cache.begin().unwrap();
            batch.begin_ingest(1).unwrap();
            batch.commit().unwrap();
        };
        let limit = 64 << 10;
        write();
        {
            let snapshot = reader.snapshot().unwrap();
            assert!(!snapshot.last_ingest_finished().unwrap());
            while length() < limit {
                write();
                cache
                    .bound(limit, Duration::ZERO, &go_on)
                    .or_else(|error| match error {
                        CacheError::Busy(_) => Ok(()),
                        error => Err(error),
                    })
                    .unwrap();
            }
            let begun = Instant::now();
            let patience = Duration::from_millis(200);
            let result = cache.bound(limit, patience, &go_on);
            assert!(matches!(result, Err(CacheError::Busy(_))), "{result:?}");
            assert!(begun.elapsed() >= patience, "it waited");
            // Ctrl-C must not wait for somebody else's export.
            cache.bound(limit, PATIENCE, &AtomicBool::new(true)).unwrap();
        }
        cache.bound(limit, Duration::ZERO, &go_on).unwrap();
        assert_eq!(length(), 0);
    }
}
