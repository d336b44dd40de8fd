//! Checks that a run did all of its work.
//!
//! An exit code of 0 promises complete results. Code that processes logs, games or rows in threads
//! counts the results and checks the number at the end, so that a worker that ends too early causes an
//! error, not a result with missing games.

/// A run ended without an error but did not do all of its work: a bug in prep.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "internal error: {done} of {expected} {what}: the result is not complete; run the command again, and \
     please report this bug"
)]
pub struct Unaccounted {
    /// What was counted, as a clause such as `logs were examined`.
    pub what: &'static str,
    /// How many were processed.
    pub done: u64,
    /// How many should have been processed.
    pub expected: u64,
}

/// Checks that all of the work was done.
///
/// # Errors
/// [`Unaccounted`] if `done` is not `expected`.
pub fn check_all_done(what: &'static str, done: u64, expected: u64) -> Result<(), Unaccounted> {
    match done == expected {
        true => Ok(()),
        false => Err(Unaccounted { what, done, expected }),
    }
}
