//! `prep diff`: games that were added, removed, changed or moved, means that drifted, and the check of a
//! nightly job. Expected values are computed from the arrays.

#![allow(clippy::unwrap_used)]

use crate::support::cli::{CliTest, Ran};
use crate::support::export::{Export, SPLITS, normalized_feature_count};
use serde_json::{Value, json};
use splendor_prep::encode::FEATURE_COUNT;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

const SPLIT: &str = "--split 0.6,0.2,0.2";

/// Exports of two nights in `old` and `new`: of 30 games, three are deleted and three changed; ten are
/// new.
fn two_nights() -> CliTest {
    let test = CliTest::new();
    test.prep("simulate raw --games 30");
    test.prep("ingest raw");
    test.prep(&format!("export --out old {SPLIT}"));
    for game in [3, 4, 5] {
        fs::remove_file(log(&test, "raw", game)).unwrap();
    }
    test.prep("simulate other --games 30 --seed 9");
    for game in [7, 8, 9] {
        fs::copy(log(&test, "other", game), log(&test, "raw", game)).unwrap();
    }
    test.prep("simulate raw --games 10 --first-id 31 --seed 2");
    test.prep("ingest raw");
    test.prep(&format!("export --out new {SPLIT}"));
    test
}

/// The log of a game, anywhere below a folder.
fn log(test: &CliTest, folder: &str, game: i64) -> PathBuf {
    let name = format!("{game}.csv");
    let path = test.files(folder).into_keys().find(|path| path.ends_with(&name));
    test.path(folder).join(path.unwrap())
}

fn diff(test: &CliTest, options: &str) -> Value {
    serde_json::from_str(&test.prep(&format!("diff --json {options}"))).unwrap()
}

fn split_of_each_game(test: &CliTest, export: &str) -> BTreeMap<i64, &'static str> {
    let export = Export { folder: test.path(export) };
    let games = |split| export.games(split).into_iter().map(move |game| (game, split));
    SPLITS.into_iter().flat_map(games).collect()
}

fn listed(diff: &Value, split: &str, what: &str) -> BTreeSet<i64> {
    serde_json::from_value(diff["splits"][split][what].clone()).unwrap()
}

/// Mean and standard deviation of each column of the training rows, in two passes over an export that is
/// not normalized.
fn means(test: &CliTest, export: &str) -> Vec<(f64, f64)> {
    let rows = Export { folder: test.path(export) }.features("train");
    let columns = rows.columns().into_iter();
    columns
        .map(|column| mean_and_deviation(column.iter().map(|&x| f64::from(x)).collect()))
        .collect()
}

fn mean_and_deviation(values: Vec<f64>) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let var = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
    (mean, var.sqrt())
}

/// Changes a JSON file of an export, and its entry in the manifest.
fn edit(test: &CliTest, export: &str, name: &str, edit: impl FnOnce(&mut Value)) {
    let folder = test.path(export);
    let read = |name: &str| -> Value {
        serde_json::from_slice(&fs::read(folder.join(name)).unwrap()).unwrap()
    };
    let mut content = read(name);
    edit(&mut content);
    let text = content.to_string();
    fs::write(folder.join(name), &text).unwrap();
    if name != "manifest.json" {
        let mut manifest = read("manifest.json");
        manifest["files"][name]["blake3"] = blake3::hash(text.as_bytes()).to_hex().as_str().into();
        fs::write(folder.join("manifest.json"), manifest.to_string()).unwrap();
    }
}

/// Converts an export to the format of the first version.
fn make_old(test: &CliTest, export: &str) {
    edit(test, export, "preprocessing_stats.json", |stats| {
        stats.as_object_mut().unwrap().remove("training_sums").unwrap();
    });
    edit(test, export, "manifest.json", |manifest| {
        for name in ["export_id", "scaler", "identical_games", "games_in_two_splits"] {
            manifest.as_object_mut().unwrap().remove(name).unwrap();
        }
        for split in SPLITS {
            for name in ["log_hashes", "row_hashes"] {
                manifest["splits"][split].as_object_mut().unwrap().remove(name).unwrap();
            }
        }
    });
}

#[track_caller]
fn fails(ran: &Ran, sentence: &str) {
    assert_eq!(ran.code, 1, "{ran:#?}");
    assert!(ran.complaints().contains(sentence), "{sentence:?} is not in {ran:#?}");
}

#[test]
fn added_removed_and_changed_games() {
    let test = two_nights();
    let found = diff(&test, "old new");
    let (before, after) = (split_of_each_game(&test, "old"), split_of_each_game(&test, "new"));
    for split in SPLITS {
        let games = |games: &mut dyn Iterator<Item = i64>, splits: &BTreeMap<i64, &str>| {
            games.filter(|game| splits[game] == split).collect::<BTreeSet<_>>()
        };
        assert_eq!(listed(&found, split, "removed"), games(&mut (3..=5), &before), "{split}");
        assert_eq!(listed(&found, split, "changed"), games(&mut (7..=9), &after), "{split}");
        assert_eq!(listed(&found, split, "added"), games(&mut (31..=40), &after), "{split}");
        let count = |splits: &BTreeMap<i64, &str>| splits.values().filter(|&&s| s == split).count();
        assert_eq!(found["splits"][split]["old_games"], count(&before));
        assert_eq!(found["splits"][split]["new_games"], count(&after));
    }
    assert_eq!(found["moved"], json!([]));
    assert_eq!(found["remarks"], json!([]));
    assert_eq!((&found["old"]["games"], &found["new"]["games"]), (&json!(30), &json!(37)));
    let manifest = Export { folder: test.path("old") }.json("manifest.json");
    assert_eq!(found["old"]["export_id"], manifest["export_id"]);
    assert_eq!(found["old"]["rows"], manifest["inputs"]["rows"]);

    let said = test.prep("diff old new");
    assert!(said.contains("\nremoved: 3, 4, 5\nchanged: 7, 8, 9\n"), "{said}");
    assert!(said.starts_with("old  old: 30 games, "), "{said}");
}

#[test]
fn moved_games() {
    let test = two_nights();
    test.prep(&format!("export --out other_seed --seed 7 {SPLIT}"));
    let (before, after) =
        (split_of_each_game(&test, "new"), split_of_each_game(&test, "other_seed"));
    let expected: Vec<Value> = before
        .iter()
        .filter(|&(game, split)| after[game] != *split)
        .map(|(game, split)| json!({ "game_id": game, "from": split, "to": after[game] }))
        .collect();
    assert!(expected.len() > 5, "{expected:?}");
    let found = diff(&test, "new other_seed");
    assert_eq!(found["moved"], json!(expected));
    for split in SPLITS {
        let count = |key: &str| expected.iter().filter(|game| game[key] == split).count();
        assert_eq!(found["splits"][split]["moved_in"], count("to"));
        assert_eq!(found["splits"][split]["moved_out"], count("from"));
        for what in ["added", "removed", "changed"] {
            assert_eq!(listed(&found, split, what), BTreeSet::new());
        }
    }

    // An export compared with itself.
    let found = diff(&test, "new new --max-drift 0");
    for split in SPLITS {
        for what in ["added", "removed", "changed"] {
            assert_eq!(listed(&found, split, what), BTreeSet::new());
        }
    }
    assert_eq!(found["past_max_drift"], json!([]));
    assert!(found["means"].as_array().unwrap().iter().all(|column| column["mean_shift"] == 0.0));
    let text = test.prep("diff new new");
    assert!(text.ends_with(" features drifted\n") && text.contains("\nnone of "), "{text}");
}

/// Independent of the scaler, type and normalization of the exports.
#[test]
fn shifts_of_means() {
    let test = two_nights();
    let options = format!("--no-normalize {SPLIT}");
    test.prep(&format!("export --out new_raw {options}"));
    test.prep(&format!("export --out scaled --scaler-from old --dtype float16 {SPLIT}"));
    // The old games are no longer in the cache, so undo the normalization.
    let old = Export { folder: test.path("old") };
    let (scaler, rows) = (old.scaler(), old.features("train"));
    let before: Vec<(f64, f64)> = rows
        .columns()
        .into_iter()
        .zip(scaler.mean.iter().zip(&scaler.scale))
        .map(|(column, (mean, scale))| {
            let values = column.iter().map(|&value| (f64::from(value) * scale + mean).round());
            mean_and_deviation(values.collect())
        })
        .collect();
    let after = means(&test, "new_raw");
    let names = Export { folder: test.path("new") }.columns();
    let (mut newly_varying, mut newly_constant) = (Vec::new(), Vec::new());
    let expected: BTreeMap<&str, f64> = names
        .iter()
        .enumerate()
        .map(|(column, name)| {
            let ((old, old_deviation), (new, new_deviation)) = (before[column], after[column]);
            match (old_deviation > 0.0, new_deviation > 0.0) {
                (false, true) => newly_varying.push(name.clone()),
                (true, false) => newly_constant.push(name.clone()),
                _ => {}
            }
            let unit = match (old_deviation > 0.0, new_deviation > 0.0) {
                (true, _) => old_deviation,
                (false, true) => new_deviation,
                (false, false) => 1.0,
            };
            (name.as_str(), (new - old) / unit)
        })
        .collect();
    assert!(!newly_varying.is_empty(), "the test looks at one that was constant");
    for new in ["new", "new_raw", "scaled"] {
        let found = diff(&test, &format!("old {new} --top 2000"));
        assert_eq!(found["newly_varying"], json!(newly_varying));
        assert_eq!(found["newly_constant"], json!(newly_constant));
        assert_eq!(found["columns_compared"], FEATURE_COUNT, "flags and places too");
        let means = found["means"].as_array().unwrap();
        assert_eq!(means.len(), FEATURE_COUNT);
        for column in means {
            let shift = column["mean_shift"].as_f64().unwrap();
            let expected = expected[column["column"].as_str().unwrap()];
            assert!((shift - expected).abs() <= 1e-9, "{column}, not {expected}");
        }
        let size = |column: &Value| column["mean_shift"].as_f64().unwrap().abs();
        assert!(means.windows(2).all(|pair| size(&pair[0]) >= size(&pair[1])));
        let top = diff(&test, &format!("old {new}"));
        assert_eq!(top["means"].as_array().unwrap()[..], means[..10]);
    }
    let found = diff(&test, "old new --top 2");
    let said = test.prep("diff old new --top 2");
    for column in found["means"].as_array().unwrap() {
        let name = column["column"].as_str().unwrap();
        let shift = column["mean_shift"].as_f64().unwrap();
        assert!(
            said.contains(&format!("\n  {name} by {shift:+.3} standard deviations\n")),
            "{said}"
        );
    }
    assert_eq!(said.matches("standard deviations").count(), 2, "{said}");
}

/// Adds a number to a column in all training rows of an export, in the files that `diff` reads; returns
/// the column.
fn shift_mean(test: &CliTest, export: &str, by: i64) -> String {
    let name = "gems_board_red".to_owned();
    let columns = Export { folder: test.path(export) }.columns();
    let column = columns.iter().position(|other| *other == name).unwrap();
    edit(test, export, "preprocessing_stats.json", |stats| {
        let sums = &mut stats["training_sums"];
        let rows = sums["rows"].as_i64().unwrap();
        let sum = sums["sum"][column].as_i64().unwrap();
        let squares = sums["sum_of_squares"][column].as_i64().unwrap();
        // (x + d)^2 = x^2 + 2dx + d^2
        sums["sum"][column] = (sum + by * rows).into();
        sums["sum_of_squares"][column] = (squares + 2 * by * sum + by * by * rows).into();
    });
    name
}

/// Two nights of the same self-play: a rare flag is set in one more of a few games.
#[test]
fn few_games_differ_by_chance() {
    let test = CliTest::new();
    test.prep("simulate raw --games 24");
    test.prep("ingest raw -q --cache old.sqlite");
    test.prep("simulate later --games 24 --seed 5");
    test.prep("ingest later -q --cache new.sqlite");
    for night in ["old", "new"] {
        test.prep(&format!("export -q --cache {night}.sqlite --out {night}"));
    }
    let found = diff(&test, "old new");
    let farthest = found["means"][0]["mean_shift"].as_f64().unwrap();
    assert!(
        farthest.abs() > 0.5,
        "counting rows as samples, a normal night would fail: {farthest}"
    );
    assert_eq!(test.run("diff -q old new --max-drift 0.25").code, 0);
    assert_eq!(diff(&test, "old new --max-drift 0.25")["past_max_drift"], json!([]));
}

#[test]
fn max_drift() {
    let test = two_nights();
    shift_mean(&test, "new", 9);
    let found = diff(&test, "old new --top 3");
    let farthest = &found["means"][0];
    let (name, shift) =
        (farthest["column"].as_str().unwrap(), farthest["mean_shift"].as_f64().unwrap());
    let (above, below) = (shift.abs() * 1.001, shift.abs() * 0.999);
    let ran = test.run(&format!("diff -q old new --max-drift {above}"));
    assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (0, "", ""));
    let ran = test.run(&format!("diff -q old new --max-drift {below}"));
    let sentence = format!(
        " drifted by more than {below} standard deviations, {name} the most ({shift:+.3}): check the new \
         logs before training on new\n"
    );
    fails(&ran, &sentence);
    assert_eq!(ran.stdout, "");
    let ran = test.run(&format!("diff --json old new --max-drift {below}"));
    let printed: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((ran.code, &printed["past_max_drift"]), (1, &json!([farthest])));

    let from_variable = |value: &str| {
        test.command("diff old new").env("PREP_MAX_DRIFT", value).output().unwrap().status.code()
    };
    assert_eq!((from_variable(&above.to_string()), from_variable("0")), (Some(0), Some(1)));
    for wrong in ["-1", "nan", "inf", "much"] {
        assert_eq!(test.run(&format!("diff old new --max-drift={wrong}")).code, 2, "{wrong}");
    }
    assert_eq!(test.run("diff old").code, 2);
}

/// A constant column has no standard deviation.
#[test]
fn constant_becomes_another() {
    let test = two_nights();
    let name = "total_cards_bought";
    let column =
        Export { folder: test.path("new") }.columns().iter().position(|other| other == name);
    edit(&test, "new", "preprocessing_stats.json", |stats| {
        let sums = &mut stats["training_sums"];
        let rows = sums["rows"].as_i64().unwrap();
        let column = column.unwrap();
        assert_eq!(sums["sum_of_squares"][column], 0, "it was always 0");
        sums["sum"][column] = (-2 * rows).into();
        sums["sum_of_squares"][column] = (4 * rows).into();
    });
    fails(&test.run("diff -q old new --max-drift 1e300"), "1 feature drifted by more than 1");
    let found = diff(&test, "old new");
    assert_eq!(found["means"][0], json!({ "column": name, "mean_shift": null }));
    assert!(test.prep("diff old new").contains(&format!("  {name} by -inf standard deviations\n")));
}

#[test]
fn other_columns() {
    let test = two_nights();
    test.prep(&format!("export --out base --features base {SPLIT}"));
    let sentence = format!(
        "error: the exports have different columns ({FEATURE_COUNT} and 422): their features cannot be \
         compared, and no model can use both\n"
    );
    for options in ["", "-q", "--max-drift 9", "--json"] {
        let ran = test.run(&format!("diff old base {options}"));
        fails(&ran, &sentence);
        assert_eq!(
            ran.stdout.contains("changed"),
            options != "-q",
            "games are compared anyway: {ran:#?}"
        );
    }
    edit(&test, "new", "feature_cols.json", |names| names[378] = "card3_place".into());
    let sentence = "error: the exports have different columns (column 378 is card3_position in one and \
                    card3_place in the other)";
    fails(&test.run("diff old new"), sentence);
}

#[test]
fn other_encoder() {
    let test = two_nights();
    edit(&test, "old", "manifest.json", |manifest| {
        manifest["encoder_version"] = 0.into();
        for split in SPLITS {
            let hashes = manifest["splits"][split]["row_hashes"].as_str().unwrap();
            manifest["splits"][split]["row_hashes"] = "0".repeat(hashes.len()).into();
        }
    });
    let found = diff(&test, "old new");
    let changed: BTreeSet<i64> =
        SPLITS.into_iter().flat_map(|split| listed(&found, split, "changed")).collect();
    assert_eq!(changed, BTreeSet::from([7, 8, 9]));
    let ran = test.run("diff -q old new");
    let warning = "warning: the exports were made by different encoders (version 0 and 1): the \
                   rows of every game may differ, so only games with different logs are listed as \
                   changed\n";
    assert_eq!((ran.code, ran.complaints().as_str()), (0, warning));
}

#[test]
fn export_of_an_older_version() {
    let test = two_nights();
    let whole = diff(&test, "old new --top 2000");
    make_old(&test, "old");
    let found = diff(&test, "old new --top 2000");
    let remarks = json!([
        "old was made by an older version of prep, whose manifest has no hash of each game: it is \
         unknown which games changed",
        "an export was made by an older version of prep, which has no means of the 324 columns \
         that are not normalized: those are not compared",
    ]);
    assert_eq!(found["remarks"], remarks);
    assert_eq!(found["splits"]["train"]["changed"], Value::Null);
    assert_eq!(listed(&found, "train", "added"), listed(&whole, "train", "added"));
    let means = |diff: &Value| -> BTreeMap<String, String> {
        let means = diff["means"].as_array().unwrap();
        let entry = |mean: &Value| {
            (mean["column"].as_str().unwrap().to_owned(), mean["mean_shift"].to_string())
        };
        means.iter().map(entry).collect()
    };
    let (whole, found) = (means(&whole), means(&found));
    assert_eq!(found.len(), normalized_feature_count());
    assert!(found.iter().all(|(column, shift)| whole[column] == *shift));
    let said = test.prep("diff old new");
    assert!(said.contains("(no id)") && said.contains(" ? "), "{said}");

    // An export with the scaler of another one does not have its own means.
    test.prep(&format!("export --out scaled --scaler-from new {SPLIT}"));
    make_old(&test, "scaled");
    edit(&test, "scaled", "manifest.json", |manifest| {
        manifest["settings"]["scaler"] = "from an earlier export".into();
    });
    let sentence = "error: scaled was made by an older version of prep with the scaler of another \
                    export, and does not have its own means: export it again\n";
    fails(&test.run("diff new scaled"), sentence);
}

#[test]
fn exports_that_cannot_be_compared() {
    let test = two_nights();
    test.prep("export --out none --no-normalize --split 0.000001,0.5,0.499999");
    let sentence = "error: none has no training rows, so there are no means to compare\n";
    fails(&test.run("diff old none"), sentence);
    fails(&test.run("diff none old --max-drift 9"), sentence);

    // Not exports.
    fails(
        &test.run("diff old raw"),
        "error: cannot read the export raw: it has no manifest.json: give a folder that prep export wrote",
    );
    fails(
        &test.run("diff nowhere old"),
        "error: cannot read the export nowhere: it does not exist: give",
    );
    fs::copy(test.path("new/preprocessing_stats.json"), test.path("old/preprocessing_stats.json"))
        .unwrap();
    fails(
        &test.run("diff old new"),
        "error: cannot read the export old: preprocessing_stats.json does not match its \
         manifest.json: try again if an export was running, else export again",
    );
    fs::write(test.path("new/manifest.json"), "{}").unwrap();
    fails(
        &test.run("diff new old"),
        "error: cannot read the export new: manifest.json: missing field",
    );
}
