//! The error messages of the reader: those of [`CASES`], and the numbers of lines.

use super::read;
use crate::support::faults::{CASES, Case, good_log};
use splendor_prep::gamelog::LogErrorKind::{self, *};
use splendor_prep::gamelog::{LogError, ReadOptions};
use std::collections::HashSet;

fn refusal(bytes: &[u8]) -> LogError {
    read(bytes, ReadOptions::default()).map(|_| ()).unwrap_err()
}

/// The column and the value in the message must also be in the fields of the error.
#[test]
fn messages() {
    let (turns, _) = read(&good_log().to_bytes(), ReadOptions::default()).unwrap();
    assert!(turns.len() > 20, "the log is good before it is damaged");
    for Case { damage, kind, line, message } in CASES {
        let error = refusal(&damage(good_log()));
        assert_eq!((error.fault.kind, error.line), (*kind, *line), "{error}");
        let expected = match line {
            Some(line) => format!("123.csv:{line}: {message}"),
            None => format!("123.csv: {message}"),
        };
        assert_eq!(error.to_string(), expected);
        if let Some((column, rest)) = message.split_once(" is `") {
            assert_eq!(error.fault.column.as_deref(), Some(column));
            assert_eq!(error.fault.found.as_deref(), rest.split('`').next());
        }
        if let Some((column, _)) = message.split_once(" is missing") {
            assert_eq!(error.fault.column.as_deref(), Some(column));
            assert_eq!(error.fault.found, None);
        }
    }
}

/// The line number does not depend on the kind of line breaks, or on a byte-order mark.
#[test]
fn line_numbers_with_any_line_break() {
    let mut log = good_log();
    log.set(9, "card0_vp", "6");
    for line_break in ["\n", "\r\n", "\r"] {
        for mark in ["", "\u{feff}"] {
            let mut bytes = mark.as_bytes().to_vec();
            bytes.extend(log.to_bytes_with(line_break));
            let error = refusal(&bytes);
            assert_eq!((error.fault.kind, error.line), (OutOfRange, Some(9)), "{line_break:?}");
        }
    }
}

#[test]
fn every_kind_has_a_case() {
    // These are about files, not about their content, and are tested where files are found and opened.
    // Replay faults are refused only with `--strict`.
    let made_elsewhere =
        [Unreadable, DamagedFile, GameInTwoFiles, ChangedWhileRead, Internal, DoesNotReplay];
    let covered: HashSet<LogErrorKind> = CASES.iter().map(|case| case.kind).collect();
    for kind in LogErrorKind::ALL {
        assert_ne!(covered.contains(kind), made_elsewhere.contains(kind), "{}", kind.name());
    }
    let names: HashSet<&str> = LogErrorKind::ALL.iter().map(|kind| kind.name()).collect();
    assert_eq!(names.len(), LogErrorKind::ALL.len(), "every kind has its own name");
}
