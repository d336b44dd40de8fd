//! How much the tests that try their luck do: `PREP_LONG_TESTS=1`, which `tests/long-run.sh` sets,
//! makes it much.

/// How often: so often in every run of the tests, or so often in a long one.
pub(crate) fn times(short: u64, long: u64) -> u64 {
    if std::env::var_os("PREP_LONG_TESTS").is_some_and(|value| value == "1") { long } else { short }
}
