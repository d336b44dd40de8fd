//! Logs that cannot be read: what is said of them, that all others go in, and that a good older
//! version stays until the log is mended.
//!
//! Every kind of fault is here once, through the whole program; the corners of each kind are tested
//! beside the reader.

#![allow(clippy::unwrap_used)]

#[path = "support/cached.rs"]
mod cached;
#[path = "support/cli.rs"]
mod cli;
#[path = "support/log_text.rs"]
mod log_text;

use cached::{cached_games, make_old, written_since};
use cli::CliTest;
use log_text::{LogText, with_one_byte_changed};
use std::fs;
use std::path::PathBuf;

/// A game of two, whose log has `3` and empty fields: line 2 is its first turn.
const LOG: &str = "2_games/1.csv";

/// Games 1 to 6 in `raw`, not ingested.
fn six_games() -> CliTest {
    let test = CliTest::new();
    test.prep("simulate raw --games 6");
    test
}

fn cache(test: &CliTest) -> PathBuf {
    test.path("data/intermediate/prep.sqlite")
}

fn cached_ids(test: &CliTest) -> Vec<i64> {
    cached_games(&cache(test)).into_keys().collect()
}

fn break_log(test: &CliTest, path: &str) -> Vec<u8> {
    let good = test.read(path);
    test.write(path, edited(&good, |log| log.set(3, "turn_number", "2.5")));
    good
}

fn edited(good: &[u8], edit: impl Fn(&mut LogText)) -> Vec<u8> {
    let mut log = LogText::parse(good);
    edit(&mut log);
    log.to_bytes()
}

/// One kind of fault.
struct Fault {
    what: &'static str,
    broken: Box<dyn Fn(&[u8]) -> Vec<u8>>,
    /// What stderr says behind the path; `…` stands for anything.
    said: &'static str,
}

/// A log with another value in one cell.
fn cell(
    what: &'static str,
    line: usize,
    column: &'static str,
    value: &'static str,
    said: &'static str,
) -> Fault {
    text(what, move |log| log.set(line, column, value), said)
}

/// A log with other cells or lines.
fn text(what: &'static str, edit: impl Fn(&mut LogText) + 'static, said: &'static str) -> Fault {
    bytes(what, move |good| edited(good, &edit), said)
}

/// A log with other bytes.
fn bytes(
    what: &'static str,
    broken: impl Fn(&[u8]) -> Vec<u8> + 'static,
    said: &'static str,
) -> Fault {
    Fault { what, broken: Box::new(broken), said }
}

fn set_card(log: &mut LogText, line: usize, card: &str, from: &str) {
    let columns = log.lines[0].clone();
    for column in columns.iter().filter(|column| column.starts_with(&format!("{from}_"))) {
        let value = log.cell(line, column).clone();
        log.set(line, &column.replacen(from, card, 1), &value);
    }
}

fn clear_group(log: &mut LogText, line: usize, group: &str) {
    let columns = log.lines[0].clone();
    for column in columns.iter().filter(|column| column.starts_with(&format!("{group}_"))) {
        log.set(line, column, "");
    }
}

/// In the order of the format's own list of errors.
fn faults() -> Vec<Fault> {
    vec![
        cell(
            "a fraction",
            3,
            "turn_number",
            "2.5",
            ":3: turn_number is `2.5`, expected a whole number from 1 to 10000",
        ),
        cell(
            "a number below its range",
            2,
            "turn_number",
            "0",
            ":2: turn_number is `0`, expected a whole number from 1 to 10000",
        ),
        cell(
            "a number above its range",
            4,
            "deck_level2_remaining",
            "27",
            ":4: deck_level2_remaining is `27`, expected a whole number from 0 to 26",
        ),
        cell(
            "more gems than this game has",
            5,
            "gems_board_red",
            "5",
            ":5: gems_board_red is `5`, expected a whole number from 0 to 4, the supply for 2 players",
        ),
        text(
            "a hand of more than ten",
            |log| {
                for (gem, count) in
                    ["white", "blue", "green", "red", "black", "gold"].iter().zip("444000".chars())
                {
                    log.set(6, &format!("player1_gems_{gem}"), &count.to_string());
                }
            },
            ":6: player1_gems_* is `12`, expected a hand of at most 10 gems",
        ),
        text(
            "more than three gems given back",
            |log| {
                log.set(2, "gems_removed_white", "2");
                log.set(2, "gems_removed_gold", "2");
            },
            ":2: gems_removed_* is `4`, expected at most 3 gems given back",
        ),
        cell(
            "an infinity",
            7,
            "player0_vp",
            "inf",
            ":7: player0_vp is `inf`, expected a whole number from 0 to 60",
        ),
        cell(
            "text",
            2,
            "player1_reduction_red",
            "two",
            ":2: player1_reduction_red is `two`, expected a whole number from 0 to 20",
        ),
        cell(
            "an unknown action",
            2,
            "action_type",
            "pass",
            ":2: action_type is `pass`, expected build, reserve, take 2 tokens, take 3 tokens",
        ),
        cell(
            "a value that may not be missing",
            8,
            "gems_board_gold",
            "nan",
            ":8: gems_board_gold is missing, expected a whole number from 0 to 5",
        ),
        text(
            "a short row",
            |log| _ = log.lines[3].pop(),
            ":4: found 402 values, expected 403 values, as the header has",
        ),
        text(
            "a long row",
            |log| log.lines[3].push("0".into()),
            ":4: found 404 values, expected 403 values, as the header has",
        ),
        text(
            "a missing column",
            |log| {
                let column = log.column("card5_cost_blue");
                log.lines.iter_mut().for_each(|cells| _ = cells.remove(column));
            },
            ":1: card5_cost_blue is missing, expected all 403 columns",
        ),
        text(
            "a doubled column",
            |log| {
                let column = log.column("card5_cost_blue");
                log.lines[0][column + 1] = "card5_cost_blue".into();
            },
            ":1: card5_cost_blue is `in the header twice`, expected each column once",
        ),
        text(
            "an unknown column",
            |log| {
                let column = log.column("card5_cost_blue");
                log.lines[0][column] = "card5_cost_bleu".into();
            },
            ":1: found the column `card5_cost_bleu`, expected only the columns of a game log \
            (did you mean card5_cost_blue?)",
        ),
        text(
            "a card that does not exist",
            |log| log.set(2, "card0_cost_white", "7"),
            ":2: card0_* is `0,…`, expected a card of the game, or none",
        ),
        text(
            "a part of a card",
            |log| log.set(9, "card8_level", ""),
            ":9: card8_level is missing, expected a value, as other columns of this card have one",
        ),
        text(
            "a card in another level's slots",
            |log| set_card(log, 2, "card4", "card0"),
            ":2: card4_level is `1`, expected 2: these are the slots of level 2",
        ),
        text(
            "a gap between cards",
            |log| clear_group(log, 2, "card1"),
            ":2: card1_* is missing, expected it to be filled before card2 is",
        ),
        text(
            "a noble that does not exist",
            |log| log.set(2, "noble0_vp", "2"),
            ":2: noble0_* is `2,…`, expected a noble of the game, or none",
        ),
        cell(
            "another game's row",
            3,
            "game_id",
            "2",
            ":3: game_id is `2`, expected 1, the game the file is named after",
        ),
        cell(
            "two players in one seat",
            2,
            "player1_position",
            "0",
            ":2: player1_position is `0`, expected 1: player0 sits in seat 0",
        ),
        text(
            "a missing player",
            |log| clear_group(log, 2, "player1"),
            ":2: player1_position is missing, expected a player: this is a game of 2",
        ),
        bytes(
            "a file cut off in a row",
            |good| {
                let mut log = edited(good, |log| log.lines.truncate(5));
                log.truncate(log.iter().rposition(|&byte| byte == b',').unwrap());
                log
            },
            ":5: found 402 values, expected the row to be complete: the file ends in the middle",
        ),
        bytes(
            "bytes that are not UTF-8",
            |good| {
                let place = good.windows(5).position(|bytes| bytes == b"take ").unwrap();
                let mut bytes = good.to_vec();
                bytes[place] = 0xff;
                bytes
            },
            ":2: action_type is `�ake 3 tokens`, expected build, reserve",
        ),
        bytes("an empty file", |_| Vec::new(), ": expected a header, then one row a turn"),
        text(
            "a header with no rows",
            |log| log.lines.truncate(1),
            ": expected at least one row below the header",
        ),
    ]
}

/// Whether the text begins like this.
fn is_said(text: &str, beginning: &str) -> bool {
    match beginning.split_once('…') {
        Some((before, after)) => {
            let line = text.lines().next().unwrap_or_default();
            line.starts_with(before) && line.ends_with(after)
        }
        None => text.starts_with(beginning),
    }
}

#[test]
fn every_fault_is_refused_with_its_place_and_costs_neither_the_others_nor_the_good_version() {
    let test = six_games();
    test.prep("ingest raw");
    let good = test.read(format!("raw/{LOG}"));
    let cached = cached_games(&cache(&test));
    for Fault { what, broken, said } in faults() {
        let broken = broken(&good);
        assert!(broken != good, "{what}: nothing is broken");

        // Without an older version: all other games go in.
        test.write(format!("raw/{LOG}"), &broken);
        let ran = test.run("ingest raw --cache empty.sqlite");
        assert_eq!(ran.code, 3, "{what}: {ran:#?}");
        let line = format!("error: {LOG}{said}");
        assert!(is_said(&ran.stderr, &line), "{what}:\n{line}\n{}", ran.stderr);
        assert_eq!(ran.stderr.lines().count(), 1, "{what}: {ran:#?}");
        assert!(ran.stdout.starts_with("5 games encoded (5 new; "), "{what}: {ran:#?}");
        assert!(ran.stdout.contains(", 0 up to date, 0 removed, 1 refused\n"), "{what}: {ran:#?}");
        let others: Vec<_> = cached_games(&test.path("empty.sqlite")).into_keys().collect();
        assert_eq!(others, [2, 3, 4, 5, 6], "{what}");
        fs::remove_file(test.path("empty.sqlite")).unwrap();

        // With one: it stays as it is.
        let ran = test.run("ingest raw");
        assert_eq!(ran.code, 3, "{what}: {ran:#?}");
        assert!(is_said(&ran.stderr, &line), "{what}: {ran:#?}");
        assert!(
            ran.stderr.contains("warning: the cache keeps an older version of 1 game"),
            "{ran:#?}"
        );
        let counts = "0 games encoded, 5 up to date, 0 removed, 1 refused\n";
        assert!(ran.stdout.starts_with(counts), "{what}: {ran:#?}");
        assert!(cached_games(&cache(&test)) == cached, "{what}: the cached games changed");
    }
    test.write(format!("raw/{LOG}"), &good);
    assert_eq!(
        test.prep("ingest raw").lines().next(),
        Some("0 games encoded, 6 up to date, 0 removed, 0 refused")
    );
}

#[test]
fn an_older_version_is_exported_with_a_word_about_it_until_its_log_is_mended() {
    let test = six_games();
    test.prep("ingest raw");
    test.prep("export --out before");
    let good = break_log(&test, &format!("raw/{LOG}"));
    let why = format!("{LOG}:3: turn_number is `2.5`, expected a whole number from 1 to 10000");
    assert_eq!(test.run("ingest raw").code, 3);

    let ran = test.run("export --out during");
    assert_eq!(ran.code, 0, "{ran:#?}");
    let warning = format!("warning: game 1 is there as it was before its log broke: {why}");
    assert!(ran.stderr.contains(&warning), "{ran:#?}");
    let (before, during) = (test.files("before"), test.files("during"));
    for (name, bytes) in &before {
        let is_manifest = name.as_os_str() == "manifest.json";
        assert_eq!(during[name] == *bytes, !is_manifest, "{}", name.display());
    }
    let manifest = manifest(&test, "during");
    assert_eq!(manifest["from_an_older_log"], serde_json::json!([{ "game_id": 1, "why": why }]));
    assert_eq!(manifest["left_out"], serde_json::json!([]));

    let status = test.run("status raw");
    assert_eq!(status.code, 1, "{status:#?}");
    assert_eq!(
        status.stdout,
        format!("{LOG}: refused: {why}\n1 game refused, 5 games up to date\n")
    );

    // Mended, to what it was or to something else: normal again.
    for mended in [good.clone(), with_one_byte_changed(&good)] {
        test.write(format!("raw/{LOG}"), &mended);
        let ran = test.run("ingest raw");
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{ran:#?}");
        assert_eq!(test.run("status raw").stdout, "6 games up to date\n");
        let ran = test.run("export --out after");
        assert!(ran.code == 0 && !ran.stderr.contains("game 1"), "{ran:#?}");
        let is_as_before = test.files("after") == before;
        assert_eq!(is_as_before, mended == good);
        break_log(&test, &format!("raw/{LOG}"));
        assert_eq!(test.run("ingest raw").code, 3);
    }
}

fn manifest(test: &CliTest, export: &str) -> serde_json::Value {
    serde_json::from_slice(&test.read(format!("{export}/manifest.json"))).unwrap()
}

#[test]
fn a_game_that_was_never_good_is_left_out_with_a_word_about_it() {
    let test = six_games();
    break_log(&test, &format!("raw/{LOG}"));
    assert_eq!(test.run("ingest raw").code, 3);
    let ran = test.run("export --out out");
    assert_eq!(ran.code, 0, "{ran:#?}");
    assert!(ran.stderr.contains(&format!("warning: game 1 is left out: {LOG}:3: ")), "{ran:#?}");
    let manifest = manifest(&test, "out");
    assert_eq!(manifest["left_out"][0]["game_id"], 1);
    assert_eq!(manifest["from_an_older_log"], serde_json::json!([]));
    assert_eq!(manifest["inputs"]["games"], 5);
}

#[test]
fn a_log_that_is_still_broken_is_refused_every_night_and_encodes_nothing() {
    let test = six_games();
    test.prep("ingest raw");
    break_log(&test, &format!("raw/{LOG}"));
    for _ in 0..3 {
        make_old(&cache(&test));
        assert_eq!(test.run("ingest raw").code, 3);
        assert_eq!(written_since(&cache(&test)), [0_i64; 0]);
    }
    // Broken and moved at once: still one refusal, of the file where it lies now.
    fs::rename(test.path(format!("raw/{LOG}")), test.path("raw/1.csv")).unwrap();
    let ran = test.run("ingest raw --max-games 3");
    assert!(ran.code == 3 && ran.stderr.starts_with("error: 1.csv:3: "), "{ran:#?}");
    let ran = test.run("export");
    assert_eq!(ran.stderr.matches("before its log broke").count(), 1, "{ran:#?}");
}

#[test]
fn a_log_mended_before_a_run_over_some_games_only_is_no_longer_refused() {
    let test = six_games();
    test.prep("ingest raw");
    let good = break_log(&test, &format!("raw/{LOG}"));
    for mended in [good.clone(), with_one_byte_changed(&good)] {
        break_log(&test, &format!("raw/{LOG}"));
        let still_good = break_log(&test, "raw/4_games/6.csv");
        assert_eq!(test.run("ingest raw").code, 3);
        test.write(format!("raw/{LOG}"), &mended);
        test.prep("ingest raw --max-games 2");
        let ran = test.run("export");
        assert!(!ran.stderr.contains("game 1 "), "game 1 is as its log is: {ran:#?}");
        assert!(ran.stderr.contains("game 6 is there as it was"), "{ran:#?}");
        test.write("raw/4_games/6.csv", still_good);
    }
}

#[test]
fn two_files_of_one_game_are_both_named_and_neither_goes_in() {
    let test = six_games();
    test.write("raw/copies/001.csv", test.read(format!("raw/{LOG}")));
    let said = [
        format!(
            "error: {LOG}: found game 1, expected one file for each game, \
                 but copies/001.csv is game 1 too"
        ),
        format!(
            "error: copies/001.csv: found game 1, expected one file for each game, \
                 but {LOG} is game 1 too"
        ),
    ];
    let ran = test.run("ingest raw");
    assert_eq!(ran.code, 3, "{ran:#?}");
    for line in &said {
        assert_eq!(ran.stderr.lines().filter(|printed| printed == line).count(), 1, "{ran:#?}");
    }
    assert!(ran.stdout.contains(" 2 refused\n"), "{ran:#?}");
    assert_eq!(cached_ids(&test), [2, 3, 4, 5, 6]);
    let status = test.run("status raw");
    assert_eq!(status.code, 1);
    assert!(status.stdout.contains(&format!("{LOG}: refused: copies/001.csv is the same game")));
    assert!(status.stdout.contains(&format!("copies/001.csv: refused: {LOG} is the same game")));

    // With one of them gone, the other is the game; a copy that comes later costs nothing.
    fs::remove_dir_all(test.path("raw/copies")).unwrap();
    test.prep("ingest raw");
    let cached = cached_games(&cache(&test));
    assert_eq!(cached.len(), 6);
    test.write("raw/copies/001.csv", with_one_byte_changed(&test.read(format!("raw/{LOG}"))));
    assert_eq!(test.run("ingest raw").code, 3);
    assert!(cached_games(&cache(&test)) == cached);
}

#[test]
fn a_file_that_cannot_be_read_is_refused_and_its_game_is_not_gone() {
    let test = six_games();
    test.prep("ingest raw");
    let cached = cached_games(&cache(&test));
    fs::remove_file(test.path(format!("raw/{LOG}"))).unwrap();
    std::os::unix::fs::symlink("nowhere.csv", test.path(format!("raw/{LOG}"))).unwrap();
    let ran = test.run("ingest raw");
    assert_eq!(ran.code, 3, "{ran:#?}");
    let line = format!(
        "error: {LOG}: found No such file or directory (os error 2), \
                        expected a file that can be read"
    );
    assert!(ran.stderr.starts_with(&line), "{ran:#?}");
    assert!(
        ran.stdout.starts_with("0 games encoded, 5 up to date, 0 removed, 1 refused"),
        "{ran:#?}"
    );
    assert!(cached_games(&cache(&test)) == cached);
    let status = test.run("status raw");
    assert_eq!(status.code, 1);
    assert!(status.stdout.starts_with(&format!("{LOG}: refused: ")), "{status:#?}");
}

#[test]
fn broken_logs_are_not_taken_for_gone_however_many_they_are() {
    let test = six_games();
    test.prep("ingest raw");
    let cached = cached_games(&cache(&test));
    for path in test.files("raw").keys() {
        test.write(PathBuf::from("raw").join(path), "game_id\n");
    }
    for arguments in ["ingest raw", "ingest raw --allow-delete", "ingest raw --repair"] {
        let ran = test.run(arguments);
        assert_eq!(ran.code, 3, "{ran:#?}");
        assert!(ran.stderr.contains("an older version of 6 games"), "{ran:#?}");
        assert!(cached_games(&cache(&test)) == cached, "{arguments}");
    }
}

#[test]
fn a_log_that_was_refused_and_is_gone_is_forgotten() {
    let test = six_games();
    test.prep("ingest raw");
    break_log(&test, &format!("raw/{LOG}"));
    assert_eq!(test.run("ingest raw").code, 3);
    fs::remove_file(test.path(format!("raw/{LOG}"))).unwrap();
    let stdout = test.prep("ingest raw");
    assert!(
        stdout.starts_with("0 games encoded, 5 up to date, 1 removed, 0 refused\n"),
        "{stdout}"
    );
    let ran = test.run("export");
    assert!(ran.code == 0 && !ran.stderr.contains("game 1 "), "{ran:#?}");
    assert_eq!(test.run("status raw").code, 0);
}

#[test]
fn twenty_refused_logs_are_listed_and_the_rest_are_counted() {
    for (broken, more) in
        [(20, None), (21, Some("1 more refused log")), (25, Some("5 more refused logs"))]
    {
        let test = six_games();
        for game_id in 101..101 + broken {
            test.write(format!("raw/{game_id}.csv"), "");
        }
        let ran = test.run("ingest raw");
        assert_eq!(ran.code, 3);
        assert_eq!(ran.stderr.matches("expected a header").count(), 20, "{ran:#?}");
        let said = format!("error: and {}, see `prep status`\n", more.unwrap_or_default());
        assert_eq!(ran.stderr.ends_with(&said), more.is_some(), "{ran:#?}");
        assert_eq!(ran.stderr.lines().count(), if more.is_some() { 21 } else { 20 });
        let status = test.run("status raw");
        assert_eq!(status.stdout.matches("refused: ").count(), broken, "{status:#?}");
        assert_eq!(cached_ids(&test), [1, 2, 3, 4, 5, 6]);
    }
}
