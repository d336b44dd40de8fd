//! Counting work that was done against work that was there.
//!
//! An exit code of 0 says that all of it was done. Whoever runs through logs, games or rows counts what came
//! back and checks the number at the end, whichever way the work was spread over threads: a worker that ends
//! too early is then an error and not a result with games missing.

/// A run came to its end without an error, yet did not do all of its work: a bug in prep.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "internal error: {done} of {expected} {what}: the result is not complete; run the command again, and \
     please report this bug"
)]
pub struct Unaccounted {
    /// What was counted and what was to happen to it, such as `logs were examined`.
    pub what: &'static str,
    /// How many it happened to.
    pub done: u64,
    /// How many there are.
    pub expected: u64,
}

/// Checks that as much was done as was to be done.
///
/// # Errors
/// [`Unaccounted`] if less, or more, was done.
pub fn check_all_done(what: &'static str, done: u64, expected: u64) -> Result<(), Unaccounted> {
    match done == expected {
        true => Ok(()),
        false => Err(Unaccounted { what, done, expected }),
    }
}
