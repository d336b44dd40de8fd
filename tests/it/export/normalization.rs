//! Normalization of `X`, recomputed from the unnormalized rows in two passes with float64.

use super::{exported, ingested};
use crate::support::export::{Export, SPLITS, Scaler, normalized_feature_count};
use splendor_prep::encode::FEATURE_COUNT;

#[test]
fn normalized_values() {
    let test = ingested(30);
    for options in ["", "--features base"] {
        let raw = exported(&test, "raw_arrays", &format!("--no-normalize {options}"));
        let export = exported(&test, "normalized", options);
        let scaler = export.scaler();
        assert_eq!(scaler, raw.scaler(), "--no-normalize writes the same scaler");
        compare_with_two_passes(&raw, &scaler);
        for split in SPLITS {
            let (raw, normalized) = (raw.features(split), export.features(split));
            assert_eq!(raw.dim(), normalized.dim());
            for ((row, column), &value) in normalized.indexed_iter() {
                let x = f64::from(raw[[row, column]]);
                let expected = ((x - scaler.mean[column]) / scaler.scale[column]) as f32;
                let is_same = value.to_bits() == expected.to_bits() && value.is_finite();
                assert!(is_same, "{split} {row} {column}: {value}, not {expected}");
            }
        }
    }
}

fn compare_with_two_passes(raw: &Export, scaler: &Scaler) {
    let train = raw.features("train");
    let rows = train.nrows() as f64;
    let mut constant = 0;
    for (column, name) in raw.columns().iter().enumerate() {
        let values = || train.column(column).into_iter().map(|&value| f64::from(value));
        if !scaler.normalized[column] {
            let found = (scaler.mean[column], scaler.var[column], scaler.scale[column]);
            assert_eq!(found, (0.0, 1.0, 1.0), "{name}");
            continue;
        }
        // The sum of integers is exact, and only the division rounds.
        let mean = values().sum::<f64>() / rows;
        assert_eq!(scaler.mean[column], mean, "mean of {name}");
        let var = values().map(|value| (value - mean).powi(2)).sum::<f64>() / rows;
        let off = (scaler.var[column] - var).abs();
        assert!(off <= 1e-12 * var, "variance of {name}: {}, not {var}", scaler.var[column]);
        let is_constant = values().all(|value| value == mean);
        let scale = if is_constant { 1.0 } else { var.sqrt() };
        let off = (scaler.scale[column] - scale).abs();
        assert!(off <= 1e-12 * scale, "scale of {name}: {}, not {scale}", scaler.scale[column]);
        constant += usize::from(is_constant);
    }
    // For example the number of bought cards, which logs do not record.
    assert!(constant > 0, "no constant column was looked at");
}

#[test]
fn flags_are_not_normalized() {
    let test = ingested(6);
    let export = exported(&test, "out", "");
    let (names, scaler) = (export.columns(), export.scaler());
    let one_hot = names.len() - 23;
    let is_flag = |(column, name): (usize, &String)| {
        let is_bonus = ["white", "blue", "green", "red", "black"]
            .iter()
            .any(|color| name.ends_with(&format!("_bonus_{color}")));
        let parts = ["position", "can_build", "must_use_gold", "acquirable", "can_take2_"];
        column >= one_hot || is_bonus || parts.iter().any(|part| name.contains(part))
    };
    let normalized: Vec<bool> = names.iter().enumerate().map(|name| !is_flag(name)).collect();
    assert_eq!(scaler.normalized, normalized);
    let count = normalized.iter().filter(|&&normalized| normalized).count();
    assert_eq!(count, normalized_feature_count());
}

/// A single game in val, so there are no rows to fit a scaler to.
#[test]
fn no_training_rows() {
    let test = ingested(1);
    let earlier = exported(&test, "earlier", "--split 1,0,0");
    let split = "--split 0.000001,0.999998,0.000001";
    let ran = test.run(&format!("export --out out {split}"));
    assert_eq!(ran.code, 1, "{ran:#?}");
    let sentence = "there are no training rows to fit the scaler on: raise the train ratio, \
                    or export with --no-normalize or --scaler-from";
    assert!(ran.stderr.contains(sentence), "{ran:#?}");
    assert!(!test.path("out").exists());

    let raw = exported(&test, "raw_arrays", &format!("--no-normalize {split}"));
    assert_eq!(raw.features("train").dim(), (0, FEATURE_COUNT));
    let all = exported(&test, "all", "--split 1,0,0 --no-normalize").features("train");
    assert_eq!(raw.features("val"), all);
    assert!(!raw.folder.join("scaler.npz").exists(), "there is no scaler to write");

    let scaled = exported(&test, "scaled", &format!("--scaler-from earlier {split}"));
    assert_eq!(scaled.features("val"), earlier.features("train"));
    assert_eq!(scaled.scaler(), earlier.scaler());
    assert!(scaled.json("preprocessing_stats.json")["drift"].is_null());
}
