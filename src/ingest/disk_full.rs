//! What an ingest says when the disk has no room for what it has to store.

use super::IngestError;
use super::find::{LogFile, find_logs};
use super::run::IngestOptions;
use crate::cache::{CacheError, CachedGames, FeatureSchema, GameRecord, write_ahead_log_bytes};
use crate::disk_space::{SMALL_FILE, free_bytes, free_in_words, needed_in_words, quota_in_words};
use crate::encode::ENCODER_VERSION;
use std::fmt;
use std::path::{Path, PathBuf};

/// What is not stored yet, and the room for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shortage {
    /// The cache file.
    pub cache: PathBuf,
    /// Games that are to be encoded yet, as far as that can be told without reading their logs.
    pub games_left: usize,
    /// Bytes that storing them takes at most, estimated.
    pub needed: u64,
    /// Bytes free, if known.
    pub free: Option<u64>,
    /// Whether the cache was being made anew. What a rebuild has stored is thrown away.
    pub rebuild: bool,
}

impl fmt::Display for Shortage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let needed = needed_in_words(self.needed);
        write!(f, "the disk of {} is full: about {needed} ", self.cache.display())?;
        match (self.rebuild, self.games_left) {
            (true, _) => write!(f, "are needed to make the cache anew beside the old one")?,
            (false, 0) => write!(f, "more are needed to end the run")?,
            (false, 1) => write!(f, "more are needed for the 1 game left")?,
            (false, games) => write!(f, "more are needed for the {games} games left")?,
        }
        let quota = quota_in_words(self.needed, self.free);
        write!(f, ", and {}{quota}. ", free_in_words(self.free))?;
        f.write_str(match self.rebuild {
            true => "The cache is as it was: free some space and run again",
            false => "What was stored is kept: free some space and run again",
        })
    }
}

/// Packed games are about a sixth of their logs.
const LOG_BYTES_PER_PACKED_BYTE: u64 = 5;

/// A row ends within a page of the file, and has a few columns besides what is packed.
const PAGE: u64 = 4096;

/// How long the write-ahead log may become. What is stored lies in it and in the cache file at once,
/// until it is emptied; what is in it already is in the file at last.
const LONGEST_WRITE_AHEAD_LOG: u64 = 64 << 20;

/// Games packed by a run so far: what one takes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct PackedSoFar {
    pub(super) games: u64,
    pub(super) bytes: u64,
}

impl Shortage {
    /// `logs` are those that the run looks at, `cached` the games that are stored by now.
    pub(super) fn of(
        cache: &Path,
        root: &Path,
        logs: &[LogFile],
        cached: &CachedGames,
        packed: PackedSoFar,
    ) -> Shortage {
        let sizes = logs.iter().filter_map(|log| {
            let size = std::fs::metadata(root.join(&log.relative_path)).map_or(0, |log| log.len());
            let record = cached.records.get(&log.game_id);
            if record.is_some_and(|record| seems_current(record, size)) { None } else { Some(size) }
        });
        let (games_left, log_bytes) =
            sizes.fold((0, 0), |(games, bytes), size| (games + 1, bytes + size));
        let packed_bytes = match packed.games {
            0 => log_bytes.div_ceil(LOG_BYTES_PER_PACKED_BYTE),
            games => games_left as u64 * (packed.bytes.div_ceil(games) + PAGE),
        };
        let needed = write_ahead_log_bytes(cache)
            + packed_bytes
            + packed_bytes.min(LONGEST_WRITE_AHEAD_LOG)
            + 2 * SMALL_FILE;
        let (cache, free) = (cache.to_owned(), free_bytes(cache));
        Shortage { cache, games_left, needed, free, rebuild: false }
    }
}

fn seems_current(record: &GameRecord, log_bytes: u64) -> bool {
    record.source_bytes == log_bytes
        && record.key.encoder_version == ENCODER_VERSION
        && record.key.feature_schema == FeatureSchema::now()
}

impl IngestError {
    /// An error of a run that had not begun to store games.
    pub fn before_the_first_game(error: CacheError, cache: &Path, options: &IngestOptions) -> Self {
        if !matches!(error, CacheError::DiskFull { .. }) {
            return error.into();
        }
        let games = CachedGames::default();
        IngestError::DiskFull(shortage(cache, options, &games))
    }

    /// An error of a run that made the cache at `cache` anew and has thrown away what it stored.
    #[must_use]
    pub fn of_rebuild(self, cache: &Path, options: &IngestOptions) -> Self {
        match self {
            IngestError::DiskFull(_) | IngestError::Cache(CacheError::DiskFull { .. }) => {
                let games = CachedGames::default();
                let shortage = shortage(cache, options, &games);
                IngestError::DiskFull(Shortage { rebuild: true, ..shortage })
            }
            other => other,
        }
    }
}

fn shortage(cache: &Path, options: &IngestOptions, cached: &CachedGames) -> Shortage {
    let mut logs = find_logs(&options.root).map_or(Vec::new(), |found| found.logs);
    logs.truncate(options.max_games.unwrap_or(usize::MAX));
    Shortage::of(cache, &options.root, &logs, cached, PackedSoFar::default())
}
