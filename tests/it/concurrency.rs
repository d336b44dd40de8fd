//! Concurrent runs on one cache: together they give the result of one run, an export during an ingest
//! sees one consistent state, no run fails with a locked database, and no files are left beside the
//! cache.

#![allow(clippy::unwrap_used)]

use crate::support::broken_cache::half_committed;
use crate::support::cached::{cached_games, games_so_far};
use crate::support::cli::{CliTest, Ran};
use crate::support::log_text::with_one_byte_changed;
use rusqlite::Connection;
use splendor_prep::cache::{Reader, WriterLock};
use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

const CACHE: &str = "data/intermediate/prep.sqlite";

/// Size of a page of the cache.
const PAGE: usize = 65_536;

/// `games` games in `raw`, `cached` of them in the cache, and the export of an undisturbed run over all
/// of them in `undisturbed`.
fn half_ingested(games: usize, cached: u32) -> CliTest {
    let test = CliTest::simulated(games);
    test.prep("ingest raw --cache undisturbed.sqlite");
    test.prep("export --cache undisturbed.sqlite --out undisturbed --features base");
    test.prep(&format!("ingest raw --max-games {cached}"));
    test
}

/// Checks the cache's folder, which has one file and the lock when no run is active.
#[track_caller]
fn assert_nothing_beside(test: &CliTest) {
    let files: Vec<PathBuf> = test.files("data/intermediate").into_keys().collect();
    assert_eq!(files, ["prep.sqlite", "prep.sqlite.lock"].map(PathBuf::from));
}

/// The content of the cache, without times.
fn content(test: &CliTest, cache: &str) -> BTreeMap<i64, (String, Vec<u8>)> {
    let games = cached_games(&test.path(cache)).into_iter();
    games.map(|(game_id, game)| (game_id, (game.source_hash, game.blobs))).collect()
}

#[test]
fn parallel_runs_give_the_same_content() {
    for (wait, allowed) in [("", &[0, 4][..]), ("--wait 60", &[0])] {
        let test = half_ingested(40, 10);
        let mut commands: Vec<String> = (0..8)
            .map(|run| format!("ingest raw {wait} --jobs 2 --batch-size {}", 1 + run))
            .collect();
        for export in 0..2 {
            commands.insert(3 * export + 1, format!("export --out out{export} --features base"));
        }
        let children: Vec<Child> =
            commands.iter().map(|command| test.command(command).spawn().unwrap()).collect();
        let mut done = 0;
        for (command, child) in commands.iter().zip(children) {
            let ran = Ran::from(child.wait_with_output().unwrap());
            assert!(!ran.stderr.contains("is locked"), "{command}: {ran:#?}");
            let allowed = if command.starts_with("export") { &[0] } else { allowed };
            assert!(allowed.contains(&ran.code), "{command}: {ran:#?}");
            done += u32::from(ran.code == 0);
        }
        assert!(done >= 3, "one ingest and two exports");
        assert_nothing_beside(&test);
        test.prep("export --out after --features base");
        assert!(test.files("after") == test.files("undisturbed"), "the exports differ");
        assert!(content(&test, CACHE) == content(&test, "undisturbed.sqlite"), "the caches differ");
    }
}

#[test]
fn export_beside_ingest_reads_one_state() {
    const BATCH: u32 = 10;
    let test = half_ingested(400, BATCH);
    let slow = format!("ingest raw --jobs 1 --batch-size {BATCH}");
    let mut ingest = test.command(&slow).spawn().unwrap();
    let mut states = Vec::new();
    while ingest.try_wait().unwrap().is_none() {
        let out = format!("out{}", states.len());
        test.exits(0, &format!("export --out {out} --features base"));
        let manifest = test.json(format!("{out}/manifest.json"));
        let games = manifest["inputs"]["games"].as_u64().unwrap();
        assert_eq!(games % u64::from(BATCH), 0, "a state between batches");

        // The arrays are those of the games in the manifest, independent of later commits.
        for split in ["train", "val", "test"] {
            let ids = manifest["splits"][split]["game_ids"].as_array().unwrap();
            let rows: u64 =
                ids.iter().map(|game_id| rows_of(&test, game_id.as_i64().unwrap())).sum();
            assert_eq!(manifest["splits"][split]["rows"], rows, "{split}");
            let array = test.read(format!("{out}/X_{split}.npy"));
            let header = 10 + u64::from(u16::from_le_bytes([array[8], array[9]]));
            assert_eq!(array.len() as u64 - header, rows * 422 * 4, "X_{split}.npy");
        }
        states.push(games);
    }
    assert_eq!(Ran::from(ingest.wait_with_output().unwrap()).code, 0);
    let between = states.iter().filter(|&&games| games > 10 && games < 400).count();
    assert!(between > 0, "no export fell into the ingest: {states:?}");
    assert!(states.is_sorted(), "{states:?}");
    test.prep("export --out after --features base");
    assert!(test.files("after") == test.files("undisturbed"), "the exports differ");
}

/// Number of rows of a log: its lines without the header.
fn rows_of(test: &CliTest, game_id: i64) -> u64 {
    let folder = 2 + (game_id - 1) % 3;
    let log = test.read(format!("raw/{folder}_games/{game_id}.csv"));
    log.iter().filter(|&&byte| byte == b'\n').count() as u64 - 1
}

#[test]
fn waiting_writer_names_the_holder() {
    let test = CliTest::simulated(3);
    let held = WriterLock::acquire(&test.path(CACHE), Duration::ZERO).unwrap();
    let child = test.command("ingest raw --wait 30").spawn().unwrap();
    sleep(Duration::from_millis(300));
    drop(held);
    let ran = Ran::from(child.wait_with_output().unwrap());
    assert_eq!(ran.code, 0, "{ran:#?}");
    let said = format!("waiting for another run (process {}) that holds", std::process::id());
    assert_eq!(ran.stderr.matches(&said).count(), 1, "once: {ran:#?}");

    // A holder that has released the lock is not named.
    assert_eq!(test.read(format!("{CACHE}.lock")), b"");
}

#[test]
fn killed_writer_blocks_nobody() {
    let test = half_ingested(150, 10);
    let mut holder = test.command("ingest raw --jobs 1 --batch-size 5").spawn().unwrap();
    let begun = Instant::now();
    while games_so_far(&test.path(CACHE)) == 10 {
        assert!(begun.elapsed() < Duration::from_secs(30), "no progress");
        sleep(Duration::from_millis(2));
    }
    // While it runs, a second writer is refused, and the message names the holder.
    let refused = test.exits(4, "ingest raw");
    let said = format!("another run (process {}) holds the cache", holder.id());
    assert!(refused.stderr.contains(&said), "{refused:#?}");
    holder.kill().unwrap();
    holder.wait().unwrap();
    // Without --wait, it would fail if the lock outlived the holder.
    test.prep("ingest raw");
    assert_nothing_beside(&test);
    test.prep("export --out after --features base");
    assert!(test.files("after") == test.files("undisturbed"), "the exports differ");
}

#[test]
fn writer_waits_for_a_reader_and_names_it() {
    let test = half_ingested(20, 10);
    let browser = Connection::open(test.path(CACHE)).unwrap();
    browser.execute_batch("BEGIN").unwrap();
    let games = || browser.query_row("SELECT count(*) FROM games", [], |row| row.get::<_, u32>(0));
    assert_eq!(games().unwrap(), 10);
    let mut ingest = test.command("-v ingest raw").stderr(Stdio::piped()).spawn().unwrap();
    let stderr = ingest.stderr.take().unwrap();
    let expected = format!("waiting for another program (process {})", std::process::id());
    let line =
        BufReader::new(stderr).lines().map(Result::unwrap).find(|line| line.contains(&expected));
    assert!(line.is_some(), "it did not name this process");
    assert_eq!(games().unwrap(), 10, "nothing is committed while a reader looks");
    browser.execute_batch("COMMIT").unwrap();
    assert!(ingest.wait().unwrap().success());
    assert_eq!(games().unwrap(), 20);
    drop(browser);
    assert_nothing_beside(&test);
}

/// A killed run leaves its journal beside the cache. The next command rolls it back, even if it only
/// reads; without write permission it fails with a message.
#[test]
fn reader_rolls_back_a_killed_commit() {
    let test = half_ingested(20, 10);
    let [file, journal] = half_committed(&test.path(CACHE));
    for command in ["status raw", "ingest raw"] {
        test.write(CACHE, &file);
        test.write(format!("{CACHE}-journal"), &journal);
        let ran = test.run(command);
        assert!(ran.stdout.contains("10"), "{command}: {ran:#?}");
        assert_nothing_beside(&test);
    }
    test.prep("verify raw");
}

/// The threads of an export open the file again by its name.
/// By renaming, or by writing to the same file, as `cp` does.
#[test]
fn replaced_cache_is_not_mixed_with_the_old_one() {
    for in_place in [false, true] {
        let test = half_ingested(6, 3);
        let cache = test.path(CACHE);
        let other = test.path("undisturbed.sqlite");
        let reader = Reader::open(&cache).unwrap();
        assert_eq!(reader.game_count().unwrap(), 3);
        if in_place {
            fs::copy(&other, &cache).unwrap();
        } else {
            fs::rename(&other, &cache).unwrap();
        }
        let mut results = Vec::new();
        // The outer call uses the connection of the first thread.
        let outer = reader.each_game(|_, _| results.push(reader.game_count().map(drop)));
        for result in results.into_iter().chain([outer]) {
            let error = result.unwrap_err().to_string();
            assert!(error.contains("was deleted or replaced by another program"), "{error}");
        }
    }
}

/// A copy of a cache during a commit, or without the journal of a killed run, has pages of two states, and each
/// game in it may be valid.
#[test]
fn mixture_of_two_states_is_not_finished() {
    let test = CliTest::simulated(60);
    test.prep("ingest raw");
    let old = (test.read(CACHE), content(&test, CACHE));
    for (path, log) in test.files("raw").into_iter().step_by(3) {
        test.write(Path::new("raw").join(path), with_one_byte_changed(&log));
    }
    test.prep("simulate raw --games 20 --first-id 61");
    test.prep("ingest raw");
    let new = (test.read(CACHE), content(&test, CACHE));
    let mixture = test.path("mixture.sqlite");
    let mut unfinished = None;
    for (first, second) in [(&old, &new), (&new, &old)] {
        for page in 1..second.0.len() / PAGE {
            let end = first.0.len().min(page * PAGE);
            fs::write(&mixture, [&first.0[..end], &second.0[page * PAGE..]].concat()).unwrap();
            let read =
                |reader: &Reader| reader.records().and_then(|_| reader.last_ingest_finished());
            match Reader::open(&mixture).and_then(|reader| read(&reader)) {
                Ok(true) => {
                    let content = content(&test, "mixture.sqlite");
                    assert!(content == old.1 || content == new.1, "page {page}");
                }
                Ok(false) => unfinished = Some(test.read("mixture.sqlite")),
                Err(_) => {}
            }
        }
    }
    // The next ingest completes it.
    fs::write(test.path(CACHE), unfinished.expect("a mixture that can be read")).unwrap();
    test.prep("ingest raw");
    assert!(content(&test, CACHE) == new.1);
    test.prep("export --strict --out out --features base");
}
