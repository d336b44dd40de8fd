//! Small C libraries that are preloaded into `prep`.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Compiles `tests/it/support/NAME.c`. A C compiler is available, because SQLite needs one.
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
