//! What a run of `prep ingest` would do, and why. Reads and hashes every log; writes nothing.

use super::IngestError;
use super::examine::{BlobChecker, current_key};
use super::find::{LogFile, find_logs};
use crate::cache::{Cache, CachedGames, Refusal, RowCopy, StaleReason};
use crate::gamelog::{GameId, ReadOptions};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

/// What would become of one game, for one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GameStatus {
    /// Nothing: the cached rows are right.
    UpToDate,
    /// It would be encoded.
    Stale(StaleReason),
    /// Its log is as it was when it was last refused, for this fault.
    Refused(String),
    /// Its log cannot be read at all.
    Unreadable(String),
    /// Another file is the same game, so that neither goes in.
    InTwoFiles(String),
    /// Its cached rows are right, but the cache says that its log was refused; so would an export.
    Mended,
    /// Its log is gone; it would leave the cache.
    Gone,
}

impl GameStatus {
    /// A name that does not change between versions, for scripts.
    pub fn name(&self) -> &'static str {
        match self {
            GameStatus::UpToDate => "up_to_date",
            GameStatus::Stale(reason) => reason.name(),
            GameStatus::Refused(_) | GameStatus::Unreadable(_) | GameStatus::InTwoFiles(_) => {
                "refused"
            }
            GameStatus::Mended => "mended",
            GameStatus::Gone => "gone",
        }
    }
}

impl fmt::Display for GameStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            GameStatus::UpToDate => f.write_str("up to date"),
            GameStatus::Stale(reason) => reason.fmt(f),
            GameStatus::Refused(message) => write!(f, "refused: {message}"),
            GameStatus::Unreadable(error) => write!(f, "refused: cannot be read: {error}"),
            GameStatus::InTwoFiles(other) => write!(f, "refused: {other} is the same game"),
            GameStatus::Mended => f.write_str("its log was refused and is now as cached again"),
            GameStatus::Gone => f.write_str("its log is gone"),
        }
    }
}

/// One log, or a cached game without one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusEntry {
    /// Which game.
    pub game_id: GameId,
    /// Its log, below the data folder.
    pub path: String,
    /// What would become of it.
    pub status: GameStatus,
    /// Whether the log is refused while an older version of the game stays in the cache.
    pub older_version_kept: bool,
}

/// Every log and every cached game with its status.
#[derive(Clone, Debug, Default)]
pub struct StatusReport {
    /// By game id, then path.
    pub games: Vec<StatusEntry>,
}

impl StatusReport {
    /// Whether a run of ingest would encode, remove and refuse nothing.
    pub fn is_up_to_date(&self) -> bool {
        self.games.iter().all(|entry| entry.status == GameStatus::UpToDate)
    }

    /// How many games have each status, by name.
    pub fn counts(&self) -> BTreeMap<&'static str, usize> {
        let mut counts = BTreeMap::new();
        for entry in &self.games {
            *counts.entry(entry.status.name()).or_default() += 1;
        }
        counts
    }
}

/// Compares the logs below `root` with the cache; without a cache, every log is new.
///
/// # Errors
/// If the folder cannot be searched or holds no logs, or the cache cannot be read.
pub fn status(
    root: &Path,
    cache: Option<&Cache>,
    options: ReadOptions,
) -> Result<StatusReport, IngestError> {
    let logs = find_logs(root)?.logs;
    let cached = cache.map_or(Ok(CachedGames::default()), Cache::games)?;
    if logs.is_empty() && cached.game_ids().next().is_none() {
        return Err(IngestError::NoLogs(root.to_owned()));
    }
    let refusals = cache.map_or(Ok(Vec::new()), Cache::refusals)?;
    let refused_as: BTreeMap<&str, &Refusal> =
        refusals.iter().map(|refusal| (refusal.source_path.as_str(), refusal)).collect();

    let refused_games: BTreeSet<GameId> = refusals.iter().map(|refusal| refusal.game_id).collect();

    let mut report = StatusReport::default();
    let mut bytes = Vec::new();
    let checker = BlobChecker::new(cache.map(Cache::path))?;
    let mut row = RowCopy::default();
    for (place, log) in logs.iter().enumerate() {
        let source_path = log.source_path();
        let status = match super::run::twin_of(&logs, place) {
            Some(twin) => GameStatus::InTwoFiles(twin.source_path()),
            None => match current_key(root, log, options, &mut bytes) {
                Err(error) => GameStatus::Unreadable(error.to_string()),
                Ok(key) => match (refused_as.get(source_path.as_str()), &key.source_hash) {
                    (Some(refusal), hash) if refusal.source_hash.as_ref() == Some(hash) => {
                        GameStatus::Refused(refusal.message.clone())
                    }
                    _ => match cached.staleness(log.game_id, &key).map_or_else(
                        || checker.check(log.game_id, &mut row),
                        |reason| Ok(Some(reason)),
                    )? {
                        Some(reason) => GameStatus::Stale(reason),
                        None if refused_games.contains(&log.game_id) => GameStatus::Mended,
                        None => GameStatus::UpToDate,
                    },
                },
            },
        };
        report.games.push(StatusEntry {
            game_id: log.game_id,
            path: source_path,
            older_version_kept: status.name() == "refused"
                && cached.records.contains_key(&log.game_id),
            status,
        });
    }
    let present: BTreeSet<GameId> = logs.iter().map(|log: &LogFile| log.game_id).collect();
    // A log that was refused and is gone may never have been cached.
    let mut gone: BTreeMap<GameId, String> = BTreeMap::new();
    gone.extend(refusals.iter().map(|refusal| (refusal.game_id, refusal.source_path.clone())));
    // A damaged row does not say where its log lay.
    gone.extend(cached.damaged.into_keys().map(|game_id| (game_id, format!("game {game_id}"))));
    let records = cached.records.into_iter();
    gone.extend(records.map(|(game_id, record)| (game_id, record.source_path)));
    for (game_id, source_path) in gone {
        if !present.contains(&game_id) {
            report.games.push(StatusEntry {
                game_id,
                path: source_path,
                status: GameStatus::Gone,
                older_version_kept: false,
            });
        }
    }
    report.games.sort_by(|a, b| (a.game_id, &a.path).cmp(&(b.game_id, &b.path)));
    Ok(report)
}
