//! The folder of the expected values of 56 games, which is beside the checkout.

use std::fs;
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

/// The index in `names` of each expected feature column.
///
/// # Panics
/// If `names` lacks one of them or has them in another order.
pub(crate) fn columns(dir: &Path, names: &[String]) -> Vec<usize> {
    let expected = fs::read_to_string(dir.join("feature_cols.json")).unwrap();
    let expected: Vec<String> = serde_json::from_str(&expected).unwrap();
    let place = |name| names.iter().position(|found| found == name);
    let columns: Vec<usize> = expected
        .iter()
        .map(|name| place(name).unwrap_or_else(|| panic!("no column {name}")))
        .collect();
    assert!(columns.is_sorted(), "the existing columns keep their order");
    columns
}
