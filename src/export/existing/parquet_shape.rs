//! Reads the shape of a Parquet file from its metadata, without reading features.
//!
//! The Parquet library reserves memory for the counts that a footer declares. So the footer of a file from an
//! untrusted source is compared with the size of the file first.

use super::arrays::Shape;
use crate::gamelog::GameId;
use crate::platform::open_file;
use parquet::column::reader::ColumnReader;
use parquet::file::reader::{FileReader, SerializedFileReader};
use std::collections::BTreeSet;
use std::error::Error;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::panic::catch_unwind;
use std::path::Path;

/// Rows whose game ids are read at a time.
const BATCH: usize = 1 << 16;

/// A Parquet file of an export.
pub(in crate::export) struct ParquetShape {
    /// Number of rows, and of columns of `features`.
    pub(in crate::export) features: Shape,
    pub(in crate::export) game_ids: BTreeSet<GameId>,
}

/// `columns` is used for a file without rows.
pub(in crate::export) fn parquet_shape(
    path: &Path,
    columns: usize,
) -> Result<ParquetShape, String> {
    let file = open_file(path).map_err(|error| format!("cannot be read: {error}"))?;
    // The library panics on some invalid numbers.
    let shape = catch_unwind(|| read(file, columns).map_err(|error| error.to_string()));
    let shape = shape.unwrap_or_else(|_| Err("the Parquet library failed".to_owned()));
    shape.map_err(|error| format!("is not a Parquet file of an export: {error}"))
}

fn read(mut file: File, columns: usize) -> Result<ParquetShape, Box<dyn Error>> {
    let bytes = file.metadata()?.len();
    let footer = read_footer(&mut file, bytes)?;
    Numbers { rest: &footer, bytes }.check_struct(0).ok_or("its footer is damaged")?;
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
        // Every row has a different turn, so it takes at least one byte.
        if rows as u64 > bytes {
            return Err(format!("it declares {rows} rows, and has {bytes} bytes").into());
        }
        let group_values = usize::try_from(group.column(features).num_values())?;
        values = values.saturating_add(group_values);
        let reader = file.get_row_group(index)?.get_column_reader(game_id)?;
        let ColumnReader::Int64ColumnReader(mut reader) = reader else {
            return Err("game_id is not int64".into());
        };
        let (mut ids, mut left) = (Vec::new(), group_rows);
        while left > 0 {
            ids.clear();
            let (read, ..) = reader.read_records(left.min(BATCH), None, None, &mut ids)?;
            if read == 0 {
                return Err("it has fewer rows than it declares".into());
            }
            left -= read.min(left);
            game_ids.extend(ids.iter().copied().map(GameId));
        }
    }
    let columns = values.checked_div(rows).unwrap_or(columns);
    Ok(ParquetShape { features: vec![rows, columns], game_ids })
}

/// The metadata at the end of a file, which are followed by their length and a magic number.
fn read_footer(file: &mut File, bytes: u64) -> Result<Vec<u8>, Box<dyn Error>> {
    const END: u64 = 8;
    let mut end = [0; END as usize];
    file.seek(SeekFrom::Start(bytes.checked_sub(END).ok_or("it is too short")?))?;
    file.read_exact(&mut end)?;
    let [length, _mark] = end.as_chunks().0 else { return Err("it is too short".into()) };
    let length = u64::from(u32::from_le_bytes(*length));
    let start = (bytes - END).checked_sub(length).ok_or("its footer is longer than the file")?;
    file.seek(SeekFrom::Start(start))?;
    let mut footer = Vec::new();
    file.take(length).read_to_end(&mut footer)?;
    Ok(footer)
}

/// The numbers in a footer, which is in Thrift's compact encoding
/// (<https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md>). `None` stands for an
/// impossible number: a negative one, or more elements or children than the file has bytes.
struct Numbers<'f> {
    rest: &'f [u8],
    /// Size of the file.
    bytes: u64,
}

impl Numbers<'_> {
    /// More than the footer of any table.
    const MAX_DEPTH: u32 = 32;

    fn check_struct(&mut self, depth: u32) -> Option<()> {
        loop {
            let field = self.byte()?;
            if field == 0 {
                return Some(());
            }
            if field >> 4 == 0 {
                // The field number, which is stored if it does not follow closely.
                self.varint()?;
            }
            // The value of a boolean is in its type.
            if !matches!(field & 15, 1 | 2) {
                self.check_value(field & 15, depth)?;
            }
        }
    }

    fn check_value(&mut self, kind: u8, depth: u32) -> Option<()> {
        match kind {
            1..=3 => self.byte().map(drop),
            // Zigzag: the lowest bit is the sign. Only counts and sizes have 32 bits.
            4 => self.varint().map(drop),
            5 => self
                .varint()
                .filter(|number| number & 1 == 0 && number >> 1 <= self.bytes)
                .map(drop),
            6 => self.varint().filter(|number| number & 1 == 0).map(drop),
            7 => self.skip(8),
            8 => {
                let length = self.varint()?;
                self.skip(length)
            }
            9 | 10 => {
                let head = self.byte()?;
                let length = if head >> 4 == 15 { self.varint()? } else { u64::from(head >> 4) };
                let is_possible = length <= self.rest.len() as u64;
                is_possible.then_some(())?;
                (0..length).try_for_each(|_| self.check_value(head & 15, depth))
            }
            12 if depth < Self::MAX_DEPTH => self.check_struct(depth + 1),
            _ => None,
        }
    }

    fn byte(&mut self) -> Option<u8> {
        self.rest.split_off_first().copied()
    }

    fn skip(&mut self, bytes: u64) -> Option<()> {
        self.rest = self.rest.get(usize::try_from(bytes).ok()?..)?;
        Some(())
    }

    fn varint(&mut self) -> Option<u64> {
        let mut number = 0;
        for place in 0..10 {
            let byte = self.byte()?;
            number |= u64::from(byte & 127) << (7 * place);
            if byte < 128 {
                return Some(number);
            }
        }
        None
    }
}
