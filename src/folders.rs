//! Folders that outlive a loss of power, and what a replaced file hands on to the new one.

use crate::platform;
use crate::words::shown;
use std::fs::{self, Metadata};
use std::io::{self, ErrorKind};
use std::path::Path;

/// Makes a folder and those above it where they are missing, and syncs each name.
///
/// # Errors
/// If one cannot be made, or its name cannot be synced.
pub fn create_folders(path: &Path) -> io::Result<()> {
    if path.as_os_str().is_empty() || path.is_dir() {
        return Ok(());
    }
    let parent = parent_of(path);
    create_folders(parent)?;
    match fs::create_dir(path) {
        // Another run was faster.
        Err(error) if error.kind() == ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        Err(error) => Err(error),
        Ok(()) => platform::sync_folder(parent),
    }
}

/// The folder that a path is in.
pub fn parent_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) => Path::new("."),
        None => Path::new("/"),
    }
}

/// Gives a new file or folder the group and the permissions of the one that it replaces; to root, the
/// owner too. Where the group cannot be kept, the log says so.
///
/// # Errors
/// If the permissions cannot be set.
pub fn keep_access(new: &Path, replaced: &Metadata) -> io::Result<()> {
    keep_owner(new, replaced)?;
    // Last: a change of the group takes away the bit that hands the group on to new files.
    fs::set_permissions(new, replaced.permissions())
}

/// Gives a new file or folder the group of another; to root, the owner too. Where that is not allowed,
/// the log says so.
///
/// # Errors
/// If the new one cannot be looked up.
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
