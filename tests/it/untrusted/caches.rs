//! Untrusted caches, and files beside them.

use super::make_fifo;
use crate::support::cached::{cached_games, execute};
use crate::support::cli::CliTest;
use std::fs;
use std::os::unix::fs::symlink;

#[test]
fn cache_that_is_no_file() {
    let test = CliTest::new();
    test.prep("simulate raw --games 4 -q");
    make_fifo(&test.path("fifo.sqlite"));
    for command in
        ["status raw", "ingest raw", "ingest raw --rebuild", "verify raw", "export", "report"]
    {
        for (cache, what) in [("fifo.sqlite", "is a FIFO"), ("/dev/zero", "is a device")] {
            let ran = test.run_in_time(&format!("{command} --cache {cache}"));
            assert!(ran.code == 1 && ran.stderr.contains(what), "{command}: {ran:#?}");
        }
    }
    assert!(!test.path("fifo.sqlite.lock").exists());
}

/// The lock file and SQLite's journals, which others with write permission for the folder may replace.
#[test]
fn files_beside_a_cache() {
    for ending in [".lock", "-journal", "-wal", "-shm"] {
        let test = CliTest::with_cache();
        let path = test.path(format!("c.sqlite{ending}"));
        test.write("victim", "precious");
        for what in ["a FIFO", "a symbolic link", "a folder"] {
            let _ = fs::remove_file(&path);
            match what {
                "a FIFO" => make_fifo(&path),
                "a symbolic link" => symlink("victim", &path).unwrap(),
                _ => fs::create_dir(&path).unwrap(),
            }
            let ran = test.run_in_time("ingest raw --cache c.sqlite");
            assert!(ran.code == 1 && ran.stderr.contains(what), "{ending}: {ran:#?}");
            let read = test.run_in_time("export --cache c.sqlite --out e");
            assert!(read.code == i32::from(ending != ".lock"), "{ending}: {read:#?}");
        }
        assert_eq!(test.read("victim"), b"precious", "{ending}");
    }
    // A hard link to another file, or a mistyped path.
    let test = CliTest::with_cache();
    test.write("victim", "precious");
    fs::remove_file(test.path("c.sqlite.lock")).unwrap();
    fs::hard_link(test.path("victim"), test.path("c.sqlite.lock")).unwrap();
    assert_eq!(test.run("ingest raw --cache c.sqlite").code, 1);
    assert_eq!(test.read("victim"), b"precious");
}

/// Triggers and indexes that somebody added to the tables.
#[test]
fn added_triggers_and_indexes() {
    let empty = CliTest::with_cache();
    execute(&empty.path("c.sqlite"), "DELETE FROM games; DELETE FROM game_play");
    let cache = empty.read("c.sqlite");
    for (sql, is_stored) in [
        ("CREATE TRIGGER t BEFORE INSERT ON games BEGIN SELECT RAISE(IGNORE); END", true),
        ("CREATE TRIGGER t AFTER INSERT ON games BEGIN DELETE FROM games; END", true),
        ("CREATE TRIGGER t AFTER UPDATE ON last_ingest BEGIN DELETE FROM games; END", true),
        ("CREATE VIEW v AS SELECT * FROM games", true),
        ("CREATE INDEX i ON games (players)", true),
        ("CREATE UNIQUE INDEX i ON games (players)", false),
        ("CREATE UNIQUE INDEX i ON refusals (kind)", false),
    ] {
        let test = CliTest::new();
        test.prep("simulate raw --games 10 -q");
        test.write("raw/51.csv", "x");
        test.write("raw/52.csv", "x");
        test.write("c.sqlite", &cache);
        execute(&test.path("c.sqlite"), sql);
        let ran = test.run("ingest raw --cache c.sqlite");
        if is_stored {
            assert_eq!(ran.code, 3, "{sql}: {ran:#?}");
            assert_eq!(cached_games(&test.path("c.sqlite")).len(), 10, "{sql}");
        } else {
            assert!(ran.code == 1 && ran.stderr.contains(" that were stored"), "{sql}: {ran:#?}");
            let export = test.run("export --cache c.sqlite --out e");
            assert!(export.stderr.contains("did not finish"), "{sql}: {export:#?}");
        }
    }
}
