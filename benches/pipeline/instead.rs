//! Alternatives and lower bounds in Rust.

use anyhow::{Context as _, Result, ensure};
use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

/// The number of threads, as for prep.
pub(crate) const THREADS: usize = 2;

/// The content of logs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) games: u64,
    /// Number of rows without headers.
    pub(crate) rows: u64,
    /// Number of fields, including those of headers.
    pub(crate) fields: u64,
    pub(crate) bytes: u64,
}

/// Splits every file into fields with the `csv` crate and discards them.
pub(crate) fn split_fields(logs: &[PathBuf]) -> Result<Seen> {
    let parts = on_all_threads(logs, |bytes, seen: &mut Seen| {
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(bytes);
        let mut record = csv::ByteRecord::new();
        let mut records = 0;
        while reader.read_byte_record(&mut record)? {
            records += 1;
            seen.fields += record.len() as u64;
        }
        ensure!(records > 0, "a log is empty");
        seen.games += 1;
        seen.rows += records - 1;
        seen.bytes += bytes.len() as u64;
        Ok(())
    })?;
    Ok(parts.into_iter().fold(Seen::default(), |all, part| Seen {
        games: all.games + part.games,
        rows: all.rows + part.rows,
        fields: all.fields + part.fields,
        bytes: all.bytes + part.bytes,
    }))
}

/// Hashes every file with blake3; returns the number of bytes and all hashes, combined independently of
/// their order.
pub(crate) fn hash_files(logs: &[PathBuf]) -> Result<(u64, [u8; 32])> {
    let parts = on_all_threads(logs, |bytes, (hashed, all): &mut (u64, [u8; 32])| {
        *hashed += bytes.len() as u64;
        let hash = blake3::hash(bytes);
        all.iter_mut().zip(hash.as_bytes()).for_each(|(all, byte)| *all ^= byte);
        Ok(())
    })?;
    Ok(parts.into_iter().fold((0, [0; 32]), |(bytes, mut all), (more, hash)| {
        all.iter_mut().zip(hash).for_each(|(all, byte)| *all ^= byte);
        (bytes + more, all)
    }))
}

/// Reads files on all threads, with one buffer per thread, and passes them to `look`.
pub(crate) fn on_all_threads<T: Default + Send>(
    files: &[PathBuf],
    look: impl Fn(&[u8], &mut T) -> Result<()> + Sync,
) -> Result<Vec<T>> {
    let next = AtomicUsize::new(0);
    let work = || -> Result<T> {
        let mut seen = T::default();
        let mut bytes = Vec::new();
        while let Some(path) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
            bytes.clear();
            File::open(path)
                .and_then(|mut file| file.read_to_end(&mut bytes))
                .map_err(anyhow::Error::from)
                .and_then(|_| look(&bytes, &mut seen))
                .with_context(|| format!("reading {}", path.display()))?;
        }
        Ok(seen)
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(work)).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().map_err(|_| anyhow::anyhow!("a thread panicked"))?)
            .collect()
    })
}

/// Four megabytes of incompressible data.
pub(crate) fn something_to_write() -> Vec<u8> {
    (0..1_u32 << 20).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect()
}

/// Writes files of these sizes to a new folder by repeating `block`, and syncs them like an export: each
/// file, the folder, and its parent after the folder is renamed.
pub(crate) fn write_and_sync(block: &[u8], sizes: &[u64], folder: &Path) -> Result<u64> {
    let written = folder.with_file_name("being-written");
    fs::create_dir(&written)?;
    let mut bytes = 0;
    for (i, &size) in sizes.iter().enumerate() {
        let mut file = File::create_new(written.join(i.to_string()))?;
        let mut left = size as usize;
        while left > 0 {
            let length = left.min(block.len());
            file.write_all(&block[..length])?;
            left -= length;
        }
        file.sync_all()?;
        bytes += size;
    }
    File::open(&written)?.sync_all()?;
    fs::rename(&written, folder)?;
    File::open(folder.parent().context("a folder in a folder")?)?.sync_all()?;
    Ok(bytes)
}
