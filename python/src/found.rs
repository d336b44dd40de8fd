//! Which files are logs, and of which games.

use crate::arrays::items;
use crate::errors::log_error;
use crate::signals::interruptible;
use pyo3::exceptions::PyOSError;
use pyo3::prelude::*;
use splendor_prep::gamelog::LogError;
use splendor_prep::ingest::{self, game_id_of};
use std::path::{Path, PathBuf};

/// Paths of the logs in a folder and all folders in it, as ``prep ingest`` finds them: files named
/// ``<game id>.csv``, without hidden ones. The list may be empty.
///
/// Raises OSError if the folder, or one in it, cannot be read.
#[pyfunction]
pub(crate) fn find_logs(py: Python<'_>, folder: PathBuf) -> PyResult<Vec<PathBuf>> {
    let root = folder.clone();
    let found = interruptible(py, move |stop| ingest::find_logs(&root, stop))?;
    let found = found.map_err(|error| PyOSError::new_err(error.to_string()))?;
    if let Some(folder) = found.unreadable.first() {
        return Err(PyOSError::new_err(folder.to_string()));
    }
    Ok(found.logs.iter().map(|log| folder.join(&log.relative_path)).collect())
}

/// Sorts paths, of any file system, by the game id that is the file's name.
///
/// Returns three lists: ``(game_id, path)`` of each log; a `LogError` for each of several files with the
/// same id, which ``prep ingest`` refuses too; and the paths whose name is not a game id.
#[pyfunction]
#[expect(clippy::type_complexity, reason = "Python has no use for a name for it")]
pub(crate) fn arrange_logs<'py>(
    py: Python<'py>,
    paths: &Bound<'py, PyAny>,
) -> PyResult<(Vec<(i64, String)>, Vec<Bound<'py, PyAny>>, Vec<String>)> {
    let paths: Vec<String> = items(paths)?;
    let (mut logs, mut others) = (Vec::new(), Vec::new());
    for path in paths {
        match game_id_of(Path::new(&path)) {
            Some(game_id) => logs.push((game_id, path)),
            None => others.push(path),
        }
    }
    logs.sort();
    let (mut sole, mut refused) = (Vec::new(), Vec::new());
    for group in logs.chunk_by(|(one, _), (other, _)| one == other) {
        if let [(game_id, path)] = group {
            sole.push((game_id.0, path.clone()));
            continue;
        }
        for (place, (game_id, path)) in group.iter().enumerate() {
            let (_, twin) = &group[if place == 0 { 1 } else { place - 1 }];
            let error = LogError::game_in_two_files(*game_id, path, Path::new(twin));
            refused.push(log_error(py, &error).into_value(py).into_bound(py).into_any());
        }
    }
    Ok((sole, refused, others))
}
