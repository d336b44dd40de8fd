//! Decoding positions column by column gives the same result as row by row.

use crate::support::positions::{made_up_boards, simulated_turns};
use rand_mt::Mt64;
use splendor_prep::encode::{
    BASE_FEATURE_COUNT, BaseRow, FEATURE_COUNT, base, decode, decode_columns, features,
};
use splendor_prep::rules::{Board, PackedBoard};

fn base_of(board: &Board) -> BaseRow {
    let mut row = [0; FEATURE_COUNT];
    features(board, &mut row);
    base(&row)
}

fn by_rows(rows: &[BaseRow]) -> Option<Vec<Board>> {
    rows.iter().map(|row| decode(row, &mut [0; FEATURE_COUNT])).collect()
}

fn by_columns(rows: &[BaseRow]) -> Option<Vec<PackedBoard>> {
    let column = |column: usize| rows.iter().map(move |row| row[column]);
    let values: Vec<_> = (0..BASE_FEATURE_COUNT).flat_map(column).collect();
    decode_columns(&values, rows.len())
}

fn unpacked(boards: &[PackedBoard]) -> Vec<Board> {
    boards.iter().map(PackedBoard::unpack).collect()
}

#[test]
fn columns_equal_rows() {
    let simulated: Vec<Board> = simulated_turns(20).map(|turn| turn.board).collect();
    let made_up: Vec<Board> = made_up_boards(3_000).collect();
    for boards in [simulated, made_up, vec![]] {
        let rows: Vec<BaseRow> = boards.iter().map(base_of).collect();
        let packed = by_columns(&rows).unwrap();
        assert!(packed.iter().copied().eq(boards.iter().map(PackedBoard::pack)));
        assert!(unpacked(&packed) == boards);
        assert!(by_rows(&rows).unwrap() == boards);
    }
}

/// Changes one or two values of a row, mostly to values that other rows have.
#[test]
fn both_refuse_the_same() {
    let boards: Vec<Board> = made_up_boards(400).collect();
    let rows: Vec<BaseRow> = boards.iter().map(base_of).collect();
    let mut random = Mt64::new(3);
    let mut below = |n: usize| (random.next_u64() % n as u64) as usize;
    let (mut accepted, mut refused) = (0, 0);
    for _ in 0..40_000 {
        let mut row = rows[below(rows.len())];
        for _ in 0..=below(2) {
            let column = below(BASE_FEATURE_COUNT);
            row[column] = match below(4) {
                0 => (below(256) as u8).cast_signed(),
                1 => row[column].wrapping_add([1, -1][below(2)]),
                _ => rows[below(rows.len())][column],
            };
        }
        // With a valid row beside it: one invalid row is enough.
        let both = [rows[0], row];
        let expected = by_rows(&both);
        assert_eq!(by_columns(&both).as_deref().map(unpacked), expected);
        match expected {
            Some(_) => accepted += 1,
            None => refused += 1,
        }
    }
    assert!(accepted > 1_000 && refused > 1_000, "{accepted} accepted, {refused} refused");
}
