//! Cached games that have no log.

use super::log_list::LogList;
use super::summary::CacheTotals;
use crate::cache::GameRecord;
use crate::gamelog::GameId;

/// The cached games that have no log, and how many games are cached at all.
#[derive(Clone, Debug, Default)]
pub struct Missing {
    cached: usize,
    /// Ascending.
    game_ids: Vec<GameId>,
    totals: CacheTotals,
}

impl Missing {
    /// Takes in a cached game, and its record if that can be read. They come in ascending order.
    pub fn look_at(&mut self, game_id: GameId, record: Option<&GameRecord>, logs: &LogList) {
        self.cached += 1;
        if !logs.contains(game_id) {
            self.game_ids.push(game_id);
            record.into_iter().for_each(|record| self.totals.add(record));
        }
    }

    /// How many games are cached.
    pub fn cached(&self) -> usize {
        self.cached
    }

    /// Those without a log.
    pub fn game_ids(&self) -> &[GameId] {
        &self.game_ids
    }

    /// Whether a game is one of them.
    pub(super) fn contains(&self, game_id: GameId) -> bool {
        self.game_ids.binary_search(&game_id).is_ok()
    }

    /// Sums over those of which the record can be read.
    pub(super) fn totals(&self) -> &CacheTotals {
        &self.totals
    }

    /// Whether so many of the cached games have no log that the folder is the suspect, such as a disk
    /// that is not mounted: more than a fifth.
    pub fn are_too_many(&self) -> bool {
        const MOST_MISSING_PARTS: usize = 5;
        self.game_ids.len() * MOST_MISSING_PARTS > self.cached
    }
}
