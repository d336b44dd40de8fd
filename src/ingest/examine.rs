//! One log: read once, hashed, compared with the cache, encoded if it must be.

use super::find::LogFile;
use crate::cache::{
    CacheError, CacheKey, CachedGames, GameReader, GameRecord, PackedGame, Packer, RowCopy,
    StaleReason,
};
use crate::encode::EncodedGame;
use crate::gamelog::{GameId, LogError, ReadOptions, read_log};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// What came of a log.
pub(super) enum Outcome {
    /// The cached rows are what encoding it would give.
    UpToDate,
    /// It was encoded.
    Encoded { game: Box<PackedGame>, why: StaleReason },
    /// It cannot be read.
    Refused { error: LogError, source_hash: Option<blake3::Hash> },
}

/// Examines log after log with the same buffers: one for each thread.
pub(super) struct Examiner<'a> {
    options: ReadOptions,
    checker: &'a BlobChecker,
    row: RowCopy,
    bytes: Vec<u8>,
    game: EncodedGame,
    packer: Packer,
}

impl<'a> Examiner<'a> {
    pub(super) fn new(options: ReadOptions, checker: &'a BlobChecker) -> io::Result<Examiner<'a>> {
        Ok(Examiner {
            options,
            checker,
            row: RowCopy::default(),
            bytes: Vec::new(),
            game: EncodedGame::default(),
            packer: Packer::new()?,
        })
    }

    /// The hash and the rows come from the same bytes, read once: a log that is rewritten meanwhile
    /// cannot get the rows of one version under the hash of another.
    pub(super) fn examine(
        &mut self,
        root: &Path,
        log: &LogFile,
        cached: &CachedGames,
    ) -> Result<Outcome, CacheError> {
        let file = Path::new(&log.relative_path);
        if let Err(error) = read_whole(&root.join(file), &mut self.bytes) {
            let error = LogError::unreadable(file, &error);
            return Ok(Outcome::Refused { error, source_hash: None });
        }
        let key = CacheKey::now(&self.bytes, self.options);
        let why = match cached.staleness(log.game_id, &key) {
            Some(why) => why,
            None => match self.checker.check(log.game_id, &mut self.row)? {
                Some(why) => why,
                None => return Ok(Outcome::UpToDate),
            },
        };

        self.game.clear();
        let read = read_log(&self.bytes, file, log.game_id, self.options, |turn| {
            self.game.push(turn);
        });
        match read {
            Ok(summary) => {
                let record = GameRecord::new(
                    log.game_id,
                    log.source_path(),
                    self.bytes.len() as u64,
                    key,
                    &summary,
                );
                let game = Box::new(self.packer.pack(record, &self.game)?);
                Ok(Outcome::Encoded { game, why })
            }
            Err(error) => Ok(Outcome::Refused { error, source_hash: Some(key.source_hash) }),
        }
    }
}

/// Looks after the blobs of games that are up to date by their columns.
///
/// All workers share one connection, so that there is one read transaction to keep short; the
/// hashing, which is most of the work, is done outside of its lock.
#[derive(Default)]
pub(super) struct BlobChecker(Option<Mutex<GameReader>>);

impl BlobChecker {
    /// For a cache, if there is one.
    pub(super) fn new(cache: Option<&Path>) -> Result<BlobChecker, CacheError> {
        Ok(BlobChecker(cache.map(GameReader::open).transpose()?.map(Mutex::new)))
    }

    /// Whether a blob of a game is not what was stored, by its checksum.
    pub(super) fn check(
        &self,
        game_id: GameId,
        copy: &mut RowCopy,
    ) -> Result<Option<StaleReason>, CacheError> {
        let Some(reader) = &self.0 else { return Ok(None) };
        let copied = reader.lock().unwrap_or_else(PoisonError::into_inner).copy_row(game_id, copy);
        let what = match copied {
            Ok(()) => copy.first_damaged_blob(),
            Err(CacheError::Damaged { why, .. }) => Some(why),
            Err(error) => return Err(error),
        };
        Ok(what.map(|what| StaleReason::Damaged { what }))
    }
}

/// The key that a log has now, without encoding it: what `status` compares.
pub(super) fn current_key(
    root: &Path,
    log: &LogFile,
    options: ReadOptions,
    bytes: &mut Vec<u8>,
) -> io::Result<CacheKey> {
    read_whole(&root.join(&log.relative_path), bytes)?;
    Ok(CacheKey::now(bytes, options))
}

fn read_whole(path: &Path, bytes: &mut Vec<u8>) -> io::Result<()> {
    bytes.clear();
    File::open(path)?.read_to_end(bytes)?;
    Ok(())
}
