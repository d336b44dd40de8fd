//! Why there is no stream, or no batch.

use crate::accounting::Unaccounted;
use crate::cache::CacheError;
use crate::dataset::{DatasetError, Dtype};
use crate::gamelog::GameId;
use crate::parallel::ThreadError;

/// Why there is no stream, or no batch.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// [`Dtype::Int8`] was asked for with normalization.
    #[error("int8 holds whole numbers, and normalized values are not: give normalize=False")]
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
    /// It was stopped.
    #[error("interrupted")]
    Interrupted,
    /// There is no dataset.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    /// The cache failed.
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
