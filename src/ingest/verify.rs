//! Verifies the cache, and compares its games with the logs.
//!
//! *Findings* are damage: the stored data differs from what was written. A log that was added, changed
//! or deleted since the last ingest is not damage; the cache is just not up to date, see `status`.

use super::IngestError;
use super::cached::has_log;
use super::compression::open_content;
use super::find::{FoundLogs, LogFile, find_logs};
use super::whole_file::MAX_LOG_BYTES;
use crate::accounting::check_all_done;
use crate::cache::{CacheError, Damage, GameRecord, Reader, Unpacker};
use crate::gamelog::GameId;
use crate::parallel::ordered_map;
use crate::progress::{Amount, Progress};
use crate::words::counted;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

/// The options of a verification.
#[derive(Clone, Debug)]
pub struct VerifyOptions {
    /// The folder with the logs.
    pub root: PathBuf,
    /// Number of worker threads.
    pub jobs: usize,
}

/// The kind of a finding, which determines the repair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FindingKind {
    /// The structure of the file is damaged.
    DamagedFile,
    /// The stored data of a game is damaged; its log exists.
    DamagedGame,
    /// The same, but the game cannot be encoded again: its log was deleted or refused, or there are
    /// several.
    DamagedGameWithoutLog,
}

impl FindingKind {
    /// A name that is stable between versions, for scripts.
    pub const fn name(self) -> &'static str {
        match self {
            FindingKind::DamagedFile => "damaged_file",
            FindingKind::DamagedGame => "damaged_game",
            FindingKind::DamagedGameWithoutLog => "damaged_game_without_log",
        }
    }
}

/// A problem in the cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The kind.
    pub kind: FindingKind,
    /// The game, if it is about a game.
    pub game_id: Option<GameId>,
    /// The problem in one sentence.
    pub what: String,
}

/// How a log differs from the cached game.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogChange {
    /// Its game is not in the cache.
    New,
    /// Its content differs from that of the cached game.
    Changed,
    /// A cached game has no log.
    Missing,
    /// The log cannot be read.
    Unreadable,
}

impl LogChange {
    /// A name that is stable between versions, for scripts.
    pub const fn name(self) -> &'static str {
        match self {
            LogChange::New => "new",
            LogChange::Changed => "changed",
            LogChange::Missing => "missing",
            LogChange::Unreadable => "unreadable",
        }
    }
}

/// The result of a verification.
#[derive(Clone, Debug, Default)]
pub struct VerifyReport {
    /// The problems: of the file first, then by game.
    pub findings: Vec<Finding>,
    /// Logs that differ from the cache, by game; not damage.
    pub not_up_to_date: Vec<(GameId, LogChange)>,
    /// Number of checked games.
    pub games: usize,
    /// Number of logs whose content is that of the cached game.
    pub matching_logs: usize,
    /// Whether games with the known gem fault are cached as they were meant.
    pub has_repaired: bool,
    /// Whether it was stopped before its end.
    pub interrupted: bool,
}

impl VerifyReport {
    /// Whether there are no problems.
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty() && !self.interrupted
    }
}

/// Checks a whole cache: the structure of the file, every column and blob of every game, and every log
/// against the hash in the cache. Writes nothing.
///
/// # Errors
/// If there is no cache or it has another version, or if the folder cannot be searched.
pub fn verify(
    cache: &Path,
    options: &VerifyOptions,
    progress: &dyn Progress,
    stop: &AtomicBool,
) -> Result<VerifyReport, IngestError> {
    let mut report = VerifyReport::default();
    let reader = match Reader::open(cache) {
        Ok(reader) => reader,
        Err(CacheError::Malformed { why, .. }) => {
            report.add_file_damage(why);
            return Ok(report);
        }
        Err(error) => return Err(error.into()),
    };
    progress.begin("looking for logs", Amount::Unknown);
    let FoundLogs { logs, unreadable, .. } = find_logs(&options.root, stop)?;
    for folder in &unreadable {
        tracing::warn!("{folder}");
    }
    progress.begin("checking the file", Amount::Unknown);
    match reader.structure_faults() {
        Ok(faults) => faults.into_iter().for_each(|fault| report.add_file_damage(fault)),
        Err(CacheError::Malformed { why, .. }) => report.add_file_damage(why),
        Err(error) => return Err(error.into()),
    }
    let mut cached = BTreeSet::new();
    let listed = reader.each_game(|game_id, record| {
        cached.insert(game_id);
        report.has_repaired |= record.is_ok_and(|record| record.key.repaired);
    });
    match listed {
        Ok(()) => {}
        Err(CacheError::Malformed { why, .. }) => {
            report.add_file_damage(format!("some games cannot be listed: {why}"));
        }
        Err(error) => return Err(error.into()),
    }
    report.games = cached.len();
    tracing::debug!(
        "{} in the cache, {}",
        counted(cached.len(), "game"),
        counted(logs.len(), "log")
    );

    // The logs of each game: none, one or several.
    let mut games: BTreeMap<GameId, &[LogFile]> =
        cached.iter().filter(|&&id| !has_log(&logs, id)).map(|&id| (id, &[][..])).collect();
    let by_game = logs.chunk_by(|log, next| log.game_id == next.game_id);
    games.extend(by_game.map(|logs| (logs[0].game_id, logs)));
    // An unreadable list is damage of the file, which is reported above.
    let refused = reader.refusals().unwrap_or_default();
    let refused = refused.into_iter().map(|refusal| refusal.game_id).collect();
    let checks = Checks { root: &options.root, reader: &reader, refused };
    progress.begin("checking games", Amount::Games(games.len() as u64));
    let mut checked = 0;
    ordered_map(
        options.jobs,
        &games,
        stop,
        || Ok::<_, IngestError>(Unpacker::new()?),
        |unpacker, (&game_id, logs)| checks.check(unpacker, game_id, logs),
        |game| {
            checked += 1;
            report.add_game(game);
            progress.advance(1);
            Ok(())
        },
    )?;
    progress.end();
    report.interrupted = stop.load(Ordering::Relaxed);
    if !report.interrupted {
        check_all_done("games were checked", checked, games.len() as u64)?;
    }
    Ok(report)
}

struct Checks<'a> {
    root: &'a Path,
    reader: &'a Reader,
    /// Games whose logs the last ingest refused.
    refused: BTreeSet<GameId>,
}

/// The result of checking a game.
struct Checked {
    game_id: GameId,
    damage: Vec<Damage>,
    /// The part of the file with this game cannot be read.
    unreadable: Option<String>,
    change: Option<LogChange>,
    /// Whether its log can be encoded again.
    has_good_log: bool,
}

impl Checks<'_> {
    fn check(
        &self,
        unpacker: &mut Unpacker,
        game_id: GameId,
        logs: &[LogFile],
    ) -> Result<Checked, IngestError> {
        let cached = match self.reader.record(game_id) {
            // The list could not be read either, which is reported as damage of the file.
            Err(CacheError::Malformed { .. }) => None,
            cached => cached?,
        };
        let contents: Vec<_> = logs.iter().map(|log| self.content(log)).collect();
        // A game with several logs is as cached only if all of them are.
        let changes = contents.iter().map(|content| change(content.as_ref().ok(), cached.as_ref()));
        let change = changes.max().unwrap_or(Some(LogChange::Missing));
        let (damage, unreadable) = match cached {
            None => (Vec::new(), None),
            Some(_) => match self.reader.all_damage(game_id, unpacker) {
                Ok(damage) => (damage, None),
                Err(CacheError::Malformed { why, .. }) => (Vec::new(), Some(why)),
                Err(error) => return Err(error.into()),
            },
        };
        let is_one = |pair: &[io::Result<blake3::Hash>]| matches!(pair, [Ok(one), Ok(other)] if one == other);
        let has_good_log = !logs.is_empty()
            && contents.windows(2).all(is_one)
            && change != Some(LogChange::Unreadable)
            && !self.refused.contains(&game_id);
        Ok(Checked { game_id, damage, unreadable, change, has_good_log })
    }

    /// The hash of a log's content.
    fn content(&self, log: &LogFile) -> io::Result<blake3::Hash> {
        let content = open_content(&self.root.join(&log.relative_path))?;
        let mut hasher = blake3::Hasher::new();
        hasher.update_reader(content.take(MAX_LOG_BYTES + 1)).map(|hasher| hasher.finalize())
    }
}

fn change(
    content: Option<&blake3::Hash>,
    cached: Option<&Result<GameRecord, Damage>>,
) -> Option<LogChange> {
    match (content, cached) {
        (None, _) => Some(LogChange::Unreadable),
        (Some(_), None) => Some(LogChange::New),
        // The hash of a damaged row is unknown.
        (Some(_), Some(Err(_))) => None,
        (Some(hash), Some(Ok(record))) => {
            (*hash != record.key.source_hash).then_some(LogChange::Changed)
        }
    }
}

impl VerifyReport {
    fn add_file_damage(&mut self, what: String) {
        self.findings.push(Finding { kind: FindingKind::DamagedFile, game_id: None, what });
    }

    fn add_game(&mut self, checked: Checked) {
        let Checked { game_id, damage, unreadable, change, has_good_log } = checked;
        match change {
            Some(change) => self.not_up_to_date.push((game_id, change)),
            None => self.matching_logs += 1,
        }
        let kind = match has_good_log {
            true => FindingKind::DamagedGame,
            false => FindingKind::DamagedGameWithoutLog,
        };
        let game_id = Some(game_id);
        let damage = damage.into_iter().map(|damage| (kind, damage.to_string()));
        let unreadable = unreadable.into_iter().map(|why| (FindingKind::DamagedFile, why));
        self.findings.extend(unreadable.chain(damage).map(|(kind, what)| Finding {
            kind,
            game_id,
            what,
        }));
    }
}
