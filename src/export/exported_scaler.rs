//! The scaler that lies in an export, for programs that normalise values themselves.

use super::ExportError;
use super::columns::ExportedColumns;
use super::scaler::Scaler;
use super::scaler_file::{ScalerOrigin, read_column_names, read_scaler};
use crate::dataset::FeatureSet;
use crate::encode::BASE_FEATURE_COUNT;
use std::path::Path;

/// What an export makes of the encoder's values.
#[derive(Clone, Debug)]
pub struct ExportedScaler {
    columns: ExportedColumns,
    scaler: Scaler,
    fitted_in: Option<String>,
}

/// How one column is normalised.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ColumnScale {
    /// The value as the network gets it.
    pub normalized: f32,
    /// Mean over the training rows; 0 where the column is not normalised.
    pub mean: f64,
    /// Their deviation; 1 where the column is constant or not normalised.
    pub scale: f64,
}

impl ExportedScaler {
    /// Reads the scaler of an export, of base features or all.
    ///
    /// # Errors
    /// [`ExportError::Scaler`] if the folder is no export, if its columns are not this encoder's, or
    /// if its scaler is not its own.
    pub fn load(export: &Path) -> Result<ExportedScaler, ExportError> {
        let names = read_column_names(export)
            .map_err(|why| ExportError::Scaler { export: export.to_owned(), why })?;
        let columns = ExportedColumns::of(match names.len() {
            BASE_FEATURE_COUNT => FeatureSet::Base,
            _ => FeatureSet::All,
        });
        let stored = read_scaler(export, &columns.names(), &columns.normalized())?;
        let fitted_in = match stored.origin {
            ScalerOrigin::FittedIn(export_id) => Some(export_id),
            ScalerOrigin::FittedHere | ScalerOrigin::Unknown => None,
        };
        Ok(ExportedScaler { columns, scaler: stored.scaler, fitted_in })
    }

    /// Names of the columns, in order: all 1,308, or the 422 of the base features.
    pub fn columns(&self) -> Vec<&'static str> {
        self.columns.names()
    }

    /// The scaler itself.
    pub fn scaler(&self) -> &Scaler {
        &self.scaler
    }

    /// Id of the export whose training rows it was fitted on, if that is known: this one, or the
    /// one that `--scaler-from` named.
    pub fn fitted_in(&self) -> Option<&str> {
        self.fitted_in.as_deref()
    }

    /// A value of the encoder's column (from 0 to 1,307) as this export has it; `None` if the
    /// export lacks the column.
    pub fn apply(&self, column: usize, value: f32) -> Option<ColumnScale> {
        let place = self.columns.places().iter().position(|&exported| exported == column)?;
        Some(ColumnScale {
            normalized: self.scaler.transform_exact(value, place) as f32,
            mean: self.scaler.mean[place],
            scale: self.scaler.scale[place],
        })
    }
}
