//! The values of `X`: from the encoder's rows to the type that is exported.
//!
//! A feature has one of 256 values, and what it becomes in the array depends on nothing but that value
//! and its column. So each is normalized and rounded once for a whole export, and then looked up.

use super::dtype::{Dtype, to_float16_bits, to_int8};
use super::error::ExportError;
use super::npy::{NpyWriter, float16_header};
use crate::dataset::{Columns, Scaler};
use crate::encode::{FeatureRow, Value};
use std::ops::Range;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

const VALUES: usize = 1 << Value::BITS;

/// For each value that a feature can have, what it becomes in each column.
///
/// Ordered by value, then by column: most values of a row are small, so that what is looked up from one
/// column to the next is side by side in memory.
#[derive(Debug)]
pub struct CellTable<T> {
    /// The columns in the encoder's row, as ranges of neighbors.
    ranges: Vec<Range<usize>>,
    width: usize,
    cells: Vec<T>,
    /// Values that the type cannot hold: value, index in the encoder's row, and what it would become.
    out_of_range: Vec<(Value, usize, OutOfRange)>,
    /// For rows to come. New memory for each game would be a third of the time of normalizing it.
    buffers: Mutex<Vec<Vec<T>>>,
}

/// A value that the type of the cells cannot hold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OutOfRange {
    /// Index among the exported columns.
    pub column: usize,
    /// What the value becomes in this column.
    pub value: f64,
}

impl<T: Copy + Default> CellTable<T> {
    /// For columns with these `indices` in the encoder's row. What a value becomes there, by `scaler` if
    /// there is one, is rounded to a cell by `round`, which returns what no cell can hold as an error.
    pub fn new(
        indices: &[usize],
        scaler: Option<&Scaler>,
        round: impl Fn(f64) -> Result<T, f64>,
    ) -> CellTable<T> {
        let mut cells = Vec::with_capacity(VALUES * indices.len());
        let mut out_of_range = Vec::new();
        for value in (0..=u8::MAX).map(|byte| byte as Value) {
            for (column, &index) in indices.iter().enumerate() {
                let exact = match scaler {
                    Some(scaler) => scaler.transform_exact(value.into(), column),
                    None => value.into(),
                };
                cells.push(round(exact).unwrap_or_else(|exact| {
                    out_of_range.push((value, index, OutOfRange { column, value: exact }));
                    T::default()
                }));
            }
        }
        let ranges = indices.chunk_by(|index, next| index + 1 == *next);
        let ranges = ranges.map(|range| range[0]..range[0] + range.len()).collect();
        let buffers = Mutex::default();
        CellTable { ranges, width: indices.len(), cells, out_of_range, buffers }
    }

    /// The cells of some rows, one row after another.
    ///
    /// # Errors
    /// The first value that the type cannot hold.
    pub fn look_up(&self, rows: &[FeatureRow]) -> Result<Vec<T>, OutOfRange> {
        let buffer = self.buffers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut cells = buffer.unwrap_or_default();
        cells.reserve_exact(rows.len() * self.width);
        for row in rows {
            let mut column = 0;
            for range in &self.ranges {
                let columns = column..column + range.len();
                column = columns.end;
                cells.extend(row[range.clone()].iter().zip(columns).map(|(&value, column)| {
                    self.cells[usize::from(value as u8) * self.width + column]
                }));
            }
        }
        match self.out_of_range.is_empty() {
            true => Ok(cells),
            false => self.check_range(rows).map(|()| cells),
        }
    }

    /// Takes back cells that are not needed any more.
    pub fn recycle(&self, mut cells: Vec<T>) {
        cells.clear();
        self.buffers.lock().unwrap_or_else(PoisonError::into_inner).push(cells);
    }

    fn check_range(&self, rows: &[FeatureRow]) -> Result<(), OutOfRange> {
        for row in rows {
            let is_in_row = |&&(value, index, _): &&(Value, usize, OutOfRange)| row[index] == value;
            if let Some(&(_, _, out_of_range)) = self.out_of_range.iter().find(is_in_row) {
                return Err(out_of_range);
            }
        }
        Ok(())
    }
}

/// Values of `X`, row after row.
#[derive(Debug)]
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
    /// `scaler` has a value for each of the columns; without one, values are the encoder's.
    pub(super) fn new(columns: &Columns, scaler: Option<&Scaler>, dtype: Dtype) -> FeatureTable {
        let indices = columns.indices();
        match dtype {
            Dtype::Float32 => {
                FeatureTable::Float32(CellTable::new(indices, scaler, |exact| Ok(exact as f32)))
            }
            Dtype::Float16 => {
                FeatureTable::Float16(CellTable::new(indices, scaler, to_float16_bits))
            }
            Dtype::Int8 => FeatureTable::Int8(CellTable::new(indices, scaler, to_int8)),
        }
    }

    /// The cells of some rows.
    pub(super) fn look_up(&self, rows: &[FeatureRow]) -> Result<FeatureValues, OutOfRange> {
        Ok(match self {
            FeatureTable::Float32(table) => FeatureValues::Float32(table.look_up(rows)?),
            FeatureTable::Float16(table) => FeatureValues::Float16(table.look_up(rows)?),
            FeatureTable::Int8(table) => FeatureValues::Int8(table.look_up(rows)?),
        })
    }

    /// Takes back values that are not needed any more.
    pub(super) fn recycle(&self, values: FeatureValues) {
        match (self, values) {
            (FeatureTable::Float32(table), FeatureValues::Float32(cells)) => table.recycle(cells),
            (FeatureTable::Float16(table), FeatureValues::Float16(cells)) => table.recycle(cells),
            (FeatureTable::Int8(table), FeatureValues::Int8(cells)) => table.recycle(cells),
            _ => {}
        }
    }
}

impl FeatureValues {
    /// Appends them to the file of `X`.
    pub(super) fn write_to(&self, writer: &mut NpyWriter) -> Result<(), ExportError> {
        match self {
            FeatureValues::Float32(values) => writer.write(values),
            FeatureValues::Float16(bits) => writer.write(bits),
            FeatureValues::Int8(values) => writer.write(values),
        }
    }

    /// Creates the file of `X`.
    pub(super) fn writer(
        path: &Path,
        shape: &[usize],
        dtype: Dtype,
    ) -> Result<NpyWriter, ExportError> {
        match dtype {
            Dtype::Float32 => NpyWriter::of::<f32>(path, shape),
            Dtype::Float16 => NpyWriter::create(path, float16_header(shape)),
            Dtype::Int8 => NpyWriter::of::<i8>(path, shape),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encode::{ColumnSums, FEATURE_COUNT};

    /// Rows that hold every value in some column.
    fn rows() -> Vec<FeatureRow> {
        (0..8_u8)
            .map(|row| std::array::from_fn(|index| (index as u8).wrapping_mul(row + 1) as Value))
            .collect()
    }

    #[test]
    fn cells_equal_the_formula() {
        let indices = [0, 3, 700, FEATURE_COUNT - 1];
        let mut sums = ColumnSums::zero(FEATURE_COUNT);
        sums.add_rows(&rows());
        let chosen = |sums: &[i64]| indices.iter().map(|&index| sums[index]).collect();
        let sums = ColumnSums {
            rows: sums.rows,
            sum: chosen(&sums.sum),
            sum_of_squares: chosen(&sums.sum_of_squares),
        };
        let scaler = Scaler::fit(&sums, &[true, true, false, true]).unwrap();
        let table = CellTable::new(&indices, Some(&scaler), |exact| Ok(exact as f32));
        let cells = table.look_up(&rows()).unwrap();
        let mut expected = Vec::new();
        for row in rows() {
            for (column, index) in indices.into_iter().enumerate() {
                let centered = f64::from(row[index]) - scaler.mean[column];
                expected.push((centered / scaler.scale[column]) as f32);
            }
        }
        assert_eq!(cells, expected);
        assert_eq!(cells[2], f32::from(rows()[0][700]));
    }

    #[test]
    fn only_present_values_can_be_out_of_range() {
        let round = |exact: f64| if exact > 100.0 { Err(exact) } else { Ok(exact as i8) };
        let table = CellTable::new(&[1, 2], None, round);
        let mut row = [0; FEATURE_COUNT];
        row[0] = 101;
        row[2] = 100;
        assert_eq!(table.look_up(&[row]), Ok(vec![0, 100]));
        row[2] = 101;
        let error = OutOfRange { column: 1, value: 101.0 };
        assert_eq!(table.look_up(&[[0; FEATURE_COUNT], row]), Err(error));
    }
}
