//! What can go wrong with a cache.

use crate::gamelog::GameId;
use std::path::PathBuf;

/// Why a cache could not be used.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// There is no cache yet.
    #[error("there is no cache at {}: run `prep ingest DIR` first", .0.display())]
    Absent(PathBuf),
    /// The file is something else.
    #[error("{} is not a cache of prep: choose another file with --cache", .0.display())]
    NotACache(PathBuf),
    /// A newer version of this program made it.
    #[error(
        "the cache {} has schema version {found}, this prep knows versions up to {known}: \
         update prep, or choose another file with --cache", path.display()
    )]
    Newer {
        /// The cache file.
        path: PathBuf,
        /// Its schema version.
        found: u32,
        /// The newest schema version that this program knows.
        known: u32,
    },
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
    /// The lock file could not be used.
    #[error("cannot lock {}: {error}", path.display())]
    Lock {
        /// The lock file.
        path: PathBuf,
        /// The system's reason.
        error: std::io::Error,
    },
    /// A folder on the way could not be made.
    #[error("cannot make the folder {}: {error}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// The system's reason.
        error: std::io::Error,
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
    Compression(#[from] std::io::Error),
    /// A stored blob is not what was stored.
    #[error(
        "the cached {what} of game {game_id} are damaged ({why}): delete the cache file and run \
         `prep ingest`, which makes it anew from the logs"
    )]
    Damaged {
        /// Whose rows.
        game_id: GameId,
        /// Which blob.
        what: &'static str,
        /// How it shows.
        why: &'static str,
    },
}

/// Goes behind `another run`.
pub(super) fn holder_in_words(holder: &Option<u32>) -> String {
    holder.map_or(String::new(), |id| format!(" (process {id})"))
}
