//! What is wrong with the cache, all of it, and whether its games are still those of the logs.
//!
//! Two things are told apart. *Findings* are damage: what is stored is not what was stored. A log
//! that came, changed or went since the last ingest is no damage, only a cache that is not up to
//! date; `status` says more about that.

use super::IngestError;
use super::find::{LogFile, find_logs};
use super::log_list::LogList;
use super::missing::Missing;
use super::workers::spread;
use crate::accounting::check_all_done;
use crate::cache::{CacheError, GameReader, GameRecord};
use crate::gamelog::GameId;
use crate::progress::{Amount, Progress};
use crate::words::counted;
use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

/// What to verify, and how.
#[derive(Clone, Debug)]
pub struct VerifyOptions {
    /// The folder that holds the logs.
    pub root: PathBuf,
    /// Worker threads.
    pub jobs: usize,
}

/// What a finding is about, which decides what mends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FindingKind {
    /// The file does not hang together.
    DamagedFile,
    /// What is stored of a game is not what was stored; its log is there.
    DamagedGame,
    /// As before, but there is no log that the game could be encoded from: it is gone, was refused,
    /// or there are two.
    DamagedGameWithoutLog,
}

impl FindingKind {
    /// A name that does not change between versions, for scripts.
    pub const fn name(self) -> &'static str {
        match self {
            FindingKind::DamagedFile => "damaged_file",
            FindingKind::DamagedGame => "damaged_game",
            FindingKind::DamagedGameWithoutLog => "damaged_game_without_log",
        }
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What it is about.
    pub kind: FindingKind,
    /// Which game, if it is about one.
    pub game_id: Option<GameId>,
    /// What is wrong, in one sentence.
    pub what: String,
}

/// How a log differs from what its game was made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogChange {
    /// The cache does not have its game.
    New,
    /// It has other bytes than those that the cached rows were made from.
    Changed,
    /// There is no log of a cached game.
    Missing,
    /// It cannot be read.
    Unreadable,
}

impl LogChange {
    /// A name that does not change between versions, for scripts.
    pub const fn name(self) -> &'static str {
        match self {
            LogChange::New => "new",
            LogChange::Changed => "changed",
            LogChange::Missing => "missing",
            LogChange::Unreadable => "unreadable",
        }
    }
}

/// Everything that was found.
#[derive(Clone, Debug, Default)]
pub struct VerifyReport {
    /// What is wrong: the file first, then by game.
    pub findings: Vec<Finding>,
    /// Logs that are not as the cache has them, by game: not damage.
    pub not_up_to_date: Vec<(GameId, LogChange)>,
    /// Cached games looked at.
    pub games: usize,
    /// Logs whose bytes are those that their cached rows were made from.
    pub matching_logs: usize,
    /// Whether it was stopped before its end.
    pub interrupted: bool,
}

impl VerifyReport {
    /// Whether what is stored is what was stored.
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty() && !self.interrupted
    }
}

/// Looks at all of a cache: how the file hangs together, every column and blob of every game, and
/// every log against the hash that its game was made from. Writes nothing.
///
/// # Errors
/// If there is no cache, or it is of another version; if the folder cannot be searched.
pub fn verify(
    cache: &Path,
    options: &VerifyOptions,
    progress: &dyn Progress,
    stop: &AtomicBool,
) -> Result<VerifyReport, IngestError> {
    let mut report = VerifyReport::default();
    let reader = match GameReader::open(cache) {
        Ok(reader) => reader,
        Err(CacheError::Malformed { why, .. }) => {
            report.file(why);
            return Ok(report);
        }
        Err(error) => return Err(error.into()),
    };
    progress.begin("looking for logs", Amount::Unknown);
    let logs = find_logs(&options.root)?.logs;
    progress.begin("checking the file", Amount::Unknown);
    match reader.structure_faults() {
        Ok(faults) => faults.into_iter().for_each(|fault| report.file(fault)),
        Err(CacheError::Malformed { why, .. }) => report.file(why),
        Err(error) => return Err(error.into()),
    }
    let mut games = Missing::default();
    match reader.each_game(|game_id, record| games.look_at(game_id, record.ok().as_ref(), &logs)) {
        Ok(()) => {}
        Err(CacheError::Malformed { why, .. }) => {
            report.file(format!("not all games can be listed: {why}"));
        }
        Err(error) => return Err(error.into()),
    }
    // A list that cannot be read is the file's damage, which is listed above.
    let refused = reader.refused_games().unwrap_or_default();
    drop(reader);

    report.games = games.cached();
    let (cached, found) = (games.cached(), logs.len());
    tracing::debug!("{} in the cache, {}", counted(cached, "game"), counted(found, "log"));
    let checks = Checks { root: &options.root, logs: &logs, refused, gone: games.game_ids() };
    progress.begin("checking games", Amount::Games(checks.games() as u64));
    checks.run(cache, options.jobs, &mut report, progress, stop)?;
    progress.end();
    report.interrupted = stop.load(Ordering::Relaxed);
    report.findings.sort_by_key(|finding| (finding.game_id, finding.kind));
    report.not_up_to_date.sort();
    Ok(report)
}

impl VerifyReport {
    fn file(&mut self, what: String) {
        self.findings.push(Finding { kind: FindingKind::DamagedFile, game_id: None, what });
    }
}

/// All games that there are: of each log, and of each cached game that has none.
struct Checks<'a> {
    root: &'a Path,
    logs: &'a LogList,
    /// Games whose logs the last ingest refused.
    refused: BTreeSet<GameId>,
    /// Cached games without a log.
    gone: &'a [GameId],
}

/// What came of a check.
struct Checked {
    game_id: GameId,
    faults: Vec<String>,
    /// The file cannot be read where this game lies.
    unreadable: Option<String>,
    change: Option<LogChange>,
    can_encode: bool,
}

impl Checks<'_> {
    fn games(&self) -> usize {
        self.logs.games() + self.gone.len()
    }

    fn run(
        &self,
        cache: &Path,
        jobs: usize,
        report: &mut VerifyReport,
        progress: &dyn Progress,
        stop: &AtomicBool,
    ) -> Result<(), IngestError> {
        let begin = || GameReader::open(cache);
        let work = |reader: &mut GameReader, place: usize| self.check(reader, place);
        let places = self.logs.len() + self.gone.len();
        // It holds on to nothing from one game to the next.
        let rest = |_: &mut GameReader| Ok(());
        let mut games = 0;
        spread(jobs, places, stop, begin, work, rest, |results| {
            for result in results {
                if let Some(checked) = result? {
                    games += 1;
                    report.enter(checked);
                    progress.advance(1);
                }
            }
            Ok(())
        })?;
        if !stop.load(Ordering::Relaxed) {
            check_all_done("games were checked", games, self.games() as u64)?;
        }
        Ok(())
    }

    /// Checks the game of the log at a place, or behind the logs one that has none; `None` if it is
    /// checked with another log.
    fn check(&self, reader: &mut GameReader, place: usize) -> Result<Option<Checked>, CacheError> {
        let gone = place.checked_sub(self.logs.len()).map(|place| self.gone[place]);
        let log = match gone {
            Some(_) => None,
            // A game in two files is one game.
            None if self.logs.is_second(place + 1) => return Ok(None),
            None => Some(self.logs.get(place)),
        };
        let Some(game_id) = gone.or(log.as_ref().map(|log| log.game_id)) else { return Ok(None) };
        let cached = match reader.plain_columns(game_id) {
            // Nor could it be listed, which is told of the file.
            Err(CacheError::Malformed { .. }) => None,
            cached => cached?,
        };
        let change = match &log {
            Some(log) => self.change(log, cached.as_ref()),
            None => Some(LogChange::Missing),
        };
        let has_twin = log.is_some() && self.logs.twin_of(place).is_some();
        let mut checked = Checked {
            game_id,
            faults: Vec::new(),
            unreadable: None,
            change,
            can_encode: log.is_some()
                && !has_twin
                && !self.refused.contains(&game_id)
                && change != Some(LogChange::Unreadable),
        };
        if cached.is_some() {
            match reader.faults(game_id) {
                Ok(faults) => checked.faults = faults,
                Err(CacheError::Malformed { why, .. }) => checked.unreadable = Some(why),
                Err(error) => return Err(error),
            }
        }
        Ok(Some(checked))
    }

    fn change(
        &self,
        log: &LogFile,
        cached: Option<&Result<GameRecord, String>>,
    ) -> Option<LogChange> {
        let mut hasher = blake3::Hasher::new();
        let read = File::open(self.root.join(&log.relative_path))
            .and_then(|file| hasher.update_reader(file).map(|hasher| hasher.finalize()));
        match (read, cached) {
            (Err(_), _) => Some(LogChange::Unreadable),
            (Ok(_), None) => Some(LogChange::New),
            // Of a damaged row nobody knows what it was made from.
            (Ok(_), Some(Err(_))) => None,
            (Ok(hash), Some(Ok(record))) => {
                (hash != record.key.source_hash).then_some(LogChange::Changed)
            }
        }
    }
}

impl VerifyReport {
    fn enter(&mut self, checked: Checked) {
        let Checked { game_id, faults, unreadable, change, can_encode } = checked;
        match change {
            Some(change) => self.not_up_to_date.push((game_id, change)),
            None => self.matching_logs += 1,
        }
        let kind = match can_encode {
            true => FindingKind::DamagedGame,
            false => FindingKind::DamagedGameWithoutLog,
        };
        let game_id = Some(game_id);
        self.findings.extend(faults.into_iter().map(|what| Finding { kind, game_id, what }));
        if let Some(what) = unreadable {
            self.findings.push(Finding { kind: FindingKind::DamagedFile, game_id, what });
        }
    }
}
