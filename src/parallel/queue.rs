//! The queue between the threads of a parallel map and its consumer.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The outcome of waiting for a result.
#[derive(Debug)]
pub enum Waited<T> {
    /// The next result.
    Ready(T),
    /// The result is not ready yet.
    NotYet,
    /// There are no more inputs.
    Ended,
}

/// Inputs that threads take, and results that one consumer takes in the order of the inputs.
#[derive(Debug)]
pub(super) struct Queue<I, T, E> {
    state: Mutex<State<I, T, E>>,
    window: usize,
    result_ready: Condvar,
    space_ready: Condvar,
}

#[derive(Debug)]
struct State<I, T, E> {
    inputs: I,
    /// The results of inputs that are taken but not consumed, in order; `None` until they are ready.
    results: VecDeque<Option<Result<T, E>>>,
    /// Number of inputs before those in `results`.
    consumed: usize,
    /// An error that does not belong to an input.
    failure: Option<E>,
    /// Number of running threads.
    running: usize,
    /// Whether to take no more inputs.
    is_over: bool,
}

impl<I: Iterator, T, E> Queue<I, T, E> {
    pub(super) fn new(inputs: I, threads: usize, window: usize) -> Queue<I, T, E> {
        Queue {
            state: Mutex::new(State {
                inputs,
                results: VecDeque::new(),
                consumed: 0,
                failure: None,
                running: threads,
                is_over: false,
            }),
            window,
            result_ready: Condvar::new(),
            space_ready: Condvar::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<I, T, E>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The work of one thread: creates its state, and takes inputs until none are left or `stop` is set.
    pub(super) fn work<W>(
        &self,
        stop: &AtomicBool,
        begin: impl Fn() -> Result<W, E>,
        work: impl Fn(&mut W, I::Item) -> Result<T, E>,
    ) {
        let _running = CountOut(self);
        match begin() {
            Ok(mut worker) => {
                while let Some((place, input)) = self.take(stop) {
                    self.put(place, work(&mut worker, input));
                }
            }
            Err(error) => self.fail(error),
        }
    }

    /// The next input with its index; `None` if there is nothing left to do.
    fn take(&self, stop: &AtomicBool) -> Option<(usize, I::Item)> {
        let mut state = self.lock();
        while !state.is_over && state.results.len() >= self.window {
            state = self.space_ready.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.is_over || stop.load(Ordering::Relaxed) {
            return None;
        }
        let input = state.inputs.next()?;
        state.results.push_back(None);
        Some((state.consumed + state.results.len() - 1, input))
    }

    fn put(&self, place: usize, result: Result<T, E>) {
        let mut state = self.lock();
        if result.is_err() {
            state.is_over = true;
            self.space_ready.notify_all();
        }
        let place = place - state.consumed;
        state.results[place] = Some(result);
        if place == 0 {
            self.result_ready.notify_one();
        }
    }

    fn fail(&self, error: E) {
        let mut state = self.lock();
        state.failure.get_or_insert(error);
        state.is_over = true;
        self.space_ready.notify_all();
        self.result_ready.notify_one();
    }

    /// The result of the next input in order; waits at most this time. Ends after the last result, or if
    /// a thread panicked.
    pub(super) fn next_result(&self, time: Option<Duration>) -> Waited<Result<T, E>> {
        let deadline = time.map(|time| Instant::now() + time);
        let mut state = self.lock();
        loop {
            if let Some(error) = state.failure.take() {
                return Waited::Ready(Err(error));
            }
            if let Some(Some(_)) = state.results.front() {
                state.consumed += 1;
                self.space_ready.notify_one();
                if let Some(result) = state.results.pop_front().flatten() {
                    return Waited::Ready(result);
                }
            }
            if state.running == 0 {
                return Waited::Ended;
            }
            state = match deadline.map(|deadline| deadline.checked_duration_since(Instant::now())) {
                None => self.result_ready.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(None) => return Waited::NotYet,
                Some(Some(left)) => {
                    let waited = self.result_ready.wait_timeout(state, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }
}

/// Counts a thread that ends, also by a panic.
struct CountOut<'a, I: Iterator, T, E>(&'a Queue<I, T, E>);

impl<I: Iterator, T, E> Drop for CountOut<'_, I, T, E> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.running -= 1;
        if std::thread::panicking() {
            // Its input has no result, so the other threads end, and the consumer detects that all have
            // ended.
            state.is_over = true;
            self.0.space_ready.notify_all();
        }
        self.0.result_ready.notify_one();
    }
}

/// Makes the threads end when it is dropped.
pub(super) struct EndOnDrop<'a, I: Iterator, T, E>(pub(super) &'a Queue<I, T, E>);

impl<I: Iterator, T, E> Drop for EndOnDrop<'_, I, T, E> {
    fn drop(&mut self) {
        self.0.lock().is_over = true;
        self.0.space_ready.notify_all();
    }
}
