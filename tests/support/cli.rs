//! The `prep` binary in a temporary folder: the one fixture of all end-to-end tests.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A folder with nothing in it, in which `prep` is run without any of the caller's settings.
pub(crate) struct CliTest {
    folder: tempfile::TempDir,
}

/// What a run of `prep` printed and how it ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    fn of(mut command: Command) -> Ran {
        let output = command.output().expect("prep starts");
        Ran {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).expect("UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("UTF-8"),
        }
    }
}

impl CliTest {
    pub(crate) fn new() -> CliTest {
        CliTest { folder: tempfile::tempdir().expect("a temporary folder") }
    }

    /// A path below the folder.
    pub(crate) fn path(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(relative)
    }

    /// `prep` with these words as arguments, not yet started.
    pub(crate) fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("prep"));
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("PREP_") {
                command.env_remove(name);
            }
        }
        command.args(arguments.split_whitespace()).current_dir(self.folder.path());
        command
    }

    /// Runs `prep` with these words as arguments, however it ends.
    pub(crate) fn run(&self, arguments: &str) -> Ran {
        Ran::of(self.command(arguments))
    }

    /// Runs `prep`, which must succeed, and returns what it printed on stdout.
    pub(crate) fn prep(&self, arguments: &str) -> String {
        let ran = self.run(arguments);
        assert_eq!(ran.code, 0, "prep {arguments}: {ran:#?}");
        ran.stdout
    }

    /// Every file below a folder with its bytes, by relative path.
    pub(crate) fn files(&self, folder: &str) -> BTreeMap<PathBuf, Vec<u8>> {
        fn collect(root: &Path, folder: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) {
            for entry in fs::read_dir(folder).expect("a folder") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    collect(root, &path, files);
                } else {
                    let relative = path.strip_prefix(root).expect("below the root").to_owned();
                    files.insert(relative, fs::read(&path).expect("a file"));
                }
            }
        }
        let root = self.path(folder);
        let mut files = BTreeMap::new();
        collect(&root, &root, &mut files);
        files
    }
}
