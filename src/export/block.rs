//! The rows of one game as they go into the arrays.

use super::ExportError;
use super::columns::ExportedColumns;
use super::dtype::Dtype;
use super::feature_values::FeatureValues;
use super::fingerprint::Fingerprint;
use super::phases::ExportPhases;
use super::report::SplitReport;
use super::scaler::Scaler;
use super::spare::Spare;
use super::split::Split;
use crate::cache::{CacheError, PackedGame, Unpacker};
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
    /// Of games that are written.
    pub(super) spare_values: Spare<FeatureValues>,
    pub(super) spare_unpackers: Spare<Unpacker>,
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
    ) -> Result<Block, ExportError> {
        let begun = Instant::now();
        let mut unpacker = match plan.spare_unpackers.take() {
            Some(unpacker) => unpacker,
            None => Unpacker::new().map_err(CacheError::from)?,
        };
        let unpacked = unpacker.unpack(game)?;
        let fingerprint = Fingerprint::of(&unpacked, &unpacker.column_sums(game)?);
        plan.spare_unpackers.give_back(unpacker);
        let game_id = game.record.game_id;
        let rows = unpacked.turn_numbers.len();
        plan.phases.decode.add(begun.elapsed(), rows as u64);
        let begun = Instant::now();
        let features = FeatureValues::of(game_id, &unpacked.features, plan)?;

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
