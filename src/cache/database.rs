//! Opening the SQLite file: what it is, which schema it has, and bringing an old one up to date.

use super::error::CacheError;
use super::write_ahead_log;
use rusqlite::{Connection, OpenFlags, ffi};
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

/// Marks the file as ours: "prep" in ASCII.
const APPLICATION_ID: i32 = 0x7072_6570;

/// The schema, step by step. Append only: a step that has been released is never edited, or caches
/// made before and after the edit would differ under one number.
const MIGRATIONS: [&str; 2] = [
    include_str!("../../schema/migrations/0001_games.sql"),
    include_str!("../../schema/migrations/0002_unfinished.sql"),
];

/// The schema version of an empty file.
const BLANK: u32 = 0;

/// How long a reader waits for another process's commit.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);

/// Opens the cache for writing; makes it, and the folders above it, if it is not there.
pub(super) fn open_or_create(path: &Path) -> Result<Connection, CacheError> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)
            .map_err(|error| CacheError::Folder { path: folder.to_owned(), error })?;
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
    let mut connection = open(path, flags)?;
    migrate(&mut connection, path)?;
    Ok(connection)
}

/// Opens a cache that is there; an empty file is none. It is migrated too, should it be an old one:
/// reading code knows one schema only.
pub(super) fn open_existing(path: &Path) -> Result<Connection, CacheError> {
    if !path.exists() {
        return Err(CacheError::Absent(path.to_owned()));
    }
    let mut connection = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    if check_identity(&connection, path)? == BLANK {
        return Err(CacheError::Absent(path.to_owned()));
    }
    migrate(&mut connection, path)?;
    Ok(connection)
}

/// Says what is wrong with the file, if it is there and no cache that this program knows.
pub(super) fn check(path: &Path) -> Result<(), CacheError> {
    if path.exists() {
        check_identity(&open(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?, path)?;
    }
    Ok(())
}

fn open(path: &Path, flags: OpenFlags) -> Result<Connection, CacheError> {
    if !may_be_cache(path) {
        return Err(CacheError::NotACache(path.to_owned()));
    }
    let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(path, flags)
        .and_then(|connection| {
            connection.busy_timeout(BUSY_TIMEOUT)?;
            write_ahead_log::configure(&connection)?;
            Ok(connection)
        })
        .map_err(|error| sqlite_error(path, error))
}

/// Whether the path is absent, an empty file, or has the header of a cache. SQLite itself takes a
/// file of a few bytes for an empty database and would write over somebody's note; and opening a
/// stranger's database in write-ahead mode is enough to write beside it.
fn may_be_cache(path: &Path) -> bool {
    /// <https://www.sqlite.org/fileformat.html#the_database_header>
    const HEADER_BYTES: usize = 100;
    const MAGIC: &[u8] = b"SQLite format 3\0";
    if path.is_dir() {
        return false;
    }
    let mut header = Vec::new();
    let read =
        File::open(path).and_then(|file| file.take(HEADER_BYTES as u64).read_to_end(&mut header));
    let number = |at: usize| header[at..].first_chunk().map(|&bytes| u32::from_be_bytes(bytes));
    match read {
        Ok(0) => true,
        Ok(read) if read < HEADER_BYTES || !header.starts_with(MAGIC) => false,
        // In a cache whose making was interrupted, all but an empty first page may still be in the
        // write-ahead log, and the mark with it.
        Ok(_) => number(68) == Some(APPLICATION_ID as u32) || number(28) <= Some(1),
        // What cannot be read is left to SQLite to explain.
        Err(_) => true,
    }
}

fn migrate(connection: &mut Connection, path: &Path) -> Result<(), CacheError> {
    let version = check_identity(connection, path)?;
    if version as usize == MIGRATIONS.len() {
        return Ok(());
    }
    write_ahead_log::enter(connection, path)?;
    let apply = |connection: &mut Connection| {
        let transaction =
            connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        // Another process may have been faster.
        let version: u32 =
            transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
        for step in MIGRATIONS.iter().skip(version as usize) {
            transaction.execute_batch(step)?;
        }
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", MIGRATIONS.len() as u32)?;
        transaction.commit()
    };
    apply(connection).map_err(|error| sqlite_error(path, error))
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

/// An error of SQLite as one of this room: those that somebody can do something about, in words.
pub(super) fn sqlite_error(path: &Path, error: rusqlite::Error) -> CacheError {
    use rusqlite::ErrorCode::{
        DatabaseBusy, DatabaseLocked, FileLockingProtocolFailed, NotADatabase,
    };
    let extended = error.sqlite_error().map(|error| error.extended_code);
    match error.sqlite_error_code() {
        Some(NotADatabase) => CacheError::NotACache(path.to_owned()),
        Some(DatabaseBusy | DatabaseLocked) => CacheError::Busy(path.to_owned()),
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
        assert!(matches!(open_existing(&path), Err(CacheError::Absent(_))));
        drop(open_or_create(&path).unwrap());
        let connection = open_existing(&path).unwrap();
        let pragma =
            |name| -> i64 { connection.pragma_query_value(None, name, |row| row.get(0)).unwrap() };
        assert_eq!(pragma("application_id"), i64::from(APPLICATION_ID));
        assert_eq!(pragma("user_version"), MIGRATIONS.len() as i64);
    }

    #[test]
    fn a_cache_from_a_newer_version_is_refused_with_a_sentence() {
        let (_folder, path) = temporary();
        open_or_create(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
        let error = open_existing(&path).unwrap_err().to_string();
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
        let connection = open_existing(&path).unwrap();
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
}
