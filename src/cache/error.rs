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
        process(.holder), path.display()
    )]
    Held {
        /// The cache file.
        path: PathBuf,
        /// Its process id, where it is known.
        holder: Option<u32>,
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

fn process(holder: &Option<u32>) -> String {
    holder.map_or(String::new(), |id| format!(" (process {id})"))
}
