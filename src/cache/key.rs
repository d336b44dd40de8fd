//! The key of a cached game, which decides when it must be encoded again.

use super::error::Damage;
use crate::encode::{ENCODER_VERSION, FEATURES, Head};
use crate::gamelog::{GameId, GamePlay, LogSummary, ReadOptions};
use std::fmt;
use std::sync::LazyLock;

/// Version of the blob layouts and checksums, which `blob.rs` describes.
pub const BLOB_FORMAT: u32 = 4;

/// Everything that a game's cached rows depend on. Two equal keys mean equal rows.
///
/// A new input of the rows needs a change here, in [`CacheKey::now`] and in [`staleness`], and nowhere
/// else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheKey {
    /// blake3 of the log's bytes.
    pub source_hash: blake3::Hash,
    /// Version of the encoder that made the rows.
    pub encoder_version: u32,
    /// Names and order of the columns.
    pub feature_schema: FeatureSchema,
    /// Whether the known gem fault was repaired. Always false for games without it.
    pub repaired: bool,
}

impl CacheKey {
    /// The key of a log with these bytes, if it were encoded now.
    pub fn now(bytes: &[u8], options: ReadOptions) -> CacheKey {
        CacheKey {
            source_hash: blake3::hash(bytes),
            encoder_version: ENCODER_VERSION,
            feature_schema: FeatureSchema::now(),
            repaired: options.repair,
        }
    }
}

/// Fingerprint of the content of the blobs: their format, the feature names in order, and the heads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FeatureSchema(pub(super) [u8; 8]);

impl FeatureSchema {
    /// The fingerprint of this version of prep.
    pub fn now() -> FeatureSchema {
        static NOW: LazyLock<FeatureSchema> = LazyLock::new(|| {
            let mut text = format!("blob format {BLOB_FORMAT}\n");
            for feature in FEATURES.iter() {
                text += feature.name.as_str();
                text.push('\n');
            }
            for head in Head::ALL {
                text += &format!("{} {}\n", head.name(), head.classes());
            }
            let hash = blake3::hash(text.as_bytes());
            FeatureSchema(*hash.as_bytes().first_chunk().expect("a blake3 hash has 32 bytes"))
        });
        *NOW
    }

    /// Parses the hexadecimal form that [`Display`](fmt::Display) writes.
    pub(super) fn from_hex(hex: &str) -> Option<FeatureSchema> {
        let number = u64::from_str_radix(hex, 16).ok()?;
        Some(FeatureSchema(number.to_be_bytes()))
    }
}

impl fmt::Display for FeatureSchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", u64::from_be_bytes(self.0))
    }
}

/// The metadata of a cached game.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GameRecord {
    /// The game.
    pub game_id: GameId,
    /// Path of its log relative to the data folder, with `/`.
    pub source_path: String,
    /// Size of the log in bytes.
    pub source_bytes: u64,
    /// The inputs of its rows.
    pub key: CacheKey,
    /// Number of turns, at least 1.
    pub rows: u32,
    /// 2, 3 or 4.
    pub players: u8,
    /// Number of rows with the known gem fault.
    pub gem_fault_rows: u32,
    /// Number of rows whose gems do not add up to the supply.
    pub unbalanced_rows: u32,
    /// How the game went; `None` if an earlier version of prep stored it and it has not been replayed since.
    pub play: Option<GamePlay>,
}

impl GameRecord {
    /// Whether the current encoder made its rows. Others cannot be decoded.
    pub fn is_of_this_encoder(&self) -> bool {
        self.key.encoder_version == ENCODER_VERSION
            && self.key.feature_schema == FeatureSchema::now()
    }

    /// Whether each row follows from the previous row; `None` if the game has not been replayed.
    pub fn replays(&self) -> Option<bool> {
        self.play.map(|play| play.replay_fault_rows == 0)
    }

    /// The record of a log that has just been read.
    pub fn new(
        game_id: GameId,
        source_path: String,
        source_bytes: u64,
        key: CacheKey,
        summary: &LogSummary,
    ) -> GameRecord {
        GameRecord {
            game_id,
            source_path,
            source_bytes,
            // A log without the fault gives the same rows either way, so it gets the same key.
            key: CacheKey { repaired: key.repaired && summary.gem_fault_rows > 0, ..key },
            rows: summary.rows,
            players: summary.players.get(),
            gem_fault_rows: summary.gem_fault_rows,
            unbalanced_rows: summary.unbalanced_rows,
            play: Some(summary.play),
        }
    }
}

/// Why a game must be encoded again, with the cached and the current input of its rows. Prints as one sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "`old` is cached, `new` is current")]
pub enum StaleReason {
    /// It is not in the cache.
    New,
    /// The content of its log has changed.
    BytesChanged { old: blake3::Hash, new: blake3::Hash },
    /// Another version of the encoder made the rows.
    EncoderChanged { old: u32, new: u32 },
    /// The columns have changed.
    SchemaChanged { old: FeatureSchema, new: FeatureSchema },
    /// The log has rows with the known gem fault, and `--repair` has been switched on or off.
    RepairChanged { new: bool },
    /// Its stored data has changed since it was written.
    Damaged(Damage),
}

/// Compares the key of cached rows with their current key; `None` if they are up to date.
pub fn staleness(cached: Option<&GameRecord>, now: &CacheKey) -> Option<StaleReason> {
    let Some(cached) = cached else { return Some(StaleReason::New) };
    let old = &cached.key;
    if old.source_hash != now.source_hash {
        return Some(StaleReason::BytesChanged { old: old.source_hash, new: now.source_hash });
    }
    if old.encoder_version != now.encoder_version {
        let (old, new) = (old.encoder_version, now.encoder_version);
        return Some(StaleReason::EncoderChanged { old, new });
    }
    if old.feature_schema != now.feature_schema {
        let (old, new) = (old.feature_schema, now.feature_schema);
        return Some(StaleReason::SchemaChanged { old, new });
    }
    if old.repaired != now.repaired && cached.gem_fault_rows > 0 {
        return Some(StaleReason::RepairChanged { new: now.repaired });
    }
    None
}

impl StaleReason {
    /// A name that does not change between versions, for scripts.
    pub const fn name(&self) -> &'static str {
        match self {
            StaleReason::New => "new",
            StaleReason::BytesChanged { .. } => "bytes_changed",
            StaleReason::EncoderChanged { .. } => "encoder_changed",
            StaleReason::SchemaChanged { .. } => "schema_changed",
            StaleReason::RepairChanged { .. } => "repair_changed",
            StaleReason::Damaged(_) => "damaged",
        }
    }
}

impl fmt::Display for StaleReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let short = |hash: &blake3::Hash| hash.to_hex()[..12].to_owned();
        match self {
            StaleReason::New => write!(f, "new"),
            StaleReason::BytesChanged { old, new } => {
                write!(f, "its content changed ({} to {})", short(old), short(new))
            }
            StaleReason::EncoderChanged { old, new } => {
                write!(f, "the encoder changed (version {old} to {new})")
            }
            StaleReason::SchemaChanged { old, new } => {
                write!(f, "the columns changed ({old} to {new})")
            }
            StaleReason::RepairChanged { new: true } => {
                write!(f, "its rows with the gem fault are to be repaired now")
            }
            StaleReason::RepairChanged { new: false } => {
                write!(f, "its rows with the gem fault are to be read as logged again")
            }
            StaleReason::Damaged(damage) => write!(f, "its cached rows are damaged ({damage})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(key: CacheKey) -> GameRecord {
        GameRecord {
            game_id: GameId(7),
            source_path: "2_games/7.csv".into(),
            source_bytes: 3,
            key,
            rows: 1,
            players: 2,
            gem_fault_rows: 0,
            unbalanced_rows: 0,
            play: None,
        }
    }

    /// One input of the key at a time.
    #[test]
    fn each_input_of_the_key_makes_a_game_stale() {
        let options = ReadOptions::default();
        let now = CacheKey::now(b"log", options);
        assert_eq!(staleness(Some(&record(now)), &now), None);
        assert_eq!(staleness(None, &now), Some(StaleReason::New));
        let moved = GameRecord { source_path: "elsewhere/7.csv".into(), ..record(now) };
        assert_eq!(staleness(Some(&moved), &now), None);

        let name = |cached: &GameRecord| staleness(Some(cached), &now).map(|reason| reason.name());
        let bytes = record(CacheKey::now(b"lag", options));
        assert_eq!(name(&bytes), Some("bytes_changed"));
        let encoder = record(CacheKey { encoder_version: ENCODER_VERSION + 1, ..now });
        assert_eq!(name(&encoder), Some("encoder_changed"));
        let schema = record(CacheKey { feature_schema: FeatureSchema([0; 8]), ..now });
        assert_eq!(name(&schema), Some("schema_changed"));

        // Repairing makes a difference only for games with faulty rows.
        let mut repaired = record(CacheKey { repaired: true, ..now });
        assert_eq!(name(&repaired), None);
        repaired.gem_fault_rows = 1;
        assert_eq!(name(&repaired), Some("repair_changed"));
    }

    #[test]
    fn schema_reads_back_as_written() {
        let now = FeatureSchema::now();
        assert_eq!(FeatureSchema::from_hex(&now.to_string()), Some(now));
    }
}
