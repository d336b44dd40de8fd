//! Opening the SQLite file: what it is, which schema it has, and updating an old one.
//!
//! The file has a rollback journal: at rest it is the one file, and a reader creates nothing, also where
//! it may not write. Readers hold SQLite's shared lock, so no commit can happen while one reads; a commit
//! waits for them. A journal that a killed run left is rolled back by whoever opens the cache next and
//! may write.
//!
//! Versions of prep before schema 7 used a write-ahead log. Such a cache is updated by the next ingest.

pub(super) mod files;
pub(super) mod idle;
pub(super) mod lock;

use super::error::{CacheError, process};
use crate::disk_space::is_full;
use crate::folders::parent_of;
use crate::platform;
use crate::words::shown;
use files::{ROLLBACK_JOURNAL, check_file};
use lock::{beside, make_folders_above, real_path};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, ffi};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// The schema, step by step. Append only: a step that has been released is never edited, or caches
/// made before and after the edit would differ under one number.
pub(super) const MIGRATIONS: [&str; 10] = [
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
];

/// The schema version of this prep.
const NEWEST: u32 = MIGRATIONS.len() as u32;
/// The schema version of an empty file.
const BLANK: u32 = 0;

/// Marks the file as ours: "prep" in ASCII.
pub(super) const APPLICATION_ID: i32 = 0x7072_6570;

/// As large as SQLite allows. A dozen games share a page instead of each having a chain of small ones,
/// of which the last is half empty: the file is smaller, and reading or writing it takes a tenth of the
/// system calls.
pub(super) const PAGE_BYTES: u32 = 65_536;

/// What a connection keeps of the file in memory, in KiB, as SQLite wants it: with a minus.
const CACHE_SIZE: i32 = -2048;

/// The bytes by which SQLite locks a file, see "File Locking" in its documentation.
const LOCK_BYTES: std::ops::Range<u64> = 0x4000_0000..0x4000_0000 + 512;

/// How long one try waits for a lock.
const TRY: Duration = Duration::from_millis(50);
/// After this long, a waiting run says for whom it waits.
const ANNOUNCE_AFTER: Duration = Duration::from_secs(1);
/// How long a run waits for a lock: longer than an export of a large cache takes.
const MAX_WAIT: Duration = Duration::from_secs(600);

/// Who waits for a lock.
#[derive(Clone, Copy)]
pub(super) enum Waiting<'a> {
    /// For the commit of another process.
    ToRead,
    /// For other processes that read; not once this is set.
    ToWrite(&'a AtomicBool),
    /// For nobody.
    Not,
}

/// Does something that needs a lock, again and again until nobody else holds it.
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

/// Opens the cache for writing; makes it, and the folders above it, if it is not there.
pub(super) fn open_or_create(path: &Path, stop: &AtomicBool) -> Result<Connection, CacheError> {
    make_folders_above(path)?;
    check_file(path)?;
    if std::fs::metadata(path).is_ok_and(|file| file.len() == 0) {
        tracing::warn!(
            "the cache {} is an empty file: a run was killed while it created it, or somebody emptied it",
            shown(path)
        );
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
    let waiting = Waiting::ToWrite(stop);
    let open = || {
        let connection = wait_for_lock(path, waiting, || connect(path, flags))?;
        migrate_to(MIGRATIONS.len(), &connection, path, stop).map(|()| connection)
    };
    let connection = open().map_err(|error| match (error, foreign_leftover(path)) {
        (CacheError::Sqlite { path, .. }, Some(leftover)) => {
            CacheError::Leftover { path, leftover }
        }
        (error, _) => error,
    })?;
    check_schema(&connection, path)?;
    // In a new file, SQLite has computed the limit for pages of another size.
    connection
        .pragma_update(None, "cache_size", CACHE_SIZE)
        .map_err(|error| sqlite_error(path, error))?;
    if beside(&real_path(path), ROLLBACK_JOURNAL).exists() {
        // A killed run left it, empty: any commit removes it.
        wait_for_lock(path, waiting, || {
            connection.pragma_update(None, "user_version", MIGRATIONS.len() as u32)
        })?;
    }
    Ok(connection)
}

/// A file of a write-ahead log that this user may not write, which SQLite needs to open the cache.
fn foreign_leftover(path: &Path) -> Option<PathBuf> {
    let files = ["-shm", "-wal"].map(|ending| beside(&real_path(path), ending));
    files.into_iter().find(|file| file.exists() && !platform::may_write(file))
}

/// Opens a cache that is there, to read one state of it: until the connection is closed, it holds a
/// shared lock, and nobody can commit.
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

/// Says what is wrong with the file, if it is there and no cache that this prep can write.
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

/// One more connection for another thread, while this process holds a lock by [`open_to_read`]: the file
/// cannot change meanwhile, so this one needs no locks.
pub(super) fn open_again(path: &Path) -> Result<Connection, CacheError> {
    connect_unlocked(path).map_err(|error| sqlite_error(path, error))
}

/// Keeps all readers from a file that is about to be replaced, until the connection is closed; `None`
/// if it is no file that they could read.
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
    // Damage is detected sooner, and a damaged or hostile schema can run nothing.
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    // prep has no triggers. One that somebody added could undo what is stored.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
    // The cache's folder may be the only one that can be written.
    connection.pragma_update(None, "temp_store", "memory")?;
    connection.pragma_update(None, "cache_size", CACHE_SIZE)?;
    // A commit is on the disk before the next batch begins, and so is the deletion of its journal, where
    // the file system can sync a folder. Elsewhere a loss of power may undo the last commit.
    let writes = flags.contains(OpenFlags::SQLITE_OPEN_READ_WRITE);
    let cannot_sync = writes && !platform::can_sync_folder(parent_of(&real_path(path)));
    let synchronous = if cannot_sync { "full" } else { "extra" };
    connection.pragma_update(None, "synchronous", synchronous)?;
    // Until it commits, a batch is in memory: writing it before would lock out all readers.
    connection.pragma_update(None, "cache_spill", false)?;
    // Otherwise SQLite compiles a statement again for each value that is bound.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(connection)
}

/// A connection to a file that nobody changes: without locks, and without a look for journals
/// (<https://www.sqlite.org/uri.html#uriimmutable>).
fn connect_unlocked(path: &Path) -> rusqlite::Result<Connection> {
    connect(
        &uri(path, "immutable=1"),
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI,
    )
}

/// Whether the file has a write-ahead log. To read such a file, SQLite would create files beside it.
fn is_write_ahead(path: &Path) -> bool {
    // Asked for without locks, SQLite opens any file but one with a write-ahead log.
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

/// Rolls back what a killed run had begun to write, which a connection that only reads cannot.
fn roll_back(path: &Path) -> Result<(), CacheError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE;
    let roll_back = || connect(path, flags).and_then(|connection| begin_to_read(&connection));
    wait_for_lock(path, Waiting::ToRead, roll_back).map_err(|error| match error {
        CacheError::Sqlite { path, .. } => CacheError::NeedsRollback(path),
        error => error,
    })
}

/// The schema version of the file; an error if it is not a cache that this prep can read.
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

fn migrate_to(
    newest: usize,
    connection: &Connection,
    path: &Path,
    stop: &AtomicBool,
) -> Result<(), CacheError> {
    // Reads a write-ahead log, if there is one: the version may be in there.
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
    if version as usize == newest {
        return Ok(());
    }
    if version == BLANK {
        // Can only be chosen for an empty file.
        connection
            .pragma_update(None, "page_size", PAGE_BYTES)
            .map_err(|error| sqlite_error(path, error))?;
    }
    wait_for_lock(path, Waiting::ToWrite(stop), || connection.execute_batch("BEGIN EXCLUSIVE"))?;
    let apply = || -> rusqlite::Result<()> {
        // Another process may have been faster.
        let version: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        for step in MIGRATIONS[..newest].iter().skip(version as usize) {
            connection.execute_batch(step)?;
        }
        connection.pragma_update(None, "application_id", APPLICATION_ID)?;
        connection.pragma_update(None, "user_version", newest as u32)?;
        connection.execute_batch("COMMIT")
    };
    apply().map_err(|error| sqlite_error(path, error))
}

/// Makes sure that the tables and views are those of the version. Others that somebody added are not
/// looked at.
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
            format!("the table or view {name} is not as prep defines it"),
        )),
        None => Ok(()),
    }
}

fn is_busy(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error_code();
    matches!(code, Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

/// Errors of the system that say that the file cannot be locked.
const LOCK_FAILURES: [i32; 4] = [
    ffi::SQLITE_IOERR_RDLOCK,
    ffi::SQLITE_IOERR_UNLOCK,
    ffi::SQLITE_IOERR_LOCK,
    ffi::SQLITE_IOERR_CHECKRESERVEDLOCK,
];

/// Errors of the system that may mean a full disk or quota: SQLite recognizes only a full disk, and
/// only in an ordinary write.
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

/// An error of SQLite with its cause: damage, a full disk, locks.
pub(super) fn sqlite_error(path: &Path, error: rusqlite::Error) -> CacheError {
    use ErrorCode::{DatabaseCorrupt, DiskFull, FileLockingProtocolFailed, NotADatabase, Unknown};
    // Our own statements are right for a schema that was checked, and none asks for one row where
    // there may be none.
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
        // A page that ends with the file: it was cut off.
        _ if extended == ffi::SQLITE_IOERR_SHORT_READ => CacheError::malformed(path, error),
        _ if extended == ffi::SQLITE_READONLY_ROLLBACK => {
            CacheError::NeedsRollback(path.to_owned())
        }
        Some(DiskFull) => CacheError::disk_full(path),
        _ if WRITE_FAILURES.contains(&extended) && is_full(path) => CacheError::disk_full(path),
        code if code == Some(FileLockingProtocolFailed) || LOCK_FAILURES.contains(&extended) => {
            CacheError::FileSystem { path: path.to_owned(), why: error.to_string() }
        }
        _ => CacheError::Sqlite { path: path.to_owned(), error },
    }
}
