//! An open connection to a cache that holds no lock between two reads.
//!
//! Opening a cache takes milliseconds; reading a game from an open one takes tens of microseconds. A
//! program that reads one game after another keeps the connection and does not block writers between the
//! reads.

use super::begin_to_read;
use crate::platform::FileState;
use rusqlite::Connection;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Once the last change of a file is this old, a new change shows in its [`FileState`].
const TICK: Duration = Duration::from_millis(50);

/// An open connection to a cache, without a lock: [`Reader::rest`](crate::cache::Reader::rest) makes one.
pub struct IdleReader {
    path: PathBuf,
    state: FileState,
    /// The process that opened it: SQLite forbids using a connection after a fork.
    process: u32,
    /// `None` only while it is dropped.
    connection: Option<Connection>,
}

impl IdleReader {
    pub(in crate::cache) fn new(
        path: PathBuf,
        state: FileState,
        connection: Connection,
    ) -> Option<IdleReader> {
        connection.execute_batch("COMMIT").ok()?;
        let connection = Some(connection);
        Some(IdleReader { path, state, process: std::process::id(), connection })
    }

    /// Locks the file again and returns the connection; `None` if the file has changed or the connection
    /// cannot be used.
    pub(in crate::cache) fn resume(mut self) -> Option<(PathBuf, FileState, Connection)> {
        if self.process != std::process::id() || settled_state(&self.path) != Some(self.state) {
            return None;
        }
        begin_to_read(self.connection.as_ref()?).ok()?;
        Some((std::mem::take(&mut self.path), self.state, self.connection.take()?))
    }
}

impl Drop for IdleReader {
    fn drop(&mut self) {
        if self.process != std::process::id() {
            // Not closed either: it belongs to the other process.
            std::mem::forget(self.connection.take());
        }
    }
}

/// The state of a file; `None` if a change from now on might not show in it.
pub(in crate::cache) fn settled_state(path: &Path) -> Option<FileState> {
    let state = FileState::of(&std::fs::metadata(path).ok()?);
    (state.age()? > TICK).then_some(state)
}
