//! The records of a file, and where they stand in it: line numbers, blank lines, and whether the
//! file stops short of its end.

use super::error::{Fault, LogErrorKind};
use super::value;
use csv_core::ReadRecordResult;

/// Longest line that is looked at. A row of a log has one or two thousand bytes and a header nine;
/// without a limit, a file of nothing but commas would take eight times its size in memory.
pub(super) const LONGEST_LINE: usize = 1 << 20;

/// A fault and its line.
pub(super) type Located = (Fault, Option<u64>);

/// The fields of one record, without quotes.
pub(super) enum Record<'a> {
    /// A line without quotes, as nearly every one is: its fields lie between its commas.
    Plain(&'a [u8]),
    /// What the engine made of a record with quotes.
    Unquoted(Unquoted),
}

/// Fields whose quotes are gone.
pub(super) struct Unquoted {
    /// The fields' bytes, one after another; longer than they are.
    bytes: Vec<u8>,
    /// Where each field ends in `bytes`; longer than there are fields.
    ends: Vec<usize>,
    fields: usize,
}

impl Record<'_> {
    /// How many fields there are.
    pub(super) fn len(&self) -> usize {
        match self {
            Record::Plain(line) => 1 + line.iter().filter(|&&byte| byte == b',').count(),
            Record::Unquoted(record) => record.fields,
        }
    }

    /// The fields, from the first.
    pub(super) fn fields(&self) -> Fields<'_> {
        match self {
            Record::Plain(line) => Fields::OfLine(Some(line)),
            Record::Unquoted(Unquoted { bytes, ends, fields }) => {
                Fields::Unquoted { bytes, ends: ends[..*fields].iter(), start: 0 }
            }
        }
    }

    fn is_blank(&self) -> bool {
        match self {
            Record::Plain(line) => value::trim(line).is_empty(),
            Record::Unquoted(_) => {
                self.len() == 1 && self.fields().all(|field| value::trim(field).is_empty())
            }
        }
    }
}

/// Goes through the fields of a record.
pub(super) enum Fields<'r> {
    /// What is left of the line; `None` behind its last field.
    OfLine(Option<&'r [u8]>),
    Unquoted {
        bytes: &'r [u8],
        ends: std::slice::Iter<'r, usize>,
        start: usize,
    },
}

impl<'r> Iterator for Fields<'r> {
    type Item = &'r [u8];

    fn next(&mut self) -> Option<&'r [u8]> {
        match self {
            Fields::OfLine(rest) => {
                let line = rest.take()?;
                let (field, behind) = split_at_comma(line);
                *rest = behind;
                Some(field)
            }
            Fields::Unquoted { bytes, ends, start } => {
                let end = *ends.next()?;
                Some(&bytes[std::mem::replace(start, end)..end])
            }
        }
    }
}

/// The first field of a line without quotes, and what stands behind its comma, if there is one.
pub(super) fn split_at_comma(line: &[u8]) -> (&[u8], Option<&[u8]>) {
    match line.iter().position(|&byte| byte == b',') {
        Some(comma) => (&line[..comma], Some(&line[comma + 1..])),
        None => (line, None),
    }
}

impl Unquoted {
    /// With room for a row.
    fn new() -> Unquoted {
        Unquoted { bytes: vec![0; 4096], ends: vec![0; 512], fields: 0 }
    }
}

/// The records of a file, one at a time.
///
/// A record with a quote in its first line is split by the engine of the `csv` crate. All others are
/// lines that end at their first line break and are split at their commas where they lie: the engine
/// goes through a table for each byte and copies the fields, a sixth of a whole ingest.
pub(super) struct Records<'a> {
    bytes: &'a [u8],
    /// Made for the first record with a quote: its tables cost as much as some rows.
    engine: Option<Box<csv_core::Reader>>,
    /// The current record.
    pub(super) record: Record<'a>,
    /// Bytes read so far.
    position: usize,
    /// Where the current record begins in `bytes`.
    start: usize,
}

impl<'a> Records<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Result<Records<'a>, Located> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        check_encoding(bytes)?;
        check_line_lengths(bytes)?;
        Ok(Records { bytes, engine: None, record: Record::Plain(b""), position: 0, start: 0 })
    }

    /// Reads the next record; `false` at the end of the file.
    ///
    /// Blank lines end a file harmlessly. Between rows they are a fault: whoever dropped a row
    /// from the middle of a game should hear of it.
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
        self.position = skip_blank(self.bytes, self.position);
        let rest = &self.bytes[self.position..];
        let end = memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
        let line = &rest[..end];
        if memchr::memchr(b'"', line).is_some() {
            return self.read_with_quotes();
        }
        self.position += (end + 1).min(rest.len());
        self.record = Record::Plain(line);
        !rest.is_empty()
    }

    fn read_with_quotes(&mut self) -> bool {
        let engine = self.engine.get_or_insert_with(|| {
            let mut engine = Box::new(csv_core::Reader::new());
            // At its first bytes it would skip a byte-order mark; here that is part of a field.
            engine.read_record(b"\n", &mut [0], &mut [0]);
            engine
        });
        if !matches!(self.record, Record::Unquoted(_)) {
            self.record = Record::Unquoted(Unquoted::new());
        }
        let Record::Unquoted(record) = &mut self.record else { return false };
        let (mut bytes, mut fields) = (0, 0);
        loop {
            // At the end of the file the rest is empty, which is how the engine learns of it.
            let (result, read, written, ended) = engine.read_record(
                &self.bytes[self.position..],
                &mut record.bytes[bytes..],
                &mut record.ends[fields..],
            );
            self.position += read;
            bytes += written;
            fields += ended;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => record.bytes.resize(2 * record.bytes.len(), 0),
                ReadRecordResult::OutputEndsFull => record.ends.resize(2 * record.ends.len(), 0),
                ReadRecordResult::Record | ReadRecordResult::End => {
                    record.fields = fields;
                    return matches!(result, ReadRecordResult::Record);
                }
            }
        }
    }

    fn blank_line(&self, offset: usize) -> Located {
        let fault = Fault::new(LogErrorKind::BlankLine, "a row: blank lines may only end the file")
            .found("a blank line");
        (fault, Some(line_of(self.bytes, offset)))
    }

    /// A fault of the current record, with the line that the record begins on.
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
        (fault, Some(line_of(self.bytes, self.start)))
    }

    fn spans_lines(&self) -> bool {
        let record = self.bytes[self.start..self.position].trim_ascii_end();
        record.iter().any(|&byte| is_line_break(byte))
    }

    /// What stands behind the last comma of the current record, if the file ends there without a
    /// line break: then the value may have been cut short.
    pub(super) fn unfinished_value(&self) -> Option<&'a [u8]> {
        let bytes = self.bytes;
        if self.position < bytes.len() || bytes.last().is_none_or(|&byte| is_line_break(byte)) {
            return None;
        }
        bytes[self.start..].rsplit(|&byte| byte == b',').next()
    }
}

/// A file in another encoding fails on its first column name anyway, but with a message that helps
/// nobody.
fn check_encoding(bytes: &[u8]) -> Result<(), Located> {
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        let fault = Fault::new(LogErrorKind::InvalidUtf8, "UTF-8: save the file in that encoding")
            .found("the byte-order mark of UTF-16");
        return Err((fault, Some(1)));
    }
    // Packed on the way here, and not unpacked: the name still ends in `.csv`.
    let packed = [
        (&b"\x1f\x8b"[..], "a gzip file"),
        (b"PK\x03\x04", "a zip file"),
        (b"\x28\xb5\x2f\xfd", "a zstd file"),
        (b"BZh", "a bzip2 file"),
        (b"\xfd7zXZ", "an xz file"),
    ];
    if let Some((_, what)) = packed.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        let expected = "plain text: unpack the file first, and keep it under this name";
        return Err((Fault::new(LogErrorKind::InvalidUtf8, expected).found(what), None));
    }
    Ok(())
}

fn check_line_lengths(bytes: &[u8]) -> Result<(), Located> {
    if bytes.len() <= LONGEST_LINE {
        return Ok(());
    }
    for line in bytes.split(|&byte| is_line_break(byte)) {
        if line.len() > LONGEST_LINE {
            let fault = Fault::new(
                LogErrorKind::LongRow,
                format!("a header or a row: no line has more than {LONGEST_LINE} bytes"),
            )
            .found(format!("a line of {} bytes", line.len()));
            let offset = line.as_ptr().addr() - bytes.as_ptr().addr();
            return Err((fault, Some(line_of(bytes, offset))));
        }
    }
    Ok(())
}

pub(super) fn is_line_break(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

/// Past the rest of the line break that ended the record before.
fn skip_line_break(bytes: &[u8], at: usize) -> usize {
    match (at.checked_sub(1).map(|before| bytes[before]), bytes.get(at)) {
        (Some(b'\r'), Some(b'\n')) => at + 1,
        _ => at,
    }
}

fn skip_blank(bytes: &[u8], at: usize) -> usize {
    at + bytes[at..].iter().take_while(|&&byte| is_line_break(byte)).count()
}

/// The line that `offset` is on, from 1. A line ends with LF, CRLF or, as the `csv` crate has it,
/// with a CR alone.
fn line_of(bytes: &[u8], offset: usize) -> u64 {
    let ends = |place: usize| match bytes[place] {
        b'\n' => true,
        b'\r' => bytes.get(place + 1) != Some(&b'\n'),
        _ => false,
    };
    1 + (0..offset).filter(|&place| ends(place)).count() as u64
}
