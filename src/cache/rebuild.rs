//! Replaces a damaged cache by a new one.

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

/// Suffix of a new cache until it is complete.
pub(super) const REBUILD: &str = ".prep-rebuild";

/// A new cache that is created beside the one to replace. The old file stays unchanged until
/// [`finish`](Rebuild::finish), or for good if the rebuild is dropped.
#[derive(Debug)]
pub struct Rebuild {
    /// The cache, without symbolic links.
    target: PathBuf,
    fresh: PathBuf,
    /// Path under which the old file is kept afterwards.
    kept: PathBuf,
    /// Keeps other writers from both files.
    _lock: WriterLock,
}

impl Rebuild {
    /// Prepares a rebuild, and removes leftovers of a killed one.
    ///
    /// # Errors
    /// [`CacheError::NotACache`] if the file is a database of another program; [`CacheError::Held`] if
    /// another writer holds the cache for longer than `wait`; others if the leftovers cannot be removed.
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

    /// The games of the old file, as far as it can be read.
    pub fn old_games(&self) -> Vec<GameId> {
        let mut games = Vec::new();
        // An error ends the list early: that damage is the reason for the rebuild.
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

    /// Replaces the old cache with the new one, which must be closed, and returns the path under which the
    /// old file is kept with its journals; `None` if there was no old file, or it is not kept. Without
    /// `keep_old`, it is kept only if it has journals. Waits for readers of the old cache.
    ///
    /// If the process is killed, either the old or the new cache is left, complete.
    ///
    /// # Errors
    /// If a file operation fails.
    pub fn finish(self, keep_old: bool, stop: &AtomicBool) -> Result<Option<PathBuf>, CacheError> {
        let (target, kept) = (&self.target, &self.kept);
        let was_there = target.exists();
        // A reader that looks for a journal of the old file must not find a journal of the new file.
        let _exclusive = if was_there { lock_out_readers(target, stop)? } else { None };
        let has_journals = JOURNALS.iter().any(|journal| beside(target, journal).exists());
        let keep_old = was_there && (keep_old || has_journals);
        let swap = || -> io::Result<()> {
            File::open(&self.fresh)?.sync_all()?;
            if was_there {
                keep_access(&self.fresh, &fs::metadata(target)?)?;
            }
            if keep_old {
                // Hard link first, so that there is a cache at every moment; some file systems have no
                // hard links.
                fs::hard_link(target, kept).or_else(|_| fs::rename(target, kept))?;
            }
            // A journal that is left beside the new file would be rolled back into it.
            for journal in JOURNALS {
                match fs::rename(beside(target, journal), beside(kept, journal)) {
                    Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                    _ => {}
                }
            }
            // A journal that was moved away must not come back after a power loss.
            self.sync_folder()?;
            fs::rename(&self.fresh, target)?;
            self.sync_folder()
        };
        swap().map_err(|error| CacheError::file("replace", target, error))?;
        Ok(keep_old.then(|| self.kept.clone()))
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

/// An unused name for the damaged cache: `.damaged`, or `.damaged.2` and so on. An existing file is never
/// overwritten, because it may be the only good copy, and a journal that was left without its cache would be
/// rolled back into another one.
fn unused_name(cache: &Path) -> PathBuf {
    let mut kept = beside(cache, ".damaged");
    let mut number = 2;
    let is_used = |kept: &Path| {
        let files = JOURNALS.into_iter().chain([""]).map(|ending| beside(kept, ending));
        files.into_iter().any(|file| fs::symlink_metadata(file).is_ok())
    };
    while is_used(&kept) {
        kept = beside(cache, &format!(".damaged.{number}"));
        number += 1;
    }
    kept
}

impl Drop for Rebuild {
    fn drop(&mut self) {
        // The next rebuild removes it.
        let _ = self.clear();
    }
}
