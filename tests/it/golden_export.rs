//! Compares complete exports with the expected values: every array, the scaler, the split of
//! scikit-learn and the texts. `golden_encoder.rs` compares the encoder alone.
//!
//! Needs the folder of expected values beside the checkout; prints `skipped` and passes without it.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

use crate::support::cli::CliTest;
use crate::support::export::{Export, HEADS, SPLITS};
use crate::support::{export, golden};
use ndarray::{Array1, Array2, Axis};
use ndarray_npy::NpzReader;
use serde_json::Value;
use std::fs::File;
use std::iter::zip;
use std::path::PathBuf;

const SPLIT: &str = "--split 0.8,0.1,0.1 --split-method sklearn --seed 42";

/// Two exports of the 56 games, and the expected values.
struct Golden {
    dir: PathBuf,
    test: CliTest,
    /// `--no-normalize`
    raw: Export,
    normalized: Export,
    features: Array2<f32>,
    game_ids: Array1<i64>,
    /// The columns of an export that have expected values; later families have none.
    columns: Vec<usize>,
}

impl Golden {
    fn exported() -> Option<Golden> {
        let dir = golden::golden_dir()?;
        let test = CliTest::new();
        std::os::unix::fs::symlink(dir.join("games"), test.path("games")).unwrap();
        assert!(test.prep("ingest games").contains("56 games encoded (56 new; 4,835 rows)"));
        test.prep(&format!("export --out raw --no-normalize {SPLIT}"));
        test.prep(&format!("export --out normalized {SPLIT}"));
        let mut arrays = NpzReader::new(File::open(dir.join("features_raw.npz")).unwrap()).unwrap();
        let raw = Export { folder: test.path("raw") };
        Some(Golden {
            columns: golden::columns(&dir, &raw.columns()),
            raw,
            normalized: Export { folder: test.path("normalized") },
            features: arrays.by_name("features").unwrap(),
            game_ids: arrays.by_name("game_id").unwrap(),
            dir,
            test,
        })
    }

    fn npz(&self, name: &str) -> NpzReader<File> {
        NpzReader::new(File::open(self.dir.join(name)).unwrap()).unwrap()
    }

    fn json(&self, name: &str) -> Value {
        serde_json::from_reader(File::open(self.dir.join(name)).unwrap()).unwrap()
    }

    /// The games of a split, as chosen by scikit-learn.
    fn games(&self, split: &str) -> Vec<i64> {
        serde_json::from_value(self.json("sklearn_split.json")[split].take()).unwrap()
    }

    /// The rows of a split, as indices into the expected arrays.
    fn rows(&self, split: &str) -> Vec<usize> {
        let games = self.games(split);
        let is_chosen = |&(_, game): &(usize, &i64)| games.contains(game);
        let rows: Vec<_> =
            self.game_ids.iter().enumerate().filter(is_chosen).map(|(row, _)| row).collect();
        assert!(!rows.is_empty(), "{split} has rows to compare");
        rows
    }

    /// Mean, variance and scale of every column; 0, 1 and 1 if it is not normalized.
    fn scaler(&self) -> export::Scaler {
        let mut arrays = self.npz("scaler.npz");
        let flags: Array1<bool> = arrays.by_name("normalized").unwrap();
        let count = flags.iter().filter(|&&flag| flag).count();
        // The expected arrays contain only the normalized columns.
        let mut spread = |name, otherwise: f64| -> Vec<f64> {
            let values: Array1<f64> = arrays.by_name(name).unwrap();
            assert_eq!(values.len(), count);
            let mut values = values.into_iter();
            flags
                .iter()
                .map(|&flag| if flag { values.next().unwrap() } else { otherwise })
                .collect()
        };
        export::Scaler {
            mean: spread("mean", 0.0),
            var: spread("var", 1.0),
            scale: spread("scale", 1.0),
            normalized: flags.to_vec(),
        }
    }
}

#[test]
fn split() {
    let Some(golden) = Golden::exported() else { return };
    for export in [&golden.raw, &golden.normalized] {
        let mut games = 0;
        for split in SPLITS {
            assert_eq!(export.games(split), golden.games(split), "{split}");
            games += export.games(split).len();
        }
        assert_eq!(games, 56);
    }
    let names = |folder| golden.test.files(folder).into_keys().collect::<Vec<_>>();
    assert_eq!(names("raw"), names("normalized"));
}

#[test]
fn rows_labels_and_masks() {
    let Some(golden) = Golden::exported() else { return };
    let turn_numbers: Array1<i32> = golden.npz("features_raw.npz").by_name("turn_number").unwrap();
    for split in SPLITS {
        let rows = golden.rows(split);
        for export in [&golden.raw, &golden.normalized] {
            let index = export.index(split);
            assert_eq!(index.game_id, golden.game_ids.select(Axis(0), &rows), "{split}");
            assert_eq!(index.turn_number, turn_numbers.select(Axis(0), &rows), "{split}");
            for (row, &game) in index.game_id.iter().enumerate() {
                let first = index.game_id.iter().position(|&other| other == game).unwrap();
                assert_eq!(index.row_in_game[row], (row - first) as i32, "{split} row {row}");
            }
            for (head, classes) in HEADS {
                let labels: Array1<i32> = golden.npz("labels.npz").by_name(head).unwrap();
                let expected = labels.select(Axis(0), &rows);
                assert_eq!(export.labels(split, head), expected, "{split} {head}");
                let masks: Array2<i8> = golden.npz("masks.npz").by_name(head).unwrap();
                assert_eq!(masks.ncols(), classes);
                let expected = masks.select(Axis(0), &rows);
                assert_eq!(export.masks(split, head), expected, "{split} {head}");
            }
        }
    }
}

#[test]
fn raw_features() {
    let Some(golden) = Golden::exported() else { return };
    let names = golden.raw.columns();
    for split in SPLITS {
        let expected = golden.features.select(Axis(0), &golden.rows(split));
        let features = golden.raw.features(split);
        assert_eq!(features.nrows(), expected.nrows(), "{split}");
        for (expected, &column) in zip(expected.columns(), &golden.columns) {
            assert!(features.column(column) == expected, "{split} {}", names[column]);
        }
    }
}

#[test]
fn normalized_features() {
    let Some(golden) = Golden::exported() else { return };
    let scaler = golden.scaler();
    for split in SPLITS {
        let raw = golden.features.select(Axis(0), &golden.rows(split));
        let features = golden.normalized.features(split).select(Axis(1), &golden.columns);
        assert_eq!(features.dim(), raw.dim(), "{split}");
        for ((row, column), &value) in features.indexed_iter() {
            let x = f64::from(raw[[row, column]]);
            let expected = (x - scaler.mean[column]) / scaler.scale[column];
            let off = (f64::from(value) - expected).abs();
            let tolerance = 2e-6 + 2e-6 * expected.abs();
            assert!(off <= tolerance, "{split} {row} {column}: {value}, not {expected}");
        }
    }
}

#[test]
fn scaler_values() {
    let Some(golden) = Golden::exported() else { return };
    let expected = golden.scaler();
    for export in [&golden.raw, &golden.normalized] {
        let scaler = export.scaler();
        let normalized = golden.columns.iter().map(|&column| scaler.normalized[column]);
        assert_eq!(normalized.collect::<Vec<_>>(), expected.normalized);
        for (name, found, expected) in [
            ("mean", &scaler.mean, &expected.mean),
            ("var", &scaler.var, &expected.var),
            ("scale", &scaler.scale, &expected.scale),
        ] {
            for (&column, expected) in zip(&golden.columns, expected) {
                let found = found[column];
                let off = (found - expected).abs();
                let is_close = off <= 1e-12 * expected.abs();
                assert!(is_close, "{name} of column {column}: {found}, not {expected}");
            }
        }
    }
}

#[test]
fn names_and_label_mappings() {
    let Some(golden) = Golden::exported() else { return };
    for export in [&golden.raw, &golden.normalized] {
        let names = export.columns();
        assert_eq!(golden::columns(&golden.dir, &names), golden.columns);
        let file = "label_mappings.json";
        assert_eq!(export.json(file), golden.json(file));
    }
}

/// The games contain reservations that are not legal moves on purpose, so that counts of illegal labels
/// can be compared.
#[test]
fn mask_validation_report() {
    let Some(golden) = Golden::exported() else { return };
    let expected = golden.json("mask_validation_report.json");
    assert_eq!(expected.as_object().unwrap().len(), HEADS.len() + 2);
    for export in [&golden.raw, &golden.normalized] {
        let report = export.json("mask_validation_report.json")["train"].take();
        for (key, expected) in expected.as_object().unwrap() {
            let Some(counts) = expected.as_object() else {
                assert_eq!(&report[key], expected, "{key}");
                continue;
            };
            for (count, expected) in counts {
                assert_eq!(&report[key][count], expected, "{key} {count}");
            }
        }
    }
    let failures = SPLITS.map(|split| {
        let report = golden.raw.json("mask_validation_report.json");
        report[split]["total_failures"].as_u64().unwrap()
    });
    let ran = golden.test.run(&format!("export --out raw {SPLIT}"));
    let warning = format!("warning: {} labels not legal", failures.iter().sum::<u64>());
    assert!(ran.code == 0 && ran.stderr.contains(&warning), "{ran:#?}");
}
