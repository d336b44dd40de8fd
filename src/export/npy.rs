//! `.npy` files written row by row, and `.npz` files packed from them.
//!
//! ndarray-npy writes the header and the elements; what it does not do is write an array that
//! never lies in memory whole. The shape goes into the header before the first row, so
//! [`NpyWriter`] counts: a file with a row too few would load in NumPy's memory-mapped mode only to
//! fail far from here, and one with a row too many would load without a word.
//!
//! Elements are written in the machine's byte order, which the header names: little endian on
//! every machine this runs on.

use crate::progress::{Counted, Progress};
use ndarray_npy::npy::header::{Header, Layout};
use ndarray_npy::{WritableElement, WriteNpyError};
use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

/// Bytes gathered before they are hashed and written; an export has some fifty files open.
const BUFFER_BYTES: usize = 128 * 1024;

/// Why an array file could not be written.
#[derive(Debug, thiserror::Error)]
pub enum NpyError {
    /// The file could not be created or written.
    #[error("cannot write {}: check that the folder is writable and the disk not full", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        source: io::Error,
    },
    /// The rows written are not those that the header promises. A fault of the caller.
    #[error(
        "{} was to hold {declared} elements and got {written}: \
         this is a bug, please report it with the command that was run",
        .path.display()
    )]
    ElementCount {
        /// The file.
        path: PathBuf,
        /// Elements of the shape in the header.
        declared: u128,
        /// Elements written, or that would have been.
        written: u128,
    },
}

/// Writes one array in C order, version 1 of the format, in constant memory.
///
/// `T` is any of `f32`, `f64`, `i8`, `u8`, `i32`, `i64` and `bool`. Dropped before
/// [`finish`](NpyWriter::finish), it leaves a file that is cut short. `S` is where the bytes go: into a
/// file that is hashed on the way, or only into the one or the other.
#[derive(Debug)]
pub struct NpyWriter<T, S = BufWriter<HashingFile>> {
    path: PathBuf,
    sink: S,
    declared: u128,
    written: u128,
    element: PhantomData<T>,
}

impl<T: WritableElement> NpyWriter<T> {
    /// Creates (or empties) the file for an array of shape `(rows,)` and writes its header.
    ///
    /// # Errors
    ///
    /// [`NpyError::Write`], as from all functions here.
    pub fn vector(path: &Path, rows: usize) -> Result<NpyWriter<T>, NpyError> {
        NpyWriter::over(hashing(path)?, path, header::<T>(vec![rows]))
    }

    /// Creates (or empties) the file for an array of shape `(rows, columns)` and writes its
    /// header.
    ///
    /// # Errors
    ///
    /// [`NpyError::Write`].
    pub fn matrix(path: &Path, rows: usize, columns: usize) -> Result<NpyWriter<T>, NpyError> {
        NpyWriter::over(hashing(path)?, path, header::<T>(vec![rows, columns]))
    }

    /// Ends the file and returns the blake3 hash of all its bytes, header included. The bytes
    /// have gone to the kernel, not necessarily to the disk.
    ///
    /// # Errors
    ///
    /// [`NpyError::ElementCount`] if elements are missing; [`NpyError::Write`].
    pub fn finish(self) -> Result<blake3::Hash, NpyError> {
        Ok(self.end()?.get_ref().hash())
    }
}

impl<T: WritableElement, S: Write> NpyWriter<T, S> {
    /// Writes the header of an array. `path` is for errors.
    pub(super) fn over(sink: S, path: &Path, header: Header) -> Result<NpyWriter<T, S>, NpyError> {
        let declared = header.shape.iter().map(|&length| length as u128).product();
        let (path, element) = (path.to_owned(), PhantomData);
        let mut writer = NpyWriter { path, sink, declared, written: 0, element };
        header.write(&mut writer.sink).map_err(|error| failed(&writer.path, error.into()))?;
        Ok(writer)
    }

    /// Appends elements: a row, several rows or part of one.
    ///
    /// # Errors
    ///
    /// [`NpyError::ElementCount`] before anything is written if the shape has no room for them;
    /// [`NpyError::Write`].
    pub fn write(&mut self, elements: &[T]) -> Result<(), NpyError> {
        let written = self.written + elements.len() as u128;
        if written > self.declared {
            return Err(self.miscounted(written));
        }
        T::write_slice(elements, &mut self.sink)
            .map_err(|error| failed(&self.path, error.into()))?;
        self.written = written;
        Ok(())
    }

    /// Ends the array and gives back where it went.
    pub(super) fn end(mut self) -> Result<S, NpyError> {
        if self.written != self.declared {
            return Err(self.miscounted(self.written));
        }
        self.sink.flush().map_err(|error| failed(&self.path, error.into()))?;
        Ok(self.sink)
    }

    fn miscounted(&self, written: u128) -> NpyError {
        NpyError::ElementCount { path: self.path.clone(), declared: self.declared, written }
    }
}

/// The header of an array in C order.
pub(super) fn header<T: WritableElement>(shape: Vec<usize>) -> Header {
    Header { type_descriptor: T::type_descriptor(), layout: Layout::Standard, shape }
}

/// The same for float16, which Rust has no type for: its elements are written as the bits of IEEE
/// 754 binary16.
pub(super) fn float16_header(shape: Vec<usize>) -> Header {
    let descriptor = if cfg!(target_endian = "little") { "'<f2'" } else { "'>f2'" };
    let type_descriptor = descriptor.parse().expect("a literal of Python");
    Header { type_descriptor, layout: Layout::Standard, shape }
}

/// The system's own error where there is one: `WriteNpyError` would say the same a second time.
fn failed(path: &Path, error: WriteNpyError) -> NpyError {
    let source = match error {
        WriteNpyError::Io(error) => error,
        other => io::Error::other(other),
    };
    NpyError::Write { path: path.to_owned(), source }
}

/// Creates (or empties) a file.
pub(super) fn create(path: &Path) -> Result<File, NpyError> {
    File::create(path).map_err(|error| failed(path, error.into()))
}

fn hashing(path: &Path) -> Result<BufWriter<HashingFile>, NpyError> {
    let file = HashingFile::create(path).map_err(|error| failed(path, error.into()))?;
    Ok(BufWriter::with_capacity(BUFFER_BYTES, file))
}

/// A file that hashes what goes into it, which saves reading gigabytes back.
#[derive(Debug)]
pub struct HashingFile {
    file: File,
    hasher: blake3::Hasher,
}

impl HashingFile {
    /// Creates (or empties) the file.
    pub(super) fn create(path: &Path) -> io::Result<HashingFile> {
        Ok(HashingFile { file: File::create(path)?, hasher: blake3::Hasher::new() })
    }

    /// Of all that was written so far.
    pub(super) fn hash(&self) -> blake3::Hash {
        self.hasher.finalize()
    }
}

impl Write for HashingFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = self.file.write(bytes)?;
        self.hasher.update(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Packs `.npy` files into one `.npz` as `np.savez` does, each as `<name>.npy`, in the order
/// given, and returns the blake3 hash of the file. Nothing is compressed.
///
/// The bytes depend on names, order and content alone: every member carries the first time stamp
/// there is (1 January 1980) and the same permissions. Members of 4 GB and more get the longer
/// headers (zip64) that they need. Memory stays flat.
///
/// `progress` hears of every byte twice: as it is copied, and as the archive is hashed.
///
/// # Errors
///
/// What reading a member or writing `out` comes to, and a name given twice.
pub fn pack_npz(
    members: &[(&str, &Path)],
    out: &Path,
    progress: &dyn Progress,
) -> io::Result<blake3::Hash> {
    let file = BufWriter::with_capacity(BUFFER_BYTES, File::create(out)?);
    let mut archive = ZipWriter::new(QuietOnceFailed::new(file));
    for (name, path) in members {
        let member = File::open(path)?;
        // The header is written ahead of the bytes, so its width is chosen by the length.
        let needs_zip64 = member.metadata()?.len() >= u64::from(u32::MAX);
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Stored)
            .last_modified_time(DateTime::default())
            .unix_permissions(0o644)
            .large_file(needs_zip64);
        archive.start_file(format!("{name}.npy"), options)?;
        io::copy(&mut Counted::new(member, progress), &mut archive)?;
    }
    let QuietOnceFailed { sink, failed, .. } = archive.finish()?;
    if let Some(kind) = failed {
        return Err(kind.into());
    }
    sink.into_inner().map_err(io::IntoInnerError::into_error)?;
    // The archive goes back to fill in each member's length and checksum, so its hash cannot be
    // taken on the way; the pages are still in memory.
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(Counted::new(File::open(out)?, progress))?;
    Ok(hasher.finalize())
}

/// A sink that fails once and from then on only pretends. A [`ZipWriter`] that is dropped after an
/// error tries to end the archive, and prints to stderr if it cannot.
struct QuietOnceFailed<S> {
    sink: S,
    failed: Option<io::ErrorKind>,
    position: u64,
    end: u64,
}

impl<S> QuietOnceFailed<S> {
    fn new(sink: S) -> QuietOnceFailed<S> {
        QuietOnceFailed { sink, failed: None, position: 0, end: 0 }
    }

    fn attempt<T>(
        &mut self,
        pretended: T,
        attempt: impl FnOnce(&mut S) -> io::Result<T>,
    ) -> io::Result<T> {
        if self.failed.is_some() {
            return Ok(pretended);
        }
        let done = attempt(&mut self.sink);
        if let Err(error) = &done {
            self.failed = Some(error.kind());
            // It may have gone back to fill in a header, and insists on being past it.
            self.position = self.end;
        }
        done
    }

    fn moved_to(&mut self, position: u64) -> u64 {
        self.position = position;
        self.end = self.end.max(position);
        position
    }
}

impl<S: Write> Write for QuietOnceFailed<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = self.attempt(bytes.len(), |sink| sink.write(bytes))?;
        self.moved_to(self.position + taken as u64);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.attempt((), Write::flush)
    }
}

impl<S: Seek> Seek for QuietOnceFailed<S> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let pretended = match to {
            SeekFrom::Start(position) => position,
            SeekFrom::Current(by) => self.position.saturating_add_signed(by),
            SeekFrom::End(by) => self.end.saturating_add_signed(by),
        };
        let position = self.attempt(pretended, |sink| sink.seek(to))?;
        Ok(self.moved_to(position))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::Silent;
    use ndarray::{Array1, Array2, array};
    use ndarray_npy::{NpzReader, ReadableElement, read_npy};
    use std::fs;

    /// Writes a vector element by element and reads it back.
    fn round_trip<T: WritableElement + ReadableElement + Clone + PartialEq + std::fmt::Debug>(
        values: &[T],
        type_name: &str,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vector.npy");
        let mut writer = NpyWriter::vector(&path, values.len()).unwrap();
        for value in values {
            writer.write(std::slice::from_ref(value)).unwrap();
        }
        let hash = writer.finish().unwrap();
        let bytes = fs::read(&path).unwrap();
        assert_eq!(hash, blake3::hash(&bytes));
        // Version 1.0, data at a multiple of 64 as NumPy aligns it for memory mapping.
        assert_eq!(bytes[..8], *b"\x93NUMPY\x01\x00");
        assert_eq!(bytes.len() - std::mem::size_of_val(values), 128);
        let header = String::from_utf8_lossy(&bytes[10..128]).into_owned();
        assert!(header.contains(&format!("'descr': '{type_name}'")), "{header}");
        let read: Array1<T> = read_npy(&path).unwrap();
        assert_eq!(read.to_vec(), values);
    }

    #[test]
    fn every_type_reads_back() {
        round_trip(&[0.5_f32, -1.0, f32::MIN_POSITIVE], "<f4");
        round_trip(&[0.1_f64, f64::MAX], "<f8");
        round_trip(&[-128_i8, 0, 127], "|i1");
        round_trip(&[i32::MIN, -1, 26], "<i4");
        round_trip(&[i64::MAX, 0], "<i8");
        round_trip(&[true, false], "|b1");
        round_trip::<i32>(&[], "<i4");
    }

    #[test]
    fn rows_of_a_matrix_may_come_in_any_pieces() {
        let folder = tempfile::tempdir().unwrap();
        let rows = 50_000;
        let values: Vec<f32> = (0..rows * 3).map(|value| value as f32).collect();
        let mut hashes = Vec::new();
        for piece in [3, 7, values.len()] {
            let path = folder.path().join(format!("{piece}.npy"));
            let mut writer = NpyWriter::matrix(&path, rows, 3).unwrap();
            for elements in values.chunks(piece) {
                writer.write(elements).unwrap();
            }
            hashes.push(writer.finish().unwrap());
            let read: Array2<f32> = read_npy(&path).unwrap();
            assert!(read.is_standard_layout());
            assert_eq!(read.dim(), (rows, 3));
            assert!(read.iter().eq(&values));
        }
        assert!(hashes.iter().all(|hash| hash == &hashes[0]));
    }

    #[test]
    fn an_empty_split_is_an_empty_matrix() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("X_val.npy");
        NpyWriter::<f32>::matrix(&path, 0, 1308).unwrap().finish().unwrap();
        assert_eq!(read_npy::<_, Array2<f32>>(&path).unwrap().dim(), (0, 1308));
    }

    #[test]
    fn a_row_too_few_or_too_many_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("X_train.npy");
        let mut writer = NpyWriter::matrix(&path, 2, 3).unwrap();
        writer.write(&[1_i8, 2, 3]).unwrap();
        let error = writer.write(&[0; 4]).unwrap_err();
        assert!(matches!(error, NpyError::ElementCount { declared: 6, written: 7, .. }));
        writer.write(&[4, 5]).unwrap();
        let error = writer.finish().unwrap_err();
        assert!(matches!(error, NpyError::ElementCount { declared: 6, written: 5, .. }));
        assert!(error.to_string().contains("X_train.npy was to hold 6 elements and got 5"));
    }

    #[test]
    fn a_file_that_cannot_be_written_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("missing").join("X_train.npy");
        let error = NpyWriter::<f32>::vector(&path, 1).unwrap_err();
        assert!(error.to_string().contains("X_train.npy"), "{error}");
    }

    #[test]
    fn members_of_an_npz_read_back_by_name_and_carry_no_time() {
        let folder = tempfile::tempdir().unwrap();
        let paths = ["action_type", "noble"].map(|name| folder.path().join(name));
        let mut writer = NpyWriter::vector(&paths[0], 3).unwrap();
        writer.write(&[3_i32, 0, -1]).unwrap();
        writer.finish().unwrap();
        let mut writer = NpyWriter::matrix(&paths[1], 2, 2).unwrap();
        writer.write(&[1_i8, 0, 0, 1]).unwrap();
        writer.finish().unwrap();

        let out = folder.path().join("labels_train.npz");
        let members = [("action_type", paths[0].as_path()), ("noble", paths[1].as_path())];
        let hash = pack_npz(&members, &out, &Silent).unwrap();
        let bytes = fs::read(&out).unwrap();
        assert_eq!(hash, blake3::hash(&bytes));
        // Pinned: nothing of the day, the machine or a newer zip crate may slip in unnoticed.
        assert_eq!(hash.to_hex()[..16], *"12227de79a3ce1f2");

        let mut npz = NpzReader::new(File::open(&out).unwrap()).unwrap();
        assert_eq!(npz.names().unwrap(), ["action_type", "noble"]);
        let action_type: Array1<i32> = npz.by_name("action_type").unwrap();
        let noble: Array2<i8> = npz.by_name("noble").unwrap();
        assert_eq!((action_type, noble), (array![3, 0, -1], array![[1, 0], [0, 1]]));

        let mut archive = zip::ZipArchive::new(File::open(&out).unwrap()).unwrap();
        let member = archive.by_index(0).unwrap();
        assert_eq!(member.name(), "action_type.npy");
        assert_eq!(member.compression(), CompressionMethod::Stored);
        assert_eq!(member.last_modified(), Some(DateTime::default()));
    }

    #[test]
    fn a_doubled_or_missing_member_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.npy");
        NpyWriter::<i8>::vector(&path, 0).unwrap().finish().unwrap();
        let out = folder.path().join("out.npz");
        assert!(pack_npz(&[("a", &path), ("a", &path)], &out, &Silent).is_err());
        assert!(pack_npz(&[("a", &folder.path().join("no.npy"))], &out, &Silent).is_err());
    }
}
