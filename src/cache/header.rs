//! What a file is, by its first hundred bytes, before SQLite touches it.
//!
//! SQLite itself takes a file of a few bytes for an empty database and would write over somebody's
//! note; and opening a stranger's database in write-ahead mode is enough to write beside it.

use super::lock::is_lock_beside;
use std::fs::{File, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// Marks the file as ours: "prep" in ASCII.
pub(super) const APPLICATION_ID: i32 = 0x7072_6570;

/// <https://www.sqlite.org/fileformat.html#the_database_header>
const HEADER_BYTES: usize = 100;
const MAGIC: &[u8] = b"SQLite format 3\0";
/// Write and read version: 1 for a rollback journal, 2 for a write-ahead log.
const FORMAT_VERSIONS: std::ops::RangeInclusive<usize> = 18..=19;
const NEWEST_FORMAT_VERSION: u8 = 2;
const PAGE_COUNT: usize = 28;
const MARK: usize = 68;

/// What a file looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Header {
    /// Absent, empty, or not yet more than an empty first page: in a cache whose making was
    /// interrupted, the rest may still be in the write-ahead log, and the mark with it.
    Blank,
    /// A cache, as far as can be seen here.
    Cache,
    /// A cache once, and not as it was written.
    Damaged,
    /// Somebody else's.
    Foreign,
}

/// Looks at a file.
///
/// # Errors
/// If there is one and it cannot be read.
pub(super) fn look_at(path: &Path) -> io::Result<Header> {
    if path.is_dir() {
        return Ok(Header::Foreign);
    }
    let damaged_if = |is_ours: bool| if is_ours { Header::Damaged } else { Header::Foreign };
    let header = match first_bytes(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Header::Blank),
        header => header?,
    };
    Ok(match header.len() {
        0 => Header::Blank,
        // Nobody but a run of ours makes a lock file of that name.
        read if read < HEADER_BYTES => damaged_if(is_lock_beside(path)),
        _ => {
            let mark = &header[MARK..][..4];
            let right = mark.iter().zip(APPLICATION_ID.to_be_bytes()).filter(|&(a, b)| *a == b);
            // A flipped bit spoils one byte of four; another program's mark shares none by design.
            let (is_marked, is_nearly_marked) = match right.count() {
                4 => (true, true),
                3 => (false, true),
                _ => (false, false),
            };
            if !header.starts_with(MAGIC) {
                return Ok(damaged_if(is_marked || is_lock_beside(path)));
            }
            let is_one_page = header[PAGE_COUNT..][..4] <= [0, 0, 0, 1][..];
            let is_known_format =
                header[FORMAT_VERSIONS].iter().all(|&version| version <= NEWEST_FORMAT_VERSION);
            match () {
                () if is_marked && is_known_format => Header::Cache,
                () if is_nearly_marked => Header::Damaged,
                () if is_one_page => Header::Blank,
                () => Header::Foreign,
            }
        }
    })
}

/// The first bytes of a file: [`HEADER_BYTES`] of them, if there are so many.
///
/// The file stays open for as long as the process lives. To close it would let go of all locks that the
/// process holds on it, SQLite's too (<https://www.sqlite.org/howtocorrupt.html>, 2.2): the next program
/// that closed the cache would take itself for the last one, and remove the write-ahead log under a run
/// that writes it.
fn first_bytes(path: &Path) -> io::Result<Vec<u8>> {
    type FileId = (u64, u64);
    static OPEN: Mutex<Vec<(FileId, File)>> = Mutex::new(Vec::new());
    let id = |file: &Metadata| (file.dev(), file.ino());
    let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
    let wanted = id(&std::fs::metadata(path)?);
    let file = match open.iter().position(|(id, _)| *id == wanted) {
        Some(place) => &open[place].1,
        None => {
            let file = File::open(path)?;
            let found = id(&file.metadata()?);
            open.push((found, file));
            &open[open.len() - 1].1
        }
    };
    let mut bytes = vec![0; HEADER_BYTES];
    let mut read = 0;
    loop {
        match file.read_at(&mut bytes[read..], read as u64)? {
            0 => break,
            more => read += more,
        }
    }
    bytes.truncate(read);
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_damaged_cache_is_told_from_somebody_elses_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("prep.sqlite");
        let looks = |bytes: &[u8]| {
            fs::write(&path, bytes).unwrap();
            look_at(&path).unwrap()
        };
        let mut good = [0; 4096];
        good[..16].copy_from_slice(MAGIC);
        good[18..20].copy_from_slice(&[2, 2]);
        good[PAGE_COUNT + 3] = 40;
        good[MARK..][..4].copy_from_slice(b"prep");
        let with = |at: usize, byte: u8| {
            let mut bytes = good;
            bytes[at] = byte;
            bytes
        };
        assert_eq!(look_at(&path).unwrap(), Header::Blank);
        assert_eq!(looks(b""), Header::Blank);
        assert_eq!(looks(&good), Header::Cache);
        assert_eq!(looks(&with(3, b'!')), Header::Damaged, "magic");
        assert_eq!(looks(&with(18, 3)), Header::Damaged, "a write version that is none");
        assert_eq!(looks(&with(MARK, b'q')), Header::Damaged, "a bit of the mark");
        let mut other = good;
        other[MARK..][..4].copy_from_slice(b"mine");
        assert_eq!(looks(&other), Header::Foreign);
        for content in [MAGIC, b"x", &[b'x'; 200]] {
            assert_eq!(looks(content), Header::Foreign);
        }
        fs::write(folder.path().join("prep.sqlite.lock"), "").unwrap();
        for content in [MAGIC, b"x", &[b'x'; 200]] {
            assert_eq!(looks(content), Header::Damaged, "cut or overwritten, beside our lock");
        }
        assert_eq!(looks(&other), Header::Foreign, "another program's database all the same");
    }
}
