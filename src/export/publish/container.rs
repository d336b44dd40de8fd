//! The hidden folder of a run, beside or in its target.

use super::super::manifest::MANIFEST_FILE;
use super::in_place::restore_files;
use crate::folders::parent_of;
use crate::platform::{is_deleted, open_own_file};
use crate::words::shown;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

const LOCK: &str = "lock";
const EXPORT: &str = "export";
const PREVIOUS: &str = "previous";
/// Prefix of the names of hidden folders in a target.
const IN_TARGET: &str = ".prep-";
/// Number of random letters and digits at the end of the folder's name.
const RANDOM_LETTERS: usize = 6;

/// The locked folder; it is removed on drop.
#[derive(Debug)]
pub(super) struct Container {
    folder: PathBuf,
    target: PathBuf,
    /// Closed before the folder is deleted: some network file systems rename open files instead of
    /// deleting them, and then the folder is not empty.
    lock: Option<File>,
}

impl Container {
    /// Creates and locks a folder beside a resolved target, or in it if the target cannot be renamed.
    pub(super) fn claim(target: &Path) -> io::Result<Container> {
        let inside = |error: io::Error| match target.is_dir() {
            true => Container::claim_in_target(target).map_err(|_| error),
            false => Err(error),
        };
        let beside = match Container::claim_in(parent_of(target), name_prefix(target), target) {
            Ok(beside) => beside,
            Err(error) => return inside(error),
        };
        match beside.try_rename_target() {
            Err(error) if means_not_renamable(&error) => {
                drop(beside);
                inside(error)
            }
            _ => Ok(beside),
        }
    }

    /// Creates and locks a folder in a resolved target.
    pub(super) fn claim_in_target(target: &Path) -> io::Result<Container> {
        Container::claim_in(target, IN_TARGET.into(), target)
    }

    /// Whether it is in its target.
    pub(super) fn is_in_target(&self) -> bool {
        parent_of(&self.folder) == self.target
    }

    /// Tries to rename the target to this folder. That always fails because this folder is not empty,
    /// but the error shows whether the target can be renamed at all.
    fn try_rename_target(&self) -> io::Result<()> {
        fs::rename(&self.target, &self.folder)?;
        // Some file systems replace a folder that is not empty.
        fs::rename(&self.folder, &self.target)
    }

    fn claim_in(parent: &Path, prefix: OsString, target: &Path) -> io::Result<Container> {
        loop {
            let made = tempfile::Builder::new()
                .prefix(&prefix)
                .rand_bytes(RANDOM_LETTERS)
                .tempdir_in(parent)?;
            if let Some(container) = Container::lock(made.path().to_owned(), target)? {
                // From here on, dropping the container removes the folder.
                let _ = made.keep();
                return Ok(container);
            }
            // Another run saw the folder before it was locked, and removes it as a leftover.
        }
    }

    /// Removes the folders of killed runs. Failures are only logged.
    pub(super) fn remove_dead(target: &Path) -> io::Result<()> {
        for folder in folders_of(target)? {
            match Container::lock(folder.clone(), target) {
                Ok(dead_or_none) => drop(dead_or_none),
                Err(error) => tracing::warn!("cannot lock {}: {error}", shown(&folder)),
            }
        }
        Ok(())
    }

    /// Takes the lock; `None` if another run holds it or has just removed the folder.
    fn lock(folder: PathBuf, target: &Path) -> io::Result<Option<Container>> {
        let lock = match open_own_file(&folder.join(LOCK)) {
            Ok(lock) => lock,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        match lock.try_lock() {
            // Its folder was deleted between opening and locking.
            Ok(()) if is_deleted(&lock.metadata()?) => Ok(None),
            Ok(()) => Ok(Some(Container { folder, target: target.to_owned(), lock: Some(lock) })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The path of the new export; after the exchange, that of the old one.
    pub(super) fn export(&self) -> PathBuf {
        self.folder.join(EXPORT)
    }

    /// The path to which the old export is moved if folders cannot be exchanged.
    pub(super) fn previous(&self) -> PathBuf {
        self.folder.join(PREVIOUS)
    }

    /// Restores an old export that was moved away, if the target does not exist or is an empty folder; if
    /// that fails, the folder stays.
    fn remove(&mut self) -> io::Result<()> {
        if self.is_in_target() {
            restore_files(&self.export(), &self.previous(), &self.target)?;
        } else if self.previous().exists() && !self.target.join(MANIFEST_FILE).exists() {
            fs::rename(self.previous(), &self.target)?;
        }
        let removed = |removed: io::Result<()>| match removed {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            removed => removed,
        };
        for content in [self.export(), self.previous()] {
            removed(fs::remove_dir_all(content))?;
        }
        // While it is locked: a run that has opened the lock then sees that it is deleted.
        removed(fs::remove_file(self.folder.join(LOCK)))?;
        self.lock = None;
        match fs::remove_dir(&self.folder) {
            Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty => {
                match self.folder.join(LOCK).exists() {
                    // Another run has claimed the folder.
                    true => Ok(()),
                    // A network file system has renamed the lock, because it was open.
                    false => removed(fs::remove_dir_all(&self.folder)),
                }
            }
            other => removed(other),
        }
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        if let Err(error) = self.remove() {
            tracing::warn!("cannot remove {}: {error}", shown(&self.folder));
        }
    }
}

/// Whether the error means that the folder can never be renamed: it is a mount point, or in a lower
/// layer of a container's file system.
fn means_not_renamable(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::CrossesDevices | ErrorKind::ResourceBusy)
}

/// The name of a target's hidden folders without the random letters.
fn name_prefix(target: &Path) -> OsString {
    let mut prefix = OsString::from(".");
    prefix.push(target.file_name().unwrap_or_default());
    prefix.push(".prep-");
    prefix
}

/// The hidden folders of runs, beside and in a target.
fn folders_of(target: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = folders_in(parent_of(target), &name_prefix(target))?;
    found.extend(folders_in(target, OsStr::new(IN_TARGET))?);
    Ok(found)
}

/// The hidden folders in a folder; empty if it does not exist or cannot be read.
fn folders_in(folder: &Path, prefix: &OsStr) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let entries = match fs::read_dir(folder) {
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::NotFound | ErrorKind::PermissionDenied | ErrorKind::NotADirectory
            ) =>
        {
            return Ok(found);
        }
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        if is_container(&entry, prefix)? {
            found.push(entry.path());
        }
    }
    Ok(found)
}

/// Whether an entry of a target is the hidden folder of a run.
pub(super) fn is_container_in_target(entry: &fs::DirEntry) -> io::Result<bool> {
    is_container(entry, OsStr::new(IN_TARGET))
}

/// A folder with such a name and other content is not prep's.
fn is_container(entry: &fs::DirEntry, prefix: &OsStr) -> io::Result<bool> {
    let name = entry.file_name();
    let letters = name.as_encoded_bytes().strip_prefix(prefix.as_encoded_bytes());
    let is_named_so = letters.is_some_and(|letters| {
        letters.len() == RANDOM_LETTERS && letters.iter().all(u8::is_ascii_alphanumeric)
    });
    Ok(is_named_so && entry.file_type()?.is_dir() && holds_only_ours(&entry.path()))
}

/// Also false for a folder that cannot be read.
fn holds_only_ours(folder: &Path) -> bool {
    let is_ours = |entry: io::Result<fs::DirEntry>| {
        entry.is_ok_and(|entry| {
            let name = entry.file_name();
            [LOCK, EXPORT, PREVIOUS].iter().any(|&ours| name == ours) || is_hidden_by_system(&name)
        })
    };
    fs::read_dir(folder).is_ok_and(|mut entries| entries.all(is_ours))
}

/// Whether NFS or FUSE renamed a file because it was deleted while open.
fn is_hidden_by_system(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    name.starts_with(b".nfs") || name.starts_with(b".fuse_hidden")
}
