//! One log: read once, hashed, compared with the cache, encoded if it must be.

use super::IngestError;
use super::cached::CachedGames;
use super::compression::{Compression, Damage};
use super::find::{LogFile, leads_elsewhere};
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
use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

/// Games that a thread examines at a time: passing on the result of each costs as much as a tenth of
/// looking at a game that is up to date. More would only delay the end of a run that is stopped.
const CHUNK: usize = 4;

/// A log that was looked at.
pub(super) struct Examined {
    pub(super) game_id: GameId,
    /// See [`LogFile::source_path`].
    pub(super) source_path: String,
    pub(super) outcome: Outcome,
    /// What its rows are or would be made from; `None` if its bytes could not be read.
    pub(super) key: Option<CacheKey>,
    /// Size of the log, unpacked.
    pub(super) bytes: u64,
    /// Files that are this log: its other names, and its compressed form beside it.
    pub(super) files: usize,
}

/// The result of a log.
pub(super) enum Outcome {
    /// The cached rows are what encoding it would give. If an older prep stored them, the game is replayed
    /// now.
    UpToDate { replayed: Option<Box<Played>> },
    /// It is not as cached, and can be read. `packed` is its encoded rows, if they were asked for.
    Stale { why: StaleReason, played: Box<Played>, packed: Option<Box<PackedGame>> },
    /// It cannot be read, or not yet.
    Refused(LogError),
}

/// How a game went.
pub(super) struct Played {
    pub(super) play: GamePlay,
    /// The first rows that do not follow from the row before.
    pub(super) faults: Vec<ReplayFault>,
}

/// What to examine, and how.
pub(super) struct Examination<'a> {
    /// The data folder.
    pub(super) root: &'a Path,
    pub(super) read: ReadOptions,
    /// See [`IngestOptions::settle`](super::IngestOptions::settle).
    pub(super) settle: Duration,
    /// Whether stale games are encoded. Otherwise they are only read, to see whether they can be.
    pub(super) encode: bool,
    pub(super) cached: &'a CachedGames,
    pub(super) phases: &'a IngestPhases,
}

impl Examination<'_> {
    /// Examines all logs of some games on several threads, and gives the results to `consume` in the
    /// order of the games.
    ///
    /// # Errors
    /// That of `consume`; if the threads cannot be started.
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

/// Examines log after log with the same buffers: one for each thread.
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
    /// A panic is a bug of prep on one game: it is refused, and the run goes on.
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
                // Whatever state the buffers were left in.
                *self = Examiner::new(self.options)?;
                results.extend(files.iter().map(|log| {
                    refused(log, LogError::internal(log.source_path(), message_of(&*panic)))
                }));
            }
        }
        Ok(())
    }

    /// Several files of a game are one log if they are one file by several names, or its plain and compressed
    /// forms with the same content. Otherwise all are refused: which is right is unknown.
    fn examine_several(&mut self, files: &[LogFile]) -> Result<Vec<Examined>, IngestError> {
        let root = self.options.root;
        let (mut logs, mut ids): (Vec<&LogFile>, Vec<FileId>) = (Vec::new(), Vec::new());
        for log in files {
            let file = std::fs::metadata(root.join(&log.relative_path));
            let id = file.ok().and_then(|file| FileId::of(&file));
            if id.is_none_or(|id| !ids.contains(&id)) {
                logs.push(log);
                ids.extend(id);
            }
        }
        let as_one = |examined: Examined| vec![Examined { files: files.len(), ..examined }];
        if let [log] = logs[..] {
            return self.examine(log).map(as_one);
        }
        let mut errors: Vec<Option<LogError>> = Vec::new();
        let mut content: Option<blake3::Hash> = None;
        let mut is_one = true;
        for (place, log) in logs.iter().enumerate() {
            let compression = Compression::of(&log.relative_path);
            is_one &= logs[..place]
                .iter()
                .all(|other| Compression::of(&other.relative_path) != compression);
            let error = self.read_bytes(log);
            match &error {
                None => {
                    let hash = blake3::hash(&self.bytes);
                    is_one &= *content.get_or_insert(hash) == hash;
                }
                // Such as a file that is being compressed.
                Some(error) => is_one &= error.fault.deferred,
            }
            errors.push(error);
        }
        if is_one {
            let readable = errors.iter().position(Option::is_none).unwrap_or(0);
            return self.examine(logs[readable]).map(as_one);
        }
        let mut results = Vec::new();
        for (place, (log, error)) in logs.iter().zip(errors).enumerate() {
            let other = logs[if place > 0 { place - 1 } else { 1 }].source_path();
            let conflict =
                || LogError::game_in_two_files(log.game_id, log.source_path(), Path::new(&other));
            results.push(refused(log, error.unwrap_or_else(conflict)));
        }
        results[0].files += files.len() - logs.len();
        Ok(results)
    }

    /// Reads a log into `bytes`; says why not.
    fn read_bytes(&mut self, log: &LogFile) -> Option<LogError> {
        let path = log.source_path();
        let is_link = |log: &LogFile| self.options.root.join(&log.relative_path).is_symlink();
        let error = match read_whole(&self.options.root.join(&log.relative_path), &mut self.bytes) {
            Ok(Reading::Whole) => return None,
            Ok(Reading::Changed) => LogError::changed_while_read(path),
            Ok(Reading::TooLarge { bytes, max }) => LogError::too_large(path, bytes, max),
            Ok(Reading::Damaged(Damage::CutOff)) => LogError::compressed_cut_off(path),
            Ok(Reading::Damaged(Damage::Corrupt(why))) => LogError::damaged_file(path, &why),
            // Deleted since the folder was searched: the next run finds out.
            Err(error) if error.kind() == ErrorKind::NotFound && !is_link(log) => {
                LogError::changed_while_read(path)
            }
            Err(error) => LogError::unreadable(path, &error),
        };
        Some(self.deferred_if_young(log, error))
    }

    /// The hash and the rows come from the same bytes, read once: a log that is rewritten meanwhile
    /// cannot get the rows of one version under the hash of another.
    fn examine(&mut self, log: &LogFile) -> Result<Examined, IngestError> {
        let Examination { root, read, cached, phases, .. } = self.options;
        let source_path = log.source_path();
        let begun = Instant::now();
        if let Some(error) = self.read_bytes(log) {
            return Ok(refused(log, error));
        }
        #[cfg(test)]
        tests::panic_over(&self.bytes);

        let key = CacheKey::now(&self.bytes, *read);
        let bytes = self.bytes.len() as u64;
        phases.hash.add(begun.elapsed(), bytes);
        let cached = cached.games.get(&log.game_id);
        let stale = match cached {
            Some(cached) => cached.staleness(&key),
            None => Some(StaleReason::New),
        };
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

    /// A log that ends too early is deferred while it is young, as its writer may not be done. An older
    /// one is refused: its writer died.
    fn deferred_if_young(&self, log: &LogFile, mut error: LogError) -> LogError {
        let Examination { root, settle, .. } = self.options;
        error.fault.deferred = match error.fault.kind {
            LogErrorKind::ChangedWhileRead => true,
            kind => {
                kind.may_be_unfinished() && modified_within(&root.join(&log.relative_path), *settle)
            }
        };
        error
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
        let packed = match record {
            Some(record) => Some(Box::new(self.packer.pack(record, &self.game)?)),
            None => None,
        };
        let bytes = packed.as_ref().map_or(0, |packed| packed.packed_bytes());
        phases.compress.add(begun.elapsed(), bytes);
        Ok(Outcome::Stale { why, played, packed })
    }
}

/// Whether a log is read although its cached rows are right: an older prep did not replay it, or it is
/// refused now because it does not replay.
fn must_replay(cached: Option<&CachedGame>, read: ReadOptions) -> bool {
    let replays = cached.and_then(|cached| cached.record.as_ref()?.replays());
    replays.is_none_or(|replays| read.strict && !replays)
}

/// The cached game that is removed because a log is refused: not even an older version may stay if it does
/// not replay, where such games are not wanted.
pub(super) fn removed_by<'c>(error: &LogError, cached: &'c CachedGame) -> Option<&'c GameRecord> {
    let is_strict = error.fault.kind == LogErrorKind::DoesNotReplay;
    cached.record.as_ref().filter(|record| is_strict && record.replays() == Some(false))
}

/// A log that is refused whatever its bytes are.
fn refused(log: &LogFile, error: LogError) -> Examined {
    let (source_path, outcome) = (log.source_path(), Outcome::Refused(error));
    Examined { game_id: log.game_id, source_path, outcome, key: None, bytes: 0, files: 1 }
}

/// What a panic said.
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

    /// Bytes on which prep panics: it knows no others.
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
        let logs = find_logs(folder.path()).unwrap().logs;
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
