//! What a run of `prep ingest` would do, and why. Reads and hashes every log; writes nothing.

use super::IngestError;
use super::examine::{Examiner, Outcome, Purpose};
use super::find::{LogFile, find_logs, loop_note};
use super::game_status::{GameStatus, GameVersion, StatusCounts, StatusEntry};
use super::phases::IngestPhases;
use super::run::{game_in_two_files, twin_of};
use crate::cache::{Cache, CachedGames};
use crate::gamelog::{GameId, ReadOptions};
use crate::progress::{Amount, Progress};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Every game that has a log or is cached, with its status.
#[derive(Clone, Debug)]
pub struct StatusReport {
    /// By game id.
    pub games: Vec<StatusEntry>,
    /// Whether the last ingest came to its end.
    pub last_ingest_finished: bool,
}

impl StatusReport {
    /// Whether a run of ingest would change nothing in the cache, and leave no log out.
    pub fn is_up_to_date(&self) -> bool {
        let up_to_date = GameStatus::UpToDate { mended: false };
        self.last_ingest_finished && self.games.iter().all(|entry| entry.status == up_to_date)
    }

    /// How many games have each status. They add up to the number of games.
    pub fn counts(&self) -> StatusCounts {
        let mut counts = StatusCounts::new();
        for entry in &self.games {
            *counts.entry(entry.status.name()).or_default() += 1;
        }
        counts
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
    options: ReadOptions,
    progress: &dyn Progress,
) -> Result<StatusReport, IngestError> {
    progress.begin("looking for logs", Amount::Unknown);
    let found = find_logs(root)?;
    for path in &found.loops {
        tracing::warn!("{}", loop_note(path));
    }
    let cached = cache.map_or(Ok(CachedGames::default()), Cache::games)?;
    if found.logs.is_empty() && cached.game_ids().next().is_none() {
        return Err(IngestError::no_logs(root, &found));
    }
    let logs = found.logs;
    let refusals = cache.map_or(Ok(Vec::new()), Cache::refusals)?;
    let refused_games: BTreeSet<GameId> = refusals.iter().map(|refusal| refusal.game_id).collect();

    let mut games = Vec::new();
    let phases = IngestPhases::new();
    let mut examiner = Examiner::new(options, Purpose::Explain, cache.map(Cache::path), &phases)?;
    progress.begin("comparing", Amount::Games(logs.len() as u64));
    for (place, log) in logs.iter().enumerate() {
        progress.advance(1);
        if place > 0 && logs[place - 1].game_id == log.game_id {
            // A game in two files is one game.
            continue;
        }
        let record = cached.records.get(&log.game_id);
        let examined = match twin_of(&logs, place) {
            Some(twin) => game_in_two_files(log, twin),
            None => examiner.examine(root, log, &cached)?,
        };
        let status = match examined.outcome {
            Outcome::UpToDate => {
                GameStatus::UpToDate { mended: refused_games.contains(&log.game_id) }
            }
            Outcome::Stale { why, .. } => GameStatus::Stale(why),
            Outcome::NotTaken(error) => GameStatus::not_taken(error),
        };
        let is_not_taken = matches!(status, GameStatus::Refused(_) | GameStatus::SetAside(_));
        games.push(StatusEntry {
            game_id: log.game_id,
            path: log.source_path(),
            status,
            old: record.map(GameVersion::of_record),
            new: examined.key.map(|key| GameVersion::of_log(&key, examined.bytes)),
            older_version_kept: is_not_taken && cached.contains(log.game_id),
        });
    }
    progress.end();
    let present: BTreeSet<GameId> = logs.iter().map(|log: &LogFile| log.game_id).collect();
    // A log that was refused and is gone may never have been cached.
    let mut gone: BTreeMap<GameId, String> = BTreeMap::new();
    gone.extend(refusals.into_iter().map(|refusal| (refusal.game_id, refusal.source_path)));
    // A damaged row does not say where its log lay.
    gone.extend(cached.damaged.keys().map(|&game_id| (game_id, format!("game {game_id}"))));
    let records = cached.records.iter();
    gone.extend(records.map(|(&game_id, record)| (game_id, record.source_path.clone())));
    for (game_id, path) in gone {
        if !present.contains(&game_id) {
            games.push(StatusEntry {
                game_id,
                path,
                status: GameStatus::Gone,
                old: cached.records.get(&game_id).map(GameVersion::of_record),
                new: None,
                older_version_kept: false,
            });
        }
    }
    games.sort_by_key(|entry| entry.game_id);
    let last_ingest_finished = cache.map_or(Ok(true), Cache::last_ingest_finished)?;
    Ok(StatusReport { games, last_ingest_finished })
}
