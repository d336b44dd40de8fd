//! The formats of an export. Each file implements [`SplitWriter`] for one format.

pub(super) mod arrays;
pub(super) mod block;
pub(super) mod features;
pub(super) mod npy;
pub(super) mod parquet;
pub(super) mod parquet_schema;
mod split_writer;

pub(super) use split_writer::SplitWriter;

use super::error::ExportError;
use super::files::ExportFiles;
use super::options::Layout;
use crate::dataset::{Dtype, Split};
use arrays::ArrayWriter;
use parquet::ParquetSplitWriter;

/// Creates the files of a split, for features of a shape (rows, columns).
pub(super) fn create_writer(
    layout: Layout,
    files: &ExportFiles<'_>,
    split: Split,
    shape: [usize; 2],
    dtype: Dtype,
) -> Result<Box<dyn SplitWriter>, ExportError> {
    Ok(match layout {
        Layout::Npz | Layout::Npy => {
            Box::new(ArrayWriter::create(files, split, shape, dtype, layout)?)
        }
        Layout::Parquet => Box::new(ParquetSplitWriter::create(files, split, shape[1], dtype)?),
    })
}
