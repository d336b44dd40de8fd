//! The header of a log: the order of its columns.

use super::columns::{self, COLUMN_COUNT, COLUMNS};
use super::error::{Fault, LogErrorKind, as_text};
use super::fields::ColumnOrder;
use super::records::Record;
use super::turn::GameId;
use super::value;
use std::collections::HashMap;
use std::sync::LazyLock;

/// Determines the column of each field of a row.
///
/// `unfinished` means that the file ends with the header and without a line break: missing or incomplete
/// names may not be written yet.
pub(super) fn match_header(header: &Record<'_>, unfinished: bool) -> Result<ColumnOrder, Fault> {
    // Nearly all logs have their columns in canonical order.
    static CANONICAL: LazyLock<String> =
        LazyLock::new(|| columns::column_names().collect::<Vec<_>>().join(","));
    if matches!(header, Record::Line(line) if *line == CANONICAL.as_bytes()) {
        return Ok(ColumnOrder::new(std::array::from_fn(|place| place as u16)));
    }
    static PLACES: LazyLock<HashMap<&[u8], u16>> =
        LazyLock::new(|| columns::column_names().map(str::as_bytes).zip(0..).collect());
    let mut seen = [false; COLUMN_COUNT];
    let mut order = Vec::with_capacity(COLUMN_COUNT);
    let names: Vec<&[u8]> = header.fields().map(value::unwrap).collect();
    let cut_off = || Fault::cut_off().found(format!("{} columns", names.len()));
    for &name in &names {
        let Some(&place) = PLACES.get(name) else {
            let name = std::str::from_utf8(name).map_err(|_| {
                Fault::new(LogErrorKind::InvalidUtf8, "a column name in UTF-8").found(as_text(name))
            })?;
            let is_last = order.len() + 1 == names.len();
            if unfinished && is_last && columns::column_names().any(|c| c.starts_with(name)) {
                return Err(cut_off());
            }
            return Err(unknown_column(name));
        };
        if std::mem::replace(&mut seen[usize::from(place)], true) {
            return Err(Fault::new(LogErrorKind::DoubledColumn, "each column once")
                .in_column(&COLUMNS[usize::from(place)].name));
        }
        order.push(place);
    }
    match seen.iter().position(|&seen| !seen) {
        Some(_) if unfinished => Err(cut_off()),
        Some(missing) => Err(Fault::new(
            LogErrorKind::MissingColumn,
            format!("all {COLUMN_COUNT} columns of a game log, the header has {}", order.len()),
        )
        .in_column(&COLUMNS[missing].name)),
        None => {
            Ok(ColumnOrder::new(order.try_into().expect("each column once, with none missing")))
        }
    }
}

pub(super) fn unknown_column(name: &str) -> Fault {
    let hint = if name.contains([';', '\t']) {
        ", separated by commas".to_owned()
    } else if name.contains('\0') {
        " in UTF-8 (this looks like UTF-16)".to_owned()
    } else {
        nearest_column(name).map_or_else(String::new, |known| format!(" (did you mean {known}?)"))
    };
    // Shorter than the limit of values in errors, so that the closing quote is shown, too.
    const SHOWN: usize = 50;
    let found = match name.char_indices().nth(SHOWN) {
        _ if name.is_empty() => "a column without a name".to_owned(),
        Some((end, _)) => format!("the column `{}…`", &name[..end]),
        None => format!("the column `{name}`"),
    };
    Fault::new(LogErrorKind::UnknownColumn, format!("only the columns of a game log{hint}"))
        .found(found)
}

/// The most similar column to a misspelled name.
fn nearest_column(name: &str) -> Option<&'static str> {
    const MOST_EDITS: usize = 3;
    // Comparing takes quadratic time, so long texts are not compared.
    let could_be_near = |known: &&str| known.len().abs_diff(name.len()) <= MOST_EDITS;
    columns::column_names()
        .filter(could_be_near)
        .map(|known| (strsim::damerau_levenshtein(known, name), known))
        .min()
        .filter(|&(edits, _)| edits <= MOST_EDITS)
        .map(|(_, known)| known)
}

/// The `game_id` of a log's first row; `None` if it has none.
///
/// Not a validation: [`read_log`](super::read_log) checks that the log is valid and of one game.
pub fn first_game_id(bytes: &[u8]) -> Option<GameId> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(bytes);
    let header = reader.byte_headers().ok()?;
    let place = header.iter().position(|name| value::unwrap(name) == b"game_id")?;
    let mut row = csv::ByteRecord::new();
    reader.read_byte_record(&mut row).ok()?;
    value::parse(row.get(place)?).ok()?.map(GameId)
}
