//! The fields of one row to numbers in canonical column order, each inside its column's range.

use super::columns::{self, COLUMN_COUNT, COLUMNS};
use super::error::{Fault, LogErrorKind, as_text};
use super::row::{MISSING, Row, missing_value, range_text};
use super::turn::{ActionType, GameId};
use super::value;

/// The columns of a file in its own order, as places in canonical order.
pub(super) type ColumnOrder = [u16; COLUMN_COUNT];

/// Reads the fields of a record; `false` if there are too many or too few.
pub(super) fn parse_fields<'f>(
    mut fields: impl Iterator<Item = &'f [u8]>,
    order: &ColumnOrder,
    game_id: GameId,
    row: &mut Row,
) -> Result<bool, Fault> {
    for &place in order {
        let place = usize::from(place);
        let Some(field) = fields.next() else { return Ok(false) };
        row.values[place] = parse_value(field, place, game_id)?;
    }
    Ok(fields.next().is_none())
}

/// As [`parse_fields`], for a line without quotes, whose fields lie between its commas.
///
/// Of all fields 985 in 1,000 are one digit or missing, as `3,`, `3.0,`, `,` or `nan,`. These are
/// read here, without a search for the next comma; others go to [`parse_value`].
pub(super) fn parse_line(
    line: &[u8],
    order: &ColumnOrder,
    game_id: GameId,
    row: &mut Row,
) -> Result<bool, Fault> {
    let columns = COLUMNS.as_slice();
    let mut rest = Some(line);
    for &place in order {
        let place = usize::from(place);
        let Some(line) = rest else { return Ok(false) };
        let column = &columns[place];
        let (number, width) = match line.first_chunk::<4>() {
            Some([b',', ..]) => (MISSING, 1),
            Some([digit, b',', ..]) => (i16::from(*digit) - i16::from(b'0'), 2),
            Some([digit, b'.', b'0', b',']) => (i16::from(*digit) - i16::from(b'0'), 4),
            Some(b"nan,") => (MISSING, 4),
            _ => (-1, 0),
        };
        let is_allowed = match number {
            MISSING => column.may_be_missing,
            _ => (0..=9).contains(&number) && column.min <= number && number <= column.max,
        };
        (row.values[place], rest) = if is_allowed {
            (number, Some(&line[width..]))
        } else {
            let (field, rest) = split_at_comma(line);
            (parse_value(field, place, game_id)?, rest)
        };
    }
    Ok(rest.is_none())
}

/// The first field of a line without quotes, and what follows its comma, if there is one.
fn split_at_comma(line: &[u8]) -> (&[u8], Option<&[u8]>) {
    match line.iter().position(|&byte| byte == b',') {
        Some(comma) => (&line[..comma], Some(&line[comma + 1..])),
        None => (line, None),
    }
}

fn parse_value(field: &[u8], place: usize, game_id: GameId) -> Result<i16, Fault> {
    match place {
        columns::GAME_ID => check_game_id(field, game_id),
        columns::ACTION_TYPE => parse_action_type(field),
        _ => parse_number(field, place),
    }
}

pub(super) fn parse_number(field: &[u8], place: usize) -> Result<i16, Fault> {
    let column = &COLUMNS[place];
    let fault =
        |kind| Fault::new(kind, range_text(column)).in_column(&column.name).found(as_text(field));
    match value::parse(field).map_err(fault)? {
        Some(value) if (column.min.into()..=column.max.into()).contains(&value) => Ok(value as i16),
        Some(_) => Err(fault(LogErrorKind::OutOfRange)),
        None if column.may_be_missing => Ok(MISSING),
        None => Err(missing_value(column)),
    }
}

fn check_game_id(field: &[u8], game_id: GameId) -> Result<i16, Fault> {
    let fault = |kind| {
        Fault::new(kind, format!("{game_id}, the game the file is named after"))
            .in_column("game_id")
    };
    match value::parse(field) {
        Ok(Some(value)) if value == game_id.0 => Ok(0),
        Ok(Some(_)) => Err(fault(LogErrorKind::OtherGame).found(as_text(field))),
        Ok(None) => Err(fault(LogErrorKind::MissingValue)),
        Err(kind) => Err(fault(kind).found(as_text(field))),
    }
}

pub(super) fn parse_action_type(field: &[u8]) -> Result<i16, Fault> {
    let name = value::unwrap(field);
    if let Some(class) = ActionType::ALL.iter().position(|t| t.logged_name().as_bytes() == name) {
        return Ok(class as i16);
    }
    let known = ActionType::ALL.map(|t| format!("`{}`", t.logged_name())).join(", ");
    let fault = |kind| Fault::new(kind, format!("one of {known}")).in_column("action_type");
    if value::parse(field) == Ok(None) {
        return Err(fault(LogErrorKind::MissingValue));
    }
    let kind = match std::str::from_utf8(field) {
        Ok(_) => LogErrorKind::Text,
        Err(_) => LogErrorKind::InvalidUtf8,
    };
    Err(fault(kind).found(as_text(field)))
}
