//! Examines a log: reads it once, hashes it, compares it with the cache, and encodes it if it is stale.

use super::IngestError;
use super::cached::CachedGames;
use super::compression::{Compression, Damage};
use super::find::{LogFile, is_deleted, leads_elsewhere};
use super::phases::IngestPhases;
use super::whole_file::{Reading, modified_within, read_whole};
use crate::cache::{CacheKey, CachedGame, GameRecord, PackedGame, Packer, StaleReason};
use crate::encode::EncodedGame;
use crate::gamelog::{
    GameId, GamePlay, LogError, LogErrorKind, ReadOptions, ReplayFault, read_log,
};
use crate::parallel::ordered_map;
use crate::platform::FileId;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

/// Number of games that a thread examines at a time: passing on each result costs a tenth of examining a
/// game that is up to date. A larger number would delay the end of a stopped run.
const CHUNK: usize = 4;

/// A log that was examined.
pub(super) struct Examined {
    pub(super) game_id: GameId,
    /// See [`LogFile::source_path`].
    pub(super) source_path: String,
    pub(super) outcome: Outcome,
    /// The current key of the game; `None` if the log could not be read.
    pub(super) key: Option<CacheKey>,
    /// Decompressed size of the log.
    pub(super) bytes: u64,
    /// Number of files with this log: other names of it, and compressed forms.
    pub(super) files: usize,
}

/// The result of a log.
pub(super) enum Outcome {
    /// The cached rows are up to date. If an earlier version of prep stored them, the game is replayed
    /// now.
    UpToDate { replayed: Option<Box<Played>> },
    /// The cached rows are stale, and the log can be read. `packed` has its encoded rows, if requested.
    Stale { why: StaleReason, played: Box<Played>, packed: Option<Box<PackedGame>> },
    /// The log is refused or deferred.
    Refused(LogError),
}

/// The result of replaying a game.
pub(super) struct Played {
    pub(super) play: GamePlay,
    /// The first rows that do not follow from the previous row.
    pub(super) faults: Vec<ReplayFault>,
}

/// The options of an examination.
pub(super) struct Examination<'a> {
    /// The data folder.
    pub(super) root: &'a Path,
    pub(super) read: ReadOptions,
    /// See [`IngestOptions::settle`](super::IngestOptions::settle).
    pub(super) settle: Duration,
    /// Whether stale games are encoded. Otherwise they are only read, to detect errors.
    pub(super) encode: bool,
    pub(super) cached: &'a CachedGames,
    pub(super) phases: &'a IngestPhases,
}

impl Examination<'_> {
    /// Examines the logs of games on several threads, and passes the results to `consume` in the order
    /// of the games.
    ///
    /// # Errors
    /// An error of `consume`, or if the threads cannot be started.
    pub(super) fn run(
        &self,
        games: &[&[LogFile]],
        threads: usize,
        stop: &AtomicBool,
        mut consume: impl FnMut(Examined) -> Result<(), IngestError>,
    ) -> Result<(), IngestError> {
        ordered_map(
            threads,
            games.chunks(CHUNK),
            stop,
            || Examiner::new(self),
            |examiner, games| {
                let mut results = Vec::with_capacity(games.len());
                for logs in games {
                    examiner.examine_game(logs, &mut results)?;
                }
                Ok(results)
            },
            |results| results.into_iter().try_for_each(&mut consume),
        )
    }
}

/// Examines logs and reuses its buffers; there is one for each thread.
struct Examiner<'a> {
    options: &'a Examination<'a>,
    bytes: Vec<u8>,
    game: EncodedGame,
    packer: Packer,
}

impl<'a> Examiner<'a> {
    fn new(options: &'a Examination<'a>) -> Result<Examiner<'a>, IngestError> {
        let (bytes, game) = (Vec::new(), EncodedGame::default());
        Ok(Examiner { options, bytes, game, packer: Packer::new()? })
    }

    /// Examines the files of a game.
    ///
    /// A panic is a bug of prep with one game: that game is refused, and the run continues.
    fn examine_game(
        &mut self,
        files: &[LogFile],
        results: &mut Vec<Examined>,
    ) -> Result<(), IngestError> {
        let examined = catch_unwind(AssertUnwindSafe(|| match files {
            [log] => Ok(vec![self.examine(log)?]),
            files => self.examine_several(files),
        }));
        match examined {
            Ok(examined) => results.extend(examined?),
            Err(panic) => {
                // The buffers may be in any state.
                *self = Examiner::new(self.options)?;
                results.extend(files.iter().map(|log| {
                    refused(log, LogError::internal(log.source_path(), message_of(&*panic)))
                }));
            }
        }
        Ok(())
    }

    /// Several files of a game are one log if they are one file by several names, or its plain and compressed
    /// forms with the same content, of which one may still be being written. Otherwise all are refused, because
    /// it is unknown which one is right.
    fn examine_several(&mut self, files: &[LogFile]) -> Result<Vec<Examined>, IngestError> {
        let (mut logs, mut ids): (Vec<&LogFile>, Vec<FileId>) = (Vec::new(), Vec::new());
        for log in files {
            // A log that is moved while the folders are listed may be found in two of them.
            if is_deleted(&self.path(log)) {
                continue;
            }
            let id = std::fs::metadata(self.path(log)).ok().map(|file| FileId::of(&file));
            if id.is_none_or(|id| !ids.contains(&id)) {
                logs.push(log);
                ids.extend(id);
            }
        }
        let as_one = |examined: Examined| vec![Examined { files: files.len(), ..examined }];
        match logs[..] {
            [] => return self.examine(&files[0]).map(as_one),
            [log] => return self.examine(log).map(as_one),
            _ => {}
        }
        let (mut forms, mut errors) = (Vec::new(), Vec::new());
        // The log with the most content, and that content.
        let (mut whole, mut content) = (None, Vec::new());
        let mut is_one = true;
        for &log in &logs {
            let form = Compression::of(&log.relative_path);
            is_one &= !forms.contains(&form);
            forms.push(form);
            let error = self.read_bytes(log);
            match &error {
                // It may be being compressed.
                Some(error) => is_one &= error.fault.deferred,
                None => {
                    let mut shorter = Some(log);
                    if whole.is_none() || self.bytes.len() > content.len() {
                        std::mem::swap(&mut content, &mut self.bytes);
                        shorter = whole.replace(log);
                    }
                    // The shorter one may be being unpacked.
                    is_one &= content.starts_with(&self.bytes)
                        && (content.len() == self.bytes.len()
                            || shorter.is_none_or(|log| self.is_young(log)));
                }
            }
            errors.push(error);
        }
        if is_one && let Some(log) = whole {
            self.bytes = content;
            return self.examine_bytes(log, Instant::now()).map(as_one);
        }
        let mut results = Vec::new();
        for (place, (log, error)) in logs.iter().zip(errors).enumerate() {
            let other = logs[if place > 0 { place - 1 } else { 1 }].source_path();
            let conflict =
                || LogError::game_in_two_files(log.game_id, log.source_path(), Path::new(&other));
            results.push(refused(log, error.unwrap_or_else(conflict)));
        }
        if is_one {
            results.truncate(1);
        }
        results[0].files += files.len() - results.len();
        Ok(results)
    }

    fn path(&self, log: &LogFile) -> PathBuf {
        self.options.root.join(&log.relative_path)
    }

    /// Reads a log into `bytes`.
    fn read_bytes(&mut self, log: &LogFile) -> Option<LogError> {
        let path = log.source_path();
        let file = self.path(log);
        let error = match read_whole(&file, &mut self.bytes) {
            Ok(Reading::Whole) => return None,
            Ok(Reading::Changed) => LogError::changed_while_read(path),
            Ok(Reading::TooLarge { bytes, max }) => LogError::too_large(path, bytes, max),
            Ok(Reading::Damaged(Damage::CutOff)) => LogError::compressed_cut_off(path),
            Ok(Reading::Damaged(Damage::Corrupt(why))) => LogError::damaged_file(path, &why),
            // Deleted since the folder was searched: the next run handles that.
            Err(_) if is_deleted(&file) => LogError::changed_while_read(path),
            Err(error) => LogError::unreadable(path, &error),
        };
        Some(self.deferred_if_young(log, error))
    }

    /// The hash and the rows come from the same bytes, which are read once, so that a log that is
    /// rewritten meanwhile cannot get rows of one version with the hash of another.
    fn examine(&mut self, log: &LogFile) -> Result<Examined, IngestError> {
        let begun = Instant::now();
        match self.read_bytes(log) {
            Some(error) => Ok(refused(log, error)),
            None => self.examine_bytes(log, begun),
        }
    }

    /// Examines the log in `bytes`, whose reading began at `begun`.
    fn examine_bytes(&mut self, log: &LogFile, begun: Instant) -> Result<Examined, IngestError> {
        let Examination { root, read, cached, phases, .. } = self.options;
        let source_path = log.source_path();
        #[cfg(test)]
        tests::panic_over(&self.bytes);

        let key = CacheKey::now(&self.bytes, *read);
        let bytes = self.bytes.len() as u64;
        phases.hash.add(begun.elapsed(), bytes);
        let cached = cached.games.get(&log.game_id);
        let stale = cached.map_or(Some(StaleReason::New), |cached| cached.staleness(&key));
        let outcome = match stale {
            None if !must_replay(cached, *read) => Outcome::UpToDate { replayed: None },
            why => self.read(log.game_id, &source_path, key, why)?,
        };
        let outcome = match outcome {
            Outcome::Refused(error)
                if error.fault.kind.is_of_other_format()
                    && leads_elsewhere(root, &log.relative_path) =>
            {
                Outcome::Refused(error.without_content())
            }
            Outcome::Refused(error) => Outcome::Refused(self.deferred_if_young(log, error)),
            outcome => outcome,
        };
        Ok(Examined { game_id: log.game_id, source_path, outcome, key: Some(key), bytes, files: 1 })
    }

    /// A truncated log is deferred if it was modified recently, because it may still be written. An
    /// older one is refused, because its writer was probably killed.
    fn deferred_if_young(&self, log: &LogFile, mut error: LogError) -> LogError {
        error.fault.deferred = match error.fault.kind {
            LogErrorKind::ChangedWhileRead => true,
            kind => kind.may_be_unfinished() && self.is_young(log),
        };
        error
    }

    fn is_young(&self, log: &LogFile) -> bool {
        modified_within(&self.path(log), self.options.settle)
    }

    /// Reads a log, and encodes it if it is stale.
    fn read(
        &mut self,
        game_id: GameId,
        source_path: &str,
        key: CacheKey,
        why: Option<StaleReason>,
    ) -> Result<Outcome, IngestError> {
        let Examination { read, encode, phases, .. } = self.options;
        let encode = *encode && why.is_some();
        let bytes = self.bytes.len() as u64;
        self.game.clear();
        let begun = Instant::now();
        let mut encoding = Duration::ZERO;
        let log = read_log(&self.bytes, Path::new(source_path), game_id, *read, |turn| {
            if encode {
                let begun = Instant::now();
                self.game.push(turn);
                encoding += begun.elapsed();
            }
        });
        phases.encode.add(encoding, self.game.features().len() as u64);
        phases.read.add(begun.elapsed().saturating_sub(encoding), bytes);
        let summary = match log {
            Ok(summary) => summary,
            Err(error) => return Ok(Outcome::Refused(error)),
        };
        let record =
            encode.then(|| GameRecord::new(game_id, source_path.to_owned(), bytes, key, &summary));
        let played = Box::new(Played { play: summary.play, faults: summary.replay_faults });
        let Some(why) = why else { return Ok(Outcome::UpToDate { replayed: Some(played) }) };
        let begun = Instant::now();
        let packed = record.map(|record| self.packer.pack(record, &self.game).map(Box::new));
        let packed = packed.transpose()?;
        let bytes = packed.as_ref().map_or(0, |packed| packed.packed_bytes());
        phases.compress.add(begun.elapsed(), bytes);
        Ok(Outcome::Stale { why, played, packed })
    }
}

/// Whether a log must be read although its cached rows are up to date: an earlier version of prep did
/// not replay it, or it is refused now because it does not replay.
fn must_replay(cached: Option<&CachedGame>, read: ReadOptions) -> bool {
    let replays = cached.and_then(|cached| cached.record.as_ref()?.replays());
    replays.is_none_or(|replays| read.strict && !replays)
}

/// The cached game to remove because its log is refused: with `--strict`, an older version that does not
/// replay may not stay either.
pub(super) fn removed_by<'c>(error: &LogError, cached: &'c CachedGame) -> Option<&'c GameRecord> {
    let is_strict = error.fault.kind == LogErrorKind::DoesNotReplay;
    cached.record.as_ref().filter(|record| is_strict && record.replays() == Some(false))
}

/// A log that is refused regardless of its content.
fn refused(log: &LogFile, error: LogError) -> Examined {
    let (source_path, outcome) = (log.source_path(), Outcome::Refused(error));
    Examined { game_id: log.game_id, source_path, outcome, key: None, bytes: 0, files: 1 }
}

/// The message of a panic.
fn message_of(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}

#[cfg(test)]
mod tests {
    use super::super::find::find_logs;
    use super::*;
    use crate::gamelog::{Dialect, write_log};
    use crate::rules::PlayerCount;
    use crate::simulate::simulate_game;

    /// Bytes that make prep panic in tests.
    const POISON: &[u8] = b"panic";

    pub(super) fn panic_over(bytes: &[u8]) {
        assert!(bytes != POISON, "over {} bytes", bytes.len());
    }

    #[test]
    fn panic_refuses_one_log_only() {
        let folder = tempfile::tempdir().unwrap();
        let turns = simulate_game(PlayerCount::Two, 1);
        let mut log = Vec::new();
        write_log(&mut log, GameId(2), &turns, Dialect::Nan).unwrap();
        std::fs::write(folder.path().join("1.csv"), POISON).unwrap();
        std::fs::write(folder.path().join("2.csv"), log).unwrap();
        let logs = find_logs(folder.path(), &AtomicBool::new(false)).unwrap().logs;
        let examination = Examination {
            root: folder.path(),
            read: ReadOptions::default(),
            settle: Duration::ZERO,
            encode: true,
            cached: &CachedGames::default(),
            phases: &IngestPhases::new(),
        };
        let mut examiner = Examiner::new(&examination).unwrap();
        let mut results = Vec::new();
        for _ in 0..2 {
            for log in &logs {
                examiner.examine_game(std::slice::from_ref(log), &mut results).unwrap();
            }
        }
        for pair in results.as_chunks().0 {
            let [Examined { outcome: Outcome::Refused(error), .. }, good] = pair else {
                panic!("it was ingested")
            };
            assert_eq!(error.fault.kind, LogErrorKind::Internal);
            let message = error.to_string();
            for part in ["1.csv: ", "over 5 bytes", "report"] {
                assert!(message.contains(part), "{part} is not in {message}");
            }
            let Outcome::Stale { packed: Some(packed), .. } = &good.outcome else {
                panic!("not encoded")
            };
            assert_eq!(packed.record.rows as usize, turns.len());
        }
    }
}
