//! Converts rows of the encoder to the values of `X`.
//!
//! A feature has one of 256 values, and its value in the array depends only on that value and the
//! column. So each is normalized and rounded once per dataset, and then looked up in a table.

use super::columns::{Columns, TURN_NUMBER};
use super::dtype::{Dtype, to_float16_bits};
use super::scaler::Scaler;
use crate::encode::{FEATURE_COUNT, FeatureRow, Value};
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

const VALUES: usize = 1 << Value::BITS;

/// A table of the converted values, for each value of a feature and each column.
///
/// Ordered by value, then by column: most values of a row are small, so that lookups of neighboring
/// columns are close in memory. There is a cell for every column of the encoder, because indices into
/// arrays of this fixed length need no bounds check.
#[derive(Debug)]
struct CellTable<T> {
    cells: Box<[[T; FEATURE_COUNT]; VALUES]>,
    /// Values that the type cannot hold: value, index in the encoder's row, converted value.
    out_of_range: Vec<(Value, usize, OutOfRange)>,
    /// Turn numbers are converted one by one, because there are too many for a table.
    round: fn(f64) -> Result<T, f64>,
    turn_number: Option<TurnNumber>,
}

/// The column of turn numbers.
#[derive(Clone, Copy, Debug)]
struct TurnNumber {
    column: usize,
    mean: f64,
    scale: f64,
}

/// A value that the type of the cells cannot hold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OutOfRange {
    /// Index among the dataset's columns.
    pub column: usize,
    /// The converted value.
    pub value: f64,
}

impl<T: Copy + Default> CellTable<T> {
    /// Creates the table for columns with these `indices` in the encoder's row. Values are normalized by
    /// `scaler`, if there is one, and rounded by `round`, which returns a value that no cell can hold as
    /// an error.
    fn new(
        indices: &[usize],
        scaler: Option<&Scaler>,
        round: fn(f64) -> Result<T, f64>,
    ) -> CellTable<T> {
        let mut cells = vec![[T::default(); FEATURE_COUNT]; VALUES];
        let mut out_of_range = Vec::new();
        let turn_number = indices.iter().position(|&index| index == TURN_NUMBER).map(|column| {
            let (mean, scale) =
                scaler.map_or((0.0, 1.0), |scaler| (scaler.mean[column], scaler.scale[column]));
            TurnNumber { column, mean, scale }
        });
        let is_feature = |&(_, &index): &(usize, &usize)| index != TURN_NUMBER;
        for value in (0..=u8::MAX).map(|byte| byte as Value) {
            for (column, &index) in indices.iter().enumerate().filter(is_feature) {
                let exact = match scaler {
                    Some(scaler) => scaler.transform_exact(value.into(), column),
                    None => value.into(),
                };
                match round(exact) {
                    Ok(cell) => cells[usize::from(value as u8)][index] = cell,
                    Err(value_there) => {
                        let there = OutOfRange { column, value: value_there };
                        out_of_range.push((value, index, there));
                    }
                }
            }
        }
        let cells = cells.into_boxed_slice().try_into().ok().expect("a row for each value");
        CellTable { cells, out_of_range, round, turn_number }
    }

    /// Appends the cells of a range of columns of a row.
    fn push(
        &self,
        row: &FeatureRow,
        turn_number: i32,
        ranges: &[Range<usize>],
        cells: &mut Vec<T>,
    ) -> Result<(), OutOfRange> {
        if let [Range { start: 0, end: FEATURE_COUNT }] = ranges {
            self.push_all(row, cells);
        } else {
            for range in ranges {
                if range.start == TURN_NUMBER {
                    cells.push(self.turn_number(turn_number)?);
                    continue;
                }
                let of_range = row[range.clone()].iter().zip(range.clone());
                cells.extend(of_range.map(|(&value, column)| self.cell(value, column)));
            }
        }
        let is_in_row = |&&(value, index, _): &&(Value, usize, OutOfRange)| row[index] == value;
        match self.out_of_range.iter().find(is_in_row) {
            Some(&(_, _, out_of_range)) => Err(out_of_range),
            None => Ok(()),
        }
    }

    /// All columns have arrays of this fixed length, so that no index needs a bounds check.
    fn push_all(&self, row: &FeatureRow, cells: &mut Vec<T>) {
        let start = cells.len();
        cells.resize(start + FEATURE_COUNT, T::default());
        if let Some(out) = cells[start..].first_chunk_mut::<FEATURE_COUNT>() {
            for column in 0..FEATURE_COUNT {
                out[column] = self.cell(row[column], column);
            }
        }
    }

    fn cell(&self, value: Value, column: usize) -> T {
        self.cells[usize::from(value as u8)][column]
    }

    fn turn_number(&self, turn_number: i32) -> Result<T, OutOfRange> {
        let TurnNumber { column, mean, scale } = self.turn_number.expect("it is a column");
        let exact = (f64::from(turn_number) - mean) / scale;
        (self.round)(exact).map_err(|value| OutOfRange { column, value })
    }
}

/// Values of `X`, row after row.
#[derive(Debug)]
pub enum FeatureValues {
    /// The values themselves.
    Float32(Vec<f32>),
    /// The bits of IEEE 754 binary16.
    Float16(Vec<u16>),
    /// The values themselves.
    Int8(Vec<i8>),
}

/// Converts features to values of the array's type.
#[derive(Debug)]
pub struct FeatureTable {
    cells: Cells,
    /// The columns in the encoder's row, as contiguous ranges.
    ranges: Vec<Range<usize>>,
    width: usize,
    /// Its position among the columns.
    turn_number: Option<usize>,
    /// Buffers that are reused. Allocating memory for each game would take a third of the time of
    /// normalizing it.
    buffers: Mutex<Vec<FeatureValues>>,
}

/// Limit on the buffers that are kept. Many may be returned together, for example by a caller that
/// collected a whole epoch.
const MAX_BUFFERS: usize = 32;

#[derive(Debug)]
enum Cells {
    Float32(CellTable<f32>),
    Float16(CellTable<u16>),
    /// Values that are not normalized.
    Int8,
}

impl FeatureTable {
    /// `scaler` has an entry for each column; without one, values are not normalized. [`Dtype::Int8`] is
    /// never normalized.
    pub fn new(columns: &Columns, scaler: Option<&Scaler>, dtype: Dtype) -> FeatureTable {
        let indices = columns.indices();
        let cells = match dtype {
            Dtype::Float32 => {
                Cells::Float32(CellTable::new(indices, scaler, |exact| Ok(exact as f32)))
            }
            Dtype::Float16 => Cells::Float16(CellTable::new(indices, scaler, to_float16_bits)),
            Dtype::Int8 => Cells::Int8,
        };
        let are_neighbors =
            |&index: &usize, &next: &usize| index + 1 == next && next != TURN_NUMBER;
        let ranges = indices.chunk_by(are_neighbors);
        let ranges = ranges.map(|range| range[0]..range[0] + range.len()).collect();
        let (width, turn_number) = (indices.len(), columns.turn_number());
        FeatureTable { cells, ranges, width, turn_number, buffers: Mutex::default() }
    }

    /// Converts rows with their turn numbers.
    ///
    /// # Errors
    /// The first value that the type cannot hold.
    pub fn look_up(
        &self,
        rows: &[FeatureRow],
        turn_numbers: &[i32],
    ) -> Result<FeatureValues, OutOfRange> {
        let mut values = self.values(rows.len());
        let mut rows = rows.iter().zip(turn_numbers);
        rows.try_for_each(|(row, &turn_number)| self.push(row, turn_number, &mut values))?;
        Ok(values)
    }

    /// An empty buffer with capacity for `rows` rows.
    pub fn values(&self, rows: usize) -> FeatureValues {
        let buffer = self.buffers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut values = buffer.unwrap_or_else(|| match self.cells {
            Cells::Float32(_) => FeatureValues::Float32(Vec::new()),
            Cells::Float16(_) => FeatureValues::Float16(Vec::new()),
            Cells::Int8 => FeatureValues::Int8(Vec::new()),
        });
        let count = rows * self.width;
        match &mut values {
            FeatureValues::Float32(cells) => cells.reserve_exact(count),
            FeatureValues::Float16(cells) => cells.reserve_exact(count),
            FeatureValues::Int8(cells) => cells.reserve_exact(count),
        }
        values
    }

    /// Appends a row to a buffer of this table.
    ///
    /// # Errors
    /// The first value that the type cannot hold.
    ///
    /// # Panics
    /// If the buffer has another type.
    pub fn push(
        &self,
        row: &FeatureRow,
        turn_number: i32,
        values: &mut FeatureValues,
    ) -> Result<(), OutOfRange> {
        match (&self.cells, values) {
            (Cells::Float32(table), FeatureValues::Float32(out)) => {
                table.push(row, turn_number, &self.ranges, out)
            }
            (Cells::Float16(table), FeatureValues::Float16(out)) => {
                table.push(row, turn_number, &self.ranges, out)
            }
            (Cells::Int8, FeatureValues::Int8(out)) => {
                for range in &self.ranges {
                    match (row.get(range.clone()), self.turn_number) {
                        (None, Some(column)) => {
                            let value = Value::try_from(turn_number);
                            let there = OutOfRange { column, value: turn_number.into() };
                            out.push(value.map_err(|_| there)?);
                        }
                        (values, _) => out.extend_from_slice(values.unwrap_or_default()),
                    }
                }
                Ok(())
            }
            _ => panic!("values of another type than the table"),
        }
    }

    /// Takes a buffer that is no longer needed, to reuse its memory.
    pub fn recycle(&self, mut values: FeatureValues) {
        match &mut values {
            FeatureValues::Float32(cells) => cells.clear(),
            FeatureValues::Float16(cells) => cells.clear(),
            FeatureValues::Int8(cells) => cells.clear(),
        }
        let mut buffers = self.buffers.lock().unwrap_or_else(PoisonError::into_inner);
        if buffers.len() < MAX_BUFFERS {
            buffers.push(values);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::columns::FeatureSet;
    use super::*;
    use crate::encode::ColumnSums;

    const TURNS: [i32; 8] = [1, 1, 2, 3, 50, 99, 100, 127];

    /// Rows that hold every value in some column.
    fn rows() -> Vec<FeatureRow> {
        (0..8_u8)
            .map(|row| std::array::from_fn(|index| (index as u8).wrapping_mul(row + 1) as Value))
            .collect()
    }

    #[test]
    fn values_equal_the_formula() {
        let mut shuffled = Columns::of(FeatureSet::All).names();
        shuffled.swap(3, 700);
        shuffled.insert(1_000, "turn_number");
        shuffled.rotate_left(20);
        let shuffled = Columns::named(&shuffled).unwrap();
        let last = [Columns::of(FeatureSet::All).names(), vec!["turn_number"]].concat();
        let sets = FeatureSet::ALL.map(Columns::of).into_iter();
        for columns in sets.chain([shuffled, Columns::named(&last).unwrap()]) {
            let features = columns.features();
            let value = |place: usize, row: &FeatureRow, index: usize| match row.get(index) {
                Some(&value) => value.into(),
                None => TURNS[place],
            };
            let mut sums = ColumnSums::zero(FEATURE_COUNT);
            sums.add_rows(&rows());
            sums.push_column(TURNS);
            let sums = columns.choose(&sums);
            let scaler = Scaler::fit(&sums, &columns.normalized()).unwrap();
            let expected: Vec<f64> = rows()
                .iter()
                .enumerate()
                .flat_map(|(place, row)| {
                    let scaled = scaler.mean.iter().zip(&scaler.scale);
                    columns.indices().iter().zip(scaled).map(move |(&index, (mean, scale))| {
                        (f64::from(value(place, row, index)) - mean) / scale
                    })
                })
                .collect();
            let look_up = |scaler, dtype| {
                let table = FeatureTable::new(&columns, scaler, dtype);
                // Twice, because buffers are reused.
                table.recycle(table.look_up(&rows(), &TURNS).unwrap());
                table.look_up(&rows(), &TURNS).unwrap()
            };
            let FeatureValues::Float32(found) = look_up(Some(&scaler), Dtype::Float32) else {
                panic!()
            };
            let as_float32: Vec<f32> = expected.iter().map(|&value| value as f32).collect();
            assert!(found == as_float32, "{features} as float32");
            let FeatureValues::Float16(found) = look_up(Some(&scaler), Dtype::Float16) else {
                panic!()
            };
            let as_float16: Result<Vec<u16>, f64> =
                expected.iter().map(|&value| to_float16_bits(value)).collect();
            assert!(found == as_float16.unwrap(), "{features} as float16");
            let FeatureValues::Int8(found) = look_up(None, Dtype::Int8) else { panic!() };
            let plain: Vec<Value> = rows()
                .iter()
                .enumerate()
                .flat_map(|(place, row)| {
                    columns.indices().iter().map(move |&index| value(place, row, index) as Value)
                })
                .collect();
            assert!(found == plain, "{features} as int8");
        }
    }

    #[test]
    fn only_present_values_can_be_out_of_range() {
        let round = |exact: f64| if exact > 100.0 { Err(exact) } else { Ok(exact as i8) };
        let table = CellTable::new(&[1, 2], None, round);
        let (mut row, mut cells) = ([0; FEATURE_COUNT], Vec::new());
        row[0] = 101;
        row[2] = 100;
        let ranges = [1..2, 2..3];
        assert_eq!(table.push(&row, 1, &ranges, &mut cells), Ok(()));
        assert_eq!(cells, [0, 100]);
        row[2] = 101;
        let error = OutOfRange { column: 1, value: 101.0 };
        assert_eq!(table.push(&row, 1, &ranges, &mut cells), Err(error));
    }

    #[test]
    fn turn_number_out_of_range() {
        let columns = Columns::named(&["card0_vp", "turn_number"]).unwrap();
        let table = FeatureTable::new(&columns, None, Dtype::Int8);
        let error = OutOfRange { column: 1, value: 128.0 };
        assert_eq!(table.look_up(&rows()[..1], &[128]).unwrap_err(), error);
    }
}
