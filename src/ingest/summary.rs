//! What a run did.

use super::game_status::{DEFERRED, DELETED, REFUSAL_DELETED, REFUSED, StatusCounts, UP_TO_DATE};
use crate::cache::{GameRecord, IngestCounts};
use crate::gamelog::{Ending, GameId, LogError, ReplayFault};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

/// What a run did, or in a dry run would have done.
#[derive(Clone, Debug, Default)]
pub struct IngestSummary {
    /// Logs looked at.
    pub logs: usize,
    /// Their bytes, unpacked, of those that could be read.
    pub log_bytes: u64,
    /// Games by status; each is counted once.
    pub counts: StatusCounts,
    /// What was encoded.
    pub just_encoded: CacheTotals,
    /// Cached games whose logs are deleted, in ascending order.
    pub deleted: Vec<GameId>,
    /// How many of those were kept in the cache all the same.
    pub deleted_but_kept: usize,
    /// Whether so many logs are deleted that no game was removed.
    pub removal_blocked: bool,
    /// Logs that cannot be read, by path.
    pub refused: Vec<LogError>,
    /// Those of them whose bytes the run before refused already.
    pub refused_before: BTreeSet<PathBuf>,
    /// Logs that are still being written, by path.
    pub deferred: Vec<LogError>,
    /// Games of which an older version stays in the cache, as their logs cannot be read.
    pub older_version_kept: BTreeSet<GameId>,
    /// What is in the cache afterwards.
    pub cache: CacheTotals,
    /// Games that were replayed by this run, and do not replay.
    pub does_not_replay: NotReplaying,
    /// Whether the run was stopped before its end.
    pub interrupted: bool,
}

impl IngestSummary {
    /// Games encoded, by the name of the reason: see [`StaleReason`](crate::cache::StaleReason).
    pub fn encoded(&self) -> impl Iterator<Item = (&'static str, usize)> {
        let others = [UP_TO_DATE, REFUSED, DEFERRED, DELETED, REFUSAL_DELETED];
        let counts = self.counts.iter().map(|(&name, &games)| (name, games));
        counts.filter(move |(name, _)| !others.contains(name))
    }

    /// Games encoded, whatever the reason.
    pub fn encoded_games(&self) -> usize {
        self.encoded().map(|(_, games)| games).sum()
    }

    /// Whether a log is refused that the run before did not refuse.
    pub fn has_new_refusals(&self) -> bool {
        self.refused.len() > self.refused_before.len()
    }

    /// Whether a log was refused or deferred.
    pub fn is_incomplete(&self) -> bool {
        !self.refused.is_empty() || !self.deferred.is_empty()
    }

    /// What the cache keeps of the run.
    pub(super) fn line(&self, elapsed: Duration) -> IngestCounts {
        IngestCounts {
            seconds: elapsed.as_secs_f64(),
            games: self.counts.iter().map(|(&name, &games)| (name, games as u64)).collect(),
            encoded_rows: self.just_encoded.rows,
            cached_games: self.cache.games,
            cached_rows: self.cache.rows,
        }
    }

    pub(super) fn count(&mut self, name: &'static str) {
        *self.counts.entry(name).or_default() += 1;
    }
}

/// Games that do not replay.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NotReplaying {
    /// How many.
    pub games: u64,
    /// The first fault of the one with the lowest id, and its log below the data folder.
    pub first: Option<(String, ReplayFault)>,
}

impl NotReplaying {
    /// Adds the next game, in ascending order.
    pub(super) fn add(&mut self, source_path: &str, faults: &[ReplayFault]) {
        if let [fault, ..] = faults {
            self.games += 1;
            self.first.get_or_insert_with(|| (source_path.to_owned(), fault.clone()));
        }
    }
}

/// Sums over games.
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
    /// Rows that do not follow from the row before.
    pub replay_faults: Affected,
    /// Games whose logs end before they do.
    pub unfinished: u64,
}

/// How many have something.
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
        if !record.key.repaired {
            self.gem_faults.add(record.gem_fault_rows);
        }
        self.unbalanced.add(record.unbalanced_rows);
        if let Some(play) = &record.play {
            self.replay_faults.add(play.replay_fault_rows);
            self.unfinished += u64::from(play.result.ending == Ending::Unfinished);
        }
    }

    pub(super) fn subtract(&mut self, record: &GameRecord) {
        self.games -= 1;
        self.rows -= u64::from(record.rows);
        if !record.key.repaired {
            self.gem_faults.subtract(record.gem_fault_rows);
        }
        self.unbalanced.subtract(record.unbalanced_rows);
        if let Some(play) = &record.play {
            self.replay_faults.subtract(play.replay_fault_rows);
            self.unfinished -= u64::from(play.result.ending == Ending::Unfinished);
        }
    }
}

impl Affected {
    fn add(&mut self, rows: u32) {
        self.games += u64::from(rows > 0);
        self.rows += u64::from(rows);
    }

    fn subtract(&mut self, rows: u32) {
        self.games -= u64::from(rows > 0);
        self.rows -= u64::from(rows);
    }
}
