//! One position of a live game: `encode_row`.
//!
//! A search calls this for every position, so it must be fast. A dict is iterated once, and a key is looked up
//! only if it is not the interned string that is expected next; an array is read in place. The GIL is held: the
//! call takes a few microseconds, and acquiring the GIL from a busy thread can take five milliseconds.

use crate::arrays::{by_head, is_masked, items};
use crate::columns::remembered_columns;
use crate::errors::position_error;
use crate::signals::load_numpy;
use numpy::{PyArray1, PyArrayMethods, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyFloat, PyFrozenSet, PyInt, PySet, PyString, PyTuple, PyType};
use splendor_prep::encode::{self, FEATURE_COUNT, Head};
use splendor_prep::gamelog::{
    Fault, LiveColumn, LiveRow, LiveValue, STATE_COLUMN_COUNT, column_names, state_column_names,
};

/// Reads an array in place if it has one of the common types of numbers: `$do` gets a view of it and a function
/// from a number to a [`LiveValue`]. Evaluates to whether it was read.
macro_rules! each_number {
    ($class:ident, $array:expr, |$view:ident, $live:ident| $do:block) => {
        'read: {
            $crate::position::each_number!(@ 'read $class $array, $view, $live, $do, f64, LiveValue::Real);
            $crate::position::each_number!(@ 'read $class $array, $view, $live, $do, f32, LiveValue::Real);
            $crate::position::each_number!(@ 'read $class $array, $view, $live, $do, i64, LiveValue::Whole);
            $crate::position::each_number!(@ 'read $class $array, $view, $live, $do, i32, LiveValue::Whole);
            $crate::position::each_number!(@ 'read $class $array, $view, $live, $do, i16, LiveValue::Whole);
            $crate::position::each_number!(@ 'read $class $array, $view, $live, $do, i8, LiveValue::Whole);
            false
        }
    };
    (@ $label:lifetime $class:ident $array:expr, $view:ident, $live:ident, $do:block, $type:ty, $kind:expr) => {
        if let Ok(array) = $array.cast::<$class<$type>>() {
            let array = array.try_readonly()?;
            if !array.data().is_aligned() {
                break $label false;
            }
            let $view = array.as_array();
            let $live = |number: $type| $kind(number.into());
            $do
            break $label true;
        }
    };
}
pub(crate) use each_number;

/// One position, before normalization.
#[pyclass(frozen, module = "splendor_prep")]
pub(crate) struct EncodedRow {
    /// float32 ``(1308,)``, as in `FEATURE_COLUMNS`, or the `columns` that were asked for. Whole numbers.
    #[pyo3(get)]
    features: Py<PyArray1<f32>>,
    /// By head: the class of the given move, -1 where the head does not apply. None if no move
    /// was given.
    #[pyo3(get)]
    labels: Option<Py<PyDict>>,
    /// By head, int8 ``(classes,)``: 1 where a class is legal for the player to move.
    #[pyo3(get)]
    masks: Py<PyDict>,
}

#[pymethods]
impl EncodedRow {
    #[new]
    fn new(
        features: Py<PyArray1<f32>>,
        labels: Option<Py<PyDict>>,
        masks: Py<PyDict>,
    ) -> EncodedRow {
        EncodedRow { features, labels, masks }
    }

    /// For `pickle`, as process pools return results.
    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyTuple>> {
        let EncodedRow { features, labels, masks } = slf.get();
        (slf.get_type(), (features, labels, masks)).into_pyobject(slf.py())
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        let labels = if self.labels.is_some() { "with" } else { "without" };
        let features = self.features.bind(py).len();
        format!("EncodedRow({features} features, {labels} labels)")
    }
}

/// Encodes one position of a live game; it is checked like a row of a log.
///
/// `position` is either a mapping from the names in `STATE_COLUMNS` to whole numbers, or 382 values
/// in that order: an array (fastest: float64, float32 or signed integers) or another sequence. Names
/// count where there are some: in named tuples and in records of structured arrays. A missing value (no
/// card in that slot, no such player) is None, NaN, masked, or, in a mapping, absent; a card or noble of
/// zeros is also a missing one. Text is read like a field of a log. Columns are in whole gems, cards and
/// points, with the same ranges as in a log.
///
/// A mapping may also hold the chosen move, by the names in `ACTION_COLUMNS`; then the result
/// has labels too. ``game_id`` is ignored.
///
/// `columns` names the features that the result has, in that order, such as those of an earlier
/// ``feature_cols.json``: a sequence of names of `FEATURE_COLUMNS` and perhaps ``turn_number`` (a tuple is
/// fastest), or the file itself.
///
/// Raises `LogError` for a value outside its range, an impossible position, and an unknown column;
/// ValueError for another number of values, and for a name in `columns` that is unknown or there twice;
/// `ExportError` for a file that lists no columns; TypeError for anything else. Takes a few microseconds and
/// holds the GIL.
#[pyfunction]
#[pyo3(signature = (position, /, *, columns=None))]
pub(crate) fn encode_row(
    py: Python<'_>,
    position: &Bound<'_, PyAny>,
    columns: Option<&Bound<'_, PyAny>>,
) -> PyResult<EncodedRow> {
    load_numpy(py)?;
    let columns = columns.map(remembered_columns).transpose()?;
    let row = read_position(position)?;
    let refused = |fault| position_error(py, &fault);
    let board = row.board().map_err(refused)?;
    let action = row.action().map_err(refused)?;
    let mut features = [0; FEATURE_COUNT];
    encode::features(&board, &mut features);
    let masks = encode::masks(&board);

    let labels = action.map(|action| {
        let labels = encode::labels(&action);
        by_head(py, |head| Ok(PyInt::new(py, labels[head.index()]))).map(Bound::unbind)
    });
    let features = match &columns {
        None => PyArray1::from_slice(py, &features.map(f32::from)),
        Some(columns) => PyArray1::from_iter(py, columns.values(&features, row.turn_number())),
    };
    Ok(EncodedRow {
        features: features.unbind(),
        labels: labels.transpose()?,
        masks: by_head(py, |head: Head| Ok(PyArray1::from_slice(py, &masks[head.mask_range()])))?
            .unbind(),
    })
}

/// Reads a position of any supported type.
pub(crate) fn read_position(position: &Bound<'_, PyAny>) -> PyResult<LiveRow> {
    let py = position.py();
    let mut row = LiveRow::new();
    let dict = py.get_type::<PyDict>();
    if let Ok(values) = position.cast::<PyDict>() {
        read_dict(&mut row, values)?;
    } else if let Ok(values) = position.cast::<PyUntypedArray>() {
        read_array(&mut row, &unmasked(values)?)?;
    } else if position.hasattr(pyo3::intern!(py, "columns"))? {
        return Err(PyTypeError::new_err("a table has many positions: use `encode_rows`"));
    } else if position.hasattr(pyo3::intern!(py, "_asdict"))? {
        // Named tuples are read by name: their values may be in any order.
        let values = dict.call1((position.call_method0("_asdict")?,))?;
        read_dict(&mut row, values.cast::<PyDict>()?)?;
    } else if let Some(names) = field_names(position)? {
        for name in items::<Bound<'_, PyAny>>(&names)? {
            let value = position.get_item(&name)?;
            read_item(&mut row, self::names(py)?, &name, &value)?;
        }
    } else if position.hasattr(pyo3::intern!(py, "keys"))? {
        // Any other mapping, and a row of a data frame.
        let values = dict.call1((position,))?;
        read_dict(&mut row, values.cast::<PyDict>()?)?;
    } else {
        read_sequence(&mut row, position)?;
    }
    Ok(row)
}

/// The names of the fields of a structured array, or of an element of one; `None` for all else.
pub(crate) fn field_names<'py>(values: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = values.py();
    let Some(dtype) = values.getattr_opt(pyo3::intern!(py, "dtype"))? else { return Ok(None) };
    let names = dtype.getattr_opt(pyo3::intern!(py, "names"))?;
    Ok(names.filter(|names| names.is_instance_of::<PyTuple>()))
}

/// An array without its mask: masked values are NaN, which is a missing value.
pub(crate) fn unmasked<'py>(
    values: &Bound<'py, PyUntypedArray>,
) -> PyResult<Bound<'py, PyUntypedArray>> {
    if !is_masked(values)? {
        return Ok(values.clone());
    }
    let objects = values.call_method1("astype", ("O",))?;
    Ok(objects.call_method1("filled", (f64::NAN,))?.cast_into()?)
}

/// The columns of a log as Python strings.
pub(crate) struct Names {
    /// The columns of a position, in order: the strings of `STATE_COLUMNS`, which are the keys of most dicts.
    state: Vec<Py<PyString>>,
    /// The place of every column by its name.
    places: Py<PyDict>,
}

pub(crate) fn names(py: Python<'_>) -> PyResult<&'static Names> {
    static NAMES: PyOnceLock<Names> = PyOnceLock::new();
    NAMES.get_or_try_init(py, || {
        let places = PyDict::new(py);
        for (place, name) in column_names().enumerate() {
            places.set_item(PyString::intern(py, name), place)?;
        }
        let state = state_column_names().map(|name| PyString::intern(py, name).unbind()).collect();
        Ok(Names { state, places: places.unbind() })
    })
}

fn read_dict(row: &mut LiveRow, values: &Bound<'_, PyDict>) -> PyResult<()> {
    let py = values.py();
    let names = names(py)?;
    // Comparing these keys and converting these values may run Python code that changes the dict, so they are
    // read after the iteration.
    let (mut other_keys, mut others) = (Vec::new(), Vec::new());
    for (next, (key, value)) in values.iter().enumerate() {
        let is_next = names.state.get(next).is_some_and(|name| name.is(&key));
        let column = match is_next {
            true => LiveColumn::of_state(next),
            false if key.is_exact_instance_of::<PyString>() => named(names, &key)?,
            false => {
                other_keys.push((key, value));
                continue;
            }
        };
        let Some(column) = column else { continue };
        match plain_value(&value) {
            Some(value) => set(py, row, column, value)?,
            None => others.push((column, value)),
        }
    }
    for (column, value) in others {
        set_any(row, column, &value)?;
    }
    for (key, value) in other_keys {
        read_item(row, names, &key, &value)?;
    }
    Ok(())
}

fn read_item(
    row: &mut LiveRow,
    names: &Names,
    key: &Bound<'_, PyAny>,
    value: &Bound<'_, PyAny>,
) -> PyResult<()> {
    named(names, key)?.map_or(Ok(()), |column| set_any(row, column, value))
}

/// The column that a key names; `None` for one that is ignored.
pub(crate) fn named(names: &Names, key: &Bound<'_, PyAny>) -> PyResult<Option<LiveColumn>> {
    match names.places.bind(key.py()).get_item(key)? {
        Some(place) => Ok(LiveColumn::at(place.extract()?)),
        None => Err(unknown_key(key)),
    }
}

fn unknown_key(key: &Bound<'_, PyAny>) -> PyErr {
    let py = key.py();
    let Ok(name) = key.extract::<String>() else {
        return PyTypeError::new_err(format!("a column's name is a str, not {}", key.get_type()));
    };
    match LiveColumn::named(&name) {
        Err(fault) => position_error(py, &fault),
        // A subclass of `str` that does not compare like one.
        Ok(_) => PyTypeError::new_err(format!("`{name}` is not comparable to a column's name")),
    }
}

fn read_sequence(row: &mut LiveRow, values: &Bound<'_, PyAny>) -> PyResult<()> {
    let not_a_position = |_| {
        PyTypeError::new_err(format!(
            "a position is a mapping by column, or {STATE_COLUMN_COUNT} values in the order of \
             STATE_COLUMNS, not {}",
            values.get_type()
        ))
    };
    let has_no_order = values.is_instance_of::<PySet>() || values.is_instance_of::<PyFrozenSet>();
    if values.is_instance_of::<PyString>() || has_no_order {
        return Err(not_a_position(PyTypeError::new_err(())));
    }
    check_length(values.len().map_err(not_a_position)?)?;
    for (place, value) in values.try_iter().map_err(not_a_position)?.enumerate() {
        let value = value?;
        let Some(column) = LiveColumn::of_state(place) else { break };
        set_any(row, column, &value)?;
    }
    Ok(())
}

fn read_array(row: &mut LiveRow, values: &Bound<'_, PyUntypedArray>) -> PyResult<()> {
    if values.ndim() != 1 {
        return Err(PyValueError::new_err(format!(
            "expected {STATE_COLUMN_COUNT} values in the order of STATE_COLUMNS, found an array of \
             shape {:?}",
            values.shape()
        )));
    }
    check_length(values.len())?;
    let read = each_number!(PyArray1, values, |numbers, live| {
        set_state(row, numbers.iter().copied().map(live))
            .map_err(|fault| position_error(values.py(), &fault))?;
    });
    match read {
        true => Ok(()),
        // Objects, text, half floats and unaligned views are read one by one.
        false => read_sequence(row, values),
    }
}

pub(crate) fn set_state(
    row: &mut LiveRow,
    values: impl Iterator<Item = LiveValue<'static>>,
) -> Result<(), Fault> {
    let columns = (0..).map_while(LiveColumn::of_state);
    columns.zip(values).try_for_each(|(column, value)| row.set(column, value))
}

fn check_length(length: usize) -> PyResult<()> {
    match length == STATE_COLUMN_COUNT {
        true => Ok(()),
        false => Err(PyValueError::new_err(format!(
            "expected {STATE_COLUMN_COUNT} values in the order of STATE_COLUMNS, found {length}"
        ))),
    }
}

#[inline]
fn set(py: Python<'_>, row: &mut LiveRow, column: LiveColumn, value: LiveValue) -> PyResult<()> {
    row.set(column, value).map_err(|fault| position_error(py, &fault))
}

pub(crate) fn set_any(
    row: &mut LiveRow,
    column: LiveColumn,
    value: &Bound<'_, PyAny>,
) -> PyResult<()> {
    match plain_value(value) {
        Some(plain) => set(value.py(), row, column, plain),
        None => set_other(row, column, value),
    }
}

/// Converts the most common types; `None` for others.
#[inline]
fn plain_value(value: &Bound<'_, PyAny>) -> Option<LiveValue<'static>> {
    if value.is_none() {
        Some(LiveValue::Missing)
    } else if value.is_exact_instance_of::<PyInt>() {
        value.extract().ok().map(LiveValue::Whole)
    } else if value.is_exact_instance_of::<PyFloat>() {
        value.extract().ok().map(LiveValue::Real)
    } else {
        None
    }
}

/// NumPy scalars, text as from `csv.DictReader`, and integers too large for any column.
fn set_other(row: &mut LiveRow, column: LiveColumn, value: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = value.py();
    if let Ok(text) = value.extract::<String>() {
        return set(py, row, column, LiveValue::Text(&text));
    }
    if let Ok(number) = value.extract::<i64>() {
        return set(py, row, column, LiveValue::Whole(number));
    }
    if is_missing(value) {
        return set(py, row, column, LiveValue::Missing);
    }
    match value.extract::<f64>() {
        Ok(number) if number.is_nan() || !changes(value, number)? => {
            set(py, row, column, LiveValue::Real(number))
        }
        _ => set(py, row, column, LiveValue::Text(&value.repr()?.to_string())),
    }
}

/// Whether a value is no longer the same as a float: a complex number, one with more digits.
fn changes(value: &Bound<'_, PyAny>, float: f64) -> PyResult<bool> {
    static NUMBER: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let is_number = value.is_instance(NUMBER.import(value.py(), "numbers", "Number")?)?;
    Ok(is_number && !value.eq(float)?)
}

/// Of pandas and of NumPy's masked arrays: values that are no numbers, and say no to every comparison.
fn is_missing(value: &Bound<'_, PyAny>) -> bool {
    value.get_type().name().is_ok_and(|name| name == "NAType" || name == "MaskedConstant")
}
