//! Replaces an export by a new one atomically.
//!
//! A training run that starts while an export is written must not see a mixture of two exports. So an
//! export is written to a folder beside its target, synced, and then the two folders are exchanged in
//! one step; a kill at any moment leaves either the old or the new export. Then the old files are
//! deleted; a process that has them open or mapped can still read them.
//!
//! The files of a run are in a hidden folder beside the target:
//!
//! ```text
//! data/processed                    the target
//! data/.processed.prep-Xw3k9Q/lock      locked while the run is alive
//!                            /export/   the new export; after the exchange, the old one
//!                            /previous/ the old export, where names cannot be exchanged
//! ```
//!
//! The kernel releases the lock of a killed run, so that the next run with the same target recognizes
//! and removes its folder.
//!
//! Some network file systems cannot exchange folders. There the old export is moved away before the new
//! one is moved in; a kill between the two leaves no export at the target until the next run restores
//! the old one. A mount point, or a folder of a container image, cannot be renamed at all. There the
//! hidden folder is in the target, and the files are moved one by one.

mod container;
mod error;
mod in_place;
mod replaceable;
#[cfg(test)]
mod tests;

pub use error::PublishError;
pub(super) use in_place::is_hidden;
pub(super) use replaceable::check_replaceable;
pub use replaceable::export_around;

use crate::folders::{keep_access, keep_owner, parent_of, with_owner};
use crate::platform::{exchange_names, forget_content, may_write, open_file, sync_folder};
use crate::progress::{Amount, Progress};
use crate::words::shown;
use container::Container;
use error::failed;
use in_place::replace_files;
use std::cmp::Reverse;
use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// A folder to write an export to, which is removed on drop unless it was published.
#[derive(Debug)]
pub(super) struct Staging {
    /// The folder to replace: absolute and without symbolic links.
    target: PathBuf,
    container: Container,
}

impl Staging {
    /// Creates an empty folder beside `target`, and missing parents of `target`. Removes leftovers of
    /// killed runs, and restores an export that one of them had moved away.
    ///
    /// If `target` is a symbolic link, the folder that it points to is replaced.
    ///
    /// # Errors
    ///
    /// If the target may not be replaced ([`check_replaceable`]), or the file system fails.
    pub(super) fn create(target: &Path) -> Result<Staging, PublishError> {
        let target = replaceable::resolve(target)?;
        Container::remove_dead(&target).map_err(failed("read the folder of", &target))?;
        check_replaceable(&target)?;
        if target.is_dir() && !may_write(&target) {
            // Not even its name can be exchanged, which would be found out when all is written.
            let error = with_owner(&target, ErrorKind::PermissionDenied.into());
            return Err(failed("replace", &target)(error));
        }
        let container =
            Container::claim(&target).map_err(failed("make a folder beside", &target))?;
        let staging = Staging { target, container };
        fs::create_dir(staging.path()).map_err(failed("make", &staging.path()))?;
        drop_from_memory(&staging.target);
        Ok(staging)
    }

    /// The folder to write to. All of its content is published.
    pub(super) fn path(&self) -> PathBuf {
        self.container.export()
    }

    /// Syncs the new export, moves it to the target in one step, and deletes the old one. `progress`
    /// counts the synced bytes.
    ///
    /// # Errors
    ///
    /// If the target may no longer be replaced, or the file system fails.
    pub(super) fn publish(self, progress: &dyn Progress) -> Result<(), PublishError> {
        self.publish_with(progress, exchange_names)
    }

    fn publish_with(
        self,
        progress: &dyn Progress,
        exchange: impl FnOnce(&Path, &Path) -> io::Result<()>,
    ) -> Result<(), PublishError> {
        let (export, target) = (self.path(), self.target.as_path());
        let replaced = match fs::metadata(target) {
            Ok(metadata) => Some(metadata),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(failed("look up", target)(error)),
        };
        if let Some(metadata) = &replaced {
            share_as(&export, target, metadata)
                .map_err(failed("set the permissions of", &export))?;
        }
        sync_all(&export, progress)?;

        // Checked again: somebody may have saved a notebook there during the sync. For the same reason,
        // hidden files are copied only now.
        check_replaceable(target)?;
        if target.is_dir() {
            keep_hidden_files(target, &export)
                .map_err(failed("keep the hidden files of", target))?;
        }
        if self.container.is_in_target() {
            replace_files(&export, &self.container.previous(), target)?;
            return self.remove_old(progress);
        }
        let is_placed = replaced.is_none() && self.place_where_nothing_is()?;
        if !is_placed && let Err(error) = exchange(&export, target) {
            // The errors of a kernel without this call and of a file system without this feature.
            if !matches!(error.kind(), ErrorKind::Unsupported | ErrorKind::InvalidInput) {
                return Err(failed("exchange the new export with", target)(error));
            }
            self.replace_in_two_steps()?;
        }

        for folder in [parent_of(target), self.container.folder()] {
            sync_folder(folder).map_err(failed("sync", folder))?;
        }
        self.remove_old(progress)
    }

    fn remove_old(self, progress: &dyn Progress) -> Result<(), PublishError> {
        progress.begin("removing the old export", Amount::Unknown);
        drop(self);
        progress.end();
        Ok(())
    }

    /// False if another run has published its first export there meanwhile.
    fn place_where_nothing_is(&self) -> Result<bool, PublishError> {
        match fs::rename(self.path(), &self.target) {
            Ok(()) => Ok(true),
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::DirectoryNotEmpty | ErrorKind::AlreadyExists
                ) =>
            {
                check_replaceable(&self.target)?;
                Ok(false)
            }
            Err(error) => Err(failed("rename the new export to", &self.target)(error)),
        }
    }

    fn replace_in_two_steps(&self) -> Result<(), PublishError> {
        let (target, previous) = (&self.target, self.container.previous());
        fs::rename(target, &previous).map_err(failed("rename", target))?;
        fs::rename(self.path(), target).map_err(|error| match fs::rename(&previous, target) {
            Ok(()) => failed("rename the new export to", target)(error),
            Err(source) => PublishError::NotRestored { target: target.clone(), previous, source },
        })
    }
}

/// Removes leftovers of killed runs beside a target.
pub(super) fn remove_leftovers(target: &Path) -> Result<(), PublishError> {
    let target = replaceable::resolve(target)?;
    Container::remove_dead(&target).map_err(failed("read the folder of", &target))
}

/// Copies the hidden files of the old export and its shards, such as `.gitkeep`, to the new one, and syncs
/// them.
fn keep_hidden_files(target: &Path, export: &Path) -> io::Result<()> {
    let mut is_changed = false;
    for entry in fs::read_dir(target)? {
        let entry = entry?;
        let (kept, kind) = (export.join(entry.file_name()), entry.file_type()?);
        if !is_hidden(&entry.file_name()) {
            if kind.is_dir() {
                keep_hidden_files(&entry.path(), &kept)?;
            }
        } else if kind.is_file() {
            if !export.is_dir() {
                let file = entry.path();
                let why = format!("the new export has no folder for {}", shown(&file));
                return Err(io::Error::new(ErrorKind::NotFound, why + ": move it elsewhere"));
            }
            // Some file systems have no hard links.
            if fs::hard_link(entry.path(), &kept).is_err() {
                fs::copy(entry.path(), &kept)?;
                keep_access(&kept, &entry.metadata()?)?;
                File::open(&kept)?.sync_all()?;
            }
            is_changed = true;
        }
    }
    if is_changed { sync_folder(export) } else { Ok(()) }
}

/// Keeps access rights: each file gets the group and permissions of the old file with the same name,
/// other files get the group of the folder.
fn share_as(export: &Path, target: &Path, replaced: &Metadata) -> io::Result<()> {
    for entry in fs::read_dir(export)? {
        let new = entry?;
        match fs::symlink_metadata(target.join(new.file_name())) {
            Ok(old) if old.is_file() => keep_access(&new.path(), &old)?,
            _ => keep_owner(&new.path(), replaced)?,
        }
    }
    keep_access(export, replaced)
}

/// Advises the kernel, on another thread, to drop cached pages of the old export's files: replacing a 3
/// GB export takes twice as long if the new files cannot use that memory. Mapped pages of other
/// processes are kept.
fn drop_from_memory(folder: &Path) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let files: Vec<File> = entries.filter_map(|entry| open_file(&entry.path()).ok()).collect();
    let advise = move || files.iter().for_each(forget_content);
    let _ = std::thread::Builder::new().spawn(advise);
}

/// Syncs every file and folder in `folder`, then `folder` itself, so that no name is on the disk before
/// its content.
fn sync_all(folder: &Path, progress: &dyn Progress) -> Result<(), PublishError> {
    let (mut files, mut folders) = (Vec::new(), Vec::new());
    for entry in walkdir::WalkDir::new(folder).contents_first(true) {
        let entry = entry.map_err(|error| failed("read", folder)(error.into()))?;
        if entry.file_type().is_dir() {
            folders.push(entry.into_path());
        } else {
            let metadata =
                entry.metadata().map_err(|error| failed("read", folder)(error.into()))?;
            files.push((metadata.len(), entry.into_path()));
        }
    }
    // Largest file first: many small files at the beginning would make the estimated time far too long.
    files.sort_by_key(|&(bytes, _)| Reverse(bytes));
    progress.begin("syncing", Amount::Bytes(files.iter().map(|(bytes, _)| bytes).sum()));
    for (bytes, path) in &files {
        let synced = File::open(path).and_then(|file| file.sync_all());
        synced.map_err(failed("sync", path))?;
        progress.advance(*bytes);
    }
    for path in &folders {
        sync_folder(path).map_err(failed("sync", path))?;
    }
    progress.end();
    Ok(())
}
