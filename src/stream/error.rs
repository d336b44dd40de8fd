//! Errors of streams.

use crate::accounting::Unaccounted;
use crate::cache::{CacheError, ExpressionError};
use crate::dataset::{DatasetError, Dtype};
use crate::encode::Head;
use crate::gamelog::GameId;
use crate::parallel::ThreadError;

/// Errors of streams.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// [`Dtype::Int8`] was asked for with normalization.
    #[error(
        "int8 holds whole numbers only, and normalized values are fractions: use normalize=False"
    )]
    NormalizedIntegers,
    /// A value is out of the range of the type.
    #[error(
        "game {game_id}: {column} is {value}, which is out of the range of {}: use dtype=\"float32\"",
        dtype.name()
    )]
    OutOfRange {
        /// The game.
        game_id: GameId,
        /// Name of the column.
        column: &'static str,
        /// The value, normalized if the stream is.
        value: f64,
        /// The type.
        dtype: Dtype,
    },
    /// The weights of a head cannot be used.
    #[error(
        "the weights of {} must be {} numbers, one for each class and not negative",
        head.name(), head.classes()
    )]
    ClassWeights {
        /// The head.
        head: Head,
    },
    /// The weight of a game cannot be used.
    #[error(
        "game_weight is {} for game {game_id}, expected a number that is not negative",
        if weight.is_nan() { "NULL".to_owned() } else { weight.to_string() }
    )]
    GameWeight {
        /// The game.
        game_id: GameId,
        /// Its weight.
        weight: f64,
    },
    /// The expression for the weights of games is invalid.
    #[error(transparent)]
    Expression(#[from] ExpressionError),
    /// The stream was stopped.
    #[error("interrupted")]
    Interrupted,
    /// The dataset could not be opened.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    /// An error of the cache.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// Not every game was read.
    #[error(transparent)]
    Unaccounted(#[from] Unaccounted),
    /// The worker threads could not be started.
    #[error(transparent)]
    Threads(#[from] ThreadError),
    /// The threads that make batches could not be started.
    #[error("cannot start threads: {0}")]
    StartThreads(std::io::Error),
}
