//! What is looked at before SQLite opens a file: somebody else may have made it, or may write to its folder.

use super::lock::{beside, real_path};
use crate::cache::error::CacheError;
use crate::platform;
use std::path::Path;

/// SQLite takes a shorter file for an empty database and would overwrite it.
const SMALLEST_DATABASE: u64 = 512;

/// What SQLite writes beside a file. A write-ahead log is from an older version of prep.
pub(in crate::cache) const JOURNALS: [&str; 3] = [ROLLBACK_JOURNAL, "-wal", "-shm"];
pub(in crate::cache) const ROLLBACK_JOURNAL: &str = "-journal";

/// What can be said of a file before SQLite opens it. Without opening it: to close it again would release
/// the locks of this process.
pub(in crate::cache) fn check_file(path: &Path) -> Result<(), CacheError> {
    check_journals(path)?;
    let Ok(file) = std::fs::metadata(path) else { return Ok(()) };
    if file.is_dir() {
        return Err(CacheError::IsAFolder(path.to_owned()));
    }
    if !file.is_file() {
        let what = platform::type_in_words(file.file_type());
        return Err(CacheError::NotAFile { path: path.to_owned(), what });
    }
    if !platform::may_read(path) {
        return Err(CacheError::Unreadable(path.to_owned()));
    }
    match file.len() {
        1..SMALLEST_DATABASE => Err(CacheError::NotADatabase(path.to_owned())),
        _ => Ok(()),
    }
}

/// Makes sure that SQLite will find nothing beside the file that it would wait for, or that would lead it
/// elsewhere: the folder may be somebody else's. What a journal of somebody else holds is SQLite's to check.
fn check_journals(path: &Path) -> Result<(), CacheError> {
    let real = real_path(path);
    for file in JOURNALS.map(|ending| beside(&real, ending)) {
        if let Ok(found) = std::fs::symlink_metadata(&file)
            && !found.is_file()
        {
            let what = platform::type_in_words(found.file_type());
            return Err(CacheError::ForeignJournal { path: path.to_owned(), file, what });
        }
    }
    Ok(())
}
