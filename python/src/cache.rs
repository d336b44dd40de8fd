//! The cache: its games, the arrays of one, and what the next ingest would do.
//!
//! Every call opens the file for itself. SQLite forbids to carry a connection over a fork, and the
//! loader processes that training code forks would do just that.

use crate::arrays::{by_head, rows_of_columns, vector};
use crate::errors::cache_error;
use crate::log::{EncodedGame, index};
use numpy::IntoPyArray;
use pyo3::exceptions::PyKeyError;
use pyo3::prelude::*;
use splendor_prep::cache::{self, CacheError, GameReader, GameRecord};
use splendor_prep::encode::{FEATURE_COUNT, Head};
use splendor_prep::gamelog::{GameId, ReadOptions};
use splendor_prep::ingest;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// A cache of encoded games.
#[pyclass(frozen, module = "splendor_prep")]
pub(crate) struct Cache {
    #[pyo3(get)]
    path: PathBuf,
}

/// What the cache knows of a game beside its arrays.
#[pyclass(frozen, get_all, module = "splendor_prep")]
pub(crate) struct CachedGame {
    game_id: i64,
    players: u8,
    rows: u32,
    source_path: String,
    source_bytes: u64,
    source_hash: String,
    encoder_version: u32,
    repaired: bool,
    gem_fault_rows: u32,
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
    #[staticmethod]
    fn open(py: Python<'_>, path: PathBuf) -> PyResult<Cache> {
        let cache = Cache { path };
        cache.read(py, |_| Ok(()))?;
        Ok(cache)
    }

    fn games(&self, py: Python<'_>) -> PyResult<Vec<CachedGame>> {
        let games = self.read(py, all_games)?;
        Ok(games.records.into_values().map(CachedGame::from).collect())
    }

    fn damaged(&self, py: Python<'_>) -> PyResult<BTreeMap<i64, String>> {
        let games = self.read(py, all_games)?;
        Ok(games.damaged.into_iter().map(|(game_id, what)| (game_id.0, what)).collect())
    }

    fn game(&self, py: Python<'_>, game_id: i64) -> PyResult<EncodedGame> {
        let read = self.read(py, |mut reader| {
            let game = reader.game(GameId(game_id))?;
            Ok(game.map(|(record, game)| {
                let rows = game.turn_numbers.len();
                let features = rows_of_columns(rows, FEATURE_COUNT, |c| game.features.column(c));
                let masks = Head::ALL.map(|head| {
                    let first = head.mask_range().start;
                    rows_of_columns(rows, head.classes(), |class| game.masks.column(first + class))
                });
                (record, features, masks, game.labels, game.turn_numbers)
            }))
        })?;
        let Some((record, features, masks, labels, turn_numbers)) = read else {
            return Err(PyKeyError::new_err(game_id));
        };
        let mut masks = masks.into_iter();
        Ok(EncodedGame {
            game_id,
            players: record.players,
            features: features.into_pyarray(py).unbind(),
            labels: by_head(py, |head| Ok(vector(py, labels.column(head.index()).to_vec())))?
                .unbind(),
            masks: by_head(py, |_| Ok(masks.next().unwrap_or_default().into_pyarray(py)))?.unbind(),
            index: index(py, game_id, &turn_numbers)?.unbind(),
        })
    }

    #[pyo3(signature = (data_root, *, repair=false))]
    fn status(
        &self,
        py: Python<'_>,
        data_root: PathBuf,
        repair: bool,
    ) -> PyResult<BTreeMap<&'static str, usize>> {
        let report = py.detach(|| {
            let cache = cache::Cache::open_existing(&self.path)?;
            ingest::status(&data_root, Some(&cache), ReadOptions { repair })
        });
        report.map(|report| report.counts()).map_err(|error| cache_error(py, &error))
    }

    fn __len__(&self, py: Python<'_>) -> PyResult<usize> {
        Ok(self.read(py, all_games)?.records.len())
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
        read: impl FnOnce(GameReader) -> Result<T, CacheError> + Send,
    ) -> PyResult<T> {
        py.detach(|| read(GameReader::open(&self.path)?)).map_err(|error| cache_error(py, &error))
    }
}

/// All of them, or an error: a list that was cut short would look like a whole one.
fn all_games(reader: GameReader) -> Result<cache::CachedGames, CacheError> {
    match reader.games() {
        (games, None) => Ok(games),
        (_, Some(error)) => Err(error),
    }
}
