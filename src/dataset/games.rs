//! A dataset: the selected games of the cache with their splits.

use super::columns::Columns;
use super::error::DatasetError;
use super::options::DatasetOptions;
use super::scaler::{Scaler, ScalerError};
use super::selection::{Game, Selection, select_games};
use super::split::{BySplit, Split};
use crate::cache::{CacheError, PackedGame, Reader, Unpacker};
use crate::encode::ColumnSums;
use crate::gamelog::GameId;
use crate::parallel::{ThreadError, ordered_map};
use std::sync::atomic::AtomicBool;

/// A consistent view of the games of a cache.
pub struct Dataset<'c> {
    cache: &'c Reader,
    games: Vec<Game>,
    /// Also those of other shards.
    training_games: Vec<GameId>,
    columns: Columns,
    inputs_hash: blake3::Hash,
    selection: Selection,
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
        let (mut games, inputs_hash, selection) = select_games(cache, options)?;
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
        let columns = options.columns.clone();
        Ok(Dataset { cache, games, training_games, columns, inputs_hash, selection })
    }

    /// Every game, in ascending order; with a shard, only its games.
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

    /// One hash over the id of every game, also of other shards, and the hash of the log its rows were made
    /// from.
    pub fn inputs_hash(&self) -> blake3::Hash {
        self.inputs_hash
    }

    /// The games that are excluded, or included with a restriction.
    pub fn selection(&self) -> &Selection {
        &self.selection
    }

    /// The training games, also of other shards, in ascending order.
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

    /// Calls `work` for each game on one of `threads` threads, and `each` with the results on this
    /// thread, in the order of the games. Memory is bounded.
    ///
    /// Ends early without an error when `stop` is set.
    ///
    /// # Errors
    /// If a game cannot be read, or the first error of `work` or `each`.
    pub fn for_each_game<'g, T: Send, E: From<CacheError> + From<ThreadError> + Send>(
        &self,
        games: impl IntoIterator<Item = &'g Game, IntoIter: Send>,
        threads: usize,
        stop: &AtomicBool,
        work: impl Fn(&Game, PackedGame, &mut Unpacker) -> Result<T, E> + Sync,
        mut each: impl FnMut(&Game, T) -> Result<(), E>,
    ) -> Result<(), E> {
        ordered_map(
            threads,
            games,
            stop,
            || Unpacker::new().map_err(|error| CacheError::from(error).into()),
            |unpacker, game| match self.cache.packed(game.game_id)? {
                Some(packed) => Ok(Some((game, work(game, packed, unpacker)?))),
                None => Ok(None),
            },
            |result| result.map_or(Ok(()), |(game, result)| each(game, result)),
        )
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

#[cfg(test)]
mod tests {
    use super::super::columns::FeatureSet;
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
