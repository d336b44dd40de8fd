//! Spreading games over worker threads, and taking in what they find out one at a time.

use super::IngestError;
use crate::cache::CacheError;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// How long a thread gathers results before it hands them over. Waking whoever takes them costs as
/// much as a tenth of looking at a game that is up to date; encoding one takes longer than this.
const GATHERING: Duration = Duration::from_millis(1);

/// Handfuls of results that may wait to be taken in, for each thread: enough that all go on working
/// while a batch is committed, and few enough not to count.
const HANDFULS_OF_A_THREAD: usize = 32;

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
    let handfuls_under_way = HANDFULS_OF_A_THREAD * workers.current_num_threads();
    let (sender, receiver) = mpsc::sync_channel(handfuls_under_way);
    // Where nobody takes results any more, whoever ended that has the error.
    let go_on = |sender: &mpsc::SyncSender<Result<Vec<T>, CacheError>>| {
        let gather = |worker: &mut W| {
            let begun = Instant::now();
            let mut results = Vec::new();
            while begun.elapsed() < GATHERING && !stop.load(Ordering::Relaxed) {
                let place = next.fetch_add(1, Ordering::Relaxed);
                if place >= places {
                    break;
                }
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
        loop {
            let gathered = gather(&mut worker);
            let results = rest(&mut worker).and(gathered);
            let is_last = results.as_ref().map_or(true, Vec::is_empty);
            if sender.send(results).is_err() || is_last {
                return;
            }
        }
    };
    std::thread::scope(|scope| {
        let workers = &workers;
        scope.spawn(move || workers.broadcast(|_| go_on(&sender.clone())));
        // Dropped on the way out, whichever way that is: then the threads end, too.
        let handfuls = receiver.into_iter().map(|results| match results {
            Ok(results) => results.into_iter().map(Ok).collect(),
            Err(error) => vec![Err(error)],
        });
        take_in(&mut handfuls.flatten())
    })?;
    Ok(workers.current_num_threads())
}
