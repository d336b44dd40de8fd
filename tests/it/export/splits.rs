//! Assignment of games to splits. `golden_export.rs` compares the sklearn method with scikit-learn.

use super::{exported, ingested, logs};
use crate::support::export::{Export, HEADS, SPLITS};
use ndarray::Array1;
use splendor_prep::encode::FEATURE_COUNT;
use std::collections::BTreeSet;

/// The formula of the documentation, in Rust instead of Python.
pub(crate) fn hash_split(game_id: i64, seed: u32, train: f64, val: f64) -> &'static str {
    let key = [b"splendor-prep split 1".as_slice(), &seed.to_le_bytes(), &game_id.to_le_bytes()];
    let digest = blake3::hash(&key.concat());
    let place = u64::from_le_bytes(digest.as_bytes()[..8].try_into().unwrap()) >> 11;
    let place = place as f64 / 2_f64.powi(53);
    if place < train {
        "train"
    } else if place < train + val {
        "val"
    } else {
        "test"
    }
}

fn games_of_rows(export: &Export, split: &str) -> BTreeSet<i64> {
    export.index(split).game_id.into_iter().collect()
}

#[test]
fn hash_split_equals_documented_formula() {
    let test = ingested(30);
    for (seed, train, val, test_share) in [(42, 0.8, 0.1, 0.1), (7, 0.4, 0.3, 0.3)] {
        let options = format!("--split {train},{val},{test_share} --seed {seed}");
        let export = exported(&test, "out", &options);
        for game in 1..=30 {
            let split = hash_split(game, seed, train, val);
            assert!(export.games(split).contains(&game), "game {game} in {split}, {options}");
        }
        let manifest = export.json("manifest.json");
        assert_eq!(manifest["settings"]["split"], serde_json::json!([train, val, test_share]));
        assert_eq!(manifest["settings"]["seed"], seed);
    }
    let default = exported(&test, "default", "").games("val");
    assert_eq!(default, exported(&test, "out", "--split 0.8,0.1,0.1 --seed 42").games("val"));
}

#[test]
fn games_are_not_divided() {
    let test = ingested(30);
    let all: Vec<i64> = logs(&test, "raw").into_keys().collect();
    for method in ["hash", "sklearn"] {
        let options = format!("--split 0.6,0.2,0.2 --split-method {method}");
        let export = exported(&test, method, &options);
        let splits = SPLITS.map(|split| games_of_rows(&export, split));
        for (split, games) in SPLITS.iter().zip(&splits) {
            assert!(games.iter().eq(&export.games(split)), "rows of {split} are of its games");
        }
        let mut games: Vec<i64> = splits.into_iter().flatten().collect();
        games.sort();
        assert_eq!(games, all, "{method}: each game once");
    }
}

#[test]
fn empty_splits() {
    let test = ingested(6);
    let ran = test.run("export --out out --split 1,0,0");
    assert_eq!((ran.code, ran.complaints().as_str()), (0, ""), "it was asked for");
    let export = Export { folder: test.path("out") };
    assert_eq!(export.games("train"), [1, 2, 3, 4, 5, 6]);
    for split in ["val", "test"] {
        assert_is_empty(&export, split);
    }

    let ran = test.run("export --out out --split 0.999998,0.000001,0.000001");
    assert_eq!(ran.code, 0, "{ran:#?}");
    for split in ["val", "test"] {
        let warning = format!(
            "warning: no game fell into {split}: ingest more games, or change --split or --seed"
        );
        assert!(ran.stderr.contains(&warning), "{ran:#?}");
        assert_is_empty(&Export { folder: test.path("out") }, split);
    }
    assert!(!ran.stderr.contains("train"), "{ran:#?}");
}

fn assert_is_empty(export: &Export, split: &str) {
    assert_eq!(export.games(split), [0_i64; 0]);
    assert_eq!(export.features(split).dim(), (0, FEATURE_COUNT));
    for (head, classes) in HEADS {
        assert_eq!(export.labels(split, head).len(), 0);
        assert_eq!(export.masks(split, head).dim(), (0, classes));
    }
    let index = export.index(split);
    assert_eq!(index.game_id, Array1::<i64>::zeros(0));
    assert_eq!((index.turn_number.len(), index.row_in_game.len()), (0, 0));
}
