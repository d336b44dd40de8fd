//! Room on the disk: how much there is, whether there is none left, and amounts in words.
//!
//! What is needed is rounded up and what is free is rounded down, so that a sentence with both never
//! says that 1.2 GB are needed and 1.2 GB are free. Units are decimal, as disks are sold.

use crate::platform;
use std::error::Error;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

/// Bytes that a program without special rights may still write to the file system of a path, which
/// need not be there itself; `None` if the file system does not tell. A quota may allow less.
pub fn free_bytes(path: &Path) -> Option<u64> {
    platform::free_bytes(&nearest_there(path))
}

/// The path, or the last folder on the way to it that is there.
fn nearest_there(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let there = absolute.ancestors().find(|ancestor| ancestor.exists());
    there.unwrap_or(Path::new("/")).to_owned()
}

/// Whether this error, or one that it came from, says that the disk or somebody's share of it is used
/// up.
pub fn is_of_full_disk(error: &(dyn Error + 'static)) -> bool {
    std::iter::successors(Some(error), |&error| error.source())
        .filter_map(|error| error.downcast_ref::<io::Error>())
        .any(|error| matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded))
}

/// Whether the disk of a path has no room for a small file ([`SMALL_FILE`] bytes). Finds out by writing one:
/// only that tells of quotas. For callers who got an error that does not say why.
pub fn is_full(path: &Path) -> bool {
    let there = nearest_there(path);
    let folder = if there.is_dir() { &there } else { there.parent().unwrap_or(Path::new("/")) };
    let try_it = || -> io::Result<()> {
        let mut file = tempfile::tempfile_in(folder)?;
        file.write_all(&vec![1; SMALL_FILE as usize])?;
        file.sync_all()
    };
    try_it().is_err_and(|error| is_of_full_disk(&error))
}

/// Room that any work needs, however small it is.
pub const SMALL_FILE: u64 = 64 << 10;

/// What is needed, rounded up: `12 KB`, `3.0 GB`.
pub fn needed_in_words(bytes: u64) -> String {
    in_words(bytes, u64::div_ceil)
}

/// What is free, rounded down, with its verb: `1.2 GB are free`.
pub fn free_in_words(free: Option<u64>) -> String {
    match free {
        Some(bytes) => format!("{} are free", in_words(bytes, |bytes, unit| bytes / unit)),
        None => "free space is unknown".to_owned(),
    }
}

/// Goes behind a sentence about a full disk that seems to have room enough.
pub fn quota_in_words(needed: u64, free: Option<u64>) -> &'static str {
    if free.is_some_and(|free| free >= needed) { " (but a quota may allow less)" } else { "" }
}

fn in_words(bytes: u64, divide: fn(u64, u64) -> u64) -> String {
    const KB: u64 = 1_000;
    if bytes < KB {
        return format!("{bytes} bytes");
    }
    let kilobytes = divide(bytes, KB);
    if kilobytes < KB {
        return format!("{kilobytes} KB");
    }
    // In tenths of each unit, so that 999.96 MB are 1.0 GB and not 1000.0 MB.
    let mut tenth = KB * KB / 10;
    for unit in ["MB", "GB"] {
        let tenths = divide(bytes, tenth);
        if tenths < 10 * KB {
            return format!("{}.{} {unit}", tenths / 10, tenths % 10);
        }
        tenth *= KB;
    }
    let tenths = divide(bytes, tenth);
    format!("{}.{} TB", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_needed_is_never_said_to_be_less_and_what_is_free_never_more() {
        for (bytes, needed, free) in [
            (0, "0 bytes", "0 bytes"),
            (999, "999 bytes", "999 bytes"),
            (1_000, "1 KB", "1 KB"),
            (12_001, "13 KB", "12 KB"),
            (999_001, "1.0 MB", "999 KB"),
            (1_200_000, "1.2 MB", "1.2 MB"),
            (1_200_000_001, "1.3 GB", "1.2 GB"),
            (999_960_000, "1.0 GB", "999.9 MB"),
            (3_000_000_000, "3.0 GB", "3.0 GB"),
            (45_600_000_000_000, "45.6 TB", "45.6 TB"),
        ] {
            assert_eq!(needed_in_words(bytes), needed);
            assert_eq!(free_in_words(Some(bytes)), format!("{free} are free"));
        }
    }

    #[test]
    fn free_space_is_that_of_the_nearest_folder_that_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let there = free_bytes(folder.path()).unwrap();
        let deeper = free_bytes(&folder.path().join("not/there/yet")).unwrap();
        // Others write too.
        assert!(there > 0 && there.abs_diff(deeper) < 1 << 30, "{there} and {deeper}");
        assert!(!is_full(&folder.path().join("not/there/yet")));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_file_system_without_blocks_has_an_unknown_amount_free() {
        assert_eq!(free_bytes(Path::new("/proc/self")), None);
    }

    #[test]
    fn a_full_disk_is_recognised_below_other_errors() {
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
