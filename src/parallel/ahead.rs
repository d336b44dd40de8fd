//! Computes results in threads before they are requested.

use super::queue::{EndOnDrop, Queue, Waited};
use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread::JoinHandle;
use std::time::Duration;

/// Results in the order of the inputs, which threads compute ahead of the consumer.
///
/// Unlike in an [`ordered_map`](super::ordered_map), the consumer requests results one by one, and may
/// stop at any time. Dropping it ends the threads.
///
/// A forked process has no threads, and locks that they held stay locked, so there it can only be
/// dropped.
#[derive(Debug)]
pub struct Ahead<I: Iterator, T, E> {
    queue: Arc<Queue<I, T, E>>,
    threads: Vec<JoinHandle<()>>,
    /// The process that started the threads.
    process: u32,
}

impl<I, T, E> Ahead<I, T, E>
where
    I: Iterator + Send + 'static,
    T: Send + 'static,
    E: Send + 'static,
{
    /// Starts `threads` threads (at least 1) that are at most `window` inputs (at least 1) ahead of the
    /// consumer. Each creates its own state with `begin` and passes it to every call of `work`.
    ///
    /// # Errors
    /// If the threads cannot be started.
    pub fn start<W>(
        threads: usize,
        window: usize,
        inputs: I,
        begin: impl Fn() -> Result<W, E> + Send + Sync + 'static,
        work: impl Fn(&mut W, I::Item) -> Result<T, E> + Send + Sync + 'static,
    ) -> io::Result<Ahead<I, T, E>> {
        let threads = threads.max(1);
        let queue = Arc::new(Queue::new(inputs, threads, window.max(1)));
        let mut ahead = Ahead { queue, threads: Vec::new(), process: std::process::id() };
        let run = Arc::new((begin, work));
        for _ in 0..threads {
            let (queue, run) = (ahead.queue.clone(), run.clone());
            let thread = std::thread::Builder::new().spawn(move || {
                let (begin, work) = &*run;
                queue.work(&NEVER, begin, work);
            });
            ahead.threads.push(thread?);
        }
        Ok(ahead)
    }

    /// The next result, if it is ready within this time. After an error there are no more results.
    ///
    /// # Errors
    /// An error of the input or of `begin`.
    ///
    /// # Panics
    /// If `begin` or `work` panicked.
    pub fn next_within(&mut self, time: Duration) -> Result<Waited<T>, E> {
        match self.queue.next_result(Some(time)) {
            Waited::Ready(result) => result.map(Waited::Ready),
            Waited::NotYet => Ok(Waited::NotYet),
            Waited::Ended => {
                for thread in self.threads.drain(..) {
                    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
                }
                Ok(Waited::Ended)
            }
        }
    }
}

impl<I: Iterator, T, E> Ahead<I, T, E> {
    /// Whether its threads belong to this process.
    pub fn is_of_this_process(&self) -> bool {
        self.process == std::process::id()
    }
}

impl<I: Iterator, T, E> Drop for Ahead<I, T, E> {
    fn drop(&mut self) {
        if !self.is_of_this_process() {
            return;
        }
        drop(EndOnDrop(&self.queue));
        for thread in self.threads.drain(..) {
            // A panic of a thread is ignored here.
            let _ = thread.join();
        }
    }
}

static NEVER: AtomicBool = AtomicBool::new(false);

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    const LONG: Duration = Duration::from_secs(60);

    type Result<T> = std::result::Result<T, String>;

    fn ahead(
        threads: usize,
        inputs: u32,
        work: impl Fn(u32) -> Result<u32> + Send + Sync + 'static,
    ) -> Ahead<std::ops::Range<u32>, u32, String> {
        Ahead::start(threads, 2 * threads, 0..inputs, || Ok(()), move |(), input| work(input))
            .unwrap()
    }

    fn next(ahead: &mut Ahead<std::ops::Range<u32>, u32, String>) -> Result<Option<u32>> {
        match ahead.next_within(LONG)? {
            Waited::Ready(result) => Ok(Some(result)),
            Waited::Ended => Ok(None),
            Waited::NotYet => panic!("nothing within a minute"),
        }
    }

    #[test]
    fn results_come_in_order_of_inputs() {
        for threads in [1, 2, 7] {
            let mut ahead = ahead(threads, 200, |input| {
                if input % 37 == 3 {
                    std::thread::sleep(Duration::from_millis(3));
                }
                Ok(2 * input)
            });
            for input in 0..200 {
                assert_eq!(next(&mut ahead), Ok(Some(2 * input)));
            }
            assert_eq!(next(&mut ahead), Ok(None));
            assert_eq!(next(&mut ahead), Ok(None));
        }
    }

    #[test]
    fn an_error_ends_it() {
        let mut ahead = ahead(2, 100, |input| match input {
            5 => Err("five".to_owned()),
            _ => Ok(input),
        });
        for input in 0..5 {
            assert_eq!(next(&mut ahead), Ok(Some(input)));
        }
        assert_eq!(next(&mut ahead), Err("five".to_owned()));
    }

    #[test]
    fn an_error_of_begin_ends_it() {
        let begin = || Err::<(), _>("no memory".to_owned());
        let mut ahead = Ahead::start(2, 4, 0..9, begin, |(), input| Ok(input)).unwrap();
        assert_eq!(next(&mut ahead), Err("no memory".to_owned()));
    }

    #[test]
    fn threads_wait_for_the_consumer_and_end_with_it() {
        let worked = Arc::new(AtomicUsize::new(0));
        let counter = worked.clone();
        let mut ahead = ahead(2, u32::MAX, move |input| {
            counter.fetch_add(1, Ordering::Relaxed);
            Ok(input)
        });
        assert_eq!(next(&mut ahead), Ok(Some(0)));
        // Joins the threads.
        drop(ahead);
        // The window plus the consumed result.
        assert!(worked.load(Ordering::Relaxed) <= 5);
    }

    #[test]
    fn what_takes_long_is_not_waited_for() {
        let (release, hold) = std::sync::mpsc::channel::<()>();
        let hold = std::sync::Mutex::new(hold);
        let mut ahead = ahead(1, 1, move |input| {
            hold.lock().unwrap().recv().unwrap();
            Ok(input)
        });
        assert!(matches!(ahead.next_within(Duration::from_millis(1)), Ok(Waited::NotYet)));
        release.send(()).unwrap();
        assert_eq!(next(&mut ahead), Ok(Some(0)));
    }

    #[test]
    fn a_panic_reaches_the_consumer() {
        let mut ahead = ahead(2, 10, |input| {
            assert!(input != 3, "input 3");
            Ok(input)
        });
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            while next(&mut ahead) != Ok(None) {}
        }));
        assert_eq!(*panicked.unwrap_err().downcast::<&str>().unwrap(), "input 3");
    }
}
