//! Deferred and refused logs, and the messages about them from night to night.

use super::{HOUR, make_older, set_modified};
use crate::support::cli::{CliTest, Ran};
use std::fs;
use std::time::SystemTime;

const LOG: &str = "raw/2_games/1.csv";

/// Exit code, stdout and stderr.
fn all(ran: &Ran) -> (i32, &str, &str) {
    (ran.code, &ran.stdout, &ran.stderr)
}

const SILENT: (i32, &str, &str) = (0, "", "");

/// A log that ends in the middle of a row.
fn cut_off(test: &CliTest) -> Vec<u8> {
    let log = test.read(LOG);
    test.write(LOG, &log[..log.len() / 2]);
    log
}

#[test]
fn live_log_is_no_fault_and_dead_one_is() {
    let test = CliTest::ingested(6);
    let log = cut_off(&test);
    for command in ["ingest raw -q", "export -q --split 1,0,0", "status raw -q"] {
        assert_eq!(all(&test.run(command)), SILENT, "{command}");
    }
    let counted = test.prep("ingest raw");
    assert!(counted.contains(", 0 refused, 1 deferred\n"), "{counted}");

    make_older(&test.path(LOG), 2 * HOUR);
    test.exits(1, "status raw -q");
    let ran = test.exits(3, "ingest raw -q");
    assert!(ran.stderr.starts_with("error: 2_games/1.csv:"), "{ran:#?}");
    assert!(ran.stderr.contains("expected the rest of the line: the file ends here\n"), "{ran:#?}");
    assert!(test.run("ingest raw").stdout.contains(" 1 refused\n"));
    // Its writer continues.
    test.write(LOG, log);
    for command in ["ingest raw -q", "export -q --split 1,0,0", "status raw -q"] {
        assert_eq!(all(&test.run(command)), SILENT, "{command}");
    }
}

#[test]
fn settle_is_set_by_flag_variable_and_file() {
    let test = CliTest::ingested(3);
    cut_off(&test);
    make_older(&test.path(LOG), 2 * HOUR);
    let code = |arguments: &str, variable: Option<&str>| {
        let mut command = test.command(arguments);
        command.envs(variable.map(|value| ("PREP_SETTLE", value)));
        Ran::from(command.output().unwrap()).code
    };
    for command in ["ingest raw", "status raw"] {
        let refused = if command == "status raw" { 1 } else { 3 };
        assert_eq!(code(command, None), refused);
        assert_eq!(code(&format!("{command} --settle 3h"), None), 0);
        assert_eq!(code(command, Some("180m")), 0);
        assert_eq!(code(&format!("{command} --settle 60s"), Some("180m")), refused);
        assert_eq!(code(&format!("{command} --settle soon"), None), 2);
        for (settle, expected) in [("3h", 0), ("'1d'", 0), ("10800", 0), ("0", refused)] {
            test.write("prep.yaml", format!("ingest: {{settle: {settle}}}\n"));
            assert_eq!(code(command, None), expected, "{settle}");
        }
        test.write("prep.yaml", "ingest: {settle: soon}\n");
        assert_eq!(code(command, None), 1);
        fs::remove_file(test.path("prep.yaml")).unwrap();
    }
}

/// The clock of the writing machine may be slightly ahead. A clock that is years ahead is wrong, and
/// must not defer its logs for years.
#[test]
fn log_from_the_future() {
    let test = CliTest::ingested(3);
    cut_off(&test);
    for (ahead, code) in [(HOUR / 2, 0), (HOUR * 24 * 365, 3)] {
        set_modified(&test.path(LOG), SystemTime::now() + ahead);
        assert_eq!(test.run("ingest raw -q").code, code, "{ahead:?} ahead");
    }
}

#[test]
fn refusal_is_printed_when_it_is_new_then_counted() {
    let test = CliTest::ingested(6);
    let bad = |column: &str, path: &str| test.write(path, format!("{column}\n1\n"));
    bad("first", "raw/7.csv");
    let first = test.exits(3, "ingest raw -q");
    assert!(first.stderr.starts_with("error: 7.csv:1: "), "{first:#?}");
    let status = "`prep status raw --cache data/intermediate/prep.sqlite`";
    let known = |log: &str| format!("warning: 1 log is still refused, see {status}: {log}\n");
    let first = known("7.csv");
    assert_eq!(all(&test.run("ingest raw -q")), (3, "", first.as_str()));
    assert_eq!(all(&test.run("ingest raw -q --max-refused 1")), (0, "", first.as_str()));
    // Without -q, they are listed again.
    assert!(test.run("ingest raw").stderr.starts_with("error: 7.csv:1: "));

    // Another refused log, the same log at another path, and the same log with different content.
    bad("second", "raw/8.csv");
    let ran = test.exits(0, "ingest raw -q --max-refused 2");
    assert!(ran.stderr.starts_with("error: 8.csv:1: ") && ran.stderr.ends_with(&first), "{ran:#?}");
    fs::create_dir(test.path("raw/bad")).unwrap();
    fs::rename(test.path("raw/7.csv"), test.path("raw/bad/7.csv")).unwrap();
    let ran = test.run("ingest raw -q --max-refused 1");
    let both = format!("warning: 2 logs are still refused, see {status}: 8.csv, bad/7.csv\n");
    assert_eq!(all(&ran), (3, "", both.as_str()));
    bad("third", "raw/8.csv");
    let ran = test.run("ingest raw -q --max-refused 2");
    let moved = known("bad/7.csv");
    assert!(ran.stderr.starts_with("error: 8.csv:1: ") && ran.stderr.ends_with(&moved), "{ran:#?}");
    let json = test.run("ingest raw -q --json").json();
    assert_eq!(json["refused_before"], serde_json::json!(["8.csv", "bad/7.csv"]));

    test.write("prep.yaml", "ingest: {max_refused: 2}\n");
    test.exits(0, "ingest raw");
    test.exits(3, "ingest raw --max-refused 1");
}

/// The log is deferred first, so its refusal is new.
#[test]
fn refusal_of_a_deferred_log_is_new() {
    let test = CliTest::ingested(3);
    cut_off(&test);
    assert_eq!(all(&test.run("ingest raw -q")), SILENT);
    make_older(&test.path(LOG), 2 * HOUR);
    assert!(test.run("ingest raw -q").stderr.starts_with("error: 2_games/1.csv:"));
    assert!(test.run("ingest raw -q").stderr.starts_with("warning: 1 log is still refused"));
}

#[test]
fn deleted_games_are_named() {
    let test = CliTest::ingested(200);
    let delete = |games: std::ops::RangeInclusive<i64>| {
        for game in games {
            let folder = ["4_games", "2_games", "3_games"][(game % 3) as usize];
            fs::remove_file(test.path(format!("raw/{folder}/{game}.csv"))).unwrap();
        }
    };
    let why = "removed from the cache, because their logs were deleted";
    delete(1..=2);
    let said = format!("warning: 2 games {why}: 1, 2\n");
    assert_eq!(all(&test.run("ingest raw -q")), (0, "", said.as_str()));
    assert_eq!(all(&test.run("ingest raw -q")), SILENT);
    delete(3..=32);
    let ran = test.run("ingest raw -q");
    let listed: Vec<_> = (3..=22).map(|game: i64| game.to_string()).collect();
    let said = format!("warning: 30 games {why}: {} and 10 more\n", listed.join(", "));
    assert_eq!(all(&ran), (0, "", said.as_str()));
    delete(33..=34);
    let said = format!("warning: 2 games {why}: 33, 34\n");
    assert_eq!(all(&test.run("ingest raw -q --rebuild")), (0, "", said.as_str()));
}

/// Refusals and faults that last for several nights: each night names only the new games.
#[test]
fn quiet_runs_name_only_new_games() {
    let test = CliTest::ingested(6);
    let export = "export --out out --split 1,0,0 --force";
    test.prep(export);
    let without_a_row = |path: &str| -> Vec<u8> {
        let log = test.read(format!("raw/{path}"));
        let lines = log.split_inclusive(|&byte| byte == b'\n').enumerate();
        lines.filter(|(line, _)| *line != 9).flat_map(|(_, line)| line).copied().collect()
    };
    let sound = test.read("raw/3_games/2.csv");
    let refused = || b"game\n".to_vec();
    let kept = "the cache keeps an older version of 1 game until the log is valid: ";
    let faulty = "(--replayable-only excludes such games)";
    for (log, text, of_ingest, of_export) in [
        ("98.csv", refused(), None, "is excluded, because its log is refused: 98".to_owned()),
        ("99.csv", refused(), None, "is excluded, because its log is refused: 99".to_owned()),
        (
            "2_games/1.csv",
            refused(),
            Some(1),
            "is included as it was before its log broke: 1".to_owned(),
        ),
        (
            "2_games/4.csv",
            refused(),
            Some(4),
            "is included as it was before its log broke: 4".to_owned(),
        ),
        (
            "3_games/2.csv",
            without_a_row("3_games/2.csv"),
            None,
            format!("does not replay but is included: 2 {faulty}"),
        ),
        (
            "3_games/5.csv",
            without_a_row("3_games/5.csv"),
            None,
            format!("does not replay but is included: 5 {faulty}"),
        ),
    ] {
        test.write(format!("raw/{log}"), text);
        let ran = test.exits(0, "ingest raw -q --max-refused 9");
        let named: Vec<_> = ran.stderr.lines().filter(|line| line.contains(" keeps ")).collect();
        let expected: Vec<_> =
            of_ingest.iter().map(|game| format!("warning: {kept}{game}")).collect();
        assert_eq!(named, expected, "{log}");
        let ran = test.run(&format!("{export} -q"));
        assert_eq!(ran.stderr, format!("warning: 1 game {of_export}\n"), "{log}");
    }
    // One fault fewer.
    test.write("raw/3_games/2.csv", sound);
    test.exits(0, "ingest raw -q --max-refused 9");
    assert_eq!(all(&test.run(&format!("{export} -q"))), SILENT);
    let ran = test.run(export);
    for all in [
        "2 games are excluded, because their logs are refused: 98, 99\n",
        "2 games are included as they were before their logs broke: 1, 4\n",
        "1 game does not replay but is included: 5 ",
    ] {
        assert!(ran.stderr.contains(all), "{ran:#?}");
    }
}
