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

fn read_logs(test: &CliTest) -> BTreeMap<i64, Log> {
    let logs = logs(test, "raw");
    assert_eq!(logs.len(), GAMES as usize);
    logs.into_iter().map(|(game, path)| (game, Log::read(&path))).collect()
}

#[test]
fn one_row_for_each_turn_in_order() {
    let test = ingested(GAMES);
    let export = exported(&test, "out", "");
    let logs = read_logs(&test);
    for split in SPLITS {
        let mut games = export.games(split);
        games.sort();
        let mut expected = Vec::new();
        for game in games {
            let log = &logs[&game];
            let turn_number = |turn| log.number(turn, log.place("turn_number")) as i32;
            expected
                .extend((0..log.turns.len()).map(|turn| (game, turn_number(turn), turn as i32)));
        }
        let index = export.index(split);
        let turns = index.turn_number.iter().copied().zip(index.row_in_game);
        let found =
            index.game_id.into_iter().zip(turns).map(|(game, (turn, row))| (game, turn, row));
        assert_eq!(found.collect::<Vec<_>>(), expected, "{split}");

        let rows = expected.len();
        assert!(rows > 100, "{split} has rows to look at");
        assert_eq!(export.features(split).dim(), (rows, FEATURE_COUNT));
        assert_mappable(&export, split, rows);
        for (head, classes) in HEADS {
            let (labels, masks) = (export.labels(split, head), export.masks(split, head));
            assert_eq!((labels.len(), masks.dim()), (rows, (rows, classes)), "{split} {head}");
            assert!(masks.iter().all(|&flag| flag == 0 || flag == 1), "{split} {head}");
            for (row, &label) in labels.iter().enumerate() {
                assert!((-1..classes as i32).contains(&label), "{split} {head} {row}: {label}");
                let is_legal = label == -1 || masks[[row, label as usize]] == 1;
                assert!(is_legal, "{split} {head} {row}: {label}");
            }
        }
    }
}

/// `np.load(..., mmap_mode="r")` needs a plain header, and elements at an aligned offset up to the end
/// of the file.
fn assert_mappable(export: &Export, split: &str, rows: usize) {
    let bytes = fs::read(export.folder.join(format!("X_{split}.npy"))).unwrap();
    assert_eq!(bytes[..8], *b"\x93NUMPY\x01\x00");
    let data = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let header = std::str::from_utf8(&bytes[10..data]).unwrap();
    let shape = format!("({rows}, {FEATURE_COUNT})");
    for part in ["'descr': '<f4'", "'fortran_order': False", &shape] {
        assert!(header.contains(part), "{header}");
    }
    assert_eq!(data % 64, 0);
    assert_eq!(bytes.len(), data + rows * FEATURE_COUNT * 4);
}

/// The state columns equal the logs, except for the cards, which the encoder compacts, and so do the one-hot
/// columns.
#[test]
fn values_equal_the_log() {
    let test = ingested(GAMES);
    let export = exported(&test, "out", "--no-normalize");
    let names = export.columns();
    let logs = read_logs(&test);
    let is_card = |name: &str| name.starts_with("card") || name.contains("_reserved");
    let state = names[..375].iter().enumerate().filter(|(_, name)| !is_card(name));
    let one_hot = names.iter().enumerate().skip(FEATURE_COUNT - 23);
    assert_eq!(one_hot.len(), 23);
    let mut compared = 0;
    for split in SPLITS {
        let features = export.features(split);
        let index = export.index(split);
        for row in 0..features.nrows() {
            let (log, turn) = (&logs[&index.game_id[row]], index.row_in_game[row] as usize);
            let logged = |name: &str| log.number(turn, log.place(name));
            for (column, name) in state.clone() {
                assert_eq!(features[[row, column]], logged(name), "{split} {row} {name}");
                compared += 1;
            }
            for (column, name) in one_hot.clone() {
                // The position of an absent player is missing and encoded as seat 0.
                let (category, value) = name.rsplit_once('_').unwrap();
                let is_it = logged(category) == value.parse::<f32>().unwrap();
                let expected = f32::from(u8::from(is_it));
                assert_eq!(features[[row, column]], expected, "{split} {row} {name}");
            }
        }
    }
    assert!(compared > 100_000, "{compared} values were compared");
}
