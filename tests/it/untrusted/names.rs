//! Names are printed on one line without control characters, and commands are quoted for a shell.

use crate::support::cached::{execute, execute_unchecked};
use crate::support::cli::{CliTest, Ran};
use std::process::Command;

/// A terminal title, colors, a line break, reversed text, a carriage return, and shell syntax.
const HOSTILE: &str =
    "a\u{1b}]0;TITLE\u{7}\u{1b}[31m\nerror: a line of its own\r\u{202e}gnp $(id) ' \u{85}";

/// Whether the text has no control characters.
fn is_safe(text: &str) -> bool {
    let is_unsafe = |c: char| {
        c.is_control() && c != '\n' || ('\u{202a}'..='\u{202e}').contains(&c) || c == '\u{2066}'
    };
    !text.contains(is_unsafe) && !text.contains("\nerror: a line of its own")
}

fn assert_safe(ran: &Ran, what: &str) {
    assert!(is_safe(&ran.stdout) && is_safe(&ran.stderr), "{what}: {ran:#?}");
}

/// Runs every command that prints file names.
#[test]
fn names_of_files() {
    let test = CliTest::new();
    let (raw, cache) = (format!("{HOSTILE} raw"), format!("{HOSTILE}.sqlite"));
    let (out, page) = (format!("{HOSTILE} out"), format!("{HOSTILE}.html"));
    assert_eq!(test.run_with(&["simulate", &raw, "--games", "6"]).code, 0);
    test.write(format!("{raw}/{HOSTILE}/8.csv"), "x");
    test.write(format!("{raw}/{HOSTILE}.csv"), "x");
    let mut shown = 0;
    for words in [
        &["status", &raw, "--cache", &cache] as &[&str],
        &["ingest", &raw, "--cache", &cache],
        &["status", &raw, "--cache", &cache, "--explain"],
        &["ingest", &raw, "--cache", &cache, "--rebuild"],
        &["verify", &raw, "--cache", &cache],
        &["inspect", "8", "--cache", &cache],
        &["inspect", "77", "--cache", &cache],
        &["inspect", &format!("{raw}/{HOSTILE}/8.csv")],
        &["export", "--cache", &cache, "--out", &out],
        &["verify", "--export", &out],
        &["diff", &out, &out],
        &["report", "--cache", &cache, "--export", &out, "--out", &page],
        &["simulate", &raw, "--games", "1"],
        &["man", &out],
        &["status", &out, "--cache", &cache],
        &["export", "--cache", &format!("{cache} none"), "--out", &out],
        &["export", "--cache", &cache, "--out", &raw],
        &["export", "--cache", &cache, "--scaler-from", &raw],
        &["--config", &raw, "status"],
        &["demo", &format!("{HOSTILE} demo"), "--games", "2"],
    ] {
        let ran = test.run_with(words);
        assert_safe(&ran, words[0]);
        shown += usize::from(ran.stdout.contains("TITLE") || ran.stderr.contains("TITLE"));
    }
    assert!(shown >= 18, "{shown} commands name them");
    assert!(is_safe(&String::from_utf8(test.read(&page)).unwrap()), "the report");
}

/// JSON contains the original names and is valid.
#[test]
fn names_in_json() {
    let test = CliTest::new();
    test.prep("simulate raw --games 4 -q");
    let name = format!("{HOSTILE}\u{7f}/8.csv");
    test.write(format!("raw/{name}"), "x");
    for (arguments, games) in [
        ("ingest raw --cache c.sqlite --json", "/refused"),
        ("status raw --cache c.sqlite --json", "/games"),
    ] {
        let ran = test.run(arguments);
        assert_safe(&ran, arguments);
        let json: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
        let refused = json.pointer(games).unwrap().as_array().unwrap();
        let refused = refused.iter().find(|game| game["path"] == name).unwrap();
        assert!(is_safe(refused["why"].as_str().unwrap()), "{refused}");
    }
}

/// Malicious text in a cache or a settings file.
#[test]
fn texts_of_caches_and_settings() {
    let test = CliTest::new();
    test.prep("simulate raw --games 4 -q");
    test.write("raw/8.csv", "x");
    test.run("ingest raw --cache c.sqlite -q");
    let hostile = HOSTILE.replace('\'', "''");
    execute(&test.path("c.sqlite"), &format!("UPDATE refusals SET message = '8.csv: {hostile}'"));
    execute_unchecked(
        &test.path("c.sqlite"),
        &format!("UPDATE games SET source_path = '{hostile}'"),
    );
    for arguments in [
        "export --cache c.sqlite --out e",
        "inspect 8 --cache c.sqlite",
        "report --cache c.sqlite --json",
        "report --cache c.sqlite",
        "status raw --cache c.sqlite --explain",
    ] {
        assert_safe(&test.run(arguments), arguments);
    }
    assert!(is_safe(&String::from_utf8(test.read("report.html")).unwrap()));
    let key = HOSTILE.escape_default().to_string().replace("\\u{202e}", "\\u202e");
    let key = key.replace("\\u{1b}", "\\e").replace("\\u{7}", "\\a").replace("\\u{85}", "\\x85");
    for settings in [
        format!("data: {{\"{}\": 1}}", key.replace("\\'", "'")),
        format!("data: {{train_ratio: \"{}\"}}", key.replace("\\'", "'")),
        "data: {train_ratio: \u{202e}\u{1b}[31m}".to_owned(),
    ] {
        test.write("prep.yaml", &settings);
        let ran = test.run("status raw --cache c.sqlite");
        assert_eq!(ran.code, 1, "{settings}: {ran:#?}");
        assert_safe(&ran, &settings);
    }
}

/// The commands in error messages quote the path of the cache for a shell.
#[test]
fn advised_commands_can_be_pasted() {
    let test = CliTest::new();
    test.prep("simulate raw --games 4 -q");
    for cache in ["my games/c.sqlite", "it's.sqlite", HOSTILE, "-c.sqlite", "$HOME;ls.sqlite"] {
        let option = format!("--cache={cache}");
        let absent = test.run_with(&["export", &option]);
        let ingest = test.run_with(&["ingest", "raw", &option, "-q"]);
        assert_eq!(ingest.code, 0, "{ingest:#?}");
        execute(&test.path(cache), "PRAGMA user_version = 99");
        let newer = test.run_with(&["export", &option]);
        test.write(cache, "no database");
        let no_database = test.run_with(&["export", &option]);
        std::fs::remove_file(test.path(cache)).unwrap();
        for ran in [absent, newer, no_database] {
            let command = ran.stderr.split('`').nth(1).unwrap_or_else(|| panic!("{ran:#?}"));
            let words = format!("set -- {command}; printf '%s\\0' \"$@\"");
            let output = Command::new("sh").args(["-c", &words]).output().unwrap();
            let words = String::from_utf8(output.stdout).unwrap();
            let words: Vec<&str> = words.split('\0').collect();
            assert_eq!(words[..3], ["prep", "ingest", "DIR"], "{command}");
            let place = words.iter().position(|word| *word == "--cache").unwrap();
            assert_eq!(words[place + 1].trim_start_matches("./"), cache, "{command}");
        }
    }
}
