//! What an ingest says when the disk has no room for what it has to store.

use super::IngestError;
use super::find::{FoundLogs, LogFile, find_logs};
use super::run::IngestOptions;
use crate::cache::{
    CacheError, EMPTY_CACHE_BYTES, FeatureSchema, GameRecord, longest_write_ahead_log,
    write_ahead_log_bytes,
};
use crate::disk_space::{SMALL_FILE, free_bytes, free_in_words, needed_in_words, quota_in_words};
use crate::encode::ENCODER_VERSION;
use crate::gamelog::GameId;
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

/// Packed games, with what they take besides, are less than a fifth of their logs.
const LOG_BYTES_PER_PACKED_BYTE: u64 = 5;

/// What a game takes besides what is packed: a few columns, and what stays free in its page.
const BESIDE: u64 = 4096;

/// Games packed by a run so far: what one takes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct PackedSoFar {
    pub(super) games: u64,
    pub(super) bytes: u64,
}

impl Shortage {
    /// `logs` are those that the run looks at, `record` tells what is stored of a game by now.
    pub(super) fn of(
        cache: &Path,
        root: &Path,
        logs: impl Iterator<Item = LogFile>,
        record: impl Fn(GameId) -> Option<GameRecord>,
        packed: PackedSoFar,
    ) -> Shortage {
        let sizes = logs.filter_map(|log| {
            let size = std::fs::metadata(root.join(&log.relative_path)).map_or(0, |log| log.len());
            let is_current = record(log.game_id).is_some_and(|record| seems_current(&record, size));
            if is_current { None } else { Some(size) }
        });
        let (games_left, log_bytes) =
            sizes.fold((0, 0), |(games, bytes), size| (games + 1, bytes + size));
        let packed_bytes = match packed.games {
            0 => log_bytes.div_ceil(LOG_BYTES_PER_PACKED_BYTE),
            games => games_left as u64 * (packed.bytes.div_ceil(games) + BESIDE),
        };
        // What is stored lies in the write-ahead log and in the cache file at once, until the log is
        // emptied; what is in it already is in the file at last.
        let needed = write_ahead_log_bytes(cache)
            + packed_bytes
            + longest_write_ahead_log(games_left as u64, packed_bytes)
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
    /// An error of a run that could not begin to store games. If there is a cache already and it cannot
    /// be opened, nobody knows how many of its games are up to date: then all that can be said is what
    /// opening it takes.
    pub fn before_the_first_game(error: CacheError, cache: &Path, options: &IngestOptions) -> Self {
        let is_new = std::fs::metadata(cache).map_or(0, |cache| cache.len()) == 0;
        match error {
            CacheError::DiskFull { .. } if is_new => {
                IngestError::DiskFull(shortage(cache, options))
            }
            other => other.into(),
        }
    }

    /// An error of a run that made the cache at `cache` anew and has thrown away what it stored.
    #[must_use]
    pub fn of_rebuild(self, cache: &Path, options: &IngestOptions) -> Self {
        match self {
            IngestError::DiskFull(_) | IngestError::Cache(CacheError::DiskFull { .. }) => {
                let shortage = shortage(cache, options);
                IngestError::DiskFull(Shortage { rebuild: true, ..shortage })
            }
            other => other,
        }
    }
}

/// Of all logs, in a file that is made anew.
fn shortage(cache: &Path, options: &IngestOptions) -> Shortage {
    let found = find_logs(&options.root).unwrap_or_else(|_| FoundLogs::default());
    let logs = found.logs.iter().take(options.max_games.unwrap_or(usize::MAX));
    let of_games = Shortage::of(cache, &options.root, logs, |_| None, PackedSoFar::default());
    Shortage { needed: of_games.needed + EMPTY_CACHE_BYTES, ..of_games }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::CacheKey;
    use crate::gamelog::{GamePlay, LogSummary, ReadOptions};
    use crate::rules::PlayerCount;
    use std::collections::BTreeMap;

    #[test]
    fn a_shortage_says_what_is_left_what_it_takes_and_what_became_of_the_rest() {
        let shortage = Shortage {
            cache: PathBuf::from("data/prep.sqlite"),
            games_left: 7,
            needed: 3_000_000,
            free: Some(12_345),
            rebuild: false,
        };
        assert_eq!(
            shortage.to_string(),
            "the disk of data/prep.sqlite is full: about 3.0 MB more are needed for the 7 games left, \
             and 12 KB are free. What was stored is kept: free some space and run again"
        );
        let over_quota = Shortage { games_left: 1, free: Some(5_000_000), ..shortage.clone() };
        let said = over_quota.to_string();
        assert!(
            said.contains("the 1 game left, and 5.0 MB are free (but a quota may allow less).")
        );
        let rebuild = Shortage { rebuild: true, free: None, ..shortage };
        let said = rebuild.to_string();
        assert!(said.contains("nobody knows how much is free. The cache is as it was"), "{said}");
    }

    #[test]
    fn games_that_are_stored_need_no_more_room_and_the_others_what_games_took_so_far() {
        let folder = tempfile::tempdir().unwrap();
        let cache = folder.path().join("prep.sqlite");
        let mut logs = Vec::new();
        for game_id in 1..=4 {
            let relative_path = PathBuf::from(format!("{game_id}.csv"));
            std::fs::write(folder.path().join(&relative_path), vec![b'x'; 500_000]).unwrap();
            logs.push(LogFile { game_id: GameId(game_id), relative_path });
        }
        let mut stored = BTreeMap::new();
        for (game_id, source_bytes) in [(1, 500_000), (2, 400_000)] {
            let key = CacheKey::now(b"x", ReadOptions::default());
            let summary = LogSummary {
                rows: 1,
                players: PlayerCount::Two,
                gem_fault_rows: 0,
                unbalanced_rows: 0,
                play: GamePlay::default(),
            };
            let record =
                GameRecord::new(GameId(game_id), String::new(), source_bytes, key, &summary);
            stored.insert(GameId(game_id), record);
        }
        let of = |packed| {
            let record = |game_id| stored.get(&game_id).cloned();
            Shortage::of(&cache, folder.path(), logs.iter().cloned(), record, packed)
        };
        let unknown = of(PackedSoFar::default());
        assert_eq!(unknown.games_left, 3, "the second log has grown");
        // Three games may touch two dozen pages of the log.
        let whole_pages = 24 * 65_536;
        assert_eq!(unknown.needed, 2 * 300_000 + whole_pages + 2 * SMALL_FILE);
        let known = of(PackedSoFar { games: 2, bytes: 20_000 });
        assert_eq!(known.needed, 2 * 3 * (10_000 + BESIDE) + whole_pages + 2 * SMALL_FILE);
    }
}
