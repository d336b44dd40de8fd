//! Arrays of features whose memory is returned to their stream.
//!
//! The features of a batch have some megabytes. The system clears new memory of that size page by page, which
//! takes 2.0 µs for each row, more than the 1.6 µs to encode it. So an array borrows its memory from an owner
//! that returns it to the stream when the array is dropped. The `numpy` crate has no safe interface for this:
//! this is the only file with unsafe code.
#![allow(unsafe_code)]

use numpy::ndarray::{Array2, ShapeError};
use numpy::{Element, PyArray2};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use splendor_prep::dataset::FeatureValues;
use splendor_prep::stream::Recycler;

/// The features of a batch: float32 or another type, ``(rows, columns)``.
pub(crate) fn features_array(
    py: Python<'_>,
    values: FeatureValues,
    shape: (usize, usize),
    recycler: Recycler,
) -> PyResult<Bound<'_, PyAny>> {
    match values {
        FeatureValues::Float32(values) => {
            let array = Array2::from_shape_vec(shape, values).map_err(wrong_shape)?;
            let owner = Bound::new(py, Float32Owner { array, recycler })?;
            Ok(borrowed(&owner.get().array, owner.clone().into_any()).into_any())
        }
        FeatureValues::Float16(bits) => {
            let array = Array2::from_shape_vec(shape, bits).map_err(wrong_shape)?;
            let owner = Bound::new(py, Float16Owner { array, recycler })?;
            borrowed(&owner.get().array, owner.clone().into_any())
                .call_method1("view", ("float16",))
        }
        FeatureValues::Int8(values) => {
            let array = Array2::from_shape_vec(shape, values).map_err(wrong_shape)?;
            let owner = Bound::new(py, Int8Owner { array, recycler })?;
            Ok(borrowed(&owner.get().array, owner.clone().into_any()).into_any())
        }
    }
}

/// `array` as a NumPy array. It belongs to `owner`, a frozen class that never changes it.
fn borrowed<'py, T: Element>(
    array: &Array2<T>,
    owner: Bound<'py, PyAny>,
) -> Bound<'py, PyArray2<T>> {
    // SAFETY: `array` is in `owner`, which NumPy keeps alive as the base of the new array, and which neither
    // shares nor moves the memory before it is dropped.
    unsafe { PyArray2::borrow_from_array(array, owner) }
}

fn wrong_shape(error: ShapeError) -> PyErr {
    PyRuntimeError::new_err(error.to_string())
}

/// A class that owns the memory of an array; Python classes have no type parameters.
macro_rules! owner {
    ($owner:ident, $element:ty, $values:expr) => {
        #[pyclass(frozen)]
        struct $owner {
            array: Array2<$element>,
            recycler: Recycler,
        }

        impl Drop for $owner {
            fn drop(&mut self) {
                let array = std::mem::take(&mut self.array);
                self.recycler.take_back($values(array.into_raw_vec_and_offset().0));
            }
        }
    };
}

owner!(Float32Owner, f32, FeatureValues::Float32);
owner!(Float16Owner, u16, FeatureValues::Float16);
owner!(Int8Owner, i8, FeatureValues::Int8);
