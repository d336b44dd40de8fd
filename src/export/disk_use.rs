//! How many bytes an export takes, before any of them is written.

use super::ExportError;
use super::Layout;
use super::dtype::Dtype;
use crate::disk_space::free_bytes;
use crate::encode::Head;
use std::path::Path;

/// What the size of an export depends on.
#[derive(Clone, Copy, Debug)]
pub(super) struct ExportSize {
    /// Of each split.
    pub(super) rows: [u64; 3],
    pub(super) games: u64,
    pub(super) columns: u64,
    pub(super) dtype: Dtype,
    pub(super) layout: Layout,
}

/// Header of an `.npy` file, and the block that its end shares with no other file.
const PER_FILE: u64 = 128 + 4096;

/// Of the index: game id, turn number and row in game.
const INDEX_BYTES_PER_ROW: u64 = 8 + 4 + 4;
const INDEX_ARRAYS: u64 = 3;

/// A Parquet file is compressed, how far shows only when it is written: simulated games come to a
/// twentieth of their arrays. Half of that shrinking is counted on, lest an export is refused for
/// which there is room; one for which there is none all the same fails like any on a full disk.
const PARQUET_SHRINKS_TO_PART: u64 = 10;

/// The JSON files: a little for each game (its id and two hashes in the manifest), and for each column
/// (its name, sums, and how it is normalised).
const JSON_BYTES_PER_GAME: u64 = 64;
const JSON_BYTES_PER_COLUMN: u64 = 200;
const JSON_BYTES: u64 = 64 << 10;

impl ExportSize {
    /// Bytes at the fullest moment: every array lies there as a file, and those of one kind and split
    /// a second time, in the `.npz` that they are being packed into. Of Parquet files an estimate.
    pub(super) fn bytes(&self) -> u64 {
        let heads = Head::COUNT as u64;
        let classes: u64 = Head::ALL.iter().map(|head| head.classes() as u64).sum();
        let array =
            |rows: u64, bytes_per_row: u64, files: u64| rows * bytes_per_row + files * PER_FILE;
        let (mut arrays, mut packing) = (0, 0);
        for rows in self.rows {
            let features = array(rows, self.columns * self.dtype.bytes(), 1);
            let labels = array(rows, heads * size_of::<i32>() as u64, heads);
            let masks = array(rows, classes, heads);
            let index = array(rows, INDEX_BYTES_PER_ROW, INDEX_ARRAYS);
            arrays += features + labels + masks + index;
            packing = packing.max(index);
            if self.layout == Layout::Npz {
                packing = packing.max(labels).max(masks);
            }
        }
        if self.layout == Layout::Parquet {
            (arrays, packing) = (arrays / PARQUET_SHRINKS_TO_PART, 0);
        }
        let json =
            JSON_BYTES + self.games * JSON_BYTES_PER_GAME + self.columns * JSON_BYTES_PER_COLUMN;
        arrays + packing + json
    }

    /// Bytes of the arrays that are packed into an `.npz`, without their headers.
    pub(super) fn packed_bytes(&self) -> u64 {
        let classes: u64 = Head::ALL.iter().map(|head| head.classes() as u64).sum();
        let heads = Head::COUNT * size_of::<i32>();
        let per_row = match self.layout {
            Layout::Npz => heads as u64 + classes + INDEX_BYTES_PER_ROW,
            Layout::Npy => INDEX_BYTES_PER_ROW,
            Layout::Parquet => 0,
        };
        self.rows.iter().sum::<u64>() * per_row
    }
}

/// Refuses an export for which there is too little room; where it is unknown how much there is, none.
pub(super) fn check_room(out: &Path, needed: u64, free: Option<u64>) -> Result<(), ExportError> {
    match free {
        Some(free) if free < needed => {
            Err(ExportError::NoRoom { out: out.to_owned(), needed, free })
        }
        _ => Ok(()),
    }
}

impl ExportError {
    /// If this error came of a full disk, says so, with what the export needs and what is free now.
    pub(super) fn with_room(self, out: &Path, needed: u64) -> ExportError {
        match self {
            error if error.is_of_full_disk() => {
                ExportError::DiskFull { out: out.to_owned(), needed, free: free_bytes(out) }
            }
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_export_is_refused_where_less_is_free_than_it_needs() {
        let out = Path::new("data/processed");
        check_room(out, 3_000_000_000, Some(3_000_000_000)).unwrap();
        check_room(out, 3_000_000_000, None).unwrap();
        let error = check_room(out, 3_000_000_000, Some(1_200_000_000)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the export to data/processed needs 3.0 GB and 1.2 GB are free there: free some space, \
             or choose another disk with --out"
        );
    }

    /// The sizes of README: 560,000 turns of 7,259 games.
    #[test]
    fn the_need_is_that_of_the_arrays_and_of_the_largest_archive() {
        let size = ExportSize {
            rows: [448_000, 56_000, 56_000],
            games: 7_259,
            columns: 1_308,
            dtype: Dtype::Float32,
            layout: Layout::Npz,
        };
        let about = |size: ExportSize, arrays: u64| {
            let needed = size.bytes();
            assert!((arrays..arrays + 2_000_000).contains(&needed), "{needed}, not {arrays}");
        };
        let per_row = 7 * 4 + 154 + 16;
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
