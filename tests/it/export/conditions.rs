//! `--where` selects games by a condition over the view `game_list`.

use super::{assert_same_files, exported, files_where, ingested};
use crate::support::cli::{CliTest, Ran};
use crate::support::export::{Export, SPLITS};
use rusqlite::Connection;
use std::collections::BTreeSet;
use std::fs;

const TWO: &str = "players = 2 AND ending = 'finished'";

/// The games of an export.
fn games(export: &Export) -> BTreeSet<i64> {
    SPLITS.into_iter().flat_map(|split| export.games(split)).collect()
}

fn cache(test: &CliTest) -> Connection {
    Connection::open(test.path("data/intermediate/prep.sqlite")).unwrap()
}

#[test]
fn games_that_meet_the_condition() {
    let test = ingested(30);
    let said = export(&test, "two", TWO);
    assert_eq!(said.code, 0, "{said:#?}");
    let export = Export { folder: test.path("two") };
    let sql = format!("SELECT game_id FROM game_list WHERE {TWO}");
    let cache = cache(&test);
    let mut statement = cache.prepare(&sql).unwrap();
    let expected: BTreeSet<i64> =
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert!(expected.len() > 5);
    assert_eq!(games(&export), expected);
    let manifest = export.json("manifest.json");
    assert_eq!(manifest["settings"]["where"], TWO);
    assert_eq!(manifest["not_selected"], 30 - expected.len());
    assert_eq!(manifest["inputs"]["games"], expected.len());

    // With the default split, games keep their splits.
    let all = exported(&test, "all", "--features base");
    for split in SPLITS {
        let of_all: Vec<i64> =
            all.games(split).into_iter().filter(|game| expected.contains(game)).collect();
        assert_eq!(export.games(split), of_all);
    }
    let manifest = all.json("manifest.json");
    assert!(manifest["settings"].get("where").is_none() && manifest.get("not_selected").is_none());

    // As if there were no other games.
    let others = format!("{} games not selected by --where\n", 30 - expected.len());
    assert!(said.stdout.contains(&others), "{said:#?}");
    let alone = CliTest::new();
    for game in &expected {
        let log = format!("raw/2_games/{game}.csv");
        alone.write(&log, test.read(&log));
    }
    alone.prep("ingest raw");
    exported(&alone, "two", "--features base");
    let without = |test: &CliTest| files_where(test, "two", |name| name != "manifest.json");
    assert_same_files(&without(&test), &without(&alone));

    let diff = test.run("diff all two");
    let remark = format!("all has all games, and two has the games where {TWO}");
    assert!(diff.stderr.contains(&remark), "{diff:#?}");
}

/// The command that repeats an export contains the condition.
#[test]
fn command_that_repeats_it() {
    let test = ingested(12);
    let condition = "players < 4 AND source_path <> '-- it''s'";
    assert_eq!(export(&test, "some", condition).code, 0);
    let good = test.files("some");
    fs::write(test.path("some/X_train.npy"), "broken").unwrap();
    let said = test.run("verify --export some").stdout;
    let command = said.split('`').find(|part| part.starts_with("prep export")).unwrap();
    let prep = env!("CARGO_BIN_EXE_prep");
    let ran = std::process::Command::new("sh")
        .args(["-c", &command.replacen("prep", prep, 1)])
        .current_dir(test.path("."))
        .status();
    assert!(ran.unwrap().success(), "{command}");
    assert_same_files(&test.files("some"), &good);
}

#[test]
fn flag_variable_and_settings() {
    let test = ingested(12);
    let condition = |words: &str, variable: Option<&str>| {
        let mut command = test.command(&format!("export --out out --features base {words}"));
        variable.into_iter().for_each(|value| _ = command.env("PREP_WHERE", value));
        assert!(command.output().unwrap().status.success());
        Export { folder: test.path("out") }.json("manifest.json")["settings"]["where"].clone()
    };
    test.write("prep.yaml", "export:\n  where: players = 2 or players = 3\n");
    assert_eq!(condition("", None), "players = 2 or players = 3");
    assert_eq!(condition("", Some("players=3")), "players=3");
    assert_eq!(condition("--where players=4", Some("players=3")), "players=4");
}

#[test]
fn refused() {
    let test = ingested(3);
    for (condition, words) in [
        (
            "player = 2",
            "--where: `player = 2` cannot be used: no such column: player; the columns of game_list are game_id, players, turns, rounds, ending, ",
        ),
        ("(SELECT count(*) FROM games) > 0", "no such table: games"),
        ("1) UNION SELECT game_id FROM games WHERE (1", "near \"UNION\": syntax error"),
        ("1); DELETE FROM games; SELECT (1", "near \";\": syntax error"),
    ] {
        let ran = export(&test, "out", condition);
        assert_eq!(ran.code, 2, "{ran:#?}");
        assert!(ran.stderr.contains(words), "{ran:#?}");
    }
    let ran = export(&test, "out", "players = 5");
    assert_eq!(ran.code, 1, "{ran:#?}");
    assert!(ran.stderr.contains("none of 3 cached games meets the condition `players = 5`"));
    assert!(!test.path("out").exists());
}

/// `prep export` with a condition, to `out`.
fn export(test: &CliTest, out: &str, condition: &str) -> Ran {
    let mut command = test.command(&format!("export --features base --out {out} --where"));
    Ran::from(command.arg(condition).output().unwrap())
}
