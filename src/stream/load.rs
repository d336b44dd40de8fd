//! The rows of a split from the cache into memory, and the scaler of the training rows.

use super::error::StreamError;
use super::options::StreamOptions;
use super::rows::Rows;
use crate::accounting::check_all_done;
use crate::cache::{PackedGame, Reader, Unpacker};
use crate::dataset::{Columns, Dataset, Game, Scaler, Split};
use crate::encode::{ColumnSums, FEATURE_COUNT};
use std::sync::atomic::{AtomicBool, Ordering};

/// What a stream has in memory.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) columns: Columns,
    pub(super) rows: Rows,
    /// `None` if values are not normalized.
    pub(super) scaler: Option<Scaler>,
}

impl Loaded {
    /// Reads the games of the split, and the sums of the training games if a scaler is to be fitted.
    pub(super) fn load(
        cache: &Reader,
        options: &StreamOptions,
        threads: usize,
        stop: &AtomicBool,
    ) -> Result<Loaded, StreamError> {
        let dataset = Dataset::open(cache, &options.dataset)?;
        let fits = options.normalize && options.scaler.is_none();
        let is_in_split = |game: &Game| game.split == options.split;
        let is_summed = |game: &Game| fits && game.split == Split::Train;
        let games = || dataset.games().iter().filter(|game| is_in_split(game) || is_summed(game));
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
            packed.drop_column_sums();
            Ok((packed, sums))
        };
        let mut rows = Rows::default();
        let mut total = ColumnSums::zero(FEATURE_COUNT + usize::from(with_turn_number));
        let mut done = 0;
        let add = |game: &Game, (packed, sums): (PackedGame, Option<ColumnSums>)| {
            if is_in_split(game) {
                rows.push(*game, packed);
            }
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
        Ok(Loaded { columns: dataset.columns().clone(), rows, scaler })
    }
}
