//! `prep inspect` agrees with the logs, the exports and the rules, fits into 80 columns, and gives
//! helpful errors.

#![allow(clippy::unwrap_used)]

use crate::support::cli::{CliTest, Ran};
use crate::support::log_text::LogText;
use crate::support::positions::{made_up_boards, simulated_turns};
use ndarray::{Array1, Array2};
use ndarray_npy::{NpzReader, read_npy};
use serde_json::Value;
use splendor_prep::encode::{Head, NO_LABEL, labels};
use splendor_prep::table::{legal_moves, position};
use std::collections::BTreeMap;
use std::fs::File;

fn json(test: &CliTest, arguments: &str) -> Value {
    serde_json::from_str(&test.prep(&format!("inspect {arguments} --json"))).unwrap()
}

/// The log of a game: the numbers of each row by column, without missing values.
fn logged_rows(test: &CliTest, log: &str) -> Vec<BTreeMap<String, i64>> {
    let mut reader = csv::Reader::from_path(test.path(log)).unwrap();
    let header = reader.headers().unwrap().clone();
    let numbers = |record: csv::StringRecord| {
        let fields = header.iter().zip(record.iter());
        fields
            .filter_map(|(name, text)| {
                let value = text.parse::<f64>().ok().filter(|value| value.is_finite())?;
                Some((name.to_owned(), value as i64))
            })
            .collect()
    };
    reader.records().map(|record| numbers(record.unwrap())).collect()
}

/// Asserts that every number of an object is in the log under its name.
fn assert_logged(shown: &Value, row: &BTreeMap<String, i64>, prefix: &str) {
    for (name, value) in shown.as_object().unwrap() {
        let logged = row.get(&format!("{prefix}{name}")).copied().unwrap_or(0);
        assert_eq!(value.as_i64().unwrap(), logged, "{prefix}{name}");
    }
}

fn assert_card_is_logged(shown: &Value, row: &BTreeMap<String, i64>, prefix: &str) {
    assert_eq!(shown["level"], row[&format!("{prefix}level")], "{prefix}");
    assert_eq!(shown["points"], row[&format!("{prefix}vp")], "{prefix}");
    let bonus = shown["bonus"].as_str().unwrap();
    assert_eq!(row[&format!("{prefix}bonus_{bonus}")], 1, "{prefix}");
    assert_logged(&shown["cost"], row, &format!("{prefix}cost_"));
}

#[test]
fn position_from_the_cache_is_that_of_the_log() {
    let test = CliTest::ingested(18);
    let (mut empty_slots, mut reserved_cards) = (0, 0);
    for (game, log) in
        [(1, "raw/2_games/1.csv"), (14, "raw/3_games/14.csv"), (18, "raw/4_games/18.csv")]
    {
        let rows = logged_rows(&test, log);
        for (place, row) in rows.iter().enumerate().filter(|(place, _)| place % 6 == 2) {
            let shown = json(&test, &format!("{game} --row {place}"));
            let turn = &shown["turns"][0];
            assert_eq!(turn["turn_number"], row["turn_number"]);
            let board = &turn["board"];
            assert_eq!(board["seat_to_move"], row["current_player"]);
            assert_logged(&board["gems"], row, "gems_board_");
            for level in 1..=3 {
                let deck = row[&format!("deck_level{level}_remaining")];
                assert_eq!(board["decks"][format!("level{level}")], deck);
            }
            // The filled slots of the log, in order, are the flat card indices.
            let slots: Vec<usize> =
                (0..12).filter(|slot| row.contains_key(&format!("card{slot}_vp"))).collect();
            empty_slots += 12 - slots.len();
            let displayed = board["displayed"].as_array().unwrap();
            assert_eq!(displayed.len(), slots.len());
            for (card, slot) in displayed.iter().zip(slots) {
                assert_card_is_logged(card, row, &format!("card{slot}_"));
            }
            for (slot, noble) in board["nobles"].as_array().unwrap().iter().enumerate() {
                assert_logged(&noble["requirement"], row, &format!("noble{slot}_req_"));
            }
            let players = board["players"].as_array().unwrap();
            assert_eq!(players.len() as i64, row["num_players"]);
            for player in players {
                let prefix = format!("player{}_", player["rotated_index"]);
                assert_eq!(player["seat"], row[&format!("{prefix}position")]);
                assert_eq!(player["points"], row[&format!("{prefix}vp")]);
                assert_logged(&player["gems"], row, &format!("{prefix}gems_"));
                assert_logged(&player["reductions"], row, &format!("{prefix}reduction_"));
                let is_held =
                    |place: &usize| row.contains_key(&format!("{prefix}reserved{place}_vp"));
                let held = (0..3).filter(is_held).count();
                assert_eq!(player["reserved"].as_array().unwrap().len(), held, "{prefix}");
                for (place, card) in player["reserved"].as_array().unwrap().iter().enumerate() {
                    assert_card_is_logged(card, row, &format!("{prefix}reserved{place}_"));
                    reserved_cards += 1;
                }
            }
            for head in ["card_selection", "card_reservation"] {
                let label = turn["labels"].get(head).and_then(Value::as_i64);
                assert_eq!(label, row.get(head).copied(), "{head}");
            }
        }
        let mut from_log = json(&test, &format!("{log} --turn 3"));
        let mut from_cache = json(&test, &format!("{game} --turn 3"));
        assert!(from_log["source"]["log"].is_string() && from_cache["source"]["cache"].is_string());
        for whole in [&mut from_log, &mut from_cache] {
            whole["source"].take();
        }
        assert_eq!(from_log, from_cache);
        assert_eq!(from_log["turns"].as_array().unwrap().len() as i64, rows[0]["num_players"]);
    }
    assert!(empty_slots > 0, "no position with an empty slot was looked at");
    assert!(reserved_cards > 0, "no position with a card in reserve was looked at");
}

#[test]
fn features_and_legal_moves_are_those_of_the_export() {
    let test = CliTest::ingested(6);
    test.prep("export --split 1,0,0");
    let folder = test.path("data/processed");
    let array = |file: &str, name: &str| -> Array1<i64> {
        let mut npz = NpzReader::new(File::open(folder.join(file)).unwrap()).unwrap();
        npz.by_name::<ndarray::OwnedRepr<i64>, _>(name).unwrap()
    };
    let game_ids = array("index_train.npz", "game_id");
    let x: Array2<f32> = read_npy(folder.join("X_train.npy")).unwrap();
    let mut masks = NpzReader::new(File::open(folder.join("masks_train.npz")).unwrap()).unwrap();
    let masks: BTreeMap<&str, Array2<i8>> =
        Head::ALL.iter().map(|head| (head.name(), masks.by_name(head.name()).unwrap())).collect();

    for (game, place) in [(1, 0), (2, 31), (6, 50)] {
        let first = game_ids.iter().position(|&game_id| game_id == game).unwrap();
        let shown = json(&test, &format!("{game} --row {place} --feature *"));
        let turn = &shown["turns"][0];
        let features = turn["features"].as_array().unwrap();
        assert_eq!(features.len(), 1_308);
        for (column, feature) in features.iter().enumerate() {
            let exported = x[[first + place, column]];
            assert_eq!(feature["normalized"].as_f64().unwrap() as f32, exported, "{feature}");
        }
        for head in Head::ALL {
            let legal = turn["legal_moves"].as_array().unwrap().iter();
            let classes = legal.filter_map(|legal| legal["labels"].get(head.name())?.as_u64());
            let mut allowed = vec![0; head.classes()];
            classes.for_each(|class| allowed[class as usize] = 1);
            if head == Head::GemsRemoved {
                allowed[0] = 1;
            }
            assert_eq!(allowed, masks[head.name()].row(first + place).to_vec(), "{}", head.name());
        }
        assert_eq!(turn["is_legal"], true);
    }
    let text = test.prep("inspect 1 --row 0 --feature max_vp_among_players --feature *_remaining");
    assert!(text.contains("normalized as in data/processed"), "{text}");
    assert!(text.contains("deck_level3_remaining"), "{text}");
}

#[test]
fn positions_fit_80_and_40_columns() {
    let simulated = simulated_turns(8).map(|turn| (turn.board, labels(&turn.action)));
    let made_up = made_up_boards(2_000).map(|board| (board, [NO_LABEL; Head::COUNT]));
    let wide = simulated
        .chain(made_up)
        .map(|(board, labels)| (position(&board, 80) + &legal_moves(&board, &labels), board, 80));
    let narrow = made_up_boards(2_000).map(|board| (position(&board, 40), board, 40));
    for (text, board, width) in wide.chain(narrow) {
        let plain = anstream::adapter::strip_str(&text).to_string();
        for line in plain.lines() {
            assert!(line.chars().count() <= width, "{} columns: {line}", line.chars().count());
        }
        for place in 0..12 {
            let is_there = plain.contains(&format!("╭─ {place} ─"));
            let is_noble = place < board.nobles.len();
            assert_eq!(is_there, place < board.displayed_cards().count() || is_noble, "{plain}");
        }
        let reserved: usize = board.players.iter().map(|player| player.reserved.len()).sum();
        let lines =
            plain.lines().filter(|line| line.contains(" point") && line.contains("  level "));
        assert_eq!(lines.count(), reserved, "{plain}");
        assert_eq!(plain.matches("no card").count(), 12 - board.displayed_cards().count());
    }
}

#[test]
fn list_and_rounds() {
    let test = CliTest::ingested(6);
    let rows = logged_rows(&test, "raw/3_games/2.csv");
    let text = test.prep("inspect 2");
    assert_eq!(text.lines().count(), rows.len() + 3, "{text}");
    let whole = test.prep("inspect 2 --turn 4");
    assert_eq!(whole.matches("game 2, turn 4 of ").count(), 3, "{whole}");
    let one = test.prep("inspect 2 --turn 4 --seat 1");
    assert_eq!(one.matches("game 2, turn 4 of ").count(), 1, "{one}");
    assert!(whole.contains(&one), "{one}");
    assert_eq!(one, test.prep("inspect 2 --row 10"));
    assert_eq!(one.matches("\n> ").count(), 1, "the logged move is marked:\n{one}");
}

#[test]
fn illegal_move() {
    let test = CliTest::simulated(1);
    let mut log = LogText::parse(&test.read("raw/2_games/1.csv"));
    log.lines.truncate(2);
    // With an empty hand, no card can be built.
    log.set(2, "action_type", "build");
    log.set(2, "card_selection", "5");
    log.clear_group(2, "gem_take3_");
    log.clear_group(2, "gem_take2_");
    test.write("1.csv", log.to_bytes());
    let text = test.prep("inspect 1.csv --row 0");
    assert!(text.contains("logged move: build 5: level 2 "), "{text}");
    let why = "not one of the legal moves: action_type, card_selection are not legal under their \
               masks";
    assert!(text.contains(why) && !text.contains("\n> "), "{text}");
    assert!(test.prep("inspect 1.csv").contains(" (not legal) (does not replay)\n"));
    assert_eq!(json(&test, "1.csv --row 0")["turns"][0]["is_legal"], false);
}

#[test]
fn wrong_arguments() {
    let test = CliTest::ingested(6);
    test.write("raw/77.csv", "game\n");
    assert_eq!(test.run("ingest raw").code, 3);
    let rounds = logged_rows(&test, "raw/2_games/1.csv").last().unwrap()["turn_number"];
    for (arguments, said) in [
        ("1 --turn 99", format!("turn 99: game 1 has turns 1 to {rounds}")),
        ("1 --turn -1", "turn -1: game 1 has turns 1 to ".into()),
        ("1 --turn 2 --seat 2", "seat 2: game 1 has seats 0 to 1".into()),
        ("1 --row 999", format!("row 999: game 1 has rows 0 to {}", 2 * rounds - 1)),
        (
            "99",
            "game 99 is not in data/intermediate/prep.sqlite, which holds 6 games from 1 to 6"
                .into(),
        ),
        ("77", "game 77 is not in the cache: 77.csv:1: ".into()),
        ("raw/2_games", "raw/2_games is neither a game id nor a log".into()),
        ("raw/2_games/5.csv", "there is no log raw/2_games/5.csv: check the path".into()),
        ("raw/77.csv", "raw/77.csv:1: ".into()),
        ("1 --row 0 --feature player0_gem_white", "did you mean player0_gems_white".into()),
        ("1 --row 0 --feature player0_gem_white", "? (`prep schema` lists all)".into()),
        ("1 --row 0 --feature zzz", "there is no feature `zzz`: `prep schema` lists all".into()),
        ("1 --row 0 --feature * --export raw", "cannot use the scaler of raw: ".into()),
        (
            "1 --cache none.sqlite",
            "there is no cache at none.sqlite: run `prep ingest DIR --cache none.sqlite`".into(),
        ),
    ] {
        let ran = test.run(&format!("inspect {arguments}"));
        assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{arguments}: {ran:#?}");
        assert!(ran.stderr.contains(&said), "{arguments}: {said:?} is not in {ran:#?}");
        assert_eq!(ran.stderr.lines().count(), 1, "{arguments}: {ran:#?}");
    }
    assert_eq!(test.run("inspect 1 --row 3 --turn 2").code, 2);
    assert_eq!(test.run("inspect 1 --turn two").code, 2);
}

#[test]
fn colors_only_on_request() {
    let test = CliTest::ingested(6);
    let run = |variables: &[(&str, &str)]| {
        let mut command = test.command("inspect 3 --row 20");
        command.env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE").env("TERM", "xterm");
        Ran::from(command.envs(variables.iter().copied()).output().unwrap()).stdout
    };
    let plain = run(&[]);
    assert!(plain.contains("to move") && !plain.contains('\x1b'), "{plain}");
    assert_eq!(run(&[("NO_COLOR", "1")]), plain);
    let colored = run(&[("CLICOLOR_FORCE", "1")]);
    assert!(colored.contains('\x1b'));
    assert_eq!(anstream::adapter::strip_str(&colored).to_string(), plain);
}
