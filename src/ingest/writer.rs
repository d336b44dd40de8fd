//! The one who writes the cache during a run.

use crate::cache::{Batch, Cache, CacheError, PackedGame};

/// The cache while it is written: a batch is begun when there is something to put into it.
pub(super) struct Writer<'a> {
    /// `None` in a dry run: nothing is written.
    cache: Option<&'a Cache>,
    batch: Option<Batch<'a>>,
    /// Whether the file is known to hang together.
    is_checked: bool,
    /// Games put since the last commit.
    games: usize,
}

impl<'a> Writer<'a> {
    pub(super) fn new(cache: Option<&'a Cache>) -> Writer<'a> {
        Writer { cache, batch: None, is_checked: false, games: 0 }
    }

    /// Adds a change to the open batch.
    pub(super) fn write(
        &mut self,
        change: impl FnOnce(&Batch<'a>) -> Result<(), CacheError>,
    ) -> Result<(), CacheError> {
        let Some(cache) = self.cache else { return Ok(()) };
        // Once a run: what a run writes itself is sound.
        if !self.is_checked {
            cache.check_structure()?;
            self.is_checked = true;
        }
        let batch = match self.batch.take() {
            Some(batch) => batch,
            None => cache.begin()?,
        };
        change(&batch)?;
        self.batch = Some(batch);
        Ok(())
    }

    /// Stores a game; returns how many are in the open batch.
    pub(super) fn put(&mut self, game: &PackedGame) -> Result<usize, CacheError> {
        self.write(|batch| batch.put(game))?;
        self.games += 1;
        Ok(self.games)
    }

    /// Makes what is in the open batch last.
    pub(super) fn commit(&mut self) -> Result<(), CacheError> {
        self.games = 0;
        self.batch.take().map_or(Ok(()), Batch::commit)
    }
}
