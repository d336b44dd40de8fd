//! The content of the cache before a run.

use super::IngestError;
use super::find::LogFile;
use super::phases::IngestPhases;
use crate::cache::{CachedGame, Reader, Refusal};
use crate::gamelog::GameId;
use crate::parallel::ordered_map;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// Number of games that a thread checks at a time.
const CHUNK: usize = 128;

/// All cached games, checked by their checksums, and the results of the last run.
#[derive(Default)]
pub(super) struct CachedGames {
    pub(super) games: BTreeMap<GameId, CachedGame>,
    /// Logs that the last run refused or deferred, by game.
    pub(super) refused: Vec<Refusal>,
    pub(super) last_ingest_finished: bool,
}

impl CachedGames {
    /// Reads all of a cache; without one, there are no games.
    ///
    /// # Errors
    /// If it cannot be read; [`IngestError::Interrupted`] if it was stopped.
    pub(super) fn load(
        reader: Option<&Reader>,
        threads: usize,
        phases: &IngestPhases,
        stop: &AtomicBool,
    ) -> Result<Self, IngestError> {
        let Some(reader) = reader else {
            return Ok(CachedGames { last_ingest_finished: true, ..CachedGames::default() });
        };
        let mut cached = CachedGames {
            games: BTreeMap::new(),
            refused: reader.refusals()?,
            last_ingest_finished: reader.last_ingest_finished()?,
        };
        ordered_map(
            threads,
            reader.id_ranges(CHUNK)?,
            stop,
            || Ok(()),
            |(), range| -> Result<_, IngestError> {
                let begun = Instant::now();
                let games = reader.check_games(range)?;
                let records = games.iter().flat_map(|(_, game)| &game.record);
                let rows = records.map(|record| u64::from(record.rows)).sum();
                phases.check.add(begun.elapsed(), rows);
                Ok(games)
            },
            |games| {
                cached.games.extend(games);
                Ok(())
            },
        )?;
        if stop.load(Ordering::Relaxed) {
            return Err(IngestError::Interrupted);
        }
        Ok(cached)
    }

    /// Games with a refused or deferred log.
    pub(super) fn refused_games(&self) -> BTreeSet<GameId> {
        self.refused.iter().map(|refusal| refusal.game_id).collect()
    }

    /// The refusals of a game.
    pub(super) fn refusals_of(&self, game_id: GameId) -> &[Refusal] {
        let begin = self.refused.partition_point(|refusal| refusal.game_id < game_id);
        let refusals = &self.refused[begin..];
        &refusals[..refusals.partition_point(|refusal| refusal.game_id == game_id)]
    }

    /// Cached games without a log, ascending.
    pub(super) fn without_log(&self, logs: &[LogFile]) -> Vec<GameId> {
        self.games.keys().copied().filter(|&game_id| !has_log(logs, game_id)).collect()
    }
}

/// Whether this game has a log; the logs are ordered by game id.
pub(super) fn has_log(logs: &[LogFile], game_id: GameId) -> bool {
    logs.binary_search_by_key(&game_id, |log| log.game_id).is_ok()
}
