//! What a run of `prep ingest` would do, and why. Reads and hashes every log; writes nothing.

use super::IngestError;
use super::examine::{Examined, Examiner, Outcome, Purpose};
use super::find::{find_logs, loop_note};
use super::game_status::{GameStatus, GameVersion, StatusCounts, StatusEntry};
use super::phases::IngestPhases;
use crate::cache::{Cache, Refusal};
use crate::gamelog::{GameId, ReadOptions};
use crate::progress::{Amount, Progress};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What to look for.
#[derive(Clone, Copy, Debug, Default)]
pub struct StatusOptions {
    /// How logs are read.
    pub read: ReadOptions,
    /// List the games that are up to date, too. They are nearly all of a cache that is.
    pub every_game: bool,
}

/// Games that have a log or are cached, with their status.
#[derive(Clone, Debug)]
pub struct StatusReport {
    /// By game id; those that are up to date only if they were asked for.
    pub games: Vec<StatusEntry>,
    /// How many games have each status, listed or not. They add up to the number of games.
    pub counts: StatusCounts,
    /// Whether the last ingest came to its end.
    pub last_ingest_finished: bool,
}

/// A game that no run of ingest has anything to do for.
const UP_TO_DATE: GameStatus = GameStatus::UpToDate { mended: false };

impl StatusReport {
    /// Whether a run of ingest would change nothing in the cache, and leave no log out.
    pub fn is_up_to_date(&self) -> bool {
        self.last_ingest_finished && self.games.iter().all(|entry| entry.status == UP_TO_DATE)
    }
}

/// Compares the logs below `root` with the cache; without a cache, every log is new. Logs that are
/// not as cached are read too, as an ingest would: they may be refused.
///
/// # Errors
/// If the folder cannot be searched or holds no logs, or the cache cannot be read.
pub fn status(
    root: &Path,
    cache: Option<&Cache>,
    options: StatusOptions,
    progress: &dyn Progress,
) -> Result<StatusReport, IngestError> {
    progress.begin("looking for logs", Amount::Unknown);
    let found = find_logs(root)?;
    for path in &found.loops {
        tracing::warn!("{}", loop_note(path));
    }
    let refusals = cache.map_or(Ok(Vec::new()), Cache::refusals)?;
    let refused_games: BTreeSet<GameId> = refusals.iter().map(|refusal| refusal.game_id).collect();
    let mut gone = BTreeMap::new();
    // A log that was refused and is gone may never have been cached.
    for Refusal { game_id, source_path, .. } in refusals {
        if !found.logs.contains(game_id) {
            gone.insert(game_id, StatusEntry::gone(game_id, source_path, None));
        }
    }
    let mut are_any_cached = false;
    if let Some(cache) = cache {
        cache.each_game(|game_id, record| {
            are_any_cached = true;
            if !found.logs.contains(game_id) {
                gone.insert(game_id, StatusEntry::gone_from_cache(game_id, record.ok()));
            }
        })?;
    }
    if found.logs.is_empty() && !are_any_cached {
        return Err(IngestError::no_logs(root, &found));
    }
    let logs = found.logs;

    let (mut games, mut counts) = (Vec::new(), StatusCounts::new());
    let (cache_file, phases) = (cache.map(Cache::path), IngestPhases::new());
    let mut examiner = Examiner::new(options.read, Purpose::Explain, cache_file, &phases)?;
    progress.begin("comparing", Amount::Games(logs.len() as u64));
    for place in 0..logs.len() {
        progress.advance(1);
        if logs.is_second(place) {
            // A game in two files is one game.
            continue;
        }
        let examined = examiner.examine(root, &logs, place)?;
        // An ingest beside this may be waiting.
        examiner.rest()?;
        let Examined { game_id, source_path, outcome, cached, key, bytes } = examined;
        let status = match outcome {
            Outcome::UpToDate => GameStatus::UpToDate { mended: refused_games.contains(&game_id) },
            Outcome::Stale { why, .. } => GameStatus::Stale(why),
            Outcome::NotTaken(error) => GameStatus::not_taken(error),
        };
        *counts.entry(status.name()).or_default() += 1;
        if status == UP_TO_DATE && !options.every_game {
            continue;
        }
        let is_not_taken = matches!(status, GameStatus::Refused(_) | GameStatus::SetAside(_));
        let record = cached.as_ref().and_then(|cached| cached.record.as_ref().ok());
        games.push(StatusEntry {
            game_id,
            path: source_path,
            status,
            old: record.map(GameVersion::of_record),
            new: key.map(|key| GameVersion::of_log(&key, bytes)),
            older_version_kept: is_not_taken && cached.is_some(),
        });
    }
    progress.end();
    for entry in gone.into_values() {
        *counts.entry(entry.status.name()).or_default() += 1;
        games.push(entry);
    }
    games.sort_by_key(|entry| entry.game_id);
    let last_ingest_finished = cache.map_or(Ok(true), Cache::last_ingest_finished)?;
    Ok(StatusReport { games, counts, last_ingest_finished })
}
