//! The cache: one SQLite file that holds the encoded rows of every game, so that each game is encoded
//! only once.
//!
//! The rows of a game depend only on its log and the encoder, so they stay valid until one of them
//! changes. Changes of a log are detected by its content, never by time stamps: a log that was rewritten
//! within the same second with the same size is detected too.
//!
//! | input | a change makes the game stale? |
//! | --- | --- |
//! | the log's bytes | yes, by blake3 |
//! | [`ENCODER_VERSION`](crate::encode::ENCODER_VERSION) | yes |
//! | names and order of columns, layout of the blobs | yes, by [`FeatureSchema`] |
//! | `--repair`, for a game with the known gem fault | yes |
//! | `--repair`, for any other game | no |
//! | the cached data: a blob, a column, a count | yes: [damage](Damage) |
//! | the log's path, name of the folder, time stamps | no |
//! | threads, batch size, compression level | no |
//! | split, seed, feature set, masks, normalization | no: all chosen at export |
//!
//! `games` has one row per game: plain columns for queries, then the rows of the game as compressed
//! [blobs](PackedGame), each with a checksum. `game_play` describes how each game went. Views join the
//! two for other programs (`docs/queries.md`). The schema is a numbered list of migrations.
//!
//! There is one [`Writer`] at a time. It works in batches, each of which is one transaction, and records
//! the start and the end of an ingest, so that readers know whether the last one was killed. A
//! [`Reader`] sees one consistent state; while it is open, commits wait. When no program uses the cache,
//! it is one file and a small lock file.
//!
//! A game whose row is damaged is never exported, and the next ingest encodes it again. If the structure
//! of the file is damaged ([`CacheError::Malformed`]), nothing is written to it, because that could
//! damage more pages; [`Rebuild`] creates a new file from the logs on request.

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
pub use ingests::{INGEST_COUNTS, IngestCounts, IngestLine};
pub use key::{BLOB_FORMAT, CacheKey, FeatureSchema, GameRecord, StaleReason, staleness};
pub use merge::{MergeConflict, MergeInput, MergeSummary, merge};
pub use reader::{IdRange, Reader, Refusal};
pub use rebuild::Rebuild;
pub use rows::CachedGame;
pub use unpack::Unpacker;
pub use writer::{Writer, too_many_missing};

/// The version of the bundled SQLite, such as `3.51.3`.
pub fn sqlite_version() -> &'static str {
    rusqlite::version()
}
