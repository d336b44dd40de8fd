//! A cache between two looks at it: its connection stays open, and nobody has to wait for it.
//!
//! Opening a cache takes milliseconds, reading a game from one that is open tens of microseconds. A program
//! that reads one game after another keeps the connection without keeping others from committing.

use super::begin_to_read;
use crate::platform::FileState;
use rusqlite::Connection;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// After a file was changed so long ago, another change shows in its [`FileState`].
const TICK: Duration = Duration::from_millis(50);

/// An open connection to a cache, without a lock: [`Reader::rest`](crate::cache::Reader::rest) makes one.
pub struct IdleReader {
    path: PathBuf,
    state: FileState,
    /// SQLite forbids to carry a connection over a fork.
    process: u32,
    /// Taken out when it is dropped.
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

    /// The connection with a lock on the file, which is as it was; `None` if it cannot be used.
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
            // Not even closed: it is the other process's.
            std::mem::forget(self.connection.take());
        }
    }
}

/// The state of a file, if any change to it from now on will show.
pub(in crate::cache) fn settled_state(path: &Path) -> Option<FileState> {
    let state = FileState::of(&std::fs::metadata(path).ok()?);
    let (seconds, nanoseconds) = state.changed;
    let changed = Duration::new(seconds.try_into().ok()?, nanoseconds.try_into().ok()?);
    let age = SystemTime::now().duration_since(UNIX_EPOCH + changed).ok()?;
    (age > TICK).then_some(state)
}
