//! The shape of a Parquet file, from its metadata, without reading features.

use super::arrays::Shape;
use crate::gamelog::GameId;
use crate::platform::open_file;
use parquet::column::reader::ColumnReader;
use parquet::file::reader::{FileReader, SerializedFileReader};
use std::collections::BTreeSet;
use std::error::Error;
use std::fs::File;
use std::path::Path;

/// A Parquet file of an export.
pub(in crate::export) struct ParquetShape {
    /// Number of rows, and of columns of `features`.
    pub(in crate::export) features: Shape,
    pub(in crate::export) game_ids: BTreeSet<GameId>,
}

/// `columns` is used for a file without rows, which has no list to take it from.
pub(in crate::export) fn parquet_shape(
    path: &Path,
    columns: usize,
) -> Result<ParquetShape, String> {
    let file = open_file(path).map_err(|error| format!("cannot be read: {error}"))?;
    read(file, columns).map_err(|error| format!("is not a Parquet file of an export: {error}"))
}

fn read(file: File, columns: usize) -> Result<ParquetShape, Box<dyn Error>> {
    let file = SerializedFileReader::new(file)?;
    let schema = file.metadata().file_metadata().schema_descr();
    let column = |name: &str| {
        let found = schema.columns().iter().position(|column| column.path().parts()[0] == name);
        found.ok_or_else(|| format!("{name} is missing"))
    };
    let (features, game_id) = (column("features")?, column("game_id")?);
    let (mut rows, mut values) = (0_usize, 0_usize);
    let mut game_ids = BTreeSet::new();
    for (index, group) in file.metadata().row_groups().iter().enumerate() {
        let group_rows = usize::try_from(group.num_rows())?;
        rows = rows.saturating_add(group_rows);
        let group_values = usize::try_from(group.column(features).num_values())?;
        values = values.saturating_add(group_values);
        let reader = file.get_row_group(index)?.get_column_reader(game_id)?;
        let ColumnReader::Int64ColumnReader(mut reader) = reader else {
            return Err("game_id is not int64".into());
        };
        let mut ids = Vec::new();
        reader.read_records(group_rows, None, None, &mut ids)?;
        game_ids.extend(ids.into_iter().map(GameId));
    }
    let columns = values.checked_div(rows).unwrap_or(columns);
    Ok(ParquetShape { features: vec![rows, columns], game_ids })
}
