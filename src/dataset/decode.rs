//! Games decoded on several threads, in order.

use super::games::{Dataset, Game};
use crate::cache::{CacheError, PackedGame, Unpacker};
use rayon::prelude::*;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;

/// Games read at a time. Three such windows are in memory at once: one being decoded, one waiting, and
/// one being consumed.
const WINDOW_GAMES: usize = 24;

impl Dataset<'_> {
    /// Gives every game to `work` on one of `threads` threads, and what comes of it to `each` on this
    /// thread, in ascending order of games. Memory is bounded.
    ///
    /// When `stop` is set, it ends early without an error.
    ///
    /// # Errors
    /// If a game cannot be read, or the first error of `work` or `each`.
    pub fn for_each_game<
        T: Send,
        E: From<CacheError> + From<rayon::ThreadPoolBuildError> + Send,
    >(
        &self,
        threads: usize,
        stop: &AtomicBool,
        work: impl Fn(&PackedGame, &mut Unpacker) -> Result<T, E> + Sync,
        mut each: impl FnMut(&Game, T) -> Result<(), E>,
    ) -> Result<(), E> {
        let workers = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
        let (work, workers) = (&work, &workers);
        let work_on = |window: Vec<PackedGame>| -> Result<Vec<T>, E> {
            let worked = window.par_iter().map_init(Unpacker::new, |unpacker, game| match unpacker
                .as_mut()
            {
                Ok(unpacker) => work(game, unpacker),
                Err(error) => Err(CacheError::from(std::io::Error::from(error.kind())).into()),
            });
            workers.install(|| worked.collect())
        };
        std::thread::scope(|scope| {
            // Made in here so that they are dropped on every way out: the thread ends when its
            // channels do.
            let (window_sender, windows) = mpsc::sync_channel::<Vec<PackedGame>>(1);
            let (result_sender, results) = mpsc::sync_channel(1);
            scope.spawn(move || {
                for window in windows {
                    if result_sender.send(work_on(window)).is_err() {
                        return;
                    }
                }
            });
            let mut games = self.games().iter();
            let mut windows = self.games().chunks(WINDOW_GAMES);
            let mut pending = 0;
            while !stop.load(Ordering::Relaxed) {
                while pending < 2
                    && let Some(window) = windows.next()
                {
                    let window = window.iter().map(|game| self.snapshot().game(game.game_id));
                    if window_sender.send(window.collect::<Result<_, _>>()?).is_err() {
                        break;
                    }
                    pending += 1;
                }
                if pending == 0 {
                    break;
                }
                let Ok(results) = results.recv() else { break };
                pending -= 1;
                for (result, game) in results?.into_iter().zip(&mut games) {
                    each(game, result)?;
                }
            }
            Ok(())
        })
    }
}
