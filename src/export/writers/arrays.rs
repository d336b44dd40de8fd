//! Writes a split as NumPy arrays.

use super::SplitWriter;
use super::block::Block;
use super::features::{create_features, write_features};
use super::npy::NpyWriter;
use crate::dataset::{Dtype, FeatureValues, Split};
use crate::encode::Head;
use crate::export::error::ExportError;
use crate::export::files::{ExportFiles, array_file};
use crate::export::options::Layout;
use crate::gamelog::Outcome;

/// Writes `X`, labels, masks, index and outcomes of one split.
///
/// Every array is written as an `.npy` file, because the number of rows is known in advance. With
/// [`Layout::Npz`], arrays of a kind are packed into one `.npz` at the end.
pub(in crate::export) struct ArrayWriter {
    split: Split,
    layout: Layout,
    features: NpyWriter,
    labels: Vec<NpyWriter>,
    masks: Vec<NpyWriter>,
    game_ids: NpyWriter,
    turn_numbers: NpyWriter,
    rows_in_game: NpyWriter,
    outcomes: Vec<NpyWriter>,
}

/// Arrays of the index, with one value per row.
const INDEX_ARRAYS: [&str; 3] = ["game_id", "turn_number", "row_in_game"];

impl ArrayWriter {
    pub(in crate::export) fn create(
        files: &ExportFiles<'_>,
        split: Split,
        shape: [usize; 2],
        dtype: Dtype,
        layout: Layout,
    ) -> Result<ArrayWriter, ExportError> {
        let rows = shape[0];
        let path = |kind: &str, array: &str| files.path(&array_file(kind, split, array));
        let [game_id, turn_number, row_in_game] = INDEX_ARRAYS.map(|name| path("index", name));
        let label = |head: Head| NpyWriter::of::<i32>(&path("labels", head.name()), &[rows]);
        let mask =
            |head: Head| NpyWriter::of::<i8>(&path("masks", head.name()), &[rows, head.classes()]);
        let outcome = |name| NpyWriter::of::<i32>(&path("outcome", name), &[rows]);
        Ok(ArrayWriter {
            split,
            layout,
            features: create_features(&files.path(&features_file(split)), &shape, dtype)?,
            labels: Head::ALL.into_iter().map(label).collect::<Result<_, _>>()?,
            masks: Head::ALL.into_iter().map(mask).collect::<Result<_, _>>()?,
            game_ids: NpyWriter::of::<i64>(&game_id, &[rows])?,
            turn_numbers: NpyWriter::of::<i32>(&turn_number, &[rows])?,
            rows_in_game: NpyWriter::of::<i32>(&row_in_game, &[rows])?,
            outcomes: Outcome::NAMES.into_iter().map(outcome).collect::<Result<_, _>>()?,
        })
    }
}

impl SplitWriter for ArrayWriter {
    fn write(&mut self, block: Block) -> Result<Option<FeatureValues>, ExportError> {
        write_features(&block.features, &mut self.features)?;
        for (writer, labels) in self.labels.iter_mut().zip(&block.labels) {
            writer.write(labels)?;
        }
        for (writer, masks) in self.masks.iter_mut().zip(&block.masks) {
            writer.write(masks)?;
        }
        let rows = block.rows();
        self.game_ids.write(&vec![block.game_id.0; rows])?;
        self.turn_numbers.write(&block.turn_numbers)?;
        self.rows_in_game.write(&(0..rows as i32).collect::<Vec<_>>())?;
        for (writer, outcomes) in self.outcomes.iter_mut().zip(&block.outcomes) {
            writer.write(outcomes)?;
        }
        Ok(Some(block.features))
    }

    fn finish(self: Box<Self>, files: &mut ExportFiles<'_>) -> Result<(), ExportError> {
        let (split, layout) = (self.split, self.layout);
        files.add(features_file(split), self.features.finish()?)?;
        let mut labels = Vec::new();
        for (head, writer) in Head::ALL.into_iter().zip(self.labels) {
            labels.push((head.name(), writer.finish()?));
        }
        files.add_arrays("labels", split, &labels, layout)?;
        let mut masks = Vec::new();
        for (head, writer) in Head::ALL.into_iter().zip(self.masks) {
            masks.push((head.name(), writer.finish()?));
        }
        files.add_arrays("masks", split, &masks, layout)?;
        let [game_id, turn_number, row_in_game] = INDEX_ARRAYS;
        let index = [
            (game_id, self.game_ids.finish()?),
            (turn_number, self.turn_numbers.finish()?),
            (row_in_game, self.rows_in_game.finish()?),
        ];
        let mut outcomes = Vec::new();
        for (name, writer) in Outcome::NAMES.into_iter().zip(self.outcomes) {
            outcomes.push((name, writer.finish()?));
        }
        // The same in both layouts: small files, for which memory mapping is not needed.
        files.add_arrays("index", split, &index, Layout::Npz)?;
        files.add_arrays("outcome", split, &outcomes, Layout::Npz)
    }
}

fn features_file(split: Split) -> String {
    format!("X_{}.npy", split.name())
}
