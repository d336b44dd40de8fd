//! Which column stands where in a file, and what nearly every field of it holds.

use super::columns::{COLUMN_COUNT, COLUMNS, Column};

/// Bytes of a line that are looked at together: they make a number of 128 bits.
pub(super) const WINDOW: usize = 16;
/// The most fields that a window may hold with something in them: a digit and its comma.
pub(super) const MOST_FIELDS: usize = WINDOW / 2;

/// The columns of a file in its own order, each once.
///
/// Beside their places it has what [`parse_line`](super::line::parse_line) compares fields with. That
/// is some kilobytes that stay near the processor, which [`COLUMNS`] with its names does not; and it
/// lies in columns itself, so that neighbours are read at once.
#[derive(Clone)]
pub(super) struct ColumnOrder {
    /// Whether it is the canonical order.
    pub(super) is_canonical: bool,
    /// The place in canonical order of each field's column.
    pub(super) places: [u16; COLUMN_COUNT],
    /// What a field may be that is `3,`.
    pub(super) digits: DigitRanges<2>,
    /// What a field may be that is `3.0,`.
    pub(super) points: DigitRanges<4>,
    /// How many fields from each one on, at most [`WINDOW`], may be missing and have a comma.
    pub(super) optional: [u8; COLUMN_COUNT],
}

/// The least and the largest digit that each field may be, as its `N` bytes in the file. The largest is
/// below the least where no digit fits; so it is with the last field, which has no comma, and with some
/// more behind it, which are read along with it.
#[derive(Clone)]
pub(super) struct DigitRanges<const N: usize> {
    /// How a 0 stands in the file, with its comma.
    pub(super) zero: [u8; N],
    pub(super) least: [[u8; N]; COLUMN_COUNT + MOST_FIELDS],
    pub(super) most: [[u8; N]; COLUMN_COUNT + MOST_FIELDS],
}

impl<const N: usize> DigitRanges<N> {
    /// No digit fits anywhere.
    const fn none(zero: [u8; N]) -> DigitRanges<N> {
        let (mut least, most) = ([[0; N]; _], [[0; N]; _]);
        let mut field = 0;
        while field < least.len() {
            least[field][0] = 1;
            field += 1;
        }
        DigitRanges { zero, least, most }
    }

    const fn set(&mut self, field: usize, least: i16, most: i16) {
        (self.least[field], self.most[field]) = (self.zero, self.zero);
        self.least[field][0] += least as u8;
        self.most[field][0] += most as u8;
    }
}

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
            digits: DigitRanges::none(*b"0,"),
            points: DigitRanges::none(*b"0.0,"),
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
                order.digits.set(field, least, most);
                order.points.set(field, least, most);
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
