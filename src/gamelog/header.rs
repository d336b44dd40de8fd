//! The header of a log: which column stands where.

use super::columns::{self, COLUMN_COUNT, COLUMNS};
use super::error::{Fault, LogErrorKind, as_text};
use super::value;
use csv::ByteRecord;
use std::collections::HashMap;
use std::sync::LazyLock;

/// For each field of a row, its place in canonical order.
pub(super) fn match_header(header: &ByteRecord) -> Result<Vec<u16>, Fault> {
    static PLACES: LazyLock<HashMap<&str, u16>> =
        LazyLock::new(|| columns::column_names().zip(0..).collect());
    let mut seen = [false; COLUMN_COUNT];
    let mut order = Vec::with_capacity(COLUMN_COUNT);
    for name in header {
        let name = std::str::from_utf8(value::unwrap(name)).map_err(|_| {
            Fault::new(LogErrorKind::InvalidUtf8, "a column name in UTF-8").found(as_text(name))
        })?;
        let Some(&place) = PLACES.get(name) else {
            return Err(unknown_column(name));
        };
        if std::mem::replace(&mut seen[usize::from(place)], true) {
            return Err(Fault::new(LogErrorKind::DoubledColumn, "each column once").in_column(name));
        }
        order.push(place);
    }
    match seen.iter().position(|&seen| !seen) {
        Some(missing) => Err(Fault::new(
            LogErrorKind::MissingColumn,
            format!("all {COLUMN_COUNT} columns of a game log, the header has {}", order.len()),
        )
        .in_column(COLUMNS[missing].name)),
        None => Ok(order),
    }
}

/// Whether a header that no line break ends was cut off, rather than wrong: its last name is where
/// the fault is, and the beginning of a column's name.
pub(super) fn is_cut_off(fault: &Fault, header: &ByteRecord) -> bool {
    let last = header.iter().next_back().map(value::unwrap).unwrap_or_default();
    let begins_a_name = columns::column_names().any(|name| name.as_bytes().starts_with(last));
    match fault.kind {
        LogErrorKind::MissingColumn => true,
        LogErrorKind::UnknownColumn => {
            let names = header.len();
            let known_before = header.iter().take(names - 1).all(|name| {
                columns::column_names().any(|known| known.as_bytes() == value::unwrap(name))
            });
            begins_a_name && known_before
        }
        _ => false,
    }
}

fn unknown_column(name: &str) -> Fault {
    let hint = if name.contains([';', '\t']) {
        ", separated by commas".to_owned()
    } else if name.contains('\0') {
        " in UTF-8 (this looks like UTF-16)".to_owned()
    } else {
        nearest_column(name).map_or_else(String::new, |known| format!(" (did you mean {known}?)"))
    };
    let found = match name {
        "" => "a column without a name".to_owned(),
        _ => format!("the column `{}`", as_text(name.as_bytes())),
    };
    Fault::new(LogErrorKind::UnknownColumn, format!("only the columns of a game log{hint}"))
        .found(found)
}

/// The column that a misspelt name most likely means.
fn nearest_column(name: &str) -> Option<&'static str> {
    const MOST_EDITS: usize = 3;
    // Comparing takes time by the product of both lengths: a megabyte of text must not get there.
    let could_be_near = |known: &&str| known.len().abs_diff(name.len()) <= MOST_EDITS;
    columns::column_names()
        .filter(could_be_near)
        .map(|known| (strsim::damerau_levenshtein(known, name), known))
        .min()
        .filter(|&(edits, _)| edits <= MOST_EDITS)
        .map(|(_, known)| known)
}
