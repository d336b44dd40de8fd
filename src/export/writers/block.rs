//! The rows of one game, converted for the arrays.

use crate::cache::{PackedGame, Unpacker};
use crate::dataset::{
    Columns, Dtype, FeatureTable, FeatureValues, MaskSource, OutOfRange, ShortHash,
};
use crate::encode::{ColumnSums, EncodedGame, Head, Label};
use crate::export::error::ExportError;
use crate::export::phases::ExportPhases;
use crate::export::statistics::RowCounts;
use crate::gamelog::{GameId, Outcome, outcome_arrays};
use std::time::Instant;

/// How rows are converted.
pub(in crate::export) struct RowPlan<'e> {
    pub(in crate::export) columns: &'e Columns,
    /// The conversion of features.
    pub(in crate::export) table: FeatureTable,
    pub(in crate::export) dtype: Dtype,
    pub(in crate::export) masks: MaskSource,
    /// Timers of the phases.
    pub(in crate::export) phases: ExportPhases,
}

/// The rows of one game, ready to be written.
pub(in crate::export) struct Block {
    pub(in crate::export) game_id: GameId,
    /// See [`hash_rows`].
    pub(in crate::export) row_hash: ShortHash,
    /// `turn_number` of each row.
    pub(in crate::export) turn_numbers: Vec<i32>,
    /// Row after row, with the exported columns.
    pub(in crate::export) features: FeatureValues,
    /// By head, one per row.
    pub(in crate::export) labels: [Vec<Label>; Head::COUNT],
    /// By head, row after row.
    pub(in crate::export) masks: [Vec<i8>; Head::COUNT],
    /// Outcomes in the order of [`Outcome::NAMES`], one per row.
    pub(in crate::export) outcomes: [Vec<i32>; Outcome::COUNT],
    pub(in crate::export) counts: RowCounts,
}

impl RowPlan<'_> {
    /// Decodes a game and converts it for the arrays, normalized.
    pub(in crate::export) fn make_block(
        &self,
        game: &PackedGame,
        unpacker: &mut Unpacker,
    ) -> Result<Block, ExportError> {
        let begun = Instant::now();
        let sums = unpacker.column_sums(game)?;
        let decoded = unpacker.unpack(game)?;
        let row_hash = hash_rows(decoded, &sums);
        let turn_numbers = decoded.turn_numbers().to_vec();
        let rows = turn_numbers.len();
        self.phases.decode.add(begun.elapsed(), rows as u64);

        let begun = Instant::now();
        let game_id = game.record.game_id;
        let features = self
            .table
            .look_up(decoded.features(), &turn_numbers)
            .map_err(|value| self.out_of_range(game_id, value))?;
        let labels = Head::ALL
            .map(|head| decoded.labels().iter().map(|labels| labels[head.index()]).collect());
        let masks = Head::ALL.map(|head| self.masks_of(head, decoded));
        let rows_in_order = decoded.boards().iter().zip(&turn_numbers);
        let outcomes = outcome_arrays(rows_in_order.map(|(board, &turn_number)| {
            Outcome::of(game.record.play.as_ref(), board.to_move, turn_number)
        }));
        let players = game.record.players;
        let counts = RowCounts::of_game(game_id, players, &turn_numbers, &labels, &masks);
        self.phases.normalize.add(begun.elapsed(), rows as u64);
        Ok(Block { game_id, row_hash, turn_numbers, features, labels, masks, outcomes, counts })
    }

    fn masks_of(&self, head: Head, game: &EncodedGame) -> Vec<i8> {
        match self.masks {
            MaskSource::AllOnes => vec![1; game.masks().len() * head.classes()],
            MaskSource::Legal => {
                let mut masks = Vec::with_capacity(game.masks().len() * head.classes());
                for row in game.masks() {
                    masks.extend_from_slice(&row[head.mask_range()]);
                }
                masks
            }
        }
    }

    fn out_of_range(
        &self,
        game_id: GameId,
        OutOfRange { column, value }: OutOfRange,
    ) -> ExportError {
        let (column, dtype) = (self.columns.names()[column], self.dtype);
        ExportError::OutOfRange { game_id, column, value, dtype }
    }
}

impl Block {
    /// The number of rows.
    pub(in crate::export) fn rows(&self) -> usize {
        self.turn_numbers.len()
    }
}

/// Hash of a game's rows before conversion: it does not depend on the split, feature set, masks or
/// normalization.
///
/// It covers turn numbers, labels, and the exact sums of every column and its squares. Hashing these 24
/// KB takes a fraction of the time for all 100,000 values of a game.
fn hash_rows(game: &EncodedGame, sums: &ColumnSums) -> ShortHash {
    let labels = Head::ALL
        .into_iter()
        .flat_map(|head| game.labels().iter().map(move |labels| &labels[head.index()]));
    let mut bytes = Vec::with_capacity(2 * size_of_val(&sums.sum[..]));
    for number in game.turn_numbers().iter().chain(labels) {
        bytes.extend_from_slice(&number.to_le_bytes());
    }
    for number in sums.sum.iter().chain(&sums.sum_of_squares) {
        bytes.extend_from_slice(&number.to_le_bytes());
    }
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"splendor-prep rows 1").update(&sums.rows.to_le_bytes()).update(&bytes);
    hasher.finalize().into()
}
