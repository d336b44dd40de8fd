//! Reads an export like a training script: arrays by split and head, JSON by name.

use ndarray::{Array1, Array2};
use ndarray_npy::{NpzReader, read_npy};
use serde_json::Value;
use splendor_prep::encode::FEATURES;
use std::fs::{self, File};
use std::path::PathBuf;

/// The splits, in the order of their ratios.
pub(crate) const SPLITS: [&str; 3] = ["train", "val", "test"];

/// The names of the heads, each with its number of classes.
pub(crate) const HEADS: [(&str, usize); 7] = [
    ("action_type", 4),
    ("card_selection", 15),
    ("card_reservation", 15),
    ("gem_take3", 26),
    ("gem_take2", 5),
    ("noble", 5),
    ("gems_removed", 84),
];

/// The number of features that an export normalizes.
pub(crate) fn normalized_feature_count() -> usize {
    FEATURES.iter().filter(|feature| feature.normalized).count()
}

/// A folder with an export. All methods panic if an array is missing or has the wrong type or number of
/// dimensions.
pub(crate) struct Export {
    pub(crate) folder: PathBuf,
}

/// The source of each row.
#[derive(Debug, PartialEq)]
pub(crate) struct Index {
    pub(crate) game_id: Array1<i64>,
    pub(crate) turn_number: Array1<i32>,
    pub(crate) row_in_game: Array1<i32>,
}

/// One value per column.
#[derive(Debug, PartialEq)]
pub(crate) struct Scaler {
    pub(crate) mean: Vec<f64>,
    pub(crate) var: Vec<f64>,
    pub(crate) scale: Vec<f64>,
    pub(crate) normalized: Vec<bool>,
}

impl Export {
    pub(crate) fn features(&self, split: &str) -> Array2<f32> {
        let features: Array2<f32> =
            read_npy(self.folder.join(format!("X_{split}.npy"))).expect("an array of features");
        assert!(features.is_standard_layout(), "X_{split} is in C order");
        features
    }

    pub(crate) fn labels(&self, split: &str, head: &str) -> Array1<i32> {
        self.npz(&format!("labels_{split}.npz")).by_name(head).expect("labels")
    }

    pub(crate) fn masks(&self, split: &str, head: &str) -> Array2<i8> {
        let masks: Array2<i8> =
            self.npz(&format!("masks_{split}.npz")).by_name(head).expect("masks");
        assert!(masks.is_standard_layout(), "{head} masks of {split} are in C order");
        masks
    }

    pub(crate) fn index(&self, split: &str) -> Index {
        let mut arrays = self.npz(&format!("index_{split}.npz"));
        Index {
            game_id: arrays.by_name("game_id").expect("game ids"),
            turn_number: arrays.by_name("turn_number").expect("turn numbers"),
            row_in_game: arrays.by_name("row_in_game").expect("rows in games"),
        }
    }

    /// One of `won`, `place`, `margin` and `rounds_left`.
    pub(crate) fn outcome(&self, split: &str, name: &str) -> Array1<i32> {
        self.npz(&format!("outcome_{split}.npz")).by_name(name).expect("outcomes")
    }

    pub(crate) fn scaler(&self) -> Scaler {
        let mut arrays = self.npz("scaler.npz");
        let mut floats = |name| -> Vec<f64> {
            let array: Array1<f64> = arrays.by_name(name).expect("an array of the scaler");
            array.to_vec()
        };
        let (mean, var, scale) = (floats("mean"), floats("var"), floats("scale"));
        let normalized: Array1<bool> = arrays.by_name("normalized").expect("flags");
        Scaler { mean, var, scale, normalized: normalized.to_vec() }
    }

    pub(crate) fn json(&self, name: &str) -> Value {
        let text = fs::read(self.folder.join(name)).expect("a file of the export");
        serde_json::from_slice(&text).expect("JSON")
    }

    /// The games of a split, from the manifest.
    pub(crate) fn games(&self, split: &str) -> Vec<i64> {
        let games = self.json("manifest.json")["splits"][split]["game_ids"].take();
        serde_json::from_value(games).expect("a list of game ids")
    }

    /// Names of the columns, in order.
    pub(crate) fn columns(&self) -> Vec<String> {
        serde_json::from_value(self.json("feature_cols.json")).expect("a list of names")
    }

    fn npz(&self, name: &str) -> NpzReader<File> {
        let file = File::open(self.folder.join(name)).expect("a file of the export");
        NpzReader::new(file).expect("an npz file")
    }
}
