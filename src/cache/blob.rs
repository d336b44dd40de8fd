//! The rows of a game to blobs and back.
//!
//! Every blob is one zstd frame. Inside, numbers are little-endian and lie *column by column*
//! (all rows of the first column, then all of the second): neighbouring turns of a game differ in
//! few columns, so that this order compresses to about a third of what rows would.
//!
//! | blob | content (`rows` turns) | type |
//! | --- | --- | --- |
//! | `turn_numbers` | 1 column | int32 |
//! | `features` | the distinct columns among 1,308, before normalisation | float32 |
//! | `feature_columns` | 1 column: for each feature which of those it is, from 0 | uint16 |
//! | `labels` | 7 columns, by head | int32 |
//! | `masks` | 154 columns: the classes of all heads | int8 |
//! | `column_sums` | 2 columns: sums of the distinct columns, then of their squares | int64 |
//!
//! Of equal feature columns only the first is there, see [`DistinctColumns`]. In NumPy the features
//! are `features.reshape(-1, rows)[feature_columns].T`.
//!
//! A checksum covers the blob, its name and what it belongs to: a blob that was cut, flipped or put
//! into another game's row is found out before it is unpacked. It is the front half (16 bytes) of a
//! blake3, which is plenty against accidents.
//!
//! These layouts are [`BLOB_FORMAT`](super::BLOB_FORMAT) 3. It is part of the cache key: after a
//! change, bump it, and every game is packed anew.

use super::distinct::{ColumnFinder, DistinctColumns};
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
    FeatureColumns,
    Labels,
    Masks,
    ColumnSums,
}

impl Blob {
    pub(super) const COUNT: usize = 6;
    pub(super) const ALL: [Blob; Blob::COUNT] = [
        Blob::TurnNumbers,
        Blob::Features,
        Blob::FeatureColumns,
        Blob::Labels,
        Blob::Masks,
        Blob::ColumnSums,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Blob::TurnNumbers => "turn_numbers",
            Blob::Features => "features",
            Blob::FeatureColumns => "feature_columns",
            Blob::Labels => "labels",
            Blob::Masks => "masks",
            Blob::ColumnSums => "column_sums",
        }
    }

    /// Bytes before compression, at most: some depend on how many feature columns are distinct.
    fn most_bytes(self, rows: usize) -> usize {
        match self {
            Blob::TurnNumbers => rows * size_of::<i32>(),
            Blob::Features => rows * FEATURE_COUNT * size_of::<f32>(),
            Blob::FeatureColumns => FEATURE_COUNT * size_of::<u16>(),
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
    /// (turn numbers, features, feature columns, labels, masks, column sums), and seals each with
    /// its checksum. Whether they hold what they should shows when the game is unpacked.
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
    finder: ColumnFinder,
    /// As long as the longest blob so far. It never shrinks: growing again would fill it with zeros.
    unpacked: Vec<u8>,
    compressed: Vec<u8>,
}

impl Packer {
    /// Allocates the compressor's tables.
    ///
    /// # Errors
    /// If zstd cannot allocate them.
    pub fn new() -> io::Result<Packer> {
        Ok(Packer {
            compressor: zstd::bulk::Compressor::new(COMPRESSION_LEVEL)?,
            finder: ColumnFinder::default(),
            unpacked: Vec::new(),
            compressed: Vec::new(),
        })
    }

    /// Compresses the rows of a game.
    ///
    /// # Errors
    /// If zstd runs out of memory.
    pub fn pack(&mut self, record: GameRecord, game: &EncodedGame) -> io::Result<PackedGame> {
        let features = self.finder.find(game.features());
        let mut packed = Vec::with_capacity(Blob::COUNT);
        for blob in Blob::ALL {
            let out = &mut self.unpacked;
            let length = match blob {
                Blob::TurnNumbers => put(out, game.turn_numbers(), |n| n.to_le_bytes()),
                Blob::Features => put(out, features.values(), |&n| f32::from(n).to_le_bytes()),
                Blob::FeatureColumns => put(out, features.places(), |n| n.to_le_bytes()),
                Blob::Labels => put_columns(out, game.labels(), |n| n.to_le_bytes()),
                Blob::Masks => put_columns(out, game.masks(), |n| n.to_le_bytes()),
                Blob::ColumnSums => {
                    let count = features.distinct().len();
                    let (sums, squares) = room(out, 2 * count).split_at_mut(count);
                    for ((sum, square), column) in
                        sums.iter_mut().zip(squares).zip(features.distinct())
                    {
                        let (of_values, of_squares) = ColumnSums::of_column(column);
                        (*sum, *square) = (of_values.to_le_bytes(), of_squares.to_le_bytes());
                    }
                    2 * count * size_of::<i64>()
                }
            };
            self.compressed.clear();
            self.compressed.reserve(zstd::zstd_safe::compress_bound(length));
            self.compressor.compress_to_buffer(&self.unpacked[..length], &mut self.compressed)?;
            let bytes = self.compressed.clone();
            packed.push(Packed { checksum: checksum(blob, &record, &bytes), bytes });
        }
        let blobs = packed.try_into().expect("one blob for each kind");
        Ok(PackedGame { record, blobs })
    }
}

/// Writes numbers one after another to the front of `out`, and returns how many bytes they take.
///
/// Into room that is there already: to let it grow by one number at a time took five times the
/// instructions, an eighth of a whole ingest.
fn put<T, const N: usize>(
    out: &mut Vec<u8>,
    numbers: &[T],
    to_bytes: impl Fn(&T) -> [u8; N],
) -> usize {
    let cells = room(out, numbers.len());
    cells.iter_mut().zip(numbers).for_each(|(cell, number)| *cell = to_bytes(number));
    numbers.len() * N
}

/// As [`put`], the columns of some rows, one column after another.
fn put_columns<T, const COLUMNS: usize, const N: usize>(
    out: &mut Vec<u8>,
    rows: &[[T; COLUMNS]],
    to_bytes: impl Fn(&T) -> [u8; N],
) -> usize {
    let cells = room(out, COLUMNS * rows.len());
    for (i, column) in cells.chunks_exact_mut(rows.len().max(1)).enumerate() {
        column.iter_mut().zip(rows).for_each(|(cell, row)| *cell = to_bytes(&row[i]));
    }
    COLUMNS * rows.len() * N
}

/// Room for so many numbers of `N` bytes at the front of `out`.
fn room<const N: usize>(out: &mut Vec<u8>, numbers: usize) -> &mut [[u8; N]] {
    if out.len() < numbers * N {
        out.resize(numbers * N, 0);
    }
    &mut out.as_chunks_mut().0[..numbers]
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
    pub features: DistinctColumns<f32>,
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
            features: self.unpack_features(game)?,
            labels: self.unpack_columns(Blob::Labels, game, i32::from_le_bytes)?,
            masks: self.unpack_columns(Blob::Masks, game, i8::from_le_bytes)?,
        })
    }

    /// Checks and unpacks the exact sums of a game's columns.
    ///
    /// # Errors
    /// [`CacheError::Damaged`] if a blob is not what was stored.
    pub fn column_sums(&mut self, game: &PackedGame) -> Result<ColumnSums, CacheError> {
        let [sums, feature_columns] =
            [Blob::ColumnSums, Blob::FeatureColumns].map(|b| game.blob(b));
        self.unpack_column_sums(&game.record, sums, feature_columns)
    }

    fn unpack_features(&mut self, game: &PackedGame) -> Result<DistinctColumns<f32>, CacheError> {
        let places = self.unpack_numbers(Blob::FeatureColumns, game, u16::from_le_bytes)?;
        let values = self.unpack_numbers(Blob::Features, game, f32::from_le_bytes)?;
        DistinctColumns::from_parts(game.record.rows as usize, places, values)
            .ok_or_else(|| damaged(Blob::Features, &game.record, OTHER_LENGTH))
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

    /// As [`column_sums`](Self::column_sums), of the two blobs that it takes.
    pub(super) fn unpack_column_sums(
        &mut self,
        record: &GameRecord,
        sums: &Packed,
        feature_columns: &Packed,
    ) -> Result<ColumnSums, CacheError> {
        let sums = self.unpack_blob(Blob::ColumnSums, record, sums)?;
        let sums: Vec<i64> = numbers(sums, i64::from_le_bytes);
        let (sum, sum_of_squares) = sums.split_at(sums.len() / 2);
        let places = self.unpack_blob(Blob::FeatureColumns, record, feature_columns)?;
        let places: Vec<u16> = numbers(places, u16::from_le_bytes);
        let of_features = |sums: &[i64]| -> Option<Vec<i64>> {
            places.iter().map(|&place| sums.get(usize::from(place)).copied()).collect()
        };
        match (of_features(sum), of_features(sum_of_squares)) {
            (Some(sum), Some(sum_of_squares)) if places.len() == FEATURE_COUNT => {
                Ok(ColumnSums { rows: record.rows.into(), sum, sum_of_squares })
            }
            _ => Err(damaged(Blob::ColumnSums, record, OTHER_LENGTH)),
        }
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
        let damaged = |why| damaged(blob, record, why);
        // The checksum covers the number of rows, so that a flipped bit there cannot ask for more
        // memory than there is.
        if checksum(blob, record, &packed.bytes) != packed.checksum {
            return Err(damaged("the checksum does not match"));
        }
        let most = blob.most_bytes(record.rows as usize);
        self.unpacked.clear();
        self.unpacked.reserve(most);
        self.decompressor
            .decompress_to_buffer(&packed.bytes, &mut self.unpacked)
            .map_err(|_| damaged("the blob does not decompress"))?;
        let may_be_shorter = matches!(blob, Blob::Features | Blob::ColumnSums);
        if self.unpacked.len() > most || (self.unpacked.len() < most && !may_be_shorter) {
            return Err(damaged(OTHER_LENGTH));
        }
        Ok(&self.unpacked)
    }
}

const OTHER_LENGTH: &str = "the blob has another length than its rows need";

fn damaged(blob: Blob, record: &GameRecord, why: &str) -> CacheError {
    CacheError::Damaged { game_id: record.game_id, what: blob.name(), why: why.to_owned() }
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
        let sums = Unpacker::new().unwrap().column_sums(&packed).unwrap();
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
        for blob in Blob::ALL.into_iter().filter(|&blob| blob != Blob::ColumnSums) {
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
