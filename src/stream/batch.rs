//! The arrays of a batch.

use super::error::StreamError;
use super::load::Loaded;
use super::order::Order;
use super::rows::Row;
use super::schedule::{Position, Schedule};
use crate::dataset::{Dtype, FeatureTable, FeatureValues, MaskSource, OutOfRange};
use crate::encode::{FEATURE_COUNT, Head, Label, base_features, features};
use std::ops::Range;

/// Some rows, in the types of an export.
#[derive(Debug)]
pub struct Batch {
    /// Row after row, as wide as there are columns.
    pub features: FeatureValues,
    /// By head, one a row.
    pub labels: [Vec<Label>; Head::COUNT],
    /// By head, row after row.
    pub masks: [Vec<i8>; Head::COUNT],
    /// The game of each row.
    pub game_ids: Vec<i64>,
    /// From 1.
    pub turn_numbers: Vec<i32>,
    /// Where each row is in its game, from 0.
    pub rows_in_game: Vec<i32>,
}

impl Batch {
    /// How many rows it has.
    pub fn rows(&self) -> usize {
        self.game_ids.len()
    }
}

/// Makes the batches of a stream; any thread can make any of them.
#[derive(Debug)]
pub(super) struct BatchMaker {
    pub(super) loaded: Loaded,
    pub(super) table: FeatureTable,
    pub(super) dtype: Dtype,
    pub(super) masks: MaskSource,
    pub(super) schedule: Schedule,
}

/// What a thread uses for one batch after another.
#[derive(Default)]
pub(super) struct Buffers {
    numbers: Vec<u64>,
    rows: Vec<Row>,
}

impl BatchMaker {
    /// This rank's rows of the batch at a position.
    pub(super) fn make(
        &self,
        position: Position,
        Buffers { numbers, rows }: &mut Buffers,
    ) -> Result<Batch, StreamError> {
        self.choose(
            &self.schedule.order(position.epoch),
            self.schedule.places(position.step),
            numbers,
        );
        let stored = &self.loaded.rows;
        // All at once: the memory that they are in is waited for together.
        rows.clear();
        rows.extend(numbers.iter().map(|&number| stored.get(number)));
        let mut values = self.table.values(rows.len());
        let mut encoded = [0; FEATURE_COUNT];
        let encode = if self.loaded.columns.are_base() { base_features } else { features };
        for row in &*rows {
            encode(&row.packed.board.unpack(), &mut encoded);
            self.table
                .push(&encoded, &mut values)
                .map_err(|value| self.out_of_range(row, value))?;
        }
        let labels = Head::ALL.map(|head| rows.iter().map(|row| row.packed.label(head)).collect());
        Ok(Batch {
            features: values,
            labels,
            masks: self.masks_of(rows),
            game_ids: rows.iter().map(|row| stored.game(row).game_id.0).collect(),
            turn_numbers: rows.iter().map(|row| row.packed.turn_number()).collect(),
            rows_in_game: numbers.iter().map(|&row| stored.row_in_game(row) as i32).collect(),
        })
    }

    fn choose(&self, order: &Order, places: Range<u64>, numbers: &mut Vec<u64>) {
        numbers.clear();
        numbers.extend(places.map(|place| order.row(place)));
    }

    fn masks_of(&self, rows: &[Row]) -> [Vec<i8>; Head::COUNT] {
        if self.masks == MaskSource::AllOnes {
            return Head::ALL.map(|head| vec![1; rows.len() * head.classes()]);
        }
        let mut masks = Head::ALL.map(|head| Vec::with_capacity(rows.len() * head.classes()));
        for row in rows {
            let of_row = row.packed.masks.unpack();
            for (head, masks) in Head::ALL.into_iter().zip(&mut masks) {
                masks.extend_from_slice(&of_row[head.mask_range()]);
            }
        }
        masks
    }

    fn out_of_range(&self, row: &Row, OutOfRange { column, value }: OutOfRange) -> StreamError {
        StreamError::OutOfRange {
            game_id: self.loaded.rows.game(row).game_id,
            column: self.loaded.columns.names()[column],
            value,
            dtype: self.dtype,
        }
    }
}
