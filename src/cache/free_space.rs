//! Giving pages that no game uses any more back to the file system.
//!
//! SQLite keeps the pages of removed and replaced games for the next ones, and never makes the file
//! shorter by itself. Over many nights of a folder that changes, the file would stay as long as it
//! ever had to be.

use super::database::sqlite_error;
use super::error::CacheError;
use super::store::Cache;
use std::sync::atomic::{AtomicBool, Ordering};

/// One page in so many may be free before it is worth the work.
const MOST_FREE_PARTS: i64 = 32;

/// Pages given back at a time, 8 MB: moving them goes through the write-ahead log.
const PAGES_AT_ONCE: u32 = 2_000;

impl Cache {
    /// Whether more than a thirty-second of the file is free.
    ///
    /// # Errors
    /// If SQLite cannot read the file.
    pub fn has_much_free_space(&self) -> Result<bool, CacheError> {
        Ok(self.pages("freelist_count")? * MOST_FREE_PARTS > self.pages("page_count")?)
    }

    /// Bytes of the file that no game uses.
    ///
    /// # Errors
    /// If SQLite cannot read the file.
    pub fn free_bytes(&self) -> Result<u64, CacheError> {
        let bytes = self.pages("freelist_count")? * self.pages("page_size")?;
        Ok(bytes.unsigned_abs())
    }

    /// Moves pages from the end of the file to where it is free, and makes it shorter; ends early if
    /// `stop` is set, and tells `given_back` as bytes go. Does nothing in a file that was made before
    /// caches could do that.
    ///
    /// # Errors
    /// If SQLite cannot write the file.
    pub fn give_back_free_space(
        &self,
        stop: &AtomicBool,
        mut given_back: impl FnMut(u64),
    ) -> Result<(), CacheError> {
        let page_size = self.pages("page_size")?.unsigned_abs();
        let mut free = self.pages("freelist_count")?;
        while free > 0 && !stop.load(Ordering::Relaxed) {
            self.vacuum(PAGES_AT_ONCE).map_err(|error| sqlite_error(&self.path, error))?;
            self.bound_write_ahead_log(stop)?;
            let before = std::mem::replace(&mut free, self.pages("freelist_count")?);
            if free >= before {
                break;
            }
            given_back((before - free).unsigned_abs() * page_size);
        }
        Ok(())
    }

    /// SQLite gives back a page for each row that is fetched: without fetching them all, every single
    /// page would be a commit of its own, and synced.
    fn vacuum(&self, pages: u32) -> rusqlite::Result<()> {
        let mut statement =
            self.connection.prepare(&format!("PRAGMA incremental_vacuum({pages})"))?;
        let mut rows = statement.query([])?;
        while rows.next()?.is_some() {}
        Ok(())
    }

    fn pages(&self, pragma: &str) -> Result<i64, CacheError> {
        self.connection
            .pragma_query_value(None, pragma, |row| row.get(0))
            .map_err(|error| sqlite_error(&self.path, error))
    }
}
