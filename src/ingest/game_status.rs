//! The one list of what can become of a game, and why.

use crate::cache::{CacheKey, GameRecord, StaleReason};
use crate::gamelog::{Ending, GameId, GamePlay, LogError, ReplayFault};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;

/// What would become of one game, for one reason. The list is closed: every game has exactly one
/// of them, and `prep ingest` and `prep status` count by their [names](GameStatus::name).
///
/// | name | what is done |
/// | --- | --- |
/// | `new` | encoded: the cache does not have it |
/// | `bytes_changed` | encoded again: its log holds other bytes |
/// | `encoder_changed` | encoded again: another version of the encoder made its rows |
/// | `schema_changed` | encoded again: the columns have changed |
/// | `repair_changed` | encoded again: it has the gem fault, and `--repair` is not as it was |
/// | `damaged` | encoded again: its cached rows are not what was stored |
/// | `deleted` | removed from the cache: its log is deleted |
/// | `refusal_deleted` | its refusal is forgotten: its log was never cached, and is deleted |
/// | `refused` | nothing: its log cannot be read, an older version stays |
/// | `deferred` | nothing yet: its log is still being written, an older version stays |
/// | `up_to_date` | nothing |
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GameStatus {
    /// Its cached rows are right.
    UpToDate {
        /// The cache still says that its log was refused; so would an export, until an ingest.
        repaired: bool,
    },
    /// It would be encoded.
    Stale(StaleReason),
    /// Its log cannot be read.
    Refused(LogError),
    /// Its log looks as if it were still being written.
    Deferred(LogError),
    /// Its log is deleted; it would be removed from the cache.
    Deleted,
    /// Its log was refused, was never cached, and is deleted.
    RefusalDeleted,
}

impl GameStatus {
    /// Of a log that cannot be read, or not yet.
    pub fn refused(error: LogError) -> GameStatus {
        match error.fault.deferred {
            true => GameStatus::Deferred(error),
            false => GameStatus::Refused(error),
        }
    }

    /// A name that does not change between versions, for scripts.
    pub fn name(&self) -> &'static str {
        match self {
            GameStatus::UpToDate { .. } => UP_TO_DATE,
            GameStatus::Stale(reason) => reason.name(),
            GameStatus::Refused(_) => REFUSED,
            GameStatus::Deferred(_) => DEFERRED,
            GameStatus::Deleted => DELETED,
            GameStatus::RefusalDeleted => REFUSAL_DELETED,
        }
    }
}

/// Every name, in the order of the table above.
pub const STATUS_NAMES: [&str; 10] = [
    "new",
    "bytes_changed",
    "encoder_changed",
    "schema_changed",
    "repair_changed",
    "damaged",
    DELETED,
    REFUSED,
    DEFERRED,
    UP_TO_DATE,
];

pub(super) const UP_TO_DATE: &str = "up_to_date";
pub(super) const REFUSED: &str = "refused";
pub(super) const DEFERRED: &str = "deferred";
pub(super) const DELETED: &str = "deleted";
pub(super) const REFUSAL_DELETED: &str = "refusal_deleted";

impl fmt::Display for GameStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            GameStatus::UpToDate { repaired: false } => f.write_str("up to date"),
            GameStatus::UpToDate { repaired: true } => {
                f.write_str("its log was refused and is now as cached again")
            }
            GameStatus::Stale(reason) => reason.fmt(f),
            GameStatus::Refused(error) => write!(f, "refused: {error}"),
            GameStatus::Deferred(error) => write!(f, "deferred: {error}"),
            GameStatus::Deleted => f.write_str("its log is deleted"),
            GameStatus::RefusalDeleted => f.write_str("its log was refused and is deleted"),
        }
    }
}

/// How many games have each status, by name. Names without a game are absent.
pub type StatusCounts = BTreeMap<&'static str, usize>;

/// What rows were made from, or would be now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GameVersion {
    /// blake3 of the log, in hex; its first twelve digits.
    pub blake3: String,
    /// Size of the log.
    pub bytes: u64,
    /// See [`ENCODER_VERSION`](crate::encode::ENCODER_VERSION).
    pub encoder_version: u32,
    /// Fingerprint of the columns.
    pub feature_schema: String,
    /// Whether rows with the gem fault are repaired.
    pub repaired: bool,
}

impl GameVersion {
    /// Of a log with this key.
    pub fn of_log(key: &CacheKey, bytes: u64) -> GameVersion {
        GameVersion {
            blake3: key.source_hash.to_hex()[..12].to_owned(),
            bytes,
            encoder_version: key.encoder_version,
            feature_schema: key.feature_schema.to_string(),
            repaired: key.repaired,
        }
    }

    /// Of a cached game.
    pub fn of_record(record: &GameRecord) -> GameVersion {
        GameVersion::of_log(&record.key, record.source_bytes)
    }
}

/// A game with its status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusEntry {
    /// Which game.
    pub game_id: GameId,
    /// Its log, below the data folder; the first, if there are two.
    pub path: String,
    /// What would become of it.
    pub status: GameStatus,
    /// What its cached rows were made from; `None` if there are none.
    pub old: Option<GameVersion>,
    /// What they would be made from now; `None` if its log is deleted or cannot be read.
    pub new: Option<GameVersion>,
    /// Whether its log cannot be read while an older version of the game stays in the cache.
    pub older_version_kept: bool,
    /// How its log, as it is now, ends and replays; `None` if it is deleted or cannot be read.
    pub replay: Option<ReplayStatus>,
}

/// How a log ends and replays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplayStatus {
    /// How the game ended.
    pub ending: Ending,
    /// Rows that do not follow from the row before, or whose move cannot be made.
    pub fault_rows: u32,
    /// The first of them.
    pub first_fault: Option<ReplayFault>,
}

impl ReplayStatus {
    pub(super) fn new(play: &GamePlay, faults: &[ReplayFault]) -> ReplayStatus {
        ReplayStatus {
            ending: play.result.ending,
            fault_rows: play.replay_fault_rows,
            first_fault: faults.first().cloned(),
        }
    }
}

impl StatusEntry {
    /// A game whose log is deleted, with what its cached rows were made from, as far as that is known.
    pub(super) fn deleted(
        game_id: GameId,
        path: String,
        status: GameStatus,
        old: Option<GameVersion>,
    ) -> StatusEntry {
        let (new, older_version_kept) = (None, false);
        StatusEntry { game_id, path, status, old, new, older_version_kept, replay: None }
    }
}
