//! Each game is in exactly one split, and games with identical rows, such as a log copied under another
//! id, are reported.

use super::splits::hash_split;
use super::{Log, exported, ingested, logs};
use crate::support::cli::CliTest;
use crate::support::export::{Export, SPLITS};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Copies a log under another id and applies `edit`.
fn copy_as(test: &CliTest, game: i64, other: i64, edit: impl FnOnce(&mut Log)) {
    let mut log = Log::read(&logs(test, "raw")[&game]);
    let place = log.place("game_id");
    for turn in &mut log.turns {
        turn[place] = other.to_string();
    }
    edit(&mut log);
    let mut lines = vec![log.columns.join(",")];
    lines.extend(log.turns.iter().map(|turn| turn.join(",")));
    test.write(format!("raw/copies/{other}.csv"), lines.join("\n") + "\n");
}

/// The first id from 1,000 on that is assigned to a split.
fn id_in(split: &str) -> i64 {
    (1000..).find(|&game| hash_split(game, 42, 0.8, 0.1) == split).unwrap()
}

fn identical_games(export: &Export) -> Value {
    export.json("manifest.json")["identical_games"].take()
}

#[test]
fn different_games() {
    let test = ingested(60);
    let ran = test.run("export --out out");
    assert_eq!((ran.code, ran.complaints().as_str()), (0, ""));
    let manifest = Export { folder: test.path("out") }.json("manifest.json");
    assert_eq!(manifest["identical_games"], json!([]));
    assert_eq!(manifest["games_in_two_splits"], json!([]));
}

#[test]
fn manifest_lists_games_with_hashes() {
    let test = ingested(30);
    for options in ["", "--features base --no-normalize --dtype int8 --masks all-ones"] {
        let manifest = exported(&test, "out", options).json("manifest.json");
        let (mut games, mut hashes) = (BTreeSet::new(), BTreeSet::new());
        for split in SPLITS {
            let ids = manifest["splits"][split]["game_ids"].as_array().unwrap();
            let text = |name: &str| manifest["splits"][split][name].as_str().unwrap().to_owned();
            let (logs_of, rows_of) = (text("log_hashes"), text("row_hashes"));
            assert_eq!([logs_of.len(), rows_of.len()], [16 * ids.len(); 2]);
            for (place, id) in ids.iter().enumerate() {
                assert!(games.insert(id.as_i64().unwrap()), "{id} is in two splits");
                let digits = 16 * place..16 * (place + 1);
                assert!(hashes.insert(rows_of[digits.clone()].to_owned()), "{id} is listed twice");
                let log = std::fs::read(&logs(&test, "raw")[&id.as_i64().unwrap()]).unwrap();
                assert_eq!(logs_of[digits], blake3::hash(&log).to_hex()[..16]);
            }
        }
        assert_eq!(games.len(), 30);
        assert_eq!(manifest["inputs"]["games"], 30);
    }
}

#[test]
fn copy_in_another_split() {
    let test = ingested(30);
    let original = exported(&test, "out", "").games("train")[0];
    let copy = id_in("test");
    copy_as(&test, original, copy, |_| {});
    test.prep("ingest raw");
    for options in ["-q", "-q --features base --no-normalize"] {
        let ran = test.run(&format!("export --out out {options}"));
        let warning = format!(
            "warning: games {original} (train), {copy} (test) have identical rows in different \
             splits, so a model is tested on rows that it was trained on: keep only one of their \
             logs\n"
        );
        assert_eq!((ran.code, ran.complaints()), (0, warning));
        let expected = json!([{
            "game_ids": [original, copy],
            "splits": ["train", "test"],
            "in_different_splits": true,
        }]);
        assert_eq!(identical_games(&Export { folder: test.path("out") }), expected);
    }
}

#[test]
fn copies_in_one_split() {
    let test = ingested(30);
    let original = exported(&test, "out", "").games("train")[0];
    let copies: Vec<i64> =
        (1000..).filter(|&game| hash_split(game, 42, 0.8, 0.1) == "train").take(2).collect();
    for &copy in &copies {
        copy_as(&test, original, copy, |_| {});
    }
    test.prep("ingest raw");
    let ran = test.run("export --out out");
    let games = format!("{original} (train), {} (train), {} (train)", copies[0], copies[1]);
    let warning =
        format!("warning: games {games} have identical rows: keep only one of their logs\n");
    assert_eq!((ran.code, ran.complaints()), (0, warning));
    let expected = json!([{
        "game_ids": [original, copies[0], copies[1]],
        "splits": ["train", "train", "train"],
        "in_different_splits": false,
    }]);
    assert_eq!(identical_games(&Export { folder: test.path("out") }), expected);
}

#[test]
fn many_copies_of_one_game() {
    let test = ingested(1);
    for copy in 2..=13 {
        copy_as(&test, 1, copy, |_| {});
    }
    test.prep("ingest raw");
    let ran = test.run("export --out out --split 1,0,0");
    let named: Vec<_> = (1..=10).map(|game| format!("{game} (train)")).collect();
    let warning = format!(
        "warning: games {} and 3 more have identical rows: keep only one of their logs\n",
        named.join(", ")
    );
    assert_eq!((ran.code, ran.complaints()), (0, warning));
    let found = identical_games(&Export { folder: test.path("out") });
    assert_eq!(found[0]["game_ids"], json!((1..=13).collect::<Vec<_>>()));
}

/// Like a game with a complete and an incomplete log.
#[test]
fn copy_without_last_turn() {
    let test = ingested(6);
    copy_as(&test, 1, 1000, |log| _ = log.turns.pop());
    test.prep("ingest raw");
    assert_eq!(identical_games(&exported(&test, "out", "")), json!([]));
}

#[test]
fn many_copies() {
    let test = ingested(12);
    for game in 1..=12 {
        copy_as(&test, game, 1000 + game, |_| {});
    }
    test.prep("ingest raw");
    let ran = test.run("export --out out --split 1,0,0");
    assert_eq!(ran.complaints().lines().count(), 11, "{ran:#?}");
    let counts = "warning: 12 groups of identical games in total, 0 of them in different splits: see \
                  identical_games in manifest.json\n";
    assert!(ran.complaints().ends_with(counts), "{ran:#?}");
}
