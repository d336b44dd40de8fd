//! Everything that can be wrong with a settings file, each with its place.

use super::yaml::Position;
use crate::dataset::RatiosError;
use std::fmt;
use std::path::{Path, PathBuf};

/// A place in a settings file, shown as `prep.yaml:12:3`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file, as it was given.
    pub file: PathBuf,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
}

impl Place {
    pub(super) fn new(file: &Path, Position { line, column }: Position) -> Place {
        Place { file: file.to_owned(), line, column }
    }
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
    /// Bytes that are not UTF-8.
    #[error("{at}: not UTF-8 text; save the file as UTF-8")]
    NotUtf8 {
        /// The first bad byte.
        at: Place,
    },
    /// Not YAML.
    #[error("{at}: not valid YAML: {reason}; mend that line or the one above")]
    Syntax {
        /// Where the parser gave up.
        at: Place,
        /// What the parser said.
        reason: String,
    },
    /// A key nobody knows inside a section of ours.
    #[error("{at}: unknown key `{key}`; {advice}")]
    UnknownKey {
        /// The key.
        at: Place,
        /// The key with its section.
        key: String,
        /// The nearest known key, or the list of them.
        advice: String,
    },
    /// The same key twice in one section.
    #[error("{at}: `{key}` is given twice, first on line {first_line}; keep one of them")]
    DoubledKey {
        /// The second of them.
        at: Place,
        /// The key with its section.
        key: String,
        /// Line of the first.
        first_line: usize,
    },
    /// Text where a number belongs, and the like.
    #[error("{at}: `{key}` is {found}; write {expected}")]
    WrongType {
        /// The value.
        at: Place,
        /// The key with its section.
        key: String,
        /// What stands there.
        found: String,
        /// What belongs there.
        expected: String,
    },
    /// A number that is too small or too large.
    #[error("{at}: `{key}` is {found}, which is out of range; write {expected}")]
    OutOfRange {
        /// The value.
        at: Place,
        /// The key with its section.
        key: String,
        /// The number as written.
        found: String,
        /// The range.
        expected: String,
    },
    /// A number that YAML 1.1 and 1.2 read differently.
    #[error(
        "{at}: `{key}` is {found}, which some YAML readers take as octal and some as decimal; write it without the leading zero"
    )]
    LeadingZero {
        /// The value.
        at: Place,
        /// The key with its section.
        key: String,
        /// The number as written.
        found: String,
    },
    /// Three numbers that are not a split.
    #[error("{at}: {error}{}", if *some_are_defaults { " (a ratio that is not in the file has its default: 0.8, 0.1, 0.1)" } else { "" })]
    Ratios {
        /// The last ratio in the file.
        at: Place,
        /// What is wrong with them.
        error: RatiosError,
        /// Whether the file leaves one out, so that the reader looks for a number that is not there.
        some_are_defaults: bool,
    },
}

impl ConfigError {
    /// Where in the file the fault stands, if it has a place there.
    pub fn place(&self) -> Option<&Place> {
        match self {
            ConfigError::NotFound { .. } | ConfigError::Unreadable { .. } => None,
            ConfigError::NotUtf8 { at }
            | ConfigError::Syntax { at, .. }
            | ConfigError::UnknownKey { at, .. }
            | ConfigError::DoubledKey { at, .. }
            | ConfigError::WrongType { at, .. }
            | ConfigError::OutOfRange { at, .. }
            | ConfigError::LeadingZero { at, .. }
            | ConfigError::Ratios { at, .. } => Some(at),
        }
    }
}
