//! The arrays of a batch.

use super::error::StreamError;
use super::load::Loaded;
use super::options::Augment;
use super::order::RowNumbers;
use super::rows::Place;
use super::schedule::{Position, Schedule};
use crate::cache::Unpacker;
use crate::dataset::{Dtype, FeatureTable, FeatureValues, MaskSource, OutOfRange};
use crate::encode::{FEATURE_COUNT, Head, Label, PackedRow, base_features, features};
use crate::gamelog::{Outcome, outcome_arrays};
use std::io;

/// A batch of rows, with the types of an export.
#[derive(Debug)]
pub struct Batch {
    /// Features, row after row.
    pub features: FeatureValues,
    /// Labels by head, one per row.
    pub labels: [Vec<Label>; Head::COUNT],
    /// Masks by head, row after row.
    pub masks: [Vec<i8>; Head::COUNT],
    /// The game of each row.
    pub game_ids: Vec<i64>,
    /// The turn number of each row, from 1.
    pub turn_numbers: Vec<i32>,
    /// The index of each row in its game, from 0.
    pub rows_in_game: Vec<i32>,
    /// Outcomes in the order of [`Outcome::NAMES`], one per row.
    pub outcomes: [Vec<i32>; Outcome::COUNT],
    /// The weight of each row; 1 without [`WeightOptions`](super::WeightOptions).
    pub weights: Vec<f32>,
}

impl Batch {
    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.game_ids.len()
    }
}

/// Makes the batches of a stream; each can be made by any thread.
#[derive(Debug)]
pub(super) struct BatchMaker {
    pub(super) loaded: Loaded,
    pub(super) table: FeatureTable,
    pub(super) dtype: Dtype,
    pub(super) masks: MaskSource,
    pub(super) augment: Option<Augment>,
    pub(super) schedule: Schedule,
}

/// The buffers of a thread.
pub(super) struct Buffers {
    unpacker: Unpacker,
    places: Vec<Place>,
    rows: Vec<PackedRow>,
}

impl Buffers {
    pub(super) fn new() -> io::Result<Buffers> {
        let (places, rows) = (Vec::new(), Vec::new());
        Ok(Buffers { unpacker: Unpacker::new()?, places, rows })
    }
}

impl BatchMaker {
    /// Makes this rank's part of the batch at a position.
    pub(super) fn make(
        &self,
        position: Position,
        Buffers { unpacker, places, rows }: &mut Buffers,
    ) -> Result<Batch, StreamError> {
        let (order, stored) = (self.schedule.order(position.epoch), &self.loaded.rows);
        places.clear();
        let range = self.schedule.places(position.step);
        places.extend(range.map(|place| stored.place(order.row(place))));
        // All rows in one pass, so that the cache misses overlap.
        rows.clear();
        for &place in &*places {
            rows.push(*stored.row(place, unpacker)?);
        }
        if self.augment == Some(Augment::Slots) {
            let numbers = RowNumbers::new(self.schedule.seed, position.epoch);
            for (row, place) in rows.iter_mut().zip(&*places) {
                row.reorder_slots(numbers.of(place.row));
            }
        }
        Ok(Batch {
            features: self.features_of(places, rows)?,
            labels: Head::ALL.map(|head| rows.iter().map(|row| row.label(head)).collect()),
            masks: self.masks_of(rows),
            game_ids: places.iter().map(|&place| stored.game(place).game_id.0).collect(),
            turn_numbers: rows.iter().map(PackedRow::turn_number).collect(),
            rows_in_game: places.iter().map(|place| place.row_in_game as i32).collect(),
            outcomes: outcome_arrays(rows.iter().zip(&*places).map(|(row, &place)| {
                let play = stored.game(place).play.as_ref();
                Outcome::of(play, row.board.to_move, row.turn_number())
            })),
            weights: rows
                .iter()
                .zip(&*places)
                .map(|(row, &place)| {
                    self.loaded.weights.of_row(stored.game_weight(place), |head| row.label(head))
                })
                .collect(),
        })
    }

    fn features_of(
        &self,
        places: &[Place],
        rows: &[PackedRow],
    ) -> Result<FeatureValues, StreamError> {
        let encode = if self.loaded.columns.are_base() { base_features } else { features };
        let mut values = self.table.values(rows.len());
        let mut encoded = [0; FEATURE_COUNT];
        for (row, &place) in rows.iter().zip(places) {
            encode(&row.board.unpack(), &mut encoded);
            self.table
                .push(&encoded, row.turn_number(), &mut values)
                .map_err(|value| self.out_of_range(place, value))?;
        }
        Ok(values)
    }

    fn masks_of(&self, rows: &[PackedRow]) -> [Vec<i8>; Head::COUNT] {
        if self.masks == MaskSource::AllOnes {
            return Head::ALL.map(|head| vec![1; rows.len() * head.classes()]);
        }
        let mut masks = Head::ALL.map(|head| Vec::with_capacity(rows.len() * head.classes()));
        for row in rows {
            let of_row = row.masks.unpack();
            for (head, masks) in Head::ALL.into_iter().zip(&mut masks) {
                masks.extend_from_slice(&of_row[head.mask_range()]);
            }
        }
        masks
    }

    fn out_of_range(&self, place: Place, OutOfRange { column, value }: OutOfRange) -> StreamError {
        StreamError::OutOfRange {
            game_id: self.loaded.rows.game(place).game_id,
            column: self.loaded.columns.names()[column],
            value,
            dtype: self.dtype,
        }
    }
}
