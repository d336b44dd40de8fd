//! Runs the queries of `docs/queries.md` on a cache of simulated games with refused logs, and compares
//! the views with the logs, read as plain text. Also tests that `verify` and `ingest` detect changed
//! counts.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

use crate::support::cached::execute;
use crate::support::cli::CliTest;
use crate::support::log_text::edited;
use crate::support::{cli, python};
use rusqlite::Connection;
use rusqlite::types::Value;
use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

const GAMES: usize = 24;

/// Counts from the text of a log.
struct Log {
    players: i64,
    turns: i64,
    rounds: i64,
    bytes: i64,
    path: String,
    /// By `action_type`.
    actions: BTreeMap<String, i64>,
    /// By seat, after the last move.
    points: BTreeMap<i64, i64>,
    winner: Option<i64>,
}

impl Log {
    fn read(test: &CliTest, path: &str) -> Log {
        let bytes = test.read(format!("raw/{path}"));
        let mut reader = csv::Reader::from_reader(&*bytes);
        let names = reader.headers().unwrap().clone();
        let rows: Vec<BTreeMap<String, String>> = reader
            .records()
            .map(|row| {
                let row = row.unwrap();
                names.iter().map(str::to_owned).zip(row.iter().map(str::to_owned)).collect()
            })
            .collect();
        let number = |row: &BTreeMap<String, String>, name: &str| -> Option<i64> {
            row[name].parse::<f64>().ok().filter(|value| !value.is_nan()).map(|value| value as i64)
        };
        let last = rows.last().unwrap();
        let mut actions = BTreeMap::new();
        for row in &rows {
            *actions.entry(row["action_type"].clone()).or_insert(0) += 1;
        }
        let players = number(last, "num_players").unwrap();
        let of = |name: String| number(last, &name);
        let (mut points, mut cards) = (BTreeMap::new(), BTreeMap::new());
        for rotated in 0..players {
            let seat = of(format!("player{rotated}_position")).unwrap();
            points.insert(seat, of(format!("player{rotated}_vp")).unwrap());
            let reductions = ["white", "blue", "green", "red", "black"]
                .map(|color| of(format!("player{rotated}_reduction_{color}")).unwrap());
            cards.insert(seat, reductions.iter().sum::<i64>());
        }
        // The result of the last move is in no row: add the points of its card, and three for a noble.
        if last["action_type"] == "build" {
            let seat = of("player0_position".to_owned()).unwrap();
            let selection = of("card_selection".to_owned()).unwrap();
            let there = |card: &i64| of(format!("card{card}_level")).is_some_and(|level| level > 0);
            let card = match selection {
                0..12 => format!("card{}", (0..12).filter(there).nth(selection as usize).unwrap()),
                _ => format!("player0_reserved{}", selection - 12),
            };
            let noble = of("noble_selection".to_owned()).is_some_and(|noble| noble >= 0);
            *points.get_mut(&seat).unwrap() +=
                of(format!("{card}_vp")).unwrap() + if noble { 3 } else { 0 };
            *cards.get_mut(&seat).unwrap() += 1;
        }
        let rank = |seat: &i64| (points[seat], -cards[seat]);
        let best = points.keys().map(rank).max().unwrap();
        let best_seats: Vec<i64> =
            points.keys().copied().filter(|seat| rank(seat) == best).collect();
        let winner = (best_seats.len() == 1 && best.0 >= 15).then_some(best_seats[0]);
        Log {
            players,
            turns: rows.len() as i64,
            rounds: number(last, "turn_number").unwrap(),
            bytes: bytes.len() as i64,
            path: path.to_owned(),
            points,
            winner,
            actions,
        }
    }
}

/// Games of all kinds, including one that does not replay, two refused logs (one with an older version
/// in the cache) and a truncated one.
fn cached_games() -> (CliTest, BTreeMap<i64, Log>) {
    let test = CliTest::new();
    test.prep(&format!("simulate raw --games {GAMES} --seed 5"));
    let log = test.read("raw/4_games/6.csv");
    test.write("raw/4_games/6.csv", edited(&log, |log| log.set(5, "deck_level1_remaining", "7")));
    let mut logs = BTreeMap::new();
    for path in test.files("raw").into_keys() {
        let id = path.file_stem().unwrap().to_str().unwrap().parse().unwrap();
        logs.insert(id, Log::read(&test, path.to_str().unwrap()));
    }
    assert_eq!(logs.len(), GAMES);
    let broken = |id: i64, damage: fn(String) -> String| {
        let path = format!("raw/{}", logs[&id].path);
        test.write(&path, damage(String::from_utf8(test.read(&path)).unwrap()));
    };
    broken(3, |text| text.replacen(",take ", ",steal ", 1));
    broken(4, |text| text[..text.len() * 2 / 3].to_owned());
    test.exits(3, "ingest raw");
    broken(5, |text| text.replacen(",take ", ",steal ", 1));
    test.exits(3, "ingest raw");
    for absent in [3, 4] {
        logs.remove(&absent);
    }
    (test, logs)
}

type Row = BTreeMap<String, Value>;

fn rows(test: &CliTest, sql: &str) -> Vec<Row> {
    let connection = Connection::open(test.cache()).unwrap();
    let mut statement = connection.prepare(sql).unwrap_or_else(|error| panic!("{error}\n{sql}"));
    let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let row = |row: &rusqlite::Row<'_>| -> rusqlite::Result<Row> {
        names.iter().enumerate().map(|(i, name)| Ok((name.clone(), row.get(i)?))).collect()
    };
    statement.query_map([], row).unwrap().collect::<Result<_, _>>().unwrap()
}

fn integer(value: &Value) -> i64 {
    match value {
        Value::Integer(value) => *value,
        other => panic!("{other:?} is no whole number"),
    }
}

/// The queries of the page, by the question above each.
fn page() -> Vec<(String, String)> {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/queries.md");
    let text = fs::read_to_string(page).unwrap();
    let mut queries = Vec::new();
    for part in text.split("```sql\n").collect::<Vec<_>>().windows(2) {
        let question = part[0].trim().lines().last().unwrap().to_owned();
        queries.push((question, part[1].split("```").next().unwrap().to_owned()));
    }
    queries
}

fn query(question: &str) -> String {
    let found = page().into_iter().find(|(asked, _)| asked == question);
    found.unwrap_or_else(|| panic!("{question} is not on the page")).1
}

#[test]
fn documented_queries_run() {
    let (test, _) = cached_games();
    let queries = page();
    assert_eq!(queries.len(), 15);
    for (question, sql) in queries {
        let answer = rows(&test, &sql);
        let may_be_empty = question.starts_with("Which logs have the known gem fault");
        assert!(may_be_empty || !answer.is_empty(), "{question}");
    }
}

#[test]
fn game_list_matches_logs() {
    let (test, logs) = cached_games();
    let listed = rows(&test, "SELECT * FROM game_list ORDER BY game_id");
    assert!(listed.iter().map(|row| integer(&row["game_id"])).eq(logs.keys().copied()));
    for (row, log) in listed.iter().zip(logs.values()) {
        let of = |name: &str| integer(&row[name]);
        assert_eq!(
            (of("players"), of("turns"), of("rounds")),
            (log.players, log.turns, log.rounds)
        );
        assert_eq!(
            (&row["source_path"], of("log_bytes")),
            (&Value::Text(log.path.clone()), log.bytes)
        );
        for (column, action) in [
            ("builds", "build"),
            ("reserves", "reserve"),
            ("take2", "take 2 tokens"),
            ("take3", "take 3 tokens"),
        ] {
            assert_eq!(of(column), log.actions.get(action).copied().unwrap_or(0), "{column}");
        }
        let stored = |value: Option<i64>| value.map_or(Value::Null, Value::Integer);
        for seat in 0..4 {
            let points = log.points.get(&seat).copied();
            assert_eq!(row[&format!("points_seat{seat}")], stored(points), "{}", log.path);
        }
        assert_eq!(row["winner_seat"], stored(log.winner), "{}", log.path);
        let points = log.winner.map(|seat| log.points[&seat]);
        assert_eq!(row["winner_points"], stored(points), "{}", log.path);
    }
    let won = listed.iter().filter(|row| row["winner_seat"] != Value::Null).count();
    assert!(won > GAMES / 2, "{won} games have a winner");
}

#[test]
fn counts_match_logs() {
    let (test, logs) = cached_games();
    for answer in [
        rows(&test, &query("How many games are there, and how long are they?")),
        rows(&test, "SELECT * FROM games_by_night ORDER BY players"),
        rows(&test, "SELECT * FROM action_mix ORDER BY players"),
    ] {
        assert_eq!(answer.len(), 3, "one row for each number of players, one night");
        for row in answer {
            let players = integer(&row["players"]);
            let of_kind = || logs.values().filter(|log| log.players == players);
            let turns: i64 = of_kind().map(|log| log.turns).sum();
            assert_eq!(integer(&row["games"]), of_kind().count() as i64);
            assert_eq!(integer(&row["turns"]), turns);
            if let Some(Value::Real(percent)) = row.get("build_percent") {
                let builds: i64 = of_kind().map(|log| log.actions["build"]).sum();
                assert!((percent - 100.0 * builds as f64 / turns as f64).abs() <= 0.05);
            }
        }
    }
    let sql = query("Which games are the longest?");
    let mut longest: Vec<i64> = logs.values().map(|log| log.turns).collect();
    longest.sort_unstable_by(|a, b| b.cmp(a));
    let listed = rows(&test, &sql);
    assert!(listed.iter().map(|row| integer(&row["turns"])).eq(longest.into_iter().take(10)));
    let space = rows(&test, &query("How large are the games, as logs and in the cache?"));
    let total: i64 = space.iter().map(|row| integer(&row["log_bytes"])).sum();
    assert_eq!(total, logs.values().map(|log| log.bytes).sum::<i64>());
    let cached: i64 = space.iter().map(|row| integer(&row["cached_bytes"])).sum();
    assert!((total / 40..total / 5).contains(&cached), "{cached} of {total}");
}

#[test]
fn refused_logs_view() {
    let (test, _) = cached_games();
    let listed = rows(&test, &query("Which logs were not ingested, and why?"));
    let text = |row: &Row, name: &str| match &row[name] {
        Value::Text(text) => text.clone(),
        other => panic!("{other:?} is no text"),
    };
    let facts: Vec<_> = listed
        .iter()
        .map(|row| {
            (integer(&row["game_id"]), text(row, "what"), integer(&row["older_version_cached"]))
        })
        .collect();
    let expected = [(3, "refused", 0), (4, "deferred", 0), (5, "refused", 1)];
    assert_eq!(facts, expected.map(|(id, what, older)| (id, what.to_owned(), older)));
    assert_eq!(text(&listed[0], "column_name"), "action_type");
    assert!(text(&listed[0], "found").starts_with("steal "));
}

/// prep itself does not read the counts, but users do.
#[test]
fn changed_count_is_damage() {
    let test = CliTest::ingested(4);
    let before = rows(&test, "SELECT * FROM game_play");
    execute(&test.cache(), "UPDATE game_play SET take3 = take3 + 1 WHERE game_id = 2");
    execute(&test.cache(), "UPDATE game_play SET winner_seat = NULL WHERE game_id = 3");
    execute(&test.cache(), "DELETE FROM game_play WHERE game_id = 4");
    let ran = test.run("verify raw -q");
    let expected = "\
        game 2: game_play: its counts or faults are not what was stored\n\
        game 3: game_play: its counts or faults are not what was stored\n\
        game 4: game_play: its counts or faults are not what was stored\n\
        to repair a damaged game: `prep ingest raw --cache data/intermediate/prep.sqlite` encodes \
        it again from its log\n";
    assert_eq!((ran.code, ran.stdout.as_str()), (1, expected), "{ran:#?}");
    assert!(test.prep("ingest raw").starts_with("3 games encoded (3 damaged; "));
    test.prep("verify raw");
    assert!(rows(&test, "SELECT * FROM game_play") == before);
}

/// Columns that no blob's checksum covers, or whose blobs are not read if `--where` does not select the game.
#[test]
fn changed_column_is_damage() {
    let test = CliTest::ingested(8);
    let before = rows(&test, "SELECT game_id, source_path, source_bytes, players, rows FROM games");
    for change in [
        "UPDATE games SET ingested_at = '2066' || substr(ingested_at, 5) WHERE game_id = 2",
        "UPDATE games SET source_path = 'q' || substr(source_path, 2) WHERE game_id = 3",
        "UPDATE games SET source_bytes = source_bytes + 64 WHERE game_id = 4",
        "UPDATE games SET players = 3 WHERE game_id = 4",
        "UPDATE games SET rows = rows + 1 WHERE game_id = 5",
    ] {
        execute(&test.cache(), change);
        let game_id = change.chars().last().unwrap();
        let said = format!("game {game_id}: games: its columns are not what was stored\n");
        let ran = test.run("verify raw -q");
        assert!(ran.code == 1 && ran.stdout.starts_with(&said), "{change}: {ran:#?}");
        let ran = test.run("export --out out --where ingested_at<'2030'and(players<>3)");
        assert!(ran.code == 1 && ran.stderr.contains("is damaged in the cache"), "{ran:#?}");
        assert!(test.prep("ingest raw").starts_with("1 game encoded (1 damaged; "), "{change}");
        test.prep("verify raw");
    }
    // A log that was moved has another path.
    fs::rename(test.path("raw/2_games/1.csv"), test.path("raw/1.csv")).unwrap();
    test.prep("ingest raw");
    test.prep("verify raw");
    fs::rename(test.path("raw/1.csv"), test.path("raw/2_games/1.csv")).unwrap();
    test.prep("ingest raw");
    assert!(
        rows(&test, "SELECT game_id, source_path, source_bytes, players, rows FROM games")
            == before
    );
}

#[test]
fn changed_fault_is_damage() {
    let test = CliTest::simulated(6);
    for (path, points) in
        [("2_games/1.csv", "60"), ("3_games/2.csv", "50"), ("2_games/4.csv", "40")]
    {
        let log = test.read(format!("raw/{path}"));
        test.write(format!("raw/{path}"), edited(&log, |log| log.set(5, "player1_vp", points)));
    }
    test.prep("ingest raw");
    let stored = "SELECT * FROM game_faults JOIN game_play USING (game_id)";
    let before = rows(&test, stored);
    assert!(before.len() >= 3, "{before:?}");
    for (change, games) in [
        ("DELETE FROM game_faults WHERE game_id = 1", vec![1]),
        ("UPDATE game_faults SET found = '9' WHERE game_id = 2", vec![2]),
        ("UPDATE game_faults SET game_id = 3 WHERE game_id = 4", vec![3, 4]),
    ] {
        execute(&test.cache(), change);
        let ran = test.run("verify raw -q");
        assert_eq!(ran.code, 1, "{change}: {ran:#?}");
        let damaged: Vec<_> = ran.stdout.lines().filter(|line| line.contains("faults")).collect();
        assert_eq!(damaged.len(), games.len(), "{change}: {ran:#?}");
        for (line, game) in damaged.iter().zip(&games) {
            assert!(line.starts_with(&format!("game {game}: game_play: its counts or faults ")));
        }
        let said = format!("{} damaged; ", games.len());
        assert!(test.prep("ingest raw").contains(&said), "{change}");
        assert!(rows(&test, stored) == before, "{change}");
        test.prep("verify raw");
    }
}

#[test]
fn deleted_game_leaves_no_counts() {
    let test = CliTest::ingested(4);
    fs::remove_file(test.path("raw/2_games/1.csv")).unwrap();
    test.prep("ingest raw --allow-delete");
    for table in ["games", "game_play", "game_list"] {
        let ids = rows(&test, &format!("SELECT game_id FROM {table} ORDER BY game_id"));
        assert!(ids.iter().map(|row| integer(&row["game_id"])).eq([2, 3, 4]), "{table}");
    }
}

/// Runs the Python code of the page, and compares its result with an export.
#[test]
fn documented_blob_layout_is_right() {
    let Some(python) = python::with(&["numpy", "zstandard"]) else { return };
    let test = CliTest::new();
    test.prep("simulate raw --games 3 --seed 5");
    test.prep("ingest raw");
    test.prep("export --no-normalize --split 1,0,0 --features base");
    let page = include_str!("../../docs/queries.md");
    let blocks = page.split("```python\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let mut script: String = blocks.collect();
    script += r#"
exported = np.load("data/processed/X_train.npy")
game_ids = np.load("data/processed/index_train.npz")["game_id"]
assert X.dtype == exported.dtype and X.shape[1] == 422
assert np.array_equal(X, exported[game_ids == game_ids[0]])
print(len(X), "rows")
"#;
    let ran = Command::new(python)
        .args(["-W", "error", "-c", &script])
        .current_dir(test.path("."))
        .output();
    let ran = cli::Ran::from(ran.unwrap());
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.stdout.ends_with(" rows\n"), "{ran:?}");
}

/// DuckDB normally reads the tables through an extension from the network; here they are copied. It
/// evaluates the views and the queries of the page itself.
#[test]
fn duckdb_answers_like_sqlite() {
    let Some(python) = python::with(&["duckdb"]) else { return };
    let (test, _) = cached_games();
    let script = r#"
import duckdb, re, sqlite3, sys

cache, copy = sqlite3.connect(sys.argv[1]), duckdb.connect()
made = "SELECT name, sql FROM sqlite_schema WHERE type = ? AND name NOT LIKE 'sqlite_%' ORDER BY rowid"
for table, _ in cache.execute(made, ["table"]).fetchall():
    # DuckDB's REAL and INTEGER have 32 bits; its extension reads them as these types.
    types = "replace(replace(type, 'REAL', 'DOUBLE'), 'INTEGER', 'BIGINT')"
    columns = f"SELECT name, {types} FROM pragma_table_info('{table}')"
    columns = cache.execute(columns).fetchall()
    copy.execute(f"CREATE TABLE {table} ({', '.join(f'{name} {type}' for name, type in columns)})")
    for row in cache.execute(f"SELECT * FROM {table}"):
        copy.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row)
views = sorted(cache.execute(made, ["view"]), key=lambda view: view[0] != "game_list")    # the others read it
for view, sql in views:
    copy.execute(sql)
queries = [f"SELECT * FROM {view}" for view, _ in views]
queries += re.findall(r"```sql\n(.*?)```", open(sys.argv[2]).read(), re.S)
for query in queries:
    def rows(source, query):
        plain = lambda value: float(value) if isinstance(value, (int, float)) else value
        return sorted(([plain(value) for value in row] for row in source.execute(query).fetchall()), key=str)
    found, expected = rows(copy, query.replace("length(", "octet_length(")), rows(cache, query)
    assert found == expected, (query, found, expected)
print(len(views), "views,", len(queries) - len(views), "queries")
"#;
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/queries.md");
    let ran = Command::new(python).args(["-c", script]).arg(test.cache()).arg(page).output();
    let ran = cli::Ran::from(ran.unwrap());
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "5 views, 15 queries\n"), "{ran:?}");
}
