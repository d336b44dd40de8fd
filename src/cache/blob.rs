//! Encodes the rows of a game as blobs.
//!
//! Every blob is one zstd frame. Inside, numbers are little-endian and *column by column* (all rows of
//! the first column, then all of the second): consecutive turns of a game differ in few columns, so this
//! order compresses to about a third of the size of row order.
//!
//! | blob | content (`rows` turns) | type |
//! | --- | --- | --- |
//! | `turn_numbers` | 1 column | int32 |
//! | `features` | the base features, before normalization | float32 |
//! | `labels` | 7 columns, by head | int32 |
//! | `masks` | 154 columns: the classes of all heads | int8 |
//! | `column_sums` | 8 columns, the bytes of two numbers per feature: its sum, and the amount by which the
//! sum of squares exceeds its absolute value | int64 |
//!
//! The base features describe the whole position, and the others are derived from it. The
//! [encoder](crate::encode::features) computes them again when a game is unpacked: storing them would make
//! the cache five times as large. Their sums are stored, so that a scaler is fitted without unpacking
//! any rows.
//!
//! A checksum covers the blob, its name, its game and its number of rows, so that a blob that was
//! truncated, changed or moved to another game's row is detected before it is unpacked. It is a 128-bit
//! XXH3, which is enough to detect accidental damage; blake3, which would also detect forgery, took an
//! eighth of the time of an ingest with no changed logs.
//!
//! These layouts are [`BLOB_FORMAT`](super::BLOB_FORMAT) 4. It is part of the cache key: after a
//! change, increase it, and every game is encoded again.

use super::error::{CacheError, Damage};
use super::key::GameRecord;
use crate::encode::{
    BASE_FEATURE_COUNT, BaseRow, ColumnSums, EncodedGame, FEATURE_COUNT, Head, Label, MASK_WIDTH,
    Value, base,
};
use arrayvec::ArrayVec;
use std::io;
use twox_hash::{XxHash3_64, XxHash3_128};
use zstd::bulk::Compressor;
use zstd::zstd_safe::{CParameter, compress_bound};

/// The fastest of zstd's regular levels. Level 3 saves a tenth of the space and takes a third more time.
/// Changing these settings makes no game stale, because they do not affect decompression.
const LEVEL: i32 = 1;
/// Where a column is constant, a match is as long as the column, so shorter matches are not worth
/// searching for. Saves 1% of the space.
const SHORTEST_MATCH: u32 = 7;
/// Size of zstd's match table, as a power of two. Smaller than its default, so that it fits the L1 cache
/// of a core; the blobs do not get larger.
const HASH_LOG: u32 = 11;
/// Labels hardly get smaller with an entropy code, which zstd leaves out if it accelerates.
const LABEL_ACCELERATION: u32 = 1;

/// Size of a checksum in bytes.
const CHECKSUM_BYTES: usize = size_of::<u128>();

/// The blobs of a game, in the order of their columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Blob {
    TurnNumbers,
    Features,
    Labels,
    Masks,
    ColumnSums,
}

impl Blob {
    pub(super) const COUNT: usize = 5;
    pub(super) const ALL: [Blob; Blob::COUNT] =
        [Blob::TurnNumbers, Blob::Features, Blob::Labels, Blob::Masks, Blob::ColumnSums];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Blob::TurnNumbers => "turn_numbers",
            Blob::Features => "features",
            Blob::Labels => "labels",
            Blob::Masks => "masks",
            Blob::ColumnSums => "column_sums",
        }
    }

    /// The bytes before compression.
    pub(super) fn bytes(self, rows: usize) -> usize {
        match self {
            Blob::TurnNumbers => rows * size_of::<i32>(),
            Blob::Features => rows * BASE_FEATURE_COUNT * size_of::<f32>(),
            Blob::Labels => rows * Head::COUNT * size_of::<Label>(),
            Blob::Masks => rows * MASK_WIDTH,
            Blob::ColumnSums => 2 * FEATURE_COUNT * size_of::<i64>(),
        }
    }
}

/// A compressed blob with its checksum, as it is in the cache.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Packed {
    pub(super) bytes: Vec<u8>,
    pub(super) checksum: [u8; CHECKSUM_BYTES],
}

/// A game with compressed rows.
#[derive(Clone, Debug)]
pub struct PackedGame {
    /// Everything about the game except its rows.
    pub record: GameRecord,
    pub(super) blobs: [Packed; Blob::COUNT],
}

impl PackedGame {
    /// Total size of the blobs in bytes.
    pub fn packed_bytes(&self) -> u64 {
        self.blobs.iter().map(|blob| blob.bytes.len() as u64).sum()
    }

    /// Checks the checksums of all blobs.
    ///
    /// # Errors
    /// [`CacheError::Damaged`] names the first blob that is damaged.
    pub fn check(&self) -> Result<(), CacheError> {
        let is_damaged = |(blob, packed): &(Blob, &Packed)| {
            checksum(*blob, &self.record, &packed.bytes) != packed.checksum
        };
        match Blob::ALL.into_iter().zip(&self.blobs).find(is_damaged) {
            Some((blob, _)) => Err(self.damaged(checksum_damage(blob))),
            None => Ok(()),
        }
    }

    pub(super) fn damaged(&self, damage: Damage) -> CacheError {
        CacheError::Damaged { game_id: self.record.game_id, damage }
    }

    /// Drops the column sums to save memory; they cannot be unpacked afterwards.
    pub fn drop_column_sums(&mut self) {
        self.blobs[Blob::ColumnSums as usize].bytes = Vec::new();
    }

    /// Creates a game from its compressed blobs, in the order of the [module](self)'s table, and
    /// computes their checksums. Their content is checked when the game is unpacked.
    pub fn from_blobs(record: GameRecord, blobs: [Vec<u8>; Blob::COUNT]) -> PackedGame {
        let mut kinds = Blob::ALL.into_iter();
        let blobs = blobs.map(|bytes| {
            let kind = kinds.next().expect("as many kinds as blobs");
            Packed { checksum: checksum(kind, &record, &bytes), bytes }
        });
        PackedGame { record, blobs }
    }

    /// The compressed blobs, in the order of [`from_blobs`](Self::from_blobs).
    pub fn blobs(&self) -> [Vec<u8>; Blob::COUNT] {
        self.blobs.each_ref().map(|blob| blob.bytes.clone())
    }
}

/// The checksum of a blob, seeded with its name, game and number of rows.
pub(super) fn checksum(blob: Blob, record: &GameRecord, bytes: &[u8]) -> [u8; CHECKSUM_BYTES] {
    seeded_checksum(blob.name(), record, bytes).to_le_bytes()
}

/// The checksum of the plain columns of a game.
pub(super) fn record_checksum(record: &GameRecord, ingested_at: &str) -> i64 {
    let GameRecord { source_path, source_bytes, .. } = record;
    let others = format!("{source_bytes} {ingested_at} {source_path}");
    seeded_checksum("record", record, others.as_bytes()) as i64
}

fn seeded_checksum(name: &str, record: &GameRecord, bytes: &[u8]) -> u128 {
    let GameRecord { game_id, key, rows, players, gem_fault_rows, unbalanced_rows, .. } = record;
    let mut owner = ArrayVec::<u8, 128>::new();
    let parts: [&[u8]; 9] = [
        name.as_bytes(),
        &game_id.0.to_le_bytes(),
        key.source_hash.as_bytes(),
        &key.encoder_version.to_le_bytes(),
        &key.feature_schema.0,
        &rows.to_le_bytes(),
        &gem_fault_rows.to_le_bytes(),
        &unbalanced_rows.to_le_bytes(),
        &[*players, key.repaired.into()],
    ];
    owner.extend(parts.into_iter().flatten().copied());
    XxHash3_128::oneshot_with_seed(XxHash3_64::oneshot(&owner), bytes)
}

/// Packs games one after another and reuses its buffers.
pub struct Packer {
    compressor: Compressor<'static>,
    columns: Vec<u8>,
    compressed: Vec<u8>,
}

impl Packer {
    /// Allocates the compressor's tables.
    ///
    /// # Errors
    /// If zstd cannot allocate them.
    pub fn new() -> io::Result<Packer> {
        let mut compressor = Compressor::new(LEVEL)?;
        compressor.set_parameter(CParameter::MinMatch(SHORTEST_MATCH))?;
        compressor.set_parameter(CParameter::HashLog(HASH_LOG))?;
        Ok(Packer { compressor, columns: Vec::new(), compressed: Vec::new() })
    }

    /// Compresses the rows of a game.
    ///
    /// # Errors
    /// If zstd runs out of memory.
    pub fn pack(&mut self, record: GameRecord, game: &EncodedGame) -> io::Result<PackedGame> {
        let mut packed = Vec::with_capacity(Blob::COUNT);
        for blob in Blob::ALL {
            let out = &mut self.columns;
            let columns = match blob {
                Blob::TurnNumbers => {
                    let rows: Vec<_> = game.turn_numbers().iter().map(|&number| [number]).collect();
                    write_columns(out, &rows, i32::to_le_bytes)
                }
                Blob::Features => {
                    let rows: Vec<BaseRow> = game.features().iter().map(base).collect();
                    write_columns(out, &rows, float32_bytes)
                }
                Blob::Labels => write_columns(out, game.labels(), Label::to_le_bytes),
                Blob::Masks => write_columns(out, game.masks(), i8::to_le_bytes),
                Blob::ColumnSums => {
                    let ColumnSums { sum, sum_of_squares, .. } = game.column_sums();
                    let numbers = sum.iter().zip(&sum_of_squares);
                    let numbers = numbers.flat_map(|(sum, squares)| [*sum, squares - sum.abs()]);
                    let rows: Vec<_> = numbers.map(i64::to_le_bytes).collect();
                    write_columns(out, &rows, |byte| [byte])
                }
            };
            let acceleration = if blob == Blob::Labels { LABEL_ACCELERATION } else { 0 };
            self.compressor.set_parameter(CParameter::TargetLength(acceleration))?;
            self.compressed.clear();
            self.compressed.reserve(compress_bound(columns.len()));
            self.compressor.compress_to_buffer(columns, &mut self.compressed)?;
            let bytes = self.compressed.clone();
            packed.push(Packed { checksum: checksum(blob, &record, &bytes), bytes });
        }
        let blobs = packed.try_into().expect("one blob for each kind");
        Ok(PackedGame { record, blobs })
    }
}

pub(super) fn checksum_damage(blob: Blob) -> Damage {
    Damage::new(blob.name(), "the checksum does not match")
}

/// Rows that are transposed together: eight cells of a column are written in a row.
pub(super) const BLOCK_ROWS: usize = 8;

/// Writes the bytes of all cells of the first column, then of the second, and so on, to the start of a
/// buffer and returns them. The buffer does not shrink, because clearing it again would take time.
pub(super) fn write_columns<'b, T: Copy, const WIDTH: usize, const N: usize>(
    buffer: &'b mut Vec<u8>,
    rows: &[[T; WIDTH]],
    bytes_of: impl Fn(T) -> [u8; N],
) -> &'b [u8] {
    let length = N * WIDTH * rows.len();
    if buffer.len() < length {
        buffer.resize(length, 0);
    }
    let columns = buffer[..length].as_chunks_mut().0;
    let (blocks, others) = rows.as_chunks::<BLOCK_ROWS>();
    for (block, block_rows) in blocks.iter().enumerate() {
        let first_cells = (block * BLOCK_ROWS..).step_by(rows.len()).take(WIDTH);
        for (column, first) in first_cells.enumerate() {
            let cells: &mut [_; BLOCK_ROWS] = columns[first..].first_chunk_mut().expect("a block");
            *cells = std::array::from_fn(|row| bytes_of(block_rows[row][column]));
        }
    }
    for (row, values) in (blocks.len() * BLOCK_ROWS..).zip(others) {
        for (column, &value) in values.iter().enumerate() {
            columns[column * rows.len() + row] = bytes_of(value);
        }
    }
    &buffer[..length]
}

pub(super) fn float32_bytes(value: Value) -> [u8; 4] {
    f32::from(value).to_le_bytes()
}
