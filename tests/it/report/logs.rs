//! Compares games, points, actions and cards with the text of the logs, read with the `csv` crate.

use super::numbers;
use crate::support::cli::CliTest;
use serde_json::json;
use std::collections::{BTreeMap, HashMap};

/// A row of a log: the values that are not missing, by column.
struct Row(HashMap<String, String>);

impl Row {
    fn number(&self, column: &str) -> Option<i64> {
        let number: f64 = self.0.get(column)?.parse().unwrap();
        Some(number as i64)
    }

    /// The card in the columns with this prefix, as text; `None` if there is no card.
    fn card(&self, prefix: &str) -> Option<String> {
        let number = |column: &str| self.number(&format!("{prefix}_{column}"));
        let (level, points) = (number("level")?, number("vp")?);
        let colors = ["white", "blue", "green", "red", "black"];
        let bonus = colors.iter().find(|color| number(&format!("bonus_{color}")) == Some(1));
        let cost: Vec<i64> =
            colors.iter().map(|color| number(&format!("cost_{color}")).unwrap()).collect();
        Some(format!("{level} {points} {} {cost:?}", bonus.unwrap()))
    }

    fn displayed(&self) -> Vec<String> {
        (0..12).filter_map(|slot| self.card(&format!("card{slot}"))).collect()
    }

    /// The reserved cards of the player in a seat.
    fn reserve(&self, seat: i64) -> Vec<String> {
        let player = (0..4)
            .find(|player| self.number(&format!("player{player}_position")) == Some(seat))
            .unwrap();
        (0..3).filter_map(|slot| self.card(&format!("player{player}_reserved{slot}"))).collect()
    }

    fn leader_points(&self) -> i64 {
        (0..4).filter_map(|player| self.number(&format!("player{player}_vp"))).max().unwrap()
    }
}

/// The rows of all logs below a folder.
fn games(test: &CliTest, folder: &str) -> Vec<Vec<Row>> {
    let read = |bytes: Vec<u8>| {
        let mut reader = csv::Reader::from_reader(&bytes[..]);
        let columns = reader.headers().unwrap().clone();
        let row = |record: csv::StringRecord| {
            let cells = columns.iter().zip(&record).map(|(column, cell)| (column, cell.trim()));
            let there =
                cells.filter(|(_, cell)| !cell.is_empty() && !cell.eq_ignore_ascii_case("nan"));
            Row(there.map(|(column, cell)| (column.to_owned(), cell.to_owned())).collect())
        };
        reader.records().map(|record| row(record.unwrap())).collect()
    };
    test.files(folder).into_values().map(read).collect()
}

fn count(counts: &mut BTreeMap<String, u64>, key: impl ToString) {
    *counts.entry(key.to_string()).or_default() += 1;
}

const ACTIONS: [&str; 4] = ["build", "reserve", "take 2 tokens", "take 3 tokens"];

#[test]
fn games_match_logs() {
    let test = CliTest::ingested(40);
    let found = numbers(&test, "");
    assert_eq!(found["actions"], json!(ACTIONS));
    let all = games(&test, "raw");
    let mut rows = 0;
    for players in [2, 3, 4] {
        let games: Vec<&Vec<Row>> =
            all.iter().filter(|game| game[0].number("num_players") == Some(players)).collect();
        assert!(games.len() > 10);
        let found = &found["games_by_players"][players.to_string()];
        let (mut lengths, mut last_turns) = (BTreeMap::new(), BTreeMap::new());
        let mut actions = [0; 4];
        type Turn = (BTreeMap<String, u64>, BTreeMap<String, u64>, [u64; 4]);
        let mut turns: BTreeMap<i64, Turn> = BTreeMap::new();
        for game in &games {
            rows += game.len();
            count(&mut lengths, game.len());
            count(&mut last_turns, game.last().unwrap().number("turn_number").unwrap());
            for (place, row) in game.iter().enumerate() {
                let number = row.number("turn_number").unwrap();
                let turn = turns.entry(number).or_default();
                if place == 0 || game[place - 1].number("turn_number") != Some(number) {
                    count(&mut turn.0, row.leader_points());
                }
                count(&mut turn.1, row.number("player0_vp").unwrap());
                let action = ACTIONS.iter().position(|name| *name == row.0["action_type"]);
                turn.2[action.unwrap()] += 1;
                actions[action.unwrap()] += 1;
            }
        }
        assert_eq!(found["games"], games.len());
        assert_eq!(found["lengths"], json!(lengths));
        assert_eq!(found["last_turns"], json!(last_turns));
        assert_eq!(found["actions"], json!(actions));
        assert_eq!(found["turns"].as_object().unwrap().len(), turns.len());
        for (turn, (leader, points, actions)) in turns {
            let found = &found["turns"][turn.to_string()];
            assert_eq!(found["leader_points"], json!(leader), "turn {turn}");
            assert_eq!(found["points"], json!(points), "turn {turn}");
            assert_eq!(found["actions"], json!(actions), "turn {turn}");
        }
    }
    assert_eq!(found["cache"]["games"], all.len());
    assert_eq!(found["cache"]["rows"], rows);
    let bytes: usize = test.files("raw").values().map(Vec::len).sum();
    assert_eq!(found["cache"]["log_bytes"], bytes);
}

/// Counts of a card: games in which it was seen; built from the table or a reserve; reserved from the
/// table or a deck.
type Fate = [u64; 5];

/// Adds a game to the counts of its cards. Returns the number of unknown reservations.
fn add_fates(game: &[Row], fates: &mut BTreeMap<String, Fate>) -> u64 {
    let mut unknown = 0;
    let mut seen: Vec<String> = Vec::new();
    for (place, row) in game.iter().enumerate() {
        let seat = row.number("current_player").unwrap();
        let displayed = row.displayed();
        seen.extend(displayed.iter().cloned());
        for seat in 0..row.number("num_players").unwrap() {
            seen.extend(row.reserve(seat));
        }
        match row.0["action_type"].as_str() {
            "build" => {
                let label = row.number("card_selection").unwrap() as usize;
                let (card, fate) = match label {
                    0..12 => (displayed[label].clone(), 1),
                    _ => (row.reserve(seat)[label - 12].clone(), 2),
                };
                fates.entry(card).or_default()[fate] += 1;
            }
            "reserve" => {
                // The additional card of the player at the next move, or at the end of the game.
                let later = &game[place + 1..];
                let next = later.iter().find(|row| row.number("current_player") == Some(seat));
                let Some(after) = next.or(later.last()) else {
                    unknown += 1;
                    continue;
                };
                let before = row.reserve(seat);
                let after = after.reserve(seat);
                let card = after.into_iter().find(|card| !before.contains(card)).unwrap();
                let fate = if displayed.contains(&card) { 3 } else { 4 };
                fates.entry(card).or_default()[fate] += 1;
            }
            _ => {}
        }
    }
    seen.sort();
    seen.dedup();
    for card in seen {
        fates.entry(card).or_default()[0] += 1;
    }
    unknown
}

#[test]
fn cards_match_logs() {
    let test = CliTest::ingested(150);
    let mut fates: BTreeMap<String, Fate> = BTreeMap::new();
    let unknown: u64 = games(&test, "raw").iter().map(|game| add_fates(game, &mut fates)).sum();
    let total = |fate: usize| fates.values().map(|fates| fates[fate]).sum::<u64>();
    assert!((1..5).all(|fate| total(fate) > 0), "{:?}", [1, 2, 3, 4].map(total));

    let found = &numbers(&test, "")["cards"];
    let mut told: BTreeMap<String, Fate> = BTreeMap::new();
    for card in found["cards"].as_array().unwrap() {
        let cost: Vec<i64> = serde_json::from_value(card["cost"].clone()).unwrap();
        let bonus = card["bonus"].as_str().unwrap();
        let name = format!("{} {} {bonus} {cost:?}", card["level"], card["points"]);
        let fate = [
            "games_seen",
            "built_from_table",
            "built_from_reserve",
            "reserved_from_table",
            "reserved_from_deck",
        ];
        let fate = fate.map(|what| card[what].as_u64().unwrap());
        if fate != [0; 5] {
            told.insert(name, fate);
        }
    }
    assert_eq!(told, fates);
    assert_eq!(found["unknown_builds"], 0);
    assert_eq!(found["unknown_reservations"], unknown);
}
