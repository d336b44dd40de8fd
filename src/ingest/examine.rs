//! One log: read once, hashed, compared with the cache, encoded if it must be.

use super::find::LogFile;
use super::log_list::LogList;
use super::phases::IngestPhases;
use super::whole_file::{Reading, read_whole};
use crate::cache::{
    CacheError, CacheKey, CachedGame, GameReader, GameRecord, PackedGame, Packer, StaleReason,
};
use crate::encode::EncodedGame;
use crate::gamelog::{GameId, GamePlay, LogError, ReadOptions, read_log};
use std::any::Any;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};

/// A log that was looked at.
pub(super) struct Examined {
    pub(super) game_id: GameId,
    /// See [`LogFile::source_path`].
    pub(super) source_path: String,
    pub(super) outcome: Outcome,
    /// What the cache has of its game.
    pub(super) cached: Option<CachedGame>,
    /// What its rows are or would be made from; `None` if its bytes cannot be had.
    pub(super) key: Option<CacheKey>,
    /// Size of the log.
    pub(super) bytes: u64,
}

/// What came of a log.
pub(super) enum Outcome {
    /// The cached rows are what encoding it would give.
    UpToDate,
    /// It is not as cached, and can be read. `game` is its encoded rows, if they were asked for.
    Stale { why: StaleReason, game: Option<Box<NewGame>> },
    /// It cannot be read, or not yet.
    NotTaken(LogError),
}

/// A game that is ready to be stored.
pub(super) struct NewGame {
    pub(super) packed: PackedGame,
    /// How it went.
    pub(super) play: GamePlay,
}

/// What is done with a log that is stale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Its rows are made.
    Encode,
    /// It is only read, to see whether it can be.
    Explain,
}

/// Examines log after log with the same buffers: one for each thread.
pub(super) struct Examiner<'a> {
    options: ReadOptions,
    purpose: Purpose,
    /// The cache file, if there is one, and its reader.
    cache: Option<&'a Path>,
    reader: Option<GameReader>,
    phases: &'a IngestPhases,
    bytes: Vec<u8>,
    game: EncodedGame,
    packer: Packer,
}

impl<'a> Examiner<'a> {
    pub(super) fn new(
        options: ReadOptions,
        purpose: Purpose,
        cache: Option<&'a Path>,
        phases: &'a IngestPhases,
    ) -> Result<Examiner<'a>, CacheError> {
        Ok(Examiner {
            options,
            purpose,
            cache,
            reader: cache.map(GameReader::open).transpose()?,
            phases,
            bytes: Vec::new(),
            game: EncodedGame::default(),
            packer: Packer::new()?,
        })
    }

    /// Examines the log at a place. If there is another of the same game, it is refused: which is
    /// right cannot be known.
    ///
    /// The hash and the rows come from the same bytes, read once: a log that is rewritten meanwhile
    /// cannot get the rows of one version under the hash of another.
    ///
    /// A panic is a fault of this program over one log: that log is refused, and the night goes on.
    pub(super) fn examine(
        &mut self,
        root: &Path,
        logs: &LogList,
        place: usize,
    ) -> Result<Examined, CacheError> {
        let log = &logs.get(place);
        if let Some(twin) = logs.twin_of(place) {
            let (path, twin) = (log.source_path(), twin.source_path());
            let error = LogError::game_in_two_files(log.game_id, &path, Path::new(&twin));
            return self.refuse(log.game_id, path, error);
        }
        let examine = AssertUnwindSafe(|| self.examine_or_panic(root, log));
        match catch_unwind(examine) {
            Ok(examined) => examined,
            Err(panic) => {
                // Whatever state the buffers were left in.
                *self = Examiner::new(self.options, self.purpose, self.cache, self.phases)?;
                let path = log.source_path();
                let error = LogError::internal(&path, message_of(&*panic));
                self.refuse(log.game_id, path, error)
            }
        }
    }

    /// A log that is refused whatever its bytes are.
    fn refuse(
        &self,
        game_id: GameId,
        source_path: String,
        error: LogError,
    ) -> Result<Examined, CacheError> {
        let record = match &self.reader {
            Some(reader) => reader.plain_columns(game_id)?,
            None => None,
        };
        let cached = record.map(|record| CachedGame { record, damaged_blob: None });
        let outcome = Outcome::NotTaken(error);
        Ok(Examined { game_id, source_path, outcome, cached, key: None, bytes: 0 })
    }

    fn examine_or_panic(&mut self, root: &Path, log: &LogFile) -> Result<Examined, CacheError> {
        let source_path = log.source_path();
        let file = Path::new(&source_path);
        let phases = self.phases;
        let begun = Instant::now();
        match read_whole(&root.join(&log.relative_path), &mut self.bytes) {
            Ok(Reading::Whole) => {}
            Ok(Reading::Changed) => {
                let error = LogError::changed_while_read(file);
                return self.refuse(log.game_id, source_path, error);
            }
            Ok(Reading::TooLarge { bytes, most }) => {
                let error = LogError::too_large(file, bytes, most);
                return self.refuse(log.game_id, source_path, error);
            }
            Err(error) => {
                let error = LogError::unreadable(file, &error);
                return self.refuse(log.game_id, source_path, error);
            }
        }
        #[cfg(test)]
        tests::panic_over(&self.bytes);

        let key = CacheKey::now(&self.bytes, self.options);
        let bytes = self.bytes.len() as u64;
        phases.hash.add(begun.elapsed(), bytes);
        let cached = self.look(log.game_id)?;
        let stale = match &cached {
            Some(cached) => cached.staleness(&key),
            None => Some(StaleReason::New),
        };
        let examined = |outcome, source_path| {
            Ok(Examined {
                game_id: log.game_id,
                source_path,
                outcome,
                cached,
                key: Some(key),
                bytes,
            })
        };
        let Some(why) = stale else {
            return examined(Outcome::UpToDate, source_path);
        };
        // What follows takes longer than to look again.
        self.rest()?;

        self.game.clear();
        let encode = self.purpose == Purpose::Encode;
        let begun = Instant::now();
        let mut encoding = Duration::ZERO;
        let read = read_log(&self.bytes, file, log.game_id, self.options, |turn| {
            if encode {
                let begun = Instant::now();
                self.game.push(turn);
                encoding += begun.elapsed();
            }
        });
        phases.encode.add(encoding, self.game.features().len() as u64);
        phases.read.add(begun.elapsed().saturating_sub(encoding), bytes);
        match read {
            Ok(summary) => {
                let record =
                    GameRecord::new(log.game_id, source_path.clone(), bytes, key, &summary);
                let game = match encode {
                    true => {
                        let (packed, play) = (self.pack(record)?, summary.play);
                        Some(Box::new(NewGame { packed, play }))
                    }
                    false => None,
                };
                examined(Outcome::Stale { why, game }, source_path)
            }
            Err(error) => examined(Outcome::NotTaken(error), source_path),
        }
    }
}

impl Examiner<'_> {
    fn look(&self, game_id: GameId) -> Result<Option<CachedGame>, CacheError> {
        let Some(reader) = &self.reader else { return Ok(None) };
        let begun = Instant::now();
        let cached = reader.look(game_id)?;
        if let Some(cached) = &cached {
            let rows = cached.record.as_ref().map_or(0, |record| record.rows);
            self.phases.check.add(begun.elapsed(), rows.into());
        }
        Ok(cached)
    }

    /// Lets go of the cache: whoever writes it may have to wait for that.
    pub(super) fn rest(&self) -> Result<(), CacheError> {
        self.reader.as_ref().map_or(Ok(()), GameReader::let_go)
    }

    fn pack(&mut self, record: GameRecord) -> io::Result<PackedGame> {
        let begun = Instant::now();
        let game = self.packer.pack(record, &self.game)?;
        self.phases.compress.add(begun.elapsed(), game.packed_bytes());
        Ok(game)
    }
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
    use crate::gamelog::{Dialect, LogErrorKind, write_log};
    use crate::rules::PlayerCount;
    use crate::simulate::simulate_game;

    /// Bytes over which this program fails: it knows no others.
    const POISON: &[u8] = b"panic";

    pub(super) fn panic_over(bytes: &[u8]) {
        assert!(bytes != POISON, "over {} bytes", bytes.len());
    }

    #[test]
    fn a_file_that_is_larger_than_any_log_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        // One hole: it takes no room on the disk, and would take all of the memory.
        std::fs::File::create(folder.path().join("1.csv")).unwrap().set_len(1 << 40).unwrap();
        let phases = IngestPhases::new();
        let mut examiner =
            Examiner::new(ReadOptions::default(), Purpose::Encode, None, &phases).unwrap();
        let logs = find_logs(folder.path()).unwrap().logs;
        let Outcome::NotTaken(error) = examiner.examine(folder.path(), &logs, 0).unwrap().outcome
        else {
            panic!("it was taken");
        };
        assert_eq!(
            error.to_string(),
            "1.csv: found a file of 1099511627776 bytes, expected a log of at most 268435456 bytes"
        );
        assert!(examiner.bytes.is_empty());
    }

    #[test]
    fn a_panic_over_one_log_is_a_refusal_of_that_log_and_the_next_one_goes_in() {
        let folder = tempfile::tempdir().unwrap();
        let turns = simulate_game(PlayerCount::Two, 1);
        let mut log = Vec::new();
        write_log(&mut log, GameId(2), &turns, Dialect::Nan).unwrap();
        std::fs::write(folder.path().join("1.csv"), POISON).unwrap();
        std::fs::write(folder.path().join("2.csv"), log).unwrap();
        let phases = IngestPhases::new();
        let mut examiner =
            Examiner::new(ReadOptions::default(), Purpose::Encode, None, &phases).unwrap();
        let logs = find_logs(folder.path()).unwrap().logs;
        let mut examine =
            |place: usize| examiner.examine(folder.path(), &logs, place).unwrap().outcome;
        for _ in 0..2 {
            let Outcome::NotTaken(error) = examine(0) else { panic!("it went in") };
            assert_eq!(error.fault.kind, LogErrorKind::Internal);
            let said = error.to_string();
            for part in ["1.csv: ", "over 5 bytes", "report"] {
                assert!(said.contains(part), "{part} is not in {said}");
            }
            let Outcome::Stale { game: Some(game), .. } = examine(1) else { panic!("not encoded") };
            assert_eq!(game.packed.record.rows as usize, turns.len());
        }
    }
}
