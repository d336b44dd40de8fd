//! The cache file as a whole: versions, journals, damage, readers beside a writer, size.

use super::database::{Waiting, check, open_or_create, open_to_read};
use super::play::PLAY_COLUMNS;
use super::writer::REMOVE_REFUSALS;
use super::*;
use crate::encode::EncodedGame;
use crate::gamelog::{GameId, GamePlay, LogError, ReadOptions};
use crate::rules::PlayerCount;
use crate::simulate::simulate_game;
use rusqlite::{Connection, StatementStatus, params};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

static NEVER: AtomicBool = AtomicBool::new(false);

/// A simulated game under some id, and its rows.
pub(super) fn game(game_id: i64) -> (PackedGame, EncodedGame) {
    let mut game = EncodedGame::default();
    simulate_game(PlayerCount::Three, 1).iter().for_each(|turn| game.push(turn));
    let record = GameRecord {
        game_id: GameId(game_id),
        source_path: format!("3_games/{game_id}.csv"),
        source_bytes: 3,
        key: CacheKey::now(b"log", ReadOptions::default()),
        rows: game.features().len() as u32,
        players: 3,
        gem_fault_rows: 0,
        unbalanced_rows: 0,
        play: Some(GamePlay::default()),
    };
    (Packer::new().unwrap().pack(record, &game).unwrap(), game)
}

struct Folder {
    folder: tempfile::TempDir,
    game: PackedGame,
}

impl Folder {
    fn new() -> Folder {
        Folder { folder: tempfile::tempdir().unwrap(), game: game(0).0 }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("prep.sqlite")
    }

    fn writer(&self) -> Writer<'static> {
        Writer::open(&self.path(), Duration::ZERO, &NEVER).unwrap()
    }

    /// Executes a statement as another program would.
    fn execute(&self, sql: &str) {
        Connection::open(self.path()).unwrap().execute_batch(sql).unwrap();
    }

    /// Stores games as an ingest does.
    fn store(&self, games: impl IntoIterator<Item = i64>) {
        let writer = self.writer();
        for game_id in games {
            let mut game = self.game.clone();
            game.record.game_id = GameId(game_id);
            writer.put(&game, &[], None).unwrap();
        }
        writer.commit().unwrap();
        writer.vacuum(|| ()).unwrap();
    }

    fn record(&self, game_id: i64) -> GameRecord {
        GameRecord { game_id: GameId(game_id), ..self.game.record.clone() }
    }

    /// Replaces the checksum of how a game went by the one of earlier versions of prep: over its id and its
    /// numbers, without its log and its faults.
    fn store_old_checksum(&self, game_id: i64) {
        let connection = Connection::open(self.path()).unwrap();
        let columns = PLAY_COLUMNS.strip_suffix(", ending, checksum").unwrap();
        let sql = format!("SELECT ending, {columns} FROM game_play WHERE game_id = {game_id}");
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"game_play").update(&game_id.to_le_bytes());
        let ending: String = connection
            .query_row(&sql, [], |row| {
                for place in 1..=columns.split(',').count() {
                    let number: Option<i64> = row.get(place)?;
                    hasher.update(&[number.is_some().into()]);
                    hasher.update(&number.unwrap_or(0).to_le_bytes());
                }
                row.get(0)
            })
            .unwrap();
        let checksum = hasher.update(ending.as_bytes()).finalize().as_bytes()[..16].to_vec();
        let sql = "UPDATE game_play SET checksum = ?2 WHERE game_id = ?1";
        assert_eq!(connection.execute(sql, params![game_id, checksum]).unwrap(), 1);
    }

    fn bytes(&self) -> u64 {
        fs::metadata(self.path()).unwrap().len()
    }

    fn names(&self) -> Vec<String> {
        let names = fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<_> =
            names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// The content of the game tables, except for the time of storing and the checksum over it.
    fn content(&self) -> Vec<Vec<rusqlite::types::Value>> {
        let connection = Connection::open(self.path()).unwrap();
        let sql =
            "SELECT games.*, game_play.* FROM games JOIN game_play USING (game_id) ORDER BY 1";
        let mut statement = connection.prepare(sql).unwrap();
        let names: Vec<String> = statement.column_names().map(String::from).collect();
        let row = |row: &rusqlite::Row<'_>| {
            let of_time = ["ingested_at", "record_checksum"];
            let columns =
                (0..names.len()).filter(|&column| !of_time.contains(&names[column].as_str()));
            columns.map(|column| row.get(column)).collect()
        };
        statement.query_map([], row).unwrap().collect::<Result<_, _>>().unwrap()
    }
}

#[test]
fn commits_are_synced() {
    let folder = Folder::new();
    let connection = open_or_create(&folder.path(), &NEVER).unwrap();
    let pragma = |name| -> String {
        let value = |row: &rusqlite::Row<'_>| row.get::<_, rusqlite::types::Value>(0);
        format!("{:?}", connection.pragma_query_value(None, name, value).unwrap())
    };
    assert_eq!(pragma("synchronous"), "Integer(3)", "extra");
    assert_eq!(pragma("journal_mode"), "Text(\"delete\")");
    assert_eq!(pragma("page_size"), "Integer(65536)");
}

/// A game as the first schema stored it; the migrations must handle it.
const OLD_GAME: &str = "INSERT INTO games (game_id, source_path, source_hash, source_bytes, rows,
        players, encoder_version, feature_schema, gem_fault_rows, repaired, unbalanced_rows,
        ingested_at, turn_numbers, turn_numbers_checksum, features, features_checksum, labels,
        labels_checksum, masks, masks_checksum, column_sums, column_sums_checksum)
    VALUES (7, '2_games/7.csv', printf('%064d', 0), 3, 1, 2, 1, '0123456789abcdef', 0, 0, 0,
        '2026-01-31T03:00:00Z', x'01', x'02', x'03', x'04', x'05', x'06', x'07', x'08', x'09', x'0a')";

#[test]
fn old_versions_are_migrated_by_writers_only() {
    for version in 1..=database::MIGRATIONS.len() {
        for journal in ["delete", "wal"] {
            let folder = Folder::new();
            let old = Connection::open(folder.path()).unwrap();
            old.pragma_update(None, "journal_mode", journal).unwrap();
            for step in &database::MIGRATIONS[..version] {
                old.execute_batch(step).unwrap();
            }
            old.pragma_update(None, "application_id", database::APPLICATION_ID).unwrap();
            old.pragma_update(None, "user_version", version as u32).unwrap();
            old.execute_batch(OLD_GAME).unwrap();
            for (id, kind) in [(1, "cut_off"), (2, "fraction")] {
                let column = if version > 1 { ", 0" } else { "" };
                let sql = format!(
                    "INSERT INTO refusals VALUES ({id}, {id}, NULL, '{kind}', 3, 'x', 'y', 'z', 'm', 't'{column})"
                );
                old.execute_batch(&sql).unwrap();
            }
            drop(old);

            let is_current = version == database::MIGRATIONS.len() && journal == "delete";
            match Reader::open(&folder.path()) {
                Ok(_) => assert!(is_current),
                Err(CacheError::Older { .. }) => assert!(version < database::MIGRATIONS.len()),
                Err(CacheError::WriteAheadLog(_)) => assert_eq!(journal, "wal"),
                Err(error) => panic!("{error}"),
            }
            assert_eq!(folder.names(), ["prep.sqlite"], "version {version}, {journal}");
            drop(folder.writer());
            let reader = Reader::open(&folder.path()).unwrap();
            let record = reader.record(GameId(7)).unwrap().unwrap().unwrap();
            assert_eq!((record.rows, record.source_path.as_str()), (1, "2_games/7.csv"));
            let deferred: Vec<bool> =
                reader.refusals().unwrap().iter().map(|refusal| refusal.deferred).collect();
            assert_eq!(deferred, [version == 1, false]);
            assert_eq!(folder.names(), ["prep.sqlite", "prep.sqlite.lock"]);
        }
    }
}

/// An ingest of an older version was killed, so some games are only in its write-ahead log.
#[test]
fn leftover_write_ahead_log_is_read() {
    let folder = Folder::new();
    folder.store([1, 2]);
    let old = Connection::open(folder.path()).unwrap();
    old.pragma_update(None, "journal_mode", "wal").unwrap();
    old.execute_batch("DELETE FROM games WHERE game_id = 2").unwrap();
    let killed = Folder::new();
    for ending in ["", "-wal"] {
        let name = format!("prep.sqlite{ending}");
        fs::copy(folder.folder.path().join(&name), killed.folder.path().join(&name)).unwrap();
    }
    assert!(Reader::open(&killed.path()).is_err());
    assert_eq!(killed.names(), ["prep.sqlite", "prep.sqlite-wal"], "a reader leaves it as it is");
    drop(killed.writer());
    assert_eq!(killed.names(), ["prep.sqlite", "prep.sqlite.lock"]);
    assert_eq!(Reader::open(&killed.path()).unwrap().game_count().unwrap(), 1);
}

#[test]
fn other_files_are_left_alone() {
    let folder = Folder::new();
    assert!(matches!(Reader::open(&folder.path()), Err(CacheError::Absent(_))));
    let refused = || {
        let before = fs::read(folder.path()).unwrap();
        let error = Writer::open(&folder.path(), Duration::ZERO, &NEVER).err().unwrap();
        assert!(fs::read(folder.path()).unwrap() == before);
        assert_eq!(folder.names(), ["prep.sqlite"], "{error}");
        error
    };
    for content in [&[b'x'; 700][..], b"x", b"SQLite format 3\0"] {
        fs::write(folder.path(), content).unwrap();
        assert!(matches!(refused(), CacheError::NotADatabase(_)));
    }
    for journal in ["delete", "wal"] {
        fs::remove_file(folder.path()).unwrap();
        folder.execute(&format!("PRAGMA journal_mode = {journal}; CREATE TABLE games (x)"));
        assert!(matches!(refused(), CacheError::NotACache(_)));
    }
}

#[test]
fn inconsistent_versions_are_damage() {
    for (damage, expected) in [
        ("PRAGMA user_version = 0", "it has no schema version"),
        ("PRAGMA application_id = 5", "application id"),
        ("DROP VIEW game_list", "game_list"),
        ("PRAGMA user_version = 99", "update prep"),
    ] {
        let folder = Folder::new();
        folder.store([1]);
        folder.execute(damage);
        let error = check(&folder.path()).unwrap_err().to_string();
        assert!(error.contains(expected) && error.contains("--rebuild"), "{damage}: {error}");
        assert!(open_or_create(&folder.path(), &NEVER).is_err(), "{damage}");
    }
}

#[test]
fn errors_of_sqlite_become_sentences() {
    use rusqlite::ffi::*;
    let path = Path::new("/net/prep.sqlite");
    for (code, expected) in [
        (SQLITE_BUSY, "another program"),
        (SQLITE_LOCKED, "another program"),
        (SQLITE_PROTOCOL, "local disk"),
        (SQLITE_IOERR_LOCK, "local disk"),
        (SQLITE_FULL, "is full"),
        (SQLITE_CORRUPT, "--rebuild"),
        (SQLITE_NOTADB, "--rebuild"),
        (SQLITE_READONLY_ROLLBACK, "no permission to roll that back"),
    ] {
        let failure = rusqlite::Error::SqliteFailure(Error::new(code), None);
        let error = database::sqlite_error(path, failure).to_string();
        assert!(error.contains("/net/prep.sqlite") && error.contains(expected), "{error}");
        assert!(!error.contains("is locked"), "{error}");
    }
}

#[test]
fn reader_sees_one_state_and_a_commit_waits() {
    let folder = Folder::new();
    folder.store([1]);
    let error = LogError::changed_while_read("7.csv");
    // A stopped run does not wait.
    let stop = AtomicBool::new(true);
    let writer = Writer::open(&folder.path(), Duration::ZERO, &stop).unwrap();
    let reader = Reader::open(&folder.path()).unwrap();
    writer.put_refusal(GameId(7), None, &error).unwrap();
    assert!(matches!(writer.commit(), Err(CacheError::Busy { .. })));
    assert!(reader.refusals().unwrap().is_empty());
    // A new reader is blocked until the commit, but not forever.
    let other = open_to_read(&folder.path(), Waiting::Not);
    assert!(matches!(other, Ok(_) | Err(CacheError::Busy { .. })));
    drop(other);
    std::thread::scope(|scope| {
        // Each thread has its own connection and sees the same state.
        for _ in 0..3 {
            scope.spawn(|| assert!(reader.refusals().unwrap().is_empty()));
        }
    });
    drop(reader);
    writer.commit().unwrap();
    assert_eq!(Reader::open(&folder.path()).unwrap().refusals().unwrap().len(), 1);
}

/// `cp` ignores locks, also while a commit waits for them.
#[test]
fn overwritten_cache_is_not_written() {
    let folder = Folder::new();
    folder.store([1]);
    let backup = fs::read(folder.path()).unwrap();
    folder.store(2..60);
    for has_begun in [false, true] {
        let writer = folder.writer();
        let put = || writer.put(&folder.game, &[], None);
        if has_begun {
            put().unwrap();
        }
        fs::write(folder.path(), &backup).unwrap();
        let result = if has_begun { writer.commit() } else { put() };
        assert!(matches!(result, Err(CacheError::Replaced(_))), "{result:?}");
        drop(writer);
        assert!(fs::read(folder.path()).unwrap() == backup);
        folder.store(2..60);
    }
}

/// A full scan of the table for each refused log would take quadratic time.
#[test]
fn steps_to_remove_a_refusal_do_not_grow_with_their_number() {
    let steps = [1_000, 2_000].map(|refusals| {
        let folder = Folder::new();
        folder.store([1]);
        folder.execute(&format!(
            "WITH RECURSIVE n (id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < {refusals})
             INSERT INTO refusals (source_path, game_id, kind, expected, message, refused_at)
             SELECT id || '.csv', id, 'no_rows', 'rows', 'no rows', '2026-11-27' FROM n"
        ));
        let connection = Connection::open(folder.path()).unwrap();
        let mut statement = connection.prepare(REMOVE_REFUSALS).unwrap();
        assert_eq!(statement.execute([500]).unwrap(), 1);
        statement.get_status(StatementStatus::VmStep)
    });
    assert!(steps[0] > 0 && steps[0] == steps[1], "{steps:?}");
}

/// In a copy that was made during an ingest, the tables may be of two states.
#[test]
fn outcome_of_another_log_is_damage() {
    let folder = Folder::new();
    folder.store([7]);
    let writer = folder.writer();
    let mut other = folder.record(7);
    other.key.source_hash = blake3::hash(b"the log of the next night");
    writer.put_play(&other, &GamePlay { rounds: 9, ..GamePlay::default() }, &[]).unwrap();
    writer.commit().unwrap();
    let found = Reader::open(&folder.path()).unwrap().record(GameId(7)).unwrap().unwrap();
    assert!(found.is_err(), "{found:?}");
}

/// The checksum of a game was over its counts alone before it was over its faults as well.
#[test]
fn faults_of_an_older_version_of_prep_are_right() {
    let folder = Folder::new();
    folder.store([7]);
    let writer = folder.writer();
    let play = GamePlay { replay_fault_rows: 2, ..GamePlay::default() };
    writer.put_play(&folder.record(7), &play, &[]).unwrap();
    writer.commit().unwrap();
    drop(writer);
    folder.store_old_checksum(7);
    let record = || Reader::open(&folder.path()).unwrap().record(GameId(7)).unwrap().unwrap();
    for row in [3, 4] {
        let values = format!("(7, {row}, 5, 'points', 'player0_vp', '9', '0')");
        folder.execute(&format!("INSERT INTO game_faults VALUES {values}"));
    }
    assert_eq!(record().unwrap().play, Some(play));
    folder.execute("DELETE FROM game_faults");
    record().unwrap_err();
}

/// A game of an older layout after the migration: a new blob is empty.
#[test]
fn game_of_an_older_layout_is_stale_not_damaged() {
    let folder = Folder::new();
    folder.store([7]);
    folder.execute(
        "UPDATE games SET feature_schema = '0707070707070707', turn_numbers = x'', record_checksum = NULL",
    );
    let now = CacheKey::now(b"log", ReadOptions::default());
    let reader = Reader::open(&folder.path()).unwrap();
    let mut unpacker = Unpacker::new().unwrap();
    assert_eq!(reader.all_damage(GameId(7), &mut unpacker).unwrap(), []);
    let ranges = reader.id_ranges(1).unwrap();
    let games: Vec<_> =
        ranges.into_iter().flat_map(|range| reader.check_games(range).unwrap()).collect();
    let [(GameId(7), game)] = &games[..] else { panic!("{games:?}") };
    assert_eq!(game.damage, None);
    assert_eq!(game.staleness(&now).unwrap().name(), "schema_changed");
}

#[test]
fn id_ranges_cover_all_games_once() {
    let folder = Folder::new();
    let ids = [i64::MIN, -5, 0, 1, 2, 3, 9, 10, i64::MAX];
    folder.store(ids);
    // A game that is missing from `game_play`.
    folder.execute("DELETE FROM game_play WHERE game_id = 2");
    let reader = Reader::open(&folder.path()).unwrap();
    for games in 1..=10 {
        let ranges = reader.id_ranges(games).unwrap();
        let found = ranges.into_iter().flat_map(|range| reader.check_games(range).unwrap());
        assert_eq!(found.map(|(game_id, _)| game_id.0).collect::<Vec<_>>(), ids, "{games}");
    }
}

#[test]
fn fragmented_file_is_vacuumed() {
    let incremental = Folder::new();
    let added_by = |run| (0..300).filter(move |game_id| game_id % 10 <= run);
    let at_once_by = |run| {
        let at_once = Folder::new();
        at_once.store(added_by(run));
        at_once
    };
    for run in 0..10 {
        incremental.store((run..300).step_by(10));
        let (bytes, fresh) = (incremental.bytes(), at_once_by(run).bytes());
        assert!(2 * bytes <= 3 * fresh, "{bytes} after run {run}, a fresh one has {fresh}");
    }
    assert!(incremental.content() == at_once_by(9).content());

    let writer = incremental.writer();
    let removed = (0..300).filter(|game_id| game_id % 3 > 0);
    removed.for_each(|game_id| writer.remove(GameId(game_id)).unwrap());
    writer.commit().unwrap();
    let mut has_begun = false;
    writer.vacuum(|| has_begun = true).unwrap();
    drop(writer);
    let fresh = Folder::new();
    fresh.store((0..300).step_by(3));
    assert!(has_begun);
    assert_eq!(incremental.bytes(), fresh.bytes());
    assert!(incremental.content() == fresh.content());
    assert_eq!(incremental.names(), ["prep.sqlite", "prep.sqlite.lock"]);
}

#[test]
fn vacuum_leaves_a_tight_file_and_one_that_is_read() {
    let folder = Folder::new();
    let vacuums = |writer: &Writer<'_>| {
        let (before, mut has_begun) = (folder.bytes(), false);
        writer.vacuum(|| has_begun = true).unwrap();
        assert!(has_begun || folder.bytes() == before);
        has_begun && folder.bytes() < before
    };
    folder.store(0..300);
    let writer = folder.writer();
    assert!(!vacuums(&writer), "nothing was changed");
    for game_id in 0..200 {
        writer.remove(GameId(game_id)).unwrap();
    }
    writer.commit().unwrap();
    let reader = Reader::open(&folder.path()).unwrap();
    assert!(!vacuums(&writer), "somebody reads it");
    drop(reader);
    assert!(vacuums(&writer));
}

#[test]
fn rebuild_keeps_the_old_file_with_its_journals() {
    let folder = Folder::new();
    folder.store([1]);
    let old = fs::read(folder.path()).unwrap();
    for leftover in [".prep-rebuild", ".prep-rebuild-journal", ".damaged"] {
        fs::write(database::lock::beside(&folder.path(), leftover), "left over").unwrap();
    }
    let rebuild = Rebuild::begin(&folder.path(), Duration::ZERO).unwrap();
    assert_eq!(rebuild.old_games(), [GameId(1)]);
    drop(rebuild.writer(&NEVER).unwrap());
    fs::write(database::lock::beside(&folder.path(), "-wal"), "of the old").unwrap();
    let kept = rebuild.finish(true, &NEVER).unwrap().unwrap();
    assert_eq!(fs::read(&kept).unwrap(), old);
    // The file that an earlier rebuild kept stays.
    let endings = ["", ".damaged", ".damaged.2", ".damaged.2-wal", ".lock"];
    assert_eq!(folder.names(), endings.map(|ending| format!("prep.sqlite{ending}")));
    assert_eq!(Reader::open(&folder.path()).unwrap().game_count().unwrap(), 0);
}

#[test]
fn dropped_rebuild_leaves_the_old_file() {
    let folder = Folder::new();
    folder.store([1]);
    let old = fs::read(folder.path()).unwrap();
    let rebuild = Rebuild::begin(&folder.path(), Duration::ZERO).unwrap();
    drop(rebuild.writer(&NEVER).unwrap());
    drop(rebuild);
    assert_eq!(fs::read(folder.path()).unwrap(), old);
    assert_eq!(folder.names(), ["prep.sqlite", "prep.sqlite.lock"]);
}

/// A killed run may leave an empty journal.
#[test]
fn empty_journal_is_removed_by_the_next_writer() {
    let folder = Folder::new();
    folder.store([1]);
    fs::write(database::lock::beside(&folder.path(), "-journal"), "").unwrap();
    drop(Reader::open(&folder.path()).unwrap());
    drop(folder.writer());
    assert_eq!(folder.names(), ["prep.sqlite", "prep.sqlite.lock"]);
}
