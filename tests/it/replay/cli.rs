//! Messages and stored data about games that do not replay.

use crate::support::cached::{execute, make_old, written_since};
use crate::support::cli::CliTest;
use crate::support::log_text::{edited, with_one_byte_changed};
use rusqlite::Connection;

/// No player has 60 points in the fourth row of a game.
pub(super) const FAULT: &str = "2_games/4.csv:5: player1 has 60 points, the move gives 0";

/// Games 1 to 6 in `raw`, of which 4 and 5 do not replay.
pub(super) fn two_faulty_games() -> CliTest {
    let test = CliTest::simulated(6);
    break_games(&test);
    test
}

pub(super) fn break_games(test: &CliTest) {
    let good = test.read("raw/2_games/4.csv");
    test.write("raw/2_games/4.csv", edited(&good, |log| log.set(5, "player1_vp", "60")));
    let good = test.read("raw/3_games/5.csv");
    test.write("raw/3_games/5.csv", edited(&good, |log| _ = log.lines.remove(9)));
}

/// The rows of a query, with values separated by `|`.
fn rows(test: &CliTest, sql: &str) -> Vec<String> {
    let connection = Connection::open(test.cache()).unwrap();
    let mut statement = connection.prepare(sql).unwrap();
    let columns = statement.column_count();
    let row = |row: &rusqlite::Row<'_>| -> rusqlite::Result<String> {
        let values = (0..columns).map(|column| {
            use rusqlite::types::ValueRef;
            Ok(match row.get_ref(column)? {
                ValueRef::Null => "NULL".to_owned(),
                ValueRef::Integer(number) => number.to_string(),
                value => value.as_str()?.to_owned(),
            })
        });
        Ok(values.collect::<rusqlite::Result<Vec<_>>>()?.join("|"))
    };
    statement.query_map([], row).unwrap().collect::<Result<_, _>>().unwrap()
}

#[test]
fn ingest_names_faulty_games_once() {
    let test = two_faulty_games();
    let ran = test.run("ingest raw -q");
    let said = format!("warning: 2 games do not replay (first: {FAULT})\n");
    assert_eq!((ran.code, ran.stderr), (0, said));
    for quiet in ["", " -q"] {
        let ran = test.run(&format!("ingest raw{quiet}"));
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    }
    let stdout = test.run("ingest raw").stdout;
    assert!(stdout.ends_with("of these games, 2 do not replay\n"), "{stdout}");

    // A new fault is reported; a repaired game is not.
    let log = test.read("raw/2_games/4.csv");
    test.write("raw/2_games/4.csv", edited(&log, |log| log.set(5, "player1_vp", "0")));
    let log = test.read("raw/3_games/5.csv");
    test.write("raw/3_games/5.csv", with_one_byte_changed(&log));
    let ran = test.run("ingest raw --json");
    let said = "warning: 1 game does not replay (3_games/5.csv:10: current_player is ";
    assert!(ran.code == 0 && ran.stderr.starts_with(said), "{ran:#?}");
    let json = ran.json();
    assert_eq!(
        (&json["does_not_replay"], &json["cache"]["does_not_replay"]),
        (&1.into(), &1.into())
    );
}

#[test]
fn cache_has_faults_and_endings() {
    let test = two_faulty_games();
    // The log of game 6 ends early.
    let log = test.read("raw/4_games/6.csv");
    test.write("raw/4_games/6.csv", edited(&log, |log| log.lines.truncate(31)));
    let ran = test.run("ingest raw");
    assert!(ran.stdout.ends_with("of these games, 1 is unfinished, 2 do not replay\n"), "{ran:#?}");
    let sql = "SELECT * FROM replay_faults ORDER BY game_id, line";
    let faults = rows(&test, sql);
    assert_eq!(faults[0], "4|2_games/4.csv|5|points|player1_vp|60|0|3");
    assert!(faults[2].starts_with("5|3_games/5.csv|10|seat|current_player|"), "{faults:?}");
    let sql = "SELECT game_id, ending, replay_fault_rows > 0, place_seat0 + place_seat1
               FROM game_list ORDER BY 1";
    let games = rows(&test, sql);
    assert_eq!(games[0], "1|finished|0|3");
    assert_eq!(games[3], "4|finished|1|3");
    assert_eq!(games[5], "6|unfinished|0|NULL");

    // Faults are removed with their game.
    std::fs::remove_file(test.path("raw/2_games/4.csv")).unwrap();
    test.prep("ingest raw");
    assert_eq!(rows(&test, "SELECT DISTINCT game_id FROM replay_faults"), ["5"]);
    execute(&test.cache(), "UPDATE game_play SET ending = 'tie' WHERE game_id = 1");
    let ran = test.run("verify raw");
    assert!(ran.code == 1 && ran.stdout.contains("game 1: game_play: "), "{ran:#?}");
}

#[test]
fn strict_refuses_games_that_do_not_replay() {
    let test = two_faulty_games();
    let refused = |ran: crate::support::cli::Ran, deleted: &str| {
        assert_eq!(ran.code, 3, "{ran:#?}");
        let said =
            "error: 2_games/4.csv:5: does not replay: player1 has 60 points, the move gives 0\n";
        assert!(ran.stderr.starts_with(said), "{ran:#?}");
        assert!(ran.stdout.contains(deleted), "{ran:#?}");
    };
    refused(test.run("ingest raw --strict"), "4 games encoded (4 new; ");
    let sql = "SELECT game_id, kind, older_version_cached FROM refused_logs ORDER BY 1";
    assert_eq!(rows(&test, sql), ["4|does_not_replay|0", "5|does_not_replay|0"]);
    let ran = test.run("status raw --strict");
    assert!(
        ran.code == 1 && ran.stdout.contains("2 games refused, 4 games up to date"),
        "{ran:#?}"
    );

    // Without --strict they are new games.
    let ran = test.run("ingest raw");
    assert!(ran.code == 0 && ran.stdout.starts_with("2 games encoded (2 new; "), "{ran:#?}");
    assert_eq!(rows(&test, "SELECT count(*) FROM refused_logs"), ["0"]);

    // With --strict again, their cached versions are removed.
    let ran = test.run("status raw --strict");
    assert!(ran.stdout.contains("2 games refused, 4 games up to date"), "{ran:#?}");
    assert!(!ran.stdout.contains("older version"), "{ran:#?}");
    refused(test.run("ingest raw --strict"), "0 games encoded, 4 up to date, 0 deleted, 2 refused");
    assert_eq!(rows(&test, "SELECT game_id FROM games"), ["1", "2", "3", "6"]);
    assert_eq!(rows(&test, "SELECT count(*) FROM replay_faults"), ["0"]);
}

#[test]
fn strict_keeps_an_older_version_that_replays() {
    let test = CliTest::ingested(6);
    break_games(&test);
    let ran = test.run("ingest raw --strict");
    assert!(ran.stderr.contains("the cache keeps an older version of 2 games"), "{ran:#?}");
    let ran = test.run("status raw --strict");
    assert_eq!(ran.stdout.matches("(an older version stays in the cache)").count(), 2, "{ran:#?}");
    assert_eq!(rows(&test, "SELECT count(*) FROM game_list WHERE replay_fault_rows = 0"), ["6"]);
}

/// Changes a cache to one whose games have not been replayed.
pub(super) fn forget_the_replay(test: &CliTest) {
    let connection = Connection::open(test.cache()).unwrap();
    let sql = "SELECT game_id, rounds, builds, reserves, take2, take3, nobles, winner_seat,
                   points_seat0, points_seat1, points_seat2, points_seat3 FROM game_play";
    let mut statement = connection.prepare(sql).unwrap();
    let game = |row: &rusqlite::Row<'_>| {
        let id: i64 = row.get(0)?;
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"game_play").update(&id.to_le_bytes());
        for column in 1..12 {
            let number: Option<i64> = row.get(column)?;
            hasher.update(&[number.is_some().into()]);
            hasher.update(&number.unwrap_or(0).to_le_bytes());
        }
        Ok((id, hasher.finalize().as_bytes()[..16].to_vec()))
    };
    let games: Vec<(i64, Vec<u8>)> =
        statement.query_map([], game).unwrap().collect::<Result<_, _>>().unwrap();
    for (id, checksum) in games {
        let sql = "UPDATE game_play SET ending = NULL, place_seat0 = NULL, place_seat1 = NULL,
                       place_seat2 = NULL, place_seat3 = NULL, replay_fault_rows = NULL, checksum = ?2
                   WHERE game_id = ?1";
        connection.execute(sql, rusqlite::params![id, checksum]).unwrap();
    }
    connection.execute_batch("DELETE FROM game_faults").unwrap();
}

#[test]
fn games_of_an_older_cache_are_replayed_once_and_not_encoded() {
    let test = two_faulty_games();
    test.prep("ingest raw");
    let games = "SELECT game_id, ending, winner_seat FROM game_list ORDER BY 1";
    let faults = "SELECT * FROM replay_faults ORDER BY 1, 3";
    let stored = || (rows(&test, faults), rows(&test, games));
    let before = stored();
    make_old(&test.cache());
    forget_the_replay(&test);
    assert_eq!(rows(&test, "SELECT count(*) FROM game_list WHERE ending IS NULL"), ["6"]);
    assert!(test.prep("verify raw").contains("6 games"), "an old cache is not damaged");

    let dry = test.run("ingest raw --dry-run");
    let ran = test.run("ingest raw");
    for ran in [&dry, &ran] {
        assert!(ran.stdout.contains("encoded, 6 up to date, 0 deleted, 0 refused"), "{ran:#?}");
        assert_eq!(ran.stderr, format!("warning: 2 games do not replay (first: {FAULT})\n"));
    }
    assert_eq!(written_since(&test.cache()), [0_i64; 0]);
    assert_eq!(stored(), before);
    assert_eq!(test.run("ingest raw").stderr, "");
}

#[test]
fn status_explains_how_games_end_and_replay() {
    let test = two_faulty_games();
    let line = |stdout: &str| {
        let line = stdout.lines().find(|line| line.starts_with("2_games/4.csv: "));
        line.map(|line| line.split("; finished").nth(1).unwrap().to_owned()).unwrap()
    };
    let said = "; does not replay (2 rows; line 5: player1 has 60 points, the move gives 0)";
    // For a new log, and for a cached one.
    assert_eq!(line(&test.run("status raw --explain").stdout), said);
    test.prep("ingest raw");
    assert_eq!(line(&test.prep("status raw --explain")), said);
    let json = test.prep_json("status raw --json");
    let game = &json["games"][3];
    assert_eq!(game["ending"], "finished");
    assert_eq!(game["replay_fault_rows"], 2);
    assert_eq!(game["replay_fault"], "line 5: player1 has 60 points, the move gives 0");
    assert_eq!(json["games"][0]["replay_fault"], serde_json::Value::Null);
}
