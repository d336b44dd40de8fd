//! Errors of exports.

use super::publish::PublishError;
use crate::accounting::Unaccounted;
use crate::cache::CacheError;
use crate::dataset::{DatasetError, Dtype};
use crate::disk_space::{free_in_words, is_of_full_disk};
use crate::gamelog::GameId;
use crate::parallel::ThreadError;
use crate::words::{bytes_in_words, shown};
use std::path::{Path, PathBuf};

/// Why an export failed. The output folder is unchanged; see [`PublishError`] for the exception.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The scaler of `--scaler-from` cannot be used.
    #[error("cannot use the scaler of {}: {why}", shown(export))]
    Scaler {
        /// The earlier export.
        export: PathBuf,
        /// The reason.
        why: String,
    },
    /// A file is not a valid list of columns.
    #[error("cannot use the columns of {}: {why}", shown(file))]
    Columns {
        /// The file.
        file: PathBuf,
        /// The reason.
        why: String,
    },
    /// [`Dtype::Int8`] was asked for with normalization.
    #[error(
        "int8 holds whole numbers only, and normalized values are fractions: export with \
         --no-normalize"
    )]
    NormalizedIntegers,
    /// A value is out of the range of the element type.
    #[error(
        "game {game_id}: {column} is {value}, which is out of the range of {}: \
         export with --dtype float32",
        dtype.name()
    )]
    OutOfRange {
        /// The game.
        game_id: GameId,
        /// Name of the column.
        column: &'static str,
        /// The value, normalized if the export is.
        value: f64,
        /// The type.
        dtype: Dtype,
    },
    /// The disk has too little space; detected before anything is written.
    #[error(
        "the export to {} needs {} and {} there: free some space, or choose another disk with --out",
        shown(out), bytes_in_words(*needed), free_in_words(Some(*free))
    )]
    NoSpace {
        /// The folder to replace.
        out: PathBuf,
        /// Upper limit of the space that the export needs beside the old one, in bytes.
        needed: u64,
        /// Free bytes.
        free: u64,
    },
    /// The disk became full during the export.
    #[error(
        "the disk is full: the export to {} needs {}, and {} (a quota may allow less): free some space, \
         or choose another disk with --out",
        shown(out), bytes_in_words(*needed), free_in_words(*free)
    )]
    DiskFull {
        /// The folder to replace.
        out: PathBuf,
        /// Upper limit of the space that the export needs beside the old one, in bytes.
        needed: u64,
        /// Free bytes after the incomplete export was removed, if known.
        free: Option<u64>,
    },
    /// A file of the export could not be written.
    #[error("cannot write {}: {error}", shown(path))]
    File {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        error: std::io::Error,
    },
    /// The folder of an export could not be listed.
    #[error(
        "cannot read the export {}: {error}: give the folder that `prep export` wrote",
        shown(path)
    )]
    Unreadable {
        /// The folder.
        path: PathBuf,
        /// The system's reason.
        error: std::io::Error,
    },
    /// A file of an export exists but could not be read.
    #[error(
        "cannot read {}: {error}: check that it is a file and that you may read it",
        shown(path)
    )]
    UnreadableFile {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        error: std::io::Error,
    },
    /// Ctrl-C.
    #[error("interrupted: the output folder is unchanged")]
    Interrupted,
    /// The dataset could not be opened.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    /// An error of the cache.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// The folder could not be published.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// Not every game or row was written.
    #[error(transparent)]
    Unaccounted(#[from] Unaccounted),
    /// The worker threads could not be started.
    #[error(transparent)]
    Threads(#[from] ThreadError),
}

impl ExportError {
    /// The cache's error, if it is one.
    pub fn cache_error(&self) -> Option<&CacheError> {
        match self {
            ExportError::Cache(error) | ExportError::Dataset(DatasetError::Cache(error)) => {
                Some(error)
            }
            _ => None,
        }
    }

    pub(super) fn file(path: &Path, error: std::io::Error) -> ExportError {
        ExportError::File { path: path.to_owned(), error }
    }

    /// Whether the disk of the export is full; a full disk of the cache is a cache error.
    pub(super) fn is_of_full_disk(&self) -> bool {
        match self {
            ExportError::File { error, .. } => is_of_full_disk(error),
            // Has its own message, which names the place of the old export.
            ExportError::Publish(PublishError::NotRestored { .. }) => false,
            error => is_of_full_disk(error),
        }
    }
}
