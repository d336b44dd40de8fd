//! Exports with and without games that do not replay.

use super::cli::{FAULT, break_games, forget_the_replay, two_faulty_games};
use crate::support::cached::execute;
use crate::support::cli::CliTest;
use crate::support::export::{Export, SPLITS};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

const CACHE: &str = "data/intermediate/prep.sqlite";

/// The games of all splits.
fn games(test: &CliTest, out: &str) -> Vec<i64> {
    let export = Export { folder: test.path(out) };
    let mut games: Vec<i64> = SPLITS.iter().flat_map(|split| export.games(split)).collect();
    games.sort_unstable();
    games
}

/// The ids of a list in a manifest; each game must have a reason.
fn listed(manifest: &Value, list: &str) -> Vec<i64> {
    let games = manifest[list].as_array().unwrap().iter();
    games
        .map(|game| {
            assert!(!game["why"].as_str().unwrap().is_empty());
            game["game_id"].as_i64().unwrap()
        })
        .collect()
}

#[test]
fn replayable_only_is_an_export_of_the_sound_logs() {
    let test = CliTest::new();
    test.prep("simulate raw --games 24");
    break_games(&test);
    test.prep("ingest raw");
    test.prep("simulate sound --games 24");
    for faulty in ["sound/2_games/4.csv", "sound/3_games/5.csv"] {
        fs::remove_file(test.path(faulty)).unwrap();
    }
    test.prep("ingest sound --cache sound.sqlite");
    for (at, options) in ["", "--split-method sklearn", "--format parquet"].iter().enumerate() {
        let (only, sound) = (format!("only{at}"), format!("sound{at}"));
        let ran = test.run(&format!("export -q --replayable-only --out {only} {options}"));
        let said = "warning: 2 games do not replay and are excluded: 4, 5\n";
        assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (0, "", said));
        let ran = test.run(&format!(
            "export -q --cache sound.sqlite --replayable-only --out {sound} {options}"
        ));
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));

        let (mut here, mut there) = (test.files(&only), test.files(&sound));
        assert!(here.remove(Path::new("manifest.json")).is_some());
        assert!(there.remove(Path::new("manifest.json")).is_some());
        assert!(here.keys().eq(there.keys()));
        for (path, bytes) in here {
            assert!(bytes == there[&path], "{} differs", path.display());
        }
        let json = |out: &str| test.json(format!("{out}/manifest.json"));
        let (mut here, mut there) = (json(&only), json(&sound));
        assert_eq!(listed(&here, "excluded"), [4, 5]);
        assert_eq!(here["excluded"][0]["why"], format!("does not replay: {FAULT}"));
        for manifest in [&mut here, &mut there] {
            for different in ["excluded", "export_id"] {
                manifest.as_object_mut().unwrap().remove(different).unwrap();
            }
        }
        assert_eq!(here, there);
        assert_eq!(here["settings"]["replayable_only"], true);
        assert_eq!(here["does_not_replay"], json!([]));
    }
}

#[test]
fn faulty_games_are_included_by_default_and_named() {
    let test = two_faulty_games();
    test.prep("ingest raw");
    let ran = test.run("export -q --split 1,0,0 --out all");
    let said = "warning: 2 games do not replay but are included: 4, 5 (--replayable-only excludes \
                such games)\n";
    assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (0, "", said));
    assert_eq!(games(&test, "all"), [1, 2, 3, 4, 5, 6]);
    let all = test.json("all/manifest.json");
    assert_eq!(listed(&all, "does_not_replay"), [4, 5]);
    assert_eq!((&all["excluded"], &all["not_replayed"]), (&json!([]), &json!(0)));
    assert_eq!(all["settings"]["replayable_only"], false);

    // Only one of them does not replay, which the previous export has said.
    fs::remove_file(test.path("raw/3_games/5.csv")).unwrap();
    test.prep("ingest raw");
    let ran = test.run("export -q --split 1,0,0 --out all");
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    let ran = test.run("export --split 1,0,0 --out all");
    let said =
        "1 game does not replay but is included: 4 (--replayable-only excludes such games)\n";
    assert_eq!(ran.stderr, said);
}

#[test]
fn advice_and_diff_know_the_choice() {
    let test = two_faulty_games();
    test.prep("ingest raw");
    test.prep("export --split 1,0,0 --out all");
    test.prep("export --split 1,0,0 --replayable-only --out only");
    let difference = test.run("diff all only").stderr;
    let remark = "only was made with --replayable-only, and the other export was not";
    assert!(difference.contains(remark), "{difference}");
    assert!(!test.run("diff all all").stderr.contains("--replayable-only"));

    let before = test.files("only");
    test.write("only/feature_cols.json", "[]");
    let ran = test.run("verify --export only");
    let command = ran.stdout.split("`prep ").nth(1).unwrap().split('`').next().unwrap();
    assert!(ran.code == 1 && command.contains(" --replayable-only"), "{ran:#?}");
    test.prep(command);
    assert!(test.files("only") == before);
    test.write("all/feature_cols.json", "[]");
    let stdout = test.run("verify --export all").stdout;
    assert!(stdout.contains("`prep export") && !stdout.contains("--replayable-only"), "{stdout}");
}

#[test]
fn games_that_were_never_replayed_need_an_ingest() {
    let test = two_faulty_games();
    test.prep("ingest raw");
    forget_the_replay(&test);
    let ran = test.run("export --split 1,0,0 --replayable-only --out only");
    let said =
        format!("6 cached games have not been replayed: run `prep ingest DIR --cache {CACHE}`");
    assert!(ran.code == 1 && ran.complaints().contains(&said), "{ran:#?}");
    assert!(!test.path("only").exists());

    let ran = test.run("export -q --split 1,0,0 --out all");
    let said = "warning: 6 games have not been replayed and may be faulty: run `prep ingest DIR \
                --cache "
        .to_owned()
        + CACHE;
    assert!(ran.code == 0 && ran.stderr.starts_with(&said), "{ran:#?}");
    assert_eq!(ran.stderr.lines().count(), 1);
    assert_eq!(test.json("all/manifest.json")["not_replayed"], 6);

    // A game whose log is refused now cannot be replayed, and does not block the others.
    test.write("raw/2_games/1.csv", "no log\n");
    test.exits(3, "ingest raw");
    let ran = test.exits(0, "export --split 1,0,0 --replayable-only --out only");
    assert!(
        ran.stderr.contains("warning: 1 game is excluded, because its log is refused: 1\n"),
        "{ran:#?}"
    );
    assert_eq!(games(&test, "only"), [2, 3, 6]);
    assert_eq!(listed(&test.json("only/manifest.json"), "excluded"), [1, 4, 5]);
}

#[test]
fn each_game_is_excluded_for_one_reason() {
    let test = two_faulty_games();
    test.prep("ingest raw");
    test.write("raw/2_games/4.csv", "no log\n");
    test.exits(3, "ingest raw");
    let ran = test.run("export --split 1,0,0 --replayable-only --out only");
    assert!(
        ran.code == 0 && ran.stderr.contains("2 games do not replay and are excluded: 4, 5\n"),
        "{ran:#?}"
    );
    let only = test.json("only/manifest.json");
    assert_eq!((listed(&only, "excluded"), games(&test, "only")), (vec![4, 5], vec![1, 2, 3, 6]));
    assert_eq!(only["from_an_older_log"], json!([]));
}

#[test]
fn no_game_replays() {
    let test = two_faulty_games();
    for sound in [1, 2, 3, 6] {
        let log = test.files("raw").into_keys().find(|path| path.ends_with(format!("{sound}.csv")));
        fs::remove_file(test.path("raw").join(log.unwrap())).unwrap();
    }
    test.prep("ingest raw");
    let ran = test.run("export --replayable-only --out only");
    assert!(
        ran.code == 1 && ran.complaints().contains("2 of 2 cached games do not replay"),
        "{ran:#?}"
    );
    execute(&test.path(CACHE), "DELETE FROM games");
    let ran = test.run("export --replayable-only --out only");
    assert!(ran.complaints().contains("the cache holds no games"), "{ran:#?}");
}
