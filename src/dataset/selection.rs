//! Selects the games of a dataset.

use super::error::DatasetError;
use super::options::DatasetOptions;
use super::short_hash::ShortHash;
use super::split::{Split, assign};
use crate::accounting::check_all_done;
use crate::cache::{GameRecord, Reader, Refusal};
use crate::gamelog::{GameId, GamePlay};
use std::collections::BTreeSet;

/// A game of a dataset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Game {
    /// Its id.
    pub game_id: GameId,
    /// Number of rows.
    pub rows: u32,
    /// Its split.
    pub split: Split,
    /// Hash of the log that its rows were made from; it does not depend on the encoder.
    pub log_hash: ShortHash,
    /// How it was played; `None` if an earlier version of prep stored it and it was not replayed since.
    pub play: Option<GamePlay>,
}

/// A game that does not replay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultyGame {
    /// Its id.
    pub game_id: GameId,
    /// Its first fault, in one sentence that begins with the log and the line.
    pub why: String,
}

/// The cached games that a dataset excludes, or includes with a restriction.
#[derive(Clone, Debug)]
pub struct Selection {
    /// Games that are excluded because their logs were refused or deferred.
    pub excluded: Vec<Refusal>,
    /// Games with the rows of an older log, because the log was refused or deferred since.
    pub outdated: Vec<Refusal>,
    /// Games that do not replay, in ascending order. They are excluded with `replayable_only`.
    pub does_not_replay: Vec<FaultyGame>,
    /// The number of included games that an earlier version of prep stored without replaying them.
    pub not_replayed: usize,
    /// The number of cached games that do not meet the condition.
    pub not_selected: u64,
    /// Whether the last ingest finished; if not, games may be missing.
    pub last_ingest_finished: bool,
}

/// The games of all shards with their splits, in ascending order, and the hash of their inputs.
pub(super) fn select_games(
    reader: &Reader,
    options: &DatasetOptions,
) -> Result<(Vec<Game>, blake3::Hash, Selection), DatasetError> {
    let replayable_only = options.replayable_only;
    let refusals = reader.refusals()?;
    let refused: BTreeSet<GameId> = refusals.iter().map(|refusal| refusal.game_id).collect();
    let selected = match &options.condition {
        Some(condition) => Some(reader.game_list()?.games_where(condition)?),
        None => None,
    };
    let (mut games, mut inputs) = (Vec::new(), blake3::Hasher::new());
    let (mut of_other_encoder, mut unknown, mut cannot_be_ingested) = (0, 0, 0);
    let (mut faulty, mut not_replayed, mut not_selected) = (Vec::new(), 0, BTreeSet::new());
    let records = reader.records()?;
    let cached = records.len();
    for record in records.into_values() {
        let GameRecord { game_id, rows, play, .. } = record;
        if selected.as_ref().is_some_and(|games| !games.contains(&game_id)) {
            not_selected.insert(game_id);
            continue;
        }
        let must_be_ingested = match record.replays() {
            _ if !record.is_of_this_encoder() => Some(&mut of_other_encoder),
            None if replayable_only => Some(&mut unknown),
            None => {
                not_replayed += 1;
                None
            }
            Some(false) => {
                faulty.push((game_id, record.source_path.clone()));
                None
            }
            Some(true) => None,
        };
        if let Some(games) = must_be_ingested {
            *(if refused.contains(&game_id) { &mut cannot_be_ingested } else { games }) += 1;
            continue;
        }
        if replayable_only && record.replays() == Some(false) {
            continue;
        }
        inputs.update(&game_id.0.to_le_bytes());
        inputs.update(record.key.source_hash.as_bytes());
        inputs.update(&[record.key.repaired.into()]);
        games.push(Game { game_id, rows, split: Split::Train, log_hash: log_hash(&record), play });
    }
    let cache = || reader.path().to_owned();
    let excluded_faulty = if replayable_only { faulty.len() } else { 0 };
    match (games.len(), excluded_faulty) {
        _ if cached == 0 => return Err(DatasetError::NoGames { cache: cache() }),
        _ if of_other_encoder > 0 => {
            return Err(DatasetError::OtherEncoder { cache: cache(), games: of_other_encoder });
        }
        _ if unknown > 0 => {
            return Err(DatasetError::NotReplayed { cache: cache(), games: unknown });
        }
        (0, 0) if cannot_be_ingested == 0 => {
            let condition = options.condition.clone().unwrap_or_default();
            return Err(DatasetError::NoneSelected { condition, cached });
        }
        (0, 0) => {
            return Err(DatasetError::OtherEncoder { cache: cache(), games: cannot_be_ingested });
        }
        (0, games) => return Err(DatasetError::NoneReplays { games, cached }),
        _ => {}
    }
    let decided = games.len() + excluded_faulty + cannot_be_ingested + not_selected.len();
    let expected = reader.game_count()?;
    check_all_done("cached games were selected or excluded", decided as u64, expected)?;

    let ids = games.iter().map(|game| game.game_id);
    let splits = assign(ids, options.ratios, options.seed, options.split_method)?;
    games.iter_mut().zip(splits).for_each(|(game, split)| game.split = split);
    let is_included = |refusal: &Refusal| {
        games.binary_search_by_key(&refusal.game_id, |game| game.game_id).is_ok()
    };
    let (outdated, mut excluded): (Vec<_>, Vec<_>) = refusals.into_iter().partition(is_included);
    // Each excluded game has one reason.
    excluded.retain(|Refusal { game_id, .. }| {
        faulty.binary_search_by_key(game_id, |&(game_id, _)| game_id).is_err()
            && !not_selected.contains(game_id)
    });
    let selection = Selection {
        excluded,
        outdated,
        does_not_replay: first_faults(reader, faulty)?,
        not_replayed,
        not_selected: not_selected.len() as u64,
        last_ingest_finished: reader.last_ingest_finished()?,
    };
    Ok((games, inputs.finalize(), selection))
}

fn first_faults(
    reader: &Reader,
    games: Vec<(GameId, String)>,
) -> Result<Vec<FaultyGame>, DatasetError> {
    if games.is_empty() {
        return Ok(Vec::new());
    }
    let faults = reader.replay_faults()?;
    let first = |game_id| faults.get(&game_id).and_then(|faults| faults.first());
    let why = |(game_id, path): (GameId, String)| {
        let why = match first(game_id) {
            Some(fault) => format!("{path}:{}: {fault}", fault.line),
            None => path,
        };
        FaultyGame { game_id, why }
    };
    Ok(games.into_iter().map(why).collect())
}

/// The hash by which exports identify the log of a game; a repaired log has a different one.
pub fn log_hash(record: &GameRecord) -> ShortHash {
    match record.key.repaired {
        false => record.key.source_hash.into(),
        // The same log gives different rows when its fault is repaired.
        true => blake3::hash(record.key.source_hash.as_bytes()).into(),
    }
}
