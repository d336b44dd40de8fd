//! The rows of a game to blobs and back.
//!
//! Every blob is one zstd frame. Inside, numbers are little-endian and *column by column* (all rows of
//! the first column, then all of the second): consecutive turns of a game differ in few columns, so
//! this order compresses to about a third of what rows would.
//!
//! | blob | content (`rows` turns) | type |
//! | --- | --- | --- |
//! | `turn_numbers` | 1 column | int32 |
//! | `features` | the 422 base features, before normalization | float32 |
//! | `labels` | 7 columns, by head | int32 |
//! | `masks` | 154 columns: the classes of all heads | int8 |
//! | `column_sums` | 8 columns, the bytes of 2 × 1,308 numbers: of each feature the sum, and by how much the sum of squares exceeds its absolute value | int64 |
//!
//! The base features are the whole position, and the other 886 follow from it. They are computed when a
//! game is unpacked, by the [encoder](crate::encode::decode) that every log goes through: stored, they
//! would be four fifths of the cache. Their sums are stored, so that a scaler is fitted without unpacking
//! any rows.
//!
//! A checksum covers the blob, its name and what it belongs to: a blob that was cut off, changed or put
//! into another game's row is detected before it is unpacked. It is an XXH3 of 128 bits, which is enough
//! against accidents; blake3, which is against forgers, took an eighth of an ingest with nothing to do.
//!
//! These layouts are [`BLOB_FORMAT`](super::BLOB_FORMAT) 4. It is part of the cache key: after a
//! change, increase it, and every game is encoded again.

use super::error::{CacheError, Damage};
use super::key::GameRecord;
use crate::encode::{
    BASE_FEATURE_COUNT, BaseRow, ColumnSums, EncodedGame, FEATURE_COUNT, Head, Label, LabelRow,
    MASK_WIDTH, MaskRow, Value, base,
};
use arrayvec::ArrayVec;
use std::io;
use twox_hash::{XxHash3_64, XxHash3_128};
use zstd::bulk::{Compressor, Decompressor};
use zstd::zstd_safe::{CParameter, compress_bound, get_frame_content_size};

/// Fastest of zstd's ordinary levels. Level 3 saves a tenth of the space for a third more time. What is
/// set here makes no game stale: a frame is decompressed however it was made.
const LEVEL: i32 = 1;
/// Where a column does not change, a match is as long as the column; shorter ones are not worth looking
/// for. Saves a hundredth of the space.
const SHORTEST_MATCH: u32 = 7;
/// Places where zstd looks for matches, as a power of two. Fewer than it would choose: they stay in a
/// core's nearest cache, and the blobs are no larger.
const HASH_LOG: u32 = 11;

/// A block of zstd has at least 4 bytes and stands for at most 128 KiB.
const MAX_RATIO: usize = (128 << 10) / 4;

/// Bytes of a checksum.
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

    /// Bytes before compression.
    fn bytes(self, rows: usize) -> usize {
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Packed {
    pub(super) bytes: Vec<u8>,
    pub(super) checksum: [u8; CHECKSUM_BYTES],
}

/// A game with its rows compressed.
#[derive(Clone, Debug)]
pub struct PackedGame {
    /// Everything about it but the rows.
    pub record: GameRecord,
    pub(super) blobs: [Packed; Blob::COUNT],
}

impl PackedGame {
    /// Bytes of all blobs.
    pub fn packed_bytes(&self) -> u64 {
        self.blobs.iter().map(|blob| blob.bytes.len() as u64).sum()
    }

    /// Puts a game together from its compressed blobs, in the order of the [module](self)'s table,
    /// and computes their checksums. Whether their content is right shows when the game is unpacked.
    pub fn from_blobs(record: GameRecord, blobs: [Vec<u8>; Blob::COUNT]) -> PackedGame {
        let mut kinds = Blob::ALL.into_iter();
        let blobs = blobs.map(|bytes| {
            let kind = kinds.next().expect("as many kinds as blobs");
            Packed { checksum: checksum(kind, &record, &bytes), bytes }
        });
        PackedGame { record, blobs }
    }

    /// Its compressed blobs, in the order that [`from_blobs`](Self::from_blobs) takes them.
    pub fn blobs(&self) -> [Vec<u8>; Blob::COUNT] {
        self.blobs.each_ref().map(|blob| blob.bytes.clone())
    }
}

/// Of a blob by its bytes, seeded with what it belongs to.
pub(super) fn checksum(blob: Blob, record: &GameRecord, bytes: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let GameRecord { game_id, key, rows, players, gem_fault_rows, unbalanced_rows, .. } = record;
    let mut owner = ArrayVec::<u8, 128>::new();
    let parts: [&[u8]; 9] = [
        blob.name().as_bytes(),
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
    XxHash3_128::oneshot_with_seed(XxHash3_64::oneshot(&owner), bytes).to_le_bytes()
}

/// Packs games, one after another, with the same buffers.
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
            match blob {
                Blob::TurnNumbers => {
                    let rows: Vec<_> = game.turn_numbers().iter().map(|&number| [number]).collect();
                    write_columns(out, &rows, i32::to_le_bytes);
                }
                Blob::Features => {
                    let rows: Vec<BaseRow> = game.features().iter().map(base).collect();
                    write_columns(out, &rows, float32_bytes);
                }
                Blob::Labels => write_columns(out, game.labels(), Label::to_le_bytes),
                Blob::Masks => write_columns(out, game.masks(), i8::to_le_bytes),
                Blob::ColumnSums => {
                    let ColumnSums { sum, sum_of_squares, .. } = game.column_sums();
                    let numbers = sum.iter().zip(&sum_of_squares);
                    let numbers = numbers.flat_map(|(sum, squares)| [*sum, squares - sum.abs()]);
                    let rows: Vec<_> = numbers.map(i64::to_le_bytes).collect();
                    write_columns(out, &rows, |byte| [byte]);
                }
            }
            self.compressed.clear();
            self.compressed.reserve(compress_bound(self.columns.len()));
            self.compressor.compress_to_buffer(&self.columns, &mut self.compressed)?;
            let bytes = self.compressed.clone();
            packed.push(Packed { checksum: checksum(blob, &record, &bytes), bytes });
        }
        let blobs = packed.try_into().expect("one blob for each kind");
        Ok(PackedGame { record, blobs })
    }
}

/// Unpacks games, one after another, with the same buffers.
pub struct Unpacker {
    decompressor: Decompressor<'static>,
    columns: Vec<u8>,
    game: EncodedGame,
}

impl Unpacker {
    /// Allocates the decompressor's tables.
    ///
    /// # Errors
    /// If zstd cannot allocate them.
    pub fn new() -> io::Result<Unpacker> {
        let (columns, game) = (Vec::new(), EncodedGame::default());
        Ok(Unpacker { decompressor: Decompressor::new()?, columns, game })
    }

    /// Checks and unpacks the rows of a game that this prep's encoder made, see
    /// [`GameRecord::is_of_this_encoder`]: it computes what is not stored.
    ///
    /// # Errors
    /// [`CacheError::Damaged`] if a blob is not what was stored.
    pub fn unpack(&mut self, game: &PackedGame) -> Result<&EncodedGame, CacheError> {
        self.try_unpack(game).map_err(|damage| damaged(game, damage))?;
        Ok(&self.game)
    }

    /// Checks and unpacks the exact sums of a game's columns.
    ///
    /// # Errors
    /// [`CacheError::Damaged`] if the blob is not what was stored.
    pub fn column_sums(&mut self, game: &PackedGame) -> Result<ColumnSums, CacheError> {
        let blob = &game.blobs[Blob::ColumnSums as usize];
        self.try_column_sums(&game.record, blob).map_err(|damage| damaged(game, damage))
    }

    /// Everything that is wrong with the blobs of a game that this prep's encoder made.
    pub(super) fn all_damage(&mut self, game: &PackedGame) -> Vec<Damage> {
        let blobs = Blob::ALL.into_iter().zip(&game.blobs);
        let mut all: Vec<Damage> = blobs
            .filter_map(|(blob, packed)| self.decompress(blob, &game.record, packed).err())
            .collect();
        if all.is_empty() {
            let sums = &game.blobs[Blob::ColumnSums as usize];
            let sums = self.try_column_sums(&game.record, sums);
            match self.try_unpack(game) {
                Ok(()) if sums == Ok(self.game.column_sums()) => {}
                Ok(()) => {
                    all.push(Damage::new("column_sums", "they are not the sums of the features"));
                }
                Err(damage) => all.push(damage),
            }
        }
        all
    }

    fn try_unpack(&mut self, game: &PackedGame) -> Result<(), Damage> {
        let record = &game.record;
        let rows = record.rows as usize;
        let [turn_numbers, features, labels, masks, _] = &game.blobs;
        let bytes = self.decompress(Blob::TurnNumbers, record, turn_numbers)?;
        let turn_numbers: Vec<i32> = numbers(bytes, i32::from_le_bytes);
        let bytes = self.decompress(Blob::Features, record, features)?;
        let values = numbers(bytes, value_of_float32);
        let cells = bytes.as_chunks().0.iter();
        if !cells
            .zip(&values)
            .fold(true, |all, (cell, &value)| all & (*cell == float32_bytes(value)))
        {
            return Err(Damage::new("features", "a value is not one that was stored"));
        }
        let base: Vec<BaseRow> = rows_of(&values, rows);
        let bytes = self.decompress(Blob::Labels, record, labels)?;
        let labels: Vec<LabelRow> = rows_of(&numbers(bytes, Label::from_le_bytes), rows);
        let bytes = self.decompress(Blob::Masks, record, masks)?;
        let masks: Vec<MaskRow> = rows_of(&numbers(bytes, i8::from_le_bytes), rows);
        let is_class = |labels: &LabelRow| {
            Head::ALL
                .iter()
                .all(|head| (-1..head.classes() as Label).contains(&labels[head.index()]))
        };
        if !labels.iter().all(is_class) {
            return Err(Damage::new("labels", "a label is not a class"));
        }
        if !masks.iter().flatten().all(|mask| matches!(mask, 0 | 1)) {
            return Err(Damage::new("masks", "a value is neither 0 nor 1"));
        }
        self.game.clear();
        for row in 0..rows {
            self.game
                .push_base(turn_numbers[row], &base[row], labels[row], masks[row])
                .ok_or_else(|| Damage::new("features", "a row is not a position"))?;
        }
        let players = usize::from(record.players);
        match self.game.boards().iter().all(|board| board.players.len() == players) {
            true => Ok(()),
            false => Err(Damage::new("features", "a row has another number of players")),
        }
    }

    pub(super) fn try_column_sums(
        &mut self,
        record: &GameRecord,
        packed: &Packed,
    ) -> Result<ColumnSums, Damage> {
        let bytes = self.decompress(Blob::ColumnSums, record, packed)?;
        let numbers: Vec<[u8; size_of::<i64>()]> = rows_of(bytes, 2 * FEATURE_COUNT);
        let mut sums =
            ColumnSums { rows: record.rows.into(), sum: Vec::new(), sum_of_squares: Vec::new() };
        // Larger ones could overflow when games are added up.
        let max = i64::from(record.rows) * i64::from(Value::MIN) * i64::from(Value::MIN);
        for &[sum, excess] in numbers.as_chunks().0 {
            let (sum, excess) = (i64::from_le_bytes(sum), i64::from_le_bytes(excess));
            let squares = sum.saturating_abs().saturating_add(excess);
            if !(-max..=max).contains(&sum) || !(0..=max).contains(&squares) {
                return Err(Damage::new("column_sums", "a sum is too large for its rows"));
            }
            sums.sum.push(sum);
            sums.sum_of_squares.push(squares);
        }
        Ok(sums)
    }

    fn decompress(
        &mut self,
        blob: Blob,
        record: &GameRecord,
        packed: &Packed,
    ) -> Result<&[u8], Damage> {
        if checksum(blob, record, &packed.bytes) != packed.checksum {
            return Err(checksum_damage(blob));
        }
        let length = blob.bytes(record.rows as usize);
        // Whoever forges the number of rows can forge the checksum: no more memory is reserved than the
        // bytes that are there can fill.
        let declared = get_frame_content_size(&packed.bytes).ok().flatten();
        if declared != Some(length as u64) || length / MAX_RATIO > packed.bytes.len() {
            return Err(Damage::new(blob.name(), "its length is not that of its rows"));
        }
        self.columns.clear();
        self.columns.reserve(length);
        match self.decompressor.decompress_to_buffer(&packed.bytes, &mut self.columns) {
            Ok(_) if self.columns.len() == length => Ok(&self.columns),
            Ok(_) => Err(Damage::new(blob.name(), "its length is not that of its rows")),
            Err(_) => Err(Damage::new(blob.name(), "it cannot be decompressed")),
        }
    }
}

pub(super) fn checksum_damage(blob: Blob) -> Damage {
    Damage::new(blob.name(), "the checksum does not match")
}

fn damaged(game: &PackedGame, damage: Damage) -> CacheError {
    CacheError::Damaged { game_id: game.record.game_id, damage }
}

/// Rows that are moved at a time: eight cells of a column are written one after another.
const BLOCK_ROWS: usize = 8;

/// Writes the bytes of all cells of the first column, then of the second, and so on.
fn write_columns<T: Copy, const WIDTH: usize, const N: usize>(
    out: &mut Vec<u8>,
    rows: &[[T; WIDTH]],
    bytes_of: impl Fn(T) -> [u8; N],
) {
    out.clear();
    out.resize(N * WIDTH * rows.len(), 0);
    let columns = out.as_chunks_mut().0;
    for (block, block_rows) in rows.chunks(BLOCK_ROWS).enumerate() {
        for column in 0..WIDTH {
            let first = column * rows.len() + block * BLOCK_ROWS;
            let cells = &mut columns[first..first + block_rows.len()];
            for (cell, row) in cells.iter_mut().zip(block_rows) {
                *cell = bytes_of(row[column]);
            }
        }
    }
}

/// The rows of columns that [`write_columns`] wrote.
fn rows_of<T: Copy + Default, const WIDTH: usize>(columns: &[T], rows: usize) -> Vec<[T; WIDTH]> {
    let mut result = vec![[T::default(); WIDTH]; rows];
    for (block, block_rows) in result.chunks_mut(BLOCK_ROWS).enumerate() {
        for column in 0..WIDTH {
            let first = column * rows + block * BLOCK_ROWS;
            let cells = &columns[first..first + block_rows.len()];
            for (cell, row) in cells.iter().zip(block_rows.iter_mut()) {
                row[column] = *cell;
            }
        }
    }
    result
}

fn numbers<T, const N: usize>(bytes: &[u8], from_bytes: impl Fn([u8; N]) -> T) -> Vec<T> {
    bytes.as_chunks().0.iter().map(|&number| from_bytes(number)).collect()
}

fn float32_bytes(value: Value) -> [u8; 4] {
    f32::from(value).to_le_bytes()
}

/// The value that a feature's bytes stand for, if they stand for one: compare them with its
/// [`float32_bytes`]. By adding, which the processor does with many at once; a cast with its limits it
/// does not.
fn value_of_float32(bytes: [u8; 4]) -> Value {
    // The last bits of a sum with this number are the other, whole, number.
    const ONE_AND_A_HALF_TIMES_2_TO_THE_23: f32 = 12_582_912.0;
    (f32::from_le_bytes(bytes) + ONE_AND_A_HALF_TIMES_2_TO_THE_23).to_bits() as Value
}

#[cfg(test)]
mod tests;
