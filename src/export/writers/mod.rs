//! The formats of an export. Each file implements [`SplitWriter`] for one format.

pub(super) mod arrays;
pub(super) mod block;
pub(super) mod npy;
pub(super) mod parquet;
mod parquet_schema;

use super::error::ExportError;
use super::files::ExportFiles;
use crate::dataset::FeatureValues;
use block::Block;

/// Writes the rows of a split to files, game by game.
pub(super) trait SplitWriter {
    /// Writes the rows of the next game, and returns its feature buffer if it is no longer needed.
    fn write(&mut self, block: Block) -> Result<Option<FeatureValues>, ExportError>;

    /// Finishes the files and adds them to the files of the export.
    fn finish(self: Box<Self>, files: &mut ExportFiles<'_>) -> Result<(), ExportError>;
}
