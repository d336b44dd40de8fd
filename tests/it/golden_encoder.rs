//! Compares the encoder with the expected values: every feature, label and mask of 56 games.
//!
//! Needs the folder of expected values beside the checkout; prints `skipped` and passes without it.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

use crate::support::golden;
use ndarray::{Array1, Array2};
use ndarray_npy::NpzReader;
use splendor_prep::encode::{EncodedGame, FEATURES, Head};
use splendor_prep::gamelog::{GameId, ReadOptions, read_log};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::iter::zip;
use std::path::{Path, PathBuf};

/// Logs by game id, the order of the rows in the arrays.
fn logs(dir: &Path) -> BTreeMap<GameId, PathBuf> {
    let mut logs = BTreeMap::new();
    for players in ["2_games", "3_games", "4_games"] {
        for entry in fs::read_dir(dir.join("games").join(players)).unwrap() {
            let path = entry.unwrap().path();
            let stem = path.file_stem().unwrap().to_str().unwrap().parse().unwrap();
            logs.insert(GameId(stem), path);
        }
    }
    logs
}

fn npz(dir: &Path, name: &str) -> NpzReader<File> {
    NpzReader::new(File::open(dir.join(name)).unwrap()).unwrap()
}

#[test]
fn rows() {
    let Some(dir) = golden::golden_dir() else { return };
    let mut arrays = npz(&dir, "features_raw.npz");
    let features: Array2<f32> = arrays.by_name("features").unwrap();
    let turn_numbers: Array1<i64> =
        arrays.by_name::<ndarray::OwnedRepr<i64>, _>("turn_number").unwrap_or_else(|_| {
            let narrow: Array1<i32> = arrays.by_name("turn_number").unwrap();
            narrow.mapv(i64::from)
        });
    let mut arrays = npz(&dir, "labels.npz");
    let labels = Head::ALL.map(|head| -> Array1<i32> { arrays.by_name(head.name()).unwrap() });
    let mut arrays = npz(&dir, "masks.npz");
    let masks = Head::ALL.map(|head| -> Array2<i8> { arrays.by_name(head.name()).unwrap() });

    let names: Vec<String> = FEATURES.iter().map(|feature| feature.name.to_string()).collect();
    let columns = golden::columns(&dir, &names);
    let logs = logs(&dir);
    let mut row = 0;
    let mut differing_features = BTreeMap::new();
    for (&game_id, path) in &logs {
        let mut game = EncodedGame::default();
        let bytes = fs::read(path).unwrap();
        let options = ReadOptions::default();
        read_log(&bytes, path, game_id, options, |turn| game.push(turn)).unwrap();
        for i in 0..game.features().len() {
            assert_eq!(i64::from(game.turn_numbers()[i]), turn_numbers[row], "row {row}");
            for (&column, &expected) in zip(&columns, features.row(row)) {
                if f32::from(game.features()[i][column]) != expected {
                    *differing_features.entry(names[column].as_str()).or_insert(0) += 1;
                }
            }
            for head in Head::ALL {
                let what = format!("{} of {game_id}, row {i}", head.name());
                assert_eq!(
                    game.labels()[i][head.index()],
                    labels[head.index()][row],
                    "label {what}"
                );
                let mask = &game.masks()[i][head.mask_range()];
                let expected = masks[head.index()].row(row);
                assert_eq!(mask, expected.as_slice().unwrap(), "mask {what}");
            }
            row += 1;
        }
    }
    assert_eq!((logs.len(), row), (56, features.nrows()), "all games and rows were compared");
    assert!(differing_features.is_empty(), "features differ: {differing_features:?}");
}

#[test]
fn normalized_columns() {
    let Some(dir) = golden::golden_dir() else { return };
    let names: Vec<String> = FEATURES.iter().map(|feature| feature.name.to_string()).collect();
    let columns = golden::columns(&dir, &names);
    let normalized: Array1<bool> = npz(&dir, "scaler.npz").by_name("normalized").unwrap();
    assert_eq!(columns.len(), normalized.len());
    for (&column, &expected) in zip(&columns, &normalized) {
        assert_eq!(FEATURES[column].normalized, expected, "{}", names[column]);
    }
}
