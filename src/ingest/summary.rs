//! The summary of a run.

use super::find::UnreadableFolder;
use super::game_status::{DEFERRED, DELETED, REFUSAL_DELETED, REFUSED, StatusCounts, UP_TO_DATE};
use crate::cache::{GameRecord, IngestCounts};
use crate::gamelog::{Ending, GameId, LogError, ReplayFault};
use std::collections::BTreeSet;
use std::ops::{Add, Sub};
use std::path::PathBuf;
use std::time::Duration;

/// The summary of a run, or of what a dry run would have done.
#[derive(Clone, Debug, Default)]
pub struct IngestSummary {
    /// Number of examined logs.
    pub logs: usize,
    /// Decompressed size in bytes of the logs that could be read.
    pub log_bytes: u64,
    /// Number of games by status; each is counted once.
    pub counts: StatusCounts,
    /// Totals of the encoded games.
    pub just_encoded: CacheTotals,
    /// Cached games whose logs were deleted, in ascending order.
    pub deleted: Vec<GameId>,
    /// Number of those games that were kept in the cache.
    pub deleted_but_kept: usize,
    /// Whether no game was removed because too many logs were deleted.
    pub removal_blocked: bool,
    /// Refused logs, by path.
    pub refused: Vec<LogError>,
    /// The refused logs whose content the previous run refused, too.
    pub refused_before: BTreeSet<PathBuf>,
    /// The games of the other refused logs.
    pub newly_refused: BTreeSet<GameId>,
    /// Games that were never ingested, because their logs were refused and then deleted.
    pub refused_and_deleted: Vec<GameId>,
    /// Deferred logs, by path.
    pub deferred: Vec<LogError>,
    /// Folders that could not be searched. No game is removed then, and the ingest is not finished.
    pub unreadable: Vec<UnreadableFolder>,
    /// Cached games whose logs may be in those folders.
    pub not_found: usize,
    /// Games of which an older version stays in the cache, as their logs cannot be read.
    pub older_version_kept: BTreeSet<GameId>,
    /// Totals of the cache after the run.
    pub cache: CacheTotals,
    /// Games that this run replayed and that do not replay.
    pub does_not_replay: NotReplaying,
    /// Whether the run was stopped early.
    pub interrupted: bool,
}

impl IngestSummary {
    /// Number of encoded games by the name of the reason: see [`StaleReason`](crate::cache::StaleReason).
    pub fn encoded(&self) -> impl Iterator<Item = (&'static str, usize)> {
        let others = [UP_TO_DATE, REFUSED, DEFERRED, DELETED, REFUSAL_DELETED];
        let counts = self.counts.iter().map(|(&name, &games)| (name, games));
        counts.filter(move |(name, _)| !others.contains(name))
    }

    /// Number of encoded games.
    pub fn encoded_games(&self) -> usize {
        self.encoded().map(|(_, games)| games).sum()
    }

    /// Adds games whose logs were deleted, in ascending order.
    pub fn add_deleted(&mut self, games: Vec<GameId>) {
        games.iter().for_each(|_| self.count(DELETED));
        self.deleted = games;
    }

    /// Whether the run examined every log and made the cache match them; it records this in the cache.
    pub fn is_finished(&self) -> bool {
        !self.interrupted && self.unreadable.is_empty() && !self.removal_blocked
    }

    /// Whether a log was refused or deferred.
    pub fn is_incomplete(&self) -> bool {
        !self.refused.is_empty() || !self.deferred.is_empty()
    }

    /// The record of the run in the cache.
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
    /// Number of games.
    pub games: u64,
    /// The relative path of the log with the lowest game id, and its first fault.
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

/// Totals over games.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheTotals {
    /// Number of games.
    pub games: u64,
    /// Number of rows.
    pub rows: u64,
    /// Rows with the known gem fault that were not repaired.
    pub gem_faults: Affected,
    /// Rows whose gems do not add up to the supply.
    pub unbalanced: Affected,
    /// Rows that do not follow from the previous row.
    pub replay_faults: Affected,
    /// Games whose logs end before they do.
    pub unfinished: u64,
}

/// The number of games and rows with some property.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Affected {
    /// Number of games with at least one such row.
    pub games: u64,
    /// Number of such rows.
    pub rows: u64,
}

impl CacheTotals {
    pub(super) fn add(&mut self, record: &GameRecord) {
        self.change(record, u64::add);
    }

    pub(super) fn subtract(&mut self, record: &GameRecord) {
        self.change(record, u64::sub);
    }

    fn change(&mut self, record: &GameRecord, change: fn(u64, u64) -> u64) {
        let count = |affected: &mut Affected, rows: u32| {
            affected.games = change(affected.games, (rows > 0).into());
            affected.rows = change(affected.rows, rows.into());
        };
        self.games = change(self.games, 1);
        self.rows = change(self.rows, record.rows.into());
        if !record.key.repaired {
            count(&mut self.gem_faults, record.gem_fault_rows);
        }
        count(&mut self.unbalanced, record.unbalanced_rows);
        if let Some(play) = &record.play {
            count(&mut self.replay_faults, play.replay_fault_rows);
            let is_unfinished = play.result.ending == Ending::Unfinished;
            self.unfinished = change(self.unfinished, is_unfinished.into());
        }
    }
}
