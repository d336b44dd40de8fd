//! What is wrong with the cache, all of it, and whether its games are still those of the logs.
//!
//! Two things are told apart. *Findings* are damage: what is stored is not what was stored. A log
//! that came, changed or went since the last ingest is no damage, only a cache that is not up to
//! date; `status` says more about that.

use super::IngestError;
use super::find::{LogFile, find_logs};
use super::run::twin_of;
use super::workers::spread;
use crate::cache::{CacheError, CachedGames, GameReader, GameRecord};
use crate::gamelog::GameId;
use crate::progress::{Amount, Progress};
use crate::words::counted;
use std::collections::{BTreeMap, BTreeSet};
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
    let (games, cut_short) = reader.games();
    match cut_short {
        None => {}
        Some(CacheError::Malformed { why, .. }) => {
            report.file(format!("not all games can be listed: {why}"));
        }
        Some(error) => return Err(error.into()),
    }
    // A list that cannot be read is the file's damage, which is listed above.
    let refused = reader.refused_games().unwrap_or_default();
    drop(reader);

    let checks = Checks::of(&games, &refused, &logs);
    let (cached, found) = (games.game_ids().count(), logs.len());
    tracing::debug!("{} in the cache, {}", counted(cached, "game"), counted(found, "log"));
    progress.begin("checking games", Amount::Games(checks.list.len() as u64));
    checks.run(cache, options, &games, &mut report, progress, stop)?;
    progress.end();
    report.games = games.game_ids().count();
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

/// One game, with what there is of it.
struct Check<'a> {
    game_id: GameId,
    is_cached: bool,
    log: Option<&'a LogFile>,
    /// Whether the last ingest refused the log, or a second file is the same game.
    is_refused: bool,
}

struct Checks<'a> {
    list: Vec<Check<'a>>,
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

impl<'a> Checks<'a> {
    fn of(games: &CachedGames, refused: &BTreeSet<GameId>, logs: &'a [LogFile]) -> Checks<'a> {
        let mut checks: BTreeMap<GameId, Check<'a>> = BTreeMap::new();
        for (place, log) in logs.iter().enumerate() {
            checks.insert(
                log.game_id,
                Check {
                    game_id: log.game_id,
                    is_cached: false,
                    log: Some(log),
                    is_refused: refused.contains(&log.game_id) || twin_of(logs, place).is_some(),
                },
            );
        }
        for game_id in games.game_ids().collect::<BTreeSet<_>>() {
            checks
                .entry(game_id)
                .or_insert(Check { game_id, is_cached: true, log: None, is_refused: false })
                .is_cached = true;
        }
        Checks { list: checks.into_values().collect() }
    }

    fn run(
        &self,
        cache: &Path,
        options: &VerifyOptions,
        games: &CachedGames,
        report: &mut VerifyReport,
        progress: &dyn Progress,
        stop: &AtomicBool,
    ) -> Result<(), IngestError> {
        let work = |reader: &mut GameReader, place: usize| {
            self.list[place].run(reader, &options.root, games)
        };
        let begin = || GameReader::open(cache);
        spread(options.jobs, self.list.len(), stop, begin, work, |_, checked| {
            report.enter(checked);
            progress.advance(1);
            Ok(())
        })?;
        Ok(())
    }
}

impl Check<'_> {
    fn run(
        &self,
        reader: &mut GameReader,
        root: &Path,
        games: &CachedGames,
    ) -> Result<Checked, CacheError> {
        let record = games.records.get(&self.game_id);
        let change = self.change(record, root);
        let mut checked = Checked {
            game_id: self.game_id,
            faults: Vec::new(),
            unreadable: None,
            change,
            can_encode: self.log.is_some()
                && !self.is_refused
                && change != Some(LogChange::Unreadable),
        };
        if self.is_cached {
            match reader.faults(self.game_id) {
                Ok(faults) => checked.faults = faults,
                Err(CacheError::Malformed { why, .. }) => checked.unreadable = Some(why),
                Err(error) => return Err(error),
            }
        }
        Ok(checked)
    }

    fn change(&self, record: Option<&GameRecord>, root: &Path) -> Option<LogChange> {
        let Some(log) = self.log else { return Some(LogChange::Missing) };
        let mut hasher = blake3::Hasher::new();
        let read = File::open(root.join(&log.relative_path))
            .and_then(|file| hasher.update_reader(file).map(|hasher| hasher.finalize()));
        match (read, record) {
            (Err(_), _) => Some(LogChange::Unreadable),
            // Of a damaged row nobody knows what it was made from.
            (Ok(_), None) => (!self.is_cached).then_some(LogChange::New),
            (Ok(hash), Some(record)) => {
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
