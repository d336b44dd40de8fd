//! What a run did.

use super::game_status::{GONE, REFUSED, SET_ASIDE, StatusCounts, UP_TO_DATE};
use crate::cache::GameRecord;
use crate::gamelog::{GameId, LogError};
use std::collections::BTreeSet;

/// What a run did, or in a dry run would have done.
#[derive(Clone, Debug, Default)]
pub struct IngestSummary {
    /// Logs looked at.
    pub logs: usize,
    /// Games by what became of them; each is counted once.
    pub counts: StatusCounts,
    /// What was encoded.
    pub just_encoded: CacheTotals,
    /// Cached games whose logs are gone, in ascending order; they leave the cache or are kept.
    pub gone: Vec<GameId>,
    /// Games whose logs are gone, but which stay.
    pub missing_kept: usize,
    /// Whether so many logs are gone that nothing was removed.
    pub removal_blocked: bool,
    /// Logs that cannot be read, by path.
    pub refused: Vec<LogError>,
    /// Logs that are still being written, by path.
    pub set_aside: Vec<LogError>,
    /// Games of which an older version stays in the cache, as their logs did not go in.
    pub older_version_kept: BTreeSet<GameId>,
    /// What is in the cache afterwards.
    pub cache: CacheTotals,
    /// Whether the run was stopped before its end.
    pub interrupted: bool,
}

impl IngestSummary {
    /// Games encoded, by the name of the reason: see [`StaleReason`](crate::cache::StaleReason).
    pub fn encoded(&self) -> impl Iterator<Item = (&'static str, usize)> {
        let others = [UP_TO_DATE, REFUSED, SET_ASIDE, GONE];
        let counts = self.counts.iter().map(|(&name, &games)| (name, games));
        counts.filter(move |(name, _)| !others.contains(name))
    }

    /// Games encoded, whatever the reason.
    pub fn encoded_games(&self) -> usize {
        self.encoded().map(|(_, games)| games).sum()
    }

    /// Whether a log did not go in.
    pub fn not_all_taken(&self) -> bool {
        !self.refused.is_empty() || !self.set_aside.is_empty()
    }

    pub(super) fn count(&mut self, name: &'static str) {
        *self.counts.entry(name).or_default() += 1;
    }
}

/// Sums over games. Those of the cache are kept up as games come and go, so that a run need not hold a second
/// list of all games.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheTotals {
    /// Games.
    pub games: u64,
    /// Their rows.
    pub rows: u64,
    /// Rows with the known gem fault that were not repaired.
    pub gem_faults: Affected,
    /// Rows whose gems do not add up to the supply.
    pub unbalanced: Affected,
}

/// How much something touches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Affected {
    /// Games with at least one such row.
    pub games: u64,
    /// Such rows.
    pub rows: u64,
}

impl CacheTotals {
    pub(super) fn add(&mut self, record: &GameRecord) {
        self.games += 1;
        self.rows += u64::from(record.rows);
        self.gem_faults.add(unrepaired_rows(record));
        self.unbalanced.add(record.unbalanced_rows);
    }

    pub(super) fn remove(&mut self, record: &GameRecord) {
        let mut of_game = CacheTotals::default();
        of_game.add(record);
        self.remove_all(&of_game);
    }

    /// Never below nothing: beside a dry run, which holds no lock, games may come and change that were
    /// not there when all were counted.
    pub(super) fn remove_all(&mut self, gone: &CacheTotals) {
        self.games = self.games.saturating_sub(gone.games);
        self.rows = self.rows.saturating_sub(gone.rows);
        self.gem_faults.remove_all(gone.gem_faults);
        self.unbalanced.remove_all(gone.unbalanced);
    }
}

fn unrepaired_rows(record: &GameRecord) -> u32 {
    if record.key.repaired { 0 } else { record.gem_fault_rows }
}

impl Affected {
    fn add(&mut self, rows: u32) {
        self.games += u64::from(rows > 0);
        self.rows += u64::from(rows);
    }

    fn remove_all(&mut self, gone: Affected) {
        self.games = self.games.saturating_sub(gone.games);
        self.rows = self.rows.saturating_sub(gone.rows);
    }
}
