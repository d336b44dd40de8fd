//! One writer at a time.

use super::error::CacheError;
use std::fs::{File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How often a waiting run tries again.
const RETRY: Duration = Duration::from_millis(50);

/// The right to write a cache, held until it is dropped.
///
/// The lock is the kernel's, on a file beside the cache: a run that is killed lets go of it with
/// its last breath, so nothing ever has to be cleaned up. The file itself stays. Deleting it would
/// let two runs lock two files of one name.
#[derive(Debug)]
pub struct WriterLock {
    _file: File,
}

impl WriterLock {
    /// Takes the lock of the cache at `cache`; makes the folders above it if need be.
    ///
    /// # Errors
    /// [`CacheError::Held`] with the holder's process id if it is not free within `wait`.
    pub fn acquire(cache: &Path, wait: Duration) -> Result<WriterLock, CacheError> {
        let path = lock_path(cache);
        let failed = |error| CacheError::Lock { path: path.clone(), error };
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder)
                .map_err(|error| CacheError::Folder { path: folder.to_owned(), error })?;
        }
        let mut file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(failed)?;
        let begun = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::Error(error)) => return Err(failed(error)),
                Err(TryLockError::WouldBlock) if begun.elapsed() >= wait => {
                    let holder = read_holder(&mut file);
                    return Err(CacheError::Held { path: cache.to_owned(), holder });
                }
                Err(TryLockError::WouldBlock) => std::thread::sleep(RETRY),
            }
        }
        // Only a hint for whoever finds the lock taken: a failure to write it is not worth a run.
        let _ = file.set_len(0).and_then(|()| write!(file, "{}", std::process::id()));
        Ok(WriterLock { _file: file })
    }
}

/// Whether a run of ours has ever written this cache, or made ready to.
pub(super) fn is_lock_beside(cache: &Path) -> bool {
    lock_path(cache).exists()
}

/// One cache, one lock, also where it is reached through a link.
fn lock_path(cache: &Path) -> PathBuf {
    beside(&cache.canonicalize().unwrap_or_else(|_| cache.to_owned()), ".lock")
}

/// The path with more at the end of its name.
pub(super) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

fn read_holder(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.rewind().ok()?;
    file.read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_writer_is_told_who_the_first_is() {
        let folder = tempfile::tempdir().unwrap();
        let cache = folder.path().join("new/prep.sqlite");
        let first = WriterLock::acquire(&cache, Duration::ZERO).unwrap();
        let begun = Instant::now();
        let second = WriterLock::acquire(&cache, Duration::from_millis(120));
        assert!(begun.elapsed() >= Duration::from_millis(120), "it waited");
        match second {
            Err(CacheError::Held { holder, .. }) => assert_eq!(holder, Some(std::process::id())),
            other => panic!("{other:?}"),
        }
        drop(first);
        WriterLock::acquire(&cache, Duration::ZERO).unwrap();
    }
}
