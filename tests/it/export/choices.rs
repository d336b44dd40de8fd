//! The choices of an export: features, masks, layout. They do not change the cache.

use super::{assert_same_files, exported, files_where, ingested};
use crate::support::cli::CliTest;
use crate::support::export::{HEADS, SPLITS};
use ndarray::{Array1, Array2};
use ndarray_npy::read_npy;
use rusqlite::Connection;
use rusqlite::types::Value;
use splendor_prep::encode::FEATURE_COUNT;

#[test]
fn base_features() {
    let test = ingested(30);
    let all = exported(&test, "all", "");
    let base = exported(&test, "base", "--features base");
    let names = all.columns();
    let columns: Vec<usize> = (0..375 + 24).chain(FEATURE_COUNT - 23..FEATURE_COUNT).collect();
    assert_eq!(columns.len(), 422);
    let expected: Vec<&String> = columns.iter().map(|&column| &names[column]).collect();
    assert!(base.columns().iter().eq(expected.iter().copied()));
    assert_eq!(base.json("manifest.json")["settings"]["features"], "base");

    for split in SPLITS {
        let (all, base) = (all.features(split), base.features(split));
        assert_eq!(base.dim(), (all.nrows(), 422));
        for (place, &column) in columns.iter().enumerate() {
            assert!(base.column(place) == all.column(column), "{split} {}", names[column]);
        }
    }
    // Everything except the features is the same.
    let kinds = ["labels", "masks", "index", "mask_validation"];
    let others =
        |out| files_where(&test, out, |name| kinds.iter().any(|kind| name.starts_with(kind)));
    assert_eq!(others("all").len(), 10);
    assert_same_files(&others("all"), &others("base"));
}

#[test]
fn all_ones_masks() {
    let test = ingested(30);
    let legal = exported(&test, "legal", "");
    let all_ones = exported(&test, "all_ones", "--masks all-ones");
    for split in SPLITS {
        for (head, _) in HEADS {
            let expected: Array2<i8> = Array2::ones(legal.masks(split, head).dim());
            assert_eq!(all_ones.masks(split, head), expected, "{split} {head}");
        }
    }
    assert_eq!(all_ones.json("manifest.json")["settings"]["masks"], "all-ones");
    let with_masks = ["manifest.json", "preprocessing_stats.json"];
    let is_other = |name: &str| !name.starts_with("mask") && !with_masks.contains(&name);
    let others = |out| files_where(&test, out, is_other);
    assert_eq!(others("legal").len(), 15);
    assert_same_files(&others("legal"), &others("all_ones"));
}

#[test]
fn npy_layout() {
    let test = ingested(30);
    let npz = exported(&test, "npz", "--layout npz");
    exported(&test, "npy", "--layout npy");
    for split in SPLITS {
        for (head, _) in HEADS {
            let path = |kind: &str| test.path(format!("npy/{kind}_{split}_{head}.npy"));
            let labels: Array1<i32> = read_npy(path("labels")).unwrap();
            assert_eq!(labels, npz.labels(split, head), "{split} {head}");
            let masks: Array2<i8> = read_npy(path("masks")).unwrap();
            assert_eq!(masks, npz.masks(split, head), "{split} {head}");
            assert!(masks.is_standard_layout());
        }
    }
    // The manifest lists different files and the layout.
    let is_other = |name: &str| {
        !["labels_", "masks_", "manifest.json"].iter().any(|start| name.starts_with(start))
    };
    let others = |out| files_where(&test, out, is_other);
    assert_same_files(&others("npz"), &others("npy"));
    assert_eq!(test.files("npy").len(), others("npy").len() + 3 * 2 * HEADS.len() + 1);
    assert!(test.read("npz/manifest.json") != test.read("npy/manifest.json"));
}

/// All rows of the cache, including ingest times.
fn cached_games(test: &CliTest) -> Vec<Vec<Value>> {
    let connection = Connection::open(test.path("data/intermediate/prep.sqlite")).unwrap();
    let mut statement = connection.prepare("SELECT * FROM games ORDER BY game_id").unwrap();
    let columns = statement.column_count();
    let games = statement
        .query_map([], |row| (0..columns).map(|column| row.get(column)).collect())
        .unwrap();
    games.collect::<Result<_, _>>().unwrap()
}

#[test]
fn options_do_not_change_the_cache() {
    let test = ingested(12);
    let before = cached_games(&test);
    assert_eq!(before.len(), 12);
    exported(&test, "first", "");
    for options in [
        "--features base",
        "--masks all-ones",
        "--layout npy",
        "--no-normalize",
        "--split 0.5,0.5,0 --seed 1 --split-method sklearn",
        "--scaler-from first",
    ] {
        exported(&test, "out", options);
        let said = test.prep("ingest raw");
        assert!(said.starts_with("0 games encoded, 12 up to date, 0 deleted, 0 refused"), "{said}");
        assert!(cached_games(&test) == before, "after {options:?}");
    }
}
