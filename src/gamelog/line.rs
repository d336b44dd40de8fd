//! The numbers of a line, several fields at a time.
//!
//! Of all fields 985 in 1,000 are one digit or nothing. Runs of those are read at once, up to eight
//! digits or sixteen missing values: that takes a third of the instructions that they take one at a
//! time, which was an eighth of a whole ingest. Whatever else a field is (`12`, `3.0`, `nan`, a mistake) is read by itself, by
//! the rules in [`value`](super::value).

use super::column_order::{ColumnOrder, LANES, OneDigit, WINDOW};
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
        // Whole windows first: the processor knows where the next one begins before it is done with
        // this one.
        match rest.split_first_chunk() {
            Some((&COMMAS, behind)) if usize::from(order.optional[field]) == WINDOW => {
                numbers[field..field + WINDOW].fill(MISSING);
                (field, rest) = (field + WINDOW, behind);
                continue;
            }
            Some((window, behind))
                if leading_digits(window, order, field, &mut numbers) == LANES =>
            {
                (field, rest) = (field + LANES, behind);
                continue;
            }
            _ => {}
        }
        let window = window_of(rest);
        let missing = leading_commas(&window).min(order.optional[field].into());
        if missing > 0 {
            numbers[field..field + WINDOW].fill(MISSING);
            (field, rest) = (field + missing, &rest[missing..]);
            continue;
        }
        let digits = leading_digits(&window, order, field, &mut numbers);
        if digits > 0 {
            (field, rest) = (field + digits, &rest[2 * digits..]);
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

/// Of how many fields from here on each is one digit that its column may hold. Writes the numbers,
/// and behind them what is none.
///
/// All lanes are compared at once, in one number. The highest bit of a lane is what it borrows from,
/// and stays where it need not: no byte of a digit or comma has it.
fn leading_digits(
    window: &[u8; WINDOW],
    order: &ColumnOrder,
    field: usize,
    numbers: &mut Numbers,
) -> usize {
    const HIGH: u128 = lanes([0x00, 0x80]);
    let bytes = u128::from_le_bytes(*window);
    let not_below = (bytes | HIGH) - lanes_from(&order.least, field);
    let not_above = (lanes_from(&order.most, field) | HIGH) - (bytes & !HIGH);
    let fits = not_below & not_above & !bytes & HIGH;

    // A lane borrows from the next one only where it is no digit.
    let values = bytes.wrapping_sub(lanes(*b"0,")).to_le_bytes();
    for (number, value) in numbers[field..field + LANES].iter_mut().zip(values.as_chunks().0) {
        *number = i16::from_le_bytes(*value);
    }
    (fits ^ HIGH).trailing_zeros() as usize / LANE_BITS
}

/// Bits of a lane.
const LANE_BITS: usize = 8 * size_of::<OneDigit>();

/// The same in every lane.
const fn lanes(lane: OneDigit) -> u128 {
    u16::from_le_bytes(lane) as u128 * (u128::MAX / u16::MAX as u128)
}

/// What a column order has for a field and those behind it.
fn lanes_from(list: &[OneDigit; COLUMN_COUNT + LANES], field: usize) -> u128 {
    let lanes: &[OneDigit; LANES] =
        list[field..].first_chunk().expect("the list is so much longer");
    u128::from_le_bytes(*lanes.as_flattened().first_chunk().expect("two bytes a lane"))
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

    /// A field that the column may hold: one digit or nothing, nearly always.
    fn plain_field(column: usize, choice: u8) -> String {
        let Column { min, max, may_be_missing, .. } = COLUMNS[column];
        match (column, choice) {
            (GAME_ID, _) => "7".into(),
            (ACTION_TYPE, _) => "build".into(),
            (_, 0..40) if may_be_missing => String::new(),
            (_, 40..43) => format!("{max}.0"),
            (_, 43..100) => max.to_string(),
            _ => min.to_string(),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn a_line_reads_as_its_fields_do(
            choices in prop::collection::vec(any::<u8>(), COLUMN_COUNT),
            shuffled in Just((0..COLUMN_COUNT as u16).collect::<Vec<_>>()).prop_shuffle(),
            is_canonical in any::<bool>(),
            changed_field in 0..COLUMN_COUNT,
            change in 0..40_usize,
        ) {
            let canonical: Vec<u16> = (0..COLUMN_COUNT as u16).collect();
            let order = if is_canonical { canonical } else { shuffled };
            let order = ColumnOrder::new(order.try_into().unwrap());
            let column = |field| order.place(field);
            let mut fields: Vec<String> = choices
                .iter()
                .enumerate()
                .map(|(field, &choice)| plain_field(column(field), choice))
                .collect();
            let Column { min, max, .. } = COLUMNS[column(changed_field)];
            let others = [
                "", "nan", " 1", "-1", "2.5", "3.", "x", ".", "/", ":", "1;", "\u{80}", "\0", ",", "1,1",
            ];
            match change {
                0..=9 => fields[changed_field] = (max + 1).to_string(),
                10..=19 => fields[changed_field] = (min - 1).to_string(),
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
