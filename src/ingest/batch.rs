//! Writes the changes of a run in batches.

use crate::cache::{CacheError, IngestCounts, PackedGame, Writer};
use crate::gamelog::ReplayFault;
use std::num::NonZeroUsize;

/// A batch is committed at this size even if it has few games, because it is in memory until then.
const MAX_BYTES: u64 = 16 << 20;

/// Writes the cache in batches, beginning with the first change.
pub(super) struct Batches<'a> {
    /// `None` in a dry run, which writes nothing.
    writer: Option<&'a Writer<'a>>,
    batch_size: NonZeroUsize,
    /// Number of logs found, for the record of the run.
    logs_found: usize,
    /// Whether this run has written anything.
    has_begun: bool,
    is_structure_checked: bool,
    /// Number of games stored and logs refused since the last commit.
    games: usize,
    /// Size of the games stored since the last commit in bytes.
    bytes: u64,
}

impl<'a> Batches<'a> {
    pub(super) fn new(
        writer: Option<&'a Writer<'a>>,
        batch_size: NonZeroUsize,
        logs_found: usize,
    ) -> Batches<'a> {
        Batches {
            writer,
            batch_size,
            logs_found,
            has_begun: false,
            is_structure_checked: false,
            games: 0,
            bytes: 0,
        }
    }

    /// Adds a change to the current batch.
    pub(super) fn write(
        &mut self,
        change: impl FnOnce(&Writer<'a>) -> Result<(), CacheError>,
    ) -> Result<(), CacheError> {
        let Some(writer) = self.writer else { return Ok(()) };
        self.begin()?;
        change(writer)
    }

    /// Records that a run has started, unless that is recorded already.
    pub(super) fn begin(&mut self) -> Result<(), CacheError> {
        if let (Some(writer), false) = (self.writer, self.has_begun) {
            // Committed separately, so that a run that is killed in its first batch counts as
            // unfinished, too.
            writer.begin_ingest(self.logs_found)?;
            writer.commit()?;
            self.has_begun = true;
        }
        Ok(())
    }

    /// Adds a game to the current batch; `true` if that ended the batch.
    pub(super) fn put(
        &mut self,
        game: &PackedGame,
        faults: &[ReplayFault],
    ) -> Result<bool, CacheError> {
        self.write(|writer| writer.put(game, faults, None))?;
        self.end_game(game.packed_bytes())
    }

    /// Counts a game and the approximate number of written bytes; `true` if that ended the batch.
    pub(super) fn end_game(&mut self, bytes: u64) -> Result<bool, CacheError> {
        self.games += 1;
        self.bytes += bytes;
        let is_full = self.games >= self.batch_size.get() || self.bytes >= MAX_BYTES;
        if is_full {
            self.commit()?;
        }
        Ok(is_full)
    }

    /// Checks once per run that the structure of the file is not damaged, before a row that may be
    /// damaged is replaced or removed.
    pub(super) fn check_structure(&mut self) -> Result<(), CacheError> {
        if let Some(writer) = self.writer.filter(|_| !self.is_structure_checked) {
            writer.check_structure()?;
        }
        self.is_structure_checked = true;
        Ok(())
    }

    /// Checks the number of games, and of refused or deferred logs, after the changes of this run.
    pub(super) fn check_stored(&self, games: usize, refusals: usize) -> Result<(), CacheError> {
        let writer = self.writer.filter(|_| self.has_begun);
        writer.map_or(Ok(()), |writer| writer.check_stored(games as u64, refusals as u64))
    }

    /// Ends a complete run. A run that changed nothing is not recorded, unless it completes an earlier
    /// one that did not finish.
    pub(super) fn finish(
        &mut self,
        last_finished: bool,
        done: &IngestCounts,
    ) -> Result<(), CacheError> {
        if self.has_begun || !last_finished {
            self.write(|writer| writer.finish_ingest(done))?;
        }
        self.commit()
    }

    /// Keeps the stored games, and records that the ingest has not finished.
    pub(super) fn leave_unfinished(&mut self) -> Result<(), CacheError> {
        self.begin()?;
        self.commit()
    }

    /// Commits the current batch.
    pub(super) fn commit(&mut self) -> Result<(), CacheError> {
        (self.games, self.bytes) = (0, 0);
        self.writer.map_or(Ok(()), Writer::commit)
    }
}
