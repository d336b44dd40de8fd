//! Determines what an ingest would do, and why. Reads and hashes every log; writes nothing.

use super::IngestError;
use super::cached::{CachedGames, has_log};
use super::examine::{Examination, Examined, Outcome, removed_by};
use super::find::{LogFile, UnreadableFolder, find_logs, no_logs};
use super::game_status::{GameStatus, GameVersion, ReplayStatus, StatusCounts, StatusEntry};
use super::phases::IngestPhases;
use crate::cache::{CachedGame, Reader, Refusal};
use crate::gamelog::{GameId, ReadOptions};
use crate::progress::{Amount, Progress};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// The options of a status report.
#[derive(Clone, Copy, Debug, Default)]
pub struct StatusOptions {
    /// How logs are read.
    pub read: ReadOptions,
    /// Time after its last modification during which an incomplete log may still be written.
    pub settle: Duration,
    /// Also list the games that are up to date.
    pub every_game: bool,
    /// Number of worker threads.
    pub jobs: usize,
}

/// The status of all games that have a log or are cached.
#[derive(Clone, Debug)]
pub struct StatusReport {
    /// The games by id; those that are up to date only if requested.
    pub games: Vec<StatusEntry>,
    /// The number of games with each status, listed or not. They add up to the number of games.
    pub counts: StatusCounts,
    /// Whether the last ingest finished.
    pub last_ingest_finished: bool,
    /// Folders that could not be searched. Cached games without a log are not listed then: it may be there.
    pub unreadable: Vec<UnreadableFolder>,
}

/// The status of a game for which an ingest has nothing to do.
const UP_TO_DATE: GameStatus = GameStatus::UpToDate { repaired: false };

impl StatusReport {
    /// Whether all games with complete logs are up to date: an ingest would not encode or remove any
    /// game, or refuse a log.
    pub fn is_up_to_date(&self) -> bool {
        let is_done = |entry: &StatusEntry| {
            entry.status == UP_TO_DATE || matches!(entry.status, GameStatus::Deferred(_))
        };
        let is_all = self.last_ingest_finished && self.unreadable.is_empty();
        is_all && self.games.iter().all(is_done)
    }
}

/// Compares the logs below `root` with the cache; without a cache, every log is new. Stale logs are also
/// parsed, because they may be refused.
///
/// # Errors
/// If the folder cannot be searched or contains no logs, or the cache cannot be read.
pub fn status(
    root: &Path,
    cache: Option<Reader>,
    options: StatusOptions,
    progress: &dyn Progress,
) -> Result<StatusReport, IngestError> {
    progress.begin("looking for logs", Amount::Unknown);
    let stop = &AtomicBool::new(false);
    let found = find_logs(root, stop)?;
    for folder in &found.unreadable {
        tracing::error!("{folder}");
    }
    found.warn();
    let phases = IngestPhases::new();
    let cached = CachedGames::load(cache.as_ref(), options.jobs, &phases, stop)?;
    let faults = cache.as_ref().map_or(Ok(BTreeMap::new()), Reader::replay_faults)?;
    // Closes the cache, so that an ingest need not wait for the rest.
    drop(cache);
    if found.logs.is_empty() && cached.games.is_empty() {
        return Err(no_logs(root, &found));
    }
    let refused_games = cached.refused_games();
    let games: Vec<&[LogFile]> = found.games().collect();
    let mut entries = match found.unreadable.is_empty() {
        true => deleted(&cached, &found.logs),
        // Their logs may be there.
        false => BTreeMap::new(),
    };
    let mut counts = StatusCounts::new();
    for entry in entries.values() {
        *counts.entry(entry.status.name()).or_default() += 1;
    }
    progress.begin("comparing", Amount::Games(games.len() as u64));
    let StatusOptions { read, settle, .. } = options;
    let (cached, phases) = (&cached, &phases);
    let examination = Examination { root, read, settle, encode: false, cached, phases };
    let mut last = None;
    examination.run(&games, options.jobs, stop, |examined| {
        let Examined { game_id, source_path, outcome, key, bytes, .. } = examined;
        if last.replace(game_id) == Some(game_id) {
            // A game with two files is counted once.
            return Ok(());
        }
        progress.advance(1);
        let cached = cached.games.get(&game_id);
        let removed = match &outcome {
            Outcome::Refused(error) => cached.and_then(|cached| removed_by(error, cached)),
            _ => None,
        };
        let (status, played) = match outcome {
            Outcome::UpToDate { replayed } => {
                let repaired = refused_games.contains(&game_id);
                (GameStatus::UpToDate { repaired }, replayed)
            }
            Outcome::Stale { why, played, .. } => (GameStatus::Stale(why), Some(played)),
            Outcome::Refused(error) => (GameStatus::refused(error), None),
        };
        *counts.entry(status.name()).or_default() += 1;
        if status == UP_TO_DATE && !options.every_game {
            return Ok(());
        }
        let is_refused = matches!(status, GameStatus::Refused(_) | GameStatus::Deferred(_));
        let replay = match (played, cached.and_then(|cached| cached.record.as_ref()?.play)) {
            (Some(played), _) => Some(ReplayStatus::new(&played.play, &played.faults)),
            (None, Some(play)) if !is_refused => {
                let faults = faults.get(&game_id).map_or(&[][..], Vec::as_slice);
                Some(ReplayStatus::new(&play, faults))
            }
            _ => None,
        };
        let entry = StatusEntry {
            game_id,
            path: source_path,
            status,
            old: cached.and_then(old_version),
            new: key.map(|key| GameVersion::of_log(&key, bytes)),
            older_version_kept: is_refused && cached.is_some() && removed.is_none(),
            replay,
        };
        entries.insert(game_id, entry);
        Ok(())
    })?;
    progress.end();
    let games = entries.into_values().collect();
    let (last_ingest_finished, unreadable) = (cached.last_ingest_finished, found.unreadable);
    Ok(StatusReport { games, counts, last_ingest_finished, unreadable })
}

/// The games without a log. A refused log that was deleted may never have been cached.
fn deleted(cached: &CachedGames, logs: &[LogFile]) -> BTreeMap<GameId, StatusEntry> {
    let mut deleted = BTreeMap::new();
    for Refusal { game_id, source_path, .. } in &cached.refused {
        if !has_log(logs, *game_id) {
            let status = GameStatus::RefusalDeleted;
            let entry = StatusEntry::deleted(*game_id, source_path.clone(), status, None);
            deleted.insert(*game_id, entry);
        }
    }
    for game_id in cached.without_log(logs) {
        let game = &cached.games[&game_id];
        // A damaged row has no path of the log.
        let path = match &game.record {
            Some(record) => record.source_path.clone(),
            None => format!("game {game_id}"),
        };
        let entry = StatusEntry::deleted(game_id, path, GameStatus::Deleted, old_version(game));
        deleted.insert(game_id, entry);
    }
    deleted
}

fn old_version(game: &CachedGame) -> Option<GameVersion> {
    game.record.as_ref().map(GameVersion::of_record)
}
