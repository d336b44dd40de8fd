//! Which column stands where in a file, and what nearly every field of it holds.

use super::columns::{COLUMN_COUNT, COLUMNS, Column};

/// Bytes of a line that are looked at together: they make a number of 128 bits.
pub(super) const WINDOW: usize = 16;
/// Fields of one digit in them, each with its comma.
pub(super) const LANES: usize = WINDOW / size_of::<OneDigit>();

/// A digit and the comma behind it, as they stand in a file.
pub(super) type OneDigit = [u8; 2];

/// The columns of a file in its own order, each once.
///
/// Beside their places it has what [`parse_line`](super::line::parse_line) compares fields with. That
/// is some kilobytes that stay near the processor, which [`COLUMNS`] with its names does not; and it
/// lies in columns itself, so that [`LANES`] neighbours are read at once. Behind the last field, these
/// go on for as many more that hold nothing.
#[derive(Clone)]
pub(super) struct ColumnOrder {
    /// Whether it is the canonical order.
    pub(super) is_canonical: bool,
    /// The place in canonical order of each field's column.
    pub(super) places: [u16; COLUMN_COUNT],
    /// The least digit that a field may be.
    pub(super) least: [OneDigit; COLUMN_COUNT + LANES],
    /// The largest. Below the least where a field may be none, as the last one: it has no comma.
    pub(super) most: [OneDigit; COLUMN_COUNT + LANES],
    /// How many fields from each one on, at most [`WINDOW`], may be missing and have a comma.
    pub(super) optional: [u8; COLUMN_COUNT],
}

/// A range that nothing is in.
const NO_DIGIT: (OneDigit, OneDigit) = ([0x01, 0x00], [0x00, 0x00]);

/// The order in which `simulate` and nearly everybody writes the columns.
pub(super) static CANONICAL: ColumnOrder = {
    let mut places = [0; COLUMN_COUNT];
    let mut place = 0;
    while place < COLUMN_COUNT {
        places[place] = place as u16;
        place += 1;
    }
    ColumnOrder::new(places)
};

impl ColumnOrder {
    /// Of the places in canonical order of a file's columns.
    pub(super) const fn new(places: [u16; COLUMN_COUNT]) -> ColumnOrder {
        let mut order = ColumnOrder {
            is_canonical: true,
            places,
            least: [NO_DIGIT.0; COLUMN_COUNT + LANES],
            most: [NO_DIGIT.1; COLUMN_COUNT + LANES],
            optional: [0; COLUMN_COUNT],
        };
        let mut optional = 0;
        let mut field = COLUMN_COUNT - 1;
        while field > 0 {
            field -= 1;
            let Column { min, max, may_be_missing, .. } = COLUMNS[places[field] as usize];
            let least = if min > 0 { min } else { 0 };
            let most = if max < 9 { max } else { 9 };
            // The columns that hold no number at all have a range of none.
            if least <= most {
                order.least[field] = [b'0' + least as u8, b','];
                order.most[field] = [b'0' + most as u8, b','];
            }
            optional = match may_be_missing {
                true if optional < WINDOW as u8 => optional + 1,
                true => optional,
                false => 0,
            };
            order.optional[field] = optional;
            // The last one is where it should be if all others are.
            order.is_canonical &= places[field] as usize == field;
        }
        order
    }

    /// The column of a field, as its place in canonical order.
    pub(super) fn place(&self, field: usize) -> usize {
        self.places[field].into()
    }

    /// The column of the last field, likewise.
    pub(super) fn last(&self) -> usize {
        self.place(COLUMN_COUNT - 1)
    }
}
