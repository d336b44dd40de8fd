//! Parses the fields of a row to numbers in canonical column order, and checks the range of each column.

use super::columns::{self, COLUMN_COUNT, COLUMNS, Column};
use super::error::{Fault, LogErrorKind, as_text};
use super::row::{MISSING, Row, missing_value, range_text};
use super::turn::{ActionType, GameId};
use super::value;

/// Maximum number of fields that are parsed together.
const RUN: usize = 8;
/// The last field of a line has no comma after it and is parsed separately.
const LAST: usize = COLUMN_COUNT - 1;

/// The columns of a file in its order, with lookup values for [`parse_line`].
pub(super) struct ColumnOrder {
    /// The canonical index of each column.
    pub(super) places: [u16; COLUMN_COUNT],
    /// Whether the file is in canonical order.
    is_canonical: bool,
    /// The minimum and maximum digit of each field; an empty range if a single digit is not allowed.
    min: [u8; COLUMN_COUNT],
    max: [u8; COLUMN_COUNT],
    /// The number of fields from this one on that may be missing.
    optional: [u16; COLUMN_COUNT],
}

impl ColumnOrder {
    pub(super) fn new(places: [u16; COLUMN_COUNT]) -> ColumnOrder {
        let (min, max, optional) = ([1; _], [0; _], [0; _]);
        let is_canonical = places.iter().map(|&place| usize::from(place)).eq(0..COLUMN_COUNT);
        let mut order = ColumnOrder { places, is_canonical, min, max, optional };
        for field in (0..LAST).rev() {
            let Column { min, max, may_be_missing, .. } = COLUMNS[usize::from(places[field])];
            if max >= 0 {
                (order.min[field], order.max[field]) = (min.max(0) as u8, max.min(9) as u8);
            }
            if may_be_missing {
                order.optional[field] = order.optional[field + 1] + 1;
            }
        }
        order
    }

    /// The canonical index of the last field's column.
    pub(super) fn last(&self) -> usize {
        self.places[LAST].into()
    }
}

/// Parses the fields of a record; `false` if there are too many or too few.
pub(super) fn parse_fields<'f>(
    mut fields: impl Iterator<Item = &'f [u8]>,
    order: &ColumnOrder,
    game_id: GameId,
    row: &mut Row,
) -> Result<bool, Fault> {
    for &place in &order.places {
        let place = usize::from(place);
        let Some(field) = fields.next() else { return Ok(false) };
        row.values[place] = parse_value(field, place, game_id)?;
    }
    Ok(fields.next().is_none())
}

/// Like [`parse_fields`], for a line without quotes, whose fields are separated by commas.
///
/// 98.5% of all fields are one digit or missing, such as `3,`, `3.0,`, `,` or `nan,`. Runs of these are
/// parsed together; one by one they would take a sixth of an ingest. Other fields are parsed by
/// [`parse_value`].
pub(super) fn parse_line(
    line: &[u8],
    order: &ColumnOrder,
    game_id: GameId,
    row: &mut Row,
) -> Result<bool, Fault> {
    let is_whole = |text: &[u8; 2]| text[1] == b',';
    let is_real = |text: &[u8; 4]| text[1..] == *b".0,";
    let mut numbers = [MISSING; COLUMN_COUNT];
    let (mut field, mut rest) = (0, line);
    while field < LAST {
        let optional = usize::from(order.optional[field]);
        let (count, width) = match rest {
            [b',', ..] => match rest.starts_with(&[b','; RUN]) && optional >= RUN {
                true => {
                    numbers[field..field + RUN].fill(MISSING);
                    (RUN, 1)
                }
                false => {
                    numbers[field] = MISSING;
                    (optional.min(1), 1)
                }
            },
            [b'n', b'a', b'n', b',', ..] => {
                numbers[field] = MISSING;
                (optional.min(1), 4)
            }
            [_, b',', ..] => (digits(rest, is_whole, order, field, &mut numbers), 2),
            [_, b'.', ..] => (digits(rest, is_real, order, field, &mut numbers), 4),
            _ => (0, 0),
        };
        if count > 0 {
            (field, rest) = (field + count, &rest[count * width..]);
            continue;
        }
        let (text, Some(behind)) = split_at_comma(rest) else { return Ok(false) };
        numbers[field] = parse_value(text, order.places[field].into(), game_id)?;
        (field, rest) = (field + 1, behind);
    }
    let (text, behind) = split_at_comma(rest);
    numbers[LAST] = parse_value(text, order.last(), game_id)?;
    if order.is_canonical {
        row.values = numbers;
    } else {
        for (&place, number) in order.places.iter().zip(numbers) {
            row.values[usize::from(place)] = number;
        }
    }
    Ok(behind.is_none())
}

/// Parses up to [`RUN`] fields of `WIDTH` bytes from `field` on, as long as each is a digit in the range
/// of its column. Returns their number.
fn digits<const WIDTH: usize>(
    rest: &[u8],
    has_shape: impl Fn(&[u8; WIDTH]) -> bool,
    order: &ColumnOrder,
    field: usize,
    numbers: &mut [i16; COLUMN_COUNT],
) -> usize {
    let fields = rest.as_chunks::<WIDTH>().0;
    let (min, max) = (&order.min[field..], &order.max[field..]);
    let value = |text: &[u8; WIDTH]| text[0].wrapping_sub(b'0');
    let fits = |text: &[u8; WIDTH], min: u8, max: u8| {
        has_shape(text) & (min <= value(text)) & (value(text) <= max)
    };
    if let (Some(fields), Some(min), Some(max), Some(numbers)) = (
        fields.first_chunk::<RUN>(),
        min.first_chunk::<RUN>(),
        max.first_chunk::<RUN>(),
        numbers[field..].first_chunk_mut::<RUN>(),
    ) {
        // Without branches, so that the compiler vectorizes it.
        let fit = |i: usize| u8::from(fits(&fields[i], min[i], max[i])) << i;
        let count = (0..RUN).fold(0, |all, i| all | fit(i)).trailing_ones() as usize;
        // The numbers after `count` are overwritten when their fields are parsed.
        *numbers = std::array::from_fn(|i| value(&fields[i]).into());
        return count;
    }
    match fields.first() {
        Some(text) if fits(text, min[0], max[0]) => {
            numbers[field] = value(text).into();
            1
        }
        _ => 0,
    }
}

/// The first field of a line without quotes, and the rest after its comma, if there is one.
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
