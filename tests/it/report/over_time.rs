//! Compares nights, wins and ingests with SQL queries and the text of the logs.

use super::numbers;
use crate::support::cached::execute_unchecked;
use crate::support::cli::CliTest;
use rusqlite::Connection;
use serde_json::{Value, json};

const CACHE: &str = "data/intermediate/prep.sqlite";

fn count(test: &CliTest, sql: &str) -> u64 {
    let connection = Connection::open(test.path(CACHE)).unwrap();
    connection.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap() as u64
}

/// Games 1 to 30 in one night, which are in an export, and 31 to 60 in the next night.
fn two_nights() -> CliTest {
    let test = CliTest::ingested(30);
    test.prep("export --out export");
    test.prep("simulate raw --games 30 --first-id 31 --seed 9");
    test.prep("ingest raw");
    // The last second of a night, and the first.
    let sql = "UPDATE games SET ingested_at = \
               iif(game_id <= 30, '2026-01-30T23:59:59Z', '2026-01-31T00:00:00Z')";
    execute_unchecked(&test.path(CACHE), sql);
    test
}

#[test]
fn nights_match_sql() {
    let test = two_nights();
    let found = numbers(&test, "--export export");
    let timeline = &found["timeline"];
    assert_eq!((&timeline["by_night"], &timeline["exported_until"]), (&json!(true), &json!(0)));
    let periods = timeline["periods"].as_array().unwrap();
    assert_eq!(periods.len(), 2);
    for (period, night) in periods.iter().zip(["2026-01-30", "2026-01-31"]) {
        assert_eq!(period["name"], night);
        let games_and_rows = json!({ "games": period["games"], "rows": period["rows"] });
        assert_eq!(found["nights"][night], games_and_rows);
        for (place, players) in [2, 3, 4].into_iter().enumerate() {
            let of = |what: &str| {
                let sql = format!(
                    "SELECT {what} FROM game_list WHERE night = '{night}' AND players = {players}"
                );
                count(&test, &sql)
            };
            assert_eq!(period["games"][place], of("count(*)"));
            assert_eq!(period["rows"][place], of("sum(turns)"));
            assert_eq!(period["turns"][place], of("sum(rounds)"));
            for seat in 0..4 {
                let won = of(&format!("coalesce(sum(winner_seat = {seat}), 0)"));
                assert_eq!(period["endings"][place]["won_by_seat"][seat], won);
            }
        }
        let sql = format!("SELECT sum(builds) FROM game_list WHERE night = '{night}'");
        assert_eq!(period["actions"][0], count(&test, &sql));
    }
    assert!(periods[0]["drift"].is_null() && periods[1]["drift"].is_object(), "{timeline}");
    let ingests = found["ingests"].as_array().unwrap();
    assert_eq!(ingests.len(), 2);
    assert_eq!(ingests[1]["games_by_status"]["new"], 30);
    assert_eq!(ingests[1]["games"], 60);
}

#[test]
fn drift_shows_when_the_data_changed() {
    let test = CliTest::ingested(120);
    let one_night = numbers(&test, "")["timeline"].take();
    assert_eq!(one_night["by_night"], false);
    let moved = |timeline: &Value| -> Vec<u64> {
        let periods = timeline["periods"].as_array().unwrap();
        periods.iter().filter_map(|period| period["drift"]["columns"].as_u64()).collect()
    };
    assert!(moved(&one_night).iter().all(|&columns| columns <= 5), "{one_night}");
    // In the logs of the last forty games, the decks of level 1 are nearly empty.
    for (path, bytes) in test.files("raw") {
        let id: u32 = path.file_stem().unwrap().to_str().unwrap().parse().unwrap();
        if id > 80 {
            let log = crate::support::log_text::edited(&bytes, |log| {
                for line in 2..=log.lines.len() {
                    log.set(line, "deck_level1_remaining", "1");
                }
            });
            test.write(std::path::Path::new("raw").join(path), log);
        }
    }
    test.prep("ingest raw -q");
    let sql = "UPDATE games SET ingested_at = '2026-01-' || (10 + game_id / 41) || 'T03:00:00Z'";
    execute_unchecked(&test.path(CACHE), sql);
    let timeline = numbers(&test, "")["timeline"].take();
    let periods = timeline["periods"].as_array().unwrap();
    assert_eq!(periods.len(), 3);
    assert_eq!(periods[2]["drift"]["column"], "deck_level1_remaining");
    assert!(periods[2]["drift"]["mean_shift"].as_f64().unwrap() < -1.0);
    assert!(periods[1]["drift"]["columns"].as_u64() < periods[2]["drift"]["columns"].as_u64());
}

#[test]
fn wins_match_sql() {
    let test = CliTest::ingested(60);
    let found = numbers(&test, "");
    for players in [2, 3, 4] {
        let endings = &found["games_by_players"][players.to_string()]["endings"];
        for seat in 0..4 {
            let sql = format!(
                "SELECT count(*) FROM game_list WHERE players = {players} AND winner_seat = {seat}"
            );
            assert_eq!(endings["won_by_seat"][seat], count(&test, &sql));
        }
    }
    // Builds and visits of winners, by the logs.
    let (mut builds, mut visits) = ([0_u64; 2], [0_u64; 2]);
    for (path, bytes) in test.files("raw") {
        let id = path.file_stem().unwrap().to_str().unwrap();
        let sql = format!("SELECT coalesce(winner_seat, -1) FROM game_list WHERE game_id = {id}");
        let connection = Connection::open(test.path(CACHE)).unwrap();
        let winner: i64 = connection.query_row(&sql, [], |row| row.get(0)).unwrap();
        let mut reader = csv::Reader::from_reader(&bytes[..]);
        let header = reader.headers().unwrap().clone();
        let place = |name: &str| header.iter().position(|column| column == name).unwrap();
        for row in reader.records().map(Result::unwrap) {
            let has_won = row[place("current_player")].parse::<f64>().unwrap() as i64 == winner;
            if winner >= 0 && &row[place("action_type")] == "build" {
                builds[usize::from(has_won)] += 1;
                let noble =
                    row[place("noble_selection")].parse::<f64>().is_ok_and(|noble| noble >= 0.0);
                visits[usize::from(has_won)] += u64::from(noble);
            }
        }
    }
    assert!(visits[1] > 20);
    for (what, [lost, won]) in [("cards", builds), ("nobles", visits)] {
        let sum = |of: &str| -> u64 {
            let all = found["cards"][what].as_array().unwrap().iter();
            all.flat_map(|one| one["wins"][of].as_array().unwrap()).flat_map(Value::as_u64).sum()
        };
        assert_eq!((sum("won"), sum("decided")), (won, won + lost), "{what}");
    }
}
