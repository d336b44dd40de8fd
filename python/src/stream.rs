//! Batches from the cache: the compiled part of `splendor_prep.Stream`.

use crate::arrays::{index_dict, labels_and_masks, outcome_dict, vector};
use crate::columns::named_columns;
use crate::errors::{cache_error, choice};
use crate::pooled::features_array;
use crate::scaler::Scaler;
use crate::signals::{BETWEEN_SIGNALS, interruptible, load_numpy};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use splendor_prep::dataset::{
    Columns, DatasetError, DatasetOptions, Dtype, FeatureSet, MaskSource, Ratios, Split,
    SplitMethod,
};
use splendor_prep::encode::Head;
use splendor_prep::stream::{
    self, Augment, Batch, ClassWeights, Next, Recycler, StreamError, StreamOptions, StreamState,
    WeightOptions,
};
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A batch of a `Stream`, or the part of this rank.
///
/// ``len(batch)`` is the number of rows. The arrays are the caller's and may be changed.
#[pyclass(frozen, get_all, module = "splendor_prep")]
pub(crate) struct StreamBatch {
    /// ``(rows, columns)``, C order: float32, or the `dtype` of the stream.
    state: Py<PyAny>,
    /// By head, int32 ``(rows,)``: the logged class, -1 where the head does not apply.
    labels: Py<PyDict>,
    /// By head, int8 ``(rows, classes)``: 1 where a class is legal.
    masks: Py<PyDict>,
    /// ``game_id`` int64, ``turn_number`` int32 (from 1), ``row_in_game`` int32 (from 0), each
    /// ``(rows,)``.
    index: Py<PyDict>,
    /// The outcome of the game for the player to move, each int32 ``(rows,)``: ``won`` (1 or 0), ``place`` (1
    /// to 4), ``margin`` (points ahead of the best other player in the end) and ``rounds_left``. Unknown for
    /// an unfinished game: -1, and -128 as ``margin``.
    outcome: Py<PyDict>,
    /// The weight of each row, float32 ``(rows,)``: 1 without `weights` and `game_weight`.
    weight: Py<PyAny>,
}

#[pymethods]
impl StreamBatch {
    #[new]
    fn new(
        state: Py<PyAny>,
        labels: Py<PyDict>,
        masks: Py<PyDict>,
        index: Py<PyDict>,
        outcome: Py<PyDict>,
        weight: Py<PyAny>,
    ) -> StreamBatch {
        StreamBatch { state, labels, masks, index, outcome, weight }
    }

    fn __len__(&self, py: Python<'_>) -> PyResult<usize> {
        self.state.bind(py).len()
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("StreamBatch({} rows)", self.__len__(py)?))
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyTuple>> {
        let StreamBatch { state, labels, masks, index, outcome, weight } = slf.get();
        (slf.get_type(), (state, labels, masks, index, outcome, weight)).into_pyobject(slf.py())
    }
}

impl StreamBatch {
    fn of(
        py: Python<'_>,
        batch: Batch,
        columns: usize,
        recycler: Recycler,
    ) -> PyResult<StreamBatch> {
        let rows = batch.rows();
        let Batch {
            features,
            labels,
            masks,
            game_ids,
            turn_numbers,
            rows_in_game,
            outcomes,
            weights,
        } = batch;
        let state = features_array(py, features, (rows, columns), recycler)?;
        let (labels, masks) = labels_and_masks(py, labels, masks, rows)?;
        Ok(StreamBatch {
            state: state.unbind(),
            labels,
            masks,
            index: index_dict(py, game_ids, turn_numbers, rows_in_game)?.unbind(),
            outcome: outcome_dict(py, outcomes)?.unbind(),
            weight: vector(py, weights).into_any().unbind(),
        })
    }
}

/// The batches of a split. Use `splendor_prep.Stream`.
#[pyclass(frozen, module = "splendor_prep._native")]
pub(crate) struct Stream {
    stream: Mutex<stream::Stream>,
    #[pyo3(get)]
    columns: Vec<&'static str>,
    #[pyo3(get)]
    rows: u64,
    #[pyo3(get)]
    steps: u64,
    recycler: Recycler,
}

#[pymethods]
impl Stream {
    #[new]
    #[expect(clippy::too_many_arguments, reason = "they are those of the Python class")]
    fn new(
        py: Python<'_>,
        cache: PathBuf,
        split: &str,
        ratios: (f64, f64, f64),
        split_method: &str,
        split_seed: u32,
        features: &str,
        columns: Option<&Bound<'_, PyAny>>,
        masks: &str,
        normalize: bool,
        dtype: &str,
        scaler: Option<ScalerSource>,
        replayable_only: bool,
        r#where: Option<String>,
        weights: Vec<(String, ClassWeightsSource)>,
        game_weight: Option<String>,
        augment: Option<&str>,
        batch_size: u64,
        shuffle: bool,
        seed: u64,
        drop_last: bool,
        rank: u64,
        world_size: u64,
        threads: usize,
    ) -> PyResult<Stream> {
        let (train, val, test) = ratios;
        let invalid = |error: &dyn std::fmt::Display| PyValueError::new_err(error.to_string());
        let columns = match columns {
            Some(columns) => named_columns(columns)?,
            None => Columns::of(choice("features", features, FeatureSet::ALL, FeatureSet::name)?),
        };
        let class_weights = |(head, weights): (String, ClassWeightsSource)| {
            Ok::<_, PyErr>((
                choice("a key of weights", &head, Head::ALL, Head::name)?,
                weights.read()?,
            ))
        };
        let classes = weights.into_iter().map(class_weights).collect::<Result<_, _>>()?;
        let options = StreamOptions {
            dataset: DatasetOptions {
                ratios: Ratios::new(train, val, test).map_err(|error| invalid(&error))?,
                split_method: choice(
                    "split_method",
                    split_method,
                    SplitMethod::ALL,
                    SplitMethod::name,
                )?,
                seed: split_seed,
                columns: columns.clone(),
                replayable_only,
                condition: r#where,
                shard: None,
            },
            split: choice("split", split, Split::ALL, Split::name)?,
            masks: choice("masks", masks, MaskSource::ALL, MaskSource::name)?,
            normalize,
            dtype: choice("dtype", dtype, Dtype::ALL, Dtype::name)?,
            scaler: scaler.map(|scaler| scaler.read(py, &columns)).transpose()?,
            weights: WeightOptions { classes, game: game_weight },
            augment: augment
                .map(|name| choice("augment", name, Augment::ALL, Augment::name))
                .transpose()?,
            batch_size,
            shuffle,
            seed,
            drop_last,
            rank,
            world_size,
            threads: match threads {
                0 => std::thread::available_parallelism().map_or(1, usize::from),
                threads => threads,
            },
        };
        load_numpy(py)?;
        let open = move |stop: &AtomicBool| stream::Stream::open(&cache, &options, stop);
        let stream = interruptible(py, open)?.map_err(|error| stream_error(py, &error))?;
        let (columns, rows, steps) = (stream.columns(), stream.rows(), stream.steps());
        let recycler = stream.recycler();
        Ok(Stream { stream: Mutex::new(stream), columns, rows, steps, recycler })
    }

    /// The next batch; None at the end of an epoch.
    fn next(&self, py: Python<'_>) -> PyResult<Option<StreamBatch>> {
        loop {
            let next = py.detach(|| self.lock().next_within(BETWEEN_SIGNALS));
            match next.map_err(|error| stream_error(py, &error))? {
                Next::Batch(batch) => {
                    let (columns, recycler) = (self.columns.len(), self.recycler.clone());
                    return StreamBatch::of(py, *batch, columns, recycler).map(Some);
                }
                Next::EndOfEpoch => return Ok(None),
                Next::NotYet => py.check_signals()?,
            }
        }
    }

    /// Epoch and step.
    fn position(&self, py: Python<'_>) -> (u64, u64) {
        let position = py.detach(|| self.lock().position());
        (position.epoch, position.step)
    }

    /// The scaler; None if the features are not normalized.
    fn scaler(&self, py: Python<'_>) -> Option<Scaler> {
        let scaler = py.detach(|| self.lock().scaler().cloned())?;
        Some(Scaler::of(&self.columns, scaler))
    }

    /// The state as JSON.
    fn state(&self, py: Python<'_>) -> String {
        py.detach(|| self.lock().state()).to_json()
    }

    fn load_state(&self, py: Python<'_>, state: &str) -> PyResult<()> {
        let invalid = |error: &dyn std::fmt::Display| PyValueError::new_err(error.to_string());
        let state = StreamState::from_json(state)
            .map_err(|error| invalid(&format!("not a state of a stream: {error}")))?;
        py.detach(|| self.lock().load_state(&state)).map_err(|error| invalid(&error))
    }
}

impl Stream {
    fn lock(&self) -> MutexGuard<'_, stream::Stream> {
        self.stream.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The weights of the classes of a head.
#[derive(FromPyObject)]
pub(crate) enum ClassWeightsSource {
    Named(String),
    Given(Vec<f64>),
}

impl ClassWeightsSource {
    fn read(self) -> PyResult<ClassWeights> {
        match self {
            ClassWeightsSource::Given(weights) => Ok(ClassWeights::Given(weights)),
            ClassWeightsSource::Named(name) if name == "balanced" => Ok(ClassWeights::Balanced),
            ClassWeightsSource::Named(name) => Err(PyValueError::new_err(format!(
                "the weights of a head are `{name}`, expected balanced or a number for each class"
            ))),
        }
    }
}

/// The source of a scaler.
#[derive(FromPyObject)]
pub(crate) enum ScalerSource<'py> {
    Given(PyRef<'py, Scaler>),
    Export(PathBuf),
}

impl ScalerSource<'_> {
    fn read(self, py: Python<'_>, columns: &Columns) -> PyResult<splendor_prep::dataset::Scaler> {
        let loaded;
        let scaler = match &self {
            ScalerSource::Given(given) => &**given,
            ScalerSource::Export(export) => {
                loaded = Scaler::load(py, export.clone())?;
                &loaded
            }
        };
        let (columns, expected) = (&scaler.columns, columns.names());
        if *columns == expected {
            return Ok(scaler.scaler.clone());
        }
        let difference = match columns.iter().zip(&expected).find(|(one, other)| one != *other) {
            Some((column, name)) if columns.len() == expected.len() => {
                format!("{column} where the stream has {name}")
            }
            _ => format!("{} columns, the stream {}", columns.len(), expected.len()),
        };
        Err(PyValueError::new_err(format!(
            "the scaler has {difference}: choose the same features, or columns=scaler.columns"
        )))
    }
}

fn stream_error(py: Python<'_>, error: &StreamError) -> PyErr {
    match error {
        StreamError::NormalizedIntegers
        | StreamError::ClassWeights { .. }
        | StreamError::GameWeight { .. }
        | StreamError::Expression(_)
        | StreamError::Dataset(DatasetError::Condition(_) | DatasetError::NoneSelected { .. }) => {
            PyValueError::new_err(error.to_string())
        }
        error => cache_error(py, error),
    }
}
