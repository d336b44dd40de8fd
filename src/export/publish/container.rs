//! The hidden folder beside a target that holds all that one run needs to publish.

use crate::platform::is_deleted;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

const LOCK: &str = "lock";
const EXPORT: &str = "export";
const PREVIOUS: &str = "previous";
/// Random letters and digits at the end of the folder's name.
const RANDOM_LETTERS: usize = 6;

/// The folder, locked; removed when dropped.
#[derive(Debug)]
pub(super) struct Container {
    folder: PathBuf,
    target: PathBuf,
    /// Locked until dropped, which is after the folder is removed.
    _lock: File,
}

impl Container {
    /// Makes and locks a folder beside a resolved target.
    pub(super) fn claim(target: &Path) -> io::Result<Container> {
        loop {
            let made = tempfile::Builder::new()
                .prefix(&name_prefix(target))
                .rand_bytes(RANDOM_LETTERS)
                .tempdir_in(parent_of(target))?;
            if let Some(container) = Container::lock(made.path().to_owned(), target)? {
                // From here on dropping the container removes it.
                let _ = made.keep();
                return Ok(container);
            }
            // Another run saw it before it was locked, and removes it as that of a dead run.
        }
    }

    /// Removes the folders of dead runs. One that cannot be removed is no reason to stop an export.
    pub(super) fn remove_dead(target: &Path) -> io::Result<()> {
        for folder in folders_beside(target)? {
            match Container::lock(folder.clone(), target) {
                Ok(dead_or_none) => drop(dead_or_none),
                Err(error) => tracing::warn!("cannot lock {}: {error}", folder.display()),
            }
        }
        Ok(())
    }

    /// Takes the lock; `None` if another run has it, or has just removed the folder.
    fn lock(folder: PathBuf, target: &Path) -> io::Result<Option<Container>> {
        let mut options = OpenOptions::new();
        let lock = match options.create(true).truncate(false).write(true).open(folder.join(LOCK)) {
            Ok(lock) => lock,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        match lock.try_lock() {
            // Its folder was deleted between opening and locking.
            Ok(()) if is_deleted(&lock.metadata()?) => Ok(None),
            Ok(()) => Ok(Some(Container { folder, target: target.to_owned(), _lock: lock })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where the new export is written; after the exchange, where the old one is.
    pub(super) fn export(&self) -> PathBuf {
        self.folder.join(EXPORT)
    }

    /// Where the old export is moved to if names cannot be exchanged.
    pub(super) fn previous(&self) -> PathBuf {
        self.folder.join(PREVIOUS)
    }

    /// Restores an old export that was moved away, if nothing is at the target; if that fails, the
    /// folder stays.
    fn remove(&self) -> io::Result<()> {
        let is_missing = |path: &Path| fs::symlink_metadata(path).is_err();
        if !is_missing(&self.previous()) && is_missing(&self.target) {
            fs::rename(self.previous(), &self.target)?;
        }
        fs::remove_dir_all(&self.folder)
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        if let Err(error) = self.remove() {
            tracing::warn!("cannot remove {}: {error}", self.folder.display());
        }
    }
}

/// The folder that a resolved target is in.
pub(super) fn parent_of(target: &Path) -> &Path {
    target.parent().unwrap_or(Path::new("/"))
}

/// What the hidden folders of a target are called, without the random letters.
fn name_prefix(target: &Path) -> OsString {
    let mut prefix = OsString::from(".");
    prefix.push(target.file_name().unwrap_or_default());
    prefix.push(".prep-");
    prefix
}

/// The hidden folders of runs beside a target. A folder with such a name that holds something else
/// belongs to somebody else.
fn folders_beside(target: &Path) -> io::Result<Vec<PathBuf>> {
    let prefix = name_prefix(target);
    let mut found = Vec::new();
    for entry in fs::read_dir(parent_of(target))? {
        let entry = entry?;
        let name = entry.file_name();
        let is_named_so = name
            .as_encoded_bytes()
            .strip_prefix(prefix.as_encoded_bytes())
            .is_some_and(|letters| {
                letters.len() == RANDOM_LETTERS && letters.iter().all(u8::is_ascii_alphanumeric)
            });
        if is_named_so && entry.file_type()?.is_dir() && holds_only_ours(&entry.path()) {
            found.push(entry.path());
        }
    }
    Ok(found)
}

/// False also for a folder that cannot be read.
fn holds_only_ours(folder: &Path) -> bool {
    let is_ours = |entry: io::Result<fs::DirEntry>| {
        entry.is_ok_and(|entry| {
            [LOCK, EXPORT, PREVIOUS].iter().any(|&ours| entry.file_name() == ours)
        })
    };
    fs::read_dir(folder).is_ok_and(|mut entries| entries.all(is_ours))
}
