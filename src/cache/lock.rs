//! One writer at a time.

use super::error::{CacheError, holder_in_words};
use rustix::io::Errno;
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
    file: File,
}

impl Drop for WriterLock {
    /// No name is left in the file for a run that comes later: it would name this one.
    fn drop(&mut self) {
        let _ = self.file.set_len(0);
    }
}

impl WriterLock {
    /// Takes the lock of the cache at `cache`; makes the folders above it if need be.
    ///
    /// # Errors
    /// [`CacheError::Held`] with the holder's process id if it is not free within `wait`.
    pub fn acquire(cache: &Path, wait: Duration) -> Result<WriterLock, CacheError> {
        let path = lock_path(cache);
        let failed = |error| CacheError::of_system(cache, error, |error| lock_error(&path, error));
        make_folders_above(cache)?;
        let mut file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(failed)?;
        let begun = Instant::now();
        let mut said = false;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::Error(error)) => return Err(failed(error)),
                Err(TryLockError::WouldBlock) if begun.elapsed() >= wait => {
                    let holder = read_holder(&mut file);
                    return Err(CacheError::Held { path: cache.to_owned(), holder });
                }
                Err(TryLockError::WouldBlock) => {
                    if !said {
                        said = true;
                        let whom = holder_in_words(&read_holder(&mut file));
                        let (cache, seconds) = (cache.display(), wait.as_secs());
                        tracing::info!(
                            "waiting for another run{whom} that holds the cache {cache}, for up to \
                             {seconds} s"
                        );
                    }
                    std::thread::sleep(RETRY);
                }
            }
        }
        // Only a hint for whoever finds the lock taken: a failure to write it is not worth a run.
        let _ = file
            .set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| write!(file, "{}", std::process::id()));
        Ok(WriterLock { file })
    }
}

/// Whether a run of ours has ever written this cache, or made ready to.
pub(super) fn is_lock_beside(cache: &Path) -> bool {
    lock_path(cache).exists()
}

/// One cache, one lock, also where it is reached through a link.
fn lock_path(cache: &Path) -> PathBuf {
    beside(&real_path(cache), ".lock")
}

/// The file that a path leads to, also where that is yet to be made. SQLite's helper files and ours
/// lie beside that one.
pub(super) fn real_path(path: &Path) -> PathBuf {
    if let Ok(real) = path.canonicalize() {
        return real;
    }
    match std::fs::read_link(path) {
        // A link to nothing yet; what it leads to may be relative to where it lies.
        Ok(link) => path.parent().unwrap_or(Path::new("")).join(link),
        Err(_) => path.to_owned(),
    }
}

/// Makes the folders above a file where they are missing.
pub(super) fn make_folders_above(path: &Path) -> Result<(), CacheError> {
    let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) else {
        return Ok(());
    };
    std::fs::create_dir_all(folder).map_err(|error| {
        let folder = folder.to_owned();
        CacheError::of_system(path, error, |error| CacheError::Folder { path: folder, error })
    })
}

/// The path with more at the end of its name.
pub(super) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// Who wrote into the lock file. A run that has just taken the lock may not have done so yet.
fn read_holder(file: &mut File) -> Option<u32> {
    for _ in 0..TRIES {
        let mut text = String::new();
        file.rewind().ok()?;
        file.read_to_string(&mut text).ok()?;
        if let Ok(holder) = text.trim().parse() {
            return Some(holder);
        }
        std::thread::sleep(RETRY / TRIES);
    }
    None
}

/// How often the lock file is read before its holder is nobody.
const TRIES: u32 = 10;

/// Some file systems have no locks, or none that all machines see. Without one, two runs would write
/// the cache at once.
fn lock_error(path: &Path, error: std::io::Error) -> CacheError {
    let path = path.to_owned();
    match Errno::from_io_error(&error) {
        Some(Errno::NOLCK | Errno::OPNOTSUPP | Errno::NOSYS) => {
            CacheError::FileSystem { path, why: format!("files cannot be locked there: {error}") }
        }
        _ => CacheError::Lock { path, error },
    }
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
        // Also of one that had to wait, and so has read who held it before.
        let waiting = std::thread::spawn({
            let (cache, first) =
                (cache.clone(), WriterLock::acquire(&cache, Duration::ZERO).unwrap());
            move || {
                std::thread::sleep(Duration::from_millis(200));
                drop((first, cache));
            }
        });
        let _waited = WriterLock::acquire(&cache, Duration::from_secs(60)).unwrap();
        waiting.join().unwrap();
        match WriterLock::acquire(&cache, Duration::ZERO) {
            Err(CacheError::Held { holder, .. }) => assert_eq!(holder, Some(std::process::id())),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_file_system_without_locks_is_named_with_what_to_do() {
        for (errno, is_unfit) in [
            (Errno::NOLCK, true),
            (Errno::OPNOTSUPP, true),
            (Errno::NOSYS, true),
            (Errno::IO, false),
        ] {
            let said = lock_error(Path::new("/net/prep.sqlite.lock"), errno.into()).to_string();
            assert!(said.contains("/net/prep.sqlite.lock"), "{said}");
            assert_eq!(said.contains("local disk") && said.contains("--cache"), is_unfit, "{said}");
        }
    }
}
