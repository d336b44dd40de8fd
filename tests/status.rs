//! `prep status`: every status a game can have, exit codes, JSON, and that it writes nothing.

#![allow(clippy::unwrap_used)]

#[path = "support/cached.rs"]
mod cached;
#[path = "support/cli.rs"]
mod cli;
#[path = "support/log_text.rs"]
mod log_text;

use cached::execute;
use cli::CliTest;
use log_text::{with_gem_fault, with_one_byte_changed};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

/// Game 1 is up to date and every other game something else, for `--repair`.
const EXPECTED: [(i64, &str, &str, &str); 12] = [
    (1, "2_games/1.csv", "up_to_date", "up to date"),
    (2, "3_games/2.csv", "bytes_changed", "its bytes changed ("),
    (3, "4_games/3.csv", "encoder_changed", "the encoder changed (version 0 to "),
    (4, "2_games/4.csv", "schema_changed", "the columns changed (0123456789abcdef to "),
    (5, "3_games/5.csv", "repair_changed", "its rows with the gem fault are to be repaired now"),
    (6, "4_games/6.csv", "gone", "its log is gone"),
    (7, "2_games/7.csv", "refused", "refused: 2_games/7.csv:3: turn_number is `x`, expected "),
    (8, "3_games/8.csv", "refused", "refused: deep/8.csv is the same game"),
    (8, "deep/8.csv", "refused", "refused: 3_games/8.csv is the same game"),
    (9, "4_games/9.csv", "refused", "refused: cannot be read: "),
    (10, "2_games/10.csv", "refused", "refused: 2_games/10.csv: expected a header"),
    (11, "3_games/11.csv", "new", "new"),
];

fn cache(test: &CliTest) -> PathBuf {
    test.path("data/intermediate/prep.sqlite")
}

/// A folder and a cache in which the games are as [`EXPECTED`].
fn one_game_of_each() -> CliTest {
    let test = CliTest::new();
    test.prep("simulate raw --games 10");
    let change = |path: &str, change: &dyn Fn(&[u8]) -> Vec<u8>| {
        test.write(path, change(&test.read(path)));
    };
    change("raw/3_games/5.csv", &with_gem_fault);
    change("raw/2_games/10.csv", &|_| Vec::new());
    // Game 7 has a good older version, game 10 has none.
    assert_eq!(test.run("ingest raw").code, 3);
    change("raw/2_games/7.csv", &|log| {
        let mut log = log_text::LogText::parse(log);
        log.set(3, "turn_number", "x");
        log.to_bytes()
    });
    assert_eq!(test.run("ingest raw").code, 3);

    change("raw/3_games/2.csv", &with_one_byte_changed);
    execute(&cache(&test), "UPDATE games SET encoder_version = 0 WHERE game_id = 3");
    let sql = "UPDATE games SET feature_schema = '0123456789abcdef' WHERE game_id = 4";
    execute(&cache(&test), sql);
    fs::remove_file(test.path("raw/4_games/6.csv")).unwrap();
    test.write("raw/deep/8.csv", test.read("raw/3_games/8.csv"));
    fs::remove_file(test.path("raw/4_games/9.csv")).unwrap();
    symlink("nowhere", test.path("raw/4_games/9.csv")).unwrap();
    test.prep("simulate raw --players 3 --games 1 --first-id 11");
    test
}

fn json(stdout: &str) -> Value {
    serde_json::from_str(stdout).unwrap()
}

#[test]
fn every_game_is_listed_once_with_what_would_become_of_it_and_why() {
    let test = one_game_of_each();
    let ran = test.run("status raw --repair");
    assert_eq!((ran.code, ran.stderr.as_str()), (1, ""), "{ran:#?}");
    let mut lines = ran.stdout.lines();
    for (_, path, status, why) in EXPECTED {
        if status != "up_to_date" {
            let line = lines.next().unwrap();
            assert!(line.starts_with(&format!("{path}: {why}")), "{path}: {why}\n{line}");
        }
    }
    let counts = "1 game bytes changed, 1 game encoder changed, 1 game gone, 1 game new, \
                  5 games refused, 1 game repair changed, 1 game schema changed, 1 game up to date";
    assert_eq!(lines.next(), Some(counts));
    assert_eq!(lines.next(), None);
}

#[test]
fn json_has_every_game_and_counts_that_add_up() {
    let test = one_game_of_each();
    for arguments in ["status raw --repair --json", "status raw --repair --json -q"] {
        let ran = test.run(arguments);
        assert_eq!(ran.code, 1, "{ran:#?}");
        let report = json(&ran.stdout);
        assert_eq!(report["up_to_date"], false);
        let games = report["games"].as_array().unwrap();
        assert_eq!(games.len(), EXPECTED.len());
        let mut counts: BTreeMap<&str, i64> = BTreeMap::new();
        for (game, (game_id, path, status, why)) in games.iter().zip(EXPECTED) {
            assert_eq!(game["game_id"], game_id);
            assert_eq!(game["path"], path);
            assert_eq!(game["status"], status);
            assert!(game["why"].as_str().unwrap().starts_with(why), "{game}");
            *counts.entry(status).or_default() += 1;
        }
        assert_eq!(report["counts"], serde_json::json!(counts));
    }
}

#[test]
fn the_next_ingest_does_what_status_said() {
    let test = one_game_of_each();
    let said = json(&test.run("status raw --repair --json").stdout)["counts"].clone();
    let count = |name: &str| said[name].as_u64().unwrap();
    let stdout = test.run("ingest raw --repair").stdout;
    let done = stdout.lines().next().unwrap();
    for reason in ["new", "bytes_changed", "encoder_changed", "schema_changed", "repair_changed"] {
        let words = format!("{} {}", count(reason), reason.replace('_', " "));
        assert!(done.contains(&words), "{words}: {done}");
    }
    for (name, words) in [("up_to_date", "up to date"), ("gone", "removed"), ("refused", "refused")]
    {
        assert!(done.contains(&format!(", {} {words}", count(name))), "{words}: {done}");
    }
    let after = json(&test.run("status raw --repair --json").stdout);
    let refused = count("refused");
    assert_eq!(after["counts"], serde_json::json!({ "refused": refused, "up_to_date": 6 }));
}

#[test]
fn status_writes_nothing() {
    let test = one_game_of_each();
    // Links to nowhere cannot be compared as files.
    fs::remove_file(test.path("raw/4_games/9.csv")).unwrap();
    let before = test.files(".");
    let modified = || fs::metadata(cache(&test)).unwrap().modified().unwrap();
    let modified_before = modified();
    for arguments in ["", "--json", "-q", "-v", "--repair"] {
        assert_eq!(test.run(&format!("status raw {arguments}")).code, 1);
        assert!(test.files(".") == before, "status {arguments} wrote something");
        assert_eq!(modified(), modified_before, "status {arguments}");
    }
}

#[test]
fn without_a_cache_every_game_is_new_and_none_is_made() {
    let test = CliTest::new();
    test.prep("simulate raw --games 3");
    test.write("empty.sqlite", "");
    let before = test.files(".");
    for arguments in
        ["status raw", "status raw --cache deep/cache.sqlite", "status raw --cache empty.sqlite"]
    {
        let ran = test.run(arguments);
        assert_eq!(ran.code, 1, "{ran:#?}");
        assert!(ran.stdout.ends_with("3 games new\n"), "{ran:#?}");
    }
    assert!(test.files(".") == before, "status wrote something");
    assert!(!test.path("data").exists() && !test.path("deep").exists(), "status made a folder");
}

#[test]
fn status_succeeds_only_when_there_is_nothing_to_do_and_says_nothing_if_quiet() {
    let test = CliTest::new();
    test.prep("simulate raw --games 3");
    let quiet = || {
        let ran = test.run("status raw -q");
        assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("", ""));
        ran.code
    };
    assert_eq!(quiet(), 1, "no cache");
    test.prep("ingest raw");
    assert_eq!(quiet(), 0, "up to date");
    assert_eq!(test.prep("status raw"), "3 games up to date\n");
    let report = json(&test.prep("status raw --json"));
    assert_eq!(report["up_to_date"], true);
    assert_eq!(report["counts"], serde_json::json!({ "up_to_date": 3 }));

    let good = test.read("raw/2_games/1.csv");
    test.write("raw/2_games/1.csv", "");
    assert_eq!(quiet(), 1, "a changed log");
    assert_eq!(test.run("ingest raw").code, 3);
    assert_eq!(quiet(), 1, "a refused log");
    test.write("raw/2_games/1.csv", good);
    assert_eq!(quiet(), 1, "mended to what is cached, but an export would still speak of it");
    let why = "2_games/1.csv: its log was refused and is now as cached again\n";
    assert!(test.run("status raw").stdout.starts_with(why));
    test.prep("ingest raw");
    assert_eq!(quiet(), 0, "up to date again");
    fs::remove_file(test.path("raw/2_games/1.csv")).unwrap();
    assert_eq!(quiet(), 1, "a log that is gone");
}

#[test]
fn a_log_that_was_refused_and_is_gone_is_listed_until_an_ingest_forgets_it() {
    let test = CliTest::new();
    test.prep("simulate raw --games 3");
    test.write("raw/4.csv", "");
    assert_eq!(test.run("ingest raw").code, 3);
    fs::remove_file(test.path("raw/4.csv")).unwrap();
    let ran = test.run("status raw");
    assert_eq!(ran.code, 1);
    assert_eq!(ran.stdout, "4.csv: its log is gone\n1 game gone, 3 games up to date\n");
    test.prep("ingest raw");
    assert_eq!(test.prep("status raw"), "3 games up to date\n");
}

#[test]
fn a_log_that_was_mended_is_no_longer_refused_before_the_next_ingest_either() {
    let test = CliTest::new();
    test.prep("simulate raw --games 3");
    let good = test.read("raw/2_games/1.csv");
    test.write("raw/2_games/1.csv", &good[..good.len() / 2]);
    assert_eq!(test.run("ingest raw").code, 3);
    assert!(test.run("status raw").stdout.contains("1 game refused"));
    test.write("raw/2_games/1.csv", &good);
    assert_eq!(
        test.run("status raw").stdout,
        "2_games/1.csv: new\n1 game new, 2 games up to date\n"
    );
}
