//! The cache: its games, the arrays of one, and what the next ingest would do.
//!
//! Every call opens the file for itself. SQLite forbids to carry a connection over a fork, and the
//! loader processes that training code forks would do just that.

use crate::errors::cache_error;
use crate::log::{Arrays, EncodedGame};
use pyo3::exceptions::PyKeyError;
use pyo3::prelude::*;
use splendor_prep::cache::{CacheError, GameRecord, Reader, Unpacker};
use splendor_prep::gamelog::{GameId, ReadOptions};
use splendor_prep::ingest::{self, StatusOptions};
use splendor_prep::progress::Silent;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The games that ``prep ingest`` has encoded. Reads, never writes.
///
/// Every call reads the current file, so a cache can be passed to other processes, and an ingest may run
/// at the same time. Calls release the GIL. Every method raises `CacheError` if the file cannot be
/// read.
#[pyclass(frozen, module = "splendor_prep")]
pub(crate) struct Cache {
    /// The file.
    #[pyo3(get)]
    path: PathBuf,
}

/// A game of a cache, without its arrays.
#[pyclass(frozen, get_all, module = "splendor_prep")]
pub(crate) struct CachedGame {
    /// The id of the game.
    game_id: i64,
    /// Players in the game: 2, 3 or 4.
    players: u8,
    /// Rows of the log, one for each turn.
    rows: u32,
    /// The log, relative to the folder that was ingested.
    source_path: String,
    /// Size of the log.
    source_bytes: u64,
    /// blake3 of the log, 64 hexadecimal digits.
    source_hash: String,
    /// Version of the encoder that made the rows.
    encoder_version: u32,
    /// Whether it was read with ``--repair``.
    repaired: bool,
    /// Rows with the known gem fault, repaired or not.
    gem_fault_rows: u32,
    /// Rows in which the gems on the table and in hands do not add up to the supply.
    unbalanced_rows: u32,
}

impl From<GameRecord> for CachedGame {
    fn from(record: GameRecord) -> CachedGame {
        CachedGame {
            game_id: record.game_id.0,
            players: record.players,
            rows: record.rows,
            source_path: record.source_path,
            source_bytes: record.source_bytes,
            source_hash: record.key.source_hash.to_hex().to_string(),
            encoder_version: record.key.encoder_version,
            repaired: record.key.repaired,
            gem_fault_rows: record.gem_fault_rows,
            unbalanced_rows: record.unbalanced_rows,
        }
    }
}

#[pymethods]
impl CachedGame {
    fn __repr__(&self) -> String {
        let CachedGame { game_id, players, rows, source_path, .. } = self;
        format!(
            "CachedGame(game_id={game_id}, players={players}, rows={rows}, \
             source_path={source_path:?})"
        )
    }
}

#[pymethods]
impl Cache {
    /// Opens an existing cache.
    ///
    /// Raises `CacheError` if it does not exist or is from another version of prep.
    #[staticmethod]
    fn open(py: Python<'_>, path: PathBuf) -> PyResult<Cache> {
        // Another working folder later must not lead to another cache.
        let cache = Cache { path: std::path::absolute(&path)? };
        cache.read(py, |_| Ok(()))?;
        Ok(cache)
    }

    /// Every game, in ascending order of ``game_id``, except `damaged` ones.
    fn games(&self, py: Python<'_>) -> PyResult<Vec<CachedGame>> {
        self.read(py, |reader| {
            let mut games = Vec::new();
            reader.each_game(|_, record| games.extend(record.map(CachedGame::from)))?;
            Ok(games)
        })
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
        let read = self.read(py, |reader| {
            let mut unpacker = Unpacker::new()?;
            let game = reader.game(GameId(game_id), &mut unpacker)?;
            Ok(game.map(|(record, game)| (record.players, Arrays::of(game))))
        })?;
        let Some((players, arrays)) = read else {
            return Err(PyKeyError::new_err(game_id));
        };
        EncodedGame::from_arrays(py, game_id, players, arrays)
    }

    /// How many games have which reason to be encoded, or not, by the next ingest of that folder:
    /// the counts of ``prep status --json``. Reads every log.
    ///
    /// Reasons: ``new``, ``bytes_changed``, ``encoder_changed``, ``schema_changed``,
    /// ``repair_changed``, ``damaged``, ``deleted``, ``refused``, ``deferred``, ``up_to_date``; reasons
    /// that no game has are omitted.
    ///
    /// Raises `CacheError` if the folder cannot be searched.
    #[pyo3(signature = (data_root, *, repair=false))]
    fn status(
        &self,
        py: Python<'_>,
        data_root: PathBuf,
        repair: bool,
    ) -> PyResult<BTreeMap<&'static str, usize>> {
        let report = py.detach(|| {
            let read = ReadOptions { repair, strict: false };
            let jobs = std::thread::available_parallelism().map_or(1, usize::from);
            let options = StatusOptions { read, every_game: false, jobs };
            ingest::status(&data_root, Some(Reader::open(&self.path)?), options, &Silent)
        });
        report.map(|report| report.counts).map_err(|error| cache_error(py, &error))
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
    fn read<T: Send>(
        &self,
        py: Python<'_>,
        read: impl FnOnce(Reader) -> Result<T, CacheError> + Send,
    ) -> PyResult<T> {
        py.detach(|| read(Reader::open(&self.path)?)).map_err(|error| cache_error(py, &error))
    }
}
