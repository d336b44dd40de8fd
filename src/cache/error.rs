//! Errors of the cache.

use crate::disk_space::{free_bytes, free_in_words, is_of_full_disk};
use crate::gamelog::GameId;
use crate::words::{advised, shell_path, shown};
use std::borrow::Cow;
use std::io;
use std::path::{Path, PathBuf};

/// Evidence that stored data of a game has changed since it was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{part}: {why}")]
pub struct Damage {
    /// The blob, column or table.
    pub part: Cow<'static, str>,
    /// What is wrong with it.
    pub why: &'static str,
}

impl Damage {
    pub(super) fn new(part: impl Into<Cow<'static, str>>, why: &'static str) -> Damage {
        Damage { part: part.into(), why }
    }
}

/// Why a cache could not be used. `path` is the cache file if nothing else is said, and `holder` the id of the
/// process that uses it, if that is known.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages explain the fields")]
pub enum CacheError {
    /// There is no cache yet.
    #[error("there is no cache at {}: run `{}` first", shown(.0), advised("ingest DIR", .0))]
    Absent(PathBuf),
    /// It is a database of another program.
    #[error("{} is not a prep cache: choose another file with --cache", shown(.0))]
    NotACache(PathBuf),
    /// It is no database at all.
    #[error(
        "{} is not a prep cache, or its header is damaged: choose another file with --cache, or \
         run `{}`, which creates a new cache from the logs and keeps this file beside it",
        shown(.0), advised("ingest DIR --rebuild", .0)
    )]
    NotADatabase(PathBuf),
    /// The path is a folder.
    #[error(
        "{} is a folder: give the cache file in it, such as --cache {}",
        shown(.0), shell_path(&.0.join("prep.sqlite"))
    )]
    IsAFolder(PathBuf),
    /// The path is a FIFO, a device or a socket.
    #[error("{} is {what}, not a cache of prep: choose another file with --cache", shown(path))]
    NotAFile { path: PathBuf, what: &'static str },
    /// SQLite would read a file beside the cache that is not a regular file.
    #[error(
        "the cache {} is not opened: {} is {what}, which neither prep nor SQLite makes: delete it",
        shown(path),
        shown(file)
    )]
    ForeignJournal { path: PathBuf, file: PathBuf, what: &'static str },
    /// This user has no permission to read the file.
    #[error("cannot read the cache {}: {error}; or choose another with --cache", shown(path))]
    Unreadable { path: PathBuf, error: io::Error },
    /// A newer version of prep made it.
    #[error(
        "the cache {} has schema version {found}, this prep knows versions up to {known}: \
         update prep, choose another file with --cache, or run `{}`, which creates a new one from the logs",
        shown(path),
        advised("ingest DIR --rebuild", path)
    )]
    Newer { path: PathBuf, found: u32, known: u32 },
    /// An older version made it, and commands that only read do not update it.
    #[error(
        "the cache {} has schema version {found}, this prep reads version {known}: run `{}` first, which \
         updates it and keeps its games",
        shown(path),
        advised("ingest DIR", path)
    )]
    Older { path: PathBuf, found: u32, known: u32 },
    /// Another program has switched it to write-ahead logging, and SQLite cannot read it then without
    /// writing.
    #[error(
        "another program has switched the cache {} to write-ahead logging: run `{}`, which switches it back",
        shown(.0), advised("ingest DIR", .0)
    )]
    WriteAheadLog(PathBuf),
    /// An older version of prep left a file beside it for which this user has no write permission.
    #[error(
        "the cache {cache} cannot be opened: {} is left from an older version of prep and belongs to \
         another user, who must run `{}`, or delete it if nobody uses the cache and {cache}-wal is empty or \
         missing", shown(leftover), advised("ingest DIR", path), cache = shown(path)
    )]
    Leftover { path: PathBuf, leftover: PathBuf },
    /// A killed run left a rollback journal, and this user has no permission to roll it back.
    #[error(
        "the cache {} cannot be read: a run was killed while writing, and this user has no \
         permission to roll that back: run `{}` as a user with write permission",
        shown(.0), advised("status", .0)
    )]
    NeedsRollback(PathBuf),
    /// Another file has its name now, or none.
    #[error(
        "the cache {} was deleted or replaced by another program during this run: run it again",
        shown(.0)
    )]
    Replaced(PathBuf),
    /// The structure of the file is damaged, not only a game in it.
    #[error(
        "the cache {} is damaged ({}): run `{}`, which creates a new one from the logs and keeps the damaged \
         file beside it",
        shown(path),
        shown(why),
        advised("ingest DIR --rebuild", path)
    )]
    Malformed { path: PathBuf, why: String },
    /// The stored data of a game has changed since it was written.
    #[error(
        "game {game_id} is damaged in the cache ({damage}): the next ingest encodes it again from its log"
    )]
    Damaged { game_id: GameId, damage: Damage },
    /// Another version of prep encoded a game, and this one cannot decode it.
    #[error(
        "game {game_id} was encoded by another version of prep: run `{}` first, which encodes it again",
        advised("ingest DIR", path)
    )]
    OtherEncoder { path: PathBuf, game_id: GameId },
    /// A cache cannot be merged with others.
    #[error("cannot merge {}: {why}", shown(path))]
    CannotMerge { path: PathBuf, why: String },
    /// A cache cannot be replaced.
    #[error("cannot replace the cache {}: {why}", shown(path))]
    CannotReplace { path: PathBuf, why: String },
    /// Another run is writing it.
    #[error(
        "another run{} holds the cache {}: wait for it, or use --wait SECONDS",
        process(*.holder), shown(path)
    )]
    Held { path: PathBuf, holder: Option<u32> },
    /// Another program has used the cache for longer than the time limit.
    #[error(
        "another program{} uses the cache {} and does not release it: close that program (a \
         database browser, a suspended export), then run this again",
        process(*.holder),
        shown(path)
    )]
    Busy { path: PathBuf, holder: Option<u32> },
    /// The file system cannot lock files. `path` may be the lock file.
    #[error(
        "the file system of {} cannot hold a cache ({why}): put the cache on a local disk, with \
         --cache FILE or intermediate_dir",
        shown(path)
    )]
    FileSystem { path: PathBuf, why: String },
    /// The disk is full.
    #[error(
        "the disk of {} is full: {} there (a quota may allow less); the games stored so far are \
         kept: free some space and run this again", shown(path), free_in_words(*free)
    )]
    DiskFull { path: PathBuf, free: Option<u64> },
    /// A file or folder of the cache (`path`) could not be created, locked or replaced. `action` is a verb.
    #[error(
        "cannot {action} {}: {error}: choose a folder with write permission for the cache, with \
         --cache or intermediate_dir",
        shown(path)
    )]
    File { action: &'static str, path: PathBuf, error: io::Error },
    /// Another error of SQLite.
    #[error("the cache {}: {}", shown(path), shown(&error.to_string()))]
    Sqlite { path: PathBuf, error: rusqlite::Error },
    /// zstd could not allocate its tables, or ran out of memory.
    #[error("cannot compress or decompress a cached game")]
    Compression(#[from] io::Error),
}

impl CacheError {
    pub(super) fn malformed(path: &Path, why: impl ToString) -> CacheError {
        CacheError::Malformed { path: path.to_owned(), why: why.to_string() }
    }

    pub(super) fn cannot_merge(path: &Path, why: impl ToString) -> CacheError {
        CacheError::CannotMerge { path: path.to_owned(), why: why.to_string() }
    }

    pub(super) fn disk_full(path: &Path) -> CacheError {
        CacheError::DiskFull { path: path.to_owned(), free: free_bytes(path) }
    }

    /// An I/O error on a file of a cache.
    pub(super) fn file(action: &'static str, path: &Path, error: io::Error) -> CacheError {
        if is_of_full_disk(&error) {
            return CacheError::disk_full(path);
        }
        CacheError::File { action, path: path.to_owned(), error }
    }
}

/// The process id as it follows `another run`.
pub(super) fn process(id: Option<u32>) -> String {
    id.map_or(String::new(), |id| format!(" (process {id})"))
}
