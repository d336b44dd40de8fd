//! The files of an export while it is made: where they lie, and their hashes for the receipt.

use super::manifest::{MANIFEST_FILE, Manifest};
use super::npy::pack_npz;
use super::split::Split;
use super::{ExportError, Layout};
use crate::progress::Progress;
use serde::Serialize;
use serde_json::json;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// Files below one folder, with the hash of each that is finished.
pub(super) struct ExportFiles<'a> {
    folder: PathBuf,
    /// Hears of what is packed.
    progress: &'a dyn Progress,
    /// By name: bytes and blake3.
    finished: BTreeMap<String, (u64, blake3::Hash)>,
}

impl<'a> ExportFiles<'a> {
    pub(super) fn new(folder: PathBuf, progress: &'a dyn Progress) -> ExportFiles<'a> {
        ExportFiles { folder, progress, finished: BTreeMap::new() }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Enters a finished file.
    pub(super) fn enter(&mut self, name: String, hash: blake3::Hash) -> Result<(), ExportError> {
        let path = self.path(&name);
        let bytes = fs::metadata(&path).map_err(|error| ExportError::file(&path, error))?.len();
        self.finished.insert(name, (bytes, hash));
        Ok(())
    }

    /// Enters finished arrays: each as its file, or all packed into one `.npz`.
    pub(super) fn enter_arrays(
        &mut self,
        kind: &str,
        split: Split,
        arrays: &[(&str, blake3::Hash)],
        layout: Layout,
    ) -> Result<(), ExportError> {
        let file_of = |array: &str| array_file(kind, split, array);
        if layout == Layout::Npy {
            for &(array, hash) in arrays {
                self.enter(file_of(array), hash)?;
            }
            return Ok(());
        }
        let members: Vec<_> =
            arrays.iter().map(|&(array, _)| (array, self.path(&file_of(array)))).collect();
        self.pack_npz(format!("{kind}_{}.npz", split.name()), &members)
    }

    /// Packs finished `.npy` files into an `.npz`, enters that, and removes them.
    pub(super) fn pack_npz(
        &mut self,
        name: String,
        members: &[(&str, PathBuf)],
    ) -> Result<(), ExportError> {
        let path = self.path(&name);
        let borrowed: Vec<(&str, &Path)> =
            members.iter().map(|(array, member)| (*array, member.as_path())).collect();
        let hash = pack_npz(&borrowed, &path, self.progress)
            .map_err(|error| ExportError::file(&path, error))?;
        self.enter(name, hash)?;
        for (_, member) in members {
            fs::remove_file(member).map_err(|error| ExportError::file(member, error))?;
        }
        Ok(())
    }

    /// Writes a JSON file and enters it.
    pub(super) fn write_json(
        &mut self,
        name: &str,
        content: &impl Serialize,
    ) -> Result<(), ExportError> {
        let path = self.path(name);
        let text = to_text(content).map_err(|error| ExportError::file(&path, error.into()))?;
        write(&path, text.as_bytes())?;
        self.enter(name.to_owned(), blake3::hash(text.as_bytes()))
    }

    /// Writes the receipt, which lists all other files, and has the id of the export.
    pub(super) fn write_manifest(&self, mut manifest: Manifest<'_>) -> Result<(), ExportError> {
        let entry = |(name, (bytes, hash)): (&String, &(u64, blake3::Hash))| {
            (name.clone(), json!({ "bytes": bytes, "blake3": hash.to_hex().as_str() }))
        };
        let path = self.path(MANIFEST_FILE);
        let mut write = || {
            manifest.seal(self.finished.iter().map(entry).collect())?;
            let mut file = BufWriter::new(File::create(&path)?);
            serde_json::to_writer_pretty(&mut file, &manifest)?;
            file.write_all(b"\n")?;
            file.flush()
        };
        write().map_err(|error| ExportError::file(&path, error))
    }

    /// Bytes of all finished files.
    pub(super) fn bytes(&self) -> u64 {
        self.finished.values().map(|(bytes, _)| bytes).sum()
    }
}

/// `labels_train_noble.npy`
pub(super) fn array_file(kind: &str, split: Split, array: &str) -> String {
    format!("{kind}_{}_{array}.npy", split.name())
}

fn to_text(content: &impl Serialize) -> serde_json::Result<String> {
    serde_json::to_string_pretty(content).map(|text| text + "\n")
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), ExportError> {
    File::create(path)
        .and_then(|mut file| file.write_all(bytes))
        .map_err(|error| ExportError::file(path, error))
}
