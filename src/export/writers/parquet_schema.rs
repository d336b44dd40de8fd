//! The columns of a Parquet file as a Parquet schema and as an Arrow schema.
//!
//! Parquet has only lists of variable length. The fixed length of the lists is in the Arrow schema,
//! which is stored in the file's metadata: Polars and pyarrow use it to read fixed-size lists.

use crate::dataset::Dtype;
use crate::encode::Head;
use crate::gamelog::Outcome;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use flatbuffers::{FlatBufferBuilder, ForwardsUOffset, TableFinishedWIPOffset, WIPOffset};
use parquet::errors::Result;
use parquet::file::metadata::KeyValue;
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::TypePtr;
use std::sync::Arc;

/// A column without NULLs.
pub(in crate::export) struct ParquetColumn {
    name: String,
    value: ValueType,
    /// The number of values per row, for a column of lists.
    list_size: Option<usize>,
}

#[derive(Clone, Copy)]
enum ValueType {
    Int64,
    Int32,
    Int8,
    Float16,
    Float32,
}

/// All columns, in the order of the file.
pub(in crate::export) fn parquet_columns(features: usize, dtype: Dtype) -> Vec<ParquetColumn> {
    let column =
        |name: &str, value, list_size| ParquetColumn { name: name.to_owned(), value, list_size };
    let feature = match dtype {
        Dtype::Float32 => ValueType::Float32,
        Dtype::Float16 => ValueType::Float16,
        Dtype::Int8 => ValueType::Int8,
    };
    let mut columns = vec![
        column("game_id", ValueType::Int64, None),
        column("turn_number", ValueType::Int32, None),
        column("row_in_game", ValueType::Int32, None),
        column("features", feature, Some(features)),
    ];
    columns.extend(Head::ALL.map(|head| column(head.name(), ValueType::Int32, None)));
    columns.extend(Head::ALL.map(|head| {
        column(&format!("{}_mask", head.name()), ValueType::Int8, Some(head.classes()))
    }));
    columns.extend(Outcome::NAMES.map(|name| column(name, ValueType::Int32, None)));
    columns
}

/// The Parquet schema.
pub(in crate::export) fn parquet_schema(columns: &[ParquetColumn]) -> Result<TypePtr> {
    let mut message = "message arrow_schema {".to_owned();
    for ParquetColumn { name, value, list_size } in columns {
        let of_type = |name: &str| match value {
            ValueType::Int64 => format!("required int64 {name};"),
            ValueType::Int32 => format!("required int32 {name};"),
            ValueType::Int8 => format!("required int32 {name} (integer(8, true));"),
            ValueType::Float16 => format!("required fixed_len_byte_array(2) {name} (float16);"),
            ValueType::Float32 => format!("required float {name};"),
        };
        message += &match list_size {
            None => of_type(name),
            Some(_) => {
                let item = of_type("item");
                format!("required group {name} (list) {{ repeated group list {{ {item} }} }}")
            }
        };
    }
    message.push('}');
    Ok(Arc::new(parse_message_type(&message)?))
}

/// The same columns as an Arrow schema: an IPC message in base64, which is a flatbuffer of
/// <https://github.com/apache/arrow/blob/main/format/Schema.fbs>.
pub(in crate::export) fn arrow_schema(columns: &[ParquetColumn]) -> KeyValue {
    const METADATA_V5: i16 = 4;
    const HEADER_IS_SCHEMA: u8 = 1;
    let mut buffer = FlatBufferBuilder::new();
    let fields: Vec<_> = columns
        .iter()
        .map(|column| arrow_field(&mut buffer, &column.name, column.value, column.list_size))
        .collect();
    let fields = buffer.create_vector(&fields);
    let schema = table(&mut buffer, |buffer| buffer.push_slot_always(slot(1), fields));
    let message = table(&mut buffer, |buffer| {
        buffer.push_slot(slot(0), METADATA_V5, 0);
        buffer.push_slot(slot(1), HEADER_IS_SCHEMA, 0);
        buffer.push_slot_always(slot(2), schema);
    });
    buffer.finish(message, None);
    let message = buffer.finished_data();
    let mut framed = vec![0xff; 4];
    framed.extend((message.len() as u32).to_le_bytes());
    framed.extend(message);
    KeyValue::new("ARROW:schema".to_owned(), BASE64_STANDARD.encode(framed))
}

type Buffer = FlatBufferBuilder<'static>;
type Table = WIPOffset<TableFinishedWIPOffset>;

fn arrow_field(
    buffer: &mut Buffer,
    name: &str,
    value: ValueType,
    list_size: Option<usize>,
) -> Table {
    const INT: u8 = 2;
    const FLOATING_POINT: u8 = 3;
    const FIXED_SIZE_LIST: u8 = 16;
    let name = buffer.create_string(name);
    let (kind, data_type, children) = match list_size {
        Some(size) => {
            let item = arrow_field(buffer, "item", value, None);
            let list = table(buffer, |buffer| buffer.push_slot(slot(0), size as i32, 0));
            (FIXED_SIZE_LIST, list, buffer.create_vector(&[item]))
        }
        None => {
            let children = buffer.create_vector::<ForwardsUOffset<TableFinishedWIPOffset>>(&[]);
            let integer = |buffer: &mut Buffer, bits: i32| {
                buffer.push_slot(slot(1), true, false);
                buffer.push_slot(slot(0), bits, 0);
            };
            let float = |buffer: &mut Buffer, precision: i16| {
                buffer.push_slot(slot(0), precision, 0);
            };
            let (kind, data_type) = match value {
                ValueType::Int64 => (INT, table(buffer, |buffer| integer(buffer, 64))),
                ValueType::Int32 => (INT, table(buffer, |buffer| integer(buffer, 32))),
                ValueType::Int8 => (INT, table(buffer, |buffer| integer(buffer, 8))),
                ValueType::Float16 => (FLOATING_POINT, table(buffer, |buffer| float(buffer, 0))),
                ValueType::Float32 => (FLOATING_POINT, table(buffer, |buffer| float(buffer, 1))),
            };
            (kind, data_type, children)
        }
    };
    table(buffer, |buffer| {
        buffer.push_slot_always(slot(0), name);
        buffer.push_slot(slot(2), kind, 0);
        buffer.push_slot_always(slot(5), children);
        buffer.push_slot_always(slot(3), data_type);
    })
}

fn table(buffer: &mut Buffer, fill: impl FnOnce(&mut Buffer)) -> Table {
    let start = buffer.start_table();
    fill(buffer);
    buffer.end_table(start)
}

/// The offset of a table's field by its number.
fn slot(field: u16) -> u16 {
    4 + 2 * field
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The output of arrow-ipc 60, which Polars and pyarrow read.
    #[test]
    fn arrow_schema_is_unchanged() {
        let mut columns = parquet_columns(7, Dtype::Float16);
        columns.truncate(4);
        let expected = "/////1gBAAAQAAAAAAAKAAwACgAJAAQACgAAABAAAAAAAQQACAAIAAAABAAIAAAABAAAAAQAAADwAAAAqAAAAH\
            AAAAAEAAAAMP///yAAAAAMAAAAAAAAEEgAAAABAAAAFAAAAAAABgAIAAQABgAAAAcAAABc////FAAAABQAAAAA\
            AAADEAAAAAQABAAEAAAAAAAAAAQAAABpdGVtAAAAAAgAAABmZWF0dXJlcwAAAACY////EAAAABgAAAAAAAACFA\
            AAAIj///8gAAAAAAAAAQAAAAALAAAAcm93X2luX2dhbWUAzP///xAAAAAYAAAAAAAAAhQAAAC8////IAAAAAAA\
            AAEAAAAACwAAAHR1cm5fbnVtYmVyABAAFAAQAAAADwAEAAAACAAQAAAAGAAAACAAAAAAAAACHAAAAAgADAAEAA\
            sACAAAAEAAAAAAAAABAAAAAAcAAABnYW1lX2lkAA==";
        assert_eq!(arrow_schema(&columns).value.as_deref(), Some(expected));
    }
}
