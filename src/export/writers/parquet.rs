//! Writes a split as one Parquet file, for programs that read tables.
//!
//! | column | type |
//! | --- | --- |
//! | `game_id`, `turn_number`, `row_in_game` | int64, int32, int32 |
//! | `features` | fixed-size list of float32 (or `--dtype`), one value per column of `feature_cols.json` |
//! | a head's name, as `action_type` | int32, -1 where it does not apply |
//! | a head's name and `_mask`, as `action_type_mask` | fixed-size list of int8, one value per class |
//! | `won`, `place`, `margin`, `rounds_left` | int32 |
//!
//! There are no NULLs. Parquet itself has only lists of variable length; the Arrow schema in the file
//! has the fixed length, and Polars and pyarrow use it. DuckDB reads lists of variable length, which can
//! be cast: `features::FLOAT[1308]`.
//!
//! **Memory.** Rows are buffered until their row group is full. All row groups have the same number of
//! rows, so that the bytes do not depend on how the rows arrive.

use super::SplitWriter;
use super::block::Block;
use super::npy::HashingFile;
use super::parquet_schema::{arrow_schema, parquet_columns, parquet_schema};
use crate::dataset::{Dtype, FeatureValues, Split};
use crate::encode::Head;
use crate::export::error::ExportError;
use crate::export::files::ExportFiles;
use crate::gamelog::Outcome;
use parquet::basic::{Compression, ZstdLevel};
use parquet::data_type::{
    ByteArray, DataType, FixedLenByteArray, FixedLenByteArrayType, FloatType, Int32Type, Int64Type,
};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::ColumnPath;
use std::io;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

/// Rows per row group: 10 MB of features before compression, and three groups are open at a time.
const ROW_GROUP_ROWS: usize = 2_048;

/// Writes one split.
pub(in crate::export) struct ParquetSplitWriter {
    split: Split,
    path: PathBuf,
    writer: SerializedFileWriter<HashingFile>,
    columns: usize,
    dtype: Dtype,
    /// The row group that is being filled.
    pending: Vec<GameRows>,
    pending_rows: usize,
}

/// Rows of a game; a row group may end within a game.
struct GameRows {
    game: Arc<Block>,
    rows: Range<usize>,
}

impl ParquetSplitWriter {
    pub(in crate::export) fn create(
        files: &ExportFiles,
        split: Split,
        columns: usize,
        dtype: Dtype,
    ) -> Result<ParquetSplitWriter, ExportError> {
        let path = files.path(&file_name(split));
        let file = HashingFile::create(&path).map_err(|error| ExportError::file(&path, error))?;
        let in_file = parquet_columns(columns, dtype);
        let writer = parquet_schema(&in_file).and_then(|schema| {
            let properties = Arc::new(properties(arrow_schema(&in_file)));
            SerializedFileWriter::new(file, schema, properties)
        });
        let writer = writer.map_err(|error| ExportError::file(&path, as_io(error)))?;
        let (pending, pending_rows) = (Vec::new(), 0);
        Ok(ParquetSplitWriter { split, path, writer, columns, dtype, pending, pending_rows })
    }

    fn end_row_group(&mut self) -> Result<(), ExportError> {
        let written = self.write_row_group();
        self.pending.clear();
        self.pending_rows = 0;
        written.map_err(|error| ExportError::file(&self.path, as_io(error)))
    }

    /// Writes column after column, in the order of [`parquet_columns`].
    fn write_row_group(&mut self) -> Result<(), ParquetError> {
        let (mut group, games) = (self.writer.next_row_group()?, &self.pending);
        write_column::<Int64Type>(&mut group, games, None, |game, rows| {
            vec![game.game_id.0; rows.len()]
        })?;
        write_column::<Int32Type>(&mut group, games, None, |game, rows| {
            game.turn_numbers[rows].to_vec()
        })?;
        write_column::<Int32Type>(&mut group, games, None, |_, rows| {
            rows.map(|row| row as i32).collect()
        })?;
        let columns = Some(self.columns);
        match self.dtype {
            Dtype::Float32 => write_column::<FloatType>(&mut group, games, columns, float32)?,
            Dtype::Float16 => {
                write_column::<FixedLenByteArrayType>(&mut group, games, columns, float16)?;
            }
            Dtype::Int8 => write_column::<Int32Type>(&mut group, games, columns, int8)?,
        }
        for head in Head::ALL {
            write_column::<Int32Type>(&mut group, games, None, |game, rows| {
                game.labels[head.index()][rows].to_vec()
            })?;
        }
        for head in Head::ALL {
            let classes = Some(head.classes());
            write_column::<Int32Type>(&mut group, games, classes, |game, values| {
                game.masks[head.index()][values].iter().map(|&mask| mask.into()).collect()
            })?;
        }
        for at in 0..Outcome::COUNT {
            write_column::<Int32Type>(&mut group, games, None, |game, rows| {
                game.outcomes[at][rows].to_vec()
            })?;
        }
        group.close()?;
        Ok(())
    }
}

impl SplitWriter for ParquetSplitWriter {
    fn write(&mut self, block: Block) -> Result<Option<FeatureValues>, ExportError> {
        let game = Arc::new(block);
        let mut start = 0;
        while start < game.rows() {
            let end = game.rows().min(start + ROW_GROUP_ROWS - self.pending_rows);
            self.pending.push(GameRows { game: game.clone(), rows: start..end });
            self.pending_rows += end - start;
            if self.pending_rows == ROW_GROUP_ROWS {
                self.end_row_group()?;
            }
            start = end;
        }
        Ok(None)
    }

    fn finish(mut self: Box<Self>, files: &mut ExportFiles<'_>) -> Result<(), ExportError> {
        if self.pending_rows > 0 {
            self.end_row_group()?;
        }
        let file = self.writer.into_inner().map_err(as_io);
        let hash = file.and_then(HashingFile::finish);
        let hash = hash.map_err(|error| ExportError::file(&self.path, error))?;
        files.add(file_name(self.split), hash)
    }
}

/// Writes a column of numbers, or of lists of `list_size` numbers. `values` returns a range of a game's
/// numbers in that column. Every game is a separate batch, which determines where pages end.
fn write_column<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, HashingFile>,
    games: &[GameRows],
    list_size: Option<usize>,
    values: impl Fn(&Block, Range<usize>) -> Vec<T::T>,
) -> Result<(), ParquetError> {
    let column = group.next_column()?;
    let mut column = column.ok_or_else(|| ParquetError::General("no such column".to_owned()))?;
    let writer = column.typed::<T>();
    for GameRows { game, rows } in games {
        match list_size {
            None => writer.write_batch(&values(game, rows.clone()), None, None)?,
            Some(size) => {
                let values = values(game, rows.start * size..rows.end * size);
                // No value is NULL, and each list begins a new row.
                let defined = vec![1; values.len()];
                let repeated: Vec<i16> =
                    (0..values.len()).map(|value| (value % size != 0).into()).collect();
                writer.write_batch(&values, Some(&defined), Some(&repeated))?
            }
        };
    }
    column.close()
}

fn float32(game: &Block, range: Range<usize>) -> Vec<f32> {
    let FeatureValues::Float32(values) = &game.features else { unreachable!("{OF_ONE_TYPE}") };
    values[range].to_vec()
}

fn float16(game: &Block, range: Range<usize>) -> Vec<FixedLenByteArray> {
    let FeatureValues::Float16(bits) = &game.features else { unreachable!("{OF_ONE_TYPE}") };
    let bytes: Vec<u8> = bits[range].iter().flat_map(|bits| bits.to_le_bytes()).collect();
    let values = bytes.len() / 2;
    // Slices share their bytes, so that values need no allocation.
    let bytes = ByteArray::from(bytes);
    (0..values).map(|value| bytes.slice(2 * value, 2).into()).collect()
}

fn int8(game: &Block, range: Range<usize>) -> Vec<i32> {
    let FeatureValues::Int8(values) = &game.features else { unreachable!("{OF_ONE_TYPE}") };
    values[range].iter().map(|&value| value.into()).collect()
}

const OF_ONE_TYPE: &str = "rows and files are made for the same type";

/// `train.parquet`
pub(in crate::export) fn file_name(split: Split) -> String {
    format!("{}.parquet", split.name())
}

/// The underlying I/O error, if there is one, which is needed to detect a full disk.
fn as_io(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(error) => match error.downcast::<io::Error>() {
            Ok(error) => *error,
            Err(error) => io::Error::other(error),
        },
        error => io::Error::other(error),
    }
}

fn properties(arrow_schema: KeyValue) -> WriterProperties {
    let mut properties = WriterProperties::builder()
        // Readers use it to work around bugs of other writers.
        .set_created_by(concat!("prep version ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_statistics_enabled(EnabledStatistics::None)
        .set_key_value_metadata(Some(vec![arrow_schema]));
    // Readers use these to skip row groups.
    for column in ["game_id", "turn_number", "row_in_game"] {
        let column = ColumnPath::from(column);
        properties = properties.set_column_statistics_enabled(column, EnabledStatistics::Chunk);
    }
    properties.build()
}
