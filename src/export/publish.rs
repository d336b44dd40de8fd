//! Replaces the last export by a finished one at once.
//!
//! A training run that starts while an export is written must not find a mixture of two. So an export
//! is written beside its target, synced, and then the two names are exchanged in one step; a kill at
//! any moment leaves the old export or the new one. Then the old files are deleted; a process that has
//! them open or mapped can still read them.
//!
//! The files of a run are in one hidden folder next to the target:
//!
//! ```text
//! data/processed                    the target
//! data/.processed.prep-Xw3k9Q/lock      locked while the run is alive
//!                            /export/   the new export; after the exchange, the old one
//!                            /previous/ the old export, where names cannot be exchanged
//! ```
//!
//! The kernel releases the lock of a killed run, so that the next run that publishes to the same target
//! recognizes its folder and removes it.
//!
//! Some network file systems cannot exchange names. There the old export is moved away before the new
//! one is moved in; a kill between the two leaves no export at the target until the next run restores
//! the old one. A mount point, and a folder of a container image, cannot be renamed at all. There the
//! hidden folder is in the target, and the files are moved one by one.

mod container;
mod error;
mod in_place;
mod replaceable;
#[cfg(test)]
mod tests;

pub use error::PublishError;
pub(super) use replaceable::check_replaceable;
pub use replaceable::export_around;
use replaceable::is_hidden;

use crate::folders::{keep_access, keep_owner, parent_of};
use crate::platform::{exchange_names, forget_content, open_file, sync_folder};
use crate::progress::{Amount, Progress};
use container::Container;
use error::failed;
use in_place::replace_files;
use std::cmp::Reverse;
use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// A folder to write an export into, which is then published or, if dropped, removed.
#[derive(Debug)]
pub(super) struct Staging {
    /// The folder to replace: absolute and without symbolic links.
    target: PathBuf,
    container: Container,
}

impl Staging {
    /// Makes an empty folder beside `target`, and `target`'s parents where they are missing. Removes
    /// what dead runs left there, and restores an export that one of them had moved away.
    ///
    /// A `target` that is a symbolic link stays one: the folder it points to is replaced.
    ///
    /// # Errors
    ///
    /// If the target may not be replaced ([`check_replaceable`]), or the file system fails.
    pub(super) fn create(target: &Path) -> Result<Staging, PublishError> {
        let target = replaceable::resolve(target)?;
        Container::remove_dead(&target).map_err(failed("read the folder of", &target))?;
        check_replaceable(&target)?;
        let container =
            Container::claim(&target).map_err(failed("make a folder beside", &target))?;
        let staging = Staging { target, container };
        fs::create_dir(staging.path()).map_err(failed("make", &staging.path()))?;
        drop_from_memory(&staging.target);
        Ok(staging)
    }

    /// The folder to write into. Whatever is in it is published.
    pub(super) fn path(&self) -> PathBuf {
        self.container.export()
    }

    /// Syncs everything that was written, moves it to the target in one step, and deletes what was
    /// there. `progress` hears of the bytes that are synced.
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
            keep_hidden_files(target, &export)
                .map_err(failed("keep the hidden files of", target))?;
            share_as(&export, target, metadata)
                .map_err(failed("set the permissions of", &export))?;
        }
        sync_all(&export, progress)?;

        // Again: somebody may have saved a notebook there while gigabytes were synced.
        check_replaceable(target)?;
        if self.container.is_in_target() {
            replace_files(&export, &self.container.previous(), target)?;
            return self.remove_old(progress);
        }
        let is_placed = replaced.is_none() && self.place_where_nothing_is()?;
        if !is_placed && let Err(error) = exchange(&export, target) {
            // The errors of a kernel without the call and of a file system without the feature.
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

    /// False if another run has moved its first export there meanwhile.
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

/// Removes what dead runs left beside a target.
pub(super) fn remove_leftovers(target: &Path) -> Result<(), PublishError> {
    let target = replaceable::resolve(target)?;
    Container::remove_dead(&target).map_err(failed("read the folder of", &target))
}

/// Gives the new export the hidden files of the old one, such as `.gitkeep`.
fn keep_hidden_files(target: &Path, export: &Path) -> io::Result<()> {
    for entry in fs::read_dir(target)? {
        let entry = entry?;
        if is_hidden(&entry.file_name()) && entry.file_type()?.is_file() {
            let kept = export.join(entry.file_name());
            // Some file systems have no second names.
            fs::hard_link(entry.path(), &kept)
                .or_else(|_| fs::copy(entry.path(), &kept).map(drop))?;
        }
    }
    Ok(())
}

/// Lets those use a new export who could use the old one: the group and permissions of each file are
/// those of the old file by its name, else the group is that of the folder.
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

/// Advises the kernel, on another thread, to drop what it keeps in memory of the files of the old
/// export: writing 3 GB over another export takes twice as long if the new files do not get that memory.
/// A process that has mapped them keeps what it has mapped.
fn drop_from_memory(folder: &Path) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let files: Vec<File> = entries.filter_map(|entry| open_file(&entry.path()).ok()).collect();
    let advise = move || files.iter().for_each(forget_content);
    let _ = std::thread::Builder::new().spawn(advise);
}

/// Syncs every file and folder in `folder` and itself, contents first, so that no name is on the disk
/// before the content.
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
    // The largest first: the estimated time would be much too long after many small files.
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
