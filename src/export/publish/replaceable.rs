//! Checks that a target may be replaced: it does not exist, is an empty folder, or is an export.
//!
//! Replacing a folder deletes all of its content. `--out .`, or a notebook saved beside the arrays, must
//! cause an error, not a loss. For the same reason an export must not be inside another one, which would
//! then contain a foreign folder and could not be replaced.

use super::super::manifest::{MANIFEST_FILE, Manifest, ManifestError, shard_folders};
use super::container::is_container_in_target;
use super::error::{PublishError, failed};
use super::in_place::is_hidden;
use crate::folders::{create_folders, parent_of};
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// Checks that `target` may be replaced: it does not exist, is an empty folder, or is an export. An
/// export contains a `manifest.json`, regular files that are keys of the manifest's `"files"` object, its
/// shards, which are exports, and nothing else. Hidden files are ignored. The target must not be inside
/// another export.
///
/// Call this before a long export; [`Staging`](super::Staging) checks when it is created and when it
/// publishes.
///
/// # Errors
///
/// If the target may not be replaced; the message says why, and what to do.
pub(in crate::export) fn check_replaceable(target: &Path) -> Result<(), PublishError> {
    let owned = || target.to_owned();
    if let Some(export) = export_around(target) {
        return Err(PublishError::InsideExport { target: owned(), export });
    }
    // Checks for a link first: another run may create the folder at any moment, and it must not be
    // mistaken for a broken link.
    let is_link = fs::symlink_metadata(target).is_ok_and(|metadata| metadata.is_symlink());
    let folder = match fs::canonicalize(target) {
        Ok(folder) => folder,
        Err(error) if error.kind() == ErrorKind::NotFound && is_link => {
            return Err(PublishError::DanglingLink(owned()));
        }
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed("look up", target)(error)),
    };
    let metadata = fs::metadata(&folder).map_err(failed("look up", &folder))?;
    if !metadata.is_dir() {
        return Err(PublishError::NotAFolder(owned()));
    }
    if folder.parent().is_none() {
        return Err(PublishError::NoName(owned()));
    }
    let entries = foreign_entries(&folder).map_err(failed("read", &folder))?;
    if !entries.is_empty() {
        return Err(PublishError::ForeignEntries { target: owned(), entries });
    }
    Ok(())
}

/// The nearest parent folder of `target` that is an export with a readable manifest.
pub fn export_around(target: &Path) -> Option<PathBuf> {
    let absolute = std::path::absolute(target).ok()?;
    // Resolves symbolic links, to detect a link into an export.
    let (depth, real) = absolute
        .ancestors()
        .enumerate()
        .find_map(|(depth, folder)| Some((depth, fs::canonicalize(folder).ok()?)))?;
    let is_export = |folder: &&Path| Manifest::read(folder).is_ok();
    let skipped = usize::from(depth == 0);
    real.ancestors().skip(skipped).find(is_export).map(Path::to_owned)
}

fn foreign_entries(folder: &Path) -> io::Result<Vec<String>> {
    // A manifest.json of another program is a foreign file, too.
    let manifest = match Manifest::read(folder) {
        Ok(manifest) => Some(manifest),
        Err(ManifestError::Unreadable(error)) => return Err(error),
        Err(_) => None,
    };
    let mut foreign = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let is_listed = manifest.as_ref().is_some_and(|manifest| {
            name.to_str()
                .is_some_and(|name| name == MANIFEST_FILE || manifest.files.contains_key(name))
        });
        let is_shard = || -> io::Result<bool> {
            let listed = manifest.as_ref().is_some_and(|manifest| {
                shard_folders(manifest).any(|folder| name.to_str() == Some(folder))
            });
            Ok(listed && entry.file_type()?.is_dir() && foreign_entries(&entry.path())?.is_empty())
        };
        let may_stay = is_container_in_target(&entry)?
            || is_shard()?
            || (entry.file_type()?.is_file() && (is_listed || is_hidden(&name)));
        if !may_stay {
            foreign.push(name.to_string_lossy().into_owned());
        }
    }
    foreign.sort();
    Ok(foreign)
}

/// The target as an absolute path without symbolic links. Creates its parents, but not the target.
pub(super) fn resolve(target: &Path) -> Result<PathBuf, PublishError> {
    match fs::canonicalize(target) {
        Ok(folder) if folder.parent().is_none() => Err(PublishError::NoName(target.to_owned())),
        Ok(folder) => Ok(folder),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            check_replaceable(target)?;
            let Some(name) = target.file_name() else {
                return Err(PublishError::NoName(target.to_owned()));
            };
            let parent = parent_of(target);
            create_folders(parent).map_err(failed("make", parent))?;
            Ok(fs::canonicalize(parent).map_err(failed("look up", parent))?.join(name))
        }
        Err(error) => Err(failed("look up", target)(error)),
    }
}
