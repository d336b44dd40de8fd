//! Reads the small files of an export.

use crate::export::manifest::{MAX_SMALL_FILE, Manifest};
use crate::export::scaler_file::FEATURE_COLS_FILE;
use crate::platform::read_file;
use crate::words::shown;
use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};

/// Why an export cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read the export {}: {why}", shown(export))]
pub struct FolderError {
    /// The folder.
    pub export: PathBuf,
    /// The reason.
    pub why: String,
}

/// An export folder, read without its arrays.
pub(in crate::export) struct ExportFolder<'p> {
    pub(in crate::export) path: &'p Path,
    pub(in crate::export) manifest: Manifest,
    pub(in crate::export) columns: Vec<String>,
}

impl ExportFolder<'_> {
    pub(in crate::export) fn read(path: &Path) -> Result<ExportFolder<'_>, FolderError> {
        let failed = |why| FolderError { export: path.to_owned(), why };
        if !path.is_dir() {
            let what = if path.exists() { "is a file" } else { "does not exist" };
            return Err(failed(format!("it {what}: give a folder that prep export wrote")));
        }
        let manifest = Manifest::read(path).map_err(|error| failed(error.to_string()))?;
        let mut folder = ExportFolder { path, manifest, columns: Vec::new() };
        folder.columns = folder.read_json(FEATURE_COLS_FILE)?;
        Ok(folder)
    }

    /// Reads a file and compares it with the manifest. A different file was changed, or belongs to a new
    /// export that has just replaced this one.
    pub(in crate::export) fn read_json<T: DeserializeOwned>(
        &self,
        name: &str,
    ) -> Result<T, FolderError> {
        serde_json::from_slice(&self.read_bytes(name)?)
            .map_err(|error| self.failed(format!("{name}: {}", shown(&error.to_string()))))
    }

    /// The bytes of such a file.
    pub(in crate::export) fn read_bytes(&self, name: &str) -> Result<Vec<u8>, FolderError> {
        let bytes = read_file(&self.path.join(name), MAX_SMALL_FILE)
            .map_err(|error| self.failed(format!("{name}: {error}")))?;
        let listed = self.manifest.files.get(name).map(|file| file.blake3);
        if listed != Some(blake3::hash(&bytes).into()) {
            return Err(self.failed(format!(
                "{name} does not match its manifest.json: try again if an export was running, else \
                 export again"
            )));
        }
        Ok(bytes)
    }

    pub(in crate::export) fn failed(&self, why: String) -> FolderError {
        FolderError { export: self.path.to_owned(), why }
    }
}
