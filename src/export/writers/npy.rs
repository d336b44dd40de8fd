//! Writes `.npy` files row by row, and packs them into `.npz` files.
//!
//! ndarray-npy writes headers and elements, but cannot write an array that is not in memory as a whole.
//! The header with the shape is written before the first row, so [`NpyWriter`] counts the elements: a
//! file with a missing row would fail only later, in NumPy's memory-mapped mode, and a file with an
//! extra row would load without an error.

use crate::accounting::check_all_done;
use crate::export::error::ExportError;
use crate::progress::{Counted, Progress};
use ndarray_npy::npy::header::{Header, Layout};
use ndarray_npy::{WritableElement, WriteNpyError};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

/// Size of the write buffer; an export has about fifty files open.
const BUFFER_BYTES: usize = 128 * 1024;

/// Writes an array in C order, version 1 of the format, in constant memory. Elements are any of `f32`,
/// `f64`, `i8`, `u8`, `i32`, `i64` and `bool`.
#[derive(Debug)]
pub(in crate::export) struct NpyWriter {
    path: PathBuf,
    file: BufWriter<HashingFile>,
    declared: u64,
    written: u64,
}

impl NpyWriter {
    /// Creates or truncates the file, and writes the header.
    pub(in crate::export) fn create(path: &Path, header: Header) -> Result<NpyWriter, ExportError> {
        let file = HashingFile::create(path).map_err(|error| ExportError::file(path, error))?;
        let mut file = BufWriter::with_capacity(BUFFER_BYTES, file);
        header.write(&mut file).map_err(|error| failed(path, error.into()))?;
        let declared = header.shape.iter().map(|&length| length as u64).product();
        Ok(NpyWriter { path: path.to_owned(), file, declared, written: 0 })
    }

    /// Like [`create`](Self::create), for elements of type `T`.
    pub(in crate::export) fn of<T: WritableElement>(
        path: &Path,
        shape: &[usize],
    ) -> Result<NpyWriter, ExportError> {
        NpyWriter::create(path, header::<T>(shape))
    }

    /// Appends elements: a row, several rows or a part of a row.
    pub(in crate::export) fn write<T: WritableElement>(
        &mut self,
        elements: &[T],
    ) -> Result<(), ExportError> {
        T::write_slice(elements, &mut self.file)
            .map_err(|error| failed(&self.path, error.into()))?;
        self.written += elements.len() as u64;
        Ok(())
    }

    /// Finishes the file and returns the blake3 hash of its bytes, including the header. The bytes have
    /// been written, but not necessarily synced.
    pub(in crate::export) fn finish(self) -> Result<blake3::Hash, ExportError> {
        check_all_done("elements of an array were written", self.written, self.declared)?;
        let file = self.file.into_inner().map_err(io::IntoInnerError::into_error);
        file.and_then(HashingFile::finish).map_err(|error| ExportError::file(&self.path, error))
    }
}

/// The header of an array in C order.
fn header<T: WritableElement>(shape: &[usize]) -> Header {
    let shape = shape.to_vec();
    Header { type_descriptor: T::type_descriptor(), layout: Layout::Standard, shape }
}

/// The same for float16, which Rust has no stable type for: its elements are written as the bits of
/// IEEE 754 binary16.
pub(in crate::export) fn float16_header(shape: &[usize]) -> Header {
    let descriptor = if cfg!(target_endian = "little") { "'<f2'" } else { "'>f2'" };
    let type_descriptor = descriptor.parse().expect("a literal of Python");
    Header { type_descriptor, layout: Layout::Standard, shape: shape.to_vec() }
}

/// The underlying I/O error, if there is one: `WriteNpyError` would repeat it.
fn failed(path: &Path, error: WriteNpyError) -> ExportError {
    let error = match error {
        WriteNpyError::Io(error) => error,
        other => io::Error::other(other),
    };
    ExportError::file(path, error)
}

/// Number of bytes after which a file is synced in the background. Otherwise the kernel would leave the
/// disk idle until it has buffered gigabytes, and the final sync would wait for all of them.
const SYNCED_EARLY: u64 = 32 << 20;

/// A file that hashes the bytes while they are written, so that it need not be read again, and that is
/// synced early.
#[derive(Debug)]
pub(in crate::export) struct HashingFile {
    file: File,
    hasher: blake3::Hasher,
    /// Bytes written since the last sync began.
    unsynced: u64,
    /// The last sync that was started.
    sync: Option<JoinHandle<io::Result<()>>>,
}

impl HashingFile {
    /// Creates or truncates the file.
    pub(in crate::export) fn create(path: &Path) -> io::Result<HashingFile> {
        let (file, hasher) = (File::create(path)?, blake3::Hasher::new());
        Ok(HashingFile { file, hasher, unsynced: 0, sync: None })
    }

    /// The hash of all bytes. Some of them may not be synced yet.
    pub(in crate::export) fn finish(mut self) -> io::Result<blake3::Hash> {
        self.end_sync()?;
        Ok(self.hasher.finalize())
    }

    /// Waits for the last sync that was started. The kernel reports its error only once.
    fn end_sync(&mut self) -> io::Result<()> {
        match self.sync.take() {
            Some(sync) => sync.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
            None => Ok(()),
        }
    }
}

impl Write for HashingFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let is_idle = self.sync.as_ref().is_none_or(JoinHandle::is_finished);
        if self.unsynced >= SYNCED_EARLY && is_idle {
            self.end_sync()?;
            let file = self.file.try_clone()?;
            self.sync = Some(std::thread::Builder::new().spawn(move || file.sync_data())?);
            self.unsynced = 0;
        }
        let written = self.file.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        self.unsynced += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Packs `.npy` files into one `.npz` like `np.savez`, each as `<name>.npy` in the given order,
/// uncompressed, and returns the blake3 hash of the file.
///
/// The bytes depend only on names, order and content: every member has the earliest possible time stamp
/// (1 January 1980) and the same permissions. Members of 4 GB and more use zip64 headers. Memory is
/// constant.
///
/// `progress` counts every byte twice: when it is copied, and when the archive is hashed.
pub(in crate::export) fn pack_npz(
    members: &[(&str, PathBuf)],
    out: &Path,
    progress: &dyn Progress,
) -> io::Result<blake3::Hash> {
    let file = BufWriter::with_capacity(BUFFER_BYTES, File::create(out)?);
    let mut archive = ZipWriter::new(file);
    if let Err(error) =
        members.iter().try_for_each(|(name, path)| copy_member(&mut archive, name, path, progress))
    {
        // If dropped after an error, it would try to finish the archive and print an error.
        std::mem::forget(archive);
        return Err(error);
    }
    archive.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?;
    // The writer seeks back to fill in each member's length and checksum, so the archive cannot be
    // hashed while it is written; its pages are still in memory.
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(Counted::new(File::open(out)?, progress))?;
    Ok(hasher.finalize())
}

fn copy_member(
    archive: &mut ZipWriter<BufWriter<File>>,
    name: &str,
    path: &Path,
    progress: &dyn Progress,
) -> io::Result<()> {
    let member = File::open(path)?;
    // The header is written before the bytes, so its size must be chosen by their length.
    let needs_zip64 = member.metadata()?.len() >= u64::from(u32::MAX);
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(DateTime::default())
        .unix_permissions(0o644)
        .large_file(needs_zip64);
    archive.start_file(format!("{name}.npy"), options)?;
    io::copy(&mut Counted::new(member, progress), archive)?;
    // Reports a full disk here, not when the archive is finished.
    archive.flush()
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
        let mut writer = NpyWriter::of::<T>(&path, &[values.len()]).unwrap();
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
    fn npy_round_trip() {
        round_trip(&[0.5_f32, -1.0, f32::MIN_POSITIVE], "<f4");
        round_trip(&[0.1_f64, f64::MAX], "<f8");
        round_trip(&[-128_i8, 0, 127], "|i1");
        round_trip(&[i32::MIN, -1, 26], "<i4");
        round_trip(&[i64::MAX, 0], "<i8");
        round_trip(&[true, false], "|b1");
        round_trip::<i32>(&[], "<i4");
    }

    #[test]
    fn size_of_pieces_does_not_matter() {
        let folder = tempfile::tempdir().unwrap();
        let rows = 50_000;
        let values: Vec<f32> = (0..rows * 3).map(|value| value as f32).collect();
        let mut hashes = Vec::new();
        for piece in [3, 7, values.len()] {
            let path = folder.path().join(format!("{piece}.npy"));
            let mut writer = NpyWriter::of::<f32>(&path, &[rows, 3]).unwrap();
            for elements in values.chunks(piece) {
                writer.write(elements).unwrap();
            }
            hashes.push(writer.finish().unwrap());
            assert_eq!(hashes[0], blake3::hash(&fs::read(&path).unwrap()));
            let read: Array2<f32> = read_npy(&path).unwrap();
            assert!(read.is_standard_layout() && read.dim() == (rows, 3));
            assert!(read.iter().eq(&values));
        }
        assert!(hashes.iter().all(|hash| hash == &hashes[0]));
    }

    #[test]
    fn shapes_and_errors() {
        let folder = tempfile::tempdir().unwrap();
        for elements in [5, 7] {
            let path = folder.path().join("X_train.npy");
            let mut writer = NpyWriter::of::<i8>(&path, &[2, 3]).unwrap();
            writer.write(&vec![1_i8; elements]).unwrap();
            let error = writer.finish().unwrap_err().to_string();
            assert!(error.contains(&format!("{elements} of 6 elements")), "{error}");
        }
        let path = folder.path().join("X_val.npy");
        NpyWriter::of::<f32>(&path, &[0, 1308]).unwrap().finish().unwrap();
        assert_eq!(read_npy::<_, Array2<f32>>(&path).unwrap().dim(), (0, 1308));
        let path = folder.path().join("missing").join("X_train.npy");
        let error = NpyWriter::of::<f32>(&path, &[1]).unwrap_err();
        assert!(error.to_string().contains("X_train.npy"), "{error}");
    }

    /// A pipe can be written but not synced.
    #[test]
    fn error_of_an_early_sync() {
        let (mut reader, writer) = std::io::pipe().unwrap();
        let drain = std::thread::spawn(move || io::copy(&mut reader, &mut io::sink()));
        let file = File::from(std::os::fd::OwnedFd::from(writer));
        let hasher = blake3::Hasher::new();
        let mut file = HashingFile { file, hasher, unsynced: SYNCED_EARLY, sync: None };
        file.write_all(b"more").unwrap();
        assert!(file.finish().is_err());
        assert_eq!(drain.join().unwrap().unwrap(), 4);
    }

    #[test]
    fn npz_round_trip_without_time() {
        let folder = tempfile::tempdir().unwrap();
        let [first, second] = ["action_type", "noble"].map(|name| folder.path().join(name));
        let mut writer = NpyWriter::of::<i32>(&first, &[3]).unwrap();
        writer.write(&[3, 0, -1]).unwrap();
        writer.finish().unwrap();
        let mut writer = NpyWriter::of::<i8>(&second, &[2, 2]).unwrap();
        writer.write(&[1_i8, 0, 0, 1]).unwrap();
        writer.finish().unwrap();

        let out = folder.path().join("labels_train.npz");
        let members = [("action_type", first), ("noble", second)];
        let hash = pack_npz(&members, &out, &Silent).unwrap();
        let bytes = fs::read(&out).unwrap();
        assert_eq!(hash, blake3::hash(&bytes));
        // Fixed, so that an influence of the date, the machine or a newer zip crate is noticed.
        assert_eq!(hash.to_hex()[..16], *"12227de79a3ce1f2");

        let mut npz = NpzReader::new(File::open(&out).unwrap()).unwrap();
        assert_eq!(npz.names().unwrap(), ["action_type", "noble"]);
        let action_type: Array1<i32> = npz.by_name("action_type").unwrap();
        let noble: Array2<i8> = npz.by_name("noble").unwrap();
        assert_eq!((action_type, noble), (array![3, 0, -1], array![[1, 0], [0, 1]]));
    }

    #[test]
    fn repeated_or_missing_member() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.npy");
        NpyWriter::of::<i8>(&path, &[0]).unwrap().finish().unwrap();
        let out = folder.path().join("out.npz");
        assert!(pack_npz(&[("a", path.clone()), ("a", path)], &out, &Silent).is_err());
        assert!(pack_npz(&[("a", folder.path().join("no.npy"))], &out, &Silent).is_err());
    }
}
