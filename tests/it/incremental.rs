//! Incremental ingests: the printed counts, the rows in the cache file, and that many runs give the same
//! export as one run over all games.
//!
//! `refusals.rs` tests refused logs, `status.rs` tests `prep status`.

#![allow(clippy::unwrap_used)]

use crate::support::cached::{cached_games, cached_ids, execute, make_old, written_since};
use crate::support::cli::{CliTest, Ran};
use crate::support::log_text::{with_gem_fault, with_one_byte_changed};
use crate::support::long_run;
use crate::support::random_changes::ChangingFolder;
use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::SystemTime;

/// Games 1 to 12 in `raw` and in the cache, with old time stamps.
fn twelve_cached_games() -> CliTest {
    let test = CliTest::ingested(12);
    make_old(&test.cache());
    test
}

const NOTHING: &str = "0 games encoded, 12 up to date, 0 deleted, 0 refused";

/// The summary line, without the duration.
fn work_done(stdout: &str) -> &str {
    stdout.lines().next().unwrap()
}

#[track_caller]
fn assert_work(test: &CliTest, arguments: &str, done: &str, written: &[i64]) {
    let stdout = test.prep(arguments);
    assert_eq!(work_done(&stdout), done, "prep {arguments}");
    assert_eq!(written_since(&test.cache()), written, "games written by prep {arguments}");
}

#[track_caller]
fn assert_failed(ran: &Ran, code: i32, message: &str) {
    assert_eq!(ran.code, code, "{ran:#?}");
    assert!(ran.stderr.contains(message), "{message:?} is not in {ran:#?}");
}

#[test]
fn first_ingest_encodes_every_game_and_the_second_nothing() {
    let test = CliTest::simulated(12);
    let rows: usize = test.files("raw").values().map(|log| lines(log) - 1).sum();
    let grouped = format!("{},{:03}", rows / 1000, rows % 1000);
    let stdout = test.prep("ingest raw");
    let first =
        format!("12 games encoded (12 new; {grouped} rows), 0 up to date, 0 deleted, 0 refused");
    assert_eq!(work_done(&stdout), first);
    let second = stdout.lines().nth(1).unwrap();
    assert!(second.starts_with("12 logs of raw in "), "{second}");
    assert!(second.ends_with(&format!("; the cache holds 12 games, {grouped} rows")), "{second}");
    assert_eq!(cached_ids(&test.cache()), (1..=12).collect::<Vec<_>>());

    make_old(&test.cache());
    let before = cached_games(&test.cache());
    assert_work(&test, "ingest raw", NOTHING, &[]);
    assert_eq!(cached_games(&test.cache()), before);
}

fn lines(log: &[u8]) -> usize {
    log.iter().filter(|&&byte| byte == b'\n').count()
}

#[test]
fn only_changed_games_are_encoded() {
    let test = twelve_cached_games();
    let before = cached_games(&test.cache());

    // Changes one digit, with the same size and modification time.
    let path = test.path("raw/3_games/5.csv");
    let (log, modified) = (fs::read(&path).unwrap(), fs::metadata(&path).unwrap().modified());
    fs::write(&path, with_one_byte_changed(&log)).unwrap();
    File::options().write(true).open(&path).unwrap().set_modified(modified.unwrap()).unwrap();
    let rows = lines(&log) - 1;
    let done = format!(
        "1 game encoded (1 bytes changed; {rows} rows), 11 up to date, 0 deleted, 0 refused"
    );
    assert_work(&test, "ingest raw", &done, &[5]);
    let after = cached_games(&test.cache());
    for (game_id, game) in &before {
        let is_changed = *game_id == 5;
        assert_eq!(after[game_id].blobs != game.blobs, is_changed, "rows of game {game_id}");
        assert_eq!(after[game_id].source_hash != game.source_hash, is_changed, "{game_id}");
    }
    fs::write(&path, log).unwrap();
    test.prep("ingest raw");
    assert_eq!(cached_games(&test.cache())[&5].blobs, before[&5].blobs, "restored");

    make_old(&test.cache());
    test.prep("simulate raw --games 1 --first-id 13");
    let rows = lines(&test.read("raw/2_games/13.csv")) - 1;
    let done = format!("1 game encoded (1 new; {rows} rows), 12 up to date, 0 deleted, 0 refused");
    assert_work(&test, "ingest raw", &done, &[13]);

    make_old(&test.cache());
    fs::remove_file(test.path("raw/2_games/1.csv")).unwrap();
    let done = "0 games encoded, 12 up to date, 1 deleted, 0 refused";
    assert_work(&test, "ingest raw", done, &[]);
    assert_eq!(cached_ids(&test.cache()), (2..=13).collect::<Vec<_>>());
}

#[test]
fn other_encoder_or_columns_are_encoded_again() {
    let test = twelve_cached_games();
    let before = cached_games(&test.cache());
    for (sql, reason) in [
        ("UPDATE games SET encoder_version = encoder_version + 1", "12 encoder changed"),
        ("UPDATE games SET encoder_version = 0 WHERE game_id <> 3", "11 encoder changed"),
        ("UPDATE games SET feature_schema = '0123456789abcdef'", "12 schema changed"),
        (
            "UPDATE games SET feature_schema = '0000000000000000' WHERE game_id = 7",
            "1 schema changed",
        ),
    ] {
        execute(&test.cache(), sql);
        make_old(&test.cache());
        let export = test.run("export");
        assert_failed(&export, 1, "encoded by another version of prep");
        let stdout = test.prep("ingest raw");
        let done = work_done(&stdout);
        assert!(done.contains(&format!("encoded ({reason}; ")), "{sql}: {done}");
        let games: usize = reason.split(' ').next().unwrap().parse().unwrap();
        assert_eq!(written_since(&test.cache()).len(), games, "{sql}");
        for (game_id, game) in cached_games(&test.cache()) {
            assert_eq!(game.blobs, before[&game_id].blobs, "{sql}: game {game_id}");
        }
    }
    test.prep("export");
}

/// The table has a row for each ingest that changed the cache, with the printed counts.
#[test]
fn ingests_are_recorded() {
    let test = CliTest::simulated(12);
    let first = test.prep_json("ingest raw --json");
    test.prep("ingest raw");
    let path = "raw/2_games/1.csv";
    test.write(path, with_one_byte_changed(&test.read(path)));
    test.write("raw/2_games/4.csv", "no log\n1\n");
    test.exits(3, "ingest raw");
    let connection = rusqlite::Connection::open(test.cache()).unwrap();
    let sql =
        "SELECT logs_found, new, bytes_changed, up_to_date, refused, games, encoded_rows, rows
               FROM ingests WHERE finished_at >= started_at AND seconds > 0 ORDER BY ingest_id";
    let mut statement = connection.prepare(sql).unwrap();
    let line = |row: &rusqlite::Row<'_>| (0..8).map(|column| row.get(column)).collect();
    let recorded = statement.query_map([], line).unwrap();
    let recorded: Vec<Vec<i64>> = recorded.collect::<Result<_, _>>().unwrap();
    let rows = first["cache"]["rows"].as_i64().unwrap();
    let changed = lines(&test.read(path)) as i64 - 1;
    assert_eq!(recorded, [[12, 12, 0, 0, 0, 12, rows, rows], [12, 0, 1, 10, 1, 12, changed, rows]]);
}

#[test]
fn moved_or_touched_logs_encode_nothing() {
    let test = twelve_cached_games();

    for path in test.files("raw").keys() {
        let log = File::options().write(true).open(test.path("raw").join(path)).unwrap();
        log.set_modified(SystemTime::now()).unwrap();
    }
    assert_work(&test, "ingest raw", NOTHING, &[]);
    for arguments in ["--jobs 1", "--jobs 7", "--batch-size 1", "--batch-size 5 --jobs 3"] {
        assert_work(&test, &format!("ingest raw {arguments}"), NOTHING, &[]);
    }

    fs::rename(test.path("raw"), test.path("elsewhere")).unwrap();
    assert_work(&test, "ingest elsewhere", NOTHING, &[]);

    let path_of = |game_id| cached_games(&test.cache())[&game_id].source_path.clone();
    assert_eq!(path_of(1), "2_games/1.csv");
    fs::rename(test.path("elsewhere/2_games"), test.path("elsewhere/two players")).unwrap();
    assert_work(
        &test,
        "ingest elsewhere --dry-run",
        "0 games would be encoded, 12 up to date, 0 deleted, 0 refused",
        &[],
    );
    assert_eq!(path_of(1), "2_games/1.csv", "a dry run writes nothing");
    assert_work(&test, "ingest elsewhere", NOTHING, &[]);
    assert_eq!(path_of(1), "two players/1.csv");
    assert_eq!(path_of(2), "3_games/2.csv");
    assert_work(&test, "ingest elsewhere", NOTHING, &[]);

    for (path, log) in test.files("elsewhere") {
        test.write(Path::new("a/copy").join(path), log);
    }
    assert_work(&test, "ingest a/copy", NOTHING, &[]);

    let (from, to) = (test.cache(), test.path("other/place/cache.sqlite"));
    fs::create_dir_all(to.parent().unwrap()).unwrap();
    fs::rename(from, &to).unwrap();
    let stdout = test.prep("ingest elsewhere --cache other/place/cache.sqlite");
    assert_eq!(work_done(&stdout), NOTHING);
    assert_eq!(written_since(&to), [0_i64; 0]);
}

#[test]
fn repair_encodes_only_games_with_the_fault() {
    let test = CliTest::simulated(12);
    for path in ["raw/2_games/4.csv", "raw/4_games/9.csv"] {
        test.write(path, with_gem_fault(&test.read(path)));
    }
    let ran = test.exits(0, "ingest raw");
    assert!(ran.complaints().starts_with("warning: the known gem fault"), "{ran:#?}");
    assert!(
        ran.stderr.contains("is in 2 rows of 2 games") && ran.stderr.contains("--repair"),
        "{ran:#?}"
    );
    let as_logged = cached_games(&test.cache());

    make_old(&test.cache());
    let ran = test.run("ingest raw --repair");
    assert!(work_done(&ran.stdout).starts_with("2 games encoded (2 repair changed; "), "{ran:#?}");
    assert!(!ran.stderr.contains("gem fault"), "{ran:#?}");
    assert_eq!(written_since(&test.cache()), [4, 9]);
    let repaired = cached_games(&test.cache());
    for (game_id, game) in &as_logged {
        let has_fault = [4, 9].contains(game_id);
        assert_eq!(repaired[game_id].blobs != game.blobs, has_fault, "rows of game {game_id}");
    }
    make_old(&test.cache());
    assert_work(&test, "ingest raw --repair", NOTHING, &[]);

    let stdout = test.prep("ingest raw");
    assert!(work_done(&stdout).starts_with("2 games encoded (2 repair changed; "), "{stdout}");
    assert_eq!(written_since(&test.cache()), [4, 9]);
    for (game_id, game) in cached_games(&test.cache()) {
        assert_eq!(game.blobs, as_logged[&game_id].blobs, "rows of game {game_id}");
    }

    // `--repair` leaves no trace after it is switched off, also not in the games that it did not change.
    test.prep("ingest raw --cache scratch.sqlite");
    test.prep("export --out incremental");
    test.prep("export --out scratch --cache scratch.sqlite");
    assert!(test.files("incremental") == test.files("scratch"), "the exports differ");

    // The next run does not repeat the warning.
    let ran = test.run("ingest raw");
    assert_eq!(ran.complaints(), "", "{ran:#?}");
    assert!(ran.stderr.contains("the known gem fault"), "{ran:#?}");
}

#[test]
fn dry_run_changes_nothing() {
    let test = CliTest::simulated(12);
    let before = test.files(".");
    let stdout = test.prep("ingest raw --dry-run");
    let done = work_done(&stdout);
    assert!(done.starts_with("12 games would be encoded (12 new; "), "{done}");
    assert!(stdout.contains("the cache would hold 12 games, "), "{stdout}");
    assert!(test.files(".") == before, "a dry run wrote something");
    assert!(!test.path("data").exists(), "a dry run made a folder");

    test.prep("ingest raw");
    test.prep("simulate raw --games 1 --first-id 13");
    fs::remove_file(test.path("raw/4_games/12.csv")).unwrap();
    test.write("raw/2_games/1.csv", with_one_byte_changed(&test.read("raw/2_games/1.csv")));
    test.write("raw/2_games/4.csv", "");
    let before = test.files(".");
    let stdout = test.prep("ingest raw --dry-run --metrics dry.prom");
    let done = work_done(&stdout);
    assert!(done.starts_with("2 games would be encoded (1 bytes changed, 1 new; "), "{done}");
    assert!(done.ends_with("), 9 up to date, 1 deleted, 0 refused, 1 deferred"), "{done}");
    assert!(test.files(".") == before, "a dry run wrote something");
}

#[test]
fn max_games_deletes_no_other_game() {
    let test = CliTest::simulated(12);
    let stdout = test.prep("ingest raw --max-games 5");
    assert!(work_done(&stdout).starts_with("5 games encoded (5 new; "), "{stdout}");
    assert_eq!(cached_ids(&test.cache()), [1, 2, 3, 4, 5]);

    let stdout = test.prep("ingest raw --max-games 7");
    let done = work_done(&stdout);
    assert!(
        done.starts_with("2 games encoded (2 new; ") && done.contains("5 up to date"),
        "{done}"
    );
    test.prep("ingest raw");
    let stdout = test.prep("ingest raw --max-games 1");
    assert_eq!(work_done(&stdout), "0 games encoded, 1 up to date, 0 deleted, 0 refused");
    assert_eq!(
        cached_ids(&test.cache()).len(),
        12,
        "games that it did not look at are not deleted"
    );

    // Both files of its last game count.
    fs::copy(test.path("raw/2_games/1.csv"), test.path("raw/4_games/1.csv")).unwrap();
    let ran = test.run("ingest raw --max-games 1 --cache new.sqlite");
    assert_failed(&ran, 3, "4_games/1.csv is also game 1");
    assert_eq!(cached_ids(&test.path("new.sqlite")), [0_i64; 0]);
}

#[test]
fn keep_missing_keeps_games_without_logs() {
    let test = twelve_cached_games();
    test.write("raw/3_games/2.csv", "no log\n");
    test.exits(3, "ingest raw");
    // First few enough to be removed, then so many that they would stay anyway.
    fs::remove_file(test.path("raw/3_games/2.csv")).unwrap();
    let done = "0 games encoded, 11 up to date, 1 deleted but kept, 0 refused";
    assert_work(&test, "ingest raw --keep-missing", done, &[]);
    fs::remove_dir_all(test.path("raw/3_games")).unwrap();
    let done = "0 games encoded, 8 up to date, 4 deleted but kept, 0 refused";
    assert_work(&test, "ingest raw --keep-missing", done, &[]);
    assert_eq!(cached_ids(&test.cache()).len(), 12);
    let ran = test.exits(1, "export --strict");
    assert!(ran.stderr.contains("the last ingest refused 1 log (first: 3_games/2.csv"), "{ran:#?}");
}

#[test]
fn more_than_a_fifth_deleted_needs_permission() {
    let test = CliTest::ingested(15);
    let remove = |game_id: i64| {
        let folder = format!("raw/{}_games", 2 + (game_id - 1) % 3);
        fs::remove_file(test.path(folder).join(format!("{game_id}.csv"))).unwrap();
    };
    test.write("raw/2_games/1.csv", "no log\n");
    test.exits(3, "ingest raw");
    // 4 of 15 are more than a fifth.
    (1..=4).for_each(remove);
    for _ in 0..2 {
        let ran = test.run("ingest raw");
        assert_failed(&ran, 1, "the logs of 4 cached games are not in raw any more");
        assert!(ran.stderr.contains("--allow-delete"), "{ran:#?}");
        let done = "0 games encoded, 11 up to date, 4 deleted but kept, 0 refused";
        assert_eq!(work_done(&ran.stdout), done);
        assert_eq!(cached_ids(&test.cache()).len(), 15, "nothing goes");
        let ran = test.exits(1, "export --strict");
        assert!(ran.stderr.contains("the last ingest did not finish"), "{ran:#?}");
        let ran = test.run("export");
        let outdated = "1 game is included as it was before its log broke: 1\n";
        assert!(ran.stderr.contains(outdated), "{ran:#?}");
    }
    // New games are still ingested, and do not reduce the share of deleted games.
    test.prep("simulate raw --games 15 --first-id 16");
    let ran = test.run("ingest raw");
    assert_failed(&ran, 1, "the logs of 4 cached games are not in raw any more");
    assert!(work_done(&ran.stdout).starts_with("15 games encoded (15 new; "), "{ran:#?}");
    assert_eq!(cached_ids(&test.cache()).len(), 30);

    // Now 4 of 30 are missing; 6 of 30 are a fifth, which may still be removed.
    (5..=6).for_each(remove);
    let stdout = test.prep("ingest raw");
    assert_eq!(work_done(&stdout), "0 games encoded, 24 up to date, 6 deleted, 0 refused");

    (7..=29).for_each(remove);
    test.exits(1, "ingest raw");
    let stdout = test.prep("ingest raw --allow-delete");
    assert_eq!(work_done(&stdout), "0 games encoded, 1 up to date, 23 deleted, 0 refused");
    assert_eq!(cached_ids(&test.cache()), [30]);
}

#[test]
fn empty_or_missing_folder_is_an_error() {
    let test = CliTest::new();
    fs::create_dir(test.path("empty")).unwrap();
    for arguments in ["ingest empty", "ingest empty --dry-run", "status empty"] {
        assert_failed(&test.run(arguments), 1, "error: no logs found in empty");
    }
    for arguments in ["ingest missing", "ingest missing --dry-run", "status missing"] {
        assert_failed(&test.run(arguments), 1, "error: there is no folder missing");
    }
    assert_eq!(test.files("."), Default::default(), "a mistyped folder left something");

    test.prep("simulate raw --games 3");
    test.prep("ingest raw");
    for arguments in ["ingest empty", "ingest missing", "ingest missing --allow-delete"] {
        test.exits(1, arguments);
        assert_eq!(cached_ids(&test.cache()), [1, 2, 3]);
    }
    let stdout = test.prep("ingest empty --allow-delete");
    assert_eq!(work_done(&stdout), "0 games encoded, 0 up to date, 3 deleted, 0 refused");
}

#[test]
fn other_files_are_skipped() {
    let test = CliTest::simulated(12);
    let log = test.read("raw/2_games/1.csv");
    let noted = ["all_games.csv", "2_games/notes.csv", "1e3.csv", "+14.csv"];
    let silent = ["2_games/21.csv.backup", ".22.csv", ".hidden/23.csv", "24.txt", "README"];
    for path in noted.iter().chain(&silent) {
        test.write(Path::new("raw").join(path), &log);
    }
    // An editor's lock file: a broken link.
    symlink("me@here.1234", test.path("raw/2_games/.#1.csv")).unwrap();
    symlink("..", test.path("raw/2_games/back")).unwrap();
    let ran = test.exits(0, "ingest raw");
    assert_eq!(cached_ids(&test.cache()), (1..=12).collect::<Vec<_>>());
    let circle = "warning: 2_games/back is a link to one of its parent folders";
    assert!(ran.stderr.contains(circle), "{ran:#?}");
    fs::remove_file(test.path("raw/2_games/back")).unwrap();
    for path in noted {
        assert!(ran.stderr.contains(&format!("{path} is skipped: ")), "{path}: {ran:#?}");
    }
    assert!(ran.stderr.contains("all_games.csv is skipped: it contains all games"), "{ran:#?}");
    assert_eq!(ran.stderr.matches("is skipped").count(), noted.len(), "{ran:#?}");
    assert_eq!(test.run("ingest raw -q").stderr, "");
}

/// Exports are compared after every fifth run, including broken logs, and after the last run with
/// everything repaired. The cache stays below 1.5 times the size of a fresh one. `PREP_LONG_TESTS=1`
/// makes it sixty runs.
#[test]
fn incremental_equals_full() {
    let last = long_run::times(30, 60);
    let mut folder = ChangingFolder::begin(20_261);
    for run in 1..=last {
        folder.change_something();
        if run == last {
            folder.repair_all();
        }
        folder.ingest_and_check_the_work();
        if run % 5 == 0 {
            folder.check_the_export(if run % 10 == 0 { "all" } else { "base" });
        }
    }
    folder.check_that_enough_happened();
}
