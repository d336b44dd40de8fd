//! What becomes of each value in each column of `X`.
//!
//! A feature has one of 256 values, and what it is in the array depends on nothing but that value and
//! its column. So each is normalised and rounded once for a whole export, and of the 730 million
//! values of 560,000 rows each is looked up.

use super::scaler::Scaler;
use crate::encode::{FeatureRow, Value};
use std::ops::Range;

const VALUES: usize = 1 << Value::BITS;

/// For each value a feature may have, a row of what it becomes in each column.
///
/// In that order, because most of a row's values are 0, 1 or small: what is looked up from one column
/// to the next lies side by side.
#[derive(Clone, Debug)]
pub struct CellTable<T> {
    /// Where the columns stand in the encoder's row, in runs of neighbours: what is looked up for a
    /// run needs no list of places.
    runs: Vec<Range<usize>>,
    width: usize,
    /// By value as a `u8`, then by column.
    cells: Vec<T>,
    /// What the type does not hold: value and place in the encoder's row, and what it would become.
    misfits: Vec<(Value, usize, Misfit)>,
}

/// A value that the type of the cells does not hold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Misfit {
    /// Index among the exported columns.
    pub column: usize,
    /// What the value becomes in this column.
    pub value: f64,
}

impl<T: Copy + Default> CellTable<T> {
    /// For columns that stand at these `places` of the encoder's row. What a value becomes there, by
    /// `scaler` if there is one, is rounded to a cell by `round`, which gives back what no cell can
    /// hold.
    pub fn new(
        places: &[usize],
        scaler: Option<&Scaler>,
        round: impl Fn(f64) -> Result<T, f64>,
    ) -> CellTable<T> {
        let mut cells = Vec::with_capacity(VALUES * places.len());
        let mut misfits = Vec::new();
        for value in (0..=u8::MAX).map(|byte| byte as Value) {
            for (column, &place) in places.iter().enumerate() {
                let exact = match scaler {
                    Some(scaler) => scaler.transform_exact(value.into(), column),
                    None => value.into(),
                };
                cells.push(round(exact).unwrap_or_else(|exact| {
                    misfits.push((value, place, Misfit { column, value: exact }));
                    T::default()
                }));
            }
        }
        let runs = places.chunk_by(|place, next| place + 1 == *next);
        let runs = runs.map(|run| run[0]..run[0] + run.len()).collect();
        CellTable { runs, width: places.len(), cells, misfits }
    }

    /// Puts the cells of some rows, one row after another, in the place of whatever `cells` held.
    ///
    /// # Errors
    /// The first value that the type does not hold.
    pub fn look_up(&self, rows: &[FeatureRow], cells: &mut Vec<T>) -> Result<(), Misfit> {
        let needed = rows.len() * self.width;
        if cells.capacity() < needed {
            cells.clear();
            cells.reserve_exact(needed);
        }
        cells.resize(needed, T::default());
        for (row, cells) in rows.iter().zip(cells.chunks_exact_mut(self.width.max(1))) {
            let mut columns = cells.iter_mut().enumerate();
            for run in &self.runs {
                for (&value, (column, cell)) in row[run.clone()].iter().zip(&mut columns) {
                    *cell = self.cells[usize::from(value as u8) * self.width + column];
                }
            }
        }
        match self.misfits.is_empty() {
            true => Ok(()),
            false => self.find_misfit(rows),
        }
    }

    fn find_misfit(&self, rows: &[FeatureRow]) -> Result<(), Misfit> {
        for row in rows {
            let is_there = |&&(value, place, _): &&(Value, usize, Misfit)| row[place] == value;
            if let Some(&(_, _, misfit)) = self.misfits.iter().find(is_there) {
                return Err(misfit);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encode::{ColumnSums, FEATURE_COUNT};

    /// Rows that hold every value in some column.
    fn rows() -> Vec<FeatureRow> {
        (0..8_u8)
            .map(|row| std::array::from_fn(|place| (place as u8).wrapping_mul(row + 1) as Value))
            .collect()
    }

    #[test]
    fn each_cell_is_what_its_value_becomes_in_its_column() {
        let places = [0, 3, 700, FEATURE_COUNT - 1];
        let mut sums = ColumnSums::zero(FEATURE_COUNT);
        sums.add_rows(&rows());
        let chosen = |sums: &[i64]| places.iter().map(|&place| sums[place]).collect();
        let of_places = ColumnSums {
            rows: sums.rows,
            sum: chosen(&sums.sum),
            sum_of_squares: chosen(&sums.sum_of_squares),
        };
        let scaler = Scaler::fit(&of_places, &[true, true, false, true]).unwrap();
        let table = CellTable::new(&places, Some(&scaler), |exact| Ok(exact as f32));
        // What another game left in there is written over.
        let mut cells = vec![f32::NAN; 3];
        table.look_up(&rows(), &mut cells).unwrap();
        let mut expected = Vec::new();
        for row in rows() {
            for (column, place) in places.into_iter().enumerate() {
                let centered = f64::from(row[place]) - scaler.mean[column];
                expected.push((centered / scaler.scale[column]) as f32);
            }
        }
        assert_eq!(cells, expected);
        assert_eq!(cells[2], f32::from(rows()[0][700]));
    }

    #[test]
    fn only_a_value_that_is_there_can_fail_to_fit() {
        let round = |exact: f64| if exact > 100.0 { Err(exact) } else { Ok(exact as i8) };
        let table = CellTable::new(&[1, 2], None, round);
        let mut row = [0; FEATURE_COUNT];
        row[0] = 101;
        row[2] = 100;
        let mut cells = Vec::new();
        assert_eq!(table.look_up(&[row], &mut cells), Ok(()));
        assert_eq!(cells, [0, 100]);
        row[2] = 101;
        let misfit = Misfit { column: 1, value: 101.0 };
        assert_eq!(table.look_up(&[[0; FEATURE_COUNT], row], &mut cells), Err(misfit));
    }
}
