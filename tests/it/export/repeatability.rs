//! The same games give the same bytes, independent of threads, batches, the order of ingests, and paths.
//! All files are compared, including the manifest.

use super::{assert_same_files, exported, ingested, logs};
use crate::support::cli::CliTest;
use std::fs;
use std::path::Path;

const GAMES: u32 = 30;

/// Copies a log to a new folder.
fn copy_log(test: &CliTest, log: &Path, folder: &str) {
    fs::create_dir_all(test.path(folder)).unwrap();
    fs::copy(log, test.path(folder).join(log.file_name().unwrap())).unwrap();
}

/// Exports a cache and compares it with the export in `expected`.
#[track_caller]
fn assert_exports_as_expected(test: &CliTest, cache: &str) {
    exported(test, "found", &format!("--cache {cache} --split 0.6,0.2,0.2"));
    assert_same_files(&test.files("expected"), &test.files("found"));
}

fn expected() -> CliTest {
    let test = ingested(GAMES);
    exported(&test, "expected", "--split 0.6,0.2,0.2");
    test
}

#[test]
fn threads_and_batches_do_not_matter() {
    let test = expected();
    for options in ["--jobs 1", "--jobs 4", "--jobs 4 -q", "--jobs 0 --monitor-memory -v"] {
        exported(&test, "found", &format!("--split 0.6,0.2,0.2 {options}"));
        assert_same_files(&test.files("expected"), &test.files("found"));
    }
    for (cache, options) in
        [("one.sqlite", "--jobs 1 --batch-size 1"), ("four.sqlite", "--jobs 4 --batch-size 7")]
    {
        test.prep(&format!("ingest raw --cache {cache} {options}"));
        assert_exports_as_expected(&test, cache);
    }
    // In two ingests.
    for options in ["--max-games 15", ""] {
        let said = test.prep(&format!("ingest raw --cache halves.sqlite {options}"));
        assert!(said.starts_with("15 games encoded (15 new"), "{said}");
    }
    assert_exports_as_expected(&test, "halves.sqlite");
}

/// One game per night, in reverse order.
#[test]
fn thirty_ingests_equal_one() {
    let test = expected();
    for log in logs(&test, "raw").values().rev() {
        copy_log(&test, log, "growing");
        let said = test.prep("ingest growing --cache nights.sqlite");
        assert!(said.starts_with("1 game encoded (1 new"), "{said}");
    }
    assert_exports_as_expected(&test, "nights.sqlite");
}

#[test]
fn changed_and_deleted_games() {
    let test = expected();
    test.prep("simulate other --games 33 --seed 7");
    for (game, log) in logs(&test, "other") {
        // Some games unchanged, some with other moves, and three to be deleted.
        let as_expected = logs(&test, "raw").remove(&game).filter(|_| game % 2 == 0);
        copy_log(&test, &as_expected.unwrap_or(log), "changing");
    }
    test.prep("ingest changing --cache changed.sqlite");
    for log in logs(&test, "raw").values() {
        copy_log(&test, log, "changing");
    }
    for game in 31..=33 {
        fs::remove_file(test.path(format!("changing/{game}.csv"))).unwrap();
    }
    let said = test.prep("ingest changing --cache changed.sqlite");
    assert!(said.contains("15 games encoded (15 bytes changed"), "{said}");
    assert!(said.contains("15 up to date, 3 deleted"), "{said}");
    assert_exports_as_expected(&test, "changed.sqlite");
}

#[test]
fn paths_do_not_matter() {
    let test = expected();
    fs::create_dir(test.path("elsewhere")).unwrap();
    fs::rename(test.path("raw"), test.path("elsewhere/logs")).unwrap();
    let cache = "elsewhere/cache.sqlite";
    fs::rename(test.path("data/intermediate/prep.sqlite"), test.path(cache)).unwrap();
    let said = test.prep(&format!("ingest elsewhere/logs --cache {cache}"));
    assert!(said.starts_with("0 games encoded, 30 up to date"), "{said}");
    assert_exports_as_expected(&test, cache);
}
