//! How `inspect` and `report` show games that do not replay.

use super::cli::{FAULT, forget_the_replay, two_faulty_games};
use crate::support::log_text::edited;
use serde_json::{Value, json};

/// Games 4 and 5 do not replay, game 6 ends early.
fn ingested() -> crate::support::cli::CliTest {
    let test = two_faulty_games();
    let log = test.read("raw/4_games/6.csv");
    test.write("raw/4_games/6.csv", edited(&log, |log| log.lines.truncate(31)));
    test.prep("ingest raw -q");
    test
}

#[test]
fn inspect_shows_the_fault_and_the_row_before() {
    let test = ingested();
    for game in ["4", "raw/2_games/4.csv"] {
        let list = test.prep(&format!("inspect {game}"));
        assert!(list.starts_with("game 4: 2 players, "), "{list}");
        assert!(list.lines().next().unwrap().ends_with(", does not replay"), "{list}");
        let marked: Vec<&str> =
            list.lines().filter(|line| line.ends_with(" (does not replay)")).collect();
        assert!(marked[0].trim_start().starts_with("3 "), "{list}");
        assert!(list.contains("\nrow 3 (line 5): player1 has 60 points, the move gives 0\n"));

        let turn = test.prep(&format!("inspect {game} --row 3"));
        let order = [
            "previous row: row 2, turn 2, seat 0\n",
            "points, to move",
            "its move: ",
            "does not replay (line 5): The points of a player differ\n",
            "  column    player1_vp\n  expected  0\n  found     60\n",
            "logged move: ",
        ];
        let mut rest = turn.as_str();
        for part in order {
            let at = rest.find(part).unwrap_or_else(|| panic!("{part} in {turn}"));
            rest = &rest[at + part.len()..];
        }
        assert!(!test.prep(&format!("inspect {game} --row 2")).contains("does not replay"));
    }
    assert!(test.prep("inspect 6").lines().next().unwrap().ends_with(", unfinished"));
    assert!(!test.prep("inspect 1").contains("replay"));

    let all = |arguments: &str| test.prep_json(&format!("inspect {arguments} --json"));
    let turn = all("4 --row 3");
    let fault = json!({
        "row_in_game": 3,
        "line": 5,
        "kind": "points",
        "column": "player1_vp",
        "found": "60",
        "expected": "0",
        "text": FAULT.split_once(": ").unwrap().1,
    });
    assert_eq!(turn["replay_faults"][0], fault);
    assert_eq!(turn["turns"][0]["replay_fault"], fault);
    assert_eq!(turn["turns"][0]["row_before"], all("4")["turns"][2]);
    let before = all("4 --row 2")["turns"][0].take();
    assert_eq!((&before["replay_fault"], &before["row_before"]), (&Value::Null, &Value::Null));
}

#[test]
fn report_lists_faulty_games() {
    let test = ingested();
    let found = test.prep_json("report --json --out page.html");
    let cache = &found["cache"];
    assert_eq!(cache["endings"], json!({ "finished": 5, "tie": 0, "unfinished": 1 }));
    assert_eq!(cache["not_replayed"], 0);
    let faulty = cache["does_not_replay"].as_array().unwrap();
    assert_eq!(faulty.iter().map(|game| &game["game_id"]).collect::<Vec<_>>(), [4, 5]);
    assert_eq!(faulty[0]["source_path"], "2_games/4.csv");
    assert_eq!(faulty[0]["first_faults"][0]["line"], 5);
    let page = String::from_utf8(test.read("page.html")).unwrap();
    for text in [
        "4 games replay, 2 do not.",
        "<code>2_games/4.csv:5</code>",
        "player1 has 60 points, the move gives 0",
        "2 games do not replay (the first is game 4)",
        "1 game is unfinished",
    ] {
        assert!(page.contains(text), "{text}");
    }

    forget_the_replay(&test);
    let found = test.prep_json("report --json --out page.html");
    assert_eq!(found["cache"]["not_replayed"], 6);
    let page = String::from_utf8(test.read("page.html")).unwrap();
    assert!(page.contains("No game of this cache has been replayed yet."));
}
