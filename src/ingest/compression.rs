//! Reads compressed logs. Their content is hashed, so that compressing a log does not make its game stale.
//!
//! A compressed file may have several gzip members or zstd frames, for example written by `cat`; their
//! contents are concatenated. Decompression stops at the maximum size of a log.

use crate::platform::{open_file, read_file};
use flate2::bufread::GzDecoder;
use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::path::Path;

/// The compression of a file, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compression {
    /// Not at all.
    Plain,
    /// `.gz`
    Gzip,
    /// `.zst`
    Zstd,
}

impl Compression {
    /// The compression of a file with this name.
    pub(super) fn of(path: &Path) -> Compression {
        match path.extension().and_then(|ending| ending.to_str()) {
            Some("gz") => Compression::Gzip,
            Some("zst") => Compression::Zstd,
            _ => Compression::Plain,
        }
    }

    /// The decompressed content of a file.
    pub(super) fn content<'f>(self, file: impl Read + 'f) -> io::Result<Box<dyn Read + 'f>> {
        Ok(match self {
            Compression::Plain => Box::new(file),
            Compression::Gzip => Box::new(GzipMembers(Some(GzDecoder::new(BufReader::new(file))))),
            Compression::Zstd => Box::new(zstd::stream::read::Decoder::new(file)?),
        })
    }
}

/// The content of all members of a gzip file; `None` after the last. Whether another member follows is checked
/// here, because flate2's decoder for several members treats a few other bytes as a truncated member.
struct GzipMembers<R>(Option<GzDecoder<BufReader<R>>>);

impl<R: Read> Read for GzipMembers<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        const FIRST_BYTE: u8 = 0x1f;
        while let Some(member) = &mut self.0 {
            let read = member.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            let Some(mut file) = self.0.take().map(GzDecoder::into_inner) else { break };
            match file.fill_buf()?.first() {
                None => break,
                Some(&FIRST_BYTE) => self.0 = Some(GzDecoder::new(file)),
                Some(_) => {
                    let why = "something that is not compressed follows the log";
                    return Err(io::Error::new(ErrorKind::InvalidData, why));
                }
            }
        }
        Ok(0)
    }
}

/// The ending of a log's name: `.csv`, `.csv.gz` or `.csv.zst`. The rest is the game's id.
const ENDINGS: [&str; 3] = [".csv", ".csv.gz", ".csv.zst"];

/// The name of a log without its ending; `None` for other files.
pub(super) fn stem(name: &str) -> Option<&str> {
    ENDINGS.iter().find_map(|ending| name.strip_suffix(ending)).filter(|stem| !stem.is_empty())
}

/// The damage of a compressed file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Damage {
    /// It ends too early.
    CutOff,
    /// It is not a compressed file, or its content is damaged.
    Corrupt(String),
}

impl Damage {
    /// The damage that an error of a decoder means; the error itself if the file could not be read.
    pub(super) fn of(error: io::Error) -> io::Result<Damage> {
        match error.kind() {
            ErrorKind::UnexpectedEof => Ok(Damage::CutOff),
            _ if error.raw_os_error().is_some() => Err(error),
            _ => Ok(Damage::Corrupt(error.to_string())),
        }
    }
}

/// The content of a log, which may be compressed, up to `max` bytes.
///
/// # Errors
/// If it is not a regular file, cannot be read or decompressed, or has more content.
pub fn read_log_file(path: &Path, max: u64) -> io::Result<Vec<u8>> {
    if Compression::of(path) == Compression::Plain {
        return read_file(path, max);
    }
    let mut bytes = Vec::new();
    open_content(path)?.take(max + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > max {
        let why = format!("it has more than {max} bytes");
        return Err(io::Error::new(ErrorKind::FileTooLarge, why));
    }
    Ok(bytes)
}

/// The content of a log as a stream.
pub(super) fn open_content(path: &Path) -> io::Result<Box<dyn Read>> {
    let file: File = open_file(path)?;
    Compression::of(path).content(file)
}
