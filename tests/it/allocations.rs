//! Encoding a turn must not allocate, because with half a million turns, allocations would dominate the
//! time of a run.

use splendor_prep::encode::{FEATURE_COUNT, features, labels, masks};
use splendor_prep::gamelog::Turn;
use splendor_prep::rules::PlayerCount;
use splendor_prep::simulate::simulate_game;
use std::hint::black_box;

#[test]
fn encoding_allocates_nothing() {
    for players in PlayerCount::ALL {
        let turns = simulate_game(players, 3);
        assert!(turns.len() > 30);
        let mut row = [0; FEATURE_COUNT];
        let mut encode = |turn: &Turn| {
            features(&turn.board, &mut row);
            black_box((&row, labels(&turn.action), masks(&turn.board)));
        };
        // The first turn also initializes the tables of classes.
        encode(&turns[0]);
        let info = allocation_counter::measure(|| turns.iter().for_each(&mut encode));
        assert_eq!(info.count_total, 0, "{players:?}: {info:?}");
    }
}

#[test]
fn allocations_are_counted() {
    let info = allocation_counter::measure(|| drop(black_box(vec![0_u8; 100])));
    assert_eq!(info.count_total, 1);
}
