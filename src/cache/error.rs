//! What can go wrong with a cache.

use crate::disk_space::{
    SMALL_FILE, free_bytes, free_in_words, is_of_full_disk, needed_in_words, quota_in_words,
};
use crate::gamelog::GameId;
use std::io;
use std::path::{Path, PathBuf};

/// Why a cache could not be used.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// There is no cache yet.
    #[error("there is no cache at {path}: run `prep ingest DIR --cache {path}` first", path = .0.display())]
    Absent(PathBuf),
    /// The file is something else.
    #[error("{} is not a cache of prep: choose another file with --cache", .0.display())]
    NotACache(PathBuf),
    /// There is a folder in its place.
    #[error(
        "{} is a folder: give the cache file in it, such as --cache {}",
        .0.display(), .0.join("prep.sqlite").display()
    )]
    IsAFolder(PathBuf),
    /// The file may not be read by who runs this.
    #[error(
        "cannot read the cache {}: {error}: have yourself given the right to, or choose another \
         with --cache", path.display()
    )]
    Unreadable {
        /// The cache file.
        path: PathBuf,
        /// The system's reason.
        error: io::Error,
    },
    /// A newer version of this program made it.
    #[error(
        "the cache {cache} has schema version {found}, this prep knows versions up to {known}: \
         update prep, choose another file with --cache, or run `prep ingest DIR --cache {cache} \
         --rebuild`, which makes a new one from the logs", cache = path.display()
    )]
    Newer {
        /// The cache file.
        path: PathBuf,
        /// Its schema version.
        found: u32,
        /// The newest schema version that this program knows.
        known: u32,
    },
    /// An older version made it, and who only reads does not change it.
    #[error(
        "the cache {cache} has schema version {found}, this prep reads version {known}: run \
         `prep ingest DIR --cache {cache}` first, which brings it up to date and keeps its games",
        cache = path.display()
    )]
    Older {
        /// The cache file.
        path: PathBuf,
        /// Its schema version.
        found: u32,
        /// The schema version of this program.
        known: u32,
    },
    /// The file itself is damaged: not (only) a game in it, but what holds them together.
    #[error(
        "the cache {cache} is damaged ({why}): run `prep ingest DIR --cache {cache} --rebuild`, \
         which makes it anew from the logs and keeps the damaged file beside it",
        cache = path.display()
    )]
    Malformed {
        /// The cache file.
        path: PathBuf,
        /// How it shows.
        why: String,
    },
    /// A game's rows are of another encoder, or laid out otherwise, and this program cannot unpack them.
    #[error(
        "game {game_id} was encoded by another version of prep: run `prep ingest DIR --cache {}` \
         first, which encodes it anew", path.display()
    )]
    OtherEncoder {
        /// The cache file.
        path: PathBuf,
        /// The game.
        game_id: GameId,
    },
    /// It cannot be read where nothing can be written, because not all of it is in the one file.
    #[error(
        "the cache {} cannot be read in a folder that cannot be written: a run that was killed, or \
         still goes on, left part of it in {}; run `prep status` as somebody who may write \
         there", cache.display(), log.display()
    )]
    LogBeside {
        /// The cache file.
        cache: PathBuf,
        /// Its log.
        log: PathBuf,
    },
    /// The cache made anew could not be put in the place of the damaged one.
    #[error("cannot put the new cache in the place of {}: {error}", path.display())]
    Swap {
        /// The cache file.
        path: PathBuf,
        /// The system's reason.
        error: io::Error,
    },
    /// Somebody wrote it while it was read without locks.
    #[error(
        "the cache {} was written while this run read it, which may not write there and so cannot \
         lock it: run again when the ingest is done", .0.display()
    )]
    ChangedMeanwhile(PathBuf),
    /// Another run is writing it.
    #[error(
        "another run{} holds the cache {}: wait for it, or use --wait SECONDS",
        holder_in_words(.holder), path.display()
    )]
    Held {
        /// The cache file.
        path: PathBuf,
        /// Its process id, where it is known.
        holder: Option<u32>,
    },
    /// Something that is not an ingest of this program holds the file, or reads it for too long.
    #[error(
        "another program uses the cache {} and does not let go of it: close it (a database \
         browser? an export that was stopped?), then run this again", .0.display()
    )]
    Busy(PathBuf),
    /// The file system cannot do what keeps a cache whole.
    #[error(
        "the file system of {} is not fit for a cache ({why}): put the cache on a local disk, with \
         --cache FILE or intermediate_dir", path.display()
    )]
    FileSystem {
        /// The cache file or its lock file.
        path: PathBuf,
        /// What does not work.
        why: String,
    },
    /// There is no room where the cache lies.
    #[error(
        "the disk of {} is full: at least {} are needed beside it and {}{}: free some space and run \
         this again", path.display(), needed_in_words(SMALL_FILE), free_in_words(*free),
        quota_in_words(SMALL_FILE, *free)
    )]
    DiskFull {
        /// The cache file.
        path: PathBuf,
        /// Bytes free there, if known.
        free: Option<u64>,
    },
    /// The lock file could not be used.
    #[error(
        "cannot lock {}: {error}: the cache must lie where you may write, choose a place with \
         --cache or intermediate_dir", path.display()
    )]
    Lock {
        /// The lock file.
        path: PathBuf,
        /// The system's reason.
        error: io::Error,
    },
    /// A folder on the way could not be made.
    #[error(
        "cannot make the folder {}: {error}: choose another place with --cache or intermediate_dir",
        path.display()
    )]
    Folder {
        /// The folder.
        path: PathBuf,
        /// The system's reason.
        error: io::Error,
    },
    /// SQLite refused.
    #[error("the cache {}: {error}", path.display())]
    Sqlite {
        /// The cache file.
        path: PathBuf,
        /// SQLite's reason.
        error: rusqlite::Error,
    },
    /// zstd could not allocate its tables, or ran out of memory.
    #[error("cannot compress or decompress")]
    Compression(#[from] io::Error),
    /// What is stored of a game is not what was stored.
    #[error(
        "the cached {what} of game {game_id} are damaged ({why}): run `prep ingest DIR`, which \
         encodes the game anew from its log"
    )]
    Damaged {
        /// Whose rows.
        game_id: GameId,
        /// Which blob, or the plain columns.
        what: &'static str,
        /// How it shows.
        why: String,
    },
}

impl CacheError {
    pub(super) fn disk_full(path: &Path) -> CacheError {
        CacheError::DiskFull { path: path.to_owned(), free: free_bytes(path) }
    }

    /// An error of the system over a file of the cache at `path`: `otherwise` says which, if it is
    /// not that the disk is full.
    pub(super) fn of_system(
        path: &Path,
        error: io::Error,
        otherwise: impl FnOnce(io::Error) -> CacheError,
    ) -> CacheError {
        if is_of_full_disk(&error) { CacheError::disk_full(path) } else { otherwise(error) }
    }
}

/// Goes behind `another run`.
pub(super) fn holder_in_words(holder: &Option<u32>) -> String {
    holder.map_or(String::new(), |id| format!(" (process {id})"))
}
