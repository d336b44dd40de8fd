//! The values of `X`: from a game's columns to rows of the type that is exported, and on to where they
//! are written.

use super::ExportError;
use super::block::RowPlan;
use super::columns::ExportedColumns;
use super::dtype::{Dtype, to_float16_bits, to_int8};
use super::npy::{NpyError, NpyWriter, float16_header, header};
use crate::cache::DistinctColumns;
use crate::gamelog::GameId;
use std::io::Write;
use std::path::Path;

/// Values of `X`, row after row.
#[derive(Debug)]
pub(super) enum FeatureValues {
    Float32(Vec<f32>),
    /// As the bits of IEEE 754 binary16.
    Float16(Vec<u16>),
    Int8(Vec<i8>),
}

impl FeatureValues {
    fn empty(dtype: Dtype) -> FeatureValues {
        match dtype {
            Dtype::Float32 => FeatureValues::Float32(Vec::new()),
            Dtype::Float16 => FeatureValues::Float16(Vec::new()),
            Dtype::Int8 => FeatureValues::Int8(Vec::new()),
        }
    }

    /// The rows of a game. `features` are the encoder's columns.
    pub(super) fn of(
        game_id: GameId,
        features: &DistinctColumns<f32>,
        plan: &RowPlan,
    ) -> Result<FeatureValues, ExportError> {
        let exact = |value: f32, column: usize| match &plan.scaler {
            Some(scaler) => scaler.transform_exact(value, column),
            None => f64::from(value),
        };
        let to_float16 = |value, column| to_float16_bits(exact(value, column));
        let needed = features.rows() * plan.columns.len();
        let spare = plan.spare_values.take_for(needed, FeatureValues::room);
        let mut values = spare.unwrap_or_else(|| FeatureValues::empty(plan.dtype));
        values.make_room(needed);
        let misfit = match &mut values {
            FeatureValues::Float32(cells) => {
                fill_float32(features, plan, cells);
                None
            }
            FeatureValues::Float16(cells) => fill_narrow(features, plan, cells, to_float16),
            FeatureValues::Int8(cells) => {
                fill_narrow(features, plan, cells, |value, column| to_int8(exact(value, column)))
            }
        };
        match misfit {
            None => Ok(values),
            Some((column, value)) => Err(ExportError::DoesNotFit {
                game_id,
                column: plan.columns.names()[column],
                value,
                dtype: plan.dtype,
            }),
        }
    }
}

impl FeatureValues {
    /// How many values there is room for.
    fn room(&self) -> usize {
        match self {
            FeatureValues::Float32(cells) => cells.capacity(),
            FeatureValues::Float16(cells) => cells.capacity(),
            FeatureValues::Int8(cells) => cells.capacity(),
        }
    }

    /// Makes room for so many values and no more, if there is less. What is in it may be forgotten.
    fn make_room(&mut self, values: usize) {
        fn make_room<T>(cells: &mut Vec<T>, values: usize) {
            if cells.capacity() < values {
                cells.clear();
                cells.reserve_exact(values);
            }
        }
        match self {
            FeatureValues::Float32(cells) => make_room(cells, values),
            FeatureValues::Float16(cells) => make_room(cells, values),
            FeatureValues::Int8(cells) => make_room(cells, values),
        }
    }
}

fn fill_float32(features: &DistinctColumns<f32>, plan: &RowPlan, cells: &mut Vec<f32>) {
    let width = plan.columns.len();
    // What is in there from another game is written over.
    cells.resize(features.rows() * width, 0.0);
    let mut rows = cells.chunks_exact_mut(width);
    each_row(features, &plan.columns, |values| {
        let Some(row) = rows.next() else { return };
        match &plan.scaler {
            Some(scaler) => scaler.transform(values, row),
            None => row.copy_from_slice(values),
        }
    });
}

/// `convert` gives back a value that the type does not hold; the first of those is returned with its
/// column.
fn fill_narrow<T>(
    features: &DistinctColumns<f32>,
    plan: &RowPlan,
    cells: &mut Vec<T>,
    convert: impl Fn(f32, usize) -> Result<T, f64>,
) -> Option<(usize, f64)> {
    let mut misfit = None;
    cells.clear();
    each_row(features, &plan.columns, |values| {
        for (column, &value) in values.iter().enumerate() {
            match convert(value, column) {
                Ok(cell) => cells.push(cell),
                Err(value) => _ = misfit.get_or_insert((column, value)),
            }
        }
    });
    misfit
}

/// Gives each row's exported values to `take`, as they are in the cache.
///
/// To write column after column into the rows of the result would touch as many pages of memory as
/// there are rows, for every column.
fn each_row(
    features: &DistinctColumns<f32>,
    columns: &ExportedColumns,
    mut take: impl FnMut(&[f32]),
) {
    let distinct = features.to_rows();
    let places: Vec<u16> =
        columns.places().iter().map(|&feature| features.places()[feature]).collect();
    let mut values = vec![0.0; places.len()];
    for row in distinct.chunks_exact(features.distinct().len().max(1)) {
        for (value, &place) in values.iter_mut().zip(&places) {
            *value = row[usize::from(place)];
        }
        take(&values);
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
