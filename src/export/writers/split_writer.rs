//! The trait of the writers of a split.

use super::block::Block;
use crate::dataset::FeatureValues;
use crate::export::error::ExportError;
use crate::export::files::ExportFiles;

/// Writes the rows of a split to files, game by game.
pub(in crate::export) trait SplitWriter {
    /// Writes the rows of the next game, and returns its feature buffer if it is no longer needed.
    fn write(&mut self, block: Block) -> Result<Option<FeatureValues>, ExportError>;

    /// Finishes the files and adds them to the files of the export.
    fn finish(self: Box<Self>, files: &mut ExportFiles<'_>) -> Result<(), ExportError>;
}
