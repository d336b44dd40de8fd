//! Refused logs: their messages, that all other logs are ingested, and that an older version stays until
//! the log is repaired.
//!
//! Every kind of fault is tested once with the whole program; the tests of the reader cover the edge
//! cases.

#![allow(clippy::unwrap_used)]

use crate::support::cached::{cached_games, cached_ids, make_old, written_since};
use crate::support::cli::CliTest;
use crate::support::faults::{CASES, Case, good_log};
use crate::support::log_text::{edited, with_one_byte_changed};
use splendor_prep::gamelog::LogErrorKind;
use std::collections::HashSet;
use std::fs;
use std::path::PathBuf;

/// A two-player game, whose log has `3` and empty fields; line 2 is its first turn.
const LOG: &str = "2_games/1.csv";

fn break_log(test: &CliTest, path: &str) -> Vec<u8> {
    let good = test.read(path);
    test.write(path, edited(&good, |log| log.set(3, "turn_number", "2.5")));
    good
}

/// One fault of each kind.
#[test]
fn every_fault_is_refused_with_its_place() {
    const LOG: &str = "3_games/123.csv";
    let test = CliTest::simulated(6);
    test.write(format!("raw/{LOG}"), good_log().to_bytes());
    test.prep("ingest raw");
    let cached = cached_games(&test.cache());
    let mut kinds = HashSet::new();
    for Case { damage, kind, line, message } in CASES.iter().filter(|case| kinds.insert(case.kind))
    {
        let deferred =
            matches!(kind, LogErrorKind::CutOff | LogErrorKind::Empty | LogErrorKind::NoRows);
        let (code, begin) = if deferred { (0, "") } else { (3, "error: ") };
        let end = if deferred {
            "; still being written: it will be tried again on the next run"
        } else {
            ""
        };
        let place = line.map_or(String::new(), |line| format!(":{line}"));
        let said = format!("{begin}{LOG}{place}: {message}{end}");
        let counted = if deferred { "0 refused, 1 deferred" } else { "1 refused" };

        // Without an older version: all other games are ingested.
        test.write(format!("raw/{LOG}"), damage(good_log()));
        let ran = test.run("ingest raw --cache empty.sqlite");
        assert_eq!((ran.code, ran.stderr.lines().next()), (code, Some(said.as_str())), "{ran:#?}");
        assert_eq!(ran.complaints().lines().count(), usize::from(!deferred), "{said}: {ran:#?}");
        assert!(ran.stdout.starts_with("6 games encoded (6 new; "), "{said}: {ran:#?}");
        let counts = format!(", 0 up to date, 0 deleted, {counted}\n");
        assert!(ran.stdout.contains(&counts), "{said}: {ran:#?}");
        assert_eq!(cached_ids(&test.path("empty.sqlite")), [1, 2, 3, 4, 5, 6], "{said}");
        fs::remove_file(test.path("empty.sqlite")).unwrap();

        // With an older version: it stays unchanged.
        let ran = test.run("ingest raw");
        assert_eq!((ran.code, ran.stderr.lines().next()), (code, Some(said.as_str())), "{ran:#?}");
        let kept = "the cache keeps an older version of 1 game until the log is valid: 123\n";
        assert!(ran.stderr.ends_with(kept), "{ran:#?}");
        assert_eq!(ran.complaints().ends_with(kept), !deferred, "{ran:#?}");
        let counts = format!("0 games encoded, 6 up to date, 0 deleted, {counted}\n");
        assert!(ran.stdout.starts_with(&counts), "{said}: {ran:#?}");
        assert!(cached_games(&test.cache()) == cached, "{said}: the cached games changed");
    }
    test.write(format!("raw/{LOG}"), good_log().to_bytes());
    assert_eq!(
        test.prep("ingest raw").lines().next(),
        Some("0 games encoded, 7 up to date, 0 deleted, 0 refused")
    );
}

#[test]
fn older_version_is_exported_with_a_warning() {
    let test = CliTest::ingested(6);
    test.prep("export --out before");
    let good = break_log(&test, &format!("raw/{LOG}"));
    let why = format!("{LOG}:3: turn_number is `2.5`, expected a whole number from 1 to 10000");
    test.exits(3, "ingest raw");

    let ran = test.exits(0, "export --out during");
    let warning = "warning: 1 game is included as it was before its log broke: 1\n";
    assert!(ran.stderr.contains(warning), "{ran:#?}");
    let (before, during) = (test.files("before"), test.files("during"));
    for (name, bytes) in &before {
        let is_manifest = name.as_os_str() == "manifest.json";
        assert_eq!(during[name] == *bytes, !is_manifest, "{}", name.display());
    }
    let manifest = test.json("during/manifest.json");
    assert_eq!(manifest["from_an_older_log"], serde_json::json!([{ "game_id": 1, "why": why }]));
    assert_eq!(manifest["excluded"], serde_json::json!([]));

    let status = test.exits(1, "status raw");
    assert_eq!(
        status.stdout,
        format!(
            "{LOG}: refused: line {} (an older version stays in the cache)\n\
             1 game refused, 5 games up to date\n",
            why.strip_prefix(&format!("{LOG}:")).unwrap()
        )
    );

    // Repaired, to the old content or to something else: normal again.
    for repaired in [good.clone(), with_one_byte_changed(&good)] {
        test.write(format!("raw/{LOG}"), &repaired);
        let ran = test.run("ingest raw");
        assert_eq!((ran.code, ran.complaints().as_str()), (0, ""), "{ran:#?}");
        assert_eq!(test.run("status raw").stdout, "6 games up to date\n");
        let ran = test.run("export --out after");
        assert!(ran.code == 0 && !ran.stderr.contains("1 game is "), "{ran:#?}");
        let is_as_before = test.files("after") == before;
        assert_eq!(is_as_before, repaired == good);
        break_log(&test, &format!("raw/{LOG}"));
        test.exits(3, "ingest raw");
    }
}

#[test]
fn refused_game_is_excluded_with_a_warning() {
    let test = CliTest::simulated(6);
    break_log(&test, &format!("raw/{LOG}"));
    test.exits(3, "ingest raw");
    let ran = test.exits(0, "export --out out");
    let warning = "warning: 1 game is excluded, because its log is refused: 1\n";
    assert!(ran.stderr.contains(warning), "{ran:#?}");
    let manifest = test.json("out/manifest.json");
    assert_eq!(manifest["excluded"][0]["game_id"], 1);
    assert_eq!(manifest["from_an_older_log"], serde_json::json!([]));
    assert_eq!(manifest["inputs"]["games"], 5);
}

#[test]
fn broken_log_is_refused_every_time() {
    let test = CliTest::ingested(6);
    break_log(&test, &format!("raw/{LOG}"));
    for _ in 0..3 {
        make_old(&test.cache());
        test.exits(3, "ingest raw");
        assert_eq!(written_since(&test.cache()), [0_i64; 0]);
    }
    // Broken and moved at the same time: still one refusal, with the current path.
    fs::rename(test.path(format!("raw/{LOG}")), test.path("raw/1.csv")).unwrap();
    let ran = test.run("ingest raw --max-games 3");
    assert!(ran.code == 3 && ran.complaints().starts_with("error: 1.csv:3: "), "{ran:#?}");
    let ran = test.run("export");
    assert_eq!(ran.stderr.matches("before its log broke").count(), 1, "{ran:#?}");
}

#[test]
fn repaired_log_with_max_games() {
    let test = CliTest::ingested(6);
    let good = break_log(&test, &format!("raw/{LOG}"));
    for repaired in [good.clone(), with_one_byte_changed(&good)] {
        break_log(&test, &format!("raw/{LOG}"));
        let still_good = break_log(&test, "raw/4_games/6.csv");
        test.exits(3, "ingest raw");
        test.write(format!("raw/{LOG}"), &repaired);
        test.prep("ingest raw --max-games 2");
        let ran = test.run("export");
        // Not game 1, which is as its log is.
        let warning = "1 game is included as it was before its log broke: 6\n";
        assert!(ran.stderr.contains(warning), "{ran:#?}");
        test.write("raw/4_games/6.csv", still_good);
    }
}

#[test]
fn two_files_of_one_game_are_refused() {
    let test = CliTest::simulated(6);
    test.write("raw/copies/001.csv", test.read(format!("raw/{LOG}")));
    let said = [
        format!(
            "error: {LOG}: found game 1, expected one file for each game, \
                 but copies/001.csv is also game 1"
        ),
        format!(
            "error: copies/001.csv: found game 1, expected one file for each game, \
                 but {LOG} is also game 1"
        ),
    ];
    let ran = test.exits(3, "ingest raw");
    for line in &said {
        assert_eq!(ran.stderr.lines().filter(|printed| printed == line).count(), 1, "{ran:#?}");
    }
    // Two files of one game.
    assert!(ran.stdout.contains(" 1 refused\n"), "{ran:#?}");
    assert_eq!(cached_ids(&test.cache()), [2, 3, 4, 5, 6]);
    let status = test.exits(1, "status raw");
    let error = said[0].strip_prefix("error: ").unwrap();
    let error = error.strip_prefix(&format!("{LOG}: ")).unwrap();
    let line = format!("{LOG}: refused: {error}\n1 game refused, 5 games up to date\n");
    assert_eq!(status.stdout, line);

    // If one of them is deleted, the other one is ingested; a later copy encodes nothing.
    fs::remove_dir_all(test.path("raw/copies")).unwrap();
    test.prep("ingest raw");
    let cached = cached_games(&test.cache());
    assert_eq!(cached.len(), 6);
    test.write("raw/copies/001.csv", with_one_byte_changed(&test.read(format!("raw/{LOG}"))));
    test.exits(3, "ingest raw");
    assert!(cached_games(&test.cache()) == cached);
}

/// The cache stores paths as text. If two of them had one text, they would be one refusal, and the counts of
/// the run would be wrong.
#[test]
fn paths_that_differ_in_bytes_are_different() {
    use std::os::unix::ffi::OsStrExt;
    let test = CliTest::simulated(6);
    let folders: [&[u8]; 4] = [b"a\xff", b"a\xfe", b"a\\xFF", "a\u{fffd}".as_bytes()];
    for folder in folders {
        let folder = std::ffi::OsStr::from_bytes(folder);
        test.write(PathBuf::from("raw").join(folder).join("9.csv"), "game\n");
    }
    for _ in 0..2 {
        let ran = test.exits(3, "ingest raw");
        assert_eq!(ran.complaints().matches("/9.csv: ").count(), 4, "{ran:#?}");
    }
    test.exits(0, "export --out out");
}

#[test]
fn unreadable_file_is_refused_not_deleted() {
    let test = CliTest::ingested(6);
    let cached = cached_games(&test.cache());
    fs::remove_file(test.path(format!("raw/{LOG}"))).unwrap();
    std::os::unix::fs::symlink("nowhere.csv", test.path(format!("raw/{LOG}"))).unwrap();
    let ran = test.exits(3, "ingest raw");
    let line = format!("error: {LOG}: cannot be read: no such file (a broken symbolic link?)");
    assert!(ran.complaints().starts_with(&line), "{ran:#?}");
    assert!(
        ran.stdout.starts_with("0 games encoded, 5 up to date, 0 deleted, 1 refused"),
        "{ran:#?}"
    );
    assert!(cached_games(&test.cache()) == cached);
    let status = test.exits(1, "status raw");
    assert!(status.stdout.starts_with(&format!("{LOG}: refused: ")), "{status:#?}");
}

#[test]
fn broken_logs_are_not_deleted() {
    let test = CliTest::ingested(6);
    let cached = cached_games(&test.cache());
    for path in test.files("raw").keys() {
        test.write(PathBuf::from("raw").join(path), "game_id\n");
    }
    for arguments in ["ingest raw", "ingest raw --allow-delete", "ingest raw --repair"] {
        let ran = test.exits(3, arguments);
        assert!(ran.stderr.contains("an older version of 6 games"), "{ran:#?}");
        assert!(cached_games(&test.cache()) == cached, "{arguments}");
    }
}

#[test]
fn refusal_of_a_deleted_log_is_removed() {
    let test = CliTest::ingested(6);
    break_log(&test, &format!("raw/{LOG}"));
    test.exits(3, "ingest raw");
    fs::remove_file(test.path(format!("raw/{LOG}"))).unwrap();
    let stdout = test.prep("ingest raw");
    assert!(
        stdout.starts_with("0 games encoded, 5 up to date, 1 deleted, 0 refused\n"),
        "{stdout}"
    );
    let ran = test.run("export");
    assert!(ran.code == 0 && !ran.stderr.contains("game 1 "), "{ran:#?}");
    test.exits(0, "status raw");
}

#[test]
fn twenty_refused_logs_are_listed() {
    for (broken, more) in
        [(20, None), (21, Some("1 more refused log")), (25, Some("5 more refused logs"))]
    {
        let test = CliTest::simulated(6);
        for game_id in 101..101 + broken {
            test.write(format!("raw/{game_id}.csv"), "game\n");
        }
        let ran = test.exits(3, "ingest raw");
        assert_eq!(ran.stderr.matches("the column `game`").count(), 20, "{ran:#?}");
        let status = "`prep status raw --cache data/intermediate/prep.sqlite`";
        let said = format!("error: and {}, see {status}\n", more.unwrap_or_default());
        assert_eq!(ran.stderr.ends_with(&said), more.is_some(), "{ran:#?}");
        assert_eq!(ran.complaints().lines().count(), if more.is_some() { 21 } else { 20 });
        let status = test.run("status raw");
        assert_eq!(status.stdout.matches("refused: ").count(), broken, "{status:#?}");
        assert_eq!(cached_ids(&test.cache()), [1, 2, 3, 4, 5, 6]);
    }
}
