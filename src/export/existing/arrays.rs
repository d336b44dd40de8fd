//! Reads `.npy` and `.npz` files from untrusted sources.
//!
//! The declared shape is compared with the size of the file before anything is allocated or read: a
//! header of a hundred bytes can declare 10^12 rows. Nested headers are rejected before ndarray-npy
//! reads them, because its time doubles with each level.

use crate::export::manifest::MAX_SMALL_FILE;
use crate::gamelog::GameId;
use crate::platform::open_file;
use crate::words::shown;
use ndarray::Array1;
use ndarray_npy::npy::header::Header;
use ndarray_npy::{ReadNpyExt, ReadableElement};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufReader, Cursor, ErrorKind, Read};
use std::path::Path;
use zip::{CompressionMethod, ZipArchive};

/// The length of each axis.
pub(in crate::export) type Shape = Vec<usize>;

/// Why arrays cannot be read.
#[derive(Debug, thiserror::Error)]
pub(in crate::export) enum ReadError {
    #[error("cannot be read: {0}")]
    Unreadable(#[from] io::Error),
    /// The reason.
    #[error("is not a file of arrays: {0}")]
    Invalid(String),
}

fn invalid(why: impl ToString) -> ReadError {
    // Messages of libraries repeat content of the file.
    ReadError::Invalid(shown(&why.to_string()).to_string())
}

/// The shape of the array in an `.npy` file.
pub(in crate::export) fn npy_shape(path: &Path) -> Result<Shape, ReadError> {
    let file = open_file(path)?;
    let bytes = file.metadata()?.len();
    Ok(read_header(&mut BufReader::new(file), bytes)?.shape)
}

/// The header of an array.
struct ArrayHeader {
    /// Number of bytes before the first element.
    bytes: Vec<u8>,
    shape: Shape,
    /// The NumPy type, such as `<f4`.
    element_type: String,
}

/// Reads the header of an array of `bytes` bytes, including the header.
fn read_header(reader: &mut impl Read, bytes: u64) -> Result<ArrayHeader, ReadError> {
    /// As in NumPy.
    const MAX_HEADER_BYTES: usize = 10_000;
    /// A dictionary with a tuple in it has two levels.
    const MAX_DEPTH: usize = 4;
    let mut start = vec![0; 8];
    reader.read_exact(&mut start).map_err(|error| cut_off(error, "array"))?;
    let (length_bytes, is_array) =
        (if start[6] == 1 { 2 } else { 4 }, start.starts_with(b"\x93NUMPY"));
    if !is_array {
        return Err(invalid("an array does not begin with NumPy's magic bytes"));
    }
    let mut length = [0; 4];
    reader.read_exact(&mut length[..length_bytes]).map_err(|error| cut_off(error, "array"))?;
    start.extend(&length[..length_bytes]);
    let length = u32::from_le_bytes(length) as usize;
    if length > MAX_HEADER_BYTES {
        return Err(invalid(format!("the header of an array has {length} bytes")));
    }
    let text = start.len();
    start.resize(text + length, 0);
    reader.read_exact(&mut start[text..]).map_err(|error| cut_off(error, "array"))?;
    let mut depth = 0_usize;
    for byte in &start[text..] {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_DEPTH {
            return Err(invalid("the header of an array is nested"));
        }
    }
    let header = Header::from_reader(&mut Cursor::new(&start)).map_err(invalid)?;
    let element_type = header.type_descriptor.to_string().trim_matches('\'').to_owned();
    let element_bytes = element_bytes(&element_type)
        .ok_or_else(|| invalid(format!("its elements are {element_type}, which no export has")))?;
    let declared = header
        .shape
        .iter()
        .try_fold(element_bytes, |product, &length| product.checked_mul(length as u64));
    let rest = bytes.saturating_sub(start.len() as u64);
    if declared != Some(rest) {
        let shape = header.shape;
        return Err(invalid(format!(
            "an array of shape {shape:?} and type {element_type} does not have {rest} bytes"
        )));
    }
    Ok(ArrayHeader { bytes: start, shape: header.shape, element_type })
}

/// Size of an element of a simple type, such as `<f4`; `None` for other types.
fn element_bytes(element_type: &str) -> Option<u64> {
    let size =
        element_type.strip_prefix(['<', '>', '|', '='])?.strip_prefix(['f', 'i', 'u', 'b'])?;
    size.parse().ok().filter(|size| matches!(size, 1 | 2 | 4 | 8))
}

fn cut_off(error: io::Error, what: &str) -> ReadError {
    match error.kind() {
        ErrorKind::UnexpectedEof => invalid(format!("an {what} ends too early")),
        // An error of the zip library.
        ErrorKind::Other | ErrorKind::InvalidData => invalid(error),
        _ => error.into(),
    }
}

/// The arrays of an `.npz` file.
pub(in crate::export) struct NpzArchive {
    archive: ZipArchive<BufReader<File>>,
    file_bytes: u64,
}

impl NpzArchive {
    pub(in crate::export) fn open(path: &Path) -> Result<NpzArchive, ReadError> {
        let file = open_file(path)?;
        let file_bytes = file.metadata()?.len();
        let archive = ZipArchive::new(BufReader::new(file)).map_err(invalid)?;
        Ok(NpzArchive { archive, file_bytes })
    }

    /// Each array with its shape, in the order of the file.
    pub(in crate::export) fn shapes(&mut self) -> Result<Vec<(String, Shape)>, ReadError> {
        let mut shapes = Vec::new();
        for index in 0..self.archive.len() {
            let name = self.archive.name_for_index(index).unwrap_or_default();
            let name = name.trim_end_matches(".npy").to_owned();
            let (header, _) = self.member(index)?;
            shapes.push((name, header.shape));
        }
        Ok(shapes)
    }

    /// Whether there is an array with this name.
    pub(in crate::export) fn has(&self, name: &str) -> bool {
        self.index(name).is_ok()
    }

    /// The elements of a one-dimensional array.
    pub(in crate::export) fn vector<T: ReadableElement + Clone>(
        &mut self,
        name: &str,
    ) -> Result<Vec<T>, ReadError> {
        let index = self.index(name)?;
        let (header, rest) = self.member(index)?;
        let mut bytes = header.bytes;
        rest.take(MAX_SMALL_FILE)
            .read_to_end(&mut bytes)
            .map_err(|error| cut_off(error, "array"))?;
        let array = Array1::<T>::read_npy(Cursor::new(bytes));
        Ok(array.map_err(|error| invalid(format!("{name}: {error}")))?.to_vec())
    }

    fn index(&self, name: &str) -> Result<usize, ReadError> {
        let index = self.archive.index_for_name(&format!("{name}.npy"));
        index.ok_or_else(|| invalid(format!("it has no {name}")))
    }

    /// The header of an array, and a reader for its elements.
    fn member(&mut self, index: usize) -> Result<(ArrayHeader, impl Read), ReadError> {
        let file_bytes = self.file_bytes;
        let mut member = self.archive.by_index(index).map_err(invalid)?;
        let is_stored = member.compression() == CompressionMethod::Stored
            && member.size() == member.compressed_size()
            && member.size() <= file_bytes;
        if !is_stored {
            return Err(invalid("an array is compressed, or larger than the file"));
        }
        let bytes = member.size();
        let header = read_header(&mut member, bytes)?;
        Ok((header, member))
    }
}

/// The games whose rows an index file lists.
pub(in crate::export) fn game_ids_of_index(path: &Path) -> Result<BTreeSet<GameId>, ReadError> {
    let mut archive = NpzArchive::open(path)?;
    let index = archive.index("game_id")?;
    let (header, rest) = archive.member(index)?;
    if header.element_type != "<i8" {
        return Err(invalid("game_id is not int64"));
    }
    let (mut game_ids, mut last) = (BTreeSet::new(), None);
    let mut rest = BufReader::new(rest);
    for _ in 0..header.shape.iter().product() {
        let mut game_id = [0; size_of::<i64>()];
        rest.read_exact(&mut game_id).map_err(|error| cut_off(error, "array"))?;
        let game_id = GameId(i64::from_le_bytes(game_id));
        // The rows of a game are contiguous.
        if last.replace(game_id) != Some(game_id) {
            game_ids.insert(game_id);
        }
    }
    Ok(game_ids)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An `.npy` file with this header and number of element bytes.
    fn npy(header: &str, elements: usize) -> Vec<u8> {
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((header.len() as u16 + 1).to_le_bytes());
        bytes.extend(header.bytes().chain([b'\n']));
        bytes.resize(bytes.len() + elements, 0);
        bytes
    }

    fn shape(bytes: &[u8]) -> Result<Shape, String> {
        let read = read_header(&mut Cursor::new(bytes), bytes.len() as u64);
        read.map(|header| header.shape).map_err(|error| error.to_string())
    }

    fn header(descr: &str, shape: &str) -> String {
        format!("{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}")
    }

    #[test]
    fn header_must_match_the_bytes() {
        assert_eq!(shape(&npy(&header("'<f4'", "(3, 5)"), 60)).unwrap(), [3, 5]);
        assert_eq!(shape(&npy(&header("'|b1'", "()"), 1)).unwrap(), [0; 0]);
        for (descr, lengths) in [
            ("'<f4'", "(1000000000000,)"),
            ("'<f4'", "(3, 6)"),
            ("'<f4'", "(2, 5)"),
            // Products that overflow to the actual size.
            ("'<f4'", "(4294967296, 4294967296, 15)"),
            ("'<f8'", "(2305843009213693952, 8, 0)"),
        ] {
            let error = shape(&npy(&header(descr, lengths), 60)).unwrap_err();
            assert!(error.contains("does not have 60 bytes"), "{lengths}: {error}");
        }
        for descr in ["'O'", "'<U7'", "[('a', '<f4')]", "'<f4000000000000000000000'"] {
            let error = shape(&npy(&header(descr, "(3, 5)"), 60)).unwrap_err();
            assert!(error.contains("is not a file of arrays"), "{descr}: {error}");
        }
    }

    #[test]
    fn nested_or_long_header() {
        let nested = format!("{{'descr': {}{}}}", "[".repeat(40), "]".repeat(40));
        assert!(shape(&npy(&nested, 0)).unwrap_err().contains("is nested"));
        let long = header("'<f4'", &format!("({})", "1,".repeat(6_000)));
        assert!(shape(&npy(&long, 4)).unwrap_err().contains("bytes"));
        let mut endless = b"\x93NUMPY\x02\x00".to_vec();
        endless.extend(u32::MAX.to_le_bytes());
        assert!(shape(&endless).unwrap_err().contains("4294967295"));
        for length in 0..12 {
            assert!(shape(&npy(&header("'<f4'", "(3, 5)"), 60)[..length]).is_err());
        }
    }
}
