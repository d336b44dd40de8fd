//! The values of `X`: from the encoder's rows to the type that is exported, and on to where they are
//! written.

use super::cell_table::{CellTable, Misfit};
use super::columns::ExportedColumns;
use super::dtype::{Dtype, to_float16_bits, to_int8};
use super::npy::{NpyError, NpyWriter, float16_header, header};
use super::scaler::Scaler;
use crate::encode::FeatureRow;
use std::io::Write;
use std::path::Path;

/// Values of `X`, row after row.
#[derive(Clone, Debug)]
pub(super) enum FeatureValues {
    Float32(Vec<f32>),
    /// As the bits of IEEE 754 binary16.
    Float16(Vec<u16>),
    Int8(Vec<i8>),
}

/// What every value becomes, in the type that is exported.
pub(super) enum FeatureTable {
    Float32(CellTable<f32>),
    Float16(CellTable<u16>),
    Int8(CellTable<i8>),
}

impl FeatureTable {
    /// `scaler` has a column for each exported one; without, values stay as the encoder made them.
    pub(super) fn new(
        columns: &ExportedColumns,
        scaler: Option<&Scaler>,
        dtype: Dtype,
    ) -> FeatureTable {
        let places = columns.places();
        match dtype {
            Dtype::Float32 => {
                FeatureTable::Float32(CellTable::new(places, scaler, |exact| Ok(exact as f32)))
            }
            Dtype::Float16 => {
                FeatureTable::Float16(CellTable::new(places, scaler, to_float16_bits))
            }
            Dtype::Int8 => FeatureTable::Int8(CellTable::new(places, scaler, to_int8)),
        }
    }

    /// The cells of some rows, in the buffer of others that are written.
    pub(super) fn look_up(
        &self,
        rows: &[FeatureRow],
        spare: Option<FeatureValues>,
    ) -> Result<FeatureValues, Misfit> {
        match (self, spare) {
            (FeatureTable::Float32(table), Some(FeatureValues::Float32(mut cells))) => {
                table.look_up(rows, &mut cells)?;
                Ok(FeatureValues::Float32(cells))
            }
            (FeatureTable::Float16(table), Some(FeatureValues::Float16(mut cells))) => {
                table.look_up(rows, &mut cells)?;
                Ok(FeatureValues::Float16(cells))
            }
            (FeatureTable::Int8(table), Some(FeatureValues::Int8(mut cells))) => {
                table.look_up(rows, &mut cells)?;
                Ok(FeatureValues::Int8(cells))
            }
            _ => self.look_up(rows, Some(self.no_values())),
        }
    }

    pub(super) fn dtype(&self) -> Dtype {
        match self {
            FeatureTable::Float32(_) => Dtype::Float32,
            FeatureTable::Float16(_) => Dtype::Float16,
            FeatureTable::Int8(_) => Dtype::Int8,
        }
    }

    fn no_values(&self) -> FeatureValues {
        match self {
            FeatureTable::Float32(_) => FeatureValues::Float32(Vec::new()),
            FeatureTable::Float16(_) => FeatureValues::Float16(Vec::new()),
            FeatureTable::Int8(_) => FeatureValues::Int8(Vec::new()),
        }
    }
}

impl FeatureValues {
    /// How many values there is room for.
    pub(super) fn room(&self) -> usize {
        match self {
            FeatureValues::Float32(cells) => cells.capacity(),
            FeatureValues::Float16(cells) => cells.capacity(),
            FeatureValues::Int8(cells) => cells.capacity(),
        }
    }
}

/// Where `X` goes, in any of the types.
pub(super) enum FeatureWriter<S> {
    Float32(NpyWriter<f32, S>),
    Float16(NpyWriter<u16, S>),
    Int8(NpyWriter<i8, S>),
}

impl<S: Write> FeatureWriter<S> {
    /// Writes the header of an array with that shape. `path` is for errors.
    pub(super) fn over(
        sink: S,
        path: &Path,
        shape: [usize; 2],
        dtype: Dtype,
    ) -> Result<FeatureWriter<S>, NpyError> {
        let shape = shape.to_vec();
        Ok(match dtype {
            Dtype::Float32 => {
                FeatureWriter::Float32(NpyWriter::over(sink, path, header::<f32>(shape))?)
            }
            Dtype::Float16 => {
                FeatureWriter::Float16(NpyWriter::over(sink, path, float16_header(shape))?)
            }
            Dtype::Int8 => FeatureWriter::Int8(NpyWriter::over(sink, path, header::<i8>(shape))?),
        })
    }

    pub(super) fn write(&mut self, values: &FeatureValues) -> Result<(), NpyError> {
        match (self, values) {
            (FeatureWriter::Float32(writer), FeatureValues::Float32(values)) => {
                writer.write(values)
            }
            (FeatureWriter::Float16(writer), FeatureValues::Float16(values)) => {
                writer.write(values)
            }
            (FeatureWriter::Int8(writer), FeatureValues::Int8(values)) => writer.write(values),
            _ => unreachable!("rows and files are made for the same type"),
        }
    }

    /// Ends the array and gives back where it went.
    pub(super) fn end(self) -> Result<S, NpyError> {
        match self {
            FeatureWriter::Float32(writer) => writer.end(),
            FeatureWriter::Float16(writer) => writer.end(),
            FeatureWriter::Int8(writer) => writer.end(),
        }
    }
}
