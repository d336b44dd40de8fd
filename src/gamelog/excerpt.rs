//! Finds the location of a fault in the text of a log, for messages.
//!
//! A fault has a line and the name of a column, but a row has 403 values, so a message shows the row
//! with the value underlined. The text is looked up only when a message is printed: stored, it would add
//! kilobytes to each of possibly thousands of refusals.

use super::error::{LogError, LogErrorKind, shorten};
use super::records::{LONGEST_LINE, is_line_break};
use super::{columns, value};
use std::ops::Range;

/// Limits on the characters that are shown around a fault, and of one value.
const WINDOW: usize = 56;
const MAX_FIELD: usize = 40;

/// A part of one line of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excerpt {
    /// Number of the line, from 1.
    pub line: u64,
    /// Complete values of the line around the fault, with `…` for omitted ones. Contains no control
    /// characters.
    pub text: String,
    /// The range of the fault in characters of the text; not empty.
    pub marked: Range<usize>,
    /// A note about it: `value 71 of 403`.
    pub note: String,
}

impl Excerpt {
    /// Finds the location of an error in the bytes of its log. `None` if it has none (the error is about
    /// the whole file), or if the log has changed since.
    pub fn find(bytes: &[u8], error: &LogError) -> Option<Excerpt> {
        let line = error.line?;
        let text = nth_line(bytes, line)?;
        let fields = fields(text);
        let header = self::fields(nth_line(bytes, 1)?);
        let marked = fields_at_fault(error, line, &header, &fields)?;
        Some(Excerpt::around(line, &fields, marked))
    }

    fn around(line: u64, fields: &[&[u8]], marked: Range<usize>) -> Excerpt {
        let visible = |field: &&[u8]| shorten(&String::from_utf8_lossy(field), MAX_FIELD);
        let shown: Vec<String> = fields.iter().map(visible).collect();
        let width = |range: &Range<usize>| -> usize {
            shown[range.clone()].iter().map(|field| field.chars().count() + 1).sum()
        };
        let mut window = marked.clone();
        loop {
            let wider = (window.start.saturating_sub(1))..(window.end + 1).min(fields.len());
            if wider == window || width(&wider) > WINDOW {
                break;
            }
            window = wider;
        }
        let before = if window.start > 0 { "…," } else { "" };
        let behind = if window.end < fields.len() { ",…" } else { "" };
        let text = format!("{before}{}{behind}", shown[window.clone()].join(","));
        let start = before.chars().count() + width(&(window.start..marked.start));
        // Without the comma after the last one; a missing value is marked at its place.
        let end = (start + width(&marked).saturating_sub(1)).max(start + 1);
        let (first, last, all) = (marked.start + 1, marked.end, fields.len());
        let note = match marked.len() {
            1 => format!("value {first} of {all}"),
            _ => format!("values {first} to {last} of {all}"),
        };
        Excerpt { line, text, marked: start..end, note }
    }
}

/// The indices of the faulty values.
fn fields_at_fault(
    error: &LogError,
    line: u64,
    header: &[&[u8]],
    fields: &[&[u8]],
) -> Option<Range<usize>> {
    let name = |field: &&[u8]| String::from_utf8_lossy(value::unwrap(field)).into_owned();
    let one = |place: usize| place..place + 1;
    let last = fields.len().checked_sub(1)?;
    match (error.fault.kind, error.fault.column.as_deref()) {
        (LogErrorKind::DoubledColumn, Some(column)) => {
            header.iter().rposition(|field| name(field) == column).map(one)
        }
        // There is nothing to mark.
        (LogErrorKind::MissingColumn, _) => None,
        (LogErrorKind::UnknownColumn, _) => {
            let is_known = |field| columns::column_names().any(|known| known == name(field));
            header.iter().position(|field| !is_known(field)).map(one)
        }
        (LogErrorKind::InvalidUtf8, None) if line == 1 => {
            header.iter().position(|field| std::str::from_utf8(field).is_err()).map(one)
        }
        (LogErrorKind::LongRow, _) if fields.len() > header.len() => {
            Some(header.len()..fields.len())
        }
        (LogErrorKind::ShortRow | LogErrorKind::CutOff, _) => Some(one(last)),
        (_, Some(column)) => {
            let is_meant = |field: &&[u8]| match column.strip_suffix('*') {
                Some(prefix) => name(field).starts_with(prefix),
                None => name(field) == column,
            };
            let first = header.iter().position(is_meant)?;
            let more = header[first..].iter().take_while(|field| is_meant(field)).count();
            let end = (first + more).min(fields.len());
            (first < end).then_some(first..end)
        }
        _ => None,
    }
}

/// A line without its line break; lines count from 1.
fn nth_line(bytes: &[u8], line: u64) -> Option<&[u8]> {
    let mut rest = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    for _ in 1..line {
        let end = rest.iter().position(|&byte| is_line_break(byte))?;
        let is_two = rest[end..].starts_with(b"\r\n");
        rest = &rest[end + 1 + usize::from(is_two)..];
    }
    let end = rest.iter().position(|&byte| is_line_break(byte)).unwrap_or(rest.len());
    (end > 0 && end <= LONGEST_LINE).then_some(&rest[..end])
}

/// The fields of a line, quotes included.
fn fields(line: &[u8]) -> Vec<&[u8]> {
    let mut is_quoted = false;
    line.split(|&byte| {
        is_quoted ^= byte == b'"';
        byte == b',' && !is_quoted
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gamelog::error::Fault;

    fn error(kind: LogErrorKind, line: u64, column: Option<&str>) -> LogError {
        let mut fault = Fault::new(kind, "something else");
        fault.column = column.map(str::to_owned);
        fault.at("1.csv", Some(line))
    }

    /// The text, with the marked range in brackets.
    fn shown(bytes: &str, error: &LogError) -> Option<String> {
        let Excerpt { text, marked, .. } = Excerpt::find(bytes.as_bytes(), error)?;
        let chars: Vec<char> = text.chars().collect();
        let part = |range: Range<usize>| chars[range].iter().collect::<String>();
        let (start, end) = (marked.start, marked.end.min(chars.len()));
        Some(format!("{}[{}]{}", part(0..start), part(start..end), part(end..chars.len())))
    }

    #[test]
    fn value_of_a_column() {
        for ending in ["\n", "\r\n", "\r"] {
            let log = ["game_id,turn_number,card3_vp,card3_level", "1,2,x,", "1,3,,0"].join(ending);
            let value = error(LogErrorKind::Text, 2, Some("card3_vp"));
            assert_eq!(shown(&log, &value).unwrap(), "1,2,[x],", "{ending:?}");
            let group = error(LogErrorKind::PartOfGroup, 3, Some("card3_*"));
            assert_eq!(shown(&log, &group).unwrap(), "1,3,[,0]", "{ending:?}");
        }
    }

    #[test]
    fn long_row() {
        let names: Vec<String> = (0..403).map(|place| format!("c{place}")).collect();
        let mut values: Vec<String> = (1000..1403).map(|value| value.to_string()).collect();
        values[200] = "2.5".to_owned();
        let log = format!("{}\n{}\n", names.join(","), values.join(","));
        let fraction = error(LogErrorKind::Fraction, 2, Some("c200"));
        let shown = shown(&log, &fraction).unwrap();
        assert_eq!(shown, "…,1195,1196,1197,1198,1199,[2.5],1201,1202,1203,1204,1205,…");
        let note = Excerpt::find(log.as_bytes(), &fraction).unwrap().note;
        assert_eq!(note, "value 201 of 403");
    }

    #[test]
    fn control_characters() {
        let log = "game_id,turn_number\n1,\x1b[2J\n";
        let text = error(LogErrorKind::Text, 2, Some("turn_number"));
        assert_eq!(shown(log, &text).unwrap(), "1,[\\u{1b}[2J]");
    }

    #[test]
    fn nothing_to_show() {
        let log = "game_id,turn_number\n1,2\n";
        for error in [
            error(LogErrorKind::Text, 9, Some("game_id")),
            error(LogErrorKind::Text, 2, Some("no_such")),
            error(LogErrorKind::MissingColumn, 1, Some("card0_vp")),
            LogError::changed_while_read("1.csv"),
        ] {
            assert_eq!(shown(log, &error), None, "{error}");
        }
        assert_eq!(shown("", &error(LogErrorKind::Empty, 1, None)), None);
    }

    #[test]
    fn rows_of_another_length() {
        let log = "game_id,turn_number\n1,2,3,4\n1\n";
        let long = error(LogErrorKind::LongRow, 2, None);
        assert_eq!(shown(log, &long).unwrap(), "1,2,[3,4]");
        let short = error(LogErrorKind::ShortRow, 3, None);
        assert_eq!(shown(log, &short).unwrap(), "[1]");
        let header = "game_id,gameid\n";
        let unknown = error(LogErrorKind::UnknownColumn, 1, None);
        assert_eq!(shown(header, &unknown).unwrap(), "game_id,[gameid]");
    }
}
