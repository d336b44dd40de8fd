//! Opening the SQLite file: what it is, which schema it has, and bringing an old one up to date.
//!
//! Who writes opens with [`open_or_create`]. Who only reads opens with [`open_to_read`], which
//! neither migrates nor locks nor leaves a trace, and also works where nothing can be written:
//!
//! | the folder | how a reader opens |
//! | --- | --- |
//! | can be written | as SQLite does by itself, but no statement may write. Its two helper files (`-wal`, `-shm`) appear beside the cache and go again. A connection opened as read-only would leave them behind |
//! | cannot be written, no log | as a file that does not change (`immutable`) |
//! | cannot be written, a log beside | as SQLite can, or not at all: what is in the log would be missing |

use super::error::CacheError;
use super::header::{APPLICATION_ID, Header, look_at};
use super::lock::{beside, make_folders_above, real_path};
use super::write_ahead_log;
use crate::disk_space::has_no_room;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, ffi};
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The schema, step by step. Append only: a step that has been released is never edited, or caches
/// made before and after the edit would differ under one number.
const MIGRATIONS: [&str; 6] = [
    include_str!("../../schema/migrations/0001_games.sql"),
    include_str!("../../schema/migrations/0002_unfinished.sql"),
    include_str!("../../schema/migrations/0003_feature_columns.sql"),
    include_str!("../../schema/migrations/0004_game_play.sql"),
    include_str!("../../schema/migrations/0005_lighter_views.sql"),
    include_str!("../../schema/migrations/0006_base_features.sql"),
];

/// As many as SQLite allows. A dozen games lie in one page, instead of each in a chain of small ones of
/// which the last is half empty: the file is smaller, and reading or writing it takes a tenth of the
/// system calls.
pub(super) const PAGE_BYTES: u32 = 65_536;

/// What a cache takes before it has a game: a few pages, which its making leaves in the write-ahead log
/// as well.
pub const EMPTY_CACHE_BYTES: u64 = 24 * PAGE_BYTES as u64;

/// What a connection keeps of the file in memory.
pub(super) const PAGE_CACHE_BYTES: u32 = 2 << 20;

/// What SQLite writes beside a file: the write-ahead log, or the log of the other mode. One that is left
/// beside another file than its own would be read into that.
pub(super) const LOGS: [&str; 2] = ["-wal", "-journal"];

/// The schema version of an empty file.
const BLANK: u32 = 0;

/// How long a reader waits for another process's commit.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(30);

/// Opens the cache for writing; makes it, and the folders above it, if it is not there.
pub(super) fn open_or_create(path: &Path) -> Result<Connection, CacheError> {
    make_folders_above(path)?;
    if std::fs::metadata(path).is_ok_and(|file| file.len() == 0) {
        tracing::warn!(
            "the cache {} is an empty file: a run was killed while it made it, or somebody emptied it",
            path.display()
        );
    }
    check_header(path)?;
    let mut connection = connect(path, READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)
        .map_err(|error| sqlite_error(path, error))?;
    migrate(&mut connection, path)?;
    // A new file has got larger pages than those for which SQLite has reckoned its limits.
    count_in_bytes(&connection).map_err(|error| sqlite_error(path, error))?;
    Ok(connection)
}

/// Sets the limits that SQLite counts in pages, whatever size the pages of this file have.
fn count_in_bytes(connection: &Connection) -> rusqlite::Result<()> {
    let page_bytes: u32 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
    connection.pragma_update(None, "cache_size", PAGE_CACHE_BYTES / page_bytes)?;
    write_ahead_log::checkpoint_in_time(connection, page_bytes)
}

/// Opens a cache that is there, to read; an empty file is none.
pub(super) fn open_to_read(path: &Path) -> Result<Connection, CacheError> {
    if !path.exists() {
        return Err(CacheError::Absent(path.to_owned()));
    }
    check_header(path)?;
    let connection = connect_to_read(path)?;
    let found = check_identity(&connection, path)?;
    let known = MIGRATIONS.len() as u32;
    match found {
        BLANK => Err(CacheError::Absent(path.to_owned())),
        _ if found < known => Err(CacheError::Older { path: path.to_owned(), found, known }),
        _ => check_schema(&connection, path).map(|()| connection),
    }
}

/// Says what is wrong with the file, if it is there and no cache that this program knows.
pub(super) fn check(path: &Path) -> Result<(), CacheError> {
    if path.exists() {
        check_header(path)?;
        check_identity(&connect_to_read(path)?, path)?;
    }
    Ok(())
}

fn check_header(path: &Path) -> Result<(), CacheError> {
    match look_at(path) {
        // SQLite would only say that it is unable to open the file.
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            Err(CacheError::Unreadable { path: path.to_owned(), error })
        }
        // For SQLite to explain.
        Err(_) | Ok(Header::Blank | Header::Cache) => Ok(()),
        Ok(Header::Damaged) => Err(malformed(path, "its first bytes are not as they were written")),
        Ok(Header::Foreign) if path.is_dir() => Err(CacheError::IsAFolder(path.to_owned())),
        Ok(Header::Foreign) => Err(CacheError::NotACache(path.to_owned())),
    }
}

const READ_WRITE: OpenFlags = OpenFlags::SQLITE_OPEN_READ_WRITE;

fn connect(path: &Path, flags: OpenFlags) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    // A damaged file is found out sooner, and can make SQLite run nothing.
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    // What a statement would need to be undone; there may be no other folder than the cache's that
    // can be written.
    connection.pragma_update(None, "temp_store", "memory")?;
    // Otherwise SQLite, to plan for its value, compiles a statement anew for each game id that is
    // bound: nearly half of the time of an ingest with nothing to do.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    write_ahead_log::configure(&connection)?;
    Ok(connection)
}

fn connect_to_read(path: &Path) -> Result<Connection, CacheError> {
    let begin = || -> rusqlite::Result<Connection> {
        let connection = connect(path, READ_WRITE)?;
        connection.pragma_update(None, "query_only", true)?;
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
        Ok(connection)
    };
    match begin() {
        Err(error) if is_refusal_to_write(&error) => {
            let cache = real_path(path);
            let logs = LOGS.map(|log| beside(&cache, log));
            let is_in_use = |log: &PathBuf| std::fs::metadata(log).is_ok_and(|log| log.len() > 0);
            if let Some(log) = logs.into_iter().find(is_in_use) {
                return Err(CacheError::LogBeside { cache: path.to_owned(), log });
            }
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
            connect(&immutable_uri(&cache), flags)
        }
        begun => begun,
    }
    .map_err(|error| sqlite_error(path, error))
}

/// What SQLite answers where it cannot make its helper files.
fn is_refusal_to_write(error: &rusqlite::Error) -> bool {
    use ErrorCode::{CannotOpen, PermissionDenied, ReadOnly};
    matches!(error.sqlite_error_code(), Some(CannotOpen | ReadOnly | PermissionDenied))
}

/// The file as one that nobody changes, so that SQLite needs neither locks nor helper files:
/// <https://www.sqlite.org/uri.html#uriimmutable>
fn immutable_uri(path: &Path) -> PathBuf {
    let mut uri = String::from("file:");
    for &byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'/' | b'.' | b'-' | b'_' => uri.push(byte.into()),
            _ if byte.is_ascii_alphanumeric() => uri.push(byte.into()),
            _ => uri += &format!("%{byte:02X}"),
        }
    }
    PathBuf::from(uri + "?immutable=1")
}

fn migrate(connection: &mut Connection, path: &Path) -> Result<(), CacheError> {
    migrate_to(MIGRATIONS.len(), connection, path)
}

fn migrate_to(newest: usize, connection: &mut Connection, path: &Path) -> Result<(), CacheError> {
    let version = check_identity(connection, path)?;
    if version as usize == newest {
        check_schema(connection, path)?;
        return write_ahead_log::enter(connection, path);
    }
    if version == BLANK {
        // Can only be chosen for an empty file.
        connection
            .pragma_update(None, "page_size", PAGE_BYTES)
            .map_err(|error| sqlite_error(path, error))?;
    }
    write_ahead_log::enter(connection, path)?;
    let apply = |connection: &mut Connection| {
        let transaction =
            connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        // Another process may have been faster.
        let version: u32 =
            transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
        for step in MIGRATIONS[..newest].iter().skip(version as usize) {
            transaction.execute_batch(step)?;
        }
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", newest as u32)?;
        transaction.commit()
    };
    apply(connection).map_err(|error| sqlite_error(path, error))
}

/// Makes sure that the tables and views are those of the version. What else somebody added is theirs.
fn check_schema(connection: &Connection, path: &Path) -> Result<(), CacheError> {
    type Definitions = BTreeMap<String, String>;
    fn definitions(connection: &Connection) -> rusqlite::Result<Definitions> {
        connection
            .prepare("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL")?
            .query_map([], |row| {
                // A damaged text may not be UTF-8 any more.
                let text = |column| -> rusqlite::Result<String> {
                    Ok(String::from_utf8_lossy(row.get_ref(column)?.as_bytes()?).into_owned())
                };
                Ok((text(0)?, text(1)?))
            })?
            .collect()
    }
    let found = definitions(connection).map_err(|error| sqlite_error(path, error))?;
    let expected = || -> rusqlite::Result<Definitions> {
        let fresh = Connection::open_in_memory()?;
        fresh.execute_batch(&MIGRATIONS.concat())?;
        definitions(&fresh)
    };
    let expected = expected().map_err(|error| sqlite_error(path, error))?;
    match expected.iter().find(|&(name, sql)| found.get(name) != Some(sql)) {
        Some((name, _)) => {
            Err(malformed(path, format!("the table or view {name} is not as it was made")))
        }
        None => Ok(()),
    }
}

/// The schema version of the file; an error if it is not a cache that this program can read.
fn check_identity(connection: &Connection, path: &Path) -> Result<u32, CacheError> {
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let read = || -> rusqlite::Result<_> {
        let tables: i64 =
            connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
        Ok((pragma("application_id")?, pragma("user_version")?, tables))
    };
    let (application_id, version, tables) = read().map_err(|error| sqlite_error(path, error))?;
    let is_blank = application_id == 0 && version == 0 && tables == 0;
    if application_id != i64::from(APPLICATION_ID) && !is_blank {
        return Err(CacheError::NotACache(path.to_owned()));
    }
    let version = u32::try_from(version).unwrap_or(u32::MAX);
    let known = MIGRATIONS.len() as u32;
    if version > known {
        return Err(CacheError::Newer { path: path.to_owned(), found: version, known });
    }
    // The mark and the version are written in one transaction.
    if version == BLANK && !is_blank {
        return Err(malformed(path, "its schema version is gone"));
    }
    Ok(version)
}

/// Errors of the system that say that the file cannot be locked, or memory not be shared over it.
const LOCKING_FAILURES: [i32; 8] = [
    ffi::SQLITE_IOERR_RDLOCK,
    ffi::SQLITE_IOERR_UNLOCK,
    ffi::SQLITE_IOERR_LOCK,
    ffi::SQLITE_IOERR_CHECKRESERVEDLOCK,
    ffi::SQLITE_IOERR_SHMOPEN,
    ffi::SQLITE_IOERR_SHMSIZE,
    ffi::SQLITE_IOERR_SHMLOCK,
    ffi::SQLITE_IOERR_SHMMAP,
];

/// Errors of the system that may mean a full disk: SQLite tells it only of an ordinary write that was
/// over no quota.
const FAILURES_FOR_ROOM: [i32; 9] = [
    ffi::SQLITE_IOERR_WRITE,
    ffi::SQLITE_IOERR_FSYNC,
    ffi::SQLITE_IOERR_DIR_FSYNC,
    ffi::SQLITE_IOERR_TRUNCATE,
    ffi::SQLITE_IOERR_CLOSE,
    ffi::SQLITE_IOERR_SHMOPEN,
    ffi::SQLITE_IOERR_SHMSIZE,
    ffi::SQLITE_IOERR_SHMMAP,
    ffi::SQLITE_CANTOPEN,
];

fn malformed(path: &Path, why: impl Into<String>) -> CacheError {
    CacheError::Malformed { path: path.to_owned(), why: why.into() }
}

/// An error of SQLite as one of this room: damage, and what somebody can do something about, in words.
pub(super) fn sqlite_error(path: &Path, error: rusqlite::Error) -> CacheError {
    use ErrorCode::{
        DatabaseBusy, DatabaseCorrupt, DatabaseLocked, DiskFull, FileLockingProtocolFailed,
        NotADatabase, Unknown,
    };
    // No statement of ours is wrong in a file whose schema is what its version says, and none asks
    // for one row where there may be none.
    if let rusqlite::Error::SqlInputError { .. } | rusqlite::Error::QueryReturnedNoRows = error {
        return malformed(path, error.to_string());
    }
    let extended = error.sqlite_error().map(|error| error.extended_code);
    match error.sqlite_error_code() {
        Some(DatabaseCorrupt | NotADatabase | Unknown) => malformed(path, error.to_string()),
        // A page that ends with the file: it was cut short.
        _ if extended == Some(ffi::SQLITE_IOERR_SHORT_READ) => malformed(path, error.to_string()),
        Some(DatabaseBusy | DatabaseLocked) => CacheError::Busy(path.to_owned()),
        Some(DiskFull) => CacheError::disk_full(path),
        _ if extended.is_some_and(|code| FAILURES_FOR_ROOM.contains(&code))
            && has_no_room(path) =>
        {
            CacheError::disk_full(path)
        }
        Some(FileLockingProtocolFailed) => {
            CacheError::FileSystem { path: path.to_owned(), why: error.to_string() }
        }
        _ if extended.is_some_and(|code| LOCKING_FAILURES.contains(&code)) => {
            CacheError::FileSystem { path: path.to_owned(), why: error.to_string() }
        }
        _ => CacheError::Sqlite { path: path.to_owned(), error },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn temporary() -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/er/prep.sqlite");
        (folder, path)
    }

    #[test]
    fn sqlite_is_new_enough() {
        // Versions before 3.51.3 can corrupt a database when its write-ahead log is reset.
        assert!(rusqlite::version_number() >= 3_051_003, "{}", rusqlite::version());
    }

    #[test]
    fn a_new_cache_is_marked_and_opens_again() {
        let (_folder, path) = temporary();
        assert!(matches!(open_to_read(&path), Err(CacheError::Absent(_))));
        drop(open_or_create(&path).unwrap());
        let connection = open_to_read(&path).unwrap();
        let pragma =
            |name| -> i64 { connection.pragma_query_value(None, name, |row| row.get(0)).unwrap() };
        assert_eq!(pragma("application_id"), i64::from(APPLICATION_ID));
        assert_eq!(pragma("user_version"), MIGRATIONS.len() as i64);
    }

    #[test]
    fn a_cache_from_a_newer_version_is_refused_with_a_sentence() {
        let (_folder, path) = temporary();
        open_or_create(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
        let error = open_to_read(&path).unwrap_err().to_string();
        assert!(error.contains("has schema version 99"), "{error}");
        assert!(error.contains("update prep"), "{error}");
    }

    #[test]
    fn a_cache_of_the_first_schema_is_brought_up_to_date_with_its_refusals() {
        let (_folder, path) = temporary();
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let old = Connection::open(&path).unwrap();
        old.execute_batch(MIGRATIONS[0]).unwrap();
        old.pragma_update(None, "application_id", APPLICATION_ID).unwrap();
        old.pragma_update(None, "user_version", 1).unwrap();
        for (game_id, kind) in [(1, "cut_off"), (2, "fraction")] {
            let sql = "INSERT INTO refusals VALUES (?1, ?1, NULL, ?2, 3, 'x', 'y', 'z', 'm', 't')";
            old.execute(sql, rusqlite::params![game_id, kind]).unwrap();
        }
        drop(old);
        let connection = open_or_create(&path).unwrap();
        let sql = "SELECT game_id FROM refusals WHERE set_aside = 1";
        assert_eq!(connection.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap(), 1);
        let sql = "SELECT count(*) FROM refusals WHERE set_aside = 0";
        assert_eq!(connection.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap(), 1);
        assert_eq!(check_identity(&connection, &path).unwrap() as usize, MIGRATIONS.len());
    }

    #[test]
    fn what_sqlite_says_of_locks_becomes_a_sentence() {
        let path = Path::new("/net/prep.sqlite");
        let said = |code| {
            let failure = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
            sqlite_error(path, failure).to_string()
        };
        for code in [ffi::SQLITE_BUSY, ffi::SQLITE_LOCKED, ffi::SQLITE_BUSY_SNAPSHOT] {
            let said = said(code);
            assert!(said.contains("another program") && !said.contains("is locked"), "{said}");
        }
        for code in [ffi::SQLITE_PROTOCOL, ffi::SQLITE_IOERR_SHMMAP, ffi::SQLITE_IOERR_LOCK] {
            let said = said(code);
            assert!(said.contains("/net/prep.sqlite") && said.contains("local disk"), "{said}");
        }
    }

    #[test]
    fn somebody_elses_file_is_left_alone() {
        let (_folder, path) = temporary();
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        for content in [&b"not a database at all, but long enough to be taken for one"[..], b"x"] {
            std::fs::write(&path, content).unwrap();
            assert!(matches!(open_or_create(&path), Err(CacheError::NotACache(_))));
            assert_eq!(std::fs::read(&path).unwrap(), content);
        }
        std::fs::remove_file(&path).unwrap();
        Connection::open(&path).unwrap().execute_batch("CREATE TABLE mine (x)").unwrap();
        assert!(matches!(open_or_create(&path), Err(CacheError::NotACache(_))));
    }

    /// A game as the first schema stored it: later steps must make of it what they need.
    const OLD_GAME: &str =
        "INSERT INTO games (game_id, source_path, source_hash, source_bytes, rows,
            players, encoder_version, feature_schema, gem_fault_rows, repaired, unbalanced_rows,
            ingested_at, turn_numbers, turn_numbers_checksum, features, features_checksum, labels,
            labels_checksum, masks, masks_checksum, column_sums, column_sums_checksum)
        VALUES (7, '2_games/7.csv', printf('%064d', 0), 3, 1, 2, 1, '0123456789abcdef', 0, 0, 0,
            '2026-01-31T03:00:00Z', x'01', x'02', x'03', x'04', x'05', x'06', x'07', x'08', x'09',
            x'0a')";

    #[test]
    fn a_cache_of_any_older_schema_keeps_its_games_when_it_is_migrated_and_is_not_by_readers() {
        for version in 1..=MIGRATIONS.len() {
            let (_folder, path) = temporary();
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            let mut old = connect(&path, READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE).unwrap();
            migrate_to(version, &mut old, &path).unwrap();
            old.execute_batch(OLD_GAME).unwrap();
            drop(old);

            if version < MIGRATIONS.len() {
                let error = open_to_read(&path).unwrap_err().to_string();
                assert!(error.contains("which brings it up to date"), "{error}");
            }
            check(&path).unwrap();
            drop(open_or_create(&path).unwrap());
            let connection = open_to_read(&path).unwrap();
            let game_id = crate::gamelog::GameId(7);
            let row = crate::cache::rows::plain_columns(&connection, game_id).unwrap();
            let record = row.unwrap().unwrap();
            assert_eq!((record.rows, record.source_path.as_str()), (1, "2_games/7.csv"));
            let features: Vec<u8> =
                connection.query_row("SELECT features FROM games", [], |row| row.get(0)).unwrap();
            assert_eq!(features, [3]);
        }
    }

    #[test]
    fn a_version_without_its_tables_or_tables_without_their_version_is_damage() {
        for (version, open) in [(0, open_or_create as fn(&Path) -> _), (0, open_to_read)] {
            let (_folder, path) = temporary();
            open_or_create(&path).unwrap().pragma_update(None, "user_version", version).unwrap();
            assert!(matches!(open(&path), Err(CacheError::Malformed { .. })));
        }
    }
}
