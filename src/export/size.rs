//! Estimates the size of an export before it is written.

use super::options::Layout;
use crate::dataset::{BySplit, Dtype};
use crate::encode::Head;

/// The inputs of the estimate.
#[derive(Clone, Copy, Debug)]
pub(super) struct ExportSize {
    pub(super) rows: BySplit<u64>,
    pub(super) games: u64,
    pub(super) columns: u64,
    pub(super) dtype: Dtype,
    pub(super) layout: Layout,
}

/// Index of a row: game id, turn number and row in the game.
const INDEX_BYTES: u64 = 8 + 4 + 4;
/// Outcome of a row: four numbers.
const OUTCOME_BYTES: u64 = 4 * 4;

/// Assumed compression ratio of a Parquet file compared with arrays. Simulated games are compressed to a
/// twentieth; half of that ratio is assumed, so that the check does not refuse an export that would fit.
const PARQUET_COMPRESSION: u64 = 10;

/// Bytes of JSON per game (its id and hashes in the manifest) and per column (its name, sums and scale),
/// and of the headers of all files.
const GAME_BYTES: u64 = 64;
const COLUMN_BYTES: u64 = 200;
const HEADER_BYTES: u64 = 512 << 10;

impl ExportSize {
    /// Peak use of the disk in bytes: all arrays, and a second copy of the largest group of arrays while
    /// it is packed into an `.npz`.
    pub(super) fn bytes(&self) -> u64 {
        let rows: u64 = self.rows.into_values().sum();
        let per_row = self.columns * self.dtype.bytes()
            + label_bytes()
            + mask_bytes()
            + INDEX_BYTES
            + OUTCOME_BYTES;
        let max_rows = self.rows.into_values().max().unwrap_or(0);
        let arrays = match self.layout {
            Layout::Npz => rows * per_row + max_rows * mask_bytes(),
            Layout::Npy => rows * per_row + max_rows * INDEX_BYTES,
            Layout::Parquet => rows * per_row / PARQUET_COMPRESSION,
        };
        arrays + self.games * GAME_BYTES + self.columns * COLUMN_BYTES + HEADER_BYTES
    }

    /// Size of the arrays that are packed into an `.npz`.
    pub(super) fn packed_bytes(&self) -> u64 {
        let per_row = match self.layout {
            Layout::Npz => label_bytes() + mask_bytes() + INDEX_BYTES + OUTCOME_BYTES,
            Layout::Npy => INDEX_BYTES + OUTCOME_BYTES,
            Layout::Parquet => 0,
        };
        self.rows.into_values().sum::<u64>() * per_row
    }
}

/// Bytes of labels per row.
fn label_bytes() -> u64 {
    (Head::COUNT * size_of::<i32>()) as u64
}

/// Bytes of masks per row.
fn mask_bytes() -> u64 {
    Head::ALL.iter().map(|head| head.classes() as u64).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the documentation: 560,000 turns of 7,259 games.
    #[test]
    fn size_of_the_arrays_and_the_largest_archive() {
        let size = ExportSize {
            rows: BySplit { train: 448_000, val: 56_000, test: 56_000 },
            games: 7_259,
            columns: 1_308,
            dtype: Dtype::Float32,
            layout: Layout::Npz,
        };
        let about = |size: ExportSize, arrays: u64| {
            let needed = size.bytes();
            assert!((arrays..arrays + 2_000_000).contains(&needed), "{needed}, not {arrays}");
        };
        let per_row = 7 * 4 + 154 + 16 + 16;
        about(size, 560_000 * (1_308 * 4 + per_row) + 448_000 * 154);
        about(
            ExportSize { dtype: Dtype::Int8, ..size },
            560_000 * (1_308 + per_row) + 448_000 * 154,
        );
        about(
            ExportSize { dtype: Dtype::Float16, layout: Layout::Npy, columns: 422, ..size },
            560_000 * (422 * 2 + per_row) + 448_000 * 16,
        );
        about(ExportSize { layout: Layout::Parquet, ..size }, 560_000 * (1_308 * 4 + per_row) / 10);
    }
}
