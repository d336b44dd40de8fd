//! `prep merge`: merged caches of several machines are compared with one ingest of all logs.

#![allow(clippy::unwrap_used)]

use crate::support::cached::{cached_games, make_old, written_since};
use crate::support::cli::{CliTest, Ran};
#[cfg(target_os = "linux")]
use crate::support::failing_io;
use serde_json::json;
use splendor_prep::cache::WriterLock;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::time::Duration;

/// Logs of 40 games in `all`, each of which is also in one of ten folders `part0` to `part9`.
fn ten_machines() -> CliTest {
    let test = CliTest::new();
    test.prep("simulate all --games 40 -q");
    for (path, log) in test.files("all") {
        let game: usize = path.file_stem().unwrap().to_str().unwrap().parse().unwrap();
        test.write(Path::new(&format!("part{}", game * 7 % 10)).join(path), log);
    }
    test
}

fn ingest(test: &CliTest, folder: &str) {
    test.exits(0, &format!("ingest -q {folder} --cache {folder}.sqlite"));
}

fn export(test: &CliTest, cache: &str, out: &str) {
    test.prep(&format!("export -q --cache {cache}.sqlite --out {out}"));
}

#[test]
fn ten_caches_in_any_order_are_one_ingest() {
    let test = ten_machines();
    ingest(&test, "all");
    export(&test, "all", "expected");
    let expected = test.files("expected");
    (0..10).for_each(|part| ingest(&test, &format!("part{part}")));
    for (name, order) in
        [("a", [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]), ("b", [9, 3, 5, 1, 0, 8, 2, 7, 4, 6])]
    {
        let caches = order.map(|part| format!("part{part}.sqlite")).join(" ");
        let said = test.prep(&format!("merge {name}.sqlite {caches}"));
        assert!(said.starts_with(&format!("10 caches merged into {name}.sqlite: 40 games, ")));
        export(&test, name, name);
        assert!(test.files(name) == expected, "the order {order:?}");
        assert_eq!(
            test.prep(&format!("status all --cache {name}.sqlite")),
            "40 games up to date\n"
        );
        test.exits(0, &format!("verify all --cache {name}.sqlite"));
    }
    // A merge of merged caches, in which games occur several times.
    let found = test.prep_json("merge --json c.sqlite a.sqlite b.sqlite all.sqlite part3.sqlite");
    let in_part_3 = test.files("part3").len();
    assert_eq!((&found["games"], &found["duplicates"]), (&json!(40), &json!(80 + in_part_3)));
    export(&test, "c", "c");
    assert!(test.files("c") == expected);
}

/// Two machines have different games with the ids 1 to 3.
fn conflicting() -> CliTest {
    let test = CliTest::new();
    test.prep("simulate one --games 5 -q");
    test.prep("simulate two --games 3 --seed 9 -q");
    ingest(&test, "one");
    ingest(&test, "two");
    test
}

#[test]
fn conflicts_are_named_and_left_out() {
    let test = conflicting();
    for order in ["one.sqlite two.sqlite", "two.sqlite one.sqlite"] {
        let ran = test.exits(3, &format!("merge both.sqlite {order}"));
        assert!(ran.stdout.contains("2 games, "), "{ran:#?}");
        assert_eq!(ran.complaints().matches("error: game ").count(), 3, "{ran:#?}");
        for part in ["game 2 is excluded: ", "one.sqlite (3_games/2.csv)", "two.sqlite (3_games/2"]
        {
            assert!(ran.stderr.contains(part), "{ran:#?}");
        }
        let ran = test.exits(0, "export --cache both.sqlite");
        let warning = "3 games are excluded, because their logs are refused: ";
        assert!(ran.complaints().contains(warning), "{ran:#?}");
    }
    let ran = test.run("merge --json both.sqlite one.sqlite two.sqlite");
    let found = ran.json();
    assert_eq!(
        found["conflicts"][0],
        json!({ "game_id": 1, "found": [
            { "cache": "one.sqlite", "log": "2_games/1.csv" },
            { "cache": "two.sqlite", "log": "2_games/1.csv" },
        ] })
    );
    assert_eq!(test.run("merge -q both.sqlite one.sqlite two.sqlite").stdout, "");
}

/// The ids of a merged cache, by `status` of an empty folder.
fn ids(test: &CliTest, cache: &str) -> Vec<i64> {
    fs::create_dir_all(test.path("none")).unwrap();
    let status = test.run(&format!("status none --json --cache {cache}")).json();
    let games = status["games"].as_array().unwrap().iter();
    games.map(|game| game["game_id"].as_i64().unwrap()).collect()
}

#[test]
fn offsets_keep_machines_apart() {
    let test = conflicting();
    test.prep("merge both.sqlite one.sqlite two.sqlite --offset 1000");
    assert_eq!(ids(&test, "both.sqlite"), [1, 2, 3, 4, 5, 1001, 1002, 1003]);
    test.prep("merge both.sqlite one.sqlite two.sqlite --offset 10,700 --allow-delete");
    assert_eq!(ids(&test, "both.sqlite"), [11, 12, 13, 14, 15, 701, 702, 703]);
    // The rows are those of the original game, with the new id.
    test.prep("merge moved.sqlite two.sqlite --offset 700");
    for (cache, out) in [("two", "before"), ("moved", "after")] {
        test.prep(&format!("export -q --cache {cache}.sqlite --out {out} --split 1,0,0"));
    }
    for file in ["X_train.npy", "labels_train.npz", "mask_validation_report.json"] {
        assert!(
            test.read(format!("before/{file}")) == test.read(format!("after/{file}")),
            "{file}"
        );
    }
    let ran = test.run("inspect 702 --cache moved.sqlite --row 3");
    assert!(ran.stdout.starts_with("game 702, "), "{ran:#?}");

    test.exits(2, "merge x.sqlite one.sqlite two.sqlite --offset 1,2,3");
    let ran =
        test.exits(1, &format!("merge x.sqlite one.sqlite two.sqlite --offset 0,{}", i64::MAX));
    assert!(ran.stderr.contains("cannot merge two.sqlite: game 1 has no id with the offset "));
    assert!(!test.path("x.sqlite").exists());
}

#[test]
fn refused_logs_and_unfinished_ingests_are_passed_on() {
    let test = conflicting();
    test.write("one/9.csv", "no log\n");
    test.write("one/8.csv", "no log\n");
    test.exits(3, "ingest -q one --cache one.sqlite");
    test.prep("simulate third --games 1 --first-id 8 -q");
    ingest(&test, "third");
    // Another machine has a game 8: which of the two is right is unknown, as in one ingest of all logs.
    for (out, order) in [("a", "one.sqlite third.sqlite"), ("b", "third.sqlite one.sqlite")] {
        let ran = test.exits(3, &format!("merge all.sqlite {order}"));
        assert_eq!(ran.complaints().matches("error: game 8 is excluded: ").count(), 1, "{ran:#?}");
        let ran = test.run(&format!("export --cache all.sqlite --split 1,0,0 --out {out}"));
        let warning = "warning: 2 games are excluded, because their logs are refused: 8, 9\n";
        assert!(ran.stderr.contains(warning), "{ran:#?}");
        assert!(!ran.stderr.contains("did not finish"), "{ran:#?}");
    }
    // Merging the result keeps the refusals, and refusals with the same path do not conflict.
    test.exits(3, "merge again.sqlite all.sqlite third.sqlite all.sqlite");
    fs::remove_file(test.path("one/8.csv")).unwrap();
    test.exits(3, "ingest -q one --cache one.sqlite");

    let cache = rusqlite::Connection::open(test.path("third.sqlite")).unwrap();
    cache.execute("UPDATE last_ingest SET finished_at = NULL", []).unwrap();
    drop(cache);
    let ran = test.run("merge all.sqlite one.sqlite third.sqlite");
    assert!(
        ran.code == 0 && ran.stderr.contains("did not finish: games may be missing"),
        "{ran:#?}"
    );
    assert!(
        test.run("export --cache all.sqlite").stderr.contains("the last ingest did not finish")
    );
}

/// While a merge waits, an ingest adds the games that the merge would lose.
#[test]
fn losses_are_counted_when_the_lock_is_held() {
    let test = conflicting();
    fs::copy(test.path("two.sqlite"), test.path("out.sqlite")).unwrap();
    let held = WriterLock::acquire(&test.path("out.sqlite"), Duration::ZERO).unwrap();
    let mut merge = test.command("merge out.sqlite two.sqlite --wait 60").spawn().unwrap();
    let stderr = BufReader::new(merge.stderr.take().unwrap());
    let mut lines = stderr.lines().map(Result::unwrap);
    assert!(lines.any(|line| line.contains("waiting for another run")));
    fs::copy(test.path("one.sqlite"), test.path("out.sqlite")).unwrap();
    drop(held);
    assert!(lines.any(|line| line.contains("5 of its 5 games are in none")));
    assert_eq!(merge.wait().unwrap().code(), Some(1));
    assert_eq!(ids(&test, "out.sqlite"), [1, 2, 3, 4, 5]);
}

/// The same game, ingested at different times.
#[test]
fn time_of_a_game_does_not_depend_on_the_order() {
    let test = conflicting();
    fs::copy(test.path("one.sqlite"), test.path("early.sqlite")).unwrap();
    make_old(&test.path("early.sqlite"));
    test.prep("merge a.sqlite one.sqlite early.sqlite");
    test.prep("merge b.sqlite early.sqlite one.sqlite");
    assert_eq!(cached_games(&test.path("a.sqlite")), cached_games(&test.path("b.sqlite")));
    assert_eq!(written_since(&test.path("a.sqlite")), Vec::<i64>::new(), "the earlier time");
}

#[test]
#[cfg(target_os = "linux")]
fn killed_merge_keeps_no_old_cache() {
    let test = conflicting();
    let merge = "merge out.sqlite one.sqlite";
    test.prep(merge);
    let calls = failing_io::count(test.command(merge)).all();
    for point in calls.saturating_sub(6)..=calls {
        let _ = failing_io::with(test.command(merge), "KILL", point).output().unwrap();
        assert_eq!(ids(&test, "out.sqlite"), [1, 2, 3, 4, 5], "killed at call {point} of {calls}");
        assert!(!test.path("out.sqlite.damaged").exists(), "killed at call {point} of {calls}");
    }
}

/// The cache of one of several machines is missing.
#[test]
fn lost_games_are_listed() {
    let test = CliTest::new();
    for (part, games) in [("a", "--games 9"), ("b", "--games 2 --first-id 10")] {
        test.prep(&format!("simulate {part} {games} -q"));
        ingest(&test, part);
    }
    test.prep("merge all.sqlite a.sqlite b.sqlite");
    let ran = test.exits(0, "merge all.sqlite a.sqlite -q");
    let warning = "warning: 2 games are no longer in all.sqlite, because none of the caches has them: 10, 11\n";
    assert_eq!(ran.stderr, warning);
    let ran = test.run("merge b.sqlite a.sqlite --json --allow-delete");
    assert_eq!(ran.json()["lost"], json!([10, 11]));
}

/// After any error, the cache to replace is unchanged.
#[test]
fn a_merge_that_fails_replaces_nothing() {
    let test = conflicting();
    test.prep("merge out.sqlite one.sqlite");
    let before = test.read("out.sqlite");
    let fails = |arguments: &str, why: &str| {
        let ran: Ran = test.run(&format!("merge {arguments}"));
        assert_eq!(ran.code, 1, "{ran:#?}");
        assert!(ran.complaints().contains(why), "{why}: {ran:#?}");
        assert!(test.read("out.sqlite") == before, "{arguments}");
    };
    fails("out.sqlite gone.sqlite", "there is no cache at gone.sqlite");
    fails("out.sqlite one.sqlite out.sqlite", "cannot merge out.sqlite: it is to be replaced");
    fails("out.sqlite one.sqlite ./out.sqlite", "cannot merge ./out.sqlite: it is to be replaced");
    fs::hard_link(test.path("out.sqlite"), test.path("same.sqlite")).unwrap();
    fails("out.sqlite one.sqlite same.sqlite", "cannot merge same.sqlite: it is to be replaced");
    fs::copy(test.path("one.sqlite"), test.path("out.sqlite-journal.x")).unwrap();
    fs::rename(test.path("out.sqlite-journal.x"), test.path("out.sqlite.prep-rebuild")).unwrap();
    fails("out.sqlite out.sqlite.prep-rebuild", "it is to be replaced by the result");
    fs::remove_file(test.path("out.sqlite.prep-rebuild")).unwrap();
    // The first argument is the result, which is easily forgotten. Games 1 to 3 of the two machines differ.
    for (caches, lost) in [("two.sqlite", 5), ("one.sqlite two.sqlite", 3)] {
        let why = format!("cannot replace the cache out.sqlite: {lost} of its 5 games are in none");
        fails(&format!("out.sqlite {caches}"), &why);
    }
    let damaged = test.read("two.sqlite");
    for (table, column) in [("games", "labels"), ("games", "features_checksum")] {
        test.write("bad.sqlite", &damaged);
        let cache = rusqlite::Connection::open(test.path("bad.sqlite")).unwrap();
        let sql = format!("UPDATE {table} SET {column} = zeroblob(16) WHERE game_id = 2");
        cache.execute(&sql, []).unwrap();
        drop(cache);
        fails("out.sqlite bad.sqlite --allow-delete", "game 2 is damaged in the cache");
    }
    test.write("other.txt", "a file of somebody");
    let ran = test.run("merge other.txt one.sqlite");
    assert_eq!((ran.code, test.read("other.txt").as_slice()), (1, &b"a file of somebody"[..]));
    let left: Vec<_> = test
        .files(".")
        .into_keys()
        .filter(|path| {
            let name = path.to_string_lossy();
            name.contains("-rebuild") || name.contains(".damaged")
        })
        .collect();
    assert_eq!(left, Vec::<std::path::PathBuf>::new());
}
