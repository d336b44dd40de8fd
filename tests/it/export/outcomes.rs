//! Outcomes, compared with an independent computation from the last row of each player in the log, its
//! move, and the ranking rules.

use super::{Log, exported, ingested, logs};
use crate::support::cli::CliTest;
use crate::support::long_run::times;
use splendor_prep::gamelog::Outcome;
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// The final points and number of built cards of each player.
fn final_standing(log: &Log) -> Vec<(i32, i32)> {
    let number = |turn: usize, column: &str| log.number(turn, log.place(column)) as i32;
    let players = number(0, "num_players") as usize;
    let last = log.turns.len() - 1;
    // The last turn of each seat, if every seat has one.
    let turns = (last.saturating_sub(players - 1)..=last).rev();
    let mut standing = vec![(0, 0); players];
    for turn in turns {
        let mut points = number(turn, "player0_vp");
        let mut cards: i32 = ["white", "blue", "green", "red", "black"]
            .map(|color| number(turn, &format!("player0_reduction_{color}")))
            .iter()
            .sum();
        if log.turns[turn][log.place("action_type")] == "build" {
            cards += 1;
            let selected = number(turn, "card_selection") as usize;
            let is_displayed = |slot: &usize| number(turn, &format!("card{slot}_level")) > 0;
            points += match selected.checked_sub(12) {
                Some(place) => number(turn, &format!("player0_reserved{place}_vp")),
                None => {
                    let slot = (0..12).filter(is_displayed).nth(selected).unwrap();
                    number(turn, &format!("card{slot}_vp"))
                }
            };
            let noble = &log.turns[turn][log.place("noble_selection")];
            if noble.parse::<f32>().is_ok_and(|noble| noble >= 0.0) {
                points += 3;
            }
        }
        standing[number(turn, "current_player") as usize] = (points, cards);
    }
    standing
}

/// The four values of each row.
fn outcomes(log: &Log) -> Vec<[i32; 4]> {
    let number = |turn: usize, column: &str| log.number(turn, log.place(column)) as i32;
    let standing = final_standing(log);
    let last = log.turns.len() - 1;
    let is_complete = number(last, "current_player") as usize == standing.len() - 1;
    let is_over = is_complete && standing.iter().any(|&(points, _)| points >= 15);
    (0..log.turns.len())
        .map(|turn| {
            if !is_over {
                return [-1, -1, -128, -1];
            }
            let seat = number(turn, "current_player") as usize;
            let rank = |&(points, cards): &(i32, i32)| (points, Reverse(cards));
            let own = rank(&standing[seat]);
            let better = standing.iter().filter(|other| rank(other) > own).count() as i32;
            let equal = standing.iter().filter(|other| rank(other) == own).count();
            let mut others = standing.clone();
            others.remove(seat);
            let best = others.iter().map(|&(points, _)| points).max().unwrap();
            let won = i32::from(better == 0 && equal == 1);
            let rounds = number(last, "turn_number") - number(turn, "turn_number");
            [won, better + 1, standing[seat].0 - best, rounds]
        })
        .collect()
}

#[test]
fn outcomes_equal_the_results() {
    let test = CliTest::new();
    test.prep(&format!("simulate raw --games {}", times(240, 10_000)));
    // The log of a stopped game, without its last two rows.
    let log = String::from_utf8(test.read("raw/2_games/4.csv")).unwrap();
    let lines: Vec<&str> = log.lines().collect();
    test.write("raw/2_games/4.csv", lines[..lines.len() - 2].join("\n") + "\n");
    test.prep("ingest raw");
    let export =
        exported(&test, "out", "--split 1,0,0 --features base --no-normalize --dtype int8");
    let index = export.index("train");
    let found = Outcome::NAMES.map(|name| export.outcome("train", name));
    let mut rows: BTreeMap<i64, Vec<[i32; 4]>> = BTreeMap::new();
    for (row, &game_id) in index.game_id.iter().enumerate() {
        rows.entry(game_id).or_default().push(found.each_ref().map(|values| values[row]));
    }
    let (mut ties, mut unfinished) = (0, 0);
    for (game_id, path) in logs(&test, "raw") {
        let log = Log::read(&path);
        let expected = outcomes(&log);
        assert_eq!(rows[&game_id], expected, "game {game_id}");
        unfinished += i32::from(expected[0][0] == -1);
        ties += i32::from(expected.iter().all(|row| row[0] == 0));
    }
    assert!(ties > 0 && unfinished > 0, "{ties} ties, {unfinished} unfinished games");
}

/// Earlier exports have no outcomes and are valid.
#[test]
fn export_without_outcomes() {
    let test = ingested(9);
    exported(&test, "out", "--features base");
    exported(&test, "old", "--features base");
    let mut manifest: serde_json::Value =
        serde_json::from_slice(&test.read("old/manifest.json")).unwrap();
    for split in ["train", "val", "test"] {
        let name = format!("outcome_{split}.npz");
        std::fs::remove_file(test.path("old").join(&name)).unwrap();
        manifest["files"].as_object_mut().unwrap().remove(&name).unwrap();
    }
    // An export of the first version, which had no ids.
    manifest.as_object_mut().unwrap().remove("export_id").unwrap();
    test.write("old/manifest.json", manifest.to_string());
    let found = test.run("verify --export old");
    assert_eq!(found.code, 0, "{found:#?}");
    let diff = test.run("diff old out").stderr;
    assert!(
        diff.contains("old was made by an older version of prep, and has no outcomes"),
        "{diff}"
    );
    assert!(!test.run("diff out out").stderr.contains("outcomes"));

    // An export that should have outcomes is invalid without them.
    std::fs::remove_file(test.path("out/outcome_val.npz")).unwrap();
    test.write("out/outcome_test.npz", test.read("out/outcome_train.npz"));
    let found = test.run("verify --export out");
    assert!(found.stdout.contains("outcome_val.npz: is missing"), "{found:#?}");
    assert!(found.stdout.contains("outcome_test.npz: won has shape"), "{found:#?}");
}
