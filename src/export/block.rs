//! The rows of one game as they go into the arrays.

use super::ExportError;
use super::cell_table::Misfit;
use super::columns::ExportedColumns;
use super::feature_values::{FeatureTable, FeatureValues};
use super::fingerprint::Fingerprint;
use super::phases::ExportPhases;
use super::report::SplitReport;
use super::spare::Spare;
use super::split::Split;
use crate::cache::{CacheError, PackedGame, Unpacker};
use crate::dataset::MaskSource;
use crate::encode::{Head, Label};
use crate::gamelog::GameId;
use std::time::Instant;

/// What is done to every row.
pub(super) struct RowPlan {
    pub(super) columns: ExportedColumns,
    /// What becomes of each feature.
    pub(super) table: FeatureTable,
    pub(super) masks: MaskSource,
    /// Of games that are written.
    pub(super) spare_values: Spare<FeatureValues>,
    pub(super) spare_unpackers: Spare<Unpacker>,
    /// Where the time goes.
    pub(super) phases: ExportPhases,
}

impl RowPlan {
    fn does_not_fit(&self, game_id: GameId, misfit: Misfit) -> ExportError {
        let Misfit { column, value } = misfit;
        let (column, dtype) = (self.columns.names()[column], self.table.dtype());
        ExportError::DoesNotFit { game_id, column, value, dtype }
    }
}

/// The rows of one game, ready to be written.
#[derive(Clone)]
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
    /// Unpacks a game and brings it into the form of the arrays, normalised.
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
        let sums = unpacker.column_sums(game)?;
        let unpacked = unpacker.unpack(game)?;
        let fingerprint = Fingerprint::of(unpacked, &sums);
        let game_id = game.record.game_id;
        let turn_numbers = unpacked.turn_numbers().to_vec();
        let rows = turn_numbers.len();
        plan.phases.decode.add(begun.elapsed(), rows as u64);
        let begun = Instant::now();
        let spare = plan.spare_values.take_for(rows * plan.columns.len(), FeatureValues::room);
        let features = plan
            .table
            .look_up(unpacked.features(), spare)
            .map_err(|misfit| plan.does_not_fit(game_id, misfit))?;

        let labels = Head::ALL
            .map(|head| unpacked.labels().iter().map(|labels| labels[head.index()]).collect());
        let masks = Head::ALL.map(|head| match plan.masks {
            MaskSource::AllOnes => vec![1; rows * head.classes()],
            MaskSource::Legal => {
                let mut mask = Vec::with_capacity(rows * head.classes());
                for masks in unpacked.masks() {
                    mask.extend_from_slice(&masks[head.mask_range()]);
                }
                mask
            }
        });
        plan.spare_unpackers.give_back(unpacker);
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
