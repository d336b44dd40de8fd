//! The shapes of arrays, from the headers of their files: no array is read for it.

use crate::gamelog::GameId;
use ndarray::Array1;
use ndarray_npy::NpzReader;
use ndarray_npy::npy::header::Header;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

/// Length along each axis.
pub(super) type Shape = Vec<usize>;

pub(super) fn npy_shape(path: &Path) -> Result<Shape, String> {
    let file = File::open(path).map_err(|error| format!("cannot be read: {error}"))?;
    Header::from_reader(&mut BufReader::new(file))
        .map(|header| header.shape)
        .map_err(|error| format!("is not an array: {error}"))
}

/// The arrays of an `.npz` with their shapes.
pub(super) fn npz_shapes(path: &Path) -> Result<Vec<(String, Shape)>, String> {
    let file = File::open(path).map_err(|error| format!("cannot be read: {error}"))?;
    let broken = |error: &dyn std::fmt::Display| format!("is not a file of arrays: {error}");
    let mut archive = zip::ZipArchive::new(BufReader::new(file)).map_err(|error| broken(&error))?;
    let mut shapes = Vec::new();
    for place in 0..archive.len() {
        let mut member = archive.by_index(place).map_err(|error| broken(&error))?;
        let name = member.name().trim_end_matches(".npy").to_owned();
        let header = Header::from_reader(&mut member).map_err(|error| broken(&error))?;
        shapes.push((name, header.shape));
    }
    Ok(shapes)
}

/// The games whose rows an index file lists.
pub(super) fn game_ids_of_index(path: &Path) -> Result<BTreeSet<GameId>, String> {
    let read = || -> Result<Array1<i64>, Box<dyn std::error::Error>> {
        Ok(NpzReader::new(File::open(path)?)?.by_name("game_id")?)
    };
    let ids = read().map_err(|error| error.to_string())?;
    Ok(ids.iter().map(|&game_id| GameId(game_id)).collect())
}
