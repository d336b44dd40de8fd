//! All code that depends on the operating system.
//!
//! Each function has a fallback for systems without the call; its comment describes the limitations.

use std::fs::{self, File, FileType, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The state of a file, which changes when the file is written or replaced. If two states are equal and
/// more than a tick of the file system's clock apart, the file has not changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileState {
    /// The identity of the file.
    pub id: FileId,
    /// Size in bytes.
    pub size: u64,
    /// Seconds and nanoseconds of the last modification, which programs can set.
    modified: (i64, i64),
    /// Seconds and nanoseconds of the last change, which programs cannot set; the last modification on
    /// systems without that time.
    pub changed: (i64, i64),
}

#[cfg(unix)]
impl FileState {
    /// Reads it from the metadata of a file.
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
    /// Reads it from the metadata of a file, without the identity.
    pub fn of(file: &Metadata) -> FileState {
        let since_epoch = |time: SystemTime| time.duration_since(UNIX_EPOCH);
        let modified = file.modified().ok().and_then(|time| since_epoch(time).ok());
        let modified = modified.unwrap_or_default();
        let modified = (modified.as_secs() as i64, modified.subsec_nanos().into());
        let id = FileId { device: 0, inode: 0 };
        FileState { id, size: file.len(), modified, changed: modified }
    }
}

impl FileState {
    /// The time since the last change; `None` if that is in the future: the clocks of two machines may
    /// differ.
    pub fn age(&self) -> Option<Duration> {
        let (seconds, nanoseconds) = self.changed;
        let changed = Duration::new(seconds.try_into().ok()?, nanoseconds.try_into().ok()?);
        SystemTime::now().duration_since(UNIX_EPOCH + changed).ok()
    }
}

/// The identity of a file: device and inode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileId {
    device: u64,
    inode: u64,
}

#[cfg(unix)]
impl FileId {
    /// Reads it from the metadata of a file.
    pub fn of(file: &Metadata) -> FileId {
        use std::os::unix::fs::MetadataExt;
        FileId { device: file.dev(), inode: file.ino() }
    }
}

#[cfg(not(unix))]
impl FileId {
    /// Unknown on this system: equal to no other, not even of the same file.
    pub fn of(_file: &Metadata) -> FileId {
        use std::sync::atomic::{AtomicU64, Ordering};
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let inode = NEXT.fetch_add(1, Ordering::Relaxed);
        FileId { device: 0, inode }
    }
}

/// Opens a regular file, or a link to one, for reading. All inputs are opened with this function, because
/// opening a FIFO blocks until it has a writer, and reading a device may never end.
///
/// # Errors
/// If it is not a regular file (detected without blocking) or cannot be opened.
pub fn open_file(path: &Path) -> io::Result<File> {
    check_regular(fs::metadata(path)?.file_type())?;
    let file = without_waiting(OpenOptions::new().read(true)).open(path)?;
    // Checked again: it may have been replaced since.
    check_regular(file.metadata()?.file_type())?;
    Ok(file)
}

/// Reads a regular file of at most `max` bytes.
///
/// # Errors
/// As for [`open_file`], and if the file is larger.
pub fn read_file(path: &Path, max: u64) -> io::Result<Vec<u8>> {
    let file = open_file(path)?;
    let size = file.metadata()?.len();
    let mut bytes = Vec::new();
    if size <= max {
        bytes.reserve_exact(size as usize);
        file.take(max + 1).read_to_end(&mut bytes)?;
    }
    if size > max || bytes.len() as u64 > max {
        let why = format!("it has more than {max} bytes");
        return Err(io::Error::new(ErrorKind::FileTooLarge, why));
    }
    Ok(bytes)
}

/// Opens one of prep's own files for reading and writing; creates it if it does not exist. Others with
/// write permission for the folder may have created a link or a FIFO there: links are not followed.
///
/// # Errors
/// If it is not a regular file or cannot be opened.
pub fn open_own_file(path: &Path) -> io::Result<File> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        found => check_regular(found?.file_type())?,
    }
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    let file = without_following_links(&mut options).open(path)?;
    check_regular(file.metadata()?.file_type())?;
    Ok(file)
}

/// An error that names the type of a file that is not regular.
fn check_regular(file_type: FileType) -> io::Result<()> {
    if file_type.is_file() {
        return Ok(());
    }
    let kind = if file_type.is_dir() { ErrorKind::IsADirectory } else { ErrorKind::InvalidInput };
    let what = type_in_words(file_type);
    Err(io::Error::new(kind, format!("it is {what}, not a regular file")))
}

/// `a folder`, `a FIFO`: the type of a file.
#[cfg(unix)]
pub fn type_in_words(file_type: FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt;
    match () {
        () if file_type.is_file() => "a regular file",
        () if file_type.is_dir() => "a folder",
        () if file_type.is_symlink() => "a symbolic link",
        () if file_type.is_fifo() => "a FIFO",
        () if file_type.is_socket() => "a socket",
        () => "a device",
    }
}

/// The type of a file.
#[cfg(not(unix))]
pub fn type_in_words(file_type: FileType) -> &'static str {
    match () {
        () if file_type.is_file() => "a regular file",
        () if file_type.is_dir() => "a folder",
        () => "a symbolic link",
    }
}

/// Opens a terminal, pipe or device for writing. A FIFO without a reader is an error and does not block.
///
/// # Errors
/// If it cannot be opened.
pub fn open_stream(path: &Path) -> io::Result<File> {
    let stream = without_waiting(OpenOptions::new().write(true)).open(path)?;
    wait_again(&stream)?;
    Ok(stream)
}

/// Makes writes block until the reader of a pipe is ready.
#[cfg(unix)]
fn wait_again(stream: &File) -> io::Result<()> {
    use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
    Ok(fcntl_setfl(stream, fcntl_getfl(stream)? - OFlags::NONBLOCK)?)
}

#[cfg(not(unix))]
fn wait_again(_stream: &File) -> io::Result<()> {
    Ok(())
}

/// Creates a temporary file in a folder, which is removed unless it is persisted. It has the default
/// permissions of new files; usually temporary files are accessible only to their owner.
///
/// # Errors
/// If it cannot be created.
pub fn temporary_file(folder: &Path) -> io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".prep-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder)
}

#[cfg(unix)]
fn without_waiting(options: &mut OpenOptions) -> &mut OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    options.custom_flags((rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY).bits() as i32)
}

#[cfg(not(unix))]
fn without_waiting(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

#[cfg(unix)]
fn without_following_links(options: &mut OpenOptions) -> &mut OpenOptions {
    use rustix::fs::OFlags;
    use std::os::unix::fs::OpenOptionsExt;
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    options.custom_flags(flags.bits() as i32)
}

#[cfg(not(unix))]
fn without_following_links(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

/// Whether an open file has been deleted.
#[cfg(unix)]
pub fn is_deleted(file: &Metadata) -> bool {
    std::os::unix::fs::MetadataExt::nlink(file) == 0
}

/// Always false: open files cannot be deleted on this system.
#[cfg(not(unix))]
pub fn is_deleted(_file: &Metadata) -> bool {
    false
}

/// Free bytes for this user on the file system of an existing path; `None` if unknown. A quota may allow
/// less.
#[cfg(unix)]
pub fn free_bytes(path: &Path) -> Option<u64> {
    let found = rustix::fs::statvfs(path).ok()?;
    // Some virtual file systems return zeros.
    if found.f_blocks == 0 { None } else { found.f_bavail.checked_mul(found.f_frsize) }
}

/// Always unknown on this system.
#[cfg(not(unix))]
pub fn free_bytes(_path: &Path) -> Option<u64> {
    None
}

/// Whether an error of locking a file means that its file system has no locks.
#[cfg(unix)]
pub fn means_no_locks(error: &io::Error) -> bool {
    use rustix::io::Errno;
    matches!(Errno::from_io_error(error), Some(Errno::NOLCK | Errno::OPNOTSUPP | Errno::NOSYS))
}

/// Whether an error of locking a file means that its file system has no locks.
#[cfg(not(unix))]
pub fn means_no_locks(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::Unsupported
}

/// Whether an error of opening a path means that its symbolic links form a loop.
#[cfg(unix)]
pub fn means_link_loop(error: &io::Error) -> bool {
    rustix::io::Errno::from_io_error(error) == Some(rustix::io::Errno::LOOP)
}

/// Whether an error of opening a path means that its symbolic links form a loop: always false on this
/// system.
#[cfg(not(unix))]
pub fn means_link_loop(_error: &io::Error) -> bool {
    false
}

/// Whether this user may read a file, without opening it.
#[cfg(unix)]
pub fn may_read(path: &Path) -> bool {
    rustix::fs::access(path, rustix::fs::Access::READ_OK).is_ok()
}

/// Whether this user may read a file: always true on this system, so opening it may fail.
#[cfg(not(unix))]
pub fn may_read(_path: &Path) -> bool {
    true
}

/// Whether this user may write a file, without opening it.
#[cfg(unix)]
pub fn may_write(path: &Path) -> bool {
    rustix::fs::access(path, rustix::fs::Access::WRITE_OK).is_ok()
}

/// Whether this user may write a file: always true on this system, so opening it may fail.
#[cfg(not(unix))]
pub fn may_write(_path: &Path) -> bool {
    true
}

/// Who owns a file or folder, if that is not this user: `root`, or the number of another user.
#[cfg(unix)]
pub fn other_owner(path: &Path) -> Option<String> {
    use std::os::unix::fs::MetadataExt;
    let owner = fs::metadata(path).ok()?.uid();
    match owner {
        _ if owner == rustix::process::geteuid().as_raw() => None,
        0 => Some("root".to_owned()),
        owner => Some(format!("user {owner}")),
    }
}

/// Unknown here.
#[cfg(not(unix))]
pub fn other_owner(_path: &Path) -> Option<String> {
    None
}

/// The process whose lock on some bytes of a file keeps this one from reading, or writing, them; `None`
/// if that is unknown.
///
/// The file stays open until the process ends. Closing it would release all locks of this process on it,
/// including those of SQLite (<https://www.sqlite.org/howtocorrupt.html>, 2.2). So call this only for a
/// file that this process waits for.
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

/// Always unknown on this system.
#[cfg(not(unix))]
pub fn lock_holder(_path: &Path, _bytes: std::ops::Range<u64>, _to_write: bool) -> Option<u32> {
    None
}

/// Exchanges the names of two files or folders in one step.
///
/// # Errors
/// If the system or the file system does not support it.
#[cfg(any(target_os = "linux", target_vendor = "apple"))]
pub fn exchange_names(one: &Path, other: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    Ok(renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE)?)
}

/// Always an error on this system: callers rename twice.
#[cfg(not(any(target_os = "linux", target_vendor = "apple")))]
pub fn exchange_names(_one: &Path, _other: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(unix)]
pub use std::os::unix::fs::symlink as link_to_folder;
#[cfg(not(unix))]
pub use std::os::windows::fs::symlink_dir as link_to_folder;

/// Calls `handler` with the number of each signal that asks this process to end: Ctrl-C, a closed
/// terminal, `kill`. Ignored signals stay ignored, as `nohup` requires.
///
/// # Errors
/// If no thread can be started.
#[cfg(unix)]
pub fn handle_end_signals(handler: impl Fn(i32) + Send + 'static) -> io::Result<()> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    let ignored = ignored_signals();
    let wanted =
        [SIGHUP, SIGINT, SIGTERM].into_iter().filter(|signal| ignored >> (signal - 1) & 1 == 0);
    let mut signals = signal_hook::iterator::Signals::new(wanted)?;
    std::thread::Builder::new().spawn(move || signals.forever().for_each(handler)).map(|_thread| ())
}

/// Does nothing on this system: such a signal kills the process.
#[cfg(not(unix))]
pub fn handle_end_signals(_handler: impl Fn(i32) + Send + 'static) -> io::Result<()> {
    Ok(())
}

/// A bit mask of the signals that this process ignores, the lowest bit for signal 1; 0 without `/proc`.
#[cfg(unix)]
fn ignored_signals() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}

/// Ends this process by a signal, so that a shell or a service manager can see that.
#[cfg(unix)]
pub fn end_by_signal(signal: i32) {
    let _ = signal_hook::low_level::emulate_default_handler(signal);
}

/// Does nothing on this system.
#[cfg(not(unix))]
pub fn end_by_signal(_signal: i32) {}

/// Waits for the lock of a folder, which the result holds; `None` if folders cannot be locked there.
pub fn lock_folder(path: &Path) -> Option<File> {
    let folder = File::open(path).ok()?;
    folder.lock().ok().map(|()| folder)
}

/// Syncs the names in a folder to the disk. Does nothing on network file systems that do not support
/// that; their files are synced themselves.
///
/// # Errors
/// If the folder cannot be opened, or the disk fails.
pub fn sync_folder(path: &Path) -> io::Result<()> {
    match try_sync_folder(path) {
        Err(error) if means_no_sync(&error) => Ok(()),
        synced => synced,
    }
}

/// Whether the file system supports syncing a folder.
pub fn can_sync_folder(path: &Path) -> bool {
    !try_sync_folder(path).is_err_and(|error| means_no_sync(&error))
}

#[cfg(unix)]
fn try_sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Always false: folders cannot be opened on this system.
#[cfg(not(unix))]
fn try_sync_folder(_path: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Whether an error of syncing a folder means that its file system does not support that.
fn means_no_sync(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidInput, Unsupported};
    matches!(error.kind(), InvalidInput | Unsupported)
}

/// Gives a file or folder the group of another, and as root also its owner. Returns whether anything
/// changed.
///
/// # Errors
/// If that is not allowed: users can only choose one of their own groups.
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

/// Does nothing: files have no such owners on this system.
///
/// # Errors
/// Never.
#[cfg(not(unix))]
pub fn set_owner(_path: &Path, _other: &Metadata) -> io::Result<bool> {
    Ok(false)
}

/// Tells the system that the content of a file need not stay in memory.
#[cfg(target_os = "linux")]
pub fn forget_content(file: &File) {
    let _ = rustix::fs::fadvise(file, 0, None, rustix::fs::Advice::DontNeed);
}

/// Does nothing on this system; it would only save memory.
#[cfg(not(target_os = "linux"))]
pub fn forget_content(_file: &File) {}

#[cfg(test)]
mod tests;
