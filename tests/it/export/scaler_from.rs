//! `--scaler-from`: the scaler of an earlier export, for a model that was trained with it.

use super::{assert_same_files, exported, ingested};
use crate::support::cli::CliTest;
use crate::support::export::{Export, SPLITS, normalized_feature_count};
use ndarray::Array1;
use ndarray_npy::NpzWriter;
use splendor_prep::encode::{FEATURE_COUNT, FEATURES};
use std::fs::{self, File};
use std::path::Path;

/// An export in `first`, and other games in `other.sqlite`.
fn two_corpora() -> CliTest {
    let test = ingested(30);
    exported(&test, "first", "");
    test.prep("simulate other --games 20 --seed 7 --first-id 101");
    test.prep("ingest other --cache other.sqlite");
    test
}

/// `column` and `mean_shift` of each column that `preprocessing_stats.json` lists.
fn drift(export: &Export) -> Vec<(String, f64)> {
    let listed = export.json("preprocessing_stats.json")["drift"].take();
    let column = |entry: &serde_json::Value| {
        (entry["column"].as_str().unwrap().to_owned(), entry["mean_shift"].as_f64().unwrap())
    };
    listed.as_array().unwrap().iter().map(column).collect()
}

#[test]
fn own_scaler_gives_the_same_export() {
    let test = ingested(30);
    let first = exported(&test, "first", "");
    assert!(first.json("preprocessing_stats.json")["drift"].is_null());
    let said = test.prep("export --out again --scaler-from first");
    assert!(said.contains("no mean drifted since the scaler was fitted\n"), "{said}");
    assert!(!said.contains(" standard deviations"), "{said}");

    let drift = drift(&Export { folder: test.path("again") });
    assert_eq!(drift.len(), normalized_feature_count());
    assert!(drift.iter().all(|(_, shift)| *shift == 0.0), "{drift:?}");
    let (mut first, mut again) = (test.files("first"), test.files("again"));
    for file in ["manifest.json", "preprocessing_stats.json"] {
        // These files contain the origin of the scaler, and the drift.
        assert!(first.remove(Path::new(file)).unwrap() != again.remove(Path::new(file)).unwrap());
    }
    assert_same_files(&first, &again);
}

#[test]
fn export_replaced_with_its_own_scaler() {
    let test = two_corpora();
    let scaler = fs::read(test.path("first/scaler.npz")).unwrap();
    let export = exported(&test, "first", "--scaler-from first --cache other.sqlite");
    assert!(fs::read(test.path("first/scaler.npz")).unwrap() == scaler);
    assert!(export.games("train").iter().all(|&game| game > 100));
}

#[test]
fn scaler_of_other_games() {
    let test = two_corpora();
    let options = "--cache other.sqlite --split 0.4,0.3,0.3";
    let scaled = exported(&test, "scaled", &format!("--scaler-from first {options}"));
    let raw = exported(&test, "raw_arrays", &format!("--no-normalize {options}"));
    let same_scaler = fs::read(test.path("first/scaler.npz")).unwrap()
        == fs::read(test.path("scaled/scaler.npz")).unwrap();
    assert!(same_scaler, "scaler.npz is the earlier one");
    let first = Export { folder: test.path("first") }.json("manifest.json");
    let origin = format!("fitted in export {}", first["export_id"].as_str().unwrap());
    assert_eq!(scaled.json("manifest.json")["settings"]["scaler"], origin);
    let scaler = Export { folder: test.path("first") }.scaler();
    for split in SPLITS {
        let (raw, scaled) = (raw.features(split), scaled.features(split));
        assert!(raw.nrows() > 0, "{split} has rows");
        for ((row, column), &value) in scaled.indexed_iter() {
            let x = f64::from(raw[[row, column]]);
            let expected = ((x - scaler.mean[column]) / scaler.scale[column]) as f32;
            assert_eq!(value.to_bits(), expected.to_bits(), "{split} {row} {column}");
        }
    }
}

#[test]
fn listed_drift() {
    let test = two_corpora();
    let said = test.prep("export --out scaled --scaler-from first --cache other.sqlite");
    let own = exported(&test, "own", "--cache other.sqlite");
    let (old, new) = (Export { folder: test.path("first") }.scaler(), own.scaler());
    let drift = drift(&Export { folder: test.path("scaled") });

    let names = own.columns();
    assert_eq!(drift.len(), normalized_feature_count(), "every normalized column once");
    for (name, shift) in &drift {
        let column = names.iter().position(|other| other == name).unwrap();
        assert!(old.normalized[column], "{name}");
        let expected = (new.mean[column] - old.mean[column]) / old.scale[column];
        // A number read from JSON may differ in its last bit.
        let off = (shift - expected).abs();
        assert!(off <= 1e-15 * expected.abs(), "{name}: {shift}, not {expected}");
    }
    let is_sorted = drift.windows(2).all(|pair| pair[0].1.abs() >= pair[1].1.abs());
    assert!(is_sorted && drift[0].1 != 0.0, "{:?}", &drift[..10]);
    for (name, shift) in &drift[..5] {
        assert!(said.contains(&format!("  {name} by {shift:+.3} standard deviations")), "{said}");
    }
}

#[track_caller]
fn refused(test: &CliTest, options: &str, sentence: &str) {
    let ran = test.run(&format!("export --out out {options}"));
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{ran:#?}");
    assert!(ran.stderr.contains(sentence), "{sentence:?} is not in {ran:#?}");
    assert!(!test.path("out").exists(), "nothing was exported");
}

#[test]
fn scaler_for_other_columns() {
    let test = ingested(6);
    exported(&test, "all", "");
    exported(&test, "base", "--features base");
    let sentence = format!(
        "cannot use the scaler of base: it has 422 columns, this export has {FEATURE_COUNT}: \
         choose the same features"
    );
    refused(&test, "--scaler-from base", &sentence);
    let sentence = format!(
        "cannot use the scaler of all: it has {FEATURE_COUNT} columns, this export has 422: \
         choose the same features"
    );
    refused(&test, "--scaler-from all --features base", &sentence);

    // The same number of columns, but different ones.
    let path = test.path("all/feature_cols.json");
    let names = fs::read_to_string(&path).unwrap().replace("\"card3_position\"", "\"card3_place\"");
    fs::write(&path, names).unwrap();
    let sentence = "cannot use the scaler of all: its column 378 is card3_place, but that of \
                    this export is card3_position: use an export of the same version of prep";
    refused(&test, "--scaler-from all", sentence);
}

#[test]
fn invalid_scaler() {
    let test = ingested(6);
    refused(
        &test,
        "--scaler-from nowhere",
        "cannot use the scaler of nowhere: it does not exist: give a folder that `prep export` wrote",
    );
    exported(&test, "first", "");
    let scaler = test.path("first/scaler.npz");
    let normalized = || FEATURES.iter().map(|feature| feature.normalized);
    let flag = normalized().position(|normalized| !normalized).unwrap();
    type Change<'a> = dyn Fn(&mut [Vec<f64>; 3], &mut Vec<bool>) + 'a;
    let refused_with = |change: &Change<'_>, why: &str| {
        let ones = vec![1.0; FEATURES.len()];
        let mut arrays = [vec![0.0; FEATURES.len()], ones.clone(), ones];
        let mut flags: Vec<bool> = normalized().collect();
        change(&mut arrays, &mut flags);
        let mut npz = NpzWriter::new(File::create(&scaler).unwrap());
        for (name, values) in ["mean", "var", "scale"].into_iter().zip(arrays) {
            npz.add_array(name, &Array1::from(values)).unwrap();
        }
        npz.add_array("normalized", &Array1::from(flags)).unwrap();
        npz.finish().unwrap();
        let sentence = format!("cannot use the scaler of first: scaler.npz {why}");
        refused(&test, "--scaler-from first", &sentence);
    };
    let impossible = "holds impossible values for gems_board_gold";
    for scale in [0.0, f64::NAN, f64::INFINITY, -1.0, 1e-300] {
        refused_with(&|[_, _, scales], _| scales[5] = scale, impossible);
    }
    for mean in [f64::NAN, 1e300] {
        refused_with(&|[means, ..], _| means[5] = mean, impossible);
    }
    refused_with(&|[_, vars, _], _| vars[5] = f64::NAN, impossible);
    let of_a_flag = format!("holds impossible values for {}", FEATURES[flag].name);
    refused_with(&|[means, ..], _| means[flag] = 1.0, &of_a_flag);
    // Other pipelines normalize other columns, but the manifest has the id of this scaler.
    refused_with(&|_, flags| flags[flag] = true, "(");
    let cut = |[means, ..]: &mut [Vec<f64>; 3], _: &mut Vec<bool>| _ = means.pop();
    refused_with(&cut, "does not hold one value for each column");
    fs::write(&scaler, "not a zip").unwrap();
    refused(
        &test,
        "--scaler-from first",
        "cannot use the scaler of first: its scaler.npz is invalid (",
    );
    fs::remove_file(&scaler).unwrap();
    refused(
        &test,
        "--scaler-from first",
        "cannot use the scaler of first: it has no scaler.npz: export that folder again",
    );
}
