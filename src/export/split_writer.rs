//! The array files of one split, written block after block.

use super::block::Block;
use super::dtype::Dtype;
use super::early_sync::EarlySyncedFile;
use super::feature_values::FeatureWriter;
use super::files::{ExportFiles, array_file};
use super::npy::{NpyError, NpyWriter, create};
use super::report::SplitReport;
use super::split::Split;
use super::{ExportError, Layout};
use crate::encode::Head;

/// Writes `X`, labels, masks and index of one split.
///
/// Every array is an `.npy` file first, since how many rows come is known and nothing has to be
/// held back. In the [`Layout::Npz`] layout those of a kind are packed into one `.npz` at the end.
pub(super) struct SplitWriter {
    /// The same bytes as go into the file of `X`. They are nearly all of an export, and hashing them
    /// takes a third of the time that writing them does: it is done beside that.
    pub(super) features_hash: FeatureWriter<blake3::Hasher>,
    pub(super) files: SplitFiles,
}

/// All files of one split.
pub(super) struct SplitFiles {
    split: Split,
    features: FeatureWriter<EarlySyncedFile>,
    labels: Vec<NpyWriter<i32>>,
    masks: Vec<NpyWriter<i8>>,
    game_ids: NpyWriter<i64>,
    turn_numbers: NpyWriter<i32>,
    rows_in_game: NpyWriter<i32>,
    pub(super) report: SplitReport,
}

/// Arrays of the index, one value a row.
const INDEX_ARRAYS: [&str; 3] = ["game_id", "turn_number", "row_in_game"];

impl SplitWriter {
    pub(super) fn create(
        files: &ExportFiles,
        split: Split,
        rows: usize,
        columns: usize,
        dtype: Dtype,
    ) -> Result<SplitWriter, NpyError> {
        let path = |kind: &str, array: &str| files.path(&array_file(kind, split, array));
        let [game_id, turn_number, row_in_game] = INDEX_ARRAYS.map(|name| path("index", name));
        let label = |head: Head| NpyWriter::vector(&path("labels", head.name()), rows);
        let mask =
            |head: Head| NpyWriter::matrix(&path("masks", head.name()), rows, head.classes());
        let (path_of_features, shape) = (files.path(&features_file(split)), [rows, columns]);
        let features = EarlySyncedFile::new(create(&path_of_features)?);
        let hasher = blake3::Hasher::new();
        let files = SplitFiles {
            split,
            features: FeatureWriter::over(features, &path_of_features, shape, dtype)?,
            labels: Head::ALL.into_iter().map(label).collect::<Result<_, _>>()?,
            masks: Head::ALL.into_iter().map(mask).collect::<Result<_, _>>()?,
            game_ids: NpyWriter::vector(&game_id, rows)?,
            turn_numbers: NpyWriter::vector(&turn_number, rows)?,
            rows_in_game: NpyWriter::vector(&row_in_game, rows)?,
            report: SplitReport::default(),
        };
        let features_hash = FeatureWriter::over(hasher, &path_of_features, shape, dtype)?;
        Ok(SplitWriter { features_hash, files })
    }

    /// Ends the files and enters them into the receipt.
    pub(super) fn finish(
        self,
        files: &mut ExportFiles,
        layout: Layout,
    ) -> Result<SplitReport, ExportError> {
        let hash = self.features_hash.end()?.finalize();
        self.files.finish(hash, files, layout)
    }
}

impl SplitFiles {
    /// Writes all of a block; its features are to be [hashed](SplitWriter::features_hash) besides.
    pub(super) fn write(&mut self, block: &Block) -> Result<(), NpyError> {
        self.features.write(&block.features)?;
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
        self.report.add(&block.report);
        Ok(())
    }

    fn finish(
        self,
        features_hash: blake3::Hash,
        files: &mut ExportFiles,
        layout: Layout,
    ) -> Result<SplitReport, ExportError> {
        let split = self.split;
        let path = files.path(&features_file(split));
        self.features.end()?.end().map_err(|error| ExportError::file(&path, error))?;
        files.enter(features_file(split), features_hash)?;

        let mut labels = Vec::new();
        for (head, writer) in Head::ALL.into_iter().zip(self.labels) {
            labels.push((head.name(), writer.finish()?));
        }
        files.enter_arrays("labels", split, &labels, layout)?;
        let mut masks = Vec::new();
        for (head, writer) in Head::ALL.into_iter().zip(self.masks) {
            masks.push((head.name(), writer.finish()?));
        }
        files.enter_arrays("masks", split, &masks, layout)?;
        let [game_id, turn_number, row_in_game] = INDEX_ARRAYS;
        let index = [
            (game_id, self.game_ids.finish()?),
            (turn_number, self.turn_numbers.finish()?),
            (row_in_game, self.rows_in_game.finish()?),
        ];
        // The index is one small file in either layout: it is never mapped into memory.
        files.enter_arrays("index", split, &index, Layout::Npz)?;
        Ok(self.report)
    }
}

fn features_file(split: Split) -> String {
    format!("X_{}.npy", split.name())
}
