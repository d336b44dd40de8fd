//! Settings: a YAML file in, checked values out.
//!
//! Such files exist already, beside sections for a model and its training, and were read by PyYAML.
//! They must work unchanged, so everything outside our keys passes, while a slip inside them is an
//! error with its place: a misspelled `train_ratio` that is silently the default would spoil an
//! experiment without anyone noticing. What the user should hear about (a key without a use, a
//! spelling that other YAML readers take differently) comes back as notes; nothing is printed here.
//!
//! Flags and `PREP_*` variables come before the file; the command line applies them to these fields.
//! What the sections of commands hold is for the command line, too, which knows their options.
//! Relative paths are relative to the current folder, not to the file.

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

/// No settings file comes near it.
const MAX_BYTES: u64 = 16 << 20;

/// The settings file that is read when none is named.
pub const DEFAULT_FILE: &str = "prep.yaml";

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
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Loaded::default()),
            _ => Settings::load(path),
        }
    }

    /// Reads and checks the file.
    ///
    /// # Errors
    /// If it is not there, cannot be read, is not YAML, or sets one of our keys wrongly.
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

    /// Checks text that was read from `path`, which is only shown.
    ///
    /// # Errors
    /// If the text is not YAML, or sets one of our keys wrongly.
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
