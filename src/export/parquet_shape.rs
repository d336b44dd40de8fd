//! The shape of a Parquet file, from its end: no features are read for it.

use super::shapes::Shape;
use crate::gamelog::GameId;
use arrow_array::{Array, Int64Array};
use arrow_schema::DataType;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use std::collections::BTreeSet;
use std::fs::File;
use std::path::Path;

/// A Parquet file of an export.
pub(super) struct ParquetShape {
    /// Rows, and columns of `features`.
    pub(super) features: Shape,
    pub(super) game_ids: BTreeSet<GameId>,
}

pub(super) fn parquet_shape(path: &Path) -> Result<ParquetShape, String> {
    let file = File::open(path).map_err(|error| format!("cannot be read: {error}"))?;
    let read = || -> Result<ParquetShape, Box<dyn std::error::Error>> {
        let builder = ParquetRecordBatchReaderBuilder::try_new(file)?;
        let rows = builder.metadata().file_metadata().num_rows() as usize;
        let columns = match builder.schema().field_with_name("features")?.data_type() {
            DataType::FixedSizeList(_, columns) => *columns as usize,
            other => return Err(format!("features is {other}").into()),
        };
        let only_ids = ProjectionMask::columns(builder.parquet_schema(), ["game_id"]);
        let mut game_ids = BTreeSet::new();
        for batch in builder.with_projection(only_ids).build()? {
            let batch = batch?;
            let ids = batch.column(0).as_any().downcast_ref::<Int64Array>();
            let ids = ids.ok_or("game_id is not int64")?;
            game_ids.extend(ids.values().iter().map(|&id| GameId(id)));
        }
        Ok(ParquetShape { features: vec![rows, columns], game_ids })
    };
    read().map_err(|error| format!("is not a Parquet file of an export: {error}"))
}
