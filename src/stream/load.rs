//! Loads the rows of a split from the cache into memory, and fits the scaler to the training rows.

use super::error::StreamError;
use super::options::StreamOptions;
use super::rows::Rows;
use super::weights::{LabelCounts, LabelWeights, check_game_weight};
use crate::accounting::check_all_done;
use crate::cache::{PackedGame, Reader, Unpacker};
use crate::dataset::{Columns, Dataset, Game, Scaler, Split};
use crate::encode::{ColumnSums, FEATURE_COUNT, LabelRow};
use std::sync::atomic::{AtomicBool, Ordering};

/// The data that a stream has in memory.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) columns: Columns,
    pub(super) rows: Rows,
    /// `None` if values are not normalized.
    pub(super) scaler: Option<Scaler>,
    pub(super) weights: LabelWeights,
}

impl Loaded {
    /// Reads the games of the split; also the sums of the training games if a scaler is fitted, and
    /// their labels if weights depend on the counts.
    pub(super) fn load(
        cache: &Reader,
        options: &StreamOptions,
        threads: usize,
        stop: &AtomicBool,
    ) -> Result<Loaded, StreamError> {
        let dataset = Dataset::open(cache, &options.dataset)?;
        let fits = options.normalize && options.scaler.is_none();
        let counts = options.weights.need_counts();
        let game_weights = options.weights.of_games(cache)?;
        let is_in_split = |game: &Game| game.split == options.split;
        let is_summed = |game: &Game| fits && game.split == Split::Train;
        let is_counted = |game: &Game| counts && game.split == Split::Train;
        let is_read = |game: &&Game| is_in_split(game) || is_summed(game) || is_counted(game);
        let games = || dataset.games().iter().filter(is_read);
        let expected = games().count();
        let with_turn_number = dataset.columns().turn_number().is_some();

        let read = |game: &Game, mut packed: PackedGame, unpacker: &mut Unpacker| {
            packed.check()?;
            let mut sums = None;
            if is_summed(game) {
                let sums = sums.insert(unpacker.column_sums(&packed)?);
                if with_turn_number {
                    sums.push_column(unpacker.turn_numbers(&packed)?);
                }
            }
            let labels = if is_counted(game) { unpacker.label_rows(&packed)? } else { Vec::new() };
            packed.drop_column_sums();
            Ok((packed, sums, labels))
        };
        let mut rows = Rows::default();
        let mut total = ColumnSums::zero(FEATURE_COUNT + usize::from(with_turn_number));
        let mut done = 0;
        let mut label_counts = LabelCounts::zero();
        type Read = (PackedGame, Option<ColumnSums>, Vec<LabelRow>);
        let add = |game: &Game, (packed, sums, labels): Read| {
            if is_in_split(game) {
                let weight = game_weights.as_ref().map_or(Some(&1.0), |of| of.get(&game.game_id));
                let weight = weight.copied().unwrap_or(f64::NAN);
                rows.push(*game, check_game_weight(game, weight)?, packed);
            }
            label_counts.add(&labels);
            sums.iter().for_each(|sums| total.add(sums));
            done += 1;
            Ok::<_, StreamError>(())
        };
        dataset.for_each_game(games(), threads, stop, read, add)?;
        if stop.load(Ordering::Relaxed) {
            return Err(StreamError::Interrupted);
        }
        check_all_done("games were read", done, expected as u64)?;
        let scaler = match &options.scaler {
            _ if !options.normalize => None,
            Some(scaler) => Some(scaler.clone()),
            None => Some(dataset.fit_scaler(&dataset.columns().choose(&total))?),
        };
        let weights = LabelWeights::new(&options.weights, &label_counts)?;
        Ok(Loaded { columns: dataset.columns().clone(), rows, scaler, weights })
    }
}
