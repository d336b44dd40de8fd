//! The cache: one SQLite file that holds every game's encoded rows, so that a game is encoded once.
//!
//! Encoding depends on one log and nothing else, so a game's rows are valid for as long as the log's bytes
//! and the encoder stay the same. Whether they did is decided by content, never by a time stamp: a log
//! that was rewritten within the same second, at the same size, is a changed log.
//!
//! | input | a change makes the game stale? |
//! | --- | --- |
//! | the log's bytes | yes, by blake3 |
//! | [`ENCODER_VERSION`](crate::encode::ENCODER_VERSION) | yes |
//! | names and order of columns, layout of the blobs | yes, by [`FeatureSchema`] |
//! | `--repair`, for a game with the known gem fault | yes |
//! | `--repair`, for any other game | no |
//! | what is cached: a blob, a column, a count | yes: [damage](Damage) |
//! | the log's path, name of the folder, time stamps | no |
//! | threads, batch size, compression level | no |
//! | split, seed, feature set, masks, normalization | no: all chosen at export |
//!
//! `games` has one row a game: plain columns for people, then the rows as compressed
//! [blobs](PackedGame), each with a checksum; `game_play` has how each game went, and views join the two
//! for other programs (`docs/queries.md`). The schema is a numbered list of migrations.
//!
//! There is one [`Writer`] at a time. It works in batches, each of which is kept as a whole or not at
//! all, and records the begin and the end of an ingest, so that readers know whether the last one was
//! killed. A [`Reader`] sees one state; while it is open, a commit waits. At rest the cache is one file,
//! and a small lock file.
//!
//! A game whose row is damaged is encoded again by the next ingest, and is never exported. If the structure
//! of the file is damaged ([`CacheError::Malformed`]), nothing is written to it, because a damaged page
//! would take others with it; [`Rebuild`] makes a new file from the logs when it is asked to.

mod blob;
mod database;
mod error;
mod game_list;
mod ingests;
mod key;
mod merge;
mod play;
mod reader;
mod rebuild;
mod rows;
#[cfg(test)]
mod tests;
mod unpack;
mod writer;

pub use blob::{PackedGame, Packer};
pub use database::idle::IdleReader;
pub use database::lock::WriterLock;
pub use error::{CacheError, Damage};
pub use game_list::{ExpressionError, GameList};
pub use ingests::{IngestCounts, IngestLine};
pub use key::{BLOB_FORMAT, CacheKey, FeatureSchema, GameRecord, StaleReason, staleness};
pub use merge::{MergeConflict, MergeInput, MergeSummary, merge};
pub use reader::{IdRange, Reader, Refusal};
pub use rebuild::Rebuild;
pub use rows::CachedGame;
pub use unpack::Unpacker;
pub use writer::{Writer, too_many_missing};

/// The version of the SQLite that is built in, such as `3.51.3`.
pub fn sqlite_version() -> &'static str {
    rusqlite::version()
}
