//! Where the expected values are: 56 games with every number, kept beside the checkout.

use std::path::{Path, PathBuf};

/// The folder of expected values, or `None` where this machine does not have it.
///
/// # Panics
/// With `PREP_REQUIRE_GOLDEN` set, if it is missing: continuous integration must not pass by
/// skipping.
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
