//! Compares heads, features and splits with exported arrays.

use super::numbers;
use crate::support::cli::CliTest;
use crate::support::export::{Export, HEADS, SPLITS};
use crate::support::log_text::{LogText, with_one_byte_changed};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;

/// Changes the first build of most games to the most expensive card on the table, which is not
/// affordable so early: an illegal label.
fn make_illegal(test: &CliTest) {
    for (path, bytes) in test.files("raw") {
        let mut log = LogText::parse(&bytes);
        let build = log.line_where("action_type", |action| action == "build");
        log.set(build, "card_selection", "11");
        fs::write(test.path("raw").join(path), log.to_bytes()).unwrap();
    }
    test.prep("ingest raw");
}

/// An unnormalized export with all games in one split.
fn all_rows(test: &CliTest) -> Export {
    test.prep("export --out all --split 1,0,0 --no-normalize");
    Export { folder: test.path("all") }
}

fn near(found: &Value, expected: f64) -> bool {
    (found.as_f64().unwrap() - expected).abs() <= 1e-9 * expected.abs().max(1.0)
}

#[test]
fn heads_match_arrays() {
    let test = CliTest::ingested(30);
    make_illegal(&test);
    let found = numbers(&test, "");
    let export = all_rows(&test);
    let index = export.index("train");
    let mut all_illegal = 0;
    for (head, classes) in HEADS {
        let found = &found["heads"][head];
        let (labels, masks) = (export.labels("train", head), export.masks("train", head));
        let legal: Vec<usize> = masks
            .rows()
            .into_iter()
            .map(|row| row.iter().filter(|&&flag| flag == 1).count())
            .collect();
        let rows = || 0..labels.len();
        let counts: Vec<usize> =
            (0..=classes).map(|number| legal.iter().filter(|&&l| l == number).count()).collect();
        assert_eq!(found["rows"], labels.len());
        assert_eq!(found["no_label"], labels.iter().filter(|&&label| label == -1).count());
        assert_eq!(found["legal_counts"], json!(counts), "{head}");
        for class in 0..classes {
            let found = &found["classes"][class];
            let is_legal = |row: &usize| masks[[*row, class]] == 1;
            let chosen = || rows().filter(|&row| labels[row] == class as i32);
            let chance = rows()
                .filter(|&row| labels[row] != -1)
                .filter(is_legal)
                .map(|row| 1.0 / legal[row] as f64);
            assert_eq!(found["legal"], rows().filter(is_legal).count(), "{head} {class}");
            assert_eq!(found["chosen"], chosen().count(), "{head} {class}");
            assert_eq!(found["illegal"], chosen().filter(|row| !is_legal(row)).count());
            let first = chosen().map(|row| (index.game_id[row], index.row_in_game[row])).min();
            let first = first.map(|(game, row)| json!({ "game_id": game, "row_in_game": row }));
            assert_eq!(found["first_at"], json!(first), "{head} {class}");
            // The formula in the documentation of
            // sklearn.utils.class_weight.compute_class_weight("balanced").
            let of_head = labels.iter().filter(|&&label| label != -1);
            let occurring: std::collections::BTreeSet<i32> = of_head.clone().copied().collect();
            match chosen().count() {
                0 => assert!(found["balanced_weight"].is_null()),
                rows => {
                    let weight = of_head.count() as f64 / (occurring.len() * rows) as f64;
                    assert!(near(&found["balanced_weight"], weight), "{head} {class}");
                }
            }
            assert_eq!(
                found["legal_classes_when_chosen"],
                chosen().map(|row| legal[row]).sum::<usize>()
            );
            assert!(near(&found["chosen_by_chance"], chance.sum()), "{head} {class}");
        }
        let illegal: Vec<Value> = rows()
            .filter(|&row| labels[row] != -1 && masks[[row, labels[row] as usize]] == 0)
            .map(|row| {
                json!({
                    "game_id": index.game_id[row],
                    "row_in_game": index.row_in_game[row],
                    "turn_number": index.turn_number[row],
                    "class": labels[row],
                })
            })
            .collect();
        assert_eq!(found["illegal"], illegal.len(), "{head}");
        assert_eq!(found["first_illegal"], json!(illegal[..illegal.len().min(10)]), "{head}");
        all_illegal += illegal.len();
    }
    assert!(all_illegal > 20);
    let warned = found["findings"].as_array().unwrap().iter().any(|finding| {
        finding["is_warning"] == true
            && finding["text"].as_str().unwrap().starts_with(&format!("{all_illegal} labels"))
    });
    assert!(warned, "{}", found["findings"]);
}

#[test]
fn features_match_arrays() {
    let test = CliTest::ingested(30);
    let found = numbers(&test, "");
    let export = all_rows(&test);
    let (features, scaler) = (export.features("train"), export.scaler());
    let index = export.index("train");
    let mut marks: BTreeMap<String, u64> = BTreeMap::new();
    for (place, name) in export.columns().iter().enumerate() {
        let found = &found["features"][name];
        let column = features.column(place);
        let mut values: BTreeMap<String, u64> = BTreeMap::new();
        for &value in column {
            *values.entry((value as i64).to_string()).or_default() += 1;
        }
        assert_eq!(found["values"], json!(values), "{name}");
        let rows = column.len() as f64;
        let mean = column.iter().map(|&value| f64::from(value)).sum::<f64>() / rows;
        let squares = column.iter().map(|&value| (f64::from(value) - mean).powi(2)).sum::<f64>();
        let deviation = (squares / rows).sqrt();
        assert!(near(&found["mean"], mean), "{name}");
        assert!(near(&found["deviation"], deviation), "{name}");
        if scaler.normalized[place] {
            assert!(near(&found["mean"], scaler.mean[place]), "{name}");
        }
        let away = column.iter().map(|&value| (f64::from(value) - mean).abs());
        let farthest = away.fold(0.0, f64::max) / if deviation > 0.0 { deviation } else { 1.0 };
        assert!(near(&found["farthest"], farthest), "{name}");
        let value = |far: f64| (f64::from(far as f32) - mean).abs();
        let (min, max) = column.iter().fold((f64::MAX, f64::MIN), |(min, max), &value| {
            (min.min(value.into()), max.max(value.into()))
        });
        let far = if value(min) > value(max) { min } else { max };
        let first = (0..column.len()).filter(|&row| f64::from(column[row]) == far);
        let first = first.map(|row| (index.game_id[row], index.row_in_game[row])).min();
        let first = first.filter(|_| min != max);
        let first = first.map(|(game, row)| json!({ "game_id": game, "row_in_game": row }));
        assert_eq!(found["farthest_at"], json!(first), "{name}");
        let others = column.len() as u64 - values.values().max().unwrap();
        let mark = match scaler.normalized[place] {
            _ if others == 0 => json!("constant"),
            true if farthest > 10.0 => json!("outlier"),
            false if others as f64 <= 0.001 * rows => json!("rare"),
            _ => Value::Null,
        };
        assert_eq!(found["mark"], mark, "{name}");
        *marks.entry(mark.to_string()).or_default() += 1;
    }
    assert_eq!(marks.len(), 4, "each kind of mark occurs: {marks:?}");
}

#[test]
fn balance_matches_arrays() {
    let test = CliTest::ingested(60);
    test.prep("export --out export --split 0.6,0.2,0.2");
    test.prep("simulate raw --games 3 --first-id 61 --seed 5");
    let gone = test.files("raw").into_keys().find(|path| path.ends_with("7.csv")).unwrap();
    fs::remove_file(test.path("raw").join(gone)).unwrap();
    let changed = test.read("raw/2_games/1.csv");
    test.write("raw/2_games/1.csv", with_one_byte_changed(&changed));
    test.prep("ingest raw");
    let found = numbers(&test, "--export export")["export"].take();
    assert_eq!(
        (&found["games_only_in_cache"], &found["games_only_in_export"]),
        (&json!(3), &json!(1))
    );
    assert_eq!(found["games_with_other_logs"], 1);

    let export = Export { folder: test.path("export") };
    for split in SPLITS {
        let found = &found["splits"][split];
        assert_eq!(found["games"], export.games(split).len());
        assert_eq!(found["rows"], export.features(split).nrows());
    }
    let shares = |split: &str, head: &str, classes: usize| -> Option<Vec<f64>> {
        let labels = export.labels(split, head);
        let count = |class: i32| labels.iter().filter(|&&label| label == class).count() as f64;
        let all = labels.len() as f64 - count(-1);
        (all > 0.0).then(|| (0..classes as i32).map(|class| count(class) / all).collect())
    };
    let mut balance = found["balance"].as_array().unwrap().iter();
    for (head, classes) in HEADS {
        for split in ["val", "test"] {
            let (Some(train), Some(other)) =
                (shares("train", head, classes), shares(split, head, classes))
            else {
                continue;
            };
            let found = balance.next().unwrap();
            assert_eq!((&found["head"], &found["split"]), (&json!(head), &json!(split)));
            let gaps: Vec<f64> = train.iter().zip(&other).map(|(a, b)| (a - b).abs()).collect();
            assert!(near(&found["distance"], gaps.iter().sum::<f64>() / 2.0), "{head} {split}");
            let class = found["class"].as_u64().unwrap() as usize;
            assert!(gaps.iter().all(|&gap| gap <= gaps[class]), "{head} {split}");
            assert!(near(&found["train_share"], train[class]));
            assert!(near(&found["share"], other[class]));
        }
    }
    assert!(balance.next().is_none());
}

#[test]
fn drift_matches_diff() {
    let test = CliTest::ingested(20);
    test.prep("export --out old");
    test.prep("simulate raw --games 20 --first-id 21 --seed 3");
    test.prep("ingest raw");
    test.prep("export --out new");
    let found = numbers(&test, "--export new --against old");
    let diff: Value = serde_json::from_str(&test.prep("diff --json --top 2000 old new")).unwrap();
    let since = &found["export"]["since"];
    assert_eq!(since["means"], diff["means"]);
    assert_eq!(since["newly_varying"], diff["newly_varying"]);
    assert_eq!(since["old"], diff["old"]);
}

#[test]
fn jobs_do_not_matter() {
    let test = CliTest::ingested(25);
    let one = test.prep("report --json --jobs 1 --out one.html");
    let seven = test.prep("report --json --jobs 7 --out seven.html");
    assert!(one == seven, "the numbers differ");
    assert!(test.read("one.html") == test.read("seven.html"), "the pages differ");
}
