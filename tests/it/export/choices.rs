//! The choices of an export: features, masks, layout. They do not change the cache.

use super::{assert_same_files, exported, ingested};
use crate::support::cli::CliTest;
use crate::support::export::{HEADS, SPLITS};
use ndarray::{Array1, Array2};
use ndarray_npy::read_npy;
use rusqlite::Connection;
use rusqlite::types::Value;
use splendor_prep::encode::FEATURE_COUNT;
use std::path::Path;

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
    let (mut all, mut base) = (test.files("all"), test.files("base"));
    for files in [&mut all, &mut base] {
        files.retain(|path, _| {
            ["labels", "masks", "index", "mask_validation"]
                .iter()
                .any(|kind| path.to_str().unwrap().starts_with(kind))
        });
        assert_eq!(files.len(), 10);
    }
    assert_same_files(&all, &base);
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
    let (mut legal, mut all_ones) = (test.files("legal"), test.files("all_ones"));
    for files in [&mut legal, &mut all_ones] {
        files.retain(|path, _| {
            let name = path.to_str().unwrap();
            !name.starts_with("mask")
                && !["manifest.json", "preprocessing_stats.json"].contains(&name)
        });
        assert_eq!(files.len(), 15);
    }
    assert_same_files(&legal, &all_ones);
}

#[test]
fn npy_layout() {
    let test = ingested(30);
    let npz = exported(&test, "npz", "--layout npz");
    exported(&test, "npy", "--layout npy");
    let mut others = test.files("npy");
    for split in SPLITS {
        for (head, _) in HEADS {
            let path = |kind: &str| format!("npy/{kind}_{split}_{head}.npy");
            let labels: Array1<i32> = read_npy(test.path(path("labels"))).unwrap();
            assert_eq!(labels, npz.labels(split, head), "{split} {head}");
            let masks: Array2<i8> = read_npy(test.path(path("masks"))).unwrap();
            assert_eq!(masks, npz.masks(split, head), "{split} {head}");
            assert!(masks.is_standard_layout());
            for kind in ["labels", "masks"] {
                others.retain(|other, _| *other != *path(kind).strip_prefix("npy/").unwrap());
            }
        }
    }
    let mut expected = test.files("npz");
    expected.retain(|path, _| {
        let name = path.to_str().unwrap();
        !name.starts_with("labels_") && !name.starts_with("masks_")
    });
    // The manifest lists different files and the layout.
    let manifest = Path::new("manifest.json");
    assert!(expected.remove(manifest).unwrap() != others.remove(manifest).unwrap());
    assert_same_files(&expected, &others);
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
