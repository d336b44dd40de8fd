//! The lock that allows one writer at a time, and the paths of a cache's files.

use crate::cache::error::{CacheError, process};
use crate::folders::{create_folders, parent_of, with_owner};
use crate::platform;
use crate::words::shown;
use std::fs::{File, TryLockError};
use std::io::{self, ErrorKind, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How often a waiting run tries again.
const RETRY: Duration = Duration::from_millis(50);

/// The right to write a cache, held until it is dropped.
///
/// It is a kernel lock on a file beside the cache: the kernel releases it when a run is killed, so
/// nothing needs to be cleaned up. The file itself is never deleted, because two runs could then lock
/// two different files of the same name.
#[derive(Debug)]
pub struct WriterLock {
    file: File,
}

impl Drop for WriterLock {
    fn drop(&mut self) {
        // A later run that finds the lock taken must not read this process's id.
        let _ = self.file.set_len(0);
    }
}

impl WriterLock {
    /// Locks the cache at `cache`; creates missing parent folders.
    ///
    /// # Errors
    /// [`CacheError::Held`] with the holder's process id if the lock is not released within `wait`.
    pub fn acquire(cache: &Path, wait: Duration) -> Result<WriterLock, CacheError> {
        make_folders_above(cache)?;
        // A cache has the same lock when it is opened through a symbolic link.
        let path = beside(&real_path(cache), ".lock");
        let opened = platform::open_own_file(&path).and_then(check_content);
        let denied = |error| CacheError::file("lock", &path, with_owner(cache, error));
        let mut file = opened.map_err(denied)?;
        let begun = Instant::now();
        let mut is_announced = false;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::Error(error)) => return Err(lock_error(&path, error)),
                Err(TryLockError::WouldBlock) if begun.elapsed() >= wait => {
                    let holder = read_holder(&mut file);
                    return Err(CacheError::Held { path: cache.to_owned(), holder });
                }
                Err(TryLockError::WouldBlock) => {
                    if !is_announced {
                        is_announced = true;
                        tracing::info!(
                            "waiting for another run{} that holds the cache {}, for up to {} s",
                            process(read_holder(&mut file)),
                            shown(cache),
                            wait.as_secs()
                        );
                    }
                    std::thread::sleep(RETRY);
                }
            }
        }
        // Only information for other runs, so a failure is ignored.
        let _ = file
            .set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| write!(file, "{}", std::process::id()));
        Ok(WriterLock { file })
    }
}

/// A lock file is empty or holds a process id. Another file of that name, such as a link or a mistyped
/// path, must not be truncated.
fn check_content(mut file: File) -> io::Result<File> {
    const LONGEST_ID: u64 = 20;
    let mut content = Vec::new();
    (&mut file).take(LONGEST_ID + 1).read_to_end(&mut content)?;
    let is_ours = content.len() as u64 <= LONGEST_ID && content.iter().all(u8::is_ascii_digit);
    match is_ours {
        true => Ok(file),
        false => Err(io::Error::new(
            ErrorKind::InvalidData,
            "it is not a prep lock file: move it elsewhere",
        )),
    }
}

/// The process id in the lock file. A run that has just taken the lock may not have written it yet.
fn read_holder(file: &mut File) -> Option<u32> {
    const TRIES: u32 = 10;
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

/// Without locks, two runs could write the cache at the same time.
fn lock_error(path: &Path, error: io::Error) -> CacheError {
    if platform::means_no_locks(&error) {
        let why = format!("files cannot be locked there: {error}");
        return CacheError::FileSystem { path: path.to_owned(), why };
    }
    CacheError::file("lock", path, error)
}

/// Resolves symbolic links, also if the target does not exist yet. Journals and lock files are beside
/// the target.
pub(in crate::cache) fn real_path(path: &Path) -> PathBuf {
    if let Ok(real) = path.canonicalize() {
        return real;
    }
    match std::fs::read_link(path) {
        // A link whose target does not exist; the target may be relative to the link.
        Ok(link) => path.parent().unwrap_or(Path::new("")).join(link),
        Err(_) => path.to_owned(),
    }
}

/// Creates the missing parent folders of a file.
pub(in crate::cache) fn make_folders_above(path: &Path) -> Result<(), CacheError> {
    let folder = parent_of(path);
    create_folders(folder).map_err(|error| CacheError::file("make the folder", folder, error))
}

/// The path with a suffix added to its file name.
pub(in crate::cache) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn second_writer_is_told_the_holder() {
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

    #[test]
    fn file_of_somebody_else_is_not_emptied() {
        let folder = tempfile::tempdir().unwrap();
        let cache = folder.path().join("prep.sqlite");
        let lock = folder.path().join("prep.sqlite.lock");
        for content in ["a note", "123 more", "12345678901234567890123"] {
            std::fs::write(&lock, content).unwrap();
            assert!(WriterLock::acquire(&cache, Duration::ZERO).is_err());
            assert_eq!(std::fs::read_to_string(&lock).unwrap(), content);
        }
        // Left by a run that was killed.
        std::fs::write(&lock, "4711").unwrap();
        WriterLock::acquire(&cache, Duration::ZERO).unwrap();
    }

    #[test]
    #[cfg(unix)]
    fn file_system_without_locks_is_named() {
        use rustix::io::Errno;
        for (errno, is_unfit) in [
            (Errno::NOLCK, true),
            (Errno::OPNOTSUPP, true),
            (Errno::NOSYS, true),
            (Errno::IO, false),
        ] {
            let said = lock_error(Path::new("/net/prep.sqlite.lock"), errno.into()).to_string();
            assert!(said.contains("/net/prep.sqlite.lock"), "{said}");
            assert_eq!(said.contains("local disk"), is_unfit, "{said}");
        }
    }
}
