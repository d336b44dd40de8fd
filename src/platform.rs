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

/// Calls `handler` with the number of each signal that asks this process to end: of Ctrl-C, of a closed
/// terminal, of `kill`. One that is ignored stays so: `nohup` starts programs that way.
///
/// # Errors
/// If the system allows no more threads.
#[cfg(unix)]
pub fn handle_end_signals(handler: impl Fn(i32) + Send + 'static) -> io::Result<()> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    let ignored = ignored_signals();
    let wanted =
        [SIGHUP, SIGINT, SIGTERM].into_iter().filter(|signal| ignored >> (signal - 1) & 1 == 0);
    let mut signals = signal_hook::iterator::Signals::new(wanted)?;
    std::thread::Builder::new().spawn(move || signals.forever().for_each(handler)).map(|_thread| ())
}

/// Not possible here: such a signal ends the process at once.
///
/// # Errors
/// Never.
#[cfg(not(unix))]
pub fn handle_end_signals(_handler: impl Fn(i32) + Send + 'static) -> io::Result<()> {
    Ok(())
}

/// A bit for each signal that this process ignores, the lowest for signal 1; none where `/proc` is not.
#[cfg(unix)]
fn ignored_signals() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}

/// Ends this process as a signal ends it, so that a shell or a service manager sees that it was one.
#[cfg(unix)]
pub fn end_by_signal(signal: i32) {
    let _ = signal_hook::low_level::emulate_default_handler(signal);
}

/// Does nothing here.
#[cfg(not(unix))]
pub fn end_by_signal(_signal: i32) {}

/// Writes the names in a folder to the disk. Some network file systems cannot: there nothing is done, as
/// their files are synced and there is no other way.
///
/// # Errors
/// If the folder cannot be opened, or the disk fails.
pub fn sync_folder(path: &Path) -> io::Result<()> {
    match try_sync_folder(path) {
        Err(error) if means_no_sync(&error) => Ok(()),
        synced => synced,
    }
}

/// Whether the file system of a folder can sync it.
pub fn can_sync_folder(path: &Path) -> bool {
    !try_sync_folder(path).is_err_and(|error| means_no_sync(&error))
}

#[cfg(unix)]
fn try_sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Folders cannot be opened here.
#[cfg(not(unix))]
fn try_sync_folder(_path: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Whether an error of syncing a folder says that its file system cannot do that.
fn means_no_sync(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidInput, Unsupported};
    matches!(error.kind(), InvalidInput | Unsupported)
}

/// Gives a file or folder the group of another, and its owner where this user may do that, as root may.
/// Returns whether that was a change.
///
/// # Errors
/// If that is not allowed: a user may only choose among the groups that he is in.
#[cfg(unix)]
pub fn set_owner(path: &Path, other: &Metadata) -> io::Result<bool> {
    use std::os::unix::fs::{MetadataExt, chown};
    let now = std::fs::metadata(path)?;
    if (now.uid(), now.gid()) == (other.uid(), other.gid()) {
        return Ok(false);
    }
    if now.uid() != other.uid() && chown(path, Some(other.uid()), Some(other.gid())).is_ok() {
        return Ok(true);
    }
    if now.gid() != other.gid() {
        chown(path, None, Some(other.gid()))?;
    }
    Ok(true)
}

/// Files have no such owners here.
///
/// # Errors
/// Never.
#[cfg(not(unix))]
pub fn set_owner(_path: &Path, _other: &Metadata) -> io::Result<bool> {
    Ok(false)
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
