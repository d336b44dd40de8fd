//! Refused logs: an export excludes them, and lists them with the reason.

use super::{assert_same_files, exported, ingested, logs};
use crate::support::cli::CliTest;
use crate::support::export::{Export, SPLITS};
use ndarray::{Array2, Axis};
use rusqlite::Connection;
use serde_json::Value;
use std::fs;
use std::path::Path;

/// Writes a fraction where a log has a number of players.
fn break_log(log: &Path) {
    let text = fs::read_to_string(log).unwrap();
    let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
    let mut fields: Vec<_> = lines[3].split(',').collect();
    fields[1] = "2.5";
    lines[3] = fields.join(",");
    fs::write(log, lines.join("\n") + "\n").unwrap();
}

/// Runs `ingest`, which refuses some logs and ingests the others.
fn ingest_in_part(test: &CliTest) {
    let ran = test.run("ingest raw");
    assert_eq!(ran.code, 3, "{ran:#?}");
}

fn listed(export: &Export, list: &str) -> Vec<(i64, String)> {
    let listed = export.json("manifest.json")[list].take();
    let game = |entry: &Value| {
        (entry["game_id"].as_i64().unwrap(), entry["why"].as_str().unwrap().to_owned())
    };
    listed.as_array().unwrap().iter().map(game).collect()
}

/// The rows of one game, from whichever split it is in.
fn rows_of(export: &Export, game: i64) -> Array2<f32> {
    let split = SPLITS.into_iter().find(|split| export.games(split).contains(&game)).unwrap();
    let game_ids = export.index(split).game_id;
    let rows: Vec<_> = (0..game_ids.len()).filter(|&row| game_ids[row] == game).collect();
    export.features(split).select(Axis(0), &rows)
}

#[test]
fn refused_logs() {
    let test = ingested(12);
    let before = exported(&test, "before", "--no-normalize");
    test.prep("simulate raw --games 2 --first-id 13");
    let logs = logs(&test, "raw");
    for game in [5, 13] {
        break_log(&logs[&game]);
    }
    ingest_in_part(&test);

    let ran = test.run("export --out out --no-normalize");
    assert_eq!(ran.code, 0, "{ran:#?}");
    let export = Export { folder: test.path("out") };
    let excluded = listed(&export, "excluded");
    let older = listed(&export, "from_an_older_log");
    assert_eq!((excluded.len(), excluded[0].0), (1, 13), "{excluded:?}");
    assert_eq!((older.len(), older[0].0), (1, 5), "{older:?}");
    for (place, why) in [("2_games/13.csv:4", &excluded[0].1), ("3_games/5.csv:4", &older[0].1)] {
        for part in [place, "num_players", "2.5"] {
            assert!(why.contains(part), "{part} is not in {why}");
        }
    }
    assert!(
        ran.stderr.contains("warning: 1 game is excluded, because its log is refused: 13\n"),
        "{ran:#?}"
    );
    let warning = "warning: 1 game is included as it was before its log broke: 5\n";
    assert!(ran.stderr.contains(warning), "{ran:#?}");

    let games: Vec<i64> = SPLITS.iter().flat_map(|split| export.games(split)).collect();
    assert!(games.contains(&14) && !games.contains(&13), "{games:?}");
    assert_eq!(rows_of(&export, 5), rows_of(&before, 5));
}

#[test]
fn repaired_log() {
    let test = ingested(12);
    exported(&test, "before", "");
    let log = logs(&test, "raw").remove(&5).unwrap();
    let sound = fs::read(&log).unwrap();
    break_log(&log);
    ingest_in_part(&test);
    assert_eq!(listed(&exported(&test, "out", ""), "from_an_older_log").len(), 1);
    fs::write(&log, sound).unwrap();
    test.prep("ingest raw");
    exported(&test, "out", "");
    assert_same_files(&test.files("before"), &test.files("out"));
}

/// Its cached rows cannot be mixed with the others, and an ingest can encode them again only after the
/// log is repaired; that must not block all other games.
#[test]
fn refused_log_of_another_encoder() {
    let test = ingested(12);
    break_log(&logs(&test, "raw")[&5]);
    let cache = Connection::open(test.path("data/intermediate/prep.sqlite")).unwrap();
    cache.execute_batch("UPDATE games SET encoder_version = 0, record_checksum = NULL").unwrap();
    drop(cache);
    ingest_in_part(&test);

    let ran = test.run("export --out out");
    assert_eq!(ran.code, 0, "{ran:#?}");
    assert!(
        ran.stderr.contains("warning: 1 game is excluded, because its log is refused: 5\n"),
        "{ran:#?}"
    );
    let export = Export { folder: test.path("out") };
    let excluded = listed(&export, "excluded");
    assert_eq!((excluded.len(), excluded[0].0), (1, 5), "{excluded:?}");
    assert_eq!(listed(&export, "from_an_older_log"), []);
    assert_eq!(SPLITS.iter().map(|split| export.games(split).len()).sum::<usize>(), 11);
    assert_eq!(export.json("manifest.json")["inputs"]["games"], 11);
}
