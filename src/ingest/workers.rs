//! Spreading games over worker threads, and taking in what they find out one at a time.

use super::IngestError;
use crate::cache::CacheError;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;

/// Results that wait to be taken in: enough that workers go on while one is, however many there are,
/// and few enough not to count.
const RESULTS_UNDER_WAY: usize = 64;

/// Gives each place from 0 to `places` to one of `jobs` threads (0 for one each core) and each result
/// to `take`, in the order in which they come. Every thread makes what it works with itself, by
/// `begin`. Setting `stop`, or an error, ends it early; returns how many threads there were.
///
/// # Errors
/// The first of a thread or of `take`; if the threads cannot be started.
pub(super) fn spread<W, T: Send>(
    jobs: usize,
    places: usize,
    stop: &AtomicBool,
    begin: impl Fn() -> Result<W, CacheError> + Sync,
    work: impl Fn(&mut W, usize) -> Result<T, CacheError> + Sync,
    mut take: impl FnMut(usize, T) -> Result<(), IngestError>,
) -> Result<usize, IngestError> {
    let workers = rayon::ThreadPoolBuilder::new().num_threads(jobs).build()?;
    let next = AtomicUsize::new(0);
    let (sender, receiver) = mpsc::sync_channel(RESULTS_UNDER_WAY);
    // Where nobody takes results any more, whoever ended that has the error.
    let go_on = |sender: &mpsc::SyncSender<(usize, Result<T, CacheError>)>| {
        let mut worker = match begin() {
            Ok(worker) => worker,
            Err(error) => {
                let _ = sender.send((0, Err(error)));
                return;
            }
        };
        while !stop.load(Ordering::Relaxed) {
            let place = next.fetch_add(1, Ordering::Relaxed);
            if place >= places || sender.send((place, work(&mut worker, place))).is_err() {
                return;
            }
        }
    };
    std::thread::scope(|scope| {
        let workers = &workers;
        scope.spawn(move || workers.broadcast(|_| go_on(&sender.clone())));
        for (place, result) in receiver {
            take(place, result?)?;
        }
        Ok::<(), IngestError>(())
    })?;
    Ok(workers.current_num_threads())
}
