//! Small C libraries that are loaded into `prep` in front of the system's.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Compiles `tests/it/support/NAME.c`. Whoever builds `prep` has a C compiler: SQLite needs it.
pub(crate) fn compile(name: &str) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/it/support/{name}.c"));
    let library =
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}_{}.so", std::process::id()));
    let compiled = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o"])
        .arg(&library)
        .arg(source)
        .arg("-ldl")
        .status()
        .expect("a C compiler");
    assert!(compiled.success());
    library
}
