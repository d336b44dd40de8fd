//! Checked settings, and what can be wrong with a file of them.

use crate::dataset::{FeatureSet, MaskSource, Ratios, SplitMethod};
use crate::words::shown;
use std::fmt;
use std::num::NonZeroUsize;
use std::path::PathBuf;

/// Most worker threads a file may ask for; more is a slip, and would fail one by one to start.
pub const MAX_WORKERS: u32 = 1024;

/// Most games a commit may hold, to keep what an interruption loses within reason.
pub const MAX_BATCH_SIZE: u32 = 1_000_000;

/// Checked settings. `configs/default.yaml` explains each to its user.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Decides which game goes into which split; 32 bits, as NumPy's `RandomState` takes it.
    pub seed: u32,
    /// Folder of the logs.
    pub data_root: PathBuf,
    /// Folder that an export replaces.
    pub processed_dir: PathBuf,
    /// Shares of the games for train, val and test.
    pub ratios: Ratios,
    /// How games are assigned to the splits.
    pub split_method: SplitMethod,
    /// Threads that encode; `None` is one a core. `parallel: false` in the file makes it 1.
    pub num_workers: Option<NonZeroUsize>,
    /// Games a commit, up to [`MAX_BATCH_SIZE`]: the most work that an interrupted run loses.
    pub batch_size: NonZeroUsize,
    /// Whether to report resident memory at the start, after each batch and at the end.
    pub monitor_memory: bool,
    /// Folder in which the cache lies.
    pub intermediate_dir: PathBuf,
    /// Which columns an export has.
    pub features: FeatureSet,
    /// Where the masks of an export come from.
    pub masks: MaskSource,
    /// Whether to say more.
    pub verbose: bool,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            seed: 42,
            data_root: PathBuf::from("data/raw"),
            processed_dir: PathBuf::from("data/processed"),
            ratios: Ratios::default(),
            split_method: SplitMethod::Hash,
            num_workers: None,
            batch_size: const { NonZeroUsize::new(500).expect("500 is not 0") },
            monitor_memory: false,
            intermediate_dir: PathBuf::from("data/intermediate"),
            features: FeatureSet::default(),
            masks: MaskSource::default(),
            verbose: false,
        }
    }
}

/// Settings, and what there is to say about where they came from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Loaded {
    /// What the file sets, and the defaults for the rest.
    pub settings: Settings,
    /// The file that was read; `None` if there was none.
    pub file: Option<PathBuf>,
    /// Options of commands, from the sections `ingest` and `export`, as written.
    pub options: Vec<CommandOption>,
    /// A sentence for each thing that may not be meant as it is read. Each begins with its place,
    /// `prep.yaml:12:3: `.
    pub notes: Vec<String>,
    /// The same for each key that no longer has a use.
    pub without_use: Vec<String>,
}

/// An option of a command, as the section of that command sets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandOption {
    /// The command, such as `export`.
    pub command: &'static str,
    /// The key as written, such as `scaler_from`. Whether there is such an option is not checked here.
    pub key: String,
    /// The value as it would stand on the command line.
    pub value: String,
    /// Where the key is.
    pub key_at: Place,
    /// Where the value is.
    pub value_at: Place,
}

/// A place in a settings file, shown as `prep.yaml:12:3`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file, as it was given.
    pub file: PathBuf,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// Characters of the key or value that is meant, at least 1.
    pub length: usize,
    /// The line; empty where it cannot be shown.
    pub source: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", shown(&self.file), self.line, self.column)
    }
}

/// Why settings could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// No file at the path that was asked for.
    #[error(
        "there is no settings file {}; give the path of one, or none for the defaults",
        shown(path)
    )]
    NotFound {
        /// The path as given.
        path: PathBuf,
    },
    /// The file is there and cannot be read.
    #[error(
        "cannot read the settings file {}; check that it is a file and may be read",
        shown(path)
    )]
    Unreadable {
        /// The path as given.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not YAML, or a key of ours is wrong.
    #[error("{at}: {}", shown(message))]
    Invalid {
        /// What is wrong.
        at: Place,
        /// What is wrong with it, and what to write.
        message: String,
    },
}
