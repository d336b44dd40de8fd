//! Encoding a turn must not allocate: at half a million turns, what a turn allocates is what the
//! run spends its time on.

use splendor_prep::encode::{FEATURE_COUNT, features, labels, masks};
use splendor_prep::rules::PlayerCount;
use splendor_prep::simulate::simulate_game;
use std::hint::black_box;

#[test]
fn features_labels_and_masks_of_a_turn_allocate_nothing() {
    for players in PlayerCount::ALL {
        let turns = simulate_game(players, 3);
        assert!(turns.len() > 30);
        let mut row = [0; FEATURE_COUNT];
        let info = allocation_counter::measure(|| {
            for turn in &turns {
                features(&turn.board, &mut row);
                black_box((&row, labels(&turn.action), masks(&turn.board)));
            }
        });
        assert_eq!(info.count_total, 0, "{players:?}: {info:?}");
    }
}

#[test]
fn an_allocation_would_be_seen() {
    let info = allocation_counter::measure(|| drop(black_box(vec![0_u8; 100])));
    assert_eq!(info.count_total, 1);
}
