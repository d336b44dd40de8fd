//! `scaler.npz`: written with every export, read by `--scaler-from`.

use super::ExportError;
use super::files::ExportFiles;
use super::npy::NpyWriter;
use super::scaler::Scaler;
use ndarray::Array1;
use ndarray_npy::NpzReader;
use serde::Serialize;
use std::fs::{self, File};
use std::path::Path;

/// The file's name in an export.
const SCALER_FILE: &str = "scaler.npz";
/// The column names in an export: what the scaler's columns are.
pub(super) const FEATURE_COLS_FILE: &str = "feature_cols.json";

/// Writes `mean`, `var`, `scale` (float64) and `normalized` (bool), one a column.
pub(super) fn write_scaler(files: &mut ExportFiles, scaler: &Scaler) -> Result<(), ExportError> {
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

    files.pack_npz(SCALER_FILE.to_owned(), &members)
}

/// Reads the scaler of an earlier export, which must have been made for the same columns.
pub(super) fn read_scaler(
    export: &Path,
    names: &[&str],
    normalized: &[bool],
) -> Result<Scaler, ExportError> {
    let unusable = |why: String| ExportError::Scaler { export: export.to_owned(), why };
    let its_names: Vec<String> = fs::read(export.join(FEATURE_COLS_FILE))
        .map_err(|error| error.to_string())
        .and_then(|text| serde_json::from_slice(&text).map_err(|error| error.to_string()))
        .map_err(|why| unusable(format!("{FEATURE_COLS_FILE}: {why}")))?;
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
    let read = || -> Result<Scaler, Box<dyn std::error::Error>> {
        let mut arrays = NpzReader::new(File::open(export.join(SCALER_FILE))?)?;
        let mut floats = |name: &str| -> Result<Vec<f64>, ndarray_npy::ReadNpzError> {
            let array: Array1<f64> = arrays.by_name(name)?;
            Ok(array.to_vec())
        };
        let (mean, var, scale) = (floats("mean")?, floats("var")?, floats("scale")?);
        let normalized: Array1<bool> = arrays.by_name("normalized")?;
        Ok(Scaler { mean, var, scale, normalized: normalized.to_vec() })
    };
    let scaler = read().map_err(|error| unusable(format!("{SCALER_FILE}: {error}")))?;
    if scaler.normalized != normalized {
        return Err(unusable(format!(
            "{SCALER_FILE} normalises other columns than this prep does"
        )));
    }
    if [scaler.mean.len(), scaler.var.len(), scaler.scale.len()] != [names.len(); 3] {
        return Err(unusable(format!("{SCALER_FILE} does not hold one value for each column")));
    }
    match (0..names.len()).find(|&column| !is_sound(&scaler, column)) {
        Some(column) => {
            Err(unusable(format!("{SCALER_FILE} holds impossible values for {}", names[column])))
        }
        None => Ok(scaler),
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
#[derive(Clone, Debug, Serialize)]
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
