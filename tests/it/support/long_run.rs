//! The amount of work of randomized tests: `PREP_LONG_TESTS=1`, which `tests/long-run.sh` sets,
//! increases it.

/// The number of repetitions in a regular run, or in a long one.
pub(crate) fn times(short: u64, long: u64) -> u64 {
    if std::env::var_os("PREP_LONG_TESTS").is_some_and(|value| value == "1") { long } else { short }
}
