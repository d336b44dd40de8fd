//! `prep status`: every status of a game, exit codes, JSON, and that it writes nothing.

#![allow(clippy::unwrap_used)]

use crate::support::cached::execute_unchecked;
use crate::support::cli::CliTest;
use crate::support::log_text::{edited, with_gem_fault, with_one_byte_changed};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;

/// The status of each game with `--repair`: game 1 is up to date, and every other game has a different
/// status.
const EXPECTED: [(i64, &str, &str, &str); 11] = [
    (1, "2_games/1.csv", "up_to_date", "up to date"),
    (2, "3_games/2.csv", "bytes_changed", "its content changed ("),
    (3, "4_games/3.csv", "encoder_changed", "the encoder changed (version 0 to "),
    (4, "2_games/4.csv", "schema_changed", "the columns changed (0123456789abcdef to "),
    (5, "3_games/5.csv", "repair_changed", "its rows with the gem fault are to be repaired now"),
    (6, "4_games/6.csv", "deleted", "its log was deleted"),
    (7, "2_games/7.csv", "refused", "refused: 2_games/7.csv:3: turn_number is `x`, expected "),
    (8, "3_games/8.csv", "refused", "refused: 3_games/8.csv: found game 8, expected one file for "),
    (9, "4_games/9.csv", "refused", "refused: 4_games/9.csv: cannot be read: no such file"),
    (10, "2_games/10.csv", "deferred", "deferred: 2_games/10.csv: expected a header"),
    (11, "3_games/11.csv", "new", "new"),
];

/// A folder and a cache with the games of [`EXPECTED`].
fn one_game_of_each() -> CliTest {
    let test = CliTest::simulated(10);
    let change = |path: &str, change: &dyn Fn(&[u8]) -> Vec<u8>| {
        test.write(path, change(&test.read(path)));
    };
    change("raw/3_games/5.csv", &with_gem_fault);
    change("raw/2_games/10.csv", &|_| Vec::new());
    // Game 7 has an older version, game 10 has none.
    test.prep("ingest raw");
    change("raw/2_games/7.csv", &|log| edited(log, |log| log.set(3, "turn_number", "x")));
    test.exits(3, "ingest raw");

    change("raw/3_games/2.csv", &with_one_byte_changed);
    execute_unchecked(&test.cache(), "UPDATE games SET encoder_version = 0 WHERE game_id = 3");
    let sql = "UPDATE games SET feature_schema = '0123456789abcdef' WHERE game_id = 4";
    execute_unchecked(&test.cache(), sql);
    fs::remove_file(test.path("raw/4_games/6.csv")).unwrap();
    test.write("raw/deep/8.csv", test.read("raw/3_games/8.csv"));
    fs::remove_file(test.path("raw/4_games/9.csv")).unwrap();
    symlink("nowhere", test.path("raw/4_games/9.csv")).unwrap();
    test.prep("simulate raw --players 3 --games 1 --first-id 11");
    test
}

#[test]
fn every_game_is_listed_once() {
    let test = one_game_of_each();
    let ran = test.run("status raw --repair");
    assert_eq!((ran.code, ran.stderr.as_str()), (1, ""), "{ran:#?}");
    let mut lines = ran.stdout.lines();
    for (_, path, status, why) in EXPECTED {
        if status != "up_to_date" {
            // The line begins with the name already.
            let why = why.replace(&format!(": {path}: "), ": ");
            let why = why.replace(&format!(": {path}:"), ": line ");
            let line = lines.next().unwrap();
            assert!(line.starts_with(&format!("{path}: {why}")), "{path}: {why}\n{line}");
        }
    }
    let counts = "1 game bytes changed, 1 game deferred, 1 game deleted, 1 game encoder changed, 1 game new, \
                  3 games refused, 1 game repair changed, 1 game schema changed, 1 game up to date";
    assert_eq!(lines.next(), Some(counts));
    assert_eq!(lines.next(), None);

    for arguments in ["status raw --repair --json", "status raw --repair --json -q"] {
        let ran = test.exits(1, arguments);
        let report = ran.json();
        assert_eq!(report["up_to_date"], false);
        let games = report["games"].as_array().unwrap();
        assert_eq!(games.len(), EXPECTED.len());
        let mut counts: BTreeMap<&str, i64> = BTreeMap::new();
        for (game, (game_id, path, status, why)) in games.iter().zip(EXPECTED) {
            assert_eq!((&game["game_id"], &game["path"]), (&game_id.into(), &path.into()));
            assert_eq!(game["reason"], status);
            assert!(game["why"].as_str().unwrap().starts_with(why), "{game}");
            *counts.entry(status).or_default() += 1;
        }
        assert_eq!(report["counts"], serde_json::json!(counts));
    }
}

#[test]
fn next_ingest_does_what_status_said() {
    let test = one_game_of_each();
    let said = test.run("status raw --repair --json").json()["counts"].clone();
    let dry = test.run("ingest raw --repair --json --dry-run").json();
    assert_eq!(dry["counts"], said);
    // Every count of `status` is in the line of `ingest`, with the same name.
    let stdout = test.run("ingest raw --repair --dry-run").stdout;
    let line = stdout.lines().next().unwrap().replace(['(', ')', ';', ','], " ");
    let words = format!(" {} ", line.split_whitespace().collect::<Vec<_>>().join(" "));
    for (name, games) in said.as_object().unwrap() {
        let count = format!(" {games} {} ", name.replace('_', " "));
        assert!(words.contains(&count), "{count:?} is not in {words:?}");
    }
    let ran = test.exits(3, "ingest raw --repair --json");
    let done = ran.json();
    assert_eq!(done["counts"], said);
    assert_eq!(done["deleted"], serde_json::json!([6]));
    assert_eq!(done["encoded"]["games"], 5);
    assert_eq!(done["refused"].as_array().unwrap().len(), 4, "two files of one game: {done}");
    assert_eq!(done["deferred"][0]["path"], "2_games/10.csv");

    let after = test.run("status raw --repair --json").json();
    let refused = said["refused"].as_u64().unwrap();
    let counts = serde_json::json!({ "refused": refused, "deferred": 1, "up_to_date": 6 });
    assert_eq!(after["counts"], counts);
}

#[test]
fn explain_gives_one_reason_per_game() {
    let test = one_game_of_each();
    let report = test.run("status raw --repair --explain --json").json();
    let games = report["games"].as_array().unwrap();
    let counted: u64 =
        report["counts"].as_object().unwrap().values().map(|count| count.as_u64().unwrap()).sum();
    assert_eq!(counted, games.len() as u64, "the counts add up");
    assert_eq!(counted, 11, "every game once");

    // Old values are those in the cache file, new ones those of the log.
    let connection = rusqlite::Connection::open(test.cache()).unwrap();
    let sql = "SELECT substr(source_hash, 1, 12), source_bytes, encoder_version, feature_schema
               FROM games WHERE game_id = ?1";
    for game in games {
        let cached: Option<(String, i64, i64, String)> = connection
            .query_row(sql, [game["game_id"].as_i64()], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
            })
            .ok();
        let old = &game["old"];
        match cached {
            None => assert!(old.is_null(), "{game}"),
            Some((hash, bytes, encoder, schema)) => {
                assert_eq!((&old["blake3"], &old["bytes"]), (&hash.into(), &bytes.into()));
                assert_eq!(old["encoder_version"], encoder);
                assert_eq!(old["feature_schema"], schema);
            }
        }
        match fs::read(test.path("raw").join(game["path"].as_str().unwrap())) {
            // A game with two files has no single log.
            Ok(bytes) if game["game_id"] != 8 => {
                let hash = blake3::hash(&bytes).to_hex()[..12].to_owned();
                assert_eq!(game["new"]["blake3"], hash, "{game}");
                assert_eq!(game["new"]["bytes"], bytes.len());
            }
            _ => assert!(game["new"].is_null(), "{game}"),
        }
    }

    let text = test.run("status raw --repair --explain").stdout;
    for (game, (_, path, reason, _)) in games.iter().zip(EXPECTED) {
        let begins = format!("{path}: {}", reason.replace('_', " "));
        let line = text.lines().find(|line| line.starts_with(&begins)).expect(&begins);
        for version in [&game["old"], &game["new"]] {
            let hash = version["blake3"].as_str().unwrap_or_default();
            assert!(line.contains(hash), "{hash} is not in {line}");
        }
    }
    assert_eq!(text.lines().count(), 11 + 2, "{text}");
    assert!(text.ends_with("\n11 games in all\n"), "{text}");
}

#[test]
fn docs_list_every_reason() {
    let page = include_str!("../../docs/commands.md");
    for (_, _, reason, _) in EXPECTED {
        assert_eq!(page.matches(&format!("| `{reason}` |")).count(), 1, "{reason}");
    }
}

#[test]
fn status_writes_nothing() {
    let test = one_game_of_each();
    // Broken links cannot be compared as files.
    fs::remove_file(test.path("raw/4_games/9.csv")).unwrap();
    let before = test.files(".");
    let modified = || fs::metadata(test.cache()).unwrap().modified().unwrap();
    let modified_before = modified();
    for arguments in ["", "--json", "-q", "-v", "--repair"] {
        test.exits(1, &format!("status raw {arguments}"));
        assert!(test.files(".") == before, "status {arguments} wrote something");
        assert_eq!(modified(), modified_before, "status {arguments}");
    }
}

#[test]
fn status_without_a_cache() {
    let test = CliTest::simulated(3);
    test.write("empty.sqlite", "");
    let before = test.files(".");
    for arguments in
        ["status raw", "status raw --cache deep/cache.sqlite", "status raw --cache empty.sqlite"]
    {
        let ran = test.exits(1, arguments);
        assert!(ran.stdout.ends_with("3 games new\n"), "{ran:#?}");
    }
    assert!(test.files(".") == before, "status wrote something");
    assert!(!test.path("data").exists() && !test.path("deep").exists(), "status made a folder");
}

#[test]
fn exit_code_says_whether_up_to_date() {
    let test = CliTest::simulated(3);
    let quiet = || {
        let ran = test.run("status raw -q");
        assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("", ""));
        ran.code
    };
    assert_eq!(quiet(), 1, "no cache");
    test.prep("ingest raw");
    assert_eq!(quiet(), 0, "up to date");
    assert_eq!(test.prep("status raw"), "3 games up to date\n");
    let report = test.prep_json("status raw --json");
    assert_eq!(report["up_to_date"], true);
    assert_eq!(report["counts"], serde_json::json!({ "up_to_date": 3 }));

    let good = test.read("raw/2_games/1.csv");
    test.write("raw/2_games/1.csv", "");
    assert_eq!(quiet(), 0, "a log that is being written");
    test.write("raw/2_games/1.csv", "game\n");
    assert_eq!(quiet(), 1, "a changed log");
    test.exits(3, "ingest raw");
    assert_eq!(quiet(), 1, "a refused log");
    test.write("raw/2_games/1.csv", good);
    assert_eq!(
        quiet(),
        1,
        "repaired to the cached content, but an export would still warn about it"
    );
    let why = "2_games/1.csv: its log was refused before and now matches the cache\n";
    assert!(test.run("status raw").stdout.starts_with(why));
    test.prep("ingest raw");
    assert_eq!(quiet(), 0, "up to date again");
    fs::remove_file(test.path("raw/2_games/1.csv")).unwrap();
    assert_eq!(quiet(), 1, "a deleted log");
}

#[test]
fn refused_then_deleted_log_is_listed() {
    let test = CliTest::simulated(3);
    test.write("raw/4.csv", "");
    test.prep("ingest raw");
    fs::remove_file(test.path("raw/4.csv")).unwrap();
    let ran = test.exits(1, "status raw");
    assert_eq!(
        ran.stdout,
        "4.csv: its log was refused before and was deleted\n1 game refusal deleted, 3 games up to \
         date\n"
    );
    // It was not a game of the cache, so no game is deleted.
    let said = test.prep("ingest raw");
    assert!(said.starts_with("0 games encoded, 3 up to date, 0 deleted, 0 refused"), "{said}");
    assert_eq!(test.prep("status raw"), "3 games up to date\n");
}

#[test]
fn many_games_are_not_all_listed() {
    let test = CliTest::simulated(25);
    test.write("raw/26.csv", "x\n");
    let ran = test.run("status raw");
    assert_eq!(ran.stdout.matches(": new\n").count(), 20, "{ran:#?}");
    assert_eq!(ran.stdout.matches("26.csv: refused: ").count(), 1, "{ran:#?}");
    let end = "... (--explain lists every game)\n25 games new, 1 game refused\n";
    assert!(ran.stdout.ends_with(end), "{ran:#?}");
    let explained = test.run("status raw --explain").stdout;
    assert_eq!(explained.lines().count(), 28, "{explained}");
}

#[test]
fn repaired_log_is_not_refused() {
    let test = CliTest::simulated(3);
    let good = test.read("raw/2_games/1.csv");
    test.write("raw/2_games/1.csv", &good[..good.len() / 2]);
    test.exits(3, "ingest raw --settle 0");
    test.exits(1, "status raw --settle 0");
    test.prep("ingest raw");
    assert!(test.prep("status raw").contains("1 game deferred"));
    test.write("raw/2_games/1.csv", &good);
    assert_eq!(
        test.run("status raw").stdout,
        "2_games/1.csv: new\n1 game new, 2 games up to date\n"
    );
}
