//! A dataset: the selected games of the cache with their splits.

use super::columns::Columns;
use super::ratios::Ratios;
use super::scaler::{Scaler, ScalerError};
use super::short_hash::ShortHash;
use super::split::{BySplit, Split, SplitError, SplitMethod, assign};
use crate::accounting::{Unaccounted, check_all_done};
use crate::cache::{CacheError, ExpressionError, GameRecord, Reader, Refusal};
use crate::encode::ColumnSums;
use crate::gamelog::{GameId, GamePlay};
use crate::parallel::Part;
use crate::words::{advised, shown};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// The options of a dataset.
#[derive(Clone, Debug)]
pub struct DatasetOptions {
    /// Shares of the games.
    pub ratios: Ratios,
    /// How games are assigned to splits.
    pub split_method: SplitMethod,
    /// Seed of the split.
    pub seed: u32,
    /// The columns.
    pub columns: Columns,
    /// Whether games that do not replay are excluded.
    pub replayable_only: bool,
    /// A condition over the columns of the view `game_list`, which the games must meet.
    pub condition: Option<String>,
    /// Only this part of the games of each split. Selection, splits and sums are those of all games.
    pub shard: Option<Part>,
}

/// Why a dataset cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum DatasetError {
    /// The cache is empty.
    #[error(
        "the cache holds no games: run `{}` first; `{}` says why logs were not ingested",
        advised("ingest DIR", cache),
        advised("status DIR", cache)
    )]
    NoGames {
        /// The cache file.
        cache: PathBuf,
    },
    /// Rows of two encoders must not be mixed in one array.
    #[error(
        "{} encoded by another version of prep: run `{}` first, which encodes {} again (an ingest without --keep-missing drops games whose log is missing)",
        if *games == 1 { "1 cached game was".to_owned() } else { format!("{games} cached games were") },
        advised("ingest DIR", cache),
        if *games == 1 { "it" } else { "them" }
    )]
    OtherEncoder {
        /// The cache file.
        cache: PathBuf,
        /// Number of these games.
        games: usize,
    },
    /// Games that do not replay should be excluded, but some games have not been replayed.
    #[error(
        "{} not been replayed: run `{}` first, which replays {} (an ingest \
         without --keep-missing drops games whose log is missing)",
        if *games == 1 { "1 cached game has".to_owned() } else { format!("{games} cached games have") },
        advised("ingest DIR", cache),
        if *games == 1 { "it" } else { "them" }
    )]
    NotReplayed {
        /// The cache file.
        cache: PathBuf,
        /// Number of these games.
        games: usize,
    },
    /// All games are excluded because they do not replay.
    #[error(
        "{games} of {cached} cached games {} not replay, and no other game can be used: the view \
         replay_faults of the cache lists the faults of {}",
        if *games == 1 { "does" } else { "do" },
        if *games == 1 { "it" } else { "them" }
    )]
    NoneReplays {
        /// Number of games that do not replay.
        games: usize,
        /// Games in the cache.
        cached: usize,
    },
    /// The condition is invalid, see [`GameList`](crate::cache::GameList).
    #[error(transparent)]
    Condition(#[from] ExpressionError),
    /// No game meets the condition.
    #[error("none of {cached} cached games meets the condition `{}`", shown(condition))]
    NoneSelected {
        /// The condition.
        condition: String,
        /// Games in the cache.
        cached: usize,
    },
    /// The cached sums of a column are impossible.
    #[error(
        "the cached sums of {column} are impossible: an ingest with --rebuild creates the cache again \
         from the logs"
    )]
    ImpossibleSums {
        /// Name of the column.
        column: &'static str,
    },
    /// An error of the cache.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// Games could not be assigned to splits.
    #[error(transparent)]
    Split(#[from] SplitError),
    /// The scaler could not be fitted.
    #[error(transparent)]
    Fit(#[from] ScalerError),
    /// Not every game was counted.
    #[error(transparent)]
    Unaccounted(#[from] Unaccounted),
}

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

/// A consistent view of the games of a cache.
pub struct Dataset<'c> {
    cache: &'c Reader,
    games: Vec<Game>,
    /// Also those of other shards.
    training_games: Vec<GameId>,
    columns: Columns,
    inputs_hash: blake3::Hash,
    excluded: Vec<Refusal>,
    outdated: Vec<Refusal>,
    does_not_replay: Vec<FaultyGame>,
    not_replayed: usize,
    not_selected: u64,
    last_ingest_finished: bool,
}

impl<'c> Dataset<'c> {
    /// Lists the games of a cache and assigns each to a split.
    ///
    /// Excludes games that another encoder made and whose logs have been refused since: an ingest can
    /// encode them only after somebody repairs the logs, and the other games must not wait for that.
    /// With `replayable_only`, the same holds for games that an earlier version of prep stored without
    /// replaying them.
    ///
    /// # Errors
    /// If there are no games, if games of another encoder must be encoded again or games must be
    /// replayed first, or if the cache is damaged.
    pub fn open(cache: &'c Reader, options: &DatasetOptions) -> Result<Dataset<'c>, DatasetError> {
        let refusals = cache.refusals()?;
        let selected = match &options.condition {
            Some(condition) => Some(cache.game_list()?.games_where(condition)?),
            None => None,
        };
        let is_selected =
            |game_id: GameId| selected.as_ref().is_none_or(|games| games.contains(&game_id));
        let listed = list_games(cache, &refusals, options, is_selected)?;
        let Listed { mut games, inputs_hash, does_not_replay, not_replayed, not_selected } = listed;
        let ids = games.iter().map(|game| game.game_id);
        let splits = assign(ids, options.ratios, options.seed, options.split_method)?;
        games.iter_mut().zip(splits).for_each(|(game, split)| game.split = split);
        let is_included = |refusal: &Refusal| {
            games.binary_search_by_key(&refusal.game_id, |game| game.game_id).is_ok()
        };
        let (outdated, mut excluded): (Vec<_>, Vec<_>) =
            refusals.into_iter().partition(is_included);
        // Each excluded game has one reason.
        excluded.retain(|refusal| {
            let game_id = refusal.game_id;
            let is_faulty = does_not_replay.binary_search_by_key(&game_id, |game| game.game_id);
            is_faulty.is_err() && not_selected.binary_search(&game_id).is_err()
        });
        let training = games.iter().filter(|game| game.split == Split::Train);
        let training_games = training.map(|game| game.game_id).collect();
        if let Some(shard) = options.shard {
            let of_split = |split| games.iter().filter(move |game| game.split == split);
            let ranges = BySplit::from_fn(|split| shard.range(of_split(split).count()));
            let mut places = BySplit::<usize>::default();
            games.retain(|game| {
                let place = &mut places[game.split];
                *place += 1;
                ranges[game.split].contains(&(*place - 1))
            });
        }
        Ok(Dataset {
            training_games,
            last_ingest_finished: cache.last_ingest_finished()?,
            columns: options.columns.clone(),
            cache,
            games,
            inputs_hash,
            excluded,
            outdated,
            does_not_replay,
            not_replayed,
            not_selected: not_selected.len() as u64,
        })
    }

    /// The cache of the games.
    pub fn cache(&self) -> &Reader {
        self.cache
    }

    /// Every game, in ascending order; those of the shard, if it is one.
    pub fn games(&self) -> &[Game] {
        &self.games
    }

    /// The games of a split, in ascending order.
    pub fn in_split(&self, split: Split) -> impl Iterator<Item = &Game> {
        self.games.iter().filter(move |game| game.split == split)
    }

    /// Number of rows of each split.
    pub fn rows(&self) -> BySplit<u64> {
        BySplit::from_fn(|split| self.in_split(split).map(|game| u64::from(game.rows)).sum())
    }

    /// The columns.
    pub fn columns(&self) -> &Columns {
        &self.columns
    }

    /// One hash over the id of every game and the hash of the log its rows were made from, also those of
    /// other shards.
    pub fn inputs_hash(&self) -> blake3::Hash {
        self.inputs_hash
    }

    /// Games that are excluded because their logs were refused or deferred.
    pub fn excluded(&self) -> &[Refusal] {
        &self.excluded
    }

    /// Games with the rows of an older log, because the log was refused or deferred since.
    pub fn outdated(&self) -> &[Refusal] {
        &self.outdated
    }

    /// Games that do not replay, in ascending order. They are excluded with `replayable_only`.
    pub fn does_not_replay(&self) -> &[FaultyGame] {
        &self.does_not_replay
    }

    /// The number of games that an earlier version of prep stored without replaying them.
    pub fn not_replayed(&self) -> usize {
        self.not_replayed
    }

    /// The number of cached games that do not meet the condition.
    pub fn not_selected(&self) -> u64 {
        self.not_selected
    }

    /// Whether the last ingest finished; if not, games may be missing.
    pub fn last_ingest_finished(&self) -> bool {
        self.last_ingest_finished
    }

    /// The training games, also those of other shards, in ascending order.
    pub fn training_games(&self) -> &[GameId] {
        &self.training_games
    }

    /// The exact sums of the rows of all training games, of this dataset's columns. `done` is called after
    /// each game.
    ///
    /// # Errors
    /// If a game is damaged.
    pub fn training_sums(&self, mut done: impl FnMut()) -> Result<ColumnSums, DatasetError> {
        let games = || self.training_games.iter().copied();
        let mut sums = self.cache.column_sums(games().inspect(|_| done()))?;
        if self.columns.turn_number().is_some() {
            sums.push_column(self.cache.turn_numbers(games())?);
        }
        Ok(self.columns.choose(&sums))
    }

    /// Fits a scaler to the sums of the training rows.
    ///
    /// # Errors
    /// If there are no training rows, or the sums are impossible.
    pub fn fit_scaler(&self, sums: &ColumnSums) -> Result<Scaler, DatasetError> {
        fit(sums, &self.columns)
    }
}

fn fit(sums: &ColumnSums, columns: &Columns) -> Result<Scaler, DatasetError> {
    Scaler::fit(sums, &columns.normalized()).map_err(|error| match error {
        ScalerError::ImpossibleSums { column } => {
            DatasetError::ImpossibleSums { column: columns.names()[column] }
        }
        error => error.into(),
    })
}

/// The content of the cache for a dataset.
struct Listed {
    games: Vec<Game>,
    inputs_hash: blake3::Hash,
    does_not_replay: Vec<FaultyGame>,
    not_replayed: usize,
    /// Ascending.
    not_selected: Vec<GameId>,
}

/// The games of the dataset, and the hash of their inputs.
fn list_games(
    reader: &Reader,
    refusals: &[Refusal],
    options: &DatasetOptions,
    is_selected: impl Fn(GameId) -> bool,
) -> Result<Listed, DatasetError> {
    let replayable_only = options.replayable_only;
    let refused: BTreeSet<GameId> = refusals.iter().map(|refusal| refusal.game_id).collect();
    let (mut games, mut inputs) = (Vec::new(), blake3::Hasher::new());
    let (mut of_other_encoder, mut excluded) = (0, 0);
    let (mut faulty, mut not_replayed, mut unknown) = (Vec::new(), 0, 0);
    let mut not_selected = Vec::new();
    let records = reader.records()?;
    let cached = records.len();
    for record in records.into_values() {
        if !is_selected(record.game_id) {
            not_selected.push(record.game_id);
            continue;
        }
        let is_refused = refused.contains(&record.game_id);
        if !record.is_of_this_encoder() {
            *(if is_refused { &mut excluded } else { &mut of_other_encoder }) += 1;
            continue;
        }
        match record.replays() {
            Some(true) => {}
            Some(false) => faulty.push((record.game_id, record.source_path.clone())),
            None if replayable_only && is_refused => excluded += 1,
            None if replayable_only => unknown += 1,
            None => not_replayed += 1,
        }
        if replayable_only && record.replays() != Some(true) {
            continue;
        }
        inputs.update(&record.game_id.0.to_le_bytes());
        inputs.update(record.key.source_hash.as_bytes());
        inputs.update(&[record.key.repaired.into()]);
        let GameRecord { game_id, rows, play, .. } = record;
        games.push(Game { game_id, rows, split: Split::Train, log_hash: log_hash(&record), play });
    }
    let cache = || reader.path().to_owned();
    let left_out = if replayable_only { faulty.len() } else { 0 };
    if cached == 0 {
        return Err(DatasetError::NoGames { cache: cache() });
    }
    if of_other_encoder > 0 {
        return Err(DatasetError::OtherEncoder { cache: cache(), games: of_other_encoder });
    }
    if unknown > 0 {
        return Err(DatasetError::NotReplayed { cache: cache(), games: unknown });
    }
    if games.is_empty() {
        return Err(match left_out {
            0 if excluded == 0 => DatasetError::NoneSelected {
                condition: options.condition.clone().unwrap_or_default(),
                cached,
            },
            0 => DatasetError::OtherEncoder { cache: cache(), games: excluded },
            games => DatasetError::NoneReplays { games, cached },
        });
    }
    let decided = (games.len() + left_out + excluded + not_selected.len()) as u64;
    check_all_done("cached games were selected or excluded", decided, reader.game_count()?)?;
    let does_not_replay = first_faults(reader, faulty)?;
    let inputs_hash = inputs.finalize();
    Ok(Listed { games, inputs_hash, does_not_replay, not_replayed, not_selected })
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

#[cfg(test)]
mod tests {
    use super::super::options::FeatureSet;
    use super::*;

    #[test]
    fn impossible_sums_name_the_column() {
        let columns = Columns::of(FeatureSet::Base);
        let first = columns.normalized().iter().position(|&normalized| normalized).unwrap();
        let mut sums = ColumnSums { rows: 2, ..ColumnSums::zero(columns.count()) };
        sums.sum[first] = 4;
        let error = fit(&sums, &columns).unwrap_err().to_string();
        let name = columns.names()[first];
        let expected = format!("the cached sums of {name} are impossible");
        assert!(error.starts_with(&expected), "{error}");
    }
}
