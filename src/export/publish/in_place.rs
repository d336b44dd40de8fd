//! Publishes to a folder that cannot be renamed: a mount point, or a folder of a container image.
//!
//! The files are moved one by one: first the old files away, manifest first, then the new files in,
//! manifest last. A folder without a manifest is not an export, so no program mistakes the intermediate
//! mixture for one. The positions of the files show how far a killed run came, and the next run restores
//! the old export. Hidden files stay where they are.

use super::error::{PublishError, failed};
use crate::export::manifest::{MANIFEST_FILE, Manifest, shard_folders};
use crate::platform::{lock_folder, sync_folder};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

/// Replaces the files in `target` by those of `export`, and moves the old ones to `previous`.
///
/// # Errors
/// If a file cannot be moved. The old export is restored when the container is dropped.
pub(super) fn replace_files(
    export: &Path,
    previous: &Path,
    target: &Path,
) -> Result<(), PublishError> {
    let lock = lock_folder(target);
    let moves = || -> io::Result<()> {
        fs::create_dir(previous)?;
        move_files(target, previous, Order::ManifestFirst, |_| true)?;
        sync_folder(target)?;
        move_files(export, target, Order::ManifestLast, |_| true)?;
        sync_folder(target)
    };
    let moved = moves().map_err(failed("move the new export into", target));
    drop(lock);
    moved
}

/// Restores the old export if the replacement was not finished.
///
/// # Errors
/// If a file cannot be moved back.
pub(super) fn restore_files(export: &Path, previous: &Path, target: &Path) -> io::Result<()> {
    // The manifest is moved in last.
    if !previous.exists() || !export.join(MANIFEST_FILE).exists() {
        return Ok(());
    }
    let _lock = lock_folder(target);
    let has_manifest = |folder: &Path| folder.join(MANIFEST_FILE).exists();
    if has_manifest(previous) && has_manifest(target) {
        // Another run has published its export since.
        return Ok(());
    }
    let [old, new] = [previous, export].map(|folder| Manifest::read(folder).ok());
    let has = |manifest: &Option<Manifest>, name: &OsStr| {
        let name = name.to_string_lossy();
        manifest.as_ref().is_some_and(|manifest| {
            manifest.files.contains_key(&*name)
                || shard_folders(manifest).any(|folder| folder == name)
        })
    };
    // A file that neither export has is somebody else's and stays.
    let is_new =
        |name: &OsStr| has(&new, name) && (!has(&old, name) || previous.join(name).exists());
    // The old manifest is moved first: if it was not, no file was moved, or there was no old export.
    if !has_manifest(target) {
        move_files(target, export, Order::ManifestLast, is_new)?;
    }
    move_files(previous, target, Order::ManifestLast, |_| true)?;
    sync_folder(target)
}

/// Files such as `.gitkeep` and `.DS_Store`, which a publish keeps.
pub(in crate::export) fn is_hidden(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".")
}

#[derive(Clone, Copy, PartialEq)]
enum Order {
    ManifestFirst,
    ManifestLast,
}

/// Moves the files and folders that `wanted` selects and that are not hidden. The folders are shards.
fn move_files(
    from: &Path,
    to: &Path,
    order: Order,
    wanted: impl Fn(&OsStr) -> bool,
) -> io::Result<()> {
    let mut names: Vec<OsString> = Vec::new();
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name();
        let kind = entry.file_type()?;
        if (kind.is_file() || kind.is_dir()) && !is_hidden(&name) && wanted(&name) {
            names.push(name);
        }
    }
    names.sort_by_key(|name| (name == MANIFEST_FILE) == (order == Order::ManifestLast));
    for name in names {
        match fs::rename(from.join(&name), to.join(&name)) {
            // Removed meanwhile, for example by a file system that renames deleted open files.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            moved => moved?,
        }
    }
    Ok(())
}
