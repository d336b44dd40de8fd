//! Dated exports in one folder, with a link to the latest:
//!
//! ```text
//! exports/2026-11-26T030012Z/
//!        /2026-11-27T030009Z/
//!        /latest -> 2026-11-27T030009Z
//! ```
//!
//! Old ones are removed, but only folders that have such a name and contain nothing but an export. One run
//! at a time writes there: others could take the same name, or remove the target of the link.

use super::manifest::Manifest;
use super::publish::{PublishError, check_replaceable, is_hidden, remove_leftovers};
use crate::folders::create_folders;
use crate::platform::{link_to_folder, open_own_file, sync_folder};
use crate::words::{shown, utc_stamp};
use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

const LATEST: &str = "latest";

/// Locked while a run writes to the folder, and never deleted.
const LOCK: &str = ".lock";

/// How often a waiting run tries again.
const RETRY: Duration = Duration::from_millis(50);

/// Suffix of an export that is being removed.
const REMOVED: &str = ".prep-removed";

/// The folder of the dated exports, locked until this is dropped.
#[derive(Debug)]
pub struct DatedExports {
    folder: PathBuf,
    keep: usize,
    _lock: File,
}

/// Why dated exports cannot be kept in a folder.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// It is itself an export.
    #[error(
        "{} is an export, and --keep makes a folder of dated exports: choose another folder with --out",
        shown(.0)
    )]
    IsExport(PathBuf),
    /// Something else has the name of the link.
    #[error("{} is not a link that --keep made: move it away, or choose another folder with --out", shown(.0))]
    NotALink(PathBuf),
    /// A file operation failed.
    #[error("cannot {what} {}: {error}", shown(path))]
    Failed {
        /// The attempted action.
        what: &'static str,
        /// The path.
        path: PathBuf,
        /// The system's reason.
        error: io::Error,
    },
    /// Leftovers of killed runs could not be removed.
    #[error(transparent)]
    Publish(#[from] PublishError),
}

fn failed(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> KeepError {
    let path = path.to_owned();
    move |error| KeepError::Failed { what, path, error }
}

impl DatedExports {
    /// Opens a folder, which need not exist, to keep `keep` exports there, at least 1. Waits for a run that
    /// has it open, until `stop` is set. Removes leftovers of killed runs.
    ///
    /// # Errors
    /// If the folder is an export, contains something else with the name of the link, or cannot be locked.
    pub fn open(folder: &Path, keep: usize, stop: &AtomicBool) -> Result<DatedExports, KeepError> {
        if Manifest::read(folder).is_ok() {
            return Err(KeepError::IsExport(folder.to_owned()));
        }
        create_folders(folder).map_err(failed("make", folder))?;
        let lock = lock(folder, stop).map_err(failed("lock", folder))?;
        let exports = DatedExports { folder: folder.to_owned(), keep, _lock: lock };
        match fs::symlink_metadata(exports.latest()) {
            Ok(found) if !found.is_symlink() => return Err(KeepError::NotALink(exports.latest())),
            _ => {}
        }
        for name in exports.names()? {
            // `.2026-11-26T030012Z.prep-Xw3k9Q`
            let hidden = name.strip_prefix('.').and_then(|name| name.split_once(".prep-"));
            if let Some((target, _)) = hidden.filter(|(target, _)| is_dated(target)) {
                remove_leftovers(&folder.join(target))?;
            }
            let removed = name.strip_prefix('.').and_then(|name| name.strip_suffix(REMOVED));
            if removed.is_some_and(is_dated) {
                let path = folder.join(&name);
                fs::remove_dir_all(&path).map_err(failed("remove the old export", &path))?;
            }
        }
        Ok(exports)
    }

    /// The link to the latest export, which need not exist.
    pub fn latest(&self) -> PathBuf {
        self.folder.join(LATEST)
    }

    /// The path for the next export: later than all others, also than those within the same second, or of a clock
    /// that was ahead.
    ///
    /// # Errors
    /// If the folder cannot be read.
    pub fn next(&self) -> Result<PathBuf, KeepError> {
        let mut name = utc_stamp(SystemTime::now());
        let names = self.names()?;
        let others = names.iter().filter(|name| is_dated(name)).map(|name| key(name));
        if let Some((stamp, place)) = others.max().filter(|(stamp, _)| *stamp >= name.as_str()) {
            name = format!("{stamp}.{}", u64::from(place) + 1);
        }
        Ok(self.folder.join(name))
    }

    /// Points the link to a new export, atomically.
    ///
    /// # Errors
    /// If the link cannot be created. The old link is unchanged then.
    pub fn link(&self, export: &Path) -> Result<(), KeepError> {
        let (latest, name) = (self.latest(), export.file_name().unwrap_or_default());
        let new = self.folder.join(format!(".{LATEST}.prep-{}", std::process::id()));
        let _ = fs::remove_file(&new);
        link_to_folder(Path::new(name), &new).map_err(failed("create the link", &new))?;
        fs::rename(&new, &latest).map_err(failed("replace the link", &latest))?;
        sync_folder(&self.folder).map_err(failed("sync", &self.folder))
    }

    /// Removes the oldest exports beyond `keep` and returns their paths. Never removes the target of the
    /// link, or a folder that contains anything but an export, such as a hidden file.
    ///
    /// # Errors
    /// If the target of the link is unknown, or one cannot be removed.
    pub fn remove_old(&self) -> Result<Vec<PathBuf>, KeepError> {
        let latest = self.latest();
        let latest = fs::canonicalize(&latest).map_err(failed("look up", &latest))?;
        let mut names = self.names()?;
        names.retain(|name| is_dated(name));
        names.sort_by(|one, other| key(other).cmp(&key(one)));
        let is_own = |path: &PathBuf| {
            fs::symlink_metadata(path).is_ok_and(|found| found.is_dir())
                && Manifest::read(path).is_ok()
                && check_replaceable(path).is_ok()
                && !has_hidden_files(path)
                && path.file_name() != latest.file_name()
        };
        let exports = names.iter().map(|name| self.folder.join(name));
        let mut exports: Vec<PathBuf> = exports.filter(is_own).collect();
        // The latest export counts as one of the kept exports.
        let others = self.keep.saturating_sub(1);
        let old = exports.split_off(others.min(exports.len()));
        for path in &old {
            // Renamed first, so that a partly removed export is not mistaken for a complete one.
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let removed = self.folder.join(format!(".{name}{REMOVED}"));
            let renamed = fs::rename(path, &removed).and_then(|()| fs::remove_dir_all(&removed));
            renamed.map_err(failed("remove the old export", path))?;
        }
        Ok(old)
    }

    fn names(&self) -> Result<Vec<String>, KeepError> {
        let entries = fs::read_dir(&self.folder).map_err(failed("read", &self.folder))?;
        let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
        Ok(names.collect())
    }
}

/// Locks the folder. Waits for another run, until `stop` is set.
fn lock(folder: &Path, stop: &AtomicBool) -> io::Result<File> {
    let file = open_own_file(&folder.join(LOCK))?;
    let mut is_announced = false;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) if stop.load(Ordering::Relaxed) => {
                return Err(ErrorKind::Interrupted.into());
            }
            Err(TryLockError::WouldBlock) => {
                if !is_announced {
                    is_announced = true;
                    tracing::info!("waiting for another run that exports to {}", shown(folder));
                }
                std::thread::sleep(RETRY);
            }
        }
    }
}

/// Whether somebody saved hidden files in an export or one of its shards. True if that is unknown.
fn has_hidden_files(export: &Path) -> bool {
    walkdir::WalkDir::new(export).min_depth(1).into_iter().any(|entry| {
        entry.map_or(true, |entry| entry.file_type().is_file() && is_hidden(entry.file_name()))
    })
}

/// Sort key by time: `Z.10` is later than `Z.9`.
fn key(name: &str) -> (&str, u32) {
    let (stamp, place) = name.split_once('.').unwrap_or((name, "1"));
    (stamp, place.parse().unwrap_or(0))
}

/// Whether [`DatedExports::next`] could have created a name.
fn is_dated(name: &str) -> bool {
    let (stamp, place) = name.split_once('.').unwrap_or((name, "2"));
    let pattern = "dddd-dd-ddTddddddZ";
    stamp.len() == pattern.len()
        && stamp.bytes().zip(pattern.bytes()).all(|(byte, wanted)| match wanted {
            b'd' => byte.is_ascii_digit(),
            wanted => byte == wanted,
        })
        && place.parse::<u32>().is_ok_and(|place| place > 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names before it were removed.
    #[test]
    fn next_is_later_than_all_others() {
        let parent = tempfile::tempdir().unwrap();
        let exports = DatedExports::open(parent.path(), 1, &AtomicBool::new(false)).unwrap();
        // The clock was ahead.
        for later in 0..100 {
            let stamp = utc_stamp(SystemTime::now() + Duration::from_secs(later));
            fs::create_dir(parent.path().join(format!("{stamp}.9"))).unwrap();
            fs::create_dir(parent.path().join(format!("{stamp}.10"))).unwrap();
        }
        let next = exports.next().unwrap();
        let latest = fs::read_dir(parent.path()).unwrap().map(|entry| entry.unwrap().path()).max();
        let latest = latest.unwrap().with_extension("11");
        assert_eq!(next, latest);
    }
}
