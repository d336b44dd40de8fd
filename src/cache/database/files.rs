//! Checks before SQLite opens a file: it may come from somebody else, or others may have write
//! permission for its folder.

use super::lock::{beside, real_path};
use crate::cache::error::CacheError;
use crate::folders::with_owner;
use crate::platform;
use std::io::ErrorKind;
use std::path::Path;

/// SQLite treats a shorter file as an empty database and would overwrite it.
const SMALLEST_DATABASE: u64 = 512;

/// Endings of the files that SQLite writes beside a database. Only older versions of prep used a
/// write-ahead log.
pub(in crate::cache) const JOURNALS: [&str; 3] = [ROLLBACK_JOURNAL, "-wal", "-shm"];
pub(in crate::cache) const ROLLBACK_JOURNAL: &str = "-journal";

/// Checks a file before SQLite opens it. Reads no bytes of it: closing the file again would release the
/// locks that this process holds on it.
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
        let error = with_owner(path, ErrorKind::PermissionDenied.into());
        return Err(CacheError::Unreadable { path: path.to_owned(), error });
    }
    match file.len() {
        1..SMALLEST_DATABASE => Err(CacheError::NotADatabase(path.to_owned())),
        _ => Ok(()),
    }
}

/// Checks that the journals beside the file are regular files: SQLite would block on a FIFO, or follow a
/// symbolic link to a file elsewhere. SQLite itself checks the content of a journal.
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
