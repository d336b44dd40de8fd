//! The cache: one SQLite file that holds every game's encoded rows, so that a game is encoded once.
//!
//! **Why it is so.** Encoding depends on one log and on nothing else, so a game's rows can be kept
//! for as long as the log's bytes and the encoder stay the same. Whether they did is decided by
//! content, never by a time stamp: a log that was rewritten within the same second, at the same
//! size, is a changed log.
//!
//! What makes a game stale, and what does not:
//!
//! | input | stale? |
//! | --- | --- |
//! | the log's bytes | yes, by blake3 |
//! | [`ENCODER_VERSION`](crate::encode::ENCODER_VERSION) | yes |
//! | names and order of columns, layout of the blobs | yes, by [`FeatureSchema`] |
//! | `--repair`, for a game with the known gem fault | yes |
//! | `--repair`, for any other game | no |
//! | what is cached: a blob's checksum, a column that does not read, a count that was changed | yes: damaged |
//! | the log's place, name of the folder, time stamps | no |
//! | threads, batch size, compression level | no |
//! | split, seed, feature set, masks, normalisation | no: all chosen at export |
//!
//! **How it works.** `games` has one row a game: plain columns for people, then the rows as packed
//! [blobs](PackedGame), each with a checksum; `game_play` has how each game went, and views put the
//! two together for people with other programs (`docs/queries.md`). Writers work in
//! [batches](Batch): a batch is kept as a whole or not at all. Readers take a [`Snapshot`] and see
//! one state however much is written meanwhile. The file is in write-ahead mode, and the log of that mode is
//! kept short. Its pages are large, and a file that has become loose is [written anew](Cache::compact). Its schema
//! is a numbered list of migrations. A run of ingest marks its begin and its end, so that a reader
//! knows whether the last one was killed between.
//!
//! **What can break, and what then.** A game whose row is damaged is stale: the next ingest encodes
//! it anew, and no export takes it. Where the file itself does not hang together any more
//! ([`CacheError::Malformed`]), nothing is written to it: a damaged page would take others with it.
//! [`Rebuild`] makes a new file from the logs, when it is asked to.
//!
//! **What it does not do.** It does not read logs, decide what to encode, or hold anything that an
//! export could choose differently.

mod blob;
mod compact;
mod compressor;
mod database;
mod error;
mod header;
mod last_ingest;
mod lock;
mod play;
mod reader;
mod rebuild;
mod record;
mod rows;
mod store;
mod transpose;
mod write_ahead_log;

pub use blob::{PackedGame, Packer, Unpacker};
pub use database::EMPTY_CACHE_BYTES;
pub use error::CacheError;
pub use lock::WriterLock;
pub use reader::GameReader;
pub use rebuild::Rebuild;
pub use record::{BLOB_FORMAT, CacheKey, FeatureSchema, GameRecord, StaleReason, staleness};
pub use rows::CachedGame;
pub use store::{Batch, Cache, Refusal, Snapshot};
pub use write_ahead_log::{longest_write_ahead_log, write_ahead_log_bytes};

/// The version of the SQLite that is built in, such as `3.51.3`.
pub fn sqlite_version() -> &'static str {
    rusqlite::version()
}
