//! Python, if it is installed, to read outputs with other programs.

use std::path::PathBuf;
use std::process::Command;

/// A Python with these modules: `PREP_PYTHON`, else `python3`. Prints a message and returns `None` if
/// there is none.
///
/// # Panics
/// If there is none and `PREP_REQUIRE_PYTHON=1`.
pub(crate) fn with(modules: &[&str]) -> Option<PathBuf> {
    let python = std::env::var_os("PREP_PYTHON").map_or_else(|| "python3".into(), PathBuf::from);
    let imports = format!("import {}", modules.join(", "));
    let found = Command::new(&python).args(["-c", &imports]).output();
    if found.is_ok_and(|ran| ran.status.success()) {
        return Some(python);
    }
    let modules = modules.join(" and ");
    let python = python.display();
    let is_required = std::env::var_os("PREP_REQUIRE_PYTHON").is_some_and(|value| value == "1");
    assert!(!is_required, "{python} has no {modules}, and PREP_REQUIRE_PYTHON=1");
    eprintln!("skipped: {python} has no {modules}; name another with PREP_PYTHON");
    None
}
