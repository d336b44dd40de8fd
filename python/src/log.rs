//! Whole games: `encode_log`, and the arrays of a game.

use crate::arrays::{index_dict, labels_and_masks, matrix, outcome_dict};
use crate::errors::{log_error, os_error};
use crate::signals::{interruptible, load_numpy};
use numpy::PyArray2;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyDict, PyTuple};
use splendor_prep::encode::{self, FEATURE_COUNT, Head};
use splendor_prep::gamelog::{
    GameId, GamePlay, LogError, Outcome, ReadOptions, first_game_id, outcome_arrays, read_log,
};
use splendor_prep::ingest::{MAX_LOG_BYTES, game_id_of, read_log_file};
use std::path::PathBuf;

/// The rows of one game, before normalization, in the order in which they were logged.
///
/// ``len(game)`` is the number of rows.
#[pyclass(frozen, module = "splendor_prep")]
pub(crate) struct EncodedGame {
    /// The id of the game.
    #[pyo3(get)]
    pub(crate) game_id: i64,
    /// Players in the game: 2, 3 or 4.
    #[pyo3(get)]
    pub(crate) players: u8,
    /// float32 ``(rows, 1308)``, C order, columns as in `FEATURE_COLUMNS`. Whole numbers.
    #[pyo3(get)]
    pub(crate) features: Py<PyArray2<f32>>,
    /// By head, int32 ``(rows,)``: the logged class, -1 where the head does not apply.
    #[pyo3(get)]
    pub(crate) labels: Py<PyDict>,
    /// By head, int8 ``(rows, classes)``: 1 where a class is legal.
    #[pyo3(get)]
    pub(crate) masks: Py<PyDict>,
    /// ``game_id`` int64, ``turn_number`` int32 (from 1), ``row_in_game`` int32 (from 0), each
    /// ``(rows,)``.
    #[pyo3(get)]
    pub(crate) index: Py<PyDict>,
    /// The outcome of the game for the player to move, each int32 ``(rows,)``: ``won`` (1 or 0), ``place`` (1
    /// to 4), ``margin`` (points ahead of the best other player in the end) and ``rounds_left``. Unknown for
    /// an unfinished game: -1, and -128 as ``margin``.
    #[pyo3(get)]
    pub(crate) outcome: Py<PyDict>,
}

#[pymethods]
impl EncodedGame {
    #[new]
    fn new(
        game_id: i64,
        players: u8,
        features: Py<PyArray2<f32>>,
        labels: Py<PyDict>,
        masks: Py<PyDict>,
        index: Py<PyDict>,
        outcome: Py<PyDict>,
    ) -> EncodedGame {
        EncodedGame { game_id, players, features, labels, masks, index, outcome }
    }

    /// For `pickle`, as process pools return results.
    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyTuple>> {
        let EncodedGame { game_id, players, features, labels, masks, index, outcome } = slf.get();
        let values = (game_id, players, features, labels, masks, index, outcome);
        (slf.get_type(), values).into_pyobject(slf.py())
    }

    fn __len__(&self, py: Python<'_>) -> PyResult<usize> {
        self.features.bind(py).len()
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let EncodedGame { game_id, players, .. } = self;
        let rows = self.__len__(py)?;
        Ok(format!("EncodedGame(game_id={game_id}, players={players}, rows={rows})"))
    }
}

impl EncodedGame {
    pub(crate) fn from_arrays(
        py: Python<'_>,
        game_id: i64,
        players: u8,
        arrays: Arrays,
    ) -> PyResult<EncodedGame> {
        let Arrays { features, labels, masks, turn_numbers, outcomes } = arrays;
        let rows = turn_numbers.len();
        let (labels, masks) = labels_and_masks(py, labels, masks, rows)?;
        let rows_in_game = (0..rows as i32).collect();
        Ok(EncodedGame {
            game_id,
            players,
            features: matrix(py, features, rows, FEATURE_COUNT)?.unbind(),
            labels,
            masks,
            index: index_dict(py, vec![game_id; rows], turn_numbers, rows_in_game)?.unbind(),
            outcome: outcome_dict(py, outcomes)?.unbind(),
        })
    }
}

/// Encodes a whole log, as ``prep ingest`` does.
///
/// `log` is the path of a CSV file, which may be compressed (``.csv.gz``, ``.csv.zst``), or its bytes, for
/// which `file` is the name in errors. `game_id` is the id that every row must have; without it, the stem
/// of the file's name if that is a number, else the id of the first row. `repair` corrects rows with the
/// known gem fault of old logs, as ``prep ingest --repair`` does. With `strict`, a log that does not replay
/// is an error: a row does not follow from the row before and its move.
///
/// Raises `LogError` for the first error in the log, and OSError (FileNotFoundError, ...) if the file
/// cannot be opened. Releases the GIL.
#[pyfunction]
#[pyo3(signature = (log, *, game_id=None, repair=false, strict=false, file=None))]
pub(crate) fn encode_log(
    py: Python<'_>,
    log: &Bound<'_, PyAny>,
    game_id: Option<i64>,
    repair: bool,
    strict: bool,
    file: Option<PathBuf>,
) -> PyResult<EncodedGame> {
    load_numpy(py)?;
    let source = Source::of(log, file)?;
    let options = ReadOptions { repair, strict };
    let (game_id, players, arrays) =
        interruptible(py, move |_| source.encode(game_id.map(GameId), options))?.map_err(
            |refused| match refused {
                Refused::Unreadable(path, error) => os_error(&path, &error),
                Refused::Log(error) => log_error(py, &error),
            },
        )?;
    EncodedGame::from_arrays(py, game_id.0, players, arrays)
}

/// The source of a log. Bytes are copied, because a `bytearray` may be changed during the call.
enum Source {
    Path(PathBuf),
    Bytes(Vec<u8>, PathBuf),
}

enum Refused {
    Unreadable(PathBuf, std::io::Error),
    Log(LogError),
}

/// The values of a game, row after row; labels and masks by head.
pub(crate) struct Arrays {
    features: Vec<f32>,
    labels: [Vec<i32>; Head::COUNT],
    masks: [Vec<i8>; Head::COUNT],
    turn_numbers: Vec<i32>,
    outcomes: [Vec<i32>; Outcome::COUNT],
}

impl Source {
    fn of(log: &Bound<'_, PyAny>, file: Option<PathBuf>) -> PyResult<Source> {
        let named = |bytes| Source::Bytes(bytes, file.unwrap_or_else(|| "<bytes>".into()));
        if let Ok(bytes) = log.cast::<PyBytes>() {
            return Ok(named(bytes.as_bytes().to_vec()));
        }
        if let Ok(bytes) = log.cast::<PyByteArray>() {
            return Ok(named(bytes.to_vec()));
        }
        log.extract().map(Source::Path).map_err(|_| {
            let found = log.get_type();
            PyTypeError::new_err(format!("a log is a path or its bytes, not {found}"))
        })
    }

    fn encode(
        self,
        game_id: Option<GameId>,
        options: ReadOptions,
    ) -> Result<(GameId, u8, Arrays), Refused> {
        let (bytes, file) = match self {
            Source::Bytes(bytes, file) => (bytes, file),
            Source::Path(path) => match read_log_file(&path, MAX_LOG_BYTES) {
                Ok(bytes) => (bytes, path),
                Err(error) => return Err(Refused::Unreadable(path, error)),
            },
        };
        // If the first row has no id either, the reader reports it.
        let game_id = game_id
            .or_else(|| game_id_of(&file))
            .or_else(|| first_game_id(&bytes))
            .unwrap_or(GameId(0));
        let mut game = encode::EncodedGame::default();
        let summary = read_log(&bytes, &file, game_id, options, |turn| game.push(turn))
            .map_err(Refused::Log)?;
        Ok((game_id, summary.players.get(), Arrays::of(&game, Some(&summary.play))))
    }
}

impl Arrays {
    /// `play` is the course of the game, if known.
    pub(crate) fn of(game: &encode::EncodedGame, play: Option<&GamePlay>) -> Arrays {
        let rows = game.boards().iter().zip(game.turn_numbers());
        Arrays {
            features: game.features().iter().flatten().map(|&value| value.into()).collect(),
            labels: Head::ALL
                .map(|head| game.labels().iter().map(|row| row[head.index()]).collect()),
            masks: Head::ALL.map(|head| {
                game.masks().iter().flat_map(|row| &row[head.mask_range()]).copied().collect()
            }),
            turn_numbers: game.turn_numbers().to_vec(),
            outcomes: outcome_arrays(
                rows.map(|(board, &turn_number)| Outcome::of(play, board.to_move, turn_number)),
            ),
        }
    }
}
