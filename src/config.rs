//! Settings: a YAML file in, checked values out.
//!
//! # Why it is so
//! The files exist already, beside sections for a model and its training, and were read by
//! PyYAML. They must work unchanged, so everything outside our keys passes untouched, while a slip
//! inside them is an error with its place: a misspelt `train_ratio` that is silently the default
//! would spoil an experiment without anyone noticing.
//!
//! # How it works
//! `yaml` keeps the document as written, `scalar` says what a plain word means to readers of
//! YAML 1.1 and 1.2, `read` checks each of the `keys` and fills [`Settings`]. What the user should hear about
//! (a key without a use, a spelling that other readers take differently) comes back as notes; this
//! room prints nothing.
//!
//! # What it does not do
//! Flags and `PREP_*` variables come before the file; the command line lays them over these fields.
//! It does not look whether folders exist, and leaves relative paths relative to the current
//! folder, not to the file.

mod error;
mod keys;
mod read;
mod scalar;
mod yaml;

pub use error::{ConfigError, Place};

use crate::dataset::{FeatureSet, MaskSource, Ratios};
use std::fs;
use std::io::ErrorKind;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use yaml::{Document, Position};

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
            let line = before.matches('\n').count() + 1;
            let column = before.chars().rev().take_while(|&c| c != '\n').count() + 1;
            ConfigError::NotUtf8 { at: Place::new(path, Position { line, column }) }
        })?;
        Settings::parse(text, path)
    }

    /// Checks text that was read from `path`, which is only shown.
    ///
    /// # Errors
    /// If the text is not YAML, or sets one of our keys wrongly.
    pub fn parse(text: &str, path: &Path) -> Result<Loaded, ConfigError> {
        let document = Document::parse(text).map_err(|error| ConfigError::Syntax {
            at: Place::new(path, error.position),
            reason: error.reason,
        })?;
        let (settings, notes) = read::settings(&document, path)?;
        Ok(Loaded { settings, file: Some(path.to_owned()), notes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_file_there_are_defaults_and_a_link_to_nowhere_is_a_file() {
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
