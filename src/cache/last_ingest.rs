//! Whether the last ingest came to its end.
//!
//! A run that is killed leaves whole batches, and nothing in the games says that some are missing.
//! So a run leaves a mark when it begins and completes it when it ends.

use super::database::sqlite_error;
use super::error::CacheError;
use super::store::{Batch, Cache, Snapshot};
use rusqlite::{Connection, OptionalExtension};

impl Cache {
    /// Whether the last ingest came to its end; also where none has run since caches note it.
    ///
    /// # Errors
    /// If SQLite cannot read the file.
    pub fn last_ingest_finished(&self) -> Result<bool, CacheError> {
        is_finished(&self.connection).map_err(|error| sqlite_error(&self.path, error))
    }
}

impl Snapshot<'_> {
    /// As [`Cache::last_ingest_finished`].
    ///
    /// # Errors
    /// If SQLite cannot read the file.
    pub fn last_ingest_finished(&self) -> Result<bool, CacheError> {
        is_finished(&self.transaction).map_err(|error| sqlite_error(self.path, error))
    }
}

impl Batch<'_> {
    /// Notes that a run of ingest begins.
    ///
    /// # Errors
    /// If SQLite cannot write.
    pub fn begin_ingest(&self, logs_found: usize) -> Result<(), CacheError> {
        self.run(|transaction| {
            transaction.execute(
                "INSERT OR REPLACE INTO last_ingest VALUES
                    (1, strftime('%Y-%m-%dT%H:%M:%SZ', 'now'), NULL, ?1)",
                [logs_found as i64],
            )?;
            Ok(())
        })
    }

    /// Notes that the run is done.
    ///
    /// # Errors
    /// If SQLite cannot write.
    pub fn finish_ingest(&self) -> Result<(), CacheError> {
        self.run(|transaction| {
            transaction.execute(
                "UPDATE last_ingest SET finished_at = strftime('%Y-%m-%dT%H:%M:%SZ', 'now')",
                [],
            )?;
            Ok(())
        })
    }
}

fn is_finished(connection: &Connection) -> rusqlite::Result<bool> {
    let finished = connection
        .query_row("SELECT finished_at IS NOT NULL FROM last_ingest", [], |row| row.get(0))
        .optional()?;
    Ok(finished.unwrap_or(true))
}
