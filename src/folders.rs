//! Creates folders durably, and keeps the access rights of replaced files.

use crate::platform;
use crate::words::{shell_path, shown};
use std::fs::{self, Metadata};
use std::io::{self, ErrorKind};
use std::path::Path;

/// Creates a folder and its missing parents, and syncs each new name.
///
/// # Errors
/// If a folder cannot be created, or its name cannot be synced.
pub fn create_folders(path: &Path) -> io::Result<()> {
    if path.as_os_str().is_empty() || path.is_dir() {
        return Ok(());
    }
    let parent = parent_of(path);
    create_folders(parent)?;
    match fs::create_dir(path) {
        // Another run created it first.
        Err(error) if error.kind() == ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        Err(error) => Err(error),
        Ok(()) => platform::sync_folder(parent),
    }
}

/// The parent folder of a path.
pub fn parent_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) => Path::new("."),
        None => Path::new("/"),
    }
}

/// An error of a file or folder that this user may not use, because it belongs to somebody else: a run with
/// sudo leaves such files. Other errors as they are.
///
/// The command that gives it back covers what prep keeps in a folder, or beside a file.
pub fn with_owner(path: &Path, error: io::Error) -> io::Error {
    let is_denied = error.kind() == ErrorKind::PermissionDenied;
    let Some(owner) = platform::other_owner(path).filter(|_| is_denied) else { return error };
    let word = shell_path(path);
    let files =
        if path.is_dir() { format!("-R \"$USER\" {word}") } else { format!("\"$USER\" {word}*") };
    let why = format!(
        "permission denied: {} belongs to {owner} (a run with sudo?): `sudo chown {files}` makes it yours",
        shown(path)
    );
    io::Error::new(ErrorKind::PermissionDenied, why)
}

/// Gives a new file or folder the group and the permissions of the one that it replaces; to root, the
/// owner too. Where the group cannot be kept, the log says so.
///
/// # Errors
/// If the permissions cannot be set.
pub fn keep_access(new: &Path, replaced: &Metadata) -> io::Result<()> {
    keep_owner(new, replaced)?;
    // Permissions last, because changing the group clears the setgid bit.
    fs::set_permissions(new, replaced.permissions())
}

/// Gives a new file or folder the group of another; as root, also the owner. Logs a warning if that is
/// not allowed.
///
/// # Errors
/// If the metadata of the new one cannot be read.
pub fn keep_owner(new: &Path, other: &Metadata) -> io::Result<()> {
    let permissions = fs::metadata(new)?.permissions();
    match platform::set_owner(new, other) {
        Ok(true) => fs::set_permissions(new, permissions),
        Ok(false) => Ok(()),
        Err(error) => {
            tracing::warn!("cannot keep the group of {}: {error}", shown(new));
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_created() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("a/b/c");
        create_folders(&path).unwrap();
        create_folders(&path).unwrap();
        assert!(path.is_dir());
        fs::write(path.join("file"), "").unwrap();
        create_folders(&path.join("file")).unwrap_err();
        create_folders(&path.join("file/d")).unwrap_err();
    }

    #[test]
    fn parents() {
        for (path, parent) in [("a/b", "a"), ("/a", "/"), ("a", "."), ("/", "/")] {
            assert_eq!(parent_of(Path::new(path)), Path::new(parent), "{path}");
        }
    }
}
