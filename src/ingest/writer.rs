//! The one who writes the cache during a run.

use super::disk_full::PackedSoFar;
use super::examine::NewGame;
use crate::cache::{Batch, Cache, CacheError};
use std::num::NonZeroUsize;
use std::sync::atomic::AtomicBool;

/// The cache while it is written: a batch is begun when there is something to put into it.
pub(super) struct Writer<'a> {
    /// `None` in a dry run: nothing is written.
    cache: Option<&'a Cache>,
    batch: Option<Batch<'a>>,
    /// Games of the open batch. They are stored when it ends, in the order of the cache.
    games: Vec<NewGame>,
    /// Logs found, for the mark that a run leaves.
    logs: usize,
    /// Whether this run has written anything yet.
    has_begun: bool,
    /// Whether the file is known to hang together.
    is_checked: bool,
    /// Games put and logs refused since the last commit.
    dealt_with: usize,
    /// Packed bytes put since the last commit.
    bytes: u64,
    /// In the whole run.
    packed: PackedSoFar,
    batch_size: NonZeroUsize,
    /// Set when the run is to end: it then waits for nobody.
    stop: &'a AtomicBool,
}

/// A batch is as good as full with so many bytes, however few games they are: until it is
/// committed, its games are in memory, and all else is in the write-ahead log.
const MOST_BYTES: u64 = 16 << 20;

impl<'a> Writer<'a> {
    pub(super) fn new(
        cache: Option<&'a Cache>,
        logs: usize,
        batch_size: NonZeroUsize,
        stop: &'a AtomicBool,
    ) -> Writer<'a> {
        Writer {
            cache,
            batch: None,
            games: Vec::new(),
            logs,
            has_begun: false,
            is_checked: false,
            dealt_with: 0,
            bytes: 0,
            packed: PackedSoFar::default(),
            batch_size,
            stop,
        }
    }

    /// Keeps what was stored, and notes in the cache that the ingest did not come to its end.
    pub(super) fn leave_unfinished(&mut self) -> Result<(), CacheError> {
        self.batch()?;
        self.commit()
    }

    /// The open batch, begun if there is none; `None` in a dry run.
    fn batch(&mut self) -> Result<Option<&Batch<'a>>, CacheError> {
        let Some(cache) = self.cache else { return Ok(None) };
        if !self.has_begun {
            // For itself: a run that is killed in its first batch is an unfinished one, too.
            let batch = cache.begin()?;
            batch.begin_ingest(self.logs)?;
            batch.commit()?;
            self.has_begun = true;
        }
        if self.batch.is_none() {
            self.batch = Some(cache.begin()?);
        }
        Ok(self.batch.as_ref())
    }

    /// Adds a change to the open batch.
    pub(super) fn write(
        &mut self,
        change: impl FnOnce(&Batch<'a>) -> Result<(), CacheError>,
    ) -> Result<(), CacheError> {
        self.batch()?.map_or(Ok(()), change)
    }

    /// Makes sure, once a run, that the file hangs together, before a row is replaced or removed that
    /// may be damaged. In a file that does not, a page may belong to two games, and giving it back
    /// would spoil the other.
    pub(super) fn check_structure(&mut self) -> Result<(), CacheError> {
        if let Some(cache) = self.cache.filter(|_| !self.is_checked) {
            cache.check_structure()?;
        }
        self.is_checked = true;
        Ok(())
    }

    /// Adds a game to the open batch; `true` if that ended it.
    pub(super) fn put(&mut self, game: NewGame) -> Result<bool, CacheError> {
        let bytes = game.packed.packed_bytes();
        // First, so that a game for which there was no room is one of those that tell how much is
        // needed.
        self.packed.games += 1;
        self.packed.bytes += bytes;
        if self.batch()?.is_some() {
            self.games.push(game);
        }
        self.end_game(bytes)
    }

    /// Games that this run has packed.
    pub(super) fn packed(&self) -> PackedSoFar {
        self.packed
    }

    /// One game more is dealt with, of which so many bytes are written; `true` if that ended a batch.
    pub(super) fn end_game(&mut self, bytes: u64) -> Result<bool, CacheError> {
        self.dealt_with += 1;
        self.bytes += bytes;
        let is_full = self.dealt_with >= self.batch_size.get() || self.bytes >= MOST_BYTES;
        if is_full {
            self.commit()?;
        }
        Ok(is_full)
    }

    /// Ends the run: the cache holds all that it was to put there. A run that wrote nothing leaves
    /// no mark, unless it has an unfinished one to complete.
    pub(super) fn finish(&mut self) -> Result<(), CacheError> {
        let Some(cache) = self.cache else { return Ok(()) };
        if self.has_begun || !cache.last_ingest_finished()? {
            self.write(Batch::finish_ingest)?;
        }
        Ok(())
    }

    /// Makes what is in the open batch last.
    pub(super) fn commit(&mut self) -> Result<(), CacheError> {
        (self.dealt_with, self.bytes) = (0, 0);
        let (Some(cache), Some(batch)) = (self.cache, self.batch.take()) else { return Ok(()) };
        // Threads finish them out of order. In order, each fills the page that the one before began.
        self.games.sort_unstable_by_key(|game| game.packed.record.game_id);
        for game in self.games.drain(..) {
            batch.put(&game.packed, &game.play)?;
        }
        batch.commit()?;
        cache.bound_write_ahead_log(self.stop)
    }
}
