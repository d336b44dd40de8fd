//! Facts about the cache that need no rows.

use crate::cache::{CacheError, GameRecord, Reader, Refusal};
use crate::gamelog::{Ending, GameId, ReplayFault};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// Facts about the cache that need no rows.
#[derive(Clone, Debug)]
pub(crate) struct CacheFacts {
    pub(crate) path: PathBuf,
    pub(crate) games: u64,
    pub(crate) log_bytes: u64,
    pub(crate) packed_bytes: u64,
    /// Number of games that another version of prep encoded; they are excluded, because their columns
    /// are unknown.
    pub(crate) other_encoder: u64,
    /// Rows with the known gem fault of old logs.
    pub(crate) gem_fault_rows: u64,
    /// Rows of these that `--repair` corrected.
    pub(crate) repaired_rows: u64,
    /// Rows whose gems do not add up to the supply.
    pub(crate) unbalanced_rows: u64,
    /// Number of games by ending, in the order of [`Ending::ALL`].
    pub(crate) endings: [u64; Ending::ALL.len()],
    /// Number of games that an earlier version of prep stored and that have not been replayed since.
    pub(crate) not_replayed: u64,
    /// Games that do not replay, in ascending order.
    pub(crate) does_not_replay: Vec<FaultyGame>,
    /// Logs that the last ingest refused or deferred, by game.
    pub(crate) refusals: Vec<Refusal>,
    /// Number of these logs whose game is cached in an older version.
    pub(crate) from_an_older_log: BTreeSet<GameId>,
    pub(crate) last_ingest_finished: bool,
}

/// A game that does not replay.
#[derive(Clone, Debug)]
pub(crate) struct FaultyGame {
    pub(crate) game_id: GameId,
    pub(crate) source_path: String,
    pub(crate) fault_rows: u32,
    /// The first fault.
    pub(crate) faults: Vec<ReplayFault>,
}

pub(super) fn facts(
    cache: &Reader,
    records: &BTreeMap<GameId, GameRecord>,
    packed_bytes: u64,
    other_encoder: u64,
) -> Result<CacheFacts, CacheError> {
    let sum = |number: fn(&GameRecord) -> u64| records.values().map(number).sum();
    let refusals = cache.refusals()?;
    let plays = || records.values().filter_map(|record| record.play);
    let mut faults = cache.replay_faults()?;
    let faulty = records.values().filter(|record| record.replays() == Some(false));
    let faulty = faulty.map(|record| FaultyGame {
        game_id: record.game_id,
        source_path: record.source_path.clone(),
        fault_rows: record.play.map_or(0, |play| play.replay_fault_rows),
        faults: faults.remove(&record.game_id).unwrap_or_default(),
    });
    Ok(CacheFacts {
        endings: Ending::ALL
            .map(|ending| plays().filter(|play| play.result.ending == ending).count() as u64),
        not_replayed: (records.len() - plays().count()) as u64,
        does_not_replay: faulty.collect(),
        path: cache.path().to_owned(),
        games: records.len() as u64,
        log_bytes: sum(|record| record.source_bytes),
        packed_bytes,
        other_encoder,
        gem_fault_rows: sum(|record| record.gem_fault_rows.into()),
        repaired_rows: sum(
            |record| {
                if record.key.repaired { record.gem_fault_rows.into() } else { 0 }
            },
        ),
        unbalanced_rows: sum(|record| record.unbalanced_rows.into()),
        from_an_older_log: refusals
            .iter()
            .map(|refusal| refusal.game_id)
            .filter(|game_id| records.contains_key(game_id))
            .collect(),
        refusals,
        last_ingest_finished: cache.last_ingest_finished()?,
    })
}
