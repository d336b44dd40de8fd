//! Runs the `prep` binary in a temporary folder: the fixture of all end-to-end tests.

// Not every test uses all of this module.
#![allow(dead_code)]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// An empty folder, in which `prep` runs without the caller's settings.
pub(crate) struct CliTest {
    folder: tempfile::TempDir,
}

/// The output and the exit code of a run of `prep`.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Ran {
        Ran {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).expect("UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("UTF-8"),
        }
    }
}

impl Ran {
    /// The errors and warnings on stderr, without lines that only report progress.
    pub(crate) fn complaints(&self) -> String {
        let is_complaint =
            |line: &&str| line.starts_with("error: ") || line.starts_with("warning: ");
        let lines = self.stderr.lines().filter(is_complaint);
        lines.flat_map(|line| [line, "\n"]).collect()
    }

    /// What it printed on stdout, as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }

    /// Whether it failed with one message about the full disk, with the needed and free space, and
    /// without the system's own message.
    pub(crate) fn tells_of_a_full_disk(&self) -> bool {
        let complaints = self.complaints();
        let words: Vec<&str> = complaints.split([' ', ',', ':', '\n']).collect();
        let is_amount = |pair: &&[&str]| {
            pair[0].parse::<f64>().is_ok() && ["bytes", "KB", "MB", "GB", "TB"].contains(&pair[1])
        };
        self.code == 1
            && complaints.lines().count() == 1
            && words.windows(2).any(|pair| is_amount(&pair))
            && (complaints.contains(" is full") || complaints.contains(" need"))
            && complaints.contains(" are free")
            && !self.stderr.contains("os error")
            && !self.stderr.contains("No space left")
    }
}

impl CliTest {
    pub(crate) fn new() -> CliTest {
        CliTest { folder: tempfile::tempdir().expect("a temporary folder") }
    }

    /// Games from 1 on in `raw`.
    pub(crate) fn simulated(games: usize) -> CliTest {
        let test = CliTest::new();
        test.prep(&format!("simulate raw --games {games}"));
        test
    }

    /// Games from 1 on in `raw`, ingested.
    pub(crate) fn ingested(games: usize) -> CliTest {
        let test = CliTest::simulated(games);
        test.prep("ingest raw");
        test
    }

    /// The cache in its default place.
    pub(crate) fn cache(&self) -> PathBuf {
        self.path("data/intermediate/prep.sqlite")
    }

    /// A JSON file in the folder.
    pub(crate) fn json(&self, relative: impl AsRef<Path>) -> serde_json::Value {
        serde_json::from_slice(&self.read(relative)).expect("JSON")
    }

    /// A path in the folder.
    pub(crate) fn path(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(relative)
    }

    /// A command that runs `prep` with these arguments.
    pub(crate) fn command(&self, arguments: &str) -> Command {
        self.prepared(Command::new(assert_cmd::cargo::cargo_bin!("prep")), arguments)
    }

    /// The same, for a test that sends signals: they stop it also where the tests ignore them, as under `nohup`.
    pub(crate) fn command_with_signals(&self, arguments: &str) -> Command {
        if !cfg!(target_os = "linux") {
            return self.command(arguments);
        }
        let mut command = Command::new("env");
        command.args(["--default-signal".as_ref(), assert_cmd::cargo::cargo_bin!("prep")]);
        self.prepared(command, arguments)
    }

    fn prepared(&self, mut command: Command, arguments: &str) -> Command {
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("PREP_") {
                command.env_remove(name);
            }
        }
        command
            .args(arguments.split_whitespace())
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs `prep` with these arguments; it may fail.
    pub(crate) fn run(&self, arguments: &str) -> Ran {
        Ran::from(self.command(arguments).output().expect("prep starts"))
    }

    /// Runs `prep`, which must end with this exit code.
    #[track_caller]
    pub(crate) fn exits(&self, code: i32, arguments: &str) -> Ran {
        let ran = self.run(arguments);
        assert_eq!(ran.code, code, "prep {arguments}: {ran:#?}");
        ran
    }

    /// Runs `prep` as somebody with no right that others do not have, also where the tests run as root.
    pub(crate) fn run_as_nobody(&self, arguments: &str) -> Ran {
        const NOBODY: u32 = 65_534;
        let copy = self.path("prep");
        if !copy.exists() {
            fs::copy(self.command("").get_program(), &copy).expect("a copy of prep");
            fs::set_permissions(self.path(""), fs::Permissions::from_mode(0o755)).expect("a mode");
        }
        let id = Command::new("id").arg("-u").output().expect("a user");
        let mut command = Command::new(copy);
        command.args(arguments.split_whitespace()).current_dir(self.path(""));
        if id.stdout == b"0\n" {
            command.uid(NOBODY).gid(NOBODY);
        }
        Ran::from(command.output().expect("prep starts"))
    }

    /// Runs `prep`, which must succeed, and returns what it printed on stdout.
    pub(crate) fn prep(&self, arguments: &str) -> String {
        self.exits(0, arguments).stdout
    }

    /// The same, as JSON.
    pub(crate) fn prep_json(&self, arguments: &str) -> serde_json::Value {
        serde_json::from_str(&self.prep(arguments)).expect("JSON")
    }

    /// Writes a file in the folder, and creates its parent folders.
    pub(crate) fn write(&self, relative: impl AsRef<Path>, bytes: impl AsRef<[u8]>) {
        let path = self.path(relative);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, bytes).expect("a file written");
    }

    /// The bytes of a file in the folder.
    pub(crate) fn read(&self, relative: impl AsRef<Path>) -> Vec<u8> {
        let path = self.path(relative);
        fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// All files below a folder with their bytes, by relative path.
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
