//! Decodes games on several threads, in order.

use super::games::{Dataset, Game};
use crate::cache::{CacheError, PackedGame, Unpacker};
use crate::parallel::{ThreadError, ordered_map};
use std::sync::atomic::AtomicBool;

impl Dataset<'_> {
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
            |unpacker, game| match self.cache().packed(game.game_id)? {
                Some(packed) => Ok(Some((game, work(game, packed, unpacker)?))),
                None => Ok(None),
            },
            |result| result.map_or(Ok(()), |(game, result)| each(game, result)),
        )
    }
}
