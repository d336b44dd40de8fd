//! Spreading games over worker threads, and taking in what they find out one at a time.

use super::IngestError;
use crate::cache::CacheError;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;

/// Results that a thread collects before it sends them: waking the receiver costs as much as a tenth of
/// looking at a game that is up to date.
const CHUNK: usize = 16;

/// Chunks that may wait in the channel, for each thread: enough that all go on working while a batch is
/// committed.
const CHUNKS_PER_THREAD: usize = 8;

/// What came of each place, or the error that ended a thread.
pub(super) type Results<'r, T> = dyn Iterator<Item = Result<T, CacheError>> + 'r;

/// Gives each place from 0 to `places` to one of `jobs` threads (0 for one each core), and all results
/// to `take_in`, in the order in which they come. The threads work from the start; what `take_in` does
/// before it asks for a result, it does beside them. Every thread makes what it works with itself, by
/// `begin`. Before it may have to wait for `take_in`, it gives that to `rest`. Setting `stop`, or an
/// error, ends all early. Returns how many threads there were.
///
/// # Errors
/// That of `take_in`; if the threads cannot be started.
pub(super) fn spread<W, T: Send>(
    jobs: usize,
    places: usize,
    stop: &AtomicBool,
    begin: impl Fn() -> Result<W, CacheError> + Sync,
    work: impl Fn(&mut W, usize) -> Result<T, CacheError> + Sync,
    rest: impl Fn(&mut W) -> Result<(), CacheError> + Sync,
    take_in: impl FnOnce(&mut Results<'_, T>) -> Result<(), IngestError>,
) -> Result<usize, IngestError> {
    let workers = rayon::ThreadPoolBuilder::new().num_threads(jobs).build()?;
    let next = AtomicUsize::new(0);
    let (sender, receiver) = mpsc::sync_channel(CHUNKS_PER_THREAD * workers.current_num_threads());
    // Where nobody takes results any more, whoever ended that has the error.
    let go_on = |sender: &mpsc::SyncSender<Result<Vec<T>, CacheError>>| {
        // `None` once there is no place left: only then, or when told to stop, does a thread end. How many
        // results a chunk has, or how long it took, says nothing about that.
        let next_place = || {
            let place = next.fetch_add(1, Ordering::Relaxed);
            (place < places && !stop.load(Ordering::Relaxed)).then_some(place)
        };
        let collect = |worker: &mut W, first: usize| {
            let mut results = vec![work(worker, first)?];
            while results.len() < CHUNK
                && let Some(place) = next_place()
            {
                results.push(work(worker, place)?);
            }
            Ok(results)
        };
        let mut worker = match begin() {
            Ok(worker) => worker,
            Err(error) => {
                let _ = sender.send(Err(error));
                return;
            }
        };
        while let Some(first) = next_place() {
            let collected = collect(&mut worker, first);
            let results = rest(&mut worker).and(collected);
            let has_failed = results.is_err();
            if sender.send(results).is_err() || has_failed {
                return;
            }
        }
    };
    std::thread::scope(|scope| {
        let workers = &workers;
        scope.spawn(move || workers.broadcast(|_| go_on(&sender.clone())));
        // Dropped on the way out, whichever way that is: then the threads end, too.
        let chunks = receiver.into_iter().map(|results| match results {
            Ok(results) => results.into_iter().map(Ok).collect(),
            Err(error) => vec![Err(error)],
        });
        take_in(&mut chunks.flatten())
    })?;
    Ok(workers.current_num_threads())
}
