//! The numbers of a line, several fields at a time.
//!
//! Of all fields 985 in 1,000 are one digit or missing, in one of three dialects: `3` or `3.0`, nothing
//! or `nan`. One at a time they took an eighth of an ingest. So runs of them are read at once: up to
//! eight digits or sixteen missing values, four of either where they are written at length. Whatever
//! else a field is (`12`, ` 3`, a mistake) is read by itself, by the rules in [`value`](super::value).

use super::column_order::{ColumnOrder, DigitRanges, MOST_FIELDS, WINDOW};
use super::columns::COLUMN_COUNT;
use super::error::Fault;
use super::reader::parse_value;
use super::records::split_at_comma;
use super::row::{MISSING, Row};
use super::turn::GameId;

/// The numbers of a line in the order of its file, with room for a window of them at the last.
type Numbers = [i16; COLUMN_COUNT + WINDOW];

/// Reads the fields of a line without quotes into canonical order; `false` if there are too many or
/// too few.
pub(super) fn parse_line(
    line: &[u8],
    order: &ColumnOrder,
    game_id: GameId,
    row: &mut Row,
) -> Result<bool, Fault> {
    const LAST: usize = COLUMN_COUNT - 1;
    let mut numbers: Numbers = [MISSING; _];
    let (mut field, mut rest) = (0, line);
    while field < LAST {
        let optional = usize::from(order.optional[field]);
        // Whole windows first: the processor knows where the next one begins before it is done with
        // this one.
        match rest.split_first_chunk() {
            Some((&COMMAS, behind)) if optional >= WINDOW => {
                numbers[field..field + WINDOW].fill(MISSING);
                (field, rest) = (field + WINDOW, behind);
                continue;
            }
            Some((b"nan,nan,nan,nan,", behind)) if optional >= 4 => {
                numbers[field..field + 4].fill(MISSING);
                (field, rest) = (field + 4, behind);
                continue;
            }
            Some((window @ [_, b'.', ..], behind))
                if leading_digits(window, &order.points, field, &mut numbers) == 4 =>
            {
                (field, rest) = (field + 4, behind);
                continue;
            }
            Some((window @ [_, b',', ..], behind))
                if leading_digits(window, &order.digits, field, &mut numbers) == MOST_FIELDS =>
            {
                (field, rest) = (field + MOST_FIELDS, behind);
                continue;
            }
            _ => {}
        }
        let window = window_of(rest);
        let (count, width) = match window {
            [b',', ..] => {
                numbers[field..field + WINDOW].fill(MISSING);
                (leading_commas(&window).min(optional), 1)
            }
            [b'n', b'a', b'n', b',', ..] => {
                numbers[field] = MISSING;
                (optional.min(1), 4)
            }
            [_, b'.', ..] => (leading_digits(&window, &order.points, field, &mut numbers), 4),
            _ => (leading_digits(&window, &order.digits, field, &mut numbers), 2),
        };
        if count > 0 {
            (field, rest) = (field + count, &rest[count * width..]);
            continue;
        }
        let (text, Some(behind)) = split_at_comma(rest) else { return Ok(false) };
        numbers[field] = parse_value(text, order.place(field), game_id)?;
        (field, rest) = (field + 1, behind);
    }
    let (text, behind) = split_at_comma(rest);
    numbers[LAST] = parse_value(text, order.place(LAST), game_id)?;
    match numbers.first_chunk() {
        Some(numbers) if order.is_canonical => row.values = *numbers,
        _ => {
            for (&place, &number) in order.places.iter().zip(&numbers) {
                row.values[usize::from(place)] = number;
            }
        }
    }
    Ok(behind.is_none())
}

/// The next bytes of a line; behind its end, zeros, which are part of no field.
fn window_of(rest: &[u8]) -> [u8; WINDOW] {
    match rest.first_chunk() {
        Some(window) => *window,
        None => {
            let mut window = [0; _];
            window[..rest.len()].copy_from_slice(rest);
            window
        }
    }
}

/// Of how many fields from here on each is one digit that its column may hold, in `N` bytes. Writes the
/// numbers, and behind them what is none.
///
/// All are compared at once, in one number. The highest bit of each field is there to be borrowed from,
/// and stays set where it need not: no byte of a digit, point or comma has it.
fn leading_digits<const N: usize>(
    window: &[u8; WINDOW],
    ranges: &DigitRanges<N>,
    field: usize,
    numbers: &mut Numbers,
) -> usize {
    let high = const { repeated(&highest_bit::<N>()) };
    let bytes = u128::from_le_bytes(*window);
    let not_below = (bytes | high) - bytes_from(&ranges.least, field);
    let not_above = (bytes_from(&ranges.most, field) | high) - (bytes & !high);
    let fits = not_below & not_above & !bytes & high;

    // A field borrows from the next one only where it is no digit.
    let values = bytes.wrapping_sub(repeated(&ranges.zero)).to_le_bytes();
    for (number, value) in numbers[field..].iter_mut().zip(values.as_chunks::<N>().0) {
        *number = i16::from_le_bytes([value[0], value[1]]);
    }
    (fits ^ high).trailing_zeros() as usize / (N * u8::BITS as usize)
}

/// The highest bit of a number of so many bytes.
const fn highest_bit<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    bytes[N - 1] = 0x80;
    bytes
}

/// The same bytes again and again.
const fn repeated<const N: usize>(bytes: &[u8; N]) -> u128 {
    let mut all = [0; WINDOW];
    let mut place = 0;
    while place < WINDOW {
        all[place] = bytes[place % N];
        place += 1;
    }
    u128::from_le_bytes(all)
}

/// As many bytes of a list as a window has, from a field on.
fn bytes_from<const N: usize>(list: &[[u8; N]], field: usize) -> u128 {
    let bytes = list[field..].as_flattened().first_chunk();
    u128::from_le_bytes(*bytes.expect("the list is so much longer"))
}

const COMMAS: [u8; WINDOW] = [b','; WINDOW];

/// How many commas stand first: each ends a field that is missing.
fn leading_commas(window: &[u8; WINDOW]) -> usize {
    let others = u128::from_le_bytes(*window) ^ u128::from_le_bytes(COMMAS);
    others.trailing_zeros() as usize / u8::BITS as usize
}

#[cfg(test)]
mod tests {
    use super::super::columns::{ACTION_TYPE, COLUMNS, Column, GAME_ID};
    use super::*;
    use proptest::prelude::*;

    /// The same, field by field. What ends a line that is too short is not looked at.
    fn parse_fields(line: &[u8], order: &ColumnOrder) -> Result<Option<Vec<i16>>, Fault> {
        let fields: Vec<&[u8]> = line.split(|&byte| byte == b',').collect();
        let mut values = vec![MISSING; COLUMN_COUNT];
        let read = if fields.len() < COLUMN_COUNT { fields.len() - 1 } else { COLUMN_COUNT };
        for (&field, &place) in fields.iter().zip(&order.places).take(read) {
            values[usize::from(place)] = parse_value(field, place.into(), GameId(7))?;
        }
        Ok((fields.len() == COLUMN_COUNT).then_some(values))
    }

    /// How a dialect writes a number, and how a value that is missing.
    const DIALECTS: [(&str, &str); 3] = [("", ""), (".0", ""), ("", "nan")];

    /// A field that the column may hold: one digit or nothing, nearly always.
    fn plain_field(column: usize, choice: u8, (point, missing): (&str, &str)) -> String {
        let Column { min, max, may_be_missing, .. } = COLUMNS[column];
        match (column, choice) {
            (GAME_ID, _) => "7".into(),
            (ACTION_TYPE, _) => "build".into(),
            (_, 0..40) if may_be_missing => missing.into(),
            (_, 40..43) => format!("{max}.0"),
            (_, 43..100) => format!("{max}{point}"),
            _ => format!("{min}{point}"),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3_000))]
        #[test]
        fn a_line_reads_as_its_fields_do(
            mut choices in prop::collection::vec(any::<u8>(), COLUMN_COUNT),
            // Some of them in a row are missing, up to where they may not be.
            missing in (0..COLUMN_COUNT, 0..60_usize),
            dialect in prop::sample::select(&DIALECTS[..]),
            shuffled in Just((0..COLUMN_COUNT as u16).collect::<Vec<_>>()).prop_shuffle(),
            is_canonical in any::<bool>(),
            changed_field in 0..COLUMN_COUNT,
            change in 0..40_usize,
        ) {
            choices.iter_mut().skip(missing.0).take(missing.1).for_each(|choice| *choice = 0);
            let canonical: Vec<u16> = (0..COLUMN_COUNT as u16).collect();
            let order = if is_canonical { canonical } else { shuffled };
            let order = ColumnOrder::new(order.try_into().unwrap());
            let column = |field| order.place(field);
            let mut fields: Vec<String> = choices
                .iter()
                .enumerate()
                .map(|(field, &choice)| plain_field(column(field), choice, dialect))
                .collect();
            let Column { min, max, .. } = COLUMNS[column(changed_field)];
            let others = [
                "", "nan", "nan ", "na", "3.1", "3.0 ", " 1", "-1", "2.5", "3.", "x", ".", "/", ":", "1;", "\u{80}", "\0", ",", "1,1",
            ];
            match change {
                0..=9 => fields[changed_field] = format!("{}{}", max + 1, dialect.0),
                10..=19 => fields[changed_field] = format!("{}{}", min - 1, dialect.0),
                20.. => {
                    if let Some(&other) = others.get(change - 20) {
                        fields[changed_field] = other.into();
                    }
                }
            }
            let mut line = fields.join(",");
            if change == 39 {
                line.truncate(line.len() / 2);
            }
            let mut row = Row::new();
            let parsed = parse_line(line.as_bytes(), &order, GameId(7), &mut row);
            match (parsed, parse_fields(line.as_bytes(), &order)) {
                (Ok(is_whole), Ok(expected)) => {
                    prop_assert_eq!(is_whole.then(|| row.values.to_vec()), expected);
                }
                (parsed, expected) => prop_assert_eq!(
                    parsed.err().map(|fault| fault.to_string()),
                    expected.err().map(|fault| fault.to_string())
                ),
            }
        }
    }
}
