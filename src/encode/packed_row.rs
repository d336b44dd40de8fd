//! A compact row without features.

use super::game::EncodedGame;
use super::head::{Head, MASK_WIDTH};
use super::labels::{Label, LabelRow};
use super::masks::MaskRow;
use crate::rules::PackedBoard;

/// A position with its labels and masks, in 118 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PackedRow {
    /// The position.
    pub board: PackedBoard,
    /// From 1 to 10,000.
    turn_number: u16,
    /// Each label is a class below 84, or -1.
    labels: [i8; Head::COUNT],
    /// The masks.
    pub masks: PackedMasks,
}

const _: () = assert!(size_of::<PackedRow>() == 118);

impl PackedRow {
    /// Packs a row.
    pub fn new(
        board: PackedBoard,
        turn_number: i32,
        labels: &LabelRow,
        masks: PackedMasks,
    ) -> PackedRow {
        let labels = labels.map(|label| label as i8);
        PackedRow { board, turn_number: turn_number as u16, labels, masks }
    }

    /// The rows of a game.
    pub fn of_game(game: &EncodedGame) -> Vec<PackedRow> {
        let rows = 0..game.boards().len();
        rows.map(|row| {
            let (board, masks) = (&game.boards()[row], PackedMasks::pack(&game.masks()[row]));
            let (turn_number, labels) = (game.turn_numbers()[row], &game.labels()[row]);
            PackedRow::new(PackedBoard::pack(board), turn_number, labels, masks)
        })
        .collect()
    }

    /// From 1.
    pub fn turn_number(&self) -> i32 {
        self.turn_number.into()
    }

    pub(super) fn set_label(&mut self, head: Head, label: i8) {
        self.labels[head.index()] = label;
    }

    /// The label of a head.
    pub fn label(&self, head: Head) -> Label {
        self.labels[head.index()].into()
    }
}

/// The masks of a row, a bit for each class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PackedMasks([u8; MASK_BYTES]);

const MASK_BYTES: usize = MASK_WIDTH.div_ceil(8);

/// The bits of each byte, lowest first.
static BITS: [[i8; 8]; 256] = {
    let mut table = [[0; 8]; 256];
    let mut at = 0;
    while at < 256 * 8 {
        table[at / 8][at % 8] = ((at / 8) >> (at % 8) & 1) as i8;
        at += 1;
    }
    table
};

impl PackedMasks {
    /// Packs masks.
    pub fn pack(masks: &MaskRow) -> PackedMasks {
        let mut bytes = [0; MASK_BYTES];
        for (byte, masks) in bytes.iter_mut().zip(masks.chunks(8)) {
            *byte = masks.iter().rev().fold(0, |byte, &mask| byte << 1 | mask as u8);
        }
        PackedMasks(bytes)
    }

    /// Packs the masks of several rows from columns: all rows of the first class, then of the second,
    /// and so on.
    pub fn of_columns(columns: &[i8], rows: usize) -> Vec<PackedMasks> {
        let mut packed = vec![PackedMasks::default(); rows];
        let mut byte_of_rows = vec![0; rows];
        for (at, columns) in columns.chunks((8 * rows).max(1)).enumerate() {
            byte_of_rows.fill(0);
            for (bit, column) in columns.chunks(rows).enumerate() {
                for (byte, &mask) in byte_of_rows.iter_mut().zip(column) {
                    *byte |= (mask as u8) << bit;
                }
            }
            packed.iter_mut().zip(&byte_of_rows).for_each(|(packed, &byte)| packed.0[at] = byte);
        }
        packed
    }

    /// Reorders the masks from `first` on: `order` has the source of each.
    pub(super) fn reorder(&mut self, first: usize, order: &[u8]) {
        let old = self.0;
        for (to, &from) in (first..).zip(order) {
            let from = first + usize::from(from);
            let bit = old[from / 8] >> (from % 8) & 1;
            self.0[to / 8] = self.0[to / 8] & !(1 << (to % 8)) | bit << (to % 8);
        }
    }

    /// The masks.
    pub fn unpack(&self) -> MaskRow {
        let mut masks = [0; MASK_BYTES * 8];
        for (&byte, masks) in self.0.iter().zip(masks.as_chunks_mut().0) {
            *masks = BITS[usize::from(byte)];
        }
        *masks.first_chunk().expect("as many bits as masks")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::PlayerCount;
    use crate::simulate::simulate_game;

    #[test]
    fn rows_unpack_as_packed() {
        for (seed, players) in (0..20).zip(PlayerCount::ALL.into_iter().cycle()) {
            let mut game = EncodedGame::default();
            simulate_game(players, seed).iter().for_each(|turn| game.push(turn));
            let rows = PackedRow::of_game(&game);
            assert_eq!(rows.len(), game.boards().len());
            for (at, row) in rows.iter().enumerate() {
                assert_eq!(row.board.unpack(), game.boards()[at]);
                assert_eq!(Head::ALL.map(|head| row.label(head)), game.labels()[at]);
                assert_eq!(row.masks.unpack(), game.masks()[at]);
                assert_eq!(row.turn_number(), game.turn_numbers()[at]);
            }
            let columns: Vec<i8> = (0..MASK_WIDTH)
                .flat_map(|class| game.masks().iter().map(move |row| row[class]))
                .collect();
            let masks: Vec<_> = rows.iter().map(|row| row.masks).collect();
            assert_eq!(PackedMasks::of_columns(&columns, rows.len()), masks);
        }
    }

    #[test]
    fn every_mask_has_its_bit() {
        for class in 0..MASK_WIDTH {
            let mut masks = [0; MASK_WIDTH];
            masks[class] = 1;
            let PackedMasks(bytes) = PackedMasks::pack(&masks);
            assert_eq!(bytes.iter().map(|byte| byte.count_ones()).sum::<u32>(), 1);
            assert_eq!(bytes[class / 8] >> (class % 8), 1);
        }
    }
}
