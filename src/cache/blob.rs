//! The rows of a game to blobs and back.
//!
//! Every blob is one zstd frame. Inside, numbers are little-endian and lie *column by column*
//! (all rows of the first column, then all of the second): neighbouring turns of a game differ in
//! few columns, so that this order compresses to about a third of what rows would.
//!
//! | blob | content (`rows` turns) | type |
//! | --- | --- | --- |
//! | `turn_numbers` | 1 column | int32 |
//! | `features` | 1,308 columns, before normalisation | float32 |
//! | `labels` | 7 columns, by head | int32 |
//! | `masks` | 154 columns: the classes of all heads | int8 |
//! | `column_sums` | 2 columns of 1,308 rows: sums, then sums of squares | int64 |
//!
//! A checksum covers the blob, its name and what it belongs to: a blob that was cut, flipped or put
//! into another game's row is found out before it is unpacked. It is the front half (16 bytes) of a
//! blake3, which is plenty against accidents.
//!
//! These layouts are [`BLOB_FORMAT`](super::BLOB_FORMAT) 2. It is part of the cache key: after a
//! change, bump it, and every game is packed anew.

use super::error::CacheError;
use super::record::GameRecord;
use crate::encode::{ColumnSums, EncodedGame, FEATURE_COUNT, Head, Label, MASK_WIDTH};
use std::io;

/// Bytes of a checksum.
const CHECKSUM_BYTES: usize = 16;

/// Fastest of zstd's ordinary levels. Level 3 saves a tenth of the space for a third more time.
/// Changing it makes no game stale: a frame unpacks whatever level it was made with.
const COMPRESSION_LEVEL: i32 = 1;

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
    fn unpacked_bytes(self, rows: usize) -> usize {
        match self {
            Blob::TurnNumbers => rows * size_of::<i32>(),
            Blob::Features => rows * FEATURE_COUNT * size_of::<f32>(),
            Blob::Labels => rows * Head::COUNT * size_of::<Label>(),
            Blob::Masks => rows * MASK_WIDTH,
            Blob::ColumnSums => 2 * FEATURE_COUNT * size_of::<i64>(),
        }
    }
}

/// A compressed blob with its checksum, as it stands in the cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Packed {
    pub(super) bytes: Vec<u8>,
    pub(super) checksum: [u8; CHECKSUM_BYTES],
}

/// A game that is ready to be stored.
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

    /// Puts a game together from its compressed blobs, in the order of the [module](self)'s table
    /// (turn numbers, features, labels, masks, column sums), and seals each with its checksum.
    /// Whether they hold what they should shows when the game is unpacked.
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

    pub(super) fn blob(&self, blob: Blob) -> &Packed {
        &self.blobs[blob as usize]
    }
}

/// Packs games, one after another, with the same buffers.
pub struct Packer {
    compressor: zstd::bulk::Compressor<'static>,
    /// As long as the longest blob so far. It never shrinks: growing again would fill it with zeros.
    unpacked: Vec<u8>,
}

impl Packer {
    /// Allocates the compressor's tables.
    ///
    /// # Errors
    /// If zstd cannot allocate them.
    pub fn new() -> io::Result<Packer> {
        let compressor = zstd::bulk::Compressor::new(COMPRESSION_LEVEL)?;
        Ok(Packer { compressor, unpacked: Vec::new() })
    }

    /// Compresses the rows of a game.
    ///
    /// # Errors
    /// If zstd runs out of memory.
    pub fn pack(&mut self, record: GameRecord, game: &EncodedGame) -> io::Result<PackedGame> {
        let rows = game.features().len();
        let mut packed = Vec::with_capacity(Blob::COUNT);
        for blob in Blob::ALL {
            let length = blob.unpacked_bytes(rows);
            if self.unpacked.len() < length {
                self.unpacked.resize(length, 0);
            }
            let bytes = &mut self.unpacked[..length];
            match blob {
                Blob::TurnNumbers => put_column(bytes, game.turn_numbers(), |n| n.to_le_bytes()),
                Blob::Features => {
                    put_columns(bytes, game.features(), |&n| f32::from(n).to_le_bytes())
                }
                Blob::Labels => put_columns(bytes, game.labels(), |n| n.to_le_bytes()),
                Blob::Masks => put_columns(bytes, game.masks(), |n| n.to_le_bytes()),
                Blob::ColumnSums => {
                    let sums = game.column_sums();
                    let (sum, sum_of_squares) = bytes.split_at_mut(bytes.len() / 2);
                    put_column(sum, &sums.sum, |n| n.to_le_bytes());
                    put_column(sum_of_squares, &sums.sum_of_squares, |n| n.to_le_bytes());
                }
            }
            let bytes = self.compressor.compress(&self.unpacked[..length])?;
            let checksum = checksum(blob, &record, &bytes);
            packed.push(Packed { bytes, checksum });
        }
        let blobs = packed.try_into().expect("one blob for each kind");
        Ok(PackedGame { record, blobs })
    }
}

/// Writes numbers one after another.
fn put_column<T, const N: usize>(bytes: &mut [u8], column: &[T], to_bytes: impl Fn(&T) -> [u8; N]) {
    for (cell, number) in bytes.as_chunks_mut().0.iter_mut().zip(column) {
        *cell = to_bytes(number);
    }
}

/// Writes the columns of some rows, one column after another.
///
/// Into a buffer that has its length already: to let it grow by one number at a time took five
/// times the instructions, an eighth of a whole ingest.
fn put_columns<T, const COLUMNS: usize, const N: usize>(
    bytes: &mut [u8],
    rows: &[[T; COLUMNS]],
    to_bytes: impl Fn(&T) -> [u8; N],
) {
    if rows.is_empty() {
        return;
    }
    let columns = bytes.as_chunks_mut().0.chunks_exact_mut(rows.len());
    for (i, column) in columns.take(COLUMNS).enumerate() {
        for (cell, row) in column.iter_mut().zip(rows) {
            *cell = to_bytes(&row[i]);
        }
    }
}

pub(super) fn checksum(blob: Blob, record: &GameRecord, bytes: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(blob.name().as_bytes());
    hasher.update(&record.game_id.0.to_le_bytes());
    hasher.update(record.key.source_hash.as_bytes());
    hasher.update(&record.key.encoder_version.to_le_bytes());
    hasher.update(&record.key.feature_schema.0);
    for count in [record.rows, record.gem_fault_rows, record.unbalanced_rows] {
        hasher.update(&count.to_le_bytes());
    }
    hasher.update(&[record.players, record.key.repaired.into()]);
    hasher.update(bytes);
    let hash = hasher.finalize();
    *hash.as_bytes().first_chunk().expect("a blake3 hash has 32 bytes")
}

/// A game's arrays, column by column.
#[derive(Clone, Debug, Default)]
pub struct UnpackedGame {
    /// `turn_number` of each row.
    pub turn_numbers: Vec<i32>,
    /// 1,308 columns, before normalisation.
    pub features: Columns<f32>,
    /// 7 columns, by head.
    pub labels: Columns<Label>,
    /// 154 columns, see [`Head::mask_range`].
    pub masks: Columns<i8>,
}

/// Columns of equal length, one after another.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Columns<T> {
    rows: usize,
    values: Vec<T>,
}

impl<T> Columns<T> {
    /// The values of a column, one a row.
    ///
    /// # Panics
    /// If there is no such column.
    pub fn column(&self, column: usize) -> &[T] {
        &self.values[column * self.rows..][..self.rows]
    }
}

/// Unpacks games, one after another, with the same buffers.
pub struct Unpacker {
    decompressor: zstd::bulk::Decompressor<'static>,
    unpacked: Vec<u8>,
}

impl Unpacker {
    /// Allocates the decompressor's tables.
    ///
    /// # Errors
    /// If zstd cannot allocate them.
    pub fn new() -> io::Result<Unpacker> {
        Ok(Unpacker { decompressor: zstd::bulk::Decompressor::new()?, unpacked: Vec::new() })
    }

    /// Checks and unpacks the arrays of a game.
    ///
    /// # Errors
    /// [`CacheError::Damaged`] if a blob is not what was stored.
    pub fn unpack(&mut self, game: &PackedGame) -> Result<UnpackedGame, CacheError> {
        Ok(UnpackedGame {
            turn_numbers: self.unpack_numbers(Blob::TurnNumbers, game, i32::from_le_bytes)?,
            features: self.unpack_columns(Blob::Features, game, f32::from_le_bytes)?,
            labels: self.unpack_columns(Blob::Labels, game, i32::from_le_bytes)?,
            masks: self.unpack_columns(Blob::Masks, game, i8::from_le_bytes)?,
        })
    }

    /// Checks and unpacks the exact sums of a game's columns.
    ///
    /// # Errors
    /// [`CacheError::Damaged`] if the blob is not what was stored.
    pub fn column_sums(&mut self, game: &PackedGame) -> Result<ColumnSums, CacheError> {
        self.unpack_column_sums(&game.record, game.blob(Blob::ColumnSums))
    }

    fn unpack_columns<T, const N: usize>(
        &mut self,
        blob: Blob,
        game: &PackedGame,
        from_le_bytes: impl Fn([u8; N]) -> T,
    ) -> Result<Columns<T>, CacheError> {
        let values = self.unpack_numbers(blob, game, from_le_bytes)?;
        Ok(Columns { rows: game.record.rows as usize, values })
    }

    fn unpack_numbers<T, const N: usize>(
        &mut self,
        blob: Blob,
        game: &PackedGame,
        from_le_bytes: impl Fn([u8; N]) -> T,
    ) -> Result<Vec<T>, CacheError> {
        let bytes = self.unpack_blob(blob, &game.record, game.blob(blob))?;
        Ok(numbers(bytes, from_le_bytes))
    }

    /// Checks and unpacks the column sums of a game.
    ///
    /// # Errors
    /// [`CacheError::Damaged`] if the blob is not what was stored.
    pub(super) fn unpack_column_sums(
        &mut self,
        record: &GameRecord,
        packed: &Packed,
    ) -> Result<ColumnSums, CacheError> {
        let bytes = self.unpack_blob(Blob::ColumnSums, record, packed)?;
        let mut sum = numbers(bytes, i64::from_le_bytes);
        let sum_of_squares = sum.split_off(FEATURE_COUNT);
        Ok(ColumnSums { rows: record.rows.into(), sum, sum_of_squares })
    }

    /// Every blob of a game that is not what was stored, and how it shows.
    ///
    /// # Errors
    /// If zstd runs out of memory.
    pub(super) fn faults(&mut self, game: &PackedGame) -> Result<Vec<String>, CacheError> {
        let mut faults = Vec::new();
        for blob in Blob::ALL {
            match self.unpack_blob(blob, &game.record, game.blob(blob)) {
                Ok(_) => {}
                Err(CacheError::Damaged { what, why, .. }) => faults.push(format!("{what}: {why}")),
                Err(error) => return Err(error),
            }
        }
        Ok(faults)
    }

    fn unpack_blob(
        &mut self,
        blob: Blob,
        record: &GameRecord,
        packed: &Packed,
    ) -> Result<&[u8], CacheError> {
        let damaged = |why: &str| CacheError::Damaged {
            game_id: record.game_id,
            what: blob.name(),
            why: why.to_owned(),
        };
        // The checksum covers the number of rows, so that a flipped bit there cannot ask for more
        // memory than there is.
        if checksum(blob, record, &packed.bytes) != packed.checksum {
            return Err(damaged("the checksum does not match"));
        }
        let expected = blob.unpacked_bytes(record.rows as usize);
        self.unpacked.clear();
        self.unpacked.reserve(expected);
        self.decompressor
            .decompress_to_buffer(&packed.bytes, &mut self.unpacked)
            .map_err(|_| damaged("the blob does not decompress"))?;
        if self.unpacked.len() != expected {
            return Err(damaged("the blob has another length than its rows need"));
        }
        Ok(&self.unpacked)
    }
}

fn numbers<T, const N: usize>(bytes: &[u8], from_le_bytes: impl Fn([u8; N]) -> T) -> Vec<T> {
    bytes.as_chunks().0.iter().map(|&bytes| from_le_bytes(bytes)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::record::CacheKey;
    use crate::gamelog::{GameId, ReadOptions};
    use crate::simulate::simulate_game;
    use crate::splendor::PlayerCount;

    fn packed() -> (EncodedGame, PackedGame) {
        let mut game = EncodedGame::default();
        for turn in simulate_game(PlayerCount::Three, 1) {
            game.push(&turn);
        }
        let record = GameRecord {
            game_id: GameId(7),
            source_path: "3_games/7.csv".into(),
            source_bytes: 3,
            key: CacheKey::now(b"log", ReadOptions::default()),
            rows: game.features().len() as u32,
            players: 3,
            gem_fault_rows: 0,
            unbalanced_rows: 0,
        };
        let packed = Packer::new().unwrap().pack(record, &game).unwrap();
        (game, packed)
    }

    #[test]
    fn a_game_unpacks_as_it_was_packed() {
        let (game, packed) = packed();
        let unpacked = Unpacker::new().unwrap().unpack(&packed).unwrap();
        assert!(game.features().len() > 30);
        assert_eq!(unpacked.turn_numbers, game.turn_numbers());
        for row in 0..game.features().len() {
            for column in 0..FEATURE_COUNT {
                let value = f32::from(game.features()[row][column]);
                assert_eq!(unpacked.features.column(column)[row], value);
            }
            for head in Head::ALL {
                let column = head.index();
                assert_eq!(unpacked.labels.column(column)[row], game.labels()[row][column]);
            }
            for column in 0..MASK_WIDTH {
                assert_eq!(unpacked.masks.column(column)[row], game.masks()[row][column]);
            }
        }
        let sums = Unpacker::new()
            .unwrap()
            .unpack_column_sums(&packed.record, packed.blob(Blob::ColumnSums))
            .unwrap();
        assert_eq!(sums, game.column_sums());
    }

    #[test]
    fn whatever_is_changed_is_noticed() {
        let (_, packed) = packed();
        let mut unpacker = Unpacker::new().unwrap();
        let mut refused = |change: &dyn Fn(&mut PackedGame)| {
            let mut game = packed.clone();
            change(&mut game);
            matches!(unpacker.unpack(&game), Err(CacheError::Damaged { .. }))
        };
        assert!(!refused(&|_| {}), "an unchanged game unpacks");
        for blob in [Blob::TurnNumbers, Blob::Features, Blob::Labels, Blob::Masks] {
            let at = blob as usize;
            assert!(refused(&|game| game.blobs[at].bytes[9] ^= 1), "{} flipped", blob.name());
            assert!(refused(&|game| game.blobs[at].checksum[0] ^= 1), "{} checksum", blob.name());
            assert!(refused(&|game| _ = game.blobs[at].bytes.pop()), "{} cut", blob.name());
        }
        assert!(refused(&|game| game.blobs.swap(Blob::Labels as usize, Blob::Masks as usize)));
        assert!(refused(&|game| game.record.game_id.0 += 1));
        assert!(refused(&|game| game.record.rows = u32::MAX));
        assert!(refused(&|game| game.record.key.encoder_version += 1));
    }
}
