//! One log: read once, hashed, compared with the cache, encoded if it must be.

use super::find::LogFile;
use crate::cache::{CacheKey, GameRecord, PackedGame, Packer, StaleReason, staleness};
use crate::encode::EncodedGame;
use crate::gamelog::{LogError, ReadOptions, read_log};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

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
pub(super) struct Examiner {
    options: ReadOptions,
    bytes: Vec<u8>,
    game: EncodedGame,
    packer: Packer,
}

impl Examiner {
    pub(super) fn new(options: ReadOptions) -> io::Result<Examiner> {
        Ok(Examiner {
            options,
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
        cached: Option<&GameRecord>,
    ) -> io::Result<Outcome> {
        let file = Path::new(&log.relative_path);
        if let Err(error) = read_whole(&root.join(file), &mut self.bytes) {
            let error = LogError::unreadable(file, &error);
            return Ok(Outcome::Refused { error, source_hash: None });
        }
        let key = CacheKey::now(&self.bytes, self.options);
        let Some(why) = staleness(cached, &key) else { return Ok(Outcome::UpToDate) };

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
