//! `preprocessing_stats.json` and `mask_validation_report.json`, recomputed from the arrays.

use super::{Log, exported, ingested, logs};
use crate::support::export::{Export, HEADS, SPLITS};
use serde_json::{Value, json};
use splendor_prep::encode::FEATURE_COUNT;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Changes the first build of a game to the most expensive card on the table, which is not affordable so
/// early: an illegal label. Returns whether the game has such a build.
fn make_illegal(log: &Path) -> bool {
    let mut content = Log::read(log);
    let (action_type, card) = (content.place("action_type"), content.place("card_selection"));
    let Some(turn) = content.turns.iter_mut().find(|turn| turn[action_type] == "build") else {
        return false;
    };
    turn[card] = "11".to_owned();
    let rows = [&content.columns].into_iter().chain(&content.turns);
    fs::write(log, rows.map(|row| row.join(",") + "\n").collect::<String>()).unwrap();
    true
}

/// A value as read back from a file, where the last bit of a number may differ.
fn as_read(value: &Value) -> Value {
    serde_json::from_str(&value.to_string()).unwrap()
}

fn with_illegal_labels(options: &str) -> (crate::support::cli::CliTest, Export) {
    let test = ingested(30);
    let changed = logs(&test, "raw").values().filter(|log| make_illegal(log)).count();
    assert!(changed > 20, "{changed}");
    test.prep("ingest raw");
    let export = exported(&test, "out", options);
    (test, export)
}

#[test]
fn games_rows_and_columns() {
    let (test, export) = with_illegal_labels("");
    let stats = export.json("preprocessing_stats.json");
    let mut rows = 0;
    for split in SPLITS {
        let games = export.games(split);
        let split_rows = export.features(split).nrows();
        rows += split_rows;
        let mut by_players = BTreeMap::new();
        for game in &games {
            let log = &logs(&test, "raw")[game];
            let folder = log.parent().unwrap().file_name().unwrap().to_str().unwrap();
            *by_players.entry(folder.replace("_games", "")).or_insert(0) += 1;
        }
        let stats = &stats["splits"][split];
        assert_eq!(stats["rows"], split_rows);
        assert_eq!(stats["games"], games.len());
        assert_eq!(stats["games_by_players"], json!(by_players));
        let manifest = &export.json("manifest.json")["splits"][split];
        assert_eq!((&manifest["rows"], &manifest["games"]), (&stats["rows"], &stats["games"]));
    }
    assert_eq!(stats["total_samples"], rows);
    assert_eq!(stats["input_dim"], FEATURE_COUNT);
    assert_eq!(stats["num_features"], FEATURE_COUNT);
    for split in SPLITS {
        assert_eq!(stats[format!("{split}_size")], export.features(split).nrows());
    }
    assert_eq!(export.json("manifest.json")["inputs"]["rows"], rows);
}

#[test]
fn class_counts() {
    let (_test, export) = with_illegal_labels("");
    let stats = export.json("preprocessing_stats.json");
    for split in SPLITS {
        for (head, classes) in HEADS {
            let labels = export.labels(split, head);
            let count = |class: i32| labels.iter().filter(|&&label| label == class).count();
            let expected: Vec<usize> = (0..classes as i32).map(count).collect();
            let counts = &stats["splits"][split]["class_counts"][head];
            assert_eq!(counts["classes"], json!(expected), "{split} {head}");
            assert_eq!(counts["no_label"], count(-1), "{split} {head}");
        }
    }
    let kinds = ["build", "reserve", "take 2 tokens", "take 3 tokens"];
    let of_kind = |class: usize| {
        let is_of_kind = |&label: &i32| label == class as i32;
        let counts = SPLITS.map(|split| {
            export.labels(split, "action_type").iter().copied().filter(is_of_kind).count()
        });
        counts.into_iter().sum::<usize>()
    };
    for (class, kind) in kinds.into_iter().enumerate() {
        assert_eq!(stats["action_type_distribution"][kind], of_kind(class), "{kind}");
    }
}

#[test]
fn empty_splits_do_not_change_totals() {
    let (_test, export) = with_illegal_labels("--split 1,0,0");
    let stats = export.json("preprocessing_stats.json");
    let labels = export.labels("train", "action_type");
    let builds = labels.iter().filter(|&&label| label == 0).count();
    assert_eq!(stats["action_type_distribution"]["build"], builds);
    assert_eq!(
        stats["mask_statistics"]["action_type"],
        stats["splits"]["train"]["mask_statistics"]["action_type"]
    );
}

#[test]
fn legal_moves() {
    for options in ["", "--masks all-ones"] {
        let (_test, export) = with_illegal_labels(options);
        let stats = export.json("preprocessing_stats.json");
        for split in SPLITS {
            for (head, classes) in HEADS {
                let masks = export.masks(split, head);
                let legal: Vec<u32> = masks
                    .rows()
                    .into_iter()
                    .map(|row| row.iter().map(|&flag| flag as u32).sum())
                    .collect();
                let average = f64::from(legal.iter().sum::<u32>()) / legal.len() as f64;
                let expected = as_read(&json!({
                    "avg_legal_actions": average,
                    "min_legal_actions": legal.iter().min(),
                    "max_legal_actions": legal.iter().max(),
                }));
                let found = &stats["splits"][split]["mask_statistics"][head];
                assert_eq!(found, &expected, "{split} {head}");
                assert!(options.is_empty() || average == classes as f64);
            }
        }
        for (head, _) in HEADS {
            let masks = SPLITS.map(|split| export.masks(split, head));
            let legal = masks.iter().flat_map(|masks| masks.rows().into_iter());
            let legal: Vec<u64> =
                legal.map(|row| row.iter().map(|&flag| flag as u64).sum()).collect();
            let expected = as_read(&json!({
                "avg_legal_actions": legal.iter().sum::<u64>() as f64 / legal.len() as f64,
                "min_legal_actions": legal.iter().min(),
                "max_legal_actions": legal.iter().max(),
            }));
            assert_eq!(stats["mask_statistics"][head], expected, "{head}");
        }
    }
}

/// The expected report for a head: every label that is not legal under its mask, in order.
fn validation(export: &Export, split: &str, head: &str) -> (usize, Vec<Value>) {
    let (labels, masks, index) =
        (export.labels(split, head), export.masks(split, head), export.index(split));
    let is_illegal = |&row: &usize| labels[row] != -1 && masks[[row, labels[row] as usize]] == 0;
    let entry = |row: usize| {
        json!({
            "game_id": index.game_id[row],
            "turn_number": index.turn_number[row],
            "row_in_game": index.row_in_game[row],
            "class": labels[row],
        })
    };
    let illegal = (0..labels.len()).filter(is_illegal).map(entry).collect();
    (labels.iter().filter(|&&label| label != -1).count(), illegal)
}

#[test]
fn illegal_labels() {
    let (test, export) = with_illegal_labels("");
    let report = export.json("mask_validation_report.json");
    let mut all = 0;
    for split in SPLITS {
        let mut failures = 0;
        for (head, _) in HEADS {
            let (labels, illegal) = validation(&export, split, head);
            let found = &report[split][head];
            assert_eq!(found["illegal_labels"], json!(illegal), "{split} {head}");
            assert_eq!(found["illegal_count"], illegal.len(), "{split} {head}");
            assert_eq!(found["valid_labels_count"], labels, "{split} {head}");
            let rate = match labels {
                0 => 100.0,
                labels => (labels - illegal.len()) as f64 / labels as f64 * 100.0,
            };
            assert_eq!(found["legal_rate"], as_read(&json!(rate)), "{split} {head}");
            failures += illegal.len();
        }
        let status = if failures == 0 { "PASSED" } else { "FAILED" };
        assert_eq!(report[split]["overall_status"], status);
        assert_eq!(report[split]["total_failures"], failures);
        all += failures;
    }
    assert!(all > 20, "{all} labels were made illegal");
    assert_eq!(
        (&report["overall_status"], &report["total_failures"]),
        (&"FAILED".into(), &all.into())
    );
    let ran = test.run("export --out out --force");
    let warning = format!(
        "warning: {all} labels not legal under their masks: see mask_validation_report.json"
    );
    assert!(ran.code == 0 && ran.stderr.contains(&warning), "{ran:#?}");

    // All classes are allowed, so none is reported.
    let export = exported(&test, "all_ones", "--masks all-ones");
    for split in SPLITS {
        assert_eq!(export.json("mask_validation_report.json")[split]["overall_status"], "PASSED");
    }
    assert_eq!(export.json("mask_validation_report.json")["overall_status"], "PASSED");
}
