//! Detects that another program has replaced or overwritten a cache.

use crate::platform::FileId;
use std::fs;
use std::path::Path;
use std::time::SystemTime;

/// A file and its content, as far as its metadata shows that. While SQLite holds a lock, only programs that
/// ignore locks change it, like `cp`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cache) struct FileVersion {
    /// `None` where it is unknown.
    pub(in crate::cache) id: Option<FileId>,
    size: u64,
    modified: Option<SystemTime>,
}

impl FileVersion {
    /// The version that has this name now; `None` if there is none.
    pub(in crate::cache) fn of(path: &Path) -> Option<FileVersion> {
        let file = fs::metadata(path).ok()?;
        let id = cfg!(unix).then(|| FileId::of(&file));
        Some(FileVersion { id, size: file.len(), modified: file.modified().ok() })
    }
}
