//! A new cache in the place of a damaged one.

use super::database::{LOGS, check};
use super::error::CacheError;
use super::lock::{WriterLock, beside, real_path};
use super::reader::GameReader;
use crate::gamelog::GameId;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// The index of the write-ahead log.
const INDEX: &str = "-shm";

/// A cache that is made anew beside the one it is to replace. Until [`finish`](Rebuild::finish) the
/// old file is as it was, and so it stays if the rebuild is dropped.
#[derive(Debug)]
pub struct Rebuild<'a> {
    /// The cache, without symbolic links.
    target: PathBuf,
    fresh: PathBuf,
    /// Where the old file is kept afterwards.
    kept: PathBuf,
    /// Nobody else may write either file.
    _lock: &'a WriterLock,
}

impl<'a> Rebuild<'a> {
    /// Says whether there is anything at `cache` that a rebuild must not replace. To be asked before
    /// the lock is taken: our lock beside a file is one of the signs that it is ours.
    ///
    /// # Errors
    /// [`CacheError::NotACache`] if the file is somebody else's.
    pub fn check(cache: &Path) -> Result<(), CacheError> {
        match check(cache) {
            Err(error @ (CacheError::NotACache(_) | CacheError::IsAFolder(_))) => Err(error),
            _ => Ok(()),
        }
    }

    /// Makes ready, and clears away what a killed rebuild left.
    ///
    /// # Errors
    /// If the leftovers stay.
    pub fn begin(cache: &Path, lock: &'a WriterLock) -> Result<Rebuild<'a>, CacheError> {
        let target = real_path(cache);
        let (fresh, kept) = (beside(&target, ".rebuild"), unused_name(&target));
        let rebuild = Rebuild { fresh, kept, target, _lock: lock };
        rebuild.clear().map_err(|error| rebuild.failed(error))?;
        Ok(rebuild)
    }

    /// Where the new cache is to be made.
    pub fn path(&self) -> &Path {
        &self.fresh
    }

    /// Where the old file is kept afterwards.
    pub fn kept(&self) -> &Path {
        &self.kept
    }

    /// Gives `each` the games of the old file, as far as they can still be told.
    pub fn each_old_game(&self, mut each: impl FnMut(GameId)) {
        let old = GameReader::open(&self.target);
        // Whatever cuts the list short is what the rebuild is for.
        let _ = old.and_then(|old| old.each_game(|game_id, _| each(game_id)));
    }

    /// Puts the new cache, which must be closed by now, in the place of the old one; that is kept as
    /// [`kept`](Rebuild::kept), with its write-ahead log.
    ///
    /// A kill in between leaves the old cache (perhaps without its log) or the new one, whole.
    ///
    /// # Errors
    /// If the file system refuses a step.
    pub fn finish(self) -> Result<(), CacheError> {
        let swap = || -> io::Result<()> {
            File::open(&self.fresh)?.sync_all()?;
            let kept = &self.kept;
            if self.target.exists() {
                // A second name first, so that there is a cache at every moment; not every file
                // system has second names.
                fs::hard_link(&self.target, kept).or_else(|_| fs::rename(&self.target, kept))?;
            }
            for log in LOGS {
                match fs::rename(beside(&self.target, log), beside(kept, log)) {
                    Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                    _ => {}
                }
            }
            remove(&beside(&self.target, INDEX))?;
            // A log that was taken away must not come back with a power cut.
            self.sync_folder()?;
            fs::rename(&self.fresh, &self.target)?;
            self.sync_folder()
        };
        swap().map_err(|error| self.failed(error))
    }

    fn clear(&self) -> io::Result<()> {
        let mut endings = LOGS.into_iter().chain([INDEX, ""]);
        endings.try_for_each(|ending| remove(&beside(&self.fresh, ending)))
    }

    fn sync_folder(&self) -> io::Result<()> {
        let folder = self.target.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    }

    fn failed(&self, error: io::Error) -> CacheError {
        let path = self.target.clone();
        CacheError::of_system(&self.target, error, |error| CacheError::Swap { path, error })
    }
}

/// `.damaged`, or with a number where there is one already: that may be the only good copy.
fn unused_name(cache: &Path) -> PathBuf {
    let names = (1..).map(|number| match number {
        1 => beside(cache, ".damaged"),
        _ => beside(cache, &format!(".damaged.{number}")),
    });
    names.into_iter().find(|name| fs::symlink_metadata(name).is_err()).expect("numbers do not end")
}

impl Drop for Rebuild<'_> {
    fn drop(&mut self) {
        // The next rebuild tries again.
        let _ = self.clear();
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::Cache;
    use std::time::Duration;

    #[test]
    fn the_log_of_the_old_cache_goes_with_it_and_never_into_the_new_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("prep.sqlite");
        drop(Cache::open_or_create(&path).unwrap());
        let old = fs::read(&path).unwrap();
        for leftover in [".rebuild", ".rebuild-wal", ".damaged"] {
            fs::write(beside(&path, leftover), "left over").unwrap();
        }
        let lock = WriterLock::acquire(&path, Duration::ZERO).unwrap();
        let rebuild = Rebuild::begin(&path, &lock).unwrap();
        drop(Cache::open_or_create(rebuild.path()).unwrap());
        fs::write(beside(&path, "-wal"), "of the old").unwrap();
        fs::write(beside(&path, "-shm"), "of the old").unwrap();
        let kept = rebuild.kept().to_owned();
        rebuild.finish().unwrap();
        assert_eq!(fs::read(&kept).unwrap(), old);
        assert_eq!(fs::read(beside(&kept, "-wal")).unwrap(), b"of the old");
        let mut names: Vec<_> = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        // What an earlier rebuild kept stays.
        let endings = ["", ".damaged", ".damaged.2", ".damaged.2-wal", ".lock"];
        assert_eq!(names, endings.map(|ending| format!("prep.sqlite{ending}")));
        Cache::open_existing(&path).unwrap();
    }

    #[test]
    fn a_rebuild_that_is_dropped_leaves_the_old_cache_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("prep.sqlite");
        drop(Cache::open_or_create(&path).unwrap());
        let old = fs::read(&path).unwrap();
        let lock = WriterLock::acquire(&path, Duration::ZERO).unwrap();
        let rebuild = Rebuild::begin(&path, &lock).unwrap();
        drop(Cache::open_or_create(rebuild.path()).unwrap());
        drop(rebuild);
        assert_eq!(fs::read(&path).unwrap(), old);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "the cache and its lock");
    }
}
