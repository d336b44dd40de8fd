//! `--columns`: the columns of an earlier `feature_cols.json`, in its order, for a model that was trained on
//! them.

use super::{assert_same_files, exported, ingested};
use crate::support::cli::CliTest;
use crate::support::export::{Export, SPLITS};
use rand_mt::Mt64;
use splendor_prep::encode::FEATURE_COUNT;

const OPTIONS: &str = "--split 0.5,0.3,0.2 --seed 3";

/// Most columns in a random order, with the turn number among them, in `old.json`.
fn old_columns(test: &CliTest, all: &Export) -> Vec<String> {
    let mut dice = Mt64::new(5);
    let mut columns = all.columns();
    for place in (1..columns.len()).rev() {
        columns.swap(place, (dice.next_u64() % (place as u64 + 1)) as usize);
    }
    columns.truncate(1_250);
    columns.insert(777, "turn_number".to_owned());
    test.write("old.json", serde_json::to_vec(&columns).unwrap());
    columns
}

/// Mean and population standard deviation by the textbook formula.
fn mean_and_deviation(values: &[f64]) -> (f64, f64) {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let squares = values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>();
    (mean, (squares / values.len() as f64).sqrt())
}

#[test]
fn named_columns_in_their_order() {
    let test = ingested(20);
    let all = exported(&test, "all", OPTIONS);
    let raw_all = exported(&test, "raw_all", &format!("--no-normalize {OPTIONS}"));
    let columns = old_columns(&test, &all);
    let old = exported(&test, "old", &format!("--columns old.json {OPTIONS}"));
    let raw = exported(&test, "raw_old", &format!("--columns old.json --no-normalize {OPTIONS}"));
    assert_eq!(old.columns(), columns);
    assert_eq!(old.json("manifest.json")["settings"]["features"], "columns");
    assert_eq!(old.json("manifest.json")["settings"]["columns"], 1_251);

    let place_of = |name: &str| all.columns().iter().position(|column| column == name);
    let (places, of_all) = (columns.iter().map(|name| place_of(name)), all.scaler());
    let places: Vec<Option<usize>> = places.collect();
    let scaler = old.scaler();
    for split in SPLITS {
        let turns: Vec<f64> =
            old.index(split).turn_number.iter().map(|&turn| turn.into()).collect();
        if split == "train" {
            let (mean, deviation) = mean_and_deviation(&turns);
            assert!((scaler.mean[777] - mean).abs() < 1e-9 && mean > 1.0);
            assert!((scaler.scale[777] - deviation).abs() < 1e-9 && scaler.normalized[777]);
        }
        let (scaled, unscaled) = (all.features(split), raw_all.features(split));
        let (found, found_raw) = (old.features(split), raw.features(split));
        assert_eq!(found.dim(), (turns.len(), 1_251));
        for (column, place) in places.iter().enumerate() {
            let Some(place) = *place else {
                let expected = turns
                    .iter()
                    .map(|turn| ((turn - scaler.mean[column]) / scaler.scale[column]) as f32);
                assert!(found.column(column).iter().copied().eq(expected));
                assert!(
                    found_raw.column(column).iter().map(|&turn| f64::from(turn)).eq(turns.clone())
                );
                continue;
            };
            assert_eq!(scaler.mean[column].to_bits(), of_all.mean[place].to_bits());
            assert!(found.column(column) == scaled.column(place), "{}", columns[column]);
            assert!(found_raw.column(column) == unscaled.column(place), "{}", columns[column]);
        }
    }
    // The other files are those of any export of these games.
    for file in ["labels_val.npz", "masks_val.npz", "index_val.npz"] {
        assert!(test.read(format!("old/{file}")) == test.read(format!("all/{file}")), "{file}");
    }
}

#[test]
fn threads_and_own_columns_file() {
    let test = ingested(20);
    let all = exported(&test, "all", OPTIONS);
    old_columns(&test, &all);
    let one = exported(&test, "one", &format!("--columns old.json --jobs 1 {OPTIONS}"));
    let expected = test.files("one");
    exported(&test, "four", &format!("--columns old.json --jobs 4 {OPTIONS}"));
    assert_same_files(&expected, &test.files("four"));
    // In the same folder, and with its own scaler.
    exported(&test, "four", &format!("--columns four/feature_cols.json {OPTIONS}"));
    assert_same_files(&expected, &test.files("four"));
    let again =
        exported(&test, "again", &format!("--columns old.json --scaler-from one {OPTIONS}"));
    assert!(test.read("again/X_test.npy") == test.read("one/X_test.npy"));
    assert_ne!(again.json("manifest.json")["export_id"], all.json("manifest.json")["export_id"]);
    let ran = test.run("export --out refused --scaler-from all --columns old.json");
    assert_eq!(ran.code, 1);
    let sentence =
        format!("it has {FEATURE_COUNT} columns, this export has {}", one.columns().len());
    assert!(ran.stderr.contains(&sentence), "{}", ran.stderr);
}

#[test]
fn columns_of_a_feature_set() {
    let test = ingested(12);
    for features in ["all", "base"] {
        exported(&test, "plain", &format!("--features {features}"));
        exported(&test, "named", "--columns plain/feature_cols.json");
        assert_same_files(&test.files("plain"), &test.files("named"));
    }
}
