//! Rows of bytes to columns, and back.
//!
//! Eight by eight, as numbers of 64 bits: a byte at a time, moving them about took a twelfth of an
//! ingest.

/// Rows and columns that are moved at a time.
const SIDE: usize = size_of::<u64>();

/// Columns one after another. Each has room for a multiple of eight rows; what stands behind the last
/// one counts for nothing.
#[derive(Default)]
pub(super) struct ByteColumns {
    bytes: Vec<i8>,
    rows: usize,
    /// From one column to the next.
    stride: usize,
}

impl ByteColumns {
    /// Makes room for `columns` of `rows`. What is in it is left over from before.
    pub(super) fn resize(&mut self, columns: usize, rows: usize) {
        (self.rows, self.stride) = (rows, rows.next_multiple_of(SIDE));
        self.bytes.resize(columns * self.stride, 0);
    }

    /// Sets all columns from rows.
    pub(super) fn set<const WIDTH: usize>(&mut self, rows: &[[i8; WIDTH]]) {
        self.resize(WIDTH, rows.len());
        let none = [0; WIDTH];
        for first_row in (0..rows.len()).step_by(SIDE) {
            let side: [&[i8; WIDTH]; SIDE] =
                std::array::from_fn(|row| rows.get(first_row + row).unwrap_or(&none));
            for first in firsts::<WIDTH>() {
                let columns = transposed(side.map(|row| number_at(row, first)));
                for (column, number) in (first..).zip(columns) {
                    put_number_at(&mut self.bytes, column * self.stride + first_row, number);
                }
            }
        }
    }

    /// All columns as rows.
    pub(super) fn rows<const WIDTH: usize>(&self) -> Vec<[i8; WIDTH]> {
        let mut rows = vec![[0; WIDTH]; self.stride];
        for (side, first_row) in rows.as_chunks_mut::<SIDE>().0.iter_mut().zip((0..).step_by(SIDE))
        {
            for first in firsts::<WIDTH>() {
                let numbers = std::array::from_fn(|column| {
                    number_at(&self.bytes, (first + column) * self.stride + first_row)
                });
                for (row, number) in side.iter_mut().zip(transposed(numbers)) {
                    put_number_at(row, first, number);
                }
            }
        }
        rows.truncate(self.rows);
        rows
    }

    /// Each column.
    pub(super) fn columns(&self) -> impl Iterator<Item = &[i8]> {
        self.bytes.chunks_exact(self.stride.max(1)).map(|column| &column[..self.rows])
    }

    /// Each column, to be written.
    pub(super) fn columns_mut(&mut self) -> impl Iterator<Item = &mut [i8]> {
        let rows = self.rows;
        self.bytes.chunks_exact_mut(self.stride.max(1)).map(move |column| &mut column[..rows])
    }
}

/// Where each eight columns begin. The last ones overlap those before, unless all come out even.
fn firsts<const WIDTH: usize>() -> impl Iterator<Item = usize> {
    const { assert!(WIDTH >= SIDE) };
    (0..WIDTH).step_by(SIDE).map(|first| first.min(WIDTH - SIDE))
}

fn number_at(bytes: &[i8], place: usize) -> u64 {
    let bytes: &[i8; SIDE] = bytes[place..].first_chunk().expect("eight bytes from here on");
    u64::from_le_bytes(bytes.map(i8::cast_unsigned))
}

fn put_number_at(bytes: &mut [i8], place: usize, number: u64) {
    let bytes: &mut [i8; SIDE] =
        bytes[place..].first_chunk_mut().expect("eight bytes from here on");
    *bytes = number.to_le_bytes().map(u8::cast_signed);
}

/// Eight numbers of eight bytes, the first bytes of all of them in the first, and so on.
///
/// Quarters change places: first of four by four bytes, then inside each of two by two, then of one.
fn transposed(mut rows: [u64; SIDE]) -> [u64; SIDE] {
    let mut exchange = |distance: usize, low: u64| {
        for row in (0..SIDE).filter(|row| row & distance == 0) {
            let bits = 8 * distance;
            let changed = (rows[row] >> bits ^ rows[row + distance]) & low;
            rows[row + distance] ^= changed;
            rows[row] ^= changed << bits;
        }
    };
    exchange(4, 0x0000_0000_FFFF_FFFF);
    exchange(2, 0x0000_FFFF_0000_FFFF);
    exchange(1, 0x00FF_00FF_00FF_00FF);
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back_from_their_columns() {
        // From fewer than eight to several times eight, and a width that does not come out even.
        let rows: Vec<[i8; 11]> = (0..29)
            .map(|row: i8| std::array::from_fn(|column| row.wrapping_mul(7) ^ (3 * column) as i8))
            .collect();
        let mut columns = ByteColumns::default();
        for count in (0..=rows.len()).rev() {
            let rows = &rows[..count];
            columns.set(rows);
            assert_eq!(columns.rows::<11>(), rows);
            let expected: Vec<Vec<i8>> = match count {
                0 => Vec::new(),
                _ => (0..11).map(|c| rows.iter().map(|row| row[c]).collect()).collect(),
            };
            assert_eq!(columns.columns().collect::<Vec<_>>(), expected, "{count} rows");
        }
    }
}
