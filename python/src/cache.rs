//! The cache: its games, the arrays of a game, and the status of the next ingest.
//!
//! Connections are kept between calls, without a lock on the file; see `splendor_prep::cache::IdleReader`. SQLite
//! forbids using a connection after a fork, so forked processes open new ones.

use crate::RECORDS_MODULE;
use crate::errors::cache_error;
use crate::log::{Arrays, EncodedGame};
use crate::signals::{interruptible, load_numpy};
use pyo3::exceptions::PyKeyError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyTuple, PyType};
use splendor_prep::cache::{CacheError, GameRecord, IdleReader, Reader, Unpacker};
use splendor_prep::gamelog::{GameId, ReadOptions, ReplayFault};
use splendor_prep::ingest::{self, StatusOptions};
use splendor_prep::progress::Silent;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Mutex;

/// The games that ``prep ingest`` has encoded. Reads, never writes.
///
/// Every call reads the current file, also after an ingest or if the file was replaced; between calls, an ingest
/// may commit. A cache can be used by several threads, and passed to other processes, forked or spawned. Calls
/// release the GIL. Every method raises `CacheError` if the file cannot be read.
#[pyclass(frozen, module = "splendor_prep")]
pub(crate) struct Cache {
    /// The file.
    #[pyo3(get)]
    path: PathBuf,
    /// Connections that are not in use.
    idle: Mutex<Vec<(IdleReader, Unpacker)>>,
}

/// Maximum number of kept connections, each with an open file and 2 MiB of memory.
const MAX_IDLE: usize = 16;

#[pymethods]
impl Cache {
    /// Opens an existing cache.
    ///
    /// Raises `CacheError` if it does not exist or is from another version of prep.
    #[staticmethod]
    fn open(py: Python<'_>, path: PathBuf) -> PyResult<Cache> {
        // Absolute, so that a change of the working folder does not change the cache.
        let cache = Cache { path: std::path::absolute(&path)?, idle: Mutex::default() };
        cache.read(py, |_| Ok(()))?;
        Ok(cache)
    }

    /// Every game, in ascending order of ``game_id``, except `damaged` ones.
    fn games<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let (records, mut faults) = self.read(py, |reader| {
            let mut records = Vec::new();
            reader.each_game(|_, record| records.extend(record))?;
            Ok((records, reader.replay_faults()?))
        })?;
        let mut faults = |record: &GameRecord| faults.remove(&record.game_id).unwrap_or_default();
        let with_faults = records.into_iter().map(|record| (faults(&record), record));
        with_faults.map(|(faults, record)| cached_game(py, record, faults)).collect()
    }

    /// Damaged games with the reason. The next ingest encodes them again.
    fn damaged(&self, py: Python<'_>) -> PyResult<BTreeMap<i64, String>> {
        self.read(py, |reader| {
            let mut damaged = BTreeMap::new();
            reader.each_game(|game_id, record| {
                damaged.extend(record.err().map(|damage| (game_id.0, damage.to_string())));
            })?;
            Ok(damaged)
        })
    }

    /// The arrays of one game.
    ///
    /// Raises KeyError if the cache does not have it, `CacheError` if it is damaged.
    fn game(&self, py: Python<'_>, game_id: i64) -> PyResult<EncodedGame> {
        load_numpy(py)?;
        let (reader, mut unpacker) = match py.detach(|| self.resume()) {
            Some(resumed) => resumed,
            None => self.read(py, |reader| Ok((reader, Unpacker::new()?)))?,
        };
        let read = py.detach(|| {
            let game = reader.game(GameId(game_id), &mut unpacker)?;
            let arrays =
                game.map(|(record, game)| (record.players, Arrays::of(game, record.play.as_ref())));
            self.keep(reader, unpacker);
            Ok(arrays)
        });
        let read = read.map_err(|error: CacheError| cache_error(py, &error))?;
        let Some((players, arrays)) = read else {
            return Err(PyKeyError::new_err(game_id));
        };
        EncodedGame::from_arrays(py, game_id, players, arrays)
    }

    /// The number of games for each reason to encode, or not to encode, a game in the next ingest of a folder: the
    /// counts of ``prep status --json``. Reads every log. With `strict`, the reasons are those of an ingest with
    /// ``--strict``, which refuses games that do not replay.
    ///
    /// Reasons: ``new``, ``bytes_changed``, ``encoder_changed``, ``schema_changed``,
    /// ``repair_changed``, ``damaged``, ``deleted``, ``refused``, ``deferred``, ``up_to_date``; reasons
    /// that no game has are omitted.
    ///
    /// Raises `CacheError` if the folder, or a folder in it, cannot be searched.
    #[pyo3(signature = (data_root, *, repair=false, strict=false))]
    fn status(
        &self,
        py: Python<'_>,
        data_root: PathBuf,
        repair: bool,
        strict: bool,
    ) -> PyResult<BTreeMap<&'static str, usize>> {
        let path = self.path.clone();
        let report = interruptible(py, move |_| {
            let read = ReadOptions { repair, strict };
            let jobs = std::thread::available_parallelism().map_or(1, usize::from);
            let settle = ingest::DEFAULT_SETTLE;
            let options = StatusOptions { read, settle, every_game: false, jobs };
            ingest::status(&data_root, Some(Reader::open(&path)?), options, &Silent)
        })?;
        let report = report.map_err(|error| cache_error(py, &error))?;
        match report.unreadable.first() {
            // Its logs are in none of the counts.
            Some(folder) => Err(cache_error(py, folder)),
            None => Ok(report.counts),
        }
    }

    fn __len__(&self, py: Python<'_>) -> PyResult<usize> {
        self.read(py, |reader| {
            let mut games = 0;
            reader.each_game(|_, record| games += usize::from(record.is_ok()))?;
            Ok(games)
        })
    }

    fn __repr__(&self) -> String {
        format!("Cache.open({:?})", self.path)
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, (PathBuf,))> {
        Ok((py.get_type::<Cache>().getattr("open")?, (self.path.clone(),)))
    }
}

impl Cache {
    /// Opens the file and reads it, which may wait for the commit of another process.
    fn read<T: Send + 'static>(
        &self,
        py: Python<'_>,
        read: impl FnOnce(Reader) -> Result<T, CacheError> + Send + 'static,
    ) -> PyResult<T> {
        let path = self.path.clone();
        let read = interruptible(py, move |_| read(Reader::open(&path)?))?;
        read.map_err(|error| cache_error(py, &error))
    }

    /// Resumes a kept connection, if possible. Does not wait for the lock: if another thread held it during a fork,
    /// it is never released in the new process.
    fn resume(&self) -> Option<(Reader, Unpacker)> {
        let (idle, unpacker) = self.idle.try_lock().ok()?.pop()?;
        Some((Reader::resume(idle)?, unpacker))
    }

    fn keep(&self, reader: Reader, unpacker: Unpacker) {
        if let (Some(idle), Ok(mut all)) = (reader.rest(), self.idle.try_lock())
            && all.len() < MAX_IDLE
        {
            all.push((idle, unpacker));
        }
    }
}

/// A game as `splendor_prep.CachedGame`.
fn cached_game<'py>(
    py: Python<'py>,
    record: GameRecord,
    faults: Vec<ReplayFault>,
) -> PyResult<Bound<'py, PyAny>> {
    static GAME: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    static FAULT: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let class = FAULT.import(py, RECORDS_MODULE, "ReplayFault")?;
    let faults = faults.into_iter().map(|fault| {
        let ReplayFault { line, kind, column, found, expected, .. } = fault;
        class.call1((line, kind.name(), column, found, expected))
    });
    let faults = PyTuple::new(py, faults.collect::<PyResult<Vec<_>>>()?)?;
    let game = PyDict::new(py);
    game.set_item("game_id", record.game_id.0)?;
    game.set_item("players", record.players)?;
    game.set_item("rows", record.rows)?;
    game.set_item("source_path", record.source_path)?;
    game.set_item("source_bytes", record.source_bytes)?;
    game.set_item("source_hash", record.key.source_hash.to_hex().as_str())?;
    game.set_item("encoder_version", record.key.encoder_version)?;
    game.set_item("repaired", record.key.repaired)?;
    game.set_item("gem_fault_rows", record.gem_fault_rows)?;
    game.set_item("unbalanced_rows", record.unbalanced_rows)?;
    game.set_item("ending", record.play.map(|play| play.result.ending.name()))?;
    let by_seat = |values| PyTuple::new(py, values);
    let result = record.play.map(|play| play.result);
    game.set_item("rounds", record.play.map(|play| play.rounds))?;
    game.set_item("points", result.map(|result| by_seat(result.points)).transpose()?)?;
    game.set_item("places", result.map(|result| by_seat(result.places)).transpose()?)?;
    game.set_item("replay_fault_rows", record.play.map(|play| play.replay_fault_rows))?;
    game.set_item("replay_faults", faults)?;
    GAME.import(py, RECORDS_MODULE, "CachedGame")?.call((), Some(&game))
}
