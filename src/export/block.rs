//! The rows of one game as they go into the arrays.

use super::ExportError;
use super::columns::ExportedColumns;
use super::dtype::{Dtype, FeatureValues};
use super::fingerprint::Fingerprint;
use super::phases::ExportPhases;
use super::report::SplitReport;
use super::scaler::Scaler;
use super::split::Split;
use crate::cache::{Columns, PackedGame, Unpacker};
use crate::config::MaskSource;
use crate::encode::{Head, Label};
use crate::gamelog::GameId;
use std::time::Instant;

/// What is done to every row.
pub(super) struct RowPlan {
    pub(super) columns: ExportedColumns,
    /// `None` leaves the encoder's own values.
    pub(super) scaler: Option<Scaler>,
    pub(super) masks: MaskSource,
    /// Of the features.
    pub(super) dtype: Dtype,
    /// Where the time goes.
    pub(super) phases: ExportPhases,
}

/// The rows of one game, ready to be written.
pub(super) struct Block {
    pub(super) split: Split,
    pub(super) game_id: GameId,
    /// Of its rows, as they are in the cache.
    pub(super) fingerprint: Fingerprint,
    /// `turn_number` of each row.
    pub(super) turn_numbers: Vec<i32>,
    /// Row after row, as wide as there are exported columns.
    pub(super) features: FeatureValues,
    /// By head, one a row.
    pub(super) labels: [Vec<Label>; Head::COUNT],
    /// By head, row after row.
    pub(super) masks: [Vec<i8>; Head::COUNT],
    /// What the rows add to the reports.
    pub(super) report: SplitReport,
}

impl Block {
    /// Unpacks a game and brings it into the form of the arrays: columns to rows, normalised.
    pub(super) fn make(
        game: &PackedGame,
        split: Split,
        plan: &RowPlan,
        unpacker: &mut Unpacker,
    ) -> Result<Block, ExportError> {
        let begun = Instant::now();
        let unpacked = unpacker.unpack(game)?;
        let game_id = game.record.game_id;
        let rows = unpacked.turn_numbers.len();
        plan.phases.decode.add(begun.elapsed(), rows as u64);
        let begun = Instant::now();
        let features = match plan.dtype {
            Dtype::Float32 => FeatureValues::Float32(float32_rows(&unpacked.features, rows, plan)),
            Dtype::Float16 | Dtype::Int8 => {
                FeatureValues::narrow(game_id, &unpacked.features, rows, plan)?
            }
        };
        let fingerprint = Fingerprint::of(&unpacked, &unpacker.column_sums(game)?);

        let labels = Head::ALL.map(|head| unpacked.labels.column(head.index()).to_vec());
        let masks = Head::ALL.map(|head| match plan.masks {
            MaskSource::AllOnes => vec![1; rows * head.classes()],
            MaskSource::Legal => {
                let mut mask = vec![0; rows * head.classes()];
                for (class, column) in head.mask_range().enumerate() {
                    let cells = mask[class..].iter_mut().step_by(head.classes());
                    let values = unpacked.masks.column(column);
                    cells.zip(values).for_each(|(cell, &value)| *cell = value);
                }
                mask
            }
        });
        let turn_numbers = unpacked.turn_numbers;
        let report =
            SplitReport::of_game(game_id, game.record.players, &turn_numbers, &labels, &masks);
        plan.phases.normalize.add(begun.elapsed(), rows as u64);
        Ok(Block { split, game_id, fingerprint, turn_numbers, features, labels, masks, report })
    }

    /// How many rows it has.
    pub(super) fn rows(&self) -> usize {
        self.turn_numbers.len()
    }
}

/// Columns to rows, normalised.
fn float32_rows(features: &Columns<f32>, rows: usize, plan: &RowPlan) -> Vec<f32> {
    let width = plan.columns.len();
    let mut cells = vec![0.0; rows * width];
    for (column, &place) in plan.columns.places().iter().enumerate() {
        let values = features.column(place);
        let cells = cells[column..].iter_mut().step_by(width);
        match &plan.scaler {
            Some(scaler) => {
                for (cell, &value) in cells.zip(values) {
                    *cell = scaler.transform(value, column);
                }
            }
            None => cells.zip(values).for_each(|(cell, &value)| *cell = value),
        }
    }
    cells
}
