//! Opens the SQLite file: checks that it is a cache, reads its schema version, and updates an old schema.
//!
//! The file uses a rollback journal: a cache that is not in use is a single file, and readers create no
//! files, so that they need no write permission. Readers hold SQLite's shared lock, and commits wait for
//! them. A journal that a killed run left is rolled back by the next program that opens the cache with
//! write permission.
//!
//! Versions of prep before schema 7 used a write-ahead log. Such a cache is updated by the next ingest.

pub(super) mod files;
pub(super) mod idle;
pub(super) mod lock;
pub(super) mod version;

use super::error::{CacheError, process};
use crate::disk_space::is_full;
use crate::folders::{parent_of, with_owner};
use crate::platform;
use crate::words::shown;
use files::{ROLLBACK_JOURNAL, check_file};
use lock::{beside, make_folders_above, real_path};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, ffi};
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// The migrations of the schema, in order. Append only: a released migration is never edited, or caches
/// made before and after the edit would differ under the same version number.
pub(super) const MIGRATIONS: [&str; 11] = [
    include_str!("../../../schema/migrations/0001_games.sql"),
    include_str!("../../../schema/migrations/0002_unfinished.sql"),
    include_str!("../../../schema/migrations/0003_feature_columns.sql"),
    include_str!("../../../schema/migrations/0004_game_play.sql"),
    include_str!("../../../schema/migrations/0005_lighter_views.sql"),
    include_str!("../../../schema/migrations/0006_base_features.sql"),
    include_str!("../../../schema/migrations/0007_deferred.sql"),
    include_str!("../../../schema/migrations/0008_replay.sql"),
    include_str!("../../../schema/migrations/0009_refusals_by_game.sql"),
    include_str!("../../../schema/migrations/0010_ingests.sql"),
    include_str!("../../../schema/migrations/0011_record_checksum.sql"),
];

/// The current schema version.
const NEWEST: u32 = MIGRATIONS.len() as u32;
/// The schema version of an empty file.
const BLANK: u32 = 0;

/// Identifies the file as a prep cache: "prep" in ASCII.
pub(super) const APPLICATION_ID: i32 = 0x7072_6570;

/// The largest size that SQLite allows. About twelve games share a page, instead of each using a chain
/// of small pages with the last half empty: the file is smaller, and reading or writing it takes a tenth
/// of the system calls.
pub(super) const PAGE_BYTES: u32 = 65_536;

/// Page cache of a connection, in KiB; SQLite wants a negative number for that unit.
const CACHE_SIZE: i32 = -2048;

/// The byte range that SQLite uses for locks, see "File Locking" in its documentation.
const LOCK_BYTES: std::ops::Range<u64> = 0x4000_0000..0x4000_0000 + 512;

/// How long one try waits for a lock.
const TRY: Duration = Duration::from_millis(50);
/// After this time, a waiting run names the process that it waits for.
const ANNOUNCE_AFTER: Duration = Duration::from_secs(1);
/// How long a run waits for a lock: longer than an export of a large cache takes.
const MAX_WAIT: Duration = Duration::from_secs(600);

/// What a lock is waited for.
#[derive(Clone, Copy)]
pub(super) enum Waiting<'a> {
    /// For the commit of another process.
    ToRead,
    /// For other processes that read; not once this is set.
    ToWrite(&'a AtomicBool),
    /// Does not wait.
    Not,
}

/// Retries an action that needs a lock until no other process holds it.
pub(super) fn wait_for_lock<T>(
    path: &Path,
    waiting: Waiting<'_>,
    mut attempt: impl FnMut() -> rusqlite::Result<T>,
) -> Result<T, CacheError> {
    let begun = Instant::now();
    let mut holder = None;
    let mut is_announced = false;
    loop {
        match attempt() {
            Err(error) if is_busy(&error) => {}
            done => return done.map_err(|error| sqlite_error(path, error)),
        }
        let waited = begun.elapsed();
        let is_over = match waiting {
            Waiting::Not => true,
            Waiting::ToRead => waited >= MAX_WAIT,
            Waiting::ToWrite(stop) => waited >= MAX_WAIT || stop.load(Ordering::Relaxed),
        };
        if is_over {
            return Err(CacheError::Busy { path: path.to_owned(), holder });
        }
        if waited >= ANNOUNCE_AFTER && !is_announced {
            is_announced = true;
            let to_write = matches!(waiting, Waiting::ToWrite(_));
            holder = platform::lock_holder(path, LOCK_BYTES, to_write);
            let (holder, cache) = (process(holder), shown(path));
            match to_write {
                true => tracing::info!(
                    "waiting for another program{holder} that reads the cache {cache} (an export?)"
                ),
                false => tracing::info!(
                    "waiting for another program{holder} that writes the cache {cache}"
                ),
            }
        }
    }
}

/// Opens the cache for writing; creates it and its parent folders if they do not exist.
pub(super) fn open_or_create(path: &Path, stop: &AtomicBool) -> Result<Connection, CacheError> {
    make_folders_above(path)?;
    check_file(path)?;
    check_writable(path)?;
    if std::fs::metadata(path).is_ok_and(|file| file.len() == 0) {
        tracing::warn!(
            "the cache {} is an empty file: a run was killed while creating it, or the file was \
             truncated",
            shown(path)
        );
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
    let waiting = Waiting::ToWrite(stop);
    let open = || {
        let connection = wait_for_lock(path, waiting, || connect(path, flags))?;
        migrate(&connection, path, stop).map(|()| connection)
    };
    let connection = open().map_err(|error| match (error, foreign_leftover(path)) {
        (CacheError::Sqlite { path, .. }, Some(leftover)) => {
            CacheError::Leftover { path, leftover }
        }
        (error, _) => error,
    })?;
    check_schema(&connection, path)?;
    // In a new file, SQLite computed the limit for a different page size.
    connection
        .pragma_update(None, "cache_size", CACHE_SIZE)
        .map_err(|error| sqlite_error(path, error))?;
    if beside(&real_path(path), ROLLBACK_JOURNAL).exists() {
        // A killed run left an empty journal: any commit removes it.
        wait_for_lock(path, waiting, || connection.pragma_update(None, "user_version", NEWEST))?;
    }
    Ok(connection)
}

/// SQLite would fail at the first write, and not say why.
fn check_writable(path: &Path) -> Result<(), CacheError> {
    let real = real_path(path);
    let used = [path, parent_of(&real)];
    match used.into_iter().find(|path| path.exists() && !platform::may_write(path)) {
        Some(denied) => {
            let error = with_owner(denied, ErrorKind::PermissionDenied.into());
            Err(CacheError::file("write", path, error))
        }
        None => Ok(()),
    }
}

/// A file of a write-ahead log that this user may not write, which SQLite needs to open the cache.
fn foreign_leftover(path: &Path) -> Option<PathBuf> {
    let files = ["-shm", "-wal"].map(|ending| beside(&real_path(path), ending));
    files.into_iter().find(|file| file.exists() && !platform::may_write(file))
}

/// Opens an existing cache to read one consistent state of it: until the connection is closed, it holds
/// a shared lock, and no other process can commit.
pub(super) fn open_to_read(path: &Path, waiting: Waiting<'_>) -> Result<Connection, CacheError> {
    if !path.exists() {
        return Err(CacheError::Absent(path.to_owned()));
    }
    check_file(path)?;
    let is_write_ahead = is_write_ahead(path);
    let open = || {
        let connection = match is_write_ahead {
            true => connect_unlocked(path)?,
            false => connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?,
        };
        begin_to_read(&connection)?;
        Ok(connection)
    };
    let connection = match wait_for_lock(path, waiting, open) {
        Err(CacheError::NeedsRollback(_)) => {
            roll_back(path)?;
            wait_for_lock(path, waiting, open)?
        }
        opened => opened?,
    };
    match identify(&connection, path)? {
        BLANK => Err(CacheError::Absent(path.to_owned())),
        NEWEST if is_write_ahead => Err(CacheError::WriteAheadLog(path.to_owned())),
        NEWEST => check_schema(&connection, path).map(|()| connection),
        found => Err(CacheError::Older { path: path.to_owned(), found, known: NEWEST }),
    }
}

/// Fails if the file exists but is not a cache that this version of prep can write.
pub(super) fn check(path: &Path) -> Result<(), CacheError> {
    use CacheError::{Absent, Busy, NeedsRollback, Older, WriteAheadLog};
    match open_to_read(path, Waiting::Not) {
        Ok(_)
        | Err(Absent(_) | Busy { .. } | NeedsRollback(_) | Older { .. } | WriteAheadLog(_)) => {
            Ok(())
        }
        Err(error) => Err(error),
    }
}

/// Opens another connection for another thread while this process holds the lock of [`open_to_read`]:
/// the file cannot change meanwhile, so this connection needs no locks.
pub(super) fn open_again(path: &Path) -> Result<Connection, CacheError> {
    connect_unlocked(path).map_err(|error| sqlite_error(path, error))
}

/// Locks out all readers of a file that is about to be replaced, until the connection is closed; `None`
/// if the file is not one that they could read.
pub(super) fn lock_out_readers(
    path: &Path,
    stop: &AtomicBool,
) -> Result<Option<Connection>, CacheError> {
    if is_write_ahead(path) {
        return Ok(None);
    }
    let locked = wait_for_lock(path, Waiting::ToWrite(stop), || {
        let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        connection.execute_batch("BEGIN EXCLUSIVE")?;
        Ok(connection)
    });
    match locked {
        Ok(connection) => Ok(Some(connection)),
        Err(error @ CacheError::Busy { .. }) => Err(error),
        Err(_) => Ok(None),
    }
}

fn connect(path: &Path, flags: OpenFlags) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(TRY)?;
    // Detects damage earlier, and prevents a damaged or malicious schema from running code.
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    // prep uses no triggers. A trigger that somebody added could undo changes.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
    // The cache's folder may be the only one with write permission.
    connection.pragma_update(None, "temp_store", "memory")?;
    connection.pragma_update(None, "cache_size", CACHE_SIZE)?;
    // A commit is on disk before the next batch begins, and so is the deletion of its journal if the
    // file system can sync a folder. Otherwise a power loss may undo the last commit.
    let writes = flags.contains(OpenFlags::SQLITE_OPEN_READ_WRITE);
    let cannot_sync = writes && !platform::can_sync_folder(parent_of(&real_path(path)));
    let synchronous = if cannot_sync { "full" } else { "extra" };
    connection.pragma_update(None, "synchronous", synchronous)?;
    // A batch stays in memory until it is committed: writing it earlier would lock out all readers.
    connection.pragma_update(None, "cache_spill", false)?;
    // Otherwise SQLite compiles a statement again for each value that is bound.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(connection)
}

/// A connection to a file that does not change: it uses no locks and ignores journals
/// (<https://www.sqlite.org/uri.html#uriimmutable>).
fn connect_unlocked(path: &Path) -> rusqlite::Result<Connection> {
    connect(
        &uri(path, "immutable=1"),
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI,
    )
}

/// Whether the file uses a write-ahead log. SQLite would create files beside it to read it.
fn is_write_ahead(path: &Path) -> bool {
    // Without locks, SQLite opens any file except one with a write-ahead log.
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    let read = Connection::open_with_flags(uri(path, "nolock=1"), flags).map(|connection| {
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))
    });
    let error = read.ok().and_then(Result::err);
    error.and_then(|error| error.sqlite_error_code()) == Some(ErrorCode::CannotOpen)
}

fn uri(path: &Path, parameter: &str) -> PathBuf {
    let mut uri = String::from("file:");
    for &byte in real_path(path).as_os_str().as_encoded_bytes() {
        match byte {
            b'/' | b'.' | b'-' | b'_' => uri.push(byte.into()),
            _ if byte.is_ascii_alphanumeric() => uri.push(byte.into()),
            _ => uri += &format!("%{byte:02X}"),
        }
    }
    PathBuf::from(format!("{uri}?{parameter}"))
}

/// Takes the shared lock, which the transaction keeps.
pub(super) fn begin_to_read(connection: &Connection) -> rusqlite::Result<()> {
    if connection.is_autocommit() {
        connection.execute_batch("BEGIN")?;
    }
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))
}

/// Rolls back an unfinished transaction of a killed run, which a read-only connection cannot do.
fn roll_back(path: &Path) -> Result<(), CacheError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE;
    let roll_back = || connect(path, flags).and_then(|connection| begin_to_read(&connection));
    wait_for_lock(path, Waiting::ToRead, roll_back).map_err(|error| match error {
        CacheError::Sqlite { path, .. } => CacheError::NeedsRollback(path),
        error => error,
    })
}

/// The schema version of the file; an error if this version of prep cannot read it.
fn identify(connection: &Connection, path: &Path) -> Result<u32, CacheError> {
    let read = || -> rusqlite::Result<(i64, i64, i64, bool)> {
        let pragma = |name| connection.pragma_query_value(None, name, |row| row.get(0));
        let (tables, ours) = connection.query_row(
            "SELECT count(*), count(iif(name IN ('games', 'refusals', 'last_ingest'), 1, NULL))
             FROM sqlite_schema",
            [],
            |row| Ok((row.get(0)?, row.get::<_, i64>(1)?)),
        )?;
        Ok((pragma("application_id")?, pragma("user_version")?, tables, ours == 3))
    };
    let (application_id, version, tables, has_our_tables) =
        read().map_err(|error| sqlite_error(path, error))?;
    let is_blank = application_id == 0 && version == 0 && tables == 0;
    if application_id != i64::from(APPLICATION_ID) && !is_blank {
        return Err(match has_our_tables {
            true => CacheError::malformed(path, "its application id is not that of prep"),
            false => CacheError::NotACache(path.to_owned()),
        });
    }
    let version = u32::try_from(version).unwrap_or(u32::MAX);
    if version > NEWEST {
        return Err(CacheError::Newer { path: path.to_owned(), found: version, known: NEWEST });
    }
    // Application id and version are written in one transaction.
    if version == BLANK && !is_blank {
        return Err(CacheError::malformed(path, "it has no schema version"));
    }
    Ok(version)
}

/// Updates the file to the newest schema version and to a rollback journal.
fn migrate(connection: &Connection, path: &Path, stop: &AtomicBool) -> Result<(), CacheError> {
    // Reads a write-ahead log, if there is one: it may hold a newer schema version.
    let version = wait_for_lock(path, Waiting::ToRead, || begin_to_read(connection))
        .and_then(|()| identify(connection, path));
    let ended = connection.execute_batch("COMMIT");
    let version = version?;
    ended.map_err(|error| sqlite_error(path, error))?;
    let mode = wait_for_lock(path, Waiting::ToWrite(stop), || {
        connection
            .pragma_update_and_check(None, "journal_mode", "delete", |row| row.get::<_, String>(0))
    })?;
    if mode != "delete" {
        return Err(CacheError::malformed(path, format!("its journal mode is {mode}")));
    }
    if version == NEWEST {
        return Ok(());
    }
    if version == BLANK {
        // Can be set only in an empty file.
        connection
            .pragma_update(None, "page_size", PAGE_BYTES)
            .map_err(|error| sqlite_error(path, error))?;
    }
    wait_for_lock(path, Waiting::ToWrite(stop), || connection.execute_batch("BEGIN EXCLUSIVE"))?;
    let apply = || -> rusqlite::Result<()> {
        // Another process may have been faster.
        let version: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        for step in MIGRATIONS.iter().skip(version as usize) {
            connection.execute_batch(step)?;
        }
        connection.pragma_update(None, "application_id", APPLICATION_ID)?;
        connection.pragma_update(None, "user_version", NEWEST)?;
        connection.execute_batch("COMMIT")
    };
    apply().map_err(|error| sqlite_error(path, error))
}

/// Checks that the tables and views are those of the schema version. Tables and views that somebody
/// added are ignored.
fn check_schema(connection: &Connection, path: &Path) -> Result<(), CacheError> {
    type Definitions = BTreeMap<String, String>;
    fn definitions(connection: &Connection) -> rusqlite::Result<Definitions> {
        connection
            .prepare("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL")?
            .query_map([], |row| {
                // Damaged text may not be UTF-8.
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
        Some((name, _)) => Err(CacheError::malformed(
            path,
            format!("the table or view {name} differs from its definition in prep"),
        )),
        None => Ok(()),
    }
}

fn is_busy(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error_code();
    matches!(code, Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

/// System errors that mean that the file cannot be locked.
const LOCK_FAILURES: [i32; 4] = [
    ffi::SQLITE_IOERR_RDLOCK,
    ffi::SQLITE_IOERR_UNLOCK,
    ffi::SQLITE_IOERR_LOCK,
    ffi::SQLITE_IOERR_CHECKRESERVEDLOCK,
];

/// System errors that may mean a full disk or quota: SQLite recognizes only a full disk, and only in
/// regular writes.
const WRITE_FAILURES: [i32; 9] = [
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

/// Converts an SQLite error to its cause: damage, a full disk or a lock.
pub(super) fn sqlite_error(path: &Path, error: rusqlite::Error) -> CacheError {
    use ErrorCode::{DatabaseCorrupt, DiskFull, FileLockingProtocolFailed, NotADatabase, Unknown};
    // The statements are valid for the checked schema, and none expects a row that may not exist.
    if let rusqlite::Error::SqlInputError { .. } | rusqlite::Error::QueryReturnedNoRows = error {
        return CacheError::malformed(path, error);
    }
    if is_busy(&error) {
        return CacheError::Busy { path: path.to_owned(), holder: None };
    }
    let extended = error.sqlite_error().map_or(0, |error| error.extended_code);
    match error.sqlite_error_code() {
        Some(NotADatabase) => CacheError::NotADatabase(path.to_owned()),
        Some(DatabaseCorrupt | Unknown) => CacheError::malformed(path, error),
        // A short read of a page: the file was truncated.
        _ if extended == ffi::SQLITE_IOERR_SHORT_READ => CacheError::malformed(path, error),
        _ if extended == ffi::SQLITE_READONLY_ROLLBACK => {
            CacheError::NeedsRollback(path.to_owned())
        }
        _ if extended == ffi::SQLITE_READONLY_DBMOVED => CacheError::Replaced(path.to_owned()),
        Some(DiskFull) => CacheError::disk_full(path),
        _ if WRITE_FAILURES.contains(&extended) && is_full(path) => CacheError::disk_full(path),
        code if code == Some(FileLockingProtocolFailed) || LOCK_FAILURES.contains(&extended) => {
            CacheError::FileSystem { path: path.to_owned(), why: error.to_string() }
        }
        _ => CacheError::Sqlite { path: path.to_owned(), error },
    }
}
