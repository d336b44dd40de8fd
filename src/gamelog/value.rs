//! Parses a field of a log as an integer, in any of the dialects that other tools write.
//!
//! Accepted are `3`, `3.0` (with any number of zeros after the point), a minus sign, and spaces and tabs
//! around it; an empty field or `nan` in any case is a missing value. Everything else is refused, such
//! as `3.`, which may be a truncated value.

use super::error::LogErrorKind;

/// The number in a field, or `None` if it is missing.
pub(super) fn parse(field: &[u8]) -> Result<Option<i64>, LogErrorKind> {
    // Most fields that come here are short and plain.
    if matches!(field.len(), 1..=8) && field.iter().all(u8::is_ascii_digit) {
        return Ok(Some(field.iter().fold(0, |value, digit| 10 * value + i64::from(digit - b'0'))));
    }
    let field = unwrap(field);
    if field.is_empty() || field.eq_ignore_ascii_case(b"nan") {
        return Ok(None);
    }
    parse_trimmed(field).map(Some)
}

/// Trims spaces and tabs.
pub(super) fn trim(mut field: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = field {
        field = rest;
    }
    while let [rest @ .., b' ' | b'\t'] = field {
        field = rest;
    }
    field
}

/// Trims spaces, and removes quotes with spaces around them, which the `csv` crate treats as part of the
/// value.
pub(super) fn unwrap(field: &[u8]) -> &[u8] {
    match trim(field) {
        [b'"', quoted @ .., b'"'] => trim(quoted),
        field => field,
    }
}

fn parse_trimmed(field: &[u8]) -> Result<i64, LogErrorKind> {
    let (negative, number) = match field {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, field),
    };
    let point = number.iter().position(|&byte| byte == b'.').unwrap_or(number.len());
    let (whole, fraction) = number.split_at(point);
    let fraction = fraction.strip_prefix(b".");

    let is_number = |digits: &[u8]| !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    if !is_number(whole) || !fraction.is_none_or(is_number) {
        return Err(kind_of_text(field));
    }
    if fraction.is_some_and(|digits| digits.iter().any(|&digit| digit != b'0')) {
        return Err(LogErrorKind::Fraction);
    }
    let sign = if negative { -1 } else { 1 };
    let mut value: i64 = 0;
    for digit in whole {
        // Signed from the start, because the smallest number has no positive counterpart.
        value = value
            .checked_mul(10)
            .and_then(|value| value.checked_add(sign * i64::from(digit - b'0')))
            .ok_or(LogErrorKind::OutOfRange)?;
    }
    Ok(value)
}

/// The kind of error for a field that is not a plain number.
fn kind_of_text(field: &[u8]) -> LogErrorKind {
    let Ok(text) = std::str::from_utf8(field) else {
        return LogErrorKind::InvalidUtf8;
    };
    let text = text.trim_start_matches(['+', '-']);
    if ["inf", "infinity"].iter().any(|infinity| text.eq_ignore_ascii_case(infinity)) {
        LogErrorKind::Infinity
    } else {
        LogErrorKind::Text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dialects() {
        for (text, value) in [
            ("3", Some(3)),
            ("3.0", Some(3)),
            ("3.00", Some(3)),
            (" 3\t", Some(3)),
            ("10", Some(10)),
            ("-1", Some(-1)),
            ("-1.0", Some(-1)),
            ("-0.0", Some(0)),
            ("", None),
            ("  ", None),
            ("nan", None),
            ("NaN", None),
            ("NAN", None),
        ] {
            assert_eq!(parse(text.as_bytes()), Ok(value), "{text:?}");
        }
    }

    #[test]
    fn refused_values() {
        use LogErrorKind::{Fraction, Infinity, InvalidUtf8, OutOfRange, Text};
        for (field, kind) in [
            (&b"2.5"[..], Fraction),
            (b"-0.1", Fraction),
            (b"inf", Infinity),
            (b"-Inf", Infinity),
            (b"+infinity", Infinity),
            (b"99999999999999999999", OutOfRange),
            (b"3.", Text),
            (b".5", Text),
            (b"+3", Text),
            (b"1e1", Text),
            (b"0x1", Text),
            (b"--1", Text),
            (b"1 2", Text),
            (b"none", Text),
            (b"-nan", Text),
            (b"-", Text),
            (b".", Text),
            ("３".as_bytes(), Text),
            (b"\xff", InvalidUtf8),
            (b"1\0", Text),
        ] {
            assert_eq!(parse(field), Err(kind), "{:?}", String::from_utf8_lossy(field));
        }
    }
}
