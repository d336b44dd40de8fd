//! Decoding the base features of a position is the inverse of encoding it.

use crate::support::positions::{made_up_boards, simulated_turns};
use rand_mt::Mt64;
use splendor_prep::encode::{
    BASE_FEATURE_COUNT, BaseRow, FEATURE_COUNT, FEATURES, base, decode_columns, features,
};
use splendor_prep::gamelog::{LiveColumn, LiveRow, LiveValue, column_names};
use splendor_prep::rules::{Board, HAND_LIMIT, MAX_REDUCTION, MAX_VP, PackedBoard};
use std::collections::BTreeMap;
use std::sync::LazyLock;

fn base_of(board: &Board) -> BaseRow {
    let mut row = [0; FEATURE_COUNT];
    features(board, &mut row);
    base(&row)
}

fn decode(rows: &[BaseRow]) -> Option<Vec<PackedBoard>> {
    let column = |column: usize| rows.iter().map(move |row| row[column]);
    let values: Vec<_> = (0..BASE_FEATURE_COUNT).flat_map(column).collect();
    decode_columns(&values, rows.len())
}

/// The columns of a log that base features are made of, by name.
static COLUMNS: LazyLock<BTreeMap<&str, LiveColumn>> = LazyLock::new(|| {
    let columns = (0..).map_while(LiveColumn::at);
    column_names().zip(columns).collect()
});

/// The position that the log reader makes of base features; `None` if a log cannot contain it.
fn as_logged(row: &BaseRow) -> Option<Board> {
    let names = FEATURES.iter().filter(|feature| feature.family.is_base);
    let values = || names.clone().map(|feature| feature.name.as_str()).zip(row.map(i64::from));
    let is_count = |n: &i32| values().any(|value| value == (&format!("num_players_{n}"), 1));
    let players = (2..5).find(is_count)?;
    let mut live = LiveRow::new();
    live.set(COLUMNS["turn_number"], LiveValue::Whole(1)).ok()?;
    for (name, value) in values() {
        let (column, value) = match name.rsplit_once('_') {
            // One-hot columns.
            Some((category @ ("current_player" | "num_players"), class)) if value == 1 => {
                (category, class.parse().ok()?)
            }
            Some((category, seat)) if category.ends_with("_position") && value == 1 => {
                (category, seat.parse().ok()?)
            }
            _ => (name, value),
        };
        let is_absent = (players..4).any(|player| column.starts_with(&format!("player{player}_")));
        if let Some(&column) = COLUMNS.get(column)
            && !is_absent
        {
            live.set(column, LiveValue::Whole(value)).ok()?;
        }
    }
    live.board().ok()
}

#[test]
fn base_features_decode_to_the_position() {
    let simulated: Vec<Board> = simulated_turns(20).map(|turn| turn.board).collect();
    let made_up: Vec<Board> = made_up_boards(3_000).collect();
    for boards in [simulated, made_up, vec![]] {
        let rows: Vec<BaseRow> = boards.iter().map(base_of).collect();
        let packed = decode(&rows).unwrap();
        assert!(packed.iter().copied().eq(boards.iter().map(PackedBoard::pack)));
        assert!(packed.iter().map(PackedBoard::unpack).eq(boards));
    }
}

/// Changes one or two values of a row, mostly to values that other rows have. Every row that a log can
/// contain is accepted; every accepted row is that of its position.
#[test]
fn changed_base_features() {
    let boards: Vec<Board> = made_up_boards(400).collect();
    let rows: Vec<BaseRow> = boards.iter().map(base_of).collect();
    let mut random = Mt64::new(3);
    let mut below = |n: usize| (random.next_u64() % n as u64) as usize;
    let (mut accepted, mut logged) = (0, 0);
    const CHANGES: usize = 20_000;
    for _ in 0..CHANGES {
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
        let found = decode(&[rows[0], row]).map(|boards| boards[1].unpack());
        if let Some(board) = as_logged(&row).filter(|board| base_of(board) == row) {
            assert_eq!(found, Some(board));
            logged += 1;
        }
        if let Some(board) = found {
            assert!(base_of(&board) == row, "{board:?}");
            for player in &board.players {
                let is_small = |&cards: &u8| cards <= MAX_REDUCTION;
                assert!(player.vp <= MAX_VP && player.reduction.0.iter().all(is_small));
                assert!(player.gems.0.iter().sum::<u8>() <= HAND_LIMIT);
            }
            accepted += 1;
        }
    }
    assert!(logged > 1_000 && accepted < CHANGES - 1_000, "{logged} of {accepted} accepted");
}
