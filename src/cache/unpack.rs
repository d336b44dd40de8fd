//! Decodes blobs to the rows of a game.

use super::blob::{BLOCK_ROWS, Blob, PackedGame, checksum, checksum_damage, float32_bytes};
use super::error::{CacheError, Damage};
use crate::encode::{
    ColumnSums, EncodedGame, FEATURE_COUNT, Head, Label, LabelRow, MaskRow, PackedMasks, PackedRow,
    Value, decode_columns,
};
use std::io;
use zstd::bulk::Decompressor;
use zstd::zstd_safe::get_frame_content_size;

/// A zstd block has at least 4 bytes and decompresses to at most 128 KiB.
const MAX_RATIO: usize = (128 << 10) / 4;

/// Unpacks games one after another and reuses its buffers.
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

    /// Checks and unpacks the rows of a game that the current encoder made, see
    /// [`GameRecord::is_of_this_encoder`](super::GameRecord::is_of_this_encoder). Computes the derived
    /// features.
    ///
    /// # Errors
    /// [`CacheError::Damaged`] if a blob is damaged.
    pub fn unpack(&mut self, game: &PackedGame) -> Result<&EncodedGame, CacheError> {
        let rows = game.record.rows as usize;
        let turn_numbers = self.turn_numbers(game)?;
        let values = self.base_features(game)?;
        let boards = decode_columns(&values, rows).ok_or_else(|| no_position(game))?;
        let labels = self.label_rows(game)?;
        let masks: Vec<MaskRow> = rows_of(&self.masks(game)?, rows);
        self.game.clear();
        for (row, board) in boards.iter().enumerate() {
            self.game.push_row(turn_numbers[row], board.unpack(), labels[row], masks[row]);
        }
        check_players(game, self.game.boards().iter().map(|board| board.players.len()))?;
        Ok(&self.game)
    }

    /// Checks and unpacks the rows of a game that the current encoder made, without their features.
    ///
    /// # Errors
    /// [`CacheError::Damaged`] if a blob is damaged.
    pub fn unpack_rows(&mut self, game: &PackedGame) -> Result<Vec<PackedRow>, CacheError> {
        let rows = game.record.rows as usize;
        let values = self.base_features(game)?;
        let boards = decode_columns(&values, rows).ok_or_else(|| no_position(game))?;
        check_players(game, boards.iter().map(|board| board.players.get().into()))?;
        let turn_numbers = self.turn_numbers(game)?;
        let labels = self.label_rows(game)?;
        let masks = PackedMasks::of_columns(&self.masks(game)?, rows);
        let rows = boards.into_iter().zip(turn_numbers).zip(labels.iter().zip(masks));
        Ok(rows
            .map(|((board, turn_number), (labels, masks))| {
                PackedRow::new(board, turn_number, labels, masks)
            })
            .collect())
    }

    /// Checks and unpacks the turn number of each row.
    ///
    /// # Errors
    /// [`CacheError::Damaged`] if the blob is damaged.
    pub fn turn_numbers(&mut self, game: &PackedGame) -> Result<Vec<i32>, CacheError> {
        let turn_numbers = numbers(self.decompress(Blob::TurnNumbers, game)?, i32::from_le_bytes);
        match turn_numbers.iter().all(|number| (1..=i32::from(u16::MAX)).contains(number)) {
            true => Ok(turn_numbers),
            false => Err(damaged(game, "turn_numbers", "a turn number is out of range")),
        }
    }

    /// Checks and unpacks the labels of a game that the current encoder made.
    ///
    /// # Errors
    /// [`CacheError::Damaged`] if the blob is damaged.
    pub fn label_rows(&mut self, game: &PackedGame) -> Result<Vec<LabelRow>, CacheError> {
        let bytes = self.decompress(Blob::Labels, game)?;
        let labels = rows_of(&numbers(bytes, Label::from_le_bytes), game.record.rows as usize);
        let is_class = |labels: &LabelRow| {
            Head::ALL
                .iter()
                .all(|head| (-1..head.classes() as Label).contains(&labels[head.index()]))
        };
        match labels.iter().all(is_class) {
            true => Ok(labels),
            false => Err(damaged(game, "labels", "a label is out of range")),
        }
    }

    /// Checks and unpacks the exact sums of a game's columns.
    ///
    /// # Errors
    /// [`CacheError::Damaged`] if the blob is damaged.
    pub fn column_sums(&mut self, game: &PackedGame) -> Result<ColumnSums, CacheError> {
        let bytes = self.decompress(Blob::ColumnSums, game)?;
        let mut numbers = vec![0; 2 * FEATURE_COUNT];
        for (place, column) in bytes.chunks(numbers.len()).enumerate() {
            for (number, &byte) in numbers.iter_mut().zip(column) {
                *number |= i64::from(byte) << (8 * place);
            }
        }
        let rows = game.record.rows;
        let mut sums =
            ColumnSums { rows: rows.into(), sum: Vec::new(), sum_of_squares: Vec::new() };
        // Larger sums could overflow when the sums of all games are added.
        let max = i64::from(rows) * i64::from(Value::MIN) * i64::from(Value::MIN);
        for &[sum, excess] in numbers.as_chunks().0 {
            let squares = sum.saturating_abs().saturating_add(excess);
            if !(-max..=max).contains(&sum) || !(0..=max).contains(&squares) {
                return Err(damaged(game, "column_sums", "a sum is too large for its rows"));
            }
            sums.sum.push(sum);
            sums.sum_of_squares.push(squares);
        }
        Ok(sums)
    }

    /// All damage of the blobs of a game that the current encoder made.
    pub(super) fn all_damage(&mut self, game: &PackedGame) -> Vec<Damage> {
        let damage_of = |error| match error {
            CacheError::Damaged { damage, .. } => Some(damage),
            _ => None,
        };
        let errors = Blob::ALL.into_iter().filter_map(|blob| self.decompress(blob, game).err());
        let mut all: Vec<Damage> = errors.filter_map(damage_of).collect();
        if all.is_empty() {
            let stored = self.column_sums(game).ok();
            match self.unpack(game) {
                Ok(rows) if stored == Some(rows.column_sums()) => {}
                Ok(_) => {
                    all.push(Damage::new("column_sums", "they are not the sums of the features"));
                }
                Err(error) => all.extend(damage_of(error)),
            }
        }
        all
    }

    /// The masks, column by column.
    fn masks(&mut self, game: &PackedGame) -> Result<Vec<i8>, CacheError> {
        let masks = numbers(self.decompress(Blob::Masks, game)?, i8::from_le_bytes);
        match masks.iter().fold(0, |all, &mask| all | mask) {
            0 | 1 => Ok(masks),
            _ => Err(damaged(game, "masks", "a value is neither 0 nor 1")),
        }
    }

    /// The base features, column by column.
    fn base_features(&mut self, game: &PackedGame) -> Result<Vec<Value>, CacheError> {
        let bytes = self.decompress(Blob::Features, game)?;
        let values = numbers(bytes, value_of_float32);
        let cells = bytes.as_chunks().0.iter();
        let is_stored = cells
            .zip(&values)
            .fold(true, |all, (cell, &value)| all & (*cell == float32_bytes(value)));
        match is_stored {
            true => Ok(values),
            false => Err(damaged(game, "features", "a value is not a feature value")),
        }
    }

    fn decompress(&mut self, blob: Blob, game: &PackedGame) -> Result<&[u8], CacheError> {
        let (record, packed) = (&game.record, &game.blobs[blob as usize]);
        if checksum(blob, record, &packed.bytes) != packed.checksum {
            return Err(game.damaged(checksum_damage(blob)));
        }
        let length = blob.bytes(record.rows as usize);
        // A forged number of rows can have a valid checksum, so no more memory is reserved than the
        // compressed bytes can fill.
        let declared = get_frame_content_size(&packed.bytes).ok().flatten();
        if declared != Some(length as u64) || length / MAX_RATIO > packed.bytes.len() {
            return Err(damaged(game, blob.name(), "its length does not match its rows"));
        }
        self.columns.clear();
        self.columns.reserve(length);
        match self.decompressor.decompress_to_buffer(&packed.bytes, &mut self.columns) {
            Ok(_) if self.columns.len() == length => Ok(&self.columns),
            Ok(_) => Err(damaged(game, blob.name(), "its length does not match its rows")),
            Err(_) => Err(damaged(game, blob.name(), "it cannot be decompressed")),
        }
    }
}

fn damaged(game: &PackedGame, part: &'static str, why: &'static str) -> CacheError {
    game.damaged(Damage::new(part, why))
}

fn check_players(
    game: &PackedGame,
    mut players: impl Iterator<Item = usize>,
) -> Result<(), CacheError> {
    match players.all(|players| players == usize::from(game.record.players)) {
        true => Ok(()),
        false => Err(damaged(game, "features", "a row has a different number of players")),
    }
}

fn no_position(game: &PackedGame) -> CacheError {
    damaged(game, "features", "a row is not a valid position")
}

/// Transposes columns that [`write_columns`](super::blob::write_columns) wrote back to rows.
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

/// The feature value with these bytes. The caller checks it by comparing the bytes with its
/// [`float32_bytes`]. Uses an addition, which compilers vectorize; a saturating cast they do not.
fn value_of_float32(bytes: [u8; 4]) -> Value {
    // In the sum of an integer and this number, the lowest bits are the integer.
    const ONE_AND_A_HALF_TIMES_2_TO_THE_23: f32 = 12_582_912.0;
    (f32::from_le_bytes(bytes) + ONE_AND_A_HALF_TIMES_2_TO_THE_23).to_bits() as Value
}

#[cfg(test)]
mod tests;
