//! The possible results of an ingest for a game.

use crate::cache::{CacheKey, GameRecord, INGEST_COUNTS, StaleReason};
use crate::gamelog::{Ending, GameId, GamePlay, LogError, ReplayFault};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;

/// The result of an ingest for a game, with the reason. Every game has exactly one status, and `prep
/// ingest` and `prep status` count games by its [name](GameStatus::name).
///
/// | name | what is done |
/// | --- | --- |
/// | `new` | encoded: it is not in the cache |
/// | `bytes_changed` | encoded again: the content of its log changed |
/// | `encoder_changed` | encoded again: another version of the encoder made its rows |
/// | `schema_changed` | encoded again: the columns have changed |
/// | `repair_changed` | encoded again: it has the gem fault, and `--repair` was switched on or off |
/// | `damaged` | encoded again: its cached rows are damaged |
/// | `deleted` | removed from the cache: its log was deleted |
/// | `refusal_deleted` | its refusal is removed: its log was never cached, and was deleted |
/// | `refused` | nothing: its log has an error; an older version stays in the cache |
/// | `deferred` | nothing yet: its log is still being written; an older version stays in the cache |
/// | `up_to_date` | nothing |
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GameStatus {
    /// Its cached rows are up to date.
    UpToDate {
        /// The cache still lists its log as refused, until the next ingest.
        repaired: bool,
    },
    /// It would be encoded.
    Stale(StaleReason),
    /// Its log has an error.
    Refused(LogError),
    /// Its log is probably still being written.
    Deferred(LogError),
    /// Its log was deleted; it would be removed from the cache.
    Deleted,
    /// Its log was refused, never cached, and was deleted.
    RefusalDeleted,
}

impl GameStatus {
    /// The status of a refused or deferred log.
    pub fn refused(error: LogError) -> GameStatus {
        match error.fault.deferred {
            true => GameStatus::Deferred(error),
            false => GameStatus::Refused(error),
        }
    }

    /// A name that is stable between versions, for scripts.
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

/// All names: the columns of the table `ingests`, and `refusal_deleted`.
pub fn status_names() -> impl Iterator<Item = &'static str> {
    INGEST_COUNTS.into_iter().chain([REFUSAL_DELETED])
}

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
                f.write_str("its log was refused before and now matches the cache")
            }
            GameStatus::Stale(reason) => reason.fmt(f),
            GameStatus::Refused(error) => write!(f, "refused: {error}"),
            GameStatus::Deferred(error) => write!(f, "deferred: {error}"),
            GameStatus::Deleted => f.write_str("its log was deleted"),
            GameStatus::RefusalDeleted => f.write_str("its log was refused before and was deleted"),
        }
    }
}

/// The number of games with each status, by name. Names without a game are absent.
pub type StatusCounts = BTreeMap<&'static str, usize>;

/// The inputs of cached or new rows.
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
    /// The version of a log with this key.
    pub fn of_log(key: &CacheKey, bytes: u64) -> GameVersion {
        GameVersion {
            blake3: key.source_hash.to_hex()[..12].to_owned(),
            bytes,
            encoder_version: key.encoder_version,
            feature_schema: key.feature_schema.to_string(),
            repaired: key.repaired,
        }
    }

    /// The version of a cached game.
    pub fn of_record(record: &GameRecord) -> GameVersion {
        GameVersion::of_log(&record.key, record.source_bytes)
    }
}

/// A game with its status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusEntry {
    /// The game id.
    pub game_id: GameId,
    /// Relative path of its log; the first one, if there are several.
    pub path: String,
    /// The status.
    pub status: GameStatus,
    /// The inputs of its cached rows; `None` if there are none.
    pub old: Option<GameVersion>,
    /// The current inputs; `None` if its log was deleted or cannot be read.
    pub new: Option<GameVersion>,
    /// Whether its log is refused or deferred while an older version of the game stays in the cache.
    pub older_version_kept: bool,
    /// How the current log ends and replays; `None` if it was deleted or cannot be read.
    pub replay: Option<ReplayStatus>,
}

/// How a log ends and replays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplayStatus {
    /// How the game ended.
    pub ending: Ending,
    /// Number of rows that do not follow from the previous row, or whose move is impossible.
    pub fault_rows: u32,
    /// The first faulty row.
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
    /// The entry of a game whose log was deleted, with the inputs of its cached rows if they are known.
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
