//! What a run did.

use crate::cache::GameRecord;
use crate::gamelog::{GameId, LogError};
use std::collections::{BTreeMap, BTreeSet};

/// What a run did, or in a dry run would have done.
#[derive(Clone, Debug, Default)]
pub struct IngestSummary {
    /// Logs looked at.
    pub logs: usize,
    /// Games encoded, by the name of the reason: see [`StaleReason`](crate::cache::StaleReason).
    pub encoded: BTreeMap<&'static str, usize>,
    /// What was encoded.
    pub just_encoded: CacheTotals,
    /// Games whose cached rows are still right.
    pub up_to_date: usize,
    /// Games removed because their logs are gone.
    pub removed: usize,
    /// Games whose logs are gone, but which stay.
    pub missing_kept: usize,
    /// Whether so many logs are gone that nothing was removed.
    pub removal_blocked: bool,
    /// Logs that could not be read, by path.
    pub refused: Vec<LogError>,
    /// Refused games of which an older version stays in the cache.
    pub older_version_kept: BTreeSet<GameId>,
    /// What is in the cache afterwards.
    pub cache: CacheTotals,
    /// Whether the run was stopped before its end.
    pub interrupted: bool,
}

impl IngestSummary {
    /// Games encoded, whatever the reason.
    pub fn encoded_games(&self) -> usize {
        self.encoded.values().sum()
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
    pub(super) fn of<'r>(records: impl Iterator<Item = &'r GameRecord>) -> CacheTotals {
        let mut totals = CacheTotals::default();
        records.for_each(|record| totals.add(record));
        totals
    }

    pub(super) fn add(&mut self, record: &GameRecord) {
        self.games += 1;
        self.rows += u64::from(record.rows);
        self.gem_faults.add(unrepaired_rows(record));
        self.unbalanced.add(record.unbalanced_rows);
    }

    pub(super) fn remove(&mut self, record: &GameRecord) {
        self.games -= 1;
        self.rows -= u64::from(record.rows);
        self.gem_faults.remove(unrepaired_rows(record));
        self.unbalanced.remove(record.unbalanced_rows);
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

    fn remove(&mut self, rows: u32) {
        self.games -= u64::from(rows > 0);
        self.rows -= u64::from(rows);
    }
}
