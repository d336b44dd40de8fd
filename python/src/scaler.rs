//! The scaler of an export, or of sums.

use crate::arrays::{check_values, items, to_vec, vector};
use crate::errors::export_error;
use crate::signals::load_numpy;
use crate::sums::ColumnSums;
use numpy::{
    Element, IntoPyArray, PyArray1, PyArrayDyn, PyArrayMethods, PyReadonlyArray1,
    PyReadonlyArrayDyn, PyUntypedArrayMethods,
};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use splendor_prep::dataset;
use splendor_prep::encode::FEATURES;
use splendor_prep::export::ExportedScaler;
use std::path::PathBuf;

/// The values of a scaler. Use `splendor_prep.Scaler`.
#[pyclass(frozen, module = "splendor_prep._native")]
pub(crate) struct Scaler {
    #[pyo3(get)]
    pub(crate) columns: Vec<String>,
    #[pyo3(get)]
    fitted_in: Option<String>,
    pub(crate) scaler: dataset::Scaler,
}

#[pymethods]
impl Scaler {
    #[new]
    fn new(
        columns: &Bound<'_, PyAny>,
        mean: PyReadonlyArray1<'_, f64>,
        var: PyReadonlyArray1<'_, f64>,
        scale: PyReadonlyArray1<'_, f64>,
        normalized: PyReadonlyArray1<'_, bool>,
        fitted_in: Option<String>,
    ) -> PyResult<Scaler> {
        let scaler = dataset::Scaler {
            mean: to_vec(&mean)?,
            var: to_vec(&var)?,
            scale: to_vec(&scale)?,
            normalized: to_vec(&normalized)?,
        };
        let columns: Vec<String> = items(columns)?;
        Scaler { columns, fitted_in, scaler }.checked()
    }

    #[staticmethod]
    pub(crate) fn load(py: Python<'_>, export: PathBuf) -> PyResult<Scaler> {
        load_numpy(py)?;
        let exported = py
            .detach(|| ExportedScaler::load(&export))
            .map_err(|error| export_error(py, &error))?;
        let scaler = Scaler::of(&exported.columns(), exported.scaler().clone());
        Ok(Scaler { fitted_in: exported.fitted_in(), ..scaler })
    }

    #[staticmethod]
    fn fit(sums: &ColumnSums) -> PyResult<Scaler> {
        let normalized: Vec<bool> = FEATURES.iter().map(|feature| feature.normalized).collect();
        let scaler = dataset::Scaler::fit(&sums.sums, &normalized)
            .map_err(|error| PyValueError::new_err(error.to_string()))?;
        let columns: Vec<&str> = FEATURES.iter().map(|feature| feature.name.as_str()).collect();
        Scaler::of(&columns, scaler).checked()
    }

    #[getter]
    fn id(&self) -> String {
        self.scaler.id(&self.names()).to_hex().to_string()
    }

    #[getter]
    fn mean<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        vector(py, self.scaler.mean.clone())
    }

    #[getter]
    fn var<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        vector(py, self.scaler.var.clone())
    }

    #[getter]
    fn scale<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        vector(py, self.scaler.scale.clone())
    }

    #[getter]
    fn normalized<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<bool>> {
        vector(py, self.scaler.normalized.clone())
    }

    fn transform<'py>(
        &self,
        py: Python<'py>,
        rows: Numbers<'py>,
    ) -> PyResult<Bound<'py, PyArrayDyn<f32>>> {
        match rows {
            Numbers::Single(rows) => self.each_row(py, &rows, dataset::Scaler::transform),
            Numbers::Double(rows) => self.each_row(py, &rows, dataset::Scaler::transform),
        }
    }

    fn inverse_transform<'py>(
        &self,
        py: Python<'py>,
        rows: Numbers<'py>,
    ) -> PyResult<Bound<'py, PyArrayDyn<f32>>> {
        match rows {
            Numbers::Single(rows) => self.each_row(py, &rows, dataset::Scaler::inverse_transform),
            Numbers::Double(rows) => self.each_row(py, &rows, dataset::Scaler::inverse_transform),
        }
    }
}

/// Float32, or float64 for other numbers.
#[derive(FromPyObject)]
enum Numbers<'py> {
    Single(PyReadonlyArrayDyn<'py, f32>),
    Double(PyReadonlyArrayDyn<'py, f64>),
}

/// Values between two checks for Ctrl-C.
const VALUES_AT_A_TIME: usize = 1 << 24;

impl Scaler {
    /// A scaler that does not come from an export.
    pub(crate) fn of(columns: &[&str], scaler: dataset::Scaler) -> Scaler {
        let columns = columns.iter().map(|&column| column.to_owned()).collect();
        Scaler { columns, fitted_in: None, scaler }
    }

    fn names(&self) -> Vec<&str> {
        self.columns.iter().map(String::as_str).collect()
    }

    /// Every scaler with values of the caller is checked as one from a file.
    fn checked(self) -> PyResult<Scaler> {
        let check = self.scaler.check(&self.names());
        check.map_err(|why| PyValueError::new_err(format!("the scaler {why}")))?;
        Ok(self)
    }

    /// Applies a function to each row of a contiguous array.
    fn each_row<'py, T: Element>(
        &self,
        py: Python<'py>,
        rows: &PyReadonlyArrayDyn<'py, T>,
        of: impl Fn(&dataset::Scaler, &[T], &mut [f32]) + Sync,
    ) -> PyResult<Bound<'py, PyArrayDyn<f32>>> {
        let width = self.columns.len();
        if rows.shape().last() != Some(&width) {
            return Err(PyValueError::new_err(format!(
                "this scaler is for rows of {width} columns, found an array of shape {:?}",
                rows.shape()
            )));
        }
        check_values(rows)?;
        let values = rows.as_slice()?;
        let width = width.max(1);
        let at_a_time = VALUES_AT_A_TIME.next_multiple_of(width);
        let mut scaled = vec![0.0; values.len()];
        for (rows, scaled) in values.chunks(at_a_time).zip(scaled.chunks_mut(at_a_time)) {
            py.detach(|| {
                let rows = rows.chunks_exact(width).zip(scaled.chunks_exact_mut(width));
                rows.for_each(|(row, scaled)| of(&self.scaler, row, scaled));
            });
            py.check_signals()?;
        }
        scaled.into_pyarray(py).reshape(rows.shape())
    }
}
