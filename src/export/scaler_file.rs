//! `scaler.npz`: written with every export, read by `--scaler-from`.

use super::ExportError;
use super::files::ExportFiles;
use super::manifest::{FITTED_ON_TRAIN, MANIFEST_FILE};
use super::npy::NpyWriter;
use super::receipt::Receipt;
use super::scaler::Scaler;
use ndarray::Array1;
use ndarray_npy::NpzReader;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::Path;

/// The file's name in an export.
const SCALER_FILE: &str = "scaler.npz";
/// The array with the scaler's id.
const ID_ARRAY: &str = "scaler_id";
/// The column names in an export: what the scaler's columns are.
pub(super) const FEATURE_COLS_FILE: &str = "feature_cols.json";

/// Writes `mean`, `var`, `scale` (float64) and `normalized` (bool), one a column, and `scaler_id`
/// (the 32 bytes of the id).
pub(super) fn write_scaler(
    files: &mut ExportFiles,
    scaler: &Scaler,
    id: &blake3::Hash,
) -> Result<(), ExportError> {
    let path = |array: &str| files.path(&format!("scaler_{array}.npy"));
    let columns = scaler.mean.len();
    let mut members = Vec::new();
    for (array, values) in [("mean", &scaler.mean), ("var", &scaler.var), ("scale", &scaler.scale)]
    {
        let mut writer = NpyWriter::vector(&path(array), columns)?;
        writer.write(values)?;
        writer.finish()?;
        members.push((array, path(array)));
    }
    let mut writer = NpyWriter::vector(&path("normalized"), columns)?;
    writer.write(&scaler.normalized)?;
    writer.finish()?;
    members.push(("normalized", path("normalized")));
    let mut writer = NpyWriter::vector(&path(ID_ARRAY), id.as_bytes().len())?;
    writer.write(id.as_bytes().as_slice())?;
    writer.finish()?;
    members.push((ID_ARRAY, path(ID_ARRAY)));

    files.pack_npz(SCALER_FILE.to_owned(), &members)
}

/// Identifies a scaler: a hash of the names of its columns and every bit of its values, and so of
/// nothing but the training rows.
pub fn scaler_id(names: &[&str], scaler: &Scaler) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"splendor-prep scaler 1");
    for (column, name) in names.iter().enumerate() {
        hasher.update(&(name.len() as u64).to_le_bytes());
        hasher.update(name.as_bytes());
        hasher.update(&[scaler.normalized[column].into()]);
        for values in [&scaler.mean, &scaler.var, &scaler.scale] {
            hasher.update(&values[column].to_le_bytes());
        }
    }
    hasher.finalize()
}

/// Where the scaler of an export was fitted. Prints as `settings.scaler` of the manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ScalerOrigin {
    /// On the training rows of this very export.
    FittedHere,
    /// In the export with this id.
    FittedIn(String),
    /// In an export that had no id yet, or whose manifest is not there.
    Unknown,
}

impl fmt::Display for ScalerOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ScalerOrigin::FittedHere => write!(f, "{FITTED_ON_TRAIN}"),
            ScalerOrigin::FittedIn(export_id) => write!(f, "fitted in export {export_id}"),
            ScalerOrigin::Unknown => write!(f, "fitted in an export without an id"),
        }
    }
}

/// The scaler of an earlier export.
#[derive(Clone, Debug)]
pub(super) struct StoredScaler {
    pub(super) scaler: Scaler,
    pub(super) origin: ScalerOrigin,
}

const ANOTHER_EXPORT: &str = "export that folder anew, or give another that `prep export` wrote";

/// The names of an export's columns, in order. An error is a reason in words.
pub(super) fn read_column_names(export: &Path) -> Result<Vec<String>, String> {
    if !export.is_dir() {
        let what = if export.exists() { "is a file" } else { "is not there" };
        return Err(format!("it {what}: give a folder that `prep export` wrote"));
    }
    fs::read(export.join(FEATURE_COLS_FILE))
        .map_err(|error| match error.kind() {
            ErrorKind::NotFound => {
                "is not there: give a folder that `prep export` wrote".to_owned()
            }
            _ => format!("cannot be read: {error}"),
        })
        .and_then(|text| {
            serde_json::from_slice(&text)
                .map_err(|error| format!("does not read ({error}): {ANOTHER_EXPORT}"))
        })
        .map_err(|why| format!("its {FEATURE_COLS_FILE} {why}"))
}

/// Reads `scaler.npz`, and the id in it if it has one. An error is a reason in words.
pub(super) fn read_scaler_arrays(export: &Path) -> Result<(Scaler, Option<Vec<u8>>), String> {
    let read = || -> Result<_, Box<dyn std::error::Error>> {
        let mut arrays = NpzReader::new(File::open(export.join(SCALER_FILE))?)?;
        let mut floats = |name: &str| -> Result<Vec<f64>, ndarray_npy::ReadNpzError> {
            let array: Array1<f64> = arrays.by_name(name)?;
            Ok(array.to_vec())
        };
        let (mean, var, scale) = (floats("mean")?, floats("var")?, floats("scale")?);
        let normalized: Array1<bool> = arrays.by_name("normalized")?;
        let id = match arrays.names()?.iter().any(|name| name == ID_ARRAY) {
            true => Some(arrays.by_name::<ndarray::OwnedRepr<u8>, ndarray::Ix1>(ID_ARRAY)?),
            false => None,
        };
        let scaler = Scaler { mean, var, scale, normalized: normalized.to_vec() };
        Ok((scaler, id.map(|id| id.to_vec())))
    };
    read().map_err(|error| match error.downcast_ref::<std::io::Error>().map(|error| error.kind()) {
        Some(ErrorKind::NotFound) => format!("it has no {SCALER_FILE}: {ANOTHER_EXPORT}"),
        Some(_) => format!("its {SCALER_FILE} cannot be read: {error}"),
        None => format!("its {SCALER_FILE} does not read ({error}): {ANOTHER_EXPORT}"),
    })
}

/// Reads the scaler of an earlier export, which must have been made for the same columns and
/// belong to the export that it lies in.
///
/// A scaler that was copied without the manifest is taken, with a word of warning: its values can
/// still be checked against its own id, but not where they are from.
pub(super) fn read_scaler(
    export: &Path,
    names: &[&str],
    normalized: &[bool],
) -> Result<StoredScaler, ExportError> {
    let unusable = |why: String| ExportError::Scaler { export: export.to_owned(), why };
    let its_names = read_column_names(export).map_err(unusable)?;
    if its_names.len() != names.len() {
        return Err(unusable(format!(
            "it has {} columns, this export {}: choose the same features",
            its_names.len(),
            names.len()
        )));
    }
    let mut pairs = its_names.iter().zip(names).enumerate();
    if let Some((column, (its_name, name))) = pairs.find(|(_, (its_name, name))| its_name != name) {
        return Err(unusable(format!(
            "its column {column} is {its_name}, this export's is {name}: \
             use an export of the same version of prep"
        )));
    }
    let (scaler, its_id) = read_scaler_arrays(export).map_err(unusable)?;
    if scaler.normalized != normalized {
        return Err(unusable(format!(
            "{SCALER_FILE} normalises other columns than this prep does"
        )));
    }
    if [scaler.mean.len(), scaler.var.len(), scaler.scale.len()] != [names.len(); 3] {
        return Err(unusable(format!("{SCALER_FILE} does not hold one value for each column")));
    }
    if let Some(column) = (0..names.len()).find(|&column| !is_sound(&scaler, column)) {
        return Err(unusable(format!(
            "{SCALER_FILE} holds impossible values for {}",
            names[column]
        )));
    }
    let id = scaler_id(names, &scaler);
    if its_id.is_some_and(|its_id| its_id != id.as_bytes()) {
        return Err(unusable(format!(
            "{SCALER_FILE} was changed since it was written: its values do not have its scaler_id"
        )));
    }
    let receipt = Receipt::read_if_there(export).map_err(unusable)?;
    let Some(receipt) = receipt else {
        tracing::warn!(
            "{} has no {MANIFEST_FILE}: which export its scaler was fitted in is not known",
            export.display()
        );
        return Ok(StoredScaler { scaler, origin: ScalerOrigin::Unknown });
    };
    check_belongs(export, &receipt, &id).map_err(unusable)?;
    let origin = match receipt.scaler_fitted_in() {
        Some(export_id) => ScalerOrigin::FittedIn(export_id.to_owned()),
        None => ScalerOrigin::Unknown,
    };
    Ok(StoredScaler { scaler, origin })
}

/// Whether an export's manifest speaks of the scaler that lies beside it.
fn check_belongs(export: &Path, receipt: &Receipt, id: &blake3::Hash) -> Result<(), String> {
    let (found, listed) = match (&receipt.scaler, receipt.files.get(SCALER_FILE)) {
        (Some(scaler), _) => (id.to_hex(), &scaler.id),
        // Older manifests have no id of the scaler, but the hash of its file.
        (None, Some(file)) => {
            let bytes = fs::read(export.join(SCALER_FILE)).map_err(|error| error.to_string())?;
            (blake3::hash(&bytes).to_hex(), &file.blake3)
        }
        (None, None) => return Err(format!("its {MANIFEST_FILE} lists no {SCALER_FILE}")),
    };
    match found.as_str() == listed {
        true => Ok(()),
        false => Err(format!(
            "{SCALER_FILE} ({:.12}) does not belong to the export it lies in ({listed:.12} by \
             {MANIFEST_FILE}): give the folder of the export that the model was trained on, as \
             prep wrote it",
            found.as_str()
        )),
    }
}

/// Smallest deviation that a column of whole numbers can have over 10^12 rows, if it has any.
const SMALLEST_SCALE: f64 = 1e-6;

fn is_sound(scaler: &Scaler, column: usize) -> bool {
    let (mean, var, scale) = (scaler.mean[column], scaler.var[column], scaler.scale[column]);
    match scaler.normalized[column] {
        true => {
            mean.is_finite()
                && (0.0..f64::MAX).contains(&var)
                && (SMALLEST_SCALE..f64::MAX).contains(&scale)
        }
        false => (mean, var, scale) == (0.0, 1.0, 1.0),
    }
}

/// How far the mean of a column has moved since a scaler was fitted.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ColumnDrift {
    /// The column's name.
    pub column: String,
    /// Mean of today's training rows less the scaler's, in the scaler's standard deviations.
    pub mean_shift: f64,
}

/// The normalised columns by how far their mean has moved, farthest first.
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
    // A stable sort: columns that moved equally far stay in column order.
    drift.sort_by(|a, b| b.mean_shift.abs().total_cmp(&a.mean_shift.abs()));
    drift
}
