//! Runs `prep` so that it dies, or a call fails, at a chosen point: see `failing_io.c`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

/// Input and output calls of one run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Calls {
    pub(crate) writes: u64,
    pub(crate) syncs: u64,
    pub(crate) renames: u64,
}

impl Calls {
    pub(crate) fn all(self) -> u64 {
        self.writes + self.syncs + self.renames
    }
}

/// Compiled once per test binary. Whoever builds `prep` has a C compiler: SQLite needs it.
static LIBRARY: LazyLock<PathBuf> = LazyLock::new(|| {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/failing_io.c");
    let library = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join(format!("failing_io_{}.so", std::process::id()));
    let compiled = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o"])
        .arg(&library)
        .arg(source)
        .arg("-ldl")
        .status()
        .expect("a C compiler");
    assert!(compiled.success());
    library
});

/// A run with a setting of `failing_io.c`, such as `("KILL", "7")`.
pub(crate) fn with(mut command: Command, setting: &str, value: impl ToString) -> Command {
    command.env("LD_PRELOAD", &*LIBRARY);
    command.env(format!("FAILING_IO_{setting}"), value.to_string());
    command
}

/// Runs to the end and counts.
pub(crate) fn count(command: Command) -> Calls {
    let counts = tempfile::NamedTempFile::new().expect("a temporary file");
    let output = with(command, "COUNT", counts.path().display()).output().expect("prep starts");
    assert!(output.status.success(), "{output:?}");
    let text = std::fs::read_to_string(counts.path()).expect("counts");
    let numbers: Vec<u64> = text.split_whitespace().map(|n| n.parse().expect("a count")).collect();
    let [writes, syncs, renames] = numbers[..] else { panic!("{text:?}") };
    Calls { writes, syncs, renames }
}
