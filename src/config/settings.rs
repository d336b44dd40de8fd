//! Checked settings, and the errors of a settings file.

use crate::dataset::{FeatureSet, MaskSource, Ratios, SplitMethod};
use crate::words::shown;
use std::fmt;
use std::num::NonZeroUsize;
use std::path::PathBuf;

/// Limit on the number of worker threads; a larger number is probably a typo.
pub const MAX_WORKERS: u32 = 1024;

/// Limit on the games per commit, to limit the work that an interruption loses.
pub const MAX_BATCH_SIZE: u32 = 1_000_000;

/// Checked settings. `configs/default.yaml` explains each to its user.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Seed of the split; 32 bits, as in NumPy's `RandomState`.
    pub seed: u32,
    /// Folder of the logs.
    pub data_root: PathBuf,
    /// Folder of the export.
    pub processed_dir: PathBuf,
    /// Shares of the games for train, val and test.
    pub ratios: Ratios,
    /// How games are assigned to the splits.
    pub split_method: SplitMethod,
    /// Worker threads; `None` means one per core. `parallel: false` in the file sets it to 1.
    pub num_workers: Option<NonZeroUsize>,
    /// Games per commit, at most [`MAX_BATCH_SIZE`]: the most work that an interrupted run loses.
    pub batch_size: NonZeroUsize,
    /// Whether to report resident memory at the start, after each batch and at the end.
    pub monitor_memory: bool,
    /// Folder of the cache.
    pub intermediate_dir: PathBuf,
    /// The columns of an export.
    pub features: FeatureSet,
    /// The source of an export's masks.
    pub masks: MaskSource,
    /// Whether to print more messages.
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

/// Settings with their source and notes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Loaded {
    /// The settings of the file, and the defaults for the rest.
    pub settings: Settings,
    /// The file that was read; `None` if there was none.
    pub file: Option<PathBuf>,
    /// Options of commands, from the sections `ingest` and `export`, as written.
    pub options: Vec<CommandOption>,
    /// Notes about values that may be read differently than intended. Each begins with its location,
    /// `prep.yaml:12:3: `.
    pub notes: Vec<String>,
    /// The same for each obsolete key.
    pub without_use: Vec<String>,
}

/// An option of a command, as the section of that command sets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandOption {
    /// The command, such as `export`.
    pub command: &'static str,
    /// The key as written, such as `scaler_from`. Not checked to be an existing option.
    pub key: String,
    /// The value as on the command line.
    pub value: String,
    /// Location of the key.
    pub key_at: Place,
    /// Location of the value.
    pub value_at: Place,
}

/// A location in a settings file, shown as `prep.yaml:12:3`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file, as it was given.
    pub file: PathBuf,
    /// From 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// Length of the key or value in characters, at least 1.
    pub length: usize,
    /// The text of the line; empty if it cannot be shown.
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
    /// There is no file at the path.
    #[error(
        "there is no settings file {}; give another path, or remove the option to use the defaults",
        shown(path)
    )]
    NotFound {
        /// The path as given.
        path: PathBuf,
    },
    /// The file exists but cannot be read.
    #[error(
        "cannot read the settings file {}; check that it is a file and that you may read it",
        shown(path)
    )]
    Unreadable {
        /// The path as given.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// The file is not YAML, or a key of prep has an invalid value.
    #[error("{at}: {}", shown(message))]
    Invalid {
        /// Location of the error.
        at: Place,
        /// The error, and how to correct it.
        message: String,
    },
}
