//! Free space on a disk.

use crate::platform;
use crate::words::bytes_in_words;
use std::error::Error;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

/// Free bytes for this user on the file system of a path, which need not exist; `None` if unknown. A
/// quota may allow less.
pub fn free_bytes(path: &Path) -> Option<u64> {
    platform::free_bytes(&nearest_existing(path))
}

/// The path, or its nearest existing parent folder.
fn nearest_existing(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let existing = absolute.ancestors().find(|ancestor| ancestor.exists());
    existing.unwrap_or(Path::new("/")).to_owned()
}

/// Whether this error, or one of its sources, means that the disk or this user's quota is full.
pub fn is_of_full_disk(error: &(dyn Error + 'static)) -> bool {
    std::iter::successors(Some(error), |&error| error.source())
        .filter_map(|error| error.downcast_ref::<io::Error>())
        .any(|error| matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded))
}

/// Whether the disk of a path is full, for callers with an error that does not tell. Writes a small
/// file, because only that detects a quota.
pub fn is_full(path: &Path) -> bool {
    let existing = nearest_existing(path);
    let folder = match existing.is_dir() {
        true => &existing,
        false => existing.parent().unwrap_or(Path::new("/")),
    };
    let write = || -> io::Result<()> {
        let mut file = tempfile::tempfile_in(folder)?;
        file.write_all(&[1; 64 << 10])?;
        file.sync_all()
    };
    write().is_err_and(|error| is_of_full_disk(&error))
}

/// `1.2 GB are free`.
pub fn free_in_words(free: Option<u64>) -> String {
    match free {
        Some(bytes) => format!("{} are free", bytes_in_words(bytes)),
        None => "free space is unknown".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_folders_have_the_space_of_their_parent() {
        let folder = tempfile::tempdir().unwrap();
        let there = free_bytes(folder.path()).unwrap();
        let deeper = free_bytes(&folder.path().join("not/there/yet")).unwrap();
        // Other programs write, too.
        assert!(there > 0 && there.abs_diff(deeper) < 1 << 30, "{there} and {deeper}");
        assert!(!is_full(&folder.path().join("not/there/yet")));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn virtual_file_system_has_unknown_space() {
        assert_eq!(free_bytes(Path::new("/proc/self")), None);
        assert_eq!(free_in_words(None), "free space is unknown");
    }

    #[test]
    fn full_disk_is_recognized_below_other_errors() {
        #[derive(Debug, thiserror::Error)]
        #[error("on top")]
        struct Above(#[source] io::Error);
        for (kind, is_full) in [
            (ErrorKind::StorageFull, true),
            (ErrorKind::QuotaExceeded, true),
            (ErrorKind::PermissionDenied, false),
        ] {
            assert_eq!(is_of_full_disk(&io::Error::from(kind)), is_full);
            assert_eq!(is_of_full_disk(&Above(kind.into())), is_full);
        }
    }
}
