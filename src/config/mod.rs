//! Settings: a YAML file in, checked values out.
//!
//! Such files exist already, beside sections for a model and its training, and were read by PyYAML.
//! They must work unchanged, so everything outside our keys passes, while a slip inside them is an
//! error with its place: a misspelt `train_ratio` that is silently the default would spoil an
//! experiment without anyone noticing. What the user should hear about (a key without a use, a
//! spelling that other YAML readers take differently) comes back as notes; nothing is printed here.
//!
//! Flags and `PREP_*` variables come before the file; the command line applies them to these fields.
//! Relative paths are relative to the current folder, not to the file.

mod check;
mod file;
mod scalar;

use crate::dataset::{FeatureSet, MaskSource, Ratios};
use std::fmt;
use std::fs;
use std::io::ErrorKind;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

/// The settings file that is read when none is named.
pub const DEFAULT_FILE: &str = "prep.yaml";

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
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    /// What the file sets, and the defaults for the rest.
    pub settings: Settings,
    /// The file that was read; `None` if there was none.
    pub file: Option<PathBuf>,
    /// A sentence for each thing the user should hear once, such as a key that no longer has a
    /// use. Each begins with its place, `prep.yaml:12:3: `.
    pub notes: Vec<String>,
}

impl Settings {
    /// Reads the file that was named, or else [`DEFAULT_FILE`] in the current folder if there is
    /// one, or else nothing but defaults.
    ///
    /// # Errors
    /// As [`Settings::load`].
    pub fn find(named: Option<&Path>) -> Result<Loaded, ConfigError> {
        match named {
            Some(path) => Settings::load(path),
            None => Settings::load_if_there(Path::new(DEFAULT_FILE)),
        }
    }

    fn load_if_there(path: &Path) -> Result<Loaded, ConfigError> {
        // A link to nowhere is there: its owner expects more than defaults.
        match fs::symlink_metadata(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                Ok(Loaded { settings: Settings::default(), file: None, notes: Vec::new() })
            }
            _ => Settings::load(path),
        }
    }

    /// Reads and checks the file.
    ///
    /// # Errors
    /// If it is not there, cannot be read, is not YAML, or sets one of our keys wrongly.
    pub fn load(path: &Path) -> Result<Loaded, ConfigError> {
        let bytes = fs::read(path).map_err(|source| match source.kind() {
            ErrorKind::NotFound => ConfigError::NotFound { path: path.to_owned() },
            _ => ConfigError::Unreadable { path: path.to_owned(), source },
        })?;
        let text = std::str::from_utf8(&bytes).map_err(|error| {
            let before = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
            let (line, column) = match before.rsplit_once('\n') {
                None => (1, before.chars().count() + 1),
                Some((lines, last)) => (lines.matches('\n').count() + 2, last.chars().count() + 1),
            };
            let source = String::new();
            let at = Place { file: path.to_owned(), line, column, length: 1, source };
            ConfigError::Invalid {
                at,
                message: "not UTF-8 text; save the file as UTF-8".to_owned(),
            }
        })?;
        Settings::parse(text, path)
    }

    /// Checks text that was read from `path`, which is only shown.
    ///
    /// # Errors
    /// If the text is not YAML, or sets one of our keys wrongly.
    pub fn parse(text: &str, path: &Path) -> Result<Loaded, ConfigError> {
        check::settings(text, path)
    }
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
        write!(f, "{}:{}:{}", self.file.display(), self.line, self.column)
    }
}

/// Why settings could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// No file at the path that was asked for.
    #[error("there is no settings file {}; give the path of one, or none for the defaults", path.display())]
    NotFound {
        /// The path as given.
        path: PathBuf,
    },
    /// The file is there and cannot be read.
    #[error("cannot read the settings file {}; check that it is a file and may be read", path.display())]
    Unreadable {
        /// The path as given.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not YAML, or a key of ours is wrong.
    #[error("{at}: {message}")]
    Invalid {
        /// What is wrong.
        at: Place,
        /// What is wrong with it, and what to write.
        message: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn default_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(DEFAULT_FILE);
        let loaded = Settings::load_if_there(&path).unwrap();
        assert_eq!(loaded, Loaded { settings: Settings::default(), file: None, notes: Vec::new() });

        fs::write(&path, "seed: 5\n").unwrap();
        let loaded = Settings::load_if_there(&path).unwrap();
        assert_eq!((loaded.settings.seed, loaded.file), (5, Some(path.clone())));

        #[cfg(unix)]
        {
            fs::remove_file(&path).unwrap();
            std::os::unix::fs::symlink("nowhere.yaml", &path).unwrap();
            assert!(matches!(Settings::load_if_there(&path), Err(ConfigError::NotFound { .. })));
        }
    }
}
