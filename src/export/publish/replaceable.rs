//! What a publish may replace: nothing, an empty folder, or an export.
//!
//! Replacing a folder deletes everything in it. `--out .` or a notebook saved beside the arrays must
//! cause an error, not a loss. For the same reason no export may be in another one: that would then
//! hold a folder which it did not write, and could not be replaced.

use super::super::manifest::{MANIFEST_FILE, Manifest, ManifestError};
use super::container::is_container_in_target;
use super::error::{PublishError, failed};
use crate::folders::{create_folders, parent_of};
use std::ffi::OsStr;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// Whether a publish may replace `target`: it does not exist, or is an empty folder, or is an
/// export. An export has a `manifest.json`, and holds nothing but that and regular files that are
/// keys of the manifest's `"files"` object. Hidden files do not count. Nothing may lie in another
/// export.
///
/// Worth calling before a long export; [`Staging`](super::Staging) checks when it is made and when
/// it publishes.
///
/// # Errors
///
/// Says what is in the way and what to do about it.
pub(in crate::export) fn check_replaceable(target: &Path) -> Result<(), PublishError> {
    let owned = || target.to_owned();
    if let Some(export) = export_around(target) {
        return Err(PublishError::InsideExport { target: owned(), export });
    }
    // A link first: a folder that is not there now may be there a moment later, when another run
    // has published to it, and must not be taken for a link to nothing.
    let is_link = fs::symlink_metadata(target).is_ok_and(|metadata| metadata.is_symlink());
    let folder = match fs::canonicalize(target) {
        Ok(folder) => folder,
        Err(error) if error.kind() == ErrorKind::NotFound && is_link => {
            return Err(PublishError::DanglingLink { target: owned() });
        }
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed("look up", target)(error)),
    };
    let metadata = fs::metadata(&folder).map_err(failed("look up", &folder))?;
    if !metadata.is_dir() {
        return Err(PublishError::NotAFolder { target: owned() });
    }
    if folder.parent().is_none() {
        return Err(PublishError::NoName { target: owned() });
    }
    let entries = foreign_entries(&folder).map_err(failed("read", &folder))?;
    if !entries.is_empty() {
        return Err(PublishError::ForeignEntries { target: owned(), entries });
    }
    Ok(())
}

/// The nearest folder above `target` that is an export. One whose manifest cannot be read is none.
pub fn export_around(target: &Path) -> Option<PathBuf> {
    let absolute = std::path::absolute(target).ok()?;
    // By the folders that are there, so that a link into an export is seen.
    let (depth, real) = absolute
        .ancestors()
        .enumerate()
        .find_map(|(depth, folder)| Some((depth, fs::canonicalize(folder).ok()?)))?;
    let is_export = |folder: &&Path| Manifest::read(folder).is_ok();
    let skipped = usize::from(depth == 0);
    real.ancestors().skip(skipped).find(is_export).map(Path::to_owned)
}

/// Files such as `.gitkeep` and `.DS_Store`, which a publish keeps.
pub(super) fn is_hidden(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".")
}

fn foreign_entries(folder: &Path) -> io::Result<Vec<String>> {
    // Another program's manifest.json says nothing about our files: then that file is foreign too.
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
        let may_stay = is_container_in_target(&entry)?
            || (entry.file_type()?.is_file() && (is_listed || is_hidden(&name)));
        if !may_stay {
            foreign.push(name.to_string_lossy().into_owned());
        }
    }
    foreign.sort();
    Ok(foreign)
}

/// The target as an absolute path without symbolic links. Makes its parents, not itself.
pub(super) fn resolve(target: &Path) -> Result<PathBuf, PublishError> {
    match fs::canonicalize(target) {
        Ok(folder) if folder.parent().is_none() => {
            Err(PublishError::NoName { target: target.to_owned() })
        }
        Ok(folder) => Ok(folder),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            check_replaceable(target)?;
            let Some(name) = target.file_name() else {
                return Err(PublishError::NoName { target: target.to_owned() });
            };
            let parent = parent_of(target);
            create_folders(parent).map_err(failed("make", parent))?;
            Ok(fs::canonicalize(parent).map_err(failed("look up", parent))?.join(name))
        }
        Err(error) => Err(failed("look up", target)(error)),
    }
}
