//! Reads and checks the settings file.
//!
//! Existing files were read by PyYAML and have other sections for a model and its training. They must
//! work unchanged, so keys of other programs are ignored, while a mistake in a key of prep is an error
//! with its location: a misspelled `train_ratio` that silently became the default would invalidate an
//! experiment unnoticed. Warnings (an obsolete key, a spelling that other YAML readers read differently)
//! are returned as notes; nothing is printed here.
//!
//! Flags and `PREP_*` variables take precedence over the file; the command line applies them. It also
//! interprets the sections of commands, because it knows their options. Relative paths are relative to
//! the working directory, not to the file.

mod check;
mod file;
mod scalar;
mod schema;
mod settings;

pub use settings::{
    CommandOption, ConfigError, Loaded, MAX_BATCH_SIZE, MAX_WORKERS, Place, Settings,
};

use crate::platform::read_file;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

/// Size limit of a settings file.
const MAX_BYTES: u64 = 16 << 20;

/// The settings file that is read by default.
pub const DEFAULT_FILE: &str = "prep.yaml";

impl Settings {
    /// Reads the named file, else [`DEFAULT_FILE`] in the working directory if it exists; otherwise
    /// returns the defaults.
    ///
    /// # Errors
    /// As for [`Settings::load`].
    pub fn find(named: Option<&Path>) -> Result<Loaded, ConfigError> {
        match named {
            Some(path) => Settings::load(path),
            None => Settings::load_if_there(Path::new(DEFAULT_FILE)),
        }
    }

    fn load_if_there(path: &Path) -> Result<Loaded, ConfigError> {
        // A broken link is an error: its owner does not expect the defaults.
        match fs::symlink_metadata(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Loaded::default()),
            _ => Settings::load(path),
        }
    }

    /// Reads and checks the file.
    ///
    /// # Errors
    /// If it does not exist, cannot be read, is not YAML, or has an invalid value for a key of prep.
    pub fn load(path: &Path) -> Result<Loaded, ConfigError> {
        let bytes = read_file(path, MAX_BYTES).map_err(|source| match source.kind() {
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

    /// Checks the text of a file; `path` is only used in messages.
    ///
    /// # Errors
    /// If the text is not YAML, or has an invalid value for a key of prep.
    pub fn parse(text: &str, path: &Path) -> Result<Loaded, ConfigError> {
        check::settings(text, path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn default_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(DEFAULT_FILE);
        let loaded = Settings::load_if_there(&path).unwrap();
        assert_eq!(loaded, Loaded::default());

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
