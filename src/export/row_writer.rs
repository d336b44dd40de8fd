//! The rows of one split, written in the layout that was asked for.

use super::block::Block;
use super::dtype::Dtype;
use super::files::ExportFiles;
use super::parquet_writer::ParquetSplitWriter;
use super::report::SplitReport;
use super::split::Split;
use super::split_writer::SplitWriter;
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

    pub(super) fn write(&mut self, block: &Block) -> Result<(), ExportError> {
        match self {
            RowWriter::Arrays(writer) => Ok(writer.write(block)?),
            RowWriter::Table(writer) => writer.write(block),
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
