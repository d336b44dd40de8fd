//! Many positions at once: `encode_rows`.
//!
//! Values are read with the GIL, because they are Python objects, and encoded without it on several threads.

use crate::RECORDS_MODULE;
use crate::arrays::{by_head, items, matrix, vector};
use crate::columns::remembered_columns;
use crate::errors::{in_row, position_error};
use crate::position::{
    each_number, field_names, named, names, read_position, set_any, set_state, unmasked,
};
use crate::signals::load_numpy;
use numpy::{PyArray1, PyArray2, PyArrayMethods, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;
use splendor_prep::dataset::Columns;
use splendor_prep::encode::{self, FEATURE_COUNT, Head, LabelRow, MaskRow, NO_LABEL};
use splendor_prep::gamelog::{Fault, LiveColumn, LiveRow, LiveValue, STATE_COLUMN_COUNT};

/// Minimum number of rows for another thread.
const ROWS_OF_A_THREAD: usize = 128;
/// Rows between two checks for Ctrl-C.
const ROWS_AT_A_TIME: usize = 1 << 15;

/// Encodes positions of many live games in one call; each is checked like a row of a log.
///
/// `positions` is an array ``(rows, 382)`` with columns in the order of `STATE_COLUMNS`, a table by name (a
/// DataFrame of pandas or polars, a dict of columns, a structured array), or a sequence of positions.
/// Values and `columns` are as in `encode_row`. Columns of a table may be in any order; the values of an absent
/// column are missing, and those of `ACTION_COLUMNS` are the chosen moves.
///
/// Returns `EncodedRows`, with the same values as `encode_row` for each position. Raises the exceptions of
/// `encode_row`; the message of a `LogError` begins with the row, from 0. Uses all cores and releases the GIL.
#[pyfunction]
#[pyo3(signature = (positions, /, *, columns=None))]
pub(crate) fn encode_rows<'py>(
    py: Python<'py>,
    positions: &Bound<'py, PyAny>,
    columns: Option<&Bound<'_, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    load_numpy(py)?;
    let columns = columns.map(remembered_columns).transpose()?;
    let columns = columns.as_deref();
    let width = columns.map_or(FEATURE_COUNT, Columns::count);
    let rows = read_rows(positions)?;
    let mut features = vec![0.0; rows.len() * width];
    let mut others = Vec::with_capacity(rows.len());
    let parts = features.chunks_mut(ROWS_AT_A_TIME * width);
    for (rows, features) in rows.chunks(ROWS_AT_A_TIME).zip(parts) {
        let encoded = py.detach(|| encode_all(rows, columns, features));
        let first = others.len();
        others.extend(
            encoded.map_err(|(row, fault)| in_row(py, first + row, position_error(py, &fault)))?,
        );
        py.check_signals()?;
    }

    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let with_moves = others.iter().any(|(labels, _)| labels.is_some());
    let labels = with_moves.then(|| {
        by_head(py, |head| {
            let label =
                |labels: &Option<LabelRow>| labels.map_or(NO_LABEL, |row| row[head.index()]);
            Ok(vector(py, others.iter().map(|(labels, _)| label(labels)).collect()))
        })
    });
    let masks = by_head(py, |head: Head| {
        let values = others.iter().flat_map(|(_, masks)| &masks[head.mask_range()]);
        matrix(py, values.copied().collect(), rows.len(), head.classes())
    })?;
    let features = matrix(py, features, rows.len(), width)?;
    CLASS.import(py, RECORDS_MODULE, "EncodedRows")?.call1((features, labels.transpose()?, masks))
}

type Encoded = (Option<LabelRow>, MaskRow);

/// The error has the index of its row.
fn encode_all(
    rows: &[LiveRow],
    columns: Option<&Columns>,
    features: &mut [f32],
) -> Result<Vec<Encoded>, (usize, Fault)> {
    let width = columns.map_or(FEATURE_COUNT, Columns::count);
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = processors.min(rows.len() / ROWS_OF_A_THREAD).max(1);
    let of_a_thread = rows.len().div_ceil(threads).max(1);
    let parts = rows.chunks(of_a_thread).zip(features.chunks_mut(of_a_thread * width));
    let encode = |first: usize, rows: &[LiveRow], features: &mut [f32]| {
        encode_part(rows, columns, features).map_err(|(row, fault)| (first + row, fault))
    };
    if threads == 1 {
        return encode(0, rows, features);
    }
    std::thread::scope(|scope| {
        let parts = parts.enumerate().map(|(part, (rows, features))| {
            scope.spawn(move || encode(part * of_a_thread, rows, features))
        });
        let threads: Vec<_> = parts.collect();
        let mut all = Vec::with_capacity(rows.len());
        for thread in threads {
            all.extend(thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?);
        }
        Ok(all)
    })
}

fn encode_part(
    rows: &[LiveRow],
    columns: Option<&Columns>,
    features: &mut [f32],
) -> Result<Vec<Encoded>, (usize, Fault)> {
    let width = columns.map_or(FEATURE_COUNT, Columns::count);
    let mut row_features = [0; FEATURE_COUNT];
    let parts = rows.iter().zip(features.chunks_exact_mut(width));
    let encode = |(place, (row, out)): (usize, (&LiveRow, &mut [f32]))| {
        let refused = |fault| (place, fault);
        let board = row.board().map_err(refused)?;
        let action = row.action().map_err(refused)?;
        encode::features(&board, &mut row_features);
        match columns {
            None => {
                let values = out.iter_mut().zip(&row_features);
                values.for_each(|(out, &value)| *out = value.into());
            }
            Some(columns) => {
                let values = out.iter_mut().zip(columns.values(&row_features, row.turn_number()));
                values.for_each(|(out, value)| *out = value);
            }
        }
        Ok((action.map(|action| encode::labels(&action)), encode::masks(&board)))
    };
    parts.enumerate().map(encode).collect()
}

fn read_rows(positions: &Bound<'_, PyAny>) -> PyResult<Vec<LiveRow>> {
    let py = positions.py();
    if let Some(names) = field_names(positions)? {
        return read_table(positions, items(&names)?);
    }
    if let Ok(array) = positions.cast::<PyUntypedArray>() {
        return read_matrix(&unmasked(array)?);
    }
    for names in [pyo3::intern!(py, "columns"), pyo3::intern!(py, "keys")] {
        if let Some(names) = positions.getattr_opt(names)? {
            let names = if names.is_callable() { names.call0()? } else { names };
            return read_table(positions, items(&names)?);
        }
    }
    let mut rows = Vec::new();
    for position in items::<Bound<'_, PyAny>>(positions)? {
        let row = read_position(&position).map_err(|error| in_row(py, rows.len(), error))?;
        rows.push(row);
    }
    Ok(rows)
}

fn read_matrix(array: &Bound<'_, PyUntypedArray>) -> PyResult<Vec<LiveRow>> {
    let py = array.py();
    let &[count, STATE_COLUMN_COUNT] = array.shape() else {
        return Err(PyValueError::new_err(format!(
            "expected rows of {STATE_COLUMN_COUNT} values in the order of STATE_COLUMNS, found an \
             array of shape {:?}",
            array.shape()
        )));
    };
    let mut rows = Vec::with_capacity(count);
    let read = each_number!(PyArray2, array, |values, live| {
        for values in values.outer_iter() {
            let mut row = LiveRow::new();
            set_state(&mut row, values.iter().copied().map(live))
                .map_err(|fault| in_row(py, rows.len(), position_error(py, &fault)))?;
            rows.push(row);
        }
    });
    if !read {
        for position in array.try_iter()? {
            let row = read_position(&position?);
            rows.push(row.map_err(|error| in_row(py, rows.len(), error))?);
        }
    }
    Ok(rows)
}

/// Reads a table: columns by name, each with a value for each row.
fn read_table(
    table: &Bound<'_, PyAny>,
    column_names: Vec<Bound<'_, PyAny>>,
) -> PyResult<Vec<LiveRow>> {
    let py = table.py();
    let mut rows: Option<Vec<LiveRow>> = None;
    for name in column_names {
        let Some(column) = named(names(py)?, &name)? else { continue };
        let values = py.import("numpy")?.call_method1("asanyarray", (table.get_item(&name)?,))?;
        let values = unmasked(values.cast::<PyUntypedArray>()?)?;
        let rows = rows.get_or_insert_with(|| (0..values.len()).map(|_| LiveRow::new()).collect());
        if values.shape() != [rows.len()] {
            return Err(PyValueError::new_err(format!(
                "the column {name} has the shape {:?}, expected one value for each of {} rows; for one \
                 position, use `encode_row`",
                values.shape(),
                rows.len()
            )));
        }
        read_column(rows, column, &values)?;
    }
    Ok(rows.unwrap_or_default())
}

fn read_column(
    rows: &mut [LiveRow],
    column: LiveColumn,
    values: &Bound<'_, PyUntypedArray>,
) -> PyResult<()> {
    let py = values.py();
    let read = each_number!(PyArray1, values, |values, live| {
        for (place, (row, value)) in rows.iter_mut().zip(values.iter()).enumerate() {
            row.set(column, live(*value))
                .map_err(|fault| in_row(py, place, position_error(py, &fault)))?;
        }
    });
    if !read {
        for (place, (row, value)) in rows.iter_mut().zip(values.try_iter()?).enumerate() {
            set_any(row, column, &value?).map_err(|error| in_row(py, place, error))?;
        }
    }
    Ok(())
}
