//! The folder of the expected values of 56 games, which is beside the checkout.

use std::path::{Path, PathBuf};

/// The folder of expected values; `None` if it is missing.
///
/// # Panics
/// If it is missing and `PREP_REQUIRE_GOLDEN` is set, so that continuous integration does not skip the
/// tests.
pub(crate) fn golden_dir() -> Option<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/golden");
    if dir.join("features_raw.npz").is_file() {
        return Some(dir);
    }
    assert!(
        std::env::var_os("PREP_REQUIRE_GOLDEN").is_none(),
        "the expected values are required here, but {} is missing",
        dir.display()
    );
    eprintln!("skipped: no expected values at {}", dir.display());
    None
}
