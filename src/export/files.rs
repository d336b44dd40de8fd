//! Tracks the files of an export while it is written, with their hashes for the manifest.

use super::error::ExportError;
use super::manifest::values::FileName;
use super::manifest::{FileEntry, Manifest};
use super::options::Layout;
use super::writers::npy::pack_npz;
use crate::dataset::Split;
use crate::progress::Progress;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::PathBuf;

/// The files of an export in one folder, with an entry for each finished file.
pub(super) struct ExportFiles<'a> {
    folder: PathBuf,
    /// Progress of packing.
    progress: &'a dyn Progress,
    finished: BTreeMap<FileName, FileEntry>,
}

impl<'a> ExportFiles<'a> {
    pub(super) fn new(folder: PathBuf, progress: &'a dyn Progress) -> ExportFiles<'a> {
        ExportFiles { folder, progress, finished: BTreeMap::new() }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Adds a finished file.
    pub(super) fn add(&mut self, name: String, hash: blake3::Hash) -> Result<(), ExportError> {
        let path = self.path(&name);
        let bytes = fs::metadata(&path).map_err(|error| ExportError::file(&path, error))?.len();
        let name = FileName::try_from(name).expect("a name of our own");
        self.finished.insert(name, FileEntry { bytes, blake3: hash.into() });
        Ok(())
    }

    /// Adds finished arrays, each as a file or all packed into one `.npz`.
    pub(super) fn add_arrays(
        &mut self,
        kind: &str,
        split: Split,
        arrays: &[(&str, blake3::Hash)],
        layout: Layout,
    ) -> Result<(), ExportError> {
        let file_of = |array: &str| array_file(kind, split, array);
        if layout == Layout::Npy {
            return arrays.iter().try_for_each(|&(array, hash)| self.add(file_of(array), hash));
        }
        let members: Vec<_> =
            arrays.iter().map(|&(array, _)| (array, self.path(&file_of(array)))).collect();
        self.pack_npz(format!("{kind}_{}.npz", split.name()), &members)
    }

    /// Packs finished `.npy` files into an `.npz`, adds it, and removes them.
    pub(super) fn pack_npz(
        &mut self,
        name: String,
        members: &[(&str, PathBuf)],
    ) -> Result<(), ExportError> {
        let path = self.path(&name);
        let hash = pack_npz(members, &path, self.progress)
            .map_err(|error| ExportError::file(&path, error))?;
        self.add(name, hash)?;
        members.iter().try_for_each(|(_, member)| {
            fs::remove_file(member).map_err(|error| ExportError::file(member, error))
        })
    }

    /// Writes a JSON file and adds it.
    pub(super) fn write_json(
        &mut self,
        name: &str,
        content: &impl Serialize,
    ) -> Result<(), ExportError> {
        let text = serde_json::to_string_pretty(content)
            .map_err(|error| ExportError::file(&self.path(name), error.into()))?;
        self.write(name, (text + "\n").as_bytes())
    }

    /// Writes a file and adds it.
    pub(super) fn write(&mut self, name: &str, content: &[u8]) -> Result<(), ExportError> {
        let path = self.path(name);
        fs::write(&path, content).map_err(|error| ExportError::file(&path, error))?;
        self.add(name.to_owned(), blake3::hash(content))
    }

    /// Writes the manifest of all finished files, which are complete with it.
    pub(super) fn write_manifest(&self, manifest: &mut Manifest) -> Result<(), ExportError> {
        manifest.files.clone_from(&self.finished);
        let sealed = manifest.seal().map_err(io::Error::from);
        sealed
            .and_then(|()| manifest.write(&self.folder))
            .map_err(|error| ExportError::file(&self.folder, error))
    }

    /// Total size of the finished files in bytes.
    pub(super) fn bytes(&self) -> u64 {
        self.finished.values().map(|file| file.bytes).sum()
    }
}

/// `labels_train_noble.npy`
pub(super) fn array_file(kind: &str, split: Split, array: &str) -> String {
    format!("{kind}_{}_{array}.npy", split.name())
}
