//! The scaler of an export: `scaler.npz`, which every export contains, and which `--scaler-from` and
//! programs that normalize values themselves read.

use super::error::ExportError;
use super::existing::arrays::{NpzArchive, ReadError};
use super::files::ExportFiles;
use super::manifest::values::ScalerOrigin;
use super::manifest::{MANIFEST_FILE, MAX_SMALL_FILE, Manifest, ManifestError};
use super::writers::npy::NpyWriter;
use crate::dataset::{Columns, Scaler};
use crate::platform::read_file;
use crate::words::shown;
use ndarray_npy::WritableElement;
use serde::{Deserialize, Serialize};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

pub(super) const SCALER_FILE: &str = "scaler.npz";
/// The array with the scaler's id.
const ID_ARRAY: &str = "scaler_id";
/// The names of the columns of an export.
pub(super) const FEATURE_COLS_FILE: &str = "feature_cols.json";

const EXPORT_AGAIN: &str = "export that folder again, or give another that `prep export` wrote";

/// Writes `mean`, `var`, `scale` (float64) and `normalized` (bool), one value per column, and
/// `scaler_id` (the 32 bytes of the id).
pub(super) fn write_scaler(
    files: &mut ExportFiles,
    scaler: &Scaler,
    id: &blake3::Hash,
) -> Result<(), ExportError> {
    let mut members = Vec::new();
    for (array, values) in [("mean", &scaler.mean), ("var", &scaler.var), ("scale", &scaler.scale)]
    {
        members.push((array, write_vector(files, array, values)?));
    }
    members.push(("normalized", write_vector(files, "normalized", &scaler.normalized)?));
    members.push((ID_ARRAY, write_vector(files, ID_ARRAY, id.as_bytes())?));
    files.pack_npz(SCALER_FILE.to_owned(), &members)
}

fn write_vector<T: WritableElement>(
    files: &ExportFiles,
    array: &str,
    values: &[T],
) -> Result<PathBuf, ExportError> {
    let path = files.path(&format!("scaler_{array}.npy"));
    let mut writer = NpyWriter::of::<T>(&path, &[values.len()])?;
    writer.write(values)?;
    writer.finish()?;
    Ok(path)
}

/// The columns listed in a file, such as `feature_cols.json` of an export.
///
/// # Errors
/// [`ExportError::Columns`] if it is not a list of columns.
pub fn read_columns(file: &Path) -> Result<Columns, ExportError> {
    let refused = |why| ExportError::Columns { file: file.to_owned(), why };
    let text = read_file(file, MAX_SMALL_FILE).map_err(|error| refused(error.to_string()))?;
    let names: Vec<String> = serde_json::from_slice(&text).map_err(|error| {
        refused(format!("it is not a JSON list of names ({})", shown(&error.to_string())))
    })?;
    Columns::named(&names).map_err(|error| refused(error.to_string()))
}

/// The names of an export's columns, in order. An error is a readable reason.
fn read_column_names(export: &Path) -> Result<Vec<String>, String> {
    if !export.is_dir() {
        let what = if export.exists() { "is a file" } else { "does not exist" };
        return Err(format!("it {what}: give a folder that `prep export` wrote"));
    }
    let text =
        read_file(&export.join(FEATURE_COLS_FILE), MAX_SMALL_FILE).map_err(|error| match error
            .kind()
        {
            ErrorKind::NotFound => {
                format!("it has no {FEATURE_COLS_FILE}: give a folder that `prep export` wrote")
            }
            _ => format!("its {FEATURE_COLS_FILE} cannot be read: {error}"),
        })?;
    serde_json::from_slice(&text).map_err(|error| {
        format!(
            "its {FEATURE_COLS_FILE} is invalid ({}): {EXPORT_AGAIN}",
            shown(&error.to_string())
        )
    })
}

/// Reads `scaler.npz`, and its id if it has one. An error is a readable reason.
pub(super) fn read_scaler_arrays(export: &Path) -> Result<(Scaler, Option<Vec<u8>>), String> {
    let read = || -> Result<_, ReadError> {
        let mut arrays = NpzArchive::open(&export.join(SCALER_FILE))?;
        let scaler = Scaler {
            mean: arrays.vector("mean")?,
            var: arrays.vector("var")?,
            scale: arrays.vector("scale")?,
            normalized: arrays.vector("normalized")?,
        };
        let id = if arrays.has(ID_ARRAY) { Some(arrays.vector(ID_ARRAY)?) } else { None };
        Ok((scaler, id))
    };
    read().map_err(|error| match error {
        ReadError::Unreadable(error) if error.kind() == ErrorKind::NotFound => {
            format!("it has no {SCALER_FILE}: {EXPORT_AGAIN}")
        }
        ReadError::Unreadable(error) => format!("its {SCALER_FILE} cannot be read: {error}"),
        ReadError::Invalid(why) => format!("its {SCALER_FILE} is invalid ({why}): {EXPORT_AGAIN}"),
    })
}

/// Reads the scaler of an earlier export, which must have these columns and belong to that export.
///
/// A scaler that was copied without the manifest is accepted with a warning: its values are checked
/// against its own id, but their origin is unknown.
pub(super) fn read_scaler(export: &Path, columns: &Columns) -> Result<ExportedScaler, ExportError> {
    let read = || {
        let names = columns.names();
        check_columns(&read_column_names(export)?, &names)?;
        let (scaler, stored_id) = read_scaler_arrays(export)?;
        scaler.check(&names).map_err(|why| format!("{SCALER_FILE} {why}"))?;
        let id = scaler.id(&names);
        if stored_id.is_some_and(|stored_id| stored_id != id.as_bytes()) {
            return Err(format!(
                "{SCALER_FILE} was changed since it was written: its values do not have its \
                 {ID_ARRAY}"
            ));
        }
        let origin = match Manifest::read(export) {
            Ok(manifest) => {
                check_belongs(export, &manifest, &id)?;
                match manifest.scaler_fitted_in() {
                    Some(export_id) => ScalerOrigin::FittedIn(export_id),
                    None => ScalerOrigin::Unknown,
                }
            }
            Err(ManifestError::Missing) => {
                tracing::warn!(
                    "{} has no {MANIFEST_FILE}: the origin of its scaler is unknown",
                    shown(export)
                );
                ScalerOrigin::Unknown
            }
            Err(error) => return Err(error.to_string()),
        };
        Ok(ExportedScaler { columns: columns.clone(), scaler, origin })
    };
    read().map_err(|why| ExportError::Scaler { export: export.to_owned(), why })
}

fn check_columns(found: &[String], expected: &[&str]) -> Result<(), String> {
    if found.len() != expected.len() {
        return Err(format!(
            "it has {} columns, this export has {}: choose the same features",
            found.len(),
            expected.len()
        ));
    }
    let mut pairs = found.iter().zip(expected).enumerate();
    match pairs.find(|(_, (found, expected))| found != expected) {
        Some((column, (found, expected))) => Err(format!(
            "its column {column} is {}, but that of this export is {expected}: use an export of \
             the same version of prep",
            shown(found)
        )),
        None => Ok(()),
    }
}

/// Checks that a scaler belongs to the export beside it.
fn check_belongs(export: &Path, manifest: &Manifest, id: &blake3::Hash) -> Result<(), String> {
    let (found, listed) = match (&manifest.scaler, manifest.files.get(SCALER_FILE)) {
        (Some(scaler), _) => (*id, scaler.id),
        // Manifests of version 1 have the hash of the scaler's file instead of its id.
        (None, Some(file)) => {
            let bytes = read_file(&export.join(SCALER_FILE), MAX_SMALL_FILE)
                .map_err(|error| error.to_string())?;
            (blake3::hash(&bytes), file.blake3)
        }
        (None, None) => return Err(format!("its {MANIFEST_FILE} lists no {SCALER_FILE}")),
    };
    if listed == found {
        return Ok(());
    }
    Err(format!(
        "{SCALER_FILE} ({:.12}) does not belong to its export ({listed:.12} in {MANIFEST_FILE}): \
         give the unchanged folder of the export that the model was trained on",
        found.to_hex().as_str()
    ))
}

/// The shift of a column's mean since a scaler was fitted.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ColumnDrift {
    /// The column's name.
    pub column: String,
    /// Mean over the current training rows minus that of the scaler, in the scaler's standard deviations.
    pub mean_shift: f64,
}

/// The normalized columns with the shift of their mean, largest first.
pub(super) fn drift(old: &Scaler, new: &Scaler, names: &[&str]) -> Vec<ColumnDrift> {
    let mut drift: Vec<ColumnDrift> = names
        .iter()
        .enumerate()
        .filter(|&(column, _)| old.normalized[column])
        .map(|(column, name)| ColumnDrift {
            column: (*name).to_owned(),
            mean_shift: (new.mean[column] - old.mean[column]) / old.scale[column],
        })
        .collect();
    // A stable sort: columns with equal shifts stay in column order.
    drift.sort_by(|a, b| b.mean_shift.abs().total_cmp(&a.mean_shift.abs()));
    drift
}

/// The scaler of an export, for programs that normalize values themselves.
#[derive(Clone, Debug)]
pub struct ExportedScaler {
    columns: Columns,
    pub(super) scaler: Scaler,
    pub(super) origin: ScalerOrigin,
}

/// The normalization of one value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ColumnScale {
    /// The normalized value.
    pub normalized: f32,
    /// Mean over the training rows; 0 if the column is not normalized.
    pub mean: f64,
    /// Their standard deviation; 1 if the column is constant or not normalized.
    pub scale: f64,
}

impl ExportedScaler {
    /// Reads the scaler of an export with all features or only base features.
    ///
    /// # Errors
    /// [`ExportError::Scaler`] if the folder is not an export, its columns are not those of this
    /// encoder, or its scaler belongs to another export.
    pub fn load(export: &Path) -> Result<ExportedScaler, ExportError> {
        let names = read_column_names(export)
            .map_err(|why| ExportError::Scaler { export: export.to_owned(), why })?;
        let columns = Columns::named(&names).map_err(|error| ExportError::Scaler {
            export: export.to_owned(),
            why: format!("its {FEATURE_COLS_FILE} is of another version of prep: {error}"),
        })?;
        read_scaler(export, &columns)
    }

    /// The names of the columns, in order.
    pub fn columns(&self) -> Vec<&'static str> {
        self.columns.names()
    }

    /// The scaler itself.
    pub fn scaler(&self) -> &Scaler {
        &self.scaler
    }

    /// The id of the export in which it was fitted, if known: this export, or the one that
    /// `--scaler-from` named.
    pub fn fitted_in(&self) -> Option<String> {
        self.origin.fitted_in().map(String::from)
    }

    /// Normalizes a value of an encoder column (0 to 1,307) as in this export; `None` if the export does
    /// not have the column.
    pub fn apply(&self, column: usize, value: f32) -> Option<ColumnScale> {
        let column = self.columns.indices().iter().position(|&exported| exported == column)?;
        let scaler = &self.scaler;
        Some(ColumnScale {
            normalized: scaler.transform_exact(value, column) as f32,
            mean: scaler.mean[column],
            scale: scaler.scale[column],
        })
    }
}
