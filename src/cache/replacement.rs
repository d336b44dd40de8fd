//! A file that is made beside the cache and then takes its place.

use super::error::CacheError;
use super::lock::{beside, real_path};
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// SQLite's log of a file in write-ahead mode.
pub(super) const WRITE_AHEAD_LOG: &str = "-wal";

/// The index of that log.
pub(super) const INDEX: &str = "-shm";

/// SQLite's log of a file in any other mode.
pub(super) const JOURNAL: &str = "-journal";

/// The new file. If it is dropped before it [takes the place](Self::take_the_place) of the cache, that
/// stays as it is, and the new file goes.
#[derive(Debug)]
pub(super) struct Replacement {
    /// The cache, without symbolic links.
    target: PathBuf,
    fresh: PathBuf,
}

impl Replacement {
    /// Makes ready, and clears away what a run that was killed left.
    ///
    /// # Errors
    /// If the leftovers stay.
    pub(super) fn begin(cache: &Path) -> Result<Replacement, CacheError> {
        let target = real_path(cache);
        let replacement = Replacement { fresh: beside(&target, ".rebuild"), target };
        replacement.clear().map_err(|error| replacement.failed(error))?;
        Ok(replacement)
    }

    /// Where the new file is to be made.
    pub(super) fn path(&self) -> &Path {
        &self.fresh
    }

    /// The file that is to be replaced.
    pub(super) fn target(&self) -> &Path {
        &self.target
    }

    /// Syncs the new file, which must be closed by now, and gives it the name of the cache. Between the
    /// two, `keep` may do something with the old file. A kill leaves the one or the other.
    ///
    /// # Errors
    /// If the file system refuses a step.
    pub(super) fn take_the_place(
        self,
        keep: impl FnOnce(&Path) -> io::Result<()>,
    ) -> Result<(), CacheError> {
        let swap = || {
            File::open(&self.fresh)?.sync_all()?;
            keep(&self.target)?;
            // A log that `keep` took away must not come back with a power cut.
            sync_folder_of(&self.target)?;
            fs::rename(&self.fresh, &self.target)?;
            sync_folder_of(&self.target)
        };
        swap().map_err(|error| self.failed(error))
    }

    /// What kept it from taking the place.
    pub(super) fn failed(&self, error: io::Error) -> CacheError {
        let path = self.target.clone();
        CacheError::of_system(&self.target, error, |error| CacheError::Swap { path, error })
    }

    fn clear(&self) -> io::Result<()> {
        let mut endings = [WRITE_AHEAD_LOG, INDEX, JOURNAL, ""].into_iter();
        endings.try_for_each(|ending| remove(&beside(&self.fresh, ending)))
    }
}

impl Drop for Replacement {
    fn drop(&mut self) {
        // The next one tries again.
        let _ = self.clear();
    }
}

fn sync_folder_of(file: &Path) -> io::Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

/// Removes a file, if it is there.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}
