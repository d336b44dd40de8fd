//! An ordered parallel map, with which all long commands process games in threads. [`Ahead`] is the same
//! for a consumer that requests results one by one. [`Part`] divides work among machines.
//!
//! Threads take inputs one by one, and a single consumer gets the results in the order of the inputs.
//! Memory is bounded: no thread takes an input that is more than [`WINDOW`] inputs per thread ahead of
//! the consumer. A thread ends when no inputs are left, when `stop` is set, or after an error; there are
//! no timeouts.

mod ahead;
mod part;
mod queue;

pub use ahead::Ahead;
pub use part::Part;
pub use queue::Waited;

use queue::{EndOnDrop, Queue};
use rayon::{ThreadPoolBuildError, ThreadPoolBuilder};
use std::sync::atomic::AtomicBool;

/// Inputs per thread that may be taken before their results are consumed: enough to keep the threads
/// busy while the consumer is busy, for example with a commit.
const WINDOW: usize = 8;

/// The threads could not be started, for example because of a limit on processes.
#[derive(Debug, thiserror::Error)]
#[error("cannot start worker threads: {0}")]
pub struct ThreadError(#[from] ThreadPoolBuildError);

/// Maps inputs on several threads and consumes the results in the order of the inputs.
///
/// Each of `threads` threads (at least 1) creates its own state with `begin`, such as buffers, and
/// passes it to every call of `work`. `consume` is called on the calling thread. Passing on a result
/// takes a few microseconds, so small inputs should be grouped.
///
/// When `stop` is set, no more inputs are taken; inputs already taken are still consumed, and no error
/// is returned. Callers count the results and compare the count with the number of inputs.
///
/// # Errors
/// The first error in the order of the inputs, or one of `begin`; [`ThreadError`] if the threads could
/// not be started.
///
/// # Panics
/// If `begin`, `work` or `consume` panics.
pub fn ordered_map<I, W, T, E>(
    threads: usize,
    inputs: impl IntoIterator<Item = I, IntoIter: Send>,
    stop: &AtomicBool,
    begin: impl Fn() -> Result<W, E> + Sync,
    work: impl Fn(&mut W, I) -> Result<T, E> + Sync,
    mut consume: impl FnMut(T) -> Result<(), E>,
) -> Result<(), E>
where
    T: Send,
    E: Send + From<ThreadError>,
{
    let threads = threads.max(1);
    let queue = Queue::new(inputs.into_iter(), threads, threads * WINDOW);
    let pool = ThreadPoolBuilder::new().num_threads(threads).build().map_err(ThreadError)?;
    pool.in_place_scope(|scope| {
        // When this block is left in any way, threads stop waiting for space.
        let _end = EndOnDrop(&queue);
        for _ in 0..threads {
            scope.spawn(|_| queue.work(stop, &begin, &work));
        }
        while let Waited::Ready(result) = queue.next_result(None) {
            consume(result?)?;
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    #[derive(Debug, PartialEq)]
    enum Error {
        Thread,
        Number(u32),
    }

    impl From<ThreadError> for Error {
        fn from(_: ThreadError) -> Error {
            Error::Thread
        }
    }

    static GO_ON: AtomicBool = AtomicBool::new(false);

    fn map(
        threads: usize,
        inputs: u32,
        work: impl Fn(u32) -> Result<u32, Error> + Sync,
    ) -> (Vec<u32>, Result<(), Error>) {
        let mut results = Vec::new();
        let mapped = ordered_map(
            threads,
            0..inputs,
            &GO_ON,
            || Ok(()),
            |(), input| work(input),
            |result| {
                results.push(result);
                Ok(())
            },
        );
        (results, mapped)
    }

    #[test]
    fn results_come_in_order_of_inputs() {
        for threads in [0, 1, 2, 7] {
            for inputs in [0, 1, 2, 1_000] {
                // Some inputs take much longer, as if their thread was descheduled.
                let (results, mapped) = map(threads, inputs, |input| {
                    if input % 97 == 3 {
                        std::thread::sleep(Duration::from_millis(3));
                    }
                    Ok(input * 2)
                });
                assert_eq!(mapped, Ok(()));
                assert_eq!(results, (0..inputs).map(|input| input * 2).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn first_error_in_order_is_returned() {
        for _ in 0..20 {
            let (results, mapped) = map(3, 1_000, |input| match input {
                // The error of the later input comes first.
                40 => {
                    std::thread::sleep(Duration::from_millis(2));
                    Err(Error::Number(40))
                }
                41 => Err(Error::Number(41)),
                _ => Ok(input),
            });
            assert_eq!(mapped, Err(Error::Number(40)));
            assert_eq!(results, (0..40).collect::<Vec<_>>());
        }
    }

    #[test]
    fn errors_of_begin_and_consume_end_all_threads() {
        let begun = AtomicUsize::new(0);
        let begin = || match begun.fetch_add(1, Ordering::Relaxed) {
            1 => Err(Error::Number(1)),
            _ => Ok(()),
        };
        let mapped = ordered_map(2, 0.., &GO_ON, begin, |(), n: u32| Ok(n), |_| Ok(()));
        assert_eq!(mapped, Err(Error::Number(1)));

        let consume = |n| if n == 5 { Err(Error::Number(n)) } else { Ok(()) };
        let mapped = ordered_map(2, 0.., &GO_ON, || Ok(()), |(), n: u32| Ok(n), consume);
        assert_eq!(mapped, Err(Error::Number(5)));
    }

    #[test]
    fn a_panic_ends_all_threads() {
        let panicked = std::panic::catch_unwind(|| {
            map(3, 1_000_000, |input| {
                assert!(input != 77, "input 77");
                Ok(input)
            })
        });
        let message = *panicked.unwrap_err().downcast::<&str>().unwrap();
        assert_eq!(message, "input 77");
    }

    #[test]
    fn stop_consumes_what_was_taken() {
        let stop = AtomicBool::new(false);
        let taken = AtomicUsize::new(0);
        let mut consumed = 0;
        let work = |(): &mut (), _: u32| {
            taken.fetch_add(1, Ordering::Relaxed);
            Ok::<_, Error>(())
        };
        let consume = |()| {
            consumed += 1;
            if consumed == 10 {
                stop.store(true, Ordering::Relaxed);
            }
            Ok(())
        };
        ordered_map(3, 0.., &stop, || Ok(()), work, consume).unwrap();
        assert!(consumed >= 10);
        assert_eq!(consumed, taken.into_inner());
    }

    #[test]
    fn threads_wait_for_the_consumer() {
        let ahead = AtomicUsize::new(0);
        let work = |(): &mut (), _: u32| {
            ahead.fetch_add(1, Ordering::Relaxed);
            Ok::<_, Error>(())
        };
        let consume = |()| {
            // The window, plus one input for each thread and the consumer.
            assert!(ahead.fetch_sub(1, Ordering::Relaxed) <= 2 * WINDOW + 1);
            Ok(())
        };
        ordered_map(2, 0..10_000, &GO_ON, || Ok(()), work, consume).unwrap();
    }
}
