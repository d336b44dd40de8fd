//! Everything that needs one operating system: a port to another one is this file.
//!
//! Each function has a plain fallback for systems that lack the call; what is lost there is said with it.

use std::fs::{File, Metadata};
use std::io;
use std::path::Path;

/// What changes whenever a file is written to or replaced. Two equal ones, more than a tick of the file
/// system's clock apart, mean that nothing happened to the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileState {
    /// Which file has the name.
    id: FileId,
    /// Bytes.
    pub size: u64,
    /// Seconds and nanoseconds. Programs can set it to anything.
    modified: (i64, i64),
    /// Seconds and nanoseconds of the last change, which programs cannot set; where the system has no
    /// such time, that of the last modification.
    pub changed: (i64, i64),
}

#[cfg(unix)]
impl FileState {
    /// Of a file.
    pub fn of(file: &Metadata) -> FileState {
        use std::os::unix::fs::MetadataExt;
        FileState {
            id: FileId::of(file),
            size: file.size(),
            modified: (file.mtime(), file.mtime_nsec()),
            changed: (file.ctime(), file.ctime_nsec()),
        }
    }
}

#[cfg(not(unix))]
impl FileState {
    /// Of a file, without its identity.
    pub fn of(file: &Metadata) -> FileState {
        let since_epoch = |time: std::time::SystemTime| time.duration_since(std::time::UNIX_EPOCH);
        let modified = file.modified().ok().and_then(|time| since_epoch(time).ok());
        let modified = modified.unwrap_or_default();
        let modified = (modified.as_secs() as i64, modified.subsec_nanos().into());
        FileState { id: FileId::of(file), size: file.len(), modified, changed: modified }
    }
}

/// Which file it is, whatever its name: device and inode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileId {
    device: u64,
    inode: u64,
}

#[cfg(unix)]
impl FileId {
    /// Of a file.
    pub fn of(file: &Metadata) -> FileId {
        use std::os::unix::fs::MetadataExt;
        FileId { device: file.dev(), inode: file.ino() }
    }
}

#[cfg(not(unix))]
impl FileId {
    /// Unknown here: all files are alike.
    pub fn of(_file: &Metadata) -> FileId {
        FileId { device: 0, inode: 0 }
    }
}

impl FileId {
    /// Whether both files are in one file system, where they can be renamed to each other.
    pub fn is_on_device_of(self, other: FileId) -> bool {
        self.device == other.device
    }
}

/// Whether an open file has no name any more.
#[cfg(unix)]
pub fn is_deleted(file: &Metadata) -> bool {
    std::os::unix::fs::MetadataExt::nlink(file) == 0
}

/// Never here: a file that is open cannot be deleted.
#[cfg(not(unix))]
pub fn is_deleted(_file: &Metadata) -> bool {
    false
}

/// Bytes that this user may still write to the file system of an existing path; `None` if that is
/// unknown. A quota may allow less.
#[cfg(unix)]
pub fn free_bytes(path: &Path) -> Option<u64> {
    let found = rustix::fs::statvfs(path).ok()?;
    // Some virtual file systems answer with zeros.
    if found.f_blocks == 0 { None } else { found.f_bavail.checked_mul(found.f_frsize) }
}

/// Unknown here.
#[cfg(not(unix))]
pub fn free_bytes(_path: &Path) -> Option<u64> {
    None
}

/// Whether an error of locking a file says that its file system has no locks.
#[cfg(unix)]
pub fn means_no_locks(error: &io::Error) -> bool {
    use rustix::io::Errno;
    matches!(Errno::from_io_error(error), Some(Errno::NOLCK | Errno::OPNOTSUPP | Errno::NOSYS))
}

/// Whether an error of locking a file says that its file system has no locks.
#[cfg(not(unix))]
pub fn means_no_locks(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::Unsupported
}

/// Whether an error of opening a path says that its symbolic links lead in a circle.
#[cfg(unix)]
pub fn means_link_loop(error: &io::Error) -> bool {
    rustix::io::Errno::from_io_error(error) == Some(rustix::io::Errno::LOOP)
}

/// Whether an error of opening a path says that its symbolic links lead in a circle: not told apart
/// from other errors here.
#[cfg(not(unix))]
pub fn means_link_loop(_error: &io::Error) -> bool {
    false
}

/// Whether this user may read a file, without opening it.
#[cfg(unix)]
pub fn may_read(path: &Path) -> bool {
    rustix::fs::access(path, rustix::fs::Access::READ_OK).is_ok()
}

/// Whether this user may read a file: opening it will tell.
#[cfg(not(unix))]
pub fn may_read(_path: &Path) -> bool {
    true
}

/// Whether this user may write a file, without opening it.
#[cfg(unix)]
pub fn may_write(path: &Path) -> bool {
    rustix::fs::access(path, rustix::fs::Access::WRITE_OK).is_ok()
}

/// Whether this user may write a file: opening it will tell.
#[cfg(not(unix))]
pub fn may_write(_path: &Path) -> bool {
    true
}

/// The process whose lock on some bytes of a file keeps this one from reading, or writing, them; `None`
/// if that is unknown.
///
/// The file stays open for good. Closing it would release all locks that this process has on it, those
/// of SQLite too (<https://www.sqlite.org/howtocorrupt.html>, 2.2). So only ask about a file that this
/// process has been waiting for.
#[cfg(unix)]
pub fn lock_holder(path: &Path, bytes: std::ops::Range<u64>, to_write: bool) -> Option<u32> {
    use rustix::process::{Flock, FlockType, Pid, fcntl_getlk};
    let file = std::mem::ManuallyDrop::new(File::open(path).ok()?);
    let wanted = if to_write { FlockType::WriteLock } else { FlockType::ReadLock };
    let length = bytes.end - bytes.start;
    let wanted = Flock { start: bytes.start, length, ..Flock::from(wanted) };
    let held = fcntl_getlk(&*file, &wanted).ok()??;
    Pid::as_raw(held.pid).try_into().ok().filter(|&id| id != 0)
}

/// Unknown here.
#[cfg(not(unix))]
pub fn lock_holder(_path: &Path, _bytes: std::ops::Range<u64>, _to_write: bool) -> Option<u32> {
    None
}

/// Exchanges the names of two files or folders in one step.
///
/// # Errors
/// If the system or the file system cannot do that.
#[cfg(any(target_os = "linux", target_vendor = "apple"))]
pub fn exchange_names(one: &Path, other: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    Ok(renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE)?)
}

/// Not possible here: callers rename twice.
///
/// # Errors
/// Always.
#[cfg(not(any(target_os = "linux", target_vendor = "apple")))]
pub fn exchange_names(_one: &Path, _other: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Tells the system that the content of a file will not be read soon and need not stay in memory.
#[cfg(target_os = "linux")]
pub fn forget_content(file: &File) {
    let _ = rustix::fs::fadvise(file, 0, None, rustix::fs::Advice::DontNeed);
}

/// Only saves memory: nothing is done here.
#[cfg(not(target_os = "linux"))]
pub fn forget_content(_file: &File) {}

/// Lets everybody read a file that was created for its owner only.
///
/// # Errors
/// If that is not allowed.
#[cfg(unix)]
pub fn let_all_read(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}

/// Files have no such permissions here.
///
/// # Errors
/// Never.
#[cfg(not(unix))]
pub fn let_all_read(_file: &File) -> io::Result<()> {
    Ok(())
}
