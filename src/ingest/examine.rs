//! One log: read once, hashed, compared with the cache, encoded if it must be.

use super::find::LogFile;
use super::phases::IngestPhases;
use super::whole_file::{Reading, read_whole};
use crate::cache::{
    CacheError, CacheKey, CachedGames, GameReader, GameRecord, PackedGame, Packer, StaleReason,
};
use crate::encode::EncodedGame;
use crate::gamelog::{GamePlay, LogError, ReadOptions, read_log};
use std::any::Any;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};

/// A log that was looked at.
pub(super) struct Examined {
    pub(super) outcome: Outcome,
    /// What its rows are or would be made from; `None` if its bytes cannot be had.
    pub(super) key: Option<CacheKey>,
    /// Size of the log.
    pub(super) bytes: u64,
}

/// What came of a log.
pub(super) enum Outcome {
    /// The cached rows are what encoding it would give.
    UpToDate,
    /// It is not as cached, and can be read. `is_damaged` is whether the row that it replaces is not
    /// what was stored, whatever the reason; `game` is its encoded rows, if they were asked for.
    Stale { why: StaleReason, is_damaged: bool, game: Option<Box<NewGame>> },
    /// It cannot be read, or not yet.
    NotTaken(LogError),
}

/// A game that is ready to be stored.
pub(super) struct NewGame {
    pub(super) packed: PackedGame,
    /// How it went.
    pub(super) play: GamePlay,
}

impl Examined {
    /// A log of which there are no bytes.
    pub(super) fn without_bytes(error: LogError) -> Examined {
        Examined { outcome: Outcome::NotTaken(error), key: None, bytes: 0 }
    }
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

    /// The hash and the rows come from the same bytes, read once: a log that is rewritten meanwhile
    /// cannot get the rows of one version under the hash of another.
    ///
    /// A panic is a fault of this program over one log: that log is refused, and the night goes on.
    pub(super) fn examine(
        &mut self,
        root: &Path,
        log: &LogFile,
        cached: &CachedGames,
    ) -> Result<Examined, CacheError> {
        let examine = AssertUnwindSafe(|| self.examine_or_panic(root, log, cached));
        match catch_unwind(examine) {
            Ok(examined) => examined,
            Err(panic) => {
                // Whatever state the buffers were left in.
                *self = Examiner::new(self.options, self.purpose, self.cache, self.phases)?;
                let error = LogError::internal(log.source_path(), message_of(&*panic));
                Ok(Examined::without_bytes(error))
            }
        }
    }

    fn examine_or_panic(
        &mut self,
        root: &Path,
        log: &LogFile,
        cached: &CachedGames,
    ) -> Result<Examined, CacheError> {
        let source_path = log.source_path();
        let file = Path::new(&source_path);
        let phases = self.phases;
        let begun = Instant::now();
        match read_whole(&root.join(&log.relative_path), &mut self.bytes) {
            Ok(Reading::Whole) => {}
            Ok(Reading::Changed) => {
                return Ok(Examined::without_bytes(LogError::changed_while_read(file)));
            }
            Err(error) => return Ok(Examined::without_bytes(LogError::unreadable(file, &error))),
        }
        #[cfg(test)]
        tests::panic_over(&self.bytes);

        let key = CacheKey::now(&self.bytes, self.options);
        let bytes = self.bytes.len() as u64;
        phases.hash.add(begun.elapsed(), bytes);
        let examined = |outcome| Ok(Examined { outcome, key: Some(key), bytes });
        let damage = match &self.reader {
            Some(reader) if cached.contains(log.game_id) => {
                let rows = cached.records.get(&log.game_id).map_or(0, |record| record.rows);
                phases.check.count(rows.into());
                phases.check.time(|| reader.first_damage(log.game_id))?
            }
            _ => None,
        };
        let is_damaged = damage.is_some();
        let damaged = damage.map(|what| StaleReason::Damaged { what });
        let Some(why) = cached.staleness(log.game_id, &key).or(damaged) else {
            return examined(Outcome::UpToDate);
        };

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
                let record = GameRecord::new(log.game_id, source_path, bytes, key, &summary);
                let game = match encode {
                    true => {
                        let (packed, play) = (self.pack(record)?, summary.play);
                        Some(Box::new(NewGame { packed, play }))
                    }
                    false => None,
                };
                examined(Outcome::Stale { why, is_damaged, game })
            }
            Err(error) => examined(Outcome::NotTaken(error)),
        }
    }
}

impl Examiner<'_> {
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
    use super::*;
    use crate::gamelog::{Dialect, GameId, LogErrorKind, write_log};
    use crate::simulate::simulate_game;
    use crate::splendor::PlayerCount;

    /// Bytes over which this program fails: it knows no others.
    const POISON: &[u8] = b"panic";

    pub(super) fn panic_over(bytes: &[u8]) {
        assert!(bytes != POISON, "over {} bytes", bytes.len());
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
        let mut examine = |game_id: i64| {
            let relative_path = format!("{game_id}.csv").into();
            let log = LogFile { game_id: GameId(game_id), relative_path };
            examiner.examine(folder.path(), &log, &CachedGames::default()).unwrap().outcome
        };
        for _ in 0..2 {
            let Outcome::NotTaken(error) = examine(1) else { panic!("it went in") };
            assert_eq!(error.fault.kind, LogErrorKind::Internal);
            let said = error.to_string();
            for part in ["1.csv: ", "over 5 bytes", "report"] {
                assert!(said.contains(part), "{part} is not in {said}");
            }
            let Outcome::Stale { game: Some(game), .. } = examine(2) else { panic!("not encoded") };
            assert_eq!(game.packed.record.rows as usize, turns.len());
        }
    }
}
