//! Games decoded on several threads, in order.

use super::games::{Dataset, Game};
use crate::cache::{CacheError, PackedGame, Unpacker};
use crate::parallel::{ThreadError, ordered_map};
use std::sync::atomic::AtomicBool;

impl Dataset<'_> {
    /// Gives every game to `work` on one of `threads` threads, and its result to `each` on this
    /// thread, in ascending order of games. Memory is bounded.
    ///
    /// When `stop` is set, it ends early without an error.
    ///
    /// # Errors
    /// If a game cannot be read, or the first error of `work` or `each`.
    pub fn for_each_game<T: Send, E: From<CacheError> + From<ThreadError> + Send>(
        &self,
        threads: usize,
        stop: &AtomicBool,
        work: impl Fn(&PackedGame, &mut Unpacker) -> Result<T, E> + Sync,
        mut each: impl FnMut(&Game, T) -> Result<(), E>,
    ) -> Result<(), E> {
        ordered_map(
            threads,
            self.games(),
            stop,
            || Unpacker::new().map_err(|error| CacheError::from(error).into()),
            |unpacker, game| match self.cache().packed(game.game_id)? {
                Some(packed) => Ok(Some((game, work(&packed, unpacker)?))),
                None => Ok(None),
            },
            |result| result.map_or(Ok(()), |(game, result)| each(game, result)),
        )
    }
}
