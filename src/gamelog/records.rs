//! Splits a file into records with line numbers, and detects blank lines and a truncated last row.

use super::error::{Fault, LogErrorKind};
use super::value;
use csv::ByteRecord;

/// Limit on the length of a line. A row of a log has one or two thousand bytes and a header nine
/// thousand; without a limit, a file of only commas would take eight times its size in memory.
pub(super) const LONGEST_LINE: usize = 1 << 20;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A fault with its line.
pub(super) type Located = (Fault, Option<u64>);

/// One record.
pub(super) enum Record<'a> {
    /// A line without quotes, whose fields are separated by commas.
    Line(&'a [u8]),
    /// A record parsed by the `csv` crate.
    Fields(ByteRecord),
}

impl Record<'_> {
    /// The fields, from the first.
    pub(super) fn fields(&self) -> Box<dyn Iterator<Item = &[u8]> + '_> {
        match self {
            Record::Line(line) => Box::new(line.split(|&byte| byte == b',')),
            Record::Fields(fields) => Box::new(fields.iter()),
        }
    }

    fn is_blank(&self) -> bool {
        match self {
            Record::Line(line) => value::trim(line).is_empty(),
            Record::Fields(fields) => fields.len() == 1 && value::trim(&fields[0]).is_empty(),
        }
    }
}

/// Iterates over the records of a file.
///
/// A file with quotes is parsed by the `csv` crate. All others, nearly all logs, are split at line
/// breaks and commas, because the `csv` crate would take longer than the rest of reading. Both ways give
/// the same records.
pub(super) struct Records<'a> {
    bytes: &'a [u8],
    /// For a file with quotes.
    csv: Option<csv::Reader<&'a [u8]>>,
    /// The current record.
    pub(super) record: Record<'a>,
    /// Number of bytes read so far.
    position: usize,
    /// Offset of the current record in `bytes`.
    start: usize,
}

impl<'a> Records<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Result<Records<'a>, Located> {
        let begin = if bytes.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
        check_encoding(&bytes[begin..])?;
        check_line_lengths(bytes)?;
        let has_quotes = memchr::memchr(b'"', bytes).is_some();
        // The `csv` crate skips a byte-order mark itself.
        let csv = has_quotes.then(|| {
            csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes)
        });
        let position = if has_quotes { 0 } else { begin };
        Ok(Records { bytes, csv, record: Record::Line(b""), position, start: position })
    }

    /// Reads the next record; `false` at the end of the file.
    ///
    /// Blank lines at the end of a file are ignored. Between rows they are a fault, because a row of the
    /// game may be missing.
    pub(super) fn advance(&mut self) -> Result<bool, Located> {
        let from = self.position;
        let more = self.read();
        let blank = skip_line_break(self.bytes, from);
        self.start = skip_blank(self.bytes, from);
        if !more || self.record.is_blank() {
            while self.read() {
                if !self.record.is_blank() {
                    return Err(self.blank_line(blank));
                }
            }
            return Ok(false);
        }
        if self.start != blank {
            return Err(self.blank_line(blank));
        }
        Ok(true)
    }

    fn read(&mut self) -> bool {
        if let Some(csv) = &mut self.csv {
            if !matches!(self.record, Record::Fields(_)) {
                self.record = Record::Fields(ByteRecord::new());
            }
            let Record::Fields(fields) = &mut self.record else { return false };
            // Reading from memory with records of any length cannot fail.
            let more = csv.read_byte_record(fields).unwrap_or(false);
            self.position = csv.position().byte() as usize;
            return more;
        }
        self.position = skip_blank(self.bytes, self.position);
        let rest = &self.bytes[self.position..];
        let end = memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
        self.record = Record::Line(&rest[..end]);
        self.position += (end + 1).min(rest.len());
        !rest.is_empty()
    }

    fn blank_line(&self, offset: usize) -> Located {
        let fault = Fault::new(LogErrorKind::BlankLine, "a row: blank lines may only end the file")
            .found("a blank line");
        (fault, Some(line_of(self.bytes, offset)))
    }

    /// Adds the first line of the current record to a fault.
    pub(super) fn locate(&self, mut fault: Fault) -> Located {
        use LogErrorKind::{CutOff, LongRow, MissingColumn, ShortRow, Text, UnknownColumn};
        let may_be_of_a_quote = matches!(
            fault.kind,
            CutOff | LongRow | MissingColumn | ShortRow | Text | UnknownColumn
        );
        if may_be_of_a_quote && self.spans_lines() {
            fault.expected.push_str(
                " (a value in quotes goes on over several lines, is its closing quote missing?)",
            );
        }
        (fault, Some(self.line()))
    }

    /// The line that the current record begins on, from 1.
    pub(super) fn line(&self) -> u64 {
        line_of(self.bytes, self.start)
    }

    fn spans_lines(&self) -> bool {
        let record = self.bytes[self.start..self.position].trim_ascii_end();
        record.iter().any(|&byte| is_line_break(byte))
    }

    /// The last value of the current record, if the file ends there without a line break: it may be
    /// truncated.
    pub(super) fn unfinished_value(&self) -> Option<&'a [u8]> {
        let bytes = self.bytes;
        if self.position < bytes.len() || bytes.last().is_none_or(|&byte| is_line_break(byte)) {
            return None;
        }
        bytes[self.start..].rsplit(|&byte| byte == b',').next()
    }
}

/// Detects other file formats, which would otherwise fail with an unclear message about the first column
/// name.
fn check_encoding(bytes: &[u8]) -> Result<(), Located> {
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        let fault = Fault::new(LogErrorKind::InvalidUtf8, "UTF-8: save the file in that encoding")
            .found("the byte-order mark of UTF-16");
        return Err((fault, Some(1)));
    }
    let compressed = [
        (&b"\x1f\x8b"[..], "a gzip file"),
        (b"PK\x03\x04", "a zip file"),
        (b"\x28\xb5\x2f\xfd", "a zstd file"),
        (b"BZh", "a bzip2 file"),
        (b"\xfd7zXZ", "an xz file"),
    ];
    if let Some((_, what)) = compressed.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        let expected = "plain text: decompress the file first, and keep its name";
        return Err((Fault::new(LogErrorKind::InvalidUtf8, expected).found(what), None));
    }
    Ok(())
}

fn check_line_lengths(bytes: &[u8]) -> Result<(), Located> {
    let mut start = 0;
    while bytes.len() - start > LONGEST_LINE {
        let rest = &bytes[start..];
        let length = memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
        if length > LONGEST_LINE {
            let fault = Fault::new(
                LogErrorKind::LongRow,
                format!("a header or a row: no line has more than {LONGEST_LINE} bytes"),
            )
            .found(format!("a line of {length} bytes"));
            return Err((fault, Some(line_of(bytes, start))));
        }
        start += length + 1;
    }
    Ok(())
}

pub(super) fn is_line_break(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

/// Skips the rest of the line break that ended the previous record.
fn skip_line_break(bytes: &[u8], at: usize) -> usize {
    match (at.checked_sub(1).map(|before| bytes[before]), bytes.get(at)) {
        (Some(b'\r'), Some(b'\n')) => at + 1,
        _ => at,
    }
}

fn skip_blank(bytes: &[u8], at: usize) -> usize {
    at + bytes[at..].iter().take_while(|&&byte| is_line_break(byte)).count()
}

/// The line that `offset` is on, from 1. A line ends with LF, CRLF or, as in the `csv` crate, a single
/// CR.
fn line_of(bytes: &[u8], offset: usize) -> u64 {
    let ends = |place: usize| match bytes[place] {
        b'\n' => true,
        b'\r' => bytes.get(place + 1) != Some(&b'\n'),
        _ => false,
    };
    1 + (0..offset).filter(|&place| ends(place)).count() as u64
}
