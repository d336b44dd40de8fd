//! A new cache in the place of a damaged one.

use super::database::files::JOURNALS;
use super::database::lock::{WriterLock, beside, real_path};
use super::database::{check, lock_out_readers, open_again};
use super::error::CacheError;
use super::writer::Writer;
use crate::folders::{keep_access, parent_of};
use crate::gamelog::GameId;
use crate::platform::sync_folder;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// The ending of a new cache until it is complete. Nobody else names a file so.
pub(super) const REBUILD: &str = ".prep-rebuild";

/// A cache that is made beside the one it is to replace. Until [`finish`](Rebuild::finish) the old file
/// is as it was, and so it stays if the rebuild is dropped.
#[derive(Debug)]
pub struct Rebuild {
    /// The cache, without symbolic links.
    target: PathBuf,
    fresh: PathBuf,
    /// Where the old file is kept afterwards.
    kept: PathBuf,
    /// Nobody else may write either file.
    _lock: WriterLock,
}

impl Rebuild {
    /// Prepares a rebuild, and removes what a killed one left.
    ///
    /// # Errors
    /// [`CacheError::NotACache`] if the file is a database of another program; [`CacheError::Held`] if
    /// there is another writer after so long; if the leftovers cannot be removed.
    pub fn begin(cache: &Path, wait: Duration) -> Result<Rebuild, CacheError> {
        if let Err(
            error @ (CacheError::NotACache(_)
            | CacheError::IsAFolder(_)
            | CacheError::NotAFile { .. }
            | CacheError::ForeignJournal { .. }),
        ) = check(cache)
        {
            return Err(error);
        }
        let lock = WriterLock::acquire(cache, wait)?;
        let target = real_path(cache);
        let (fresh, kept) = (beside(&target, REBUILD), unused_name(&target));
        let rebuild = Rebuild { fresh, kept, target, _lock: lock };
        rebuild.clear().map_err(|error| CacheError::file("remove", &rebuild.fresh, error))?;
        Ok(rebuild)
    }

    /// Opens the new cache.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn writer<'a>(&self, stop: &'a AtomicBool) -> Result<Writer<'a>, CacheError> {
        Writer::unlocked(&self.fresh, stop)
    }

    /// The games of the old file, as far as they can still be told.
    pub fn old_games(&self) -> Vec<GameId> {
        let mut games = Vec::new();
        // Whatever cuts the list short is what the rebuild is for.
        let _ = open_again(&self.target).map(|old| -> rusqlite::Result<()> {
            let mut statement = old.prepare("SELECT game_id FROM games ORDER BY game_id")?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                games.push(GameId(row.get(0)?));
            }
            Ok(())
        });
        games
    }

    /// Puts the new cache, which must be closed by now, in the place of the old one, and returns where
    /// that is kept, with its journals; `None` if there was none. Waits for readers of the old one.
    ///
    /// A kill in between leaves the old cache or the new one, whole.
    ///
    /// # Errors
    /// If the file system refuses a step.
    pub fn finish(self, stop: &AtomicBool) -> Result<Option<PathBuf>, CacheError> {
        let (target, kept) = (&self.target, &self.kept);
        let was_there = target.exists();
        // A reader that looks for a journal of the old file must not find one of the new file.
        let _exclusive = if was_there { lock_out_readers(target, stop)? } else { None };
        let swap = || -> io::Result<()> {
            File::open(&self.fresh)?.sync_all()?;
            if was_there {
                keep_access(&self.fresh, &fs::metadata(target)?)?;
                // A second name first, so that there is a cache at every moment; some file systems have
                // no second names.
                fs::hard_link(target, kept).or_else(|_| fs::rename(target, kept))?;
            }
            // One that is left beside another file than its own would be read into that.
            for journal in JOURNALS {
                match fs::rename(beside(target, journal), beside(kept, journal)) {
                    Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                    _ => {}
                }
            }
            // A journal that was taken away must not come back with a loss of power.
            self.sync_folder()?;
            fs::rename(&self.fresh, target)?;
            self.sync_folder()
        };
        swap().map_err(|error| CacheError::file("replace", target, error))?;
        Ok(was_there.then(|| self.kept.clone()))
    }

    fn clear(&self) -> io::Result<()> {
        JOURNALS.into_iter().chain([""]).try_for_each(|ending| {
            match fs::remove_file(beside(&self.fresh, ending)) {
                Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
                removed => removed,
            }
        })
    }

    fn sync_folder(&self) -> io::Result<()> {
        sync_folder(parent_of(&self.target))
    }
}

/// `.damaged`, or with a number if there is one already: that may be the only good copy.
fn unused_name(cache: &Path) -> PathBuf {
    let mut kept = beside(cache, ".damaged");
    let mut number = 2;
    while fs::symlink_metadata(&kept).is_ok() {
        kept = beside(cache, &format!(".damaged.{number}"));
        number += 1;
    }
    kept
}

impl Drop for Rebuild {
    fn drop(&mut self) {
        // The next rebuild tries again.
        let _ = self.clear();
    }
}
