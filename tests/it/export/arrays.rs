//! The files of an export, the shape of every array, the order of the rows, and values that can be
//! compared directly with the logs.

use super::{Log, exported, ingested, logs};
use crate::support::cli::CliTest;
use crate::support::export::{Export, HEADS, SPLITS};
use splendor_prep::encode::FEATURE_COUNT;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;

const GAMES: u32 = 30;

#[test]
fn files_match_the_manifest() {
    let test = ingested(GAMES);
    let export = exported(&test, "out", "");
    exported(&test, "base", "--features base");
    let mut expected: BTreeSet<String> = [
        "feature_cols.json",
        "label_mappings.json",
        "manifest.json",
        "mask_validation_report.json",
        "preprocessing_stats.json",
        "scaler.npz",
    ]
    .map(str::to_owned)
    .into();
    for split in SPLITS {
        expected.insert(format!("X_{split}.npy"));
        for kind in ["labels", "masks", "index", "outcome"] {
            expected.insert(format!("{kind}_{split}.npz"));
        }
    }
    let names: BTreeSet<String> =
        test.files("out").keys().map(|path| path.to_str().unwrap().to_owned()).collect();
    assert_eq!(names, expected);
    assert_manifest_is_right(&test, &export);

    let export = exported(&test, "other", "--layout npy --features base --scaler-from base");
    assert_manifest_is_right(&test, &export);
}

/// The manifest lists exactly the other files of the folder.
fn assert_manifest_is_right(test: &CliTest, export: &Export) {
    let mut listed = export.json("manifest.json")["files"].take();
    for (path, bytes) in test.files(export.folder.to_str().unwrap()) {
        let name = path.to_str().unwrap();
        if name == "manifest.json" {
            continue;
        }
        let entry = listed.as_object_mut().unwrap().remove(name).unwrap();
        assert_eq!(entry["bytes"], bytes.len(), "{name}");
        assert_eq!(entry["blake3"], blake3::hash(&bytes).to_hex().as_str(), "{name}");
    }
    assert_eq!(listed, serde_json::json!({}), "files that are listed and not there");
}

/// `np.load(..., mmap_mode="r")` needs a plain header, and elements at an aligned offset up to the end
/// of the file.
#[test]
fn features_are_aligned_for_mapping() {
    let test = ingested(GAMES);
    let export = exported(&test, "out", "");
    for split in SPLITS {
        let rows = export.features(split).nrows();
        let bytes = fs::read(export.folder.join(format!("X_{split}.npy"))).unwrap();
        assert_eq!(bytes[..8], *b"\x93NUMPY\x01\x00");
        let data = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
        let header = std::str::from_utf8(&bytes[10..data]).unwrap();
        for part in
            ["'descr': '<f4'", "'fortran_order': False", &format!("({rows}, {FEATURE_COUNT})")]
        {
            assert!(header.contains(part), "{header}");
        }
        assert_eq!(data % 64, 0);
        assert_eq!(bytes.len(), data + rows * FEATURE_COUNT * 4);
    }
}

fn read_logs(test: &CliTest) -> BTreeMap<i64, Log> {
    let logs = logs(test, "raw");
    assert_eq!(logs.len(), GAMES as usize);
    logs.into_iter().map(|(game, path)| (game, Log::read(&path))).collect()
}

#[test]
fn one_row_for_each_turn() {
    let test = ingested(GAMES);
    let export = exported(&test, "out", "");
    let logs = read_logs(&test);
    for split in SPLITS {
        let rows: usize = export.games(split).iter().map(|game| logs[game].turns.len()).sum();
        assert!(rows > 100, "{split} has rows to look at");
        assert_eq!(export.features(split).dim(), (rows, FEATURE_COUNT));
        for (head, classes) in HEADS {
            assert_eq!(export.labels(split, head).len(), rows, "{split} {head}");
            assert_eq!(export.masks(split, head).dim(), (rows, classes), "{split} {head}");
        }
        let index = export.index(split);
        let lengths = [index.game_id.len(), index.turn_number.len(), index.row_in_game.len()];
        assert_eq!(lengths, [rows; 3], "{split}");
    }
}

#[test]
fn order_of_rows() {
    let test = ingested(GAMES);
    let export = exported(&test, "out", "");
    let logs = read_logs(&test);
    for split in SPLITS {
        let mut expected = Vec::new();
        let mut games = export.games(split);
        games.sort();
        for game in games {
            let log = &logs[&game];
            for turn in 0..log.turns.len() {
                let turn_number = log.number(turn, log.place("turn_number"));
                expected.push((game, turn_number as i32, turn as i32));
            }
        }
        let index = export.index(split);
        let found: Vec<_> = (0..index.game_id.len())
            .map(|row| (index.game_id[row], index.turn_number[row], index.row_in_game[row]))
            .collect();
        assert_eq!(found, expected, "{split}");
    }
}

/// The state columns equal the logs, except for the cards, which the encoder compacts.
#[test]
fn values_equal_the_log() {
    let test = ingested(GAMES);
    let export = exported(&test, "out", "--no-normalize");
    let names = export.columns();
    let logs = read_logs(&test);
    let mut compared = 0;
    for split in SPLITS {
        let features = export.features(split);
        let index = export.index(split);
        for row in 0..features.nrows() {
            let (log, turn) = (&logs[&index.game_id[row]], index.row_in_game[row] as usize);
            for (column, name) in names[..375].iter().enumerate() {
                if name.starts_with("card") || name.contains("_reserved") {
                    continue;
                }
                let logged = log.number(turn, log.place(name));
                assert_eq!(features[[row, column]], logged, "{split} {row} {name}");
                compared += 1;
            }
        }
    }
    assert!(compared > 100_000, "{compared} values were compared");
}

#[test]
fn one_hot_columns() {
    let test = ingested(GAMES);
    // One-hot columns are not normalized.
    let export = exported(&test, "out", "");
    let names = export.columns();
    let logs = read_logs(&test);
    // The position of an absent player is missing and encoded as seat 0.
    let categories = [
        ("current_player", 0..4),
        ("num_players", 2..5),
        ("player0_position", 0..4),
        ("player1_position", 0..4),
        ("player2_position", 0..4),
        ("player3_position", 0..4),
    ];
    for split in SPLITS {
        let features = export.features(split);
        let index = export.index(split);
        for (category, values) in &categories {
            for value in values.clone() {
                let name = format!("{category}_{value}");
                let column = names.iter().position(|other| *other == name).unwrap();
                for row in 0..features.nrows() {
                    let (log, turn) = (&logs[&index.game_id[row]], index.row_in_game[row] as usize);
                    let is_it = log.number(turn, log.place(category)) == value as f32;
                    let expected = f32::from(u8::from(is_it));
                    assert_eq!(features[[row, column]], expected, "{split} {row} {name}");
                }
            }
        }
    }
}

#[test]
fn labels_and_masks() {
    let test = ingested(GAMES);
    let export = exported(&test, "out", "");
    for split in SPLITS {
        for (head, classes) in HEADS {
            let masks = export.masks(split, head);
            assert!(masks.iter().all(|&flag| flag == 0 || flag == 1), "{split} {head}");
            for (row, &label) in export.labels(split, head).iter().enumerate() {
                assert!((-1..classes as i32).contains(&label), "{split} {head} {row}: {label}");
                let is_legal = label == -1 || masks[[row, label as usize]] == 1;
                assert!(is_legal, "{split} {head} {row}: {label}");
            }
        }
    }
}

#[test]
fn features_are_finite() {
    let test = ingested(GAMES);
    for (out, options) in
        [("all", ""), ("as_encoded", "--no-normalize"), ("base", "--features base")]
    {
        let export = exported(&test, out, options);
        for split in SPLITS {
            assert!(export.features(split).iter().all(|value| value.is_finite()), "{out} {split}");
        }
        let scaler = export.scaler();
        let numbers = [&scaler.mean, &scaler.var, &scaler.scale];
        assert!(numbers.into_iter().flatten().all(|value| value.is_finite()), "{out}");
    }
}
