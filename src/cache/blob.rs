//! The rows of a game to blobs and back.
//!
//! Every blob is one zstd frame. Inside, numbers are little-endian and lie *column by column*
//! (all rows of the first column, then all of the second): neighbouring turns of a game differ in
//! few columns, so that this order compresses to about a third of what rows would.
//!
//! | blob | content (`rows` turns) | type |
//! | --- | --- | --- |
//! | `turn_numbers` | 1 column | int32 |
//! | `features` | the 422 base features, before normalisation | float32 |
//! | `labels` | 7 columns, by head | int32 |
//! | `masks` | 154 columns: the classes of all heads | int8 |
//! | `column_sums` | 8 columns, the bytes of 2 × 1,308 numbers: of each feature the sum, and by how much the sum of squares exceeds its amount | int64 |
//!
//! The base features are the whole position, and the other 886 follow from it. They are computed
//! when a game is unpacked, by the [encoder](crate::encode::complete) that every log goes through: in
//! here they would be four fifths of the cache and more than half of the work of packing a game.
//! Their sums are kept, so that a scaler is fitted without unpacking any rows.
//!
//! A checksum covers the blob, its name and what it belongs to: a blob that was cut, flipped or put
//! into another game's row is found out before it is unpacked. It is an XXH3 of 128 bits, which is plenty
//! against accidents; blake3, which is against forgers, took an eighth of an ingest with nothing to do.
//!
//! These layouts are [`BLOB_FORMAT`](super::BLOB_FORMAT) 4. It is part of the cache key: after a
//! change, bump it, and every game is packed anew.

use super::compressor::compressor;
use super::error::CacheError;
use super::record::GameRecord;
use super::transpose::ByteColumns;
use crate::encode::{
    BASE_FEATURE_COUNT, BaseRow, ColumnSums, EncodedGame, FEATURE_COUNT, Head, Label, MASK_WIDTH,
    MaskRow, Value, base,
};
use arrayvec::ArrayVec;
use std::io;
use twox_hash::{XxHash3_64, XxHash3_128};
use zstd::bulk::Compressor;

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
    /// (turn numbers, features, labels, masks, column sums), and seals each with
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
    compressor: Compressor<'static>,
    columns: ByteColumns,
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
            compressor: compressor()?,
            columns: ByteColumns::default(),
            unpacked: Vec::new(),
            compressed: Vec::new(),
        })
    }

    /// Compresses the rows of a game.
    ///
    /// # Errors
    /// If zstd runs out of memory.
    pub fn pack(&mut self, record: GameRecord, game: &EncodedGame) -> io::Result<PackedGame> {
        let mut packed = Vec::with_capacity(Blob::COUNT);
        for blob in Blob::ALL {
            let (columns, out) = (&mut self.columns, &mut self.unpacked);
            let length = match blob {
                Blob::TurnNumbers => put(out, game.turn_numbers(), |n| n.to_le_bytes()),
                Blob::Features => {
                    let rows: Vec<BaseRow> = game.features().iter().map(base).collect();
                    put_columns(out, columns, &rows, float32_bytes)
                }
                Blob::Labels => {
                    let heads = (0..Head::COUNT)
                        .flat_map(|head| game.labels().iter().map(move |row| row[head]));
                    put(out, &heads.collect::<Vec<_>>(), |label| label.to_le_bytes())
                }
                Blob::Masks => put_columns(out, columns, game.masks(), i8::to_le_bytes),
                Blob::ColumnSums => {
                    let ColumnSums { sum, sum_of_squares, .. } = game.column_sums();
                    let numbers = sum.iter().zip(&sum_of_squares);
                    let numbers = numbers.flat_map(|(sum, squares)| [*sum, squares - sum.abs()]);
                    let rows: Vec<_> =
                        numbers.map(|number| number.to_le_bytes().map(u8::cast_signed)).collect();
                    put_columns(out, columns, &rows, i8::to_le_bytes)
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

/// As [`put`], all columns of some rows, one after another.
fn put_columns<const WIDTH: usize, const N: usize>(
    out: &mut Vec<u8>,
    columns: &mut ByteColumns,
    rows: &[[i8; WIDTH]],
    to_bytes: impl Fn(i8) -> [u8; N],
) -> usize {
    columns.set(rows);
    let cells = room(out, WIDTH * rows.len());
    for (column, cells) in columns.columns().zip(cells.chunks_exact_mut(rows.len().max(1))) {
        cells.iter_mut().zip(column).for_each(|(cell, &value)| *cell = to_bytes(value));
    }
    WIDTH * rows.len() * N
}

/// Room for so many numbers of `N` bytes at the front of `out`.
fn room<const N: usize>(out: &mut Vec<u8>, numbers: usize) -> &mut [[u8; N]] {
    if out.len() < numbers * N {
        out.resize(numbers * N, 0);
    }
    &mut out.as_chunks_mut().0[..numbers]
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

/// Unpacks games, one after another, with the same buffers.
pub struct Unpacker {
    decompressor: zstd::bulk::Decompressor<'static>,
    unpacked: Vec<u8>,
    columns: ByteColumns,
    game: EncodedGame,
}

impl Unpacker {
    /// Allocates the decompressor's tables.
    ///
    /// # Errors
    /// If zstd cannot allocate them.
    pub fn new() -> io::Result<Unpacker> {
        Ok(Unpacker {
            decompressor: zstd::bulk::Decompressor::new()?,
            unpacked: Vec::new(),
            columns: ByteColumns::default(),
            game: EncodedGame::default(),
        })
    }

    /// Checks and unpacks the rows of a game that this program's encoder made, see
    /// [`GameRecord::is_of_this_encoder`]: it computes what was not kept.
    ///
    /// # Errors
    /// [`CacheError::Damaged`] if a blob is not what was stored.
    pub fn unpack(&mut self, game: &PackedGame) -> Result<&EncodedGame, CacheError> {
        let record = &game.record;
        let rows = record.rows as usize;
        let turn_numbers =
            self.unpack_blob(Blob::TurnNumbers, record, game.blob(Blob::TurnNumbers))?;
        let turn_numbers: Vec<i32> = numbers_of(turn_numbers, i32::from_le_bytes);
        let base: Vec<BaseRow> = self.unpack_columns(
            Blob::Features,
            record,
            game.blob(Blob::Features),
            rows,
            value_of_float32,
            float32_bytes,
        )?;
        let labels = self.unpack_blob(Blob::Labels, record, game.blob(Blob::Labels))?;
        let labels: Vec<Label> = numbers_of(labels, Label::from_le_bytes);
        let masks: Vec<MaskRow> = self.unpack_columns(
            Blob::Masks,
            record,
            game.blob(Blob::Masks),
            rows,
            i8::from_le_bytes,
            i8::to_le_bytes,
        )?;
        self.game.clear();
        for (row, (turn_number, (base, masks))) in
            turn_numbers.into_iter().zip(base.iter().zip(masks)).enumerate()
        {
            let labels = std::array::from_fn(|head| labels[head * rows + row]);
            self.game
                .push_kept(turn_number, base, labels, masks)
                .ok_or_else(|| damaged(Blob::Features, record, "a row is no position"))?;
        }
        Ok(&self.game)
    }

    /// Checks and unpacks the exact sums of a game's columns.
    ///
    /// # Errors
    /// [`CacheError::Damaged`] if a blob is not what was stored.
    pub fn column_sums(&mut self, game: &PackedGame) -> Result<ColumnSums, CacheError> {
        self.unpack_column_sums(&game.record, game.blob(Blob::ColumnSums))
    }

    /// As [`column_sums`](Self::column_sums), of the blob by itself.
    pub(super) fn unpack_column_sums(
        &mut self,
        record: &GameRecord,
        packed: &Packed,
    ) -> Result<ColumnSums, CacheError> {
        let numbers: Vec<[i8; size_of::<i64>()]> = self.unpack_columns(
            Blob::ColumnSums,
            record,
            packed,
            2 * FEATURE_COUNT,
            i8::from_le_bytes,
            i8::to_le_bytes,
        )?;
        let mut sums =
            ColumnSums { rows: record.rows.into(), sum: Vec::new(), sum_of_squares: Vec::new() };
        let number = |bytes: [i8; _]| i64::from_le_bytes(bytes.map(i8::cast_unsigned));
        for &[sum, excess] in numbers.as_chunks().0 {
            let (sum, excess) = (number(sum), number(excess));
            sums.sum.push(sum);
            sums.sum_of_squares.push(sum.saturating_abs().saturating_add(excess));
        }
        Ok(sums)
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

    /// The columns of a blob as so many rows.
    fn unpack_columns<const WIDTH: usize, const N: usize>(
        &mut self,
        blob: Blob,
        record: &GameRecord,
        packed: &Packed,
        rows: usize,
        from_bytes: impl Fn([u8; N]) -> i8,
        to_bytes: impl Fn(i8) -> [u8; N],
    ) -> Result<Vec<[i8; WIDTH]>, CacheError> {
        self.unpack_blob(blob, record, packed)?;
        self.columns.resize(WIDTH, rows);
        let mut are_sound = true;
        let (numbers, _) = self.unpacked.as_chunks();
        for (column, numbers) in self.columns.columns_mut().zip(numbers.chunks_exact(rows.max(1))) {
            for (cell, number) in column.iter_mut().zip(numbers) {
                *cell = from_bytes(*number);
                are_sound &= to_bytes(*cell) == *number;
            }
        }
        match are_sound {
            true => Ok(self.columns.rows()),
            false => Err(damaged(blob, record, "a number is none that was stored")),
        }
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
        let length = blob.bytes(record.rows as usize);
        self.unpacked.clear();
        self.unpacked.reserve(length);
        self.decompressor
            .decompress_to_buffer(&packed.bytes, &mut self.unpacked)
            .map_err(|_| damaged("the blob does not decompress"))?;
        if self.unpacked.len() != length {
            return Err(damaged("the blob has another length than its rows need"));
        }
        Ok(&self.unpacked)
    }
}

fn damaged(blob: Blob, record: &GameRecord, why: &str) -> CacheError {
    CacheError::Damaged { game_id: record.game_id, what: blob.name(), why: why.to_owned() }
}

/// A feature's value as it stands in its blob.
fn float32_bytes(value: Value) -> [u8; 4] {
    f32::from(value).to_le_bytes()
}

/// The value that a feature's bytes stand for, if they stand for one: whether they do shows when it is
/// written again. By adding, which is done with many at once; a cast with its limits is not.
fn value_of_float32(bytes: [u8; 4]) -> Value {
    // A whole number that is added to this one stands in its last bits.
    const ONE_AND_A_HALF_TIMES_2_TO_THE_23: f32 = 12_582_912.0;
    (f32::from_le_bytes(bytes) + ONE_AND_A_HALF_TIMES_2_TO_THE_23).to_bits() as Value
}

fn numbers_of<T, const N: usize>(bytes: &[u8], from_bytes: impl Fn([u8; N]) -> T) -> Vec<T> {
    bytes.as_chunks().0.iter().map(|&number| from_bytes(number)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::record::CacheKey;
    use crate::gamelog::{GameId, ReadOptions};
    use crate::rules::PlayerCount;
    use crate::simulate::simulate_game;

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
        let mut unpacker = Unpacker::new().unwrap();
        // Twice, so that a buffer which holds a game already is seen to make no difference.
        for _ in 0..2 {
            let unpacked = unpacker.unpack(&packed).unwrap();
            assert!(game.features().len() > 30);
            assert_eq!(unpacked.turn_numbers(), game.turn_numbers());
            assert!(unpacked.features() == game.features());
            assert_eq!(unpacked.labels(), game.labels());
            assert_eq!(unpacked.masks(), game.masks());
        }
        let sums = unpacker.column_sums(&packed).unwrap();
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
