//! The scaler of an export, for looking at single values.

use super::ExportError;
use super::columns::ExportedColumns;
use super::scaler::Scaler;
use super::scaler_file::{read_column_names, read_scaler};
use crate::config::FeatureSet;
use crate::encode::BASE_FEATURE_COUNT;
use std::path::Path;

/// What an export makes of the encoder's values.
#[derive(Clone, Debug)]
pub struct ExportScaler {
    columns: ExportedColumns,
    scaler: Scaler,
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

impl ExportScaler {
    /// Reads the scaler of an export, of base features or all.
    ///
    /// # Errors
    /// [`ExportError::Scaler`] if the folder is no export, or its scaler is not its own.
    pub fn read(export: &Path) -> Result<ExportScaler, ExportError> {
        let names = read_column_names(export)
            .map_err(|why| ExportError::Scaler { export: export.to_owned(), why })?;
        let columns = ExportedColumns::of(match names.len() {
            BASE_FEATURE_COUNT => FeatureSet::Base,
            _ => FeatureSet::All,
        });
        let scaler = read_scaler(export, &columns.names(), &columns.normalized())?.scaler;
        Ok(ExportScaler { columns, scaler })
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
