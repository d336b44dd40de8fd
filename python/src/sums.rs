//! Exact sums of features, to which a scaler is fitted.

use crate::arrays::{check_values, to_vec, vector};
use numpy::{PyArray1, PyReadonlyArray1, PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::exceptions::{PyOverflowError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use splendor_prep::encode::{self, FEATURE_COUNT, FeatureRow, Value};

/// Rows that are converted and summed at a time, so that they stay in the processor's cache.
const ROWS_AT_A_TIME: usize = 64;
/// Rows between two checks for Ctrl-C.
const ROWS_BETWEEN_SIGNALS: usize = 1 << 15;

/// The number of rows, and the sum and the sum of squares of each feature.
///
/// The sums are integers, so the order and grouping of games changes neither them nor a scaler that is fitted
/// to them. ``ColumnSums(rows, sum, sum_of_squares)`` creates them from these values; without arguments, they are
/// the sums of no rows. Raises ValueError if the length of an array is not 1308.
#[pyclass(frozen, eq, module = "splendor_prep")]
#[derive(Clone, PartialEq)]
pub(crate) struct ColumnSums {
    pub(crate) sums: encode::ColumnSums,
}

#[pymethods]
impl ColumnSums {
    #[new]
    #[pyo3(signature = (rows=0, sum=None, sum_of_squares=None))]
    fn new(
        rows: u64,
        sum: Option<PyReadonlyArray1<'_, i64>>,
        sum_of_squares: Option<PyReadonlyArray1<'_, i64>>,
    ) -> PyResult<ColumnSums> {
        let sums = match (sum, sum_of_squares) {
            (None, None) if rows == 0 => encode::ColumnSums::zero(FEATURE_COUNT),
            (Some(sum), Some(squares)) => {
                encode::ColumnSums { rows, sum: to_vec(&sum)?, sum_of_squares: to_vec(&squares)? }
            }
            _ => {
                return Err(PyValueError::new_err("give rows, sum and sum_of_squares, or nothing"));
            }
        };
        let lengths = [&sums.sum, &sums.sum_of_squares].map(Vec::len);
        if lengths != [FEATURE_COUNT; 2] {
            return Err(PyValueError::new_err(format!(
                "sums have {FEATURE_COUNT} columns, found {} and {}",
                lengths[0], lengths[1]
            )));
        }
        Ok(ColumnSums { sums })
    }

    /// The sums of rows of the encoder, float32 ``(rows, 1308)``, before normalization.
    ///
    /// Raises ValueError for another number of columns, and for a value that no feature can have.
    #[staticmethod]
    fn of(py: Python<'_>, features: PyReadonlyArray2<'_, f32>) -> PyResult<ColumnSums> {
        let &[_, columns] = features.shape() else { unreachable!("of two dimensions") };
        if columns != FEATURE_COUNT {
            return Err(PyValueError::new_err(format!(
                "rows have {FEATURE_COUNT} columns, found {columns}"
            )));
        }
        check_values(&features)?;
        let values = features.as_slice()?;
        let mut sums = encode::ColumnSums::zero(FEATURE_COUNT);
        for values in values.chunks(ROWS_BETWEEN_SIGNALS * FEATURE_COUNT) {
            py.detach(|| add_rows(&mut sums, values)).map_err(|value| {
                PyValueError::new_err(format!(
                    "{value} is no value of the encoder: give the features as `encode_log` gave them"
                ))
            })?;
            py.check_signals()?;
        }
        Ok(ColumnSums { sums })
    }

    /// The sums of the rows of both.
    ///
    /// Raises OverflowError if a sum has more than 63 bits, far more than any corpus needs.
    fn __add__(&self, other: &ColumnSums) -> PyResult<ColumnSums> {
        let (these, those) = (&self.sums, &other.sums);
        let add = |these: &[i64], those: &[i64]| -> Option<Vec<i64>> {
            these.iter().zip(those).map(|(this, that)| this.checked_add(*that)).collect()
        };
        let added = || {
            Some(encode::ColumnSums {
                rows: these.rows.checked_add(those.rows)?,
                sum: add(&these.sum, &those.sum)?,
                sum_of_squares: add(&these.sum_of_squares, &those.sum_of_squares)?,
            })
        };
        let overflow = || PyOverflowError::new_err("sums of more than 63 bits");
        Ok(ColumnSums { sums: added().ok_or_else(overflow)? })
    }

    /// Number of rows.
    #[getter]
    fn rows(&self) -> u64 {
        self.sums.rows
    }

    /// Sum of each column, int64 ``(1308,)``, as in `FEATURE_COLUMNS`.
    #[getter]
    fn sum<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<i64>> {
        vector(py, self.sums.sum.clone())
    }

    /// Sum of the squares of each column, int64 ``(1308,)``.
    #[getter]
    fn sum_of_squares<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<i64>> {
        vector(py, self.sums.sum_of_squares.clone())
    }

    fn __repr__(&self) -> String {
        format!("ColumnSums({} rows)", self.sums.rows)
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyTuple>> {
        let (py, sums) = (slf.py(), slf.get());
        let values = (sums.rows(), sums.sum(py), sums.sum_of_squares(py));
        (slf.get_type(), values).into_pyobject(py)
    }
}

/// The error is a value that the encoder cannot return.
fn add_rows(sums: &mut encode::ColumnSums, values: &[f32]) -> Result<(), f32> {
    let mut whole = Vec::with_capacity(ROWS_AT_A_TIME);
    for rows in values.chunks(ROWS_AT_A_TIME * FEATURE_COUNT) {
        whole.clear();
        for row in rows.as_chunks::<FEATURE_COUNT>().0 {
            let mut out: FeatureRow = [0; FEATURE_COUNT];
            for (out, &value) in out.iter_mut().zip(row) {
                // `as` saturates, so a value out of range differs afterwards.
                *out = value as Value;
                if f32::from(*out) != value {
                    return Err(value);
                }
            }
            whole.push(out);
        }
        sums.add_rows(&whole);
    }
    Ok(())
}
