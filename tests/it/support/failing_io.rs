//! Runs `prep` so that it is killed, or a call fails, at a chosen point: see `failing_io.c`.

use super::preloaded::compile;
use std::path::PathBuf;
use std::process::Command;
use std::sync::LazyLock;

/// Counts of the I/O calls of a run.
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

/// Compiled once per test binary.
static LIBRARY: LazyLock<PathBuf> = LazyLock::new(|| compile("failing_io"));

/// A command with a setting of `failing_io.c`, such as `("KILL", "7")`.
pub(crate) fn with(mut command: Command, setting: &str, value: impl ToString) -> Command {
    command.env("LD_PRELOAD", &*LIBRARY);
    command.env(format!("FAILING_IO_{setting}"), value.to_string());
    command
}

/// Runs a command to its end, with any exit code, and counts its calls.
pub(crate) fn count(command: Command) -> Calls {
    let counts = tempfile::NamedTempFile::new().expect("a temporary file");
    let output = with(command, "COUNT", counts.path().display()).output().expect("prep starts");
    assert!(output.status.code().is_some(), "{output:?}");
    let text = std::fs::read_to_string(counts.path()).expect("counts");
    let numbers: Vec<u64> = text.split_whitespace().map(|n| n.parse().expect("a count")).collect();
    let [writes, syncs, renames] = numbers[..] else { panic!("{text:?}") };
    Calls { writes, syncs, renames }
}
