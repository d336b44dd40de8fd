//! The rows of one split, written in the layout that was asked for.

use super::block::Block;
use super::dtype::Dtype;
use super::feature_values::FeatureWriter;
use super::files::ExportFiles;
use super::parquet_writer::ParquetSplitWriter;
use super::report::SplitReport;
use super::split::Split;
use super::split_writer::{SplitFiles, SplitWriter};
use super::{ExportError, Layout};

/// Writes one split, block after block.
pub(super) enum RowWriter {
    Arrays(Box<SplitWriter>),
    Table(Box<ParquetSplitWriter>),
}

impl RowWriter {
    pub(super) fn create(
        files: &ExportFiles,
        split: Split,
        rows: usize,
        columns: usize,
        dtype: Dtype,
        layout: Layout,
    ) -> Result<RowWriter, ExportError> {
        Ok(match layout {
            Layout::Npz | Layout::Npy => RowWriter::Arrays(Box::new(SplitWriter::create(
                files, split, rows, columns, dtype,
            )?)),
            Layout::Parquet => RowWriter::Table(Box::new(ParquetSplitWriter::create(
                files, split, columns, dtype,
            )?)),
        })
    }

    /// What hashes the features beside their writing, if something does, and what writes.
    pub(super) fn halves(&mut self) -> (Option<&mut FeatureWriter<blake3::Hasher>>, RowFiles<'_>) {
        match self {
            RowWriter::Arrays(writer) => {
                (Some(&mut writer.features_hash), RowFiles::Arrays(&mut writer.files))
            }
            RowWriter::Table(writer) => (None, RowFiles::Table(writer)),
        }
    }

    /// Ends the files and enters them into the receipt.
    pub(super) fn finish(
        self,
        files: &mut ExportFiles,
        layout: Layout,
    ) -> Result<SplitReport, ExportError> {
        match self {
            RowWriter::Arrays(writer) => writer.finish(files, layout),
            RowWriter::Table(writer) => writer.finish(files),
        }
    }
}

/// The files of a [`RowWriter`].
pub(super) enum RowFiles<'w> {
    Arrays(&'w mut SplitFiles),
    Table(&'w mut ParquetSplitWriter),
}

impl RowFiles<'_> {
    pub(super) fn write(&mut self, block: &Block) -> Result<(), ExportError> {
        match self {
            RowFiles::Arrays(files) => Ok(files.write(block)?),
            RowFiles::Table(writer) => writer.write(block),
        }
    }
}
