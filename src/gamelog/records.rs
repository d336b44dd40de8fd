//! The records of a file, and where they stand in it: line numbers, blank lines, and whether the
//! file stops short of its end.

use super::error::{Fault, LogErrorKind};
use super::value;
use csv::ByteRecord;

/// Longest line that is looked at. A row of a log has one or two thousand bytes and a header nine;
/// without a limit, a file of nothing but commas would take eight times its size in memory.
const LONGEST_LINE: usize = 1 << 20;

/// A fault and its line.
pub(super) type Located = (Fault, Option<u64>);

/// The records of a file, one at a time.
pub(super) struct Records<'a> {
    bytes: &'a [u8],
    reader: csv::Reader<&'a [u8]>,
    /// The current record.
    pub(super) record: ByteRecord,
    /// Where the current record begins in `bytes`.
    start: usize,
}

impl<'a> Records<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Result<Records<'a>, Located> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        check_encoding(bytes)?;
        check_line_lengths(bytes)?;
        let reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes);
        Ok(Records { bytes, reader, record: ByteRecord::new(), start: 0 })
    }

    /// Reads the next record; `false` at the end of the file.
    ///
    /// Blank lines end a file harmlessly. Between rows they are a fault: whoever dropped a row
    /// from the middle of a game should hear of it.
    pub(super) fn advance(&mut self) -> Result<bool, Located> {
        let from = self.position();
        let more = self.read()?;
        let blank = skip_line_break(self.bytes, from);
        self.start = skip_blank(self.bytes, from);
        if !more || self.record_is_blank() {
            while self.read()? {
                if !self.record_is_blank() {
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

    fn read(&mut self) -> Result<bool, Located> {
        // Reading bytes from memory as bytes has no error left to give; keep the message if it does.
        self.reader.read_byte_record(&mut self.record).map_err(|error| {
            (Fault::new(LogErrorKind::Unreadable, "a CSV file").found(error), None)
        })
    }

    /// Bytes read so far.
    fn position(&self) -> usize {
        self.reader.position().byte() as usize
    }

    fn record_is_blank(&self) -> bool {
        self.record.len() == 1 && value::trim(&self.record[0]).is_empty()
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
        let record = self.bytes[self.start..self.position()].trim_ascii_end();
        record.iter().any(|&byte| is_line_break(byte))
    }

    /// What stands behind the last comma of the current record, if the file ends there without a
    /// line break: then the value may have been cut short.
    pub(super) fn unfinished_value(&self) -> Option<&'a [u8]> {
        let bytes = self.bytes;
        if self.position() < bytes.len() || bytes.last().is_none_or(|&byte| is_line_break(byte)) {
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

fn is_line_break(byte: u8) -> bool {
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
