//! One split as one Parquet file, for readers that know tables rather than arrays.
//!
//! | column | type |
//! | --- | --- |
//! | `game_id`, `turn_number`, `row_in_game` | int64, int32, int32 |
//! | `features` | fixed-size list of float32 (or `--dtype`), one value a column of `feature_cols.json` |
//! | a head's name, as `action_type` | int32, -1 where it does not apply |
//! | a head's name and `_mask`, as `action_type_mask` | fixed-size list of int8, one value a class |
//!
//! Nothing is NULL. Parquet itself knows only lists of any length: that they are of one length
//! stands in the Arrow schema that is kept in the file, by which Polars and pyarrow read them as
//! such. DuckDB reads lists, and casts: `features::FLOAT[1308]`.
//!
//! **Memory.** Rows are encoded as they come and held, compressed, until their row group is full.
//! Row groups are cut at fixed numbers of rows, so that the bytes do not depend on how games were
//! gathered.

use super::ExportError;
use super::block::Block;
use super::dtype::Dtype;
use super::feature_values::FeatureValues;
use super::files::ExportFiles;
use super::npy::HashingFile;
use super::report::SplitReport;
use super::split::Split;
use crate::encode::Head;
use arrow_array::types::Float16Type;
use arrow_array::{
    Array, ArrayRef, FixedSizeListArray, Float32Array, Int8Array, Int32Array, Int64Array,
    PrimitiveArray, RecordBatch,
};
use arrow_buffer::{Buffer, ScalarBuffer};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// Rows of a row group: 10 MB of features before compression, of which three are open at once.
const ROW_GROUP_ROWS: usize = 2_048;

/// Writes one split.
pub(super) struct ParquetSplitWriter {
    split: Split,
    path: PathBuf,
    schema: SchemaRef,
    writer: ArrowWriter<HashingFile>,
    report: SplitReport,
}

impl ParquetSplitWriter {
    pub(super) fn create(
        files: &ExportFiles,
        split: Split,
        columns: usize,
        dtype: Dtype,
    ) -> Result<ParquetSplitWriter, ExportError> {
        let path = files.path(&file_name(split));
        let schema = Arc::new(schema(columns, dtype));
        let file = HashingFile::create(&path).map_err(|error| ExportError::file(&path, error))?;
        let writer = ArrowWriter::try_new(file, schema.clone(), Some(properties()))
            .map_err(|error| ExportError::file(&path, as_io(error)))?;
        Ok(ParquetSplitWriter { split, path, schema, writer, report: SplitReport::default() })
    }

    pub(super) fn write(&mut self, block: &Block) -> Result<(), ExportError> {
        let written = rows_of(block, &self.schema)
            .map_err(ParquetError::from)
            .and_then(|rows| self.writer.write(&rows));
        written.map_err(|error| ExportError::file(&self.path, as_io(error)))?;
        self.report.add(&block.report);
        Ok(())
    }

    /// Ends the file and enters it into the receipt.
    pub(super) fn finish(self, files: &mut ExportFiles) -> Result<SplitReport, ExportError> {
        let file = self.writer.into_inner();
        let file = file.map_err(|error| ExportError::file(&self.path, as_io(error)))?;
        files.enter(file_name(self.split), file.hash())?;
        Ok(self.report)
    }
}

/// `train.parquet`
pub(super) fn file_name(split: Split) -> String {
    format!("{}.parquet", split.name())
}

/// The system's own error where there is one: a full disk is told by it.
fn as_io(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(error) => match error.downcast::<io::Error>() {
            Ok(error) => *error,
            Err(error) => io::Error::other(error),
        },
        error => io::Error::other(error),
    }
}

fn properties() -> WriterProperties {
    let mut properties = WriterProperties::builder()
        // Readers look for known faults of other writers by it.
        .set_created_by(concat!("prep version ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_statistics_enabled(EnabledStatistics::None);
    // By these a reader passes over row groups that it need not read.
    for column in ["game_id", "turn_number", "row_in_game"] {
        let column = ColumnPath::from(column);
        properties = properties.set_column_statistics_enabled(column, EnabledStatistics::Chunk);
    }
    properties.build()
}

/// Every list has a value in every place, and so has every row.
fn item(data_type: DataType) -> Arc<Field> {
    Arc::new(Field::new("item", data_type, false))
}

fn schema(columns: usize, dtype: Dtype) -> Schema {
    let column = |name: &str, data_type| Field::new(name, data_type, false);
    let list = |data_type, length: usize| DataType::FixedSizeList(item(data_type), length as i32);
    let value = match dtype {
        Dtype::Float32 => DataType::Float32,
        Dtype::Float16 => DataType::Float16,
        Dtype::Int8 => DataType::Int8,
    };
    let mut fields = vec![
        column("game_id", DataType::Int64),
        column("turn_number", DataType::Int32),
        column("row_in_game", DataType::Int32),
        column("features", list(value, columns)),
    ];
    fields.extend(Head::ALL.map(|head| column(head.name(), DataType::Int32)));
    fields.extend(Head::ALL.map(|head| {
        column(&format!("{}_mask", head.name()), list(DataType::Int8, head.classes()))
    }));
    Schema::new(fields)
}

fn rows_of(block: &Block, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    let rows = block.rows();
    let features: ArrayRef = match &block.features {
        FeatureValues::Float32(values) => Arc::new(Float32Array::from(values.clone())),
        FeatureValues::Float16(bits) => {
            let values = ScalarBuffer::from(Buffer::from_vec(bits.clone()));
            Arc::new(PrimitiveArray::<Float16Type>::new(values, None))
        }
        FeatureValues::Int8(values) => Arc::new(Int8Array::from(values.clone())),
    };
    let mut columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from(vec![block.game_id.0; rows])),
        Arc::new(Int32Array::from(block.turn_numbers.clone())),
        Arc::new(Int32Array::from_iter_values(0..rows as i32)),
        lists(features, rows)?,
    ];
    for labels in &block.labels {
        columns.push(Arc::new(Int32Array::from(labels.clone())));
    }
    for masks in &block.masks {
        columns.push(lists(Arc::new(Int8Array::from(masks.clone())), rows)?);
    }
    RecordBatch::try_new(schema.clone(), columns)
}

/// Values as one list of equal length a row. A game has at least one row.
fn lists(values: ArrayRef, rows: usize) -> Result<ArrayRef, ArrowError> {
    let length = values.len() / rows.max(1);
    let item = item(values.data_type().clone());
    Ok(Arc::new(FixedSizeListArray::try_new(item, length as i32, values, None)?))
}
