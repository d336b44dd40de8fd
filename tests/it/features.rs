//! Two independent implementations of features and labels must agree, on simulated games, on random
//! positions, and at the limits of the format.

#![allow(clippy::unwrap_used)]

use crate::support::plain_features;
use crate::support::plain_rules::{REMOVAL_CLASSES, TAKE3_CLASSES, masks};
use crate::support::positions::{made_up_boards, simulated_turns};
use splendor_prep::encode::{BASE_FEATURE_COUNT, FEATURE_COUNT, FEATURES, features, labels};
use splendor_prep::gamelog::{ActionType, LoggedAction};
use splendor_prep::rules::{Board, ByColor, ByGem, Player, PlayerCount, Seat};
use std::collections::BTreeSet;

fn encoded(board: &Board) -> [i8; FEATURE_COUNT] {
    // Values of a previous row must not remain.
    let mut row = [77; FEATURE_COUNT];
    features(board, &mut row);
    row
}

/// Asserts that both implementations give the same values, and returns them with their names.
fn agreed_features(board: &Board) -> Vec<(String, i64)> {
    let plain = plain_features::features(board);
    let row = encoded(board);
    assert_eq!(plain.len(), row.len());
    for ((name, expected), found) in plain.iter().zip(row) {
        assert_eq!(i64::from(found), *expected, "{name} of {board:?}");
    }
    plain
}

fn value(row: &[(String, i64)], name: &str) -> i64 {
    row.iter().find(|(known, _)| known == name).unwrap().1
}

/// Whether a feature is normalized: "Not normalized: one-hot; any name ending in `_bonus_C`; any
/// name containing `position`, `can_build`, `must_use_gold`, `acquirable` or `can_take2_`."
fn is_normalized(name: &str) -> bool {
    let is_one_hot = name.starts_with("current_player_") || name.starts_with("num_players_");
    let is_bonus = ["white", "blue", "green", "red", "black"]
        .iter()
        .any(|color| name.ends_with(&format!("_bonus_{color}")));
    let parts = ["position", "can_build", "must_use_gold", "acquirable", "can_take2_"];
    !is_one_hot && !is_bonus && !parts.iter().any(|part| name.contains(part))
}

#[test]
fn names_and_flags() {
    let board = made_up_boards(1).next().unwrap();
    let plain: Vec<String> =
        plain_features::features(&board).into_iter().map(|(name, _)| name).collect();
    let names: Vec<&str> = FEATURES.iter().map(|feature| feature.name.as_str()).collect();
    assert_eq!(names, plain);
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), FEATURE_COUNT, "no name twice");

    for feature in FEATURES.iter() {
        let expected = is_normalized(feature.name.as_str());
        assert_eq!(feature.normalized, expected, "{}", feature.name);
    }
}

/// "*Base* features are parts 1, 2 and 4 (422); *all* is the 1,308."
#[test]
fn base_features() {
    for (column, feature) in FEATURES.iter().enumerate() {
        let is_base = !(375 + 24..FEATURE_COUNT - 23).contains(&column);
        assert_eq!(feature.family.is_base, is_base, "{}", feature.name);
    }
    assert_eq!((BASE_FEATURE_COUNT, FEATURE_COUNT), (422, 1308));
}

#[test]
fn features_of_simulated_games_agree() {
    let mut rows = 0;
    for turn in simulated_turns(40) {
        agreed_features(&turn.board);
        rows += 1;
    }
    assert!(rows > 8_000, "{rows} rows");
}

#[test]
fn features_of_made_up_positions_agree() {
    let mut values_seen = vec![BTreeSet::new(); FEATURE_COUNT];
    for board in made_up_boards(10_000) {
        for (seen, (_, value)) in values_seen.iter_mut().zip(agreed_features(&board)) {
            seen.insert(value);
        }
    }
    // A constant feature would agree even if it were wrong.
    let constant = FEATURES
        .iter()
        .zip(&values_seen)
        .filter(|(_, seen)| seen.len() == 1)
        .map(|(feature, _)| feature.name.as_str());
    let expected = [
        "max_tokens_pile_gold",
        "player0_num_nobles_acquired",
        "player0_num_cards_bought",
        "player1_num_nobles_acquired",
        "player1_num_cards_bought",
        "player2_num_nobles_acquired",
        "player2_num_cards_bought",
        "player3_num_nobles_acquired",
        "player3_num_cards_bought",
        "total_cards_bought",
    ];
    assert_eq!(constant.collect::<Vec<_>>(), expected);
}

/// Positions at the limits of the log format.
fn extreme_boards() -> Vec<Board> {
    let mut boards = Vec::new();
    for players in PlayerCount::ALL {
        let some_board = made_up_boards(500)
            .find(|board| board.player_count() == players && board.nobles.len() == 5)
            .unwrap();
        for (vp, reduction, hand) in [
            (60, 20, [2, 2, 2, 2, 2, 0]),
            (60, 20, [4, 1, 0, 0, 0, 5]),
            (60, 0, [0, 0, 0, 0, 4, 5]),
            (0, 20, [0; 6]),
            (0, 0, [0; 6]),
            (15, 3, [1, 1, 1, 1, 1, 5]),
        ] {
            let richest = Player {
                vp,
                gems: ByGem(hand),
                reduction: ByColor([reduction; 5]),
                reserved: some_board.displayed_cards().take(3).copied().collect(),
            };
            let poorest = Player::default();
            for rich in Seat::ALL.into_iter().take(players.get().into()) {
                let mut board = some_board.clone();
                for (seat, player) in board.players.iter_mut().enumerate() {
                    *player = if seat == rich.index() { richest.clone() } else { poorest.clone() };
                }
                boards.push(board.clone());
                board.players.iter_mut().for_each(|player| *player = richest.clone());
                board.decks = [0; 3];
                board.nobles.clear();
                board.gems = players.supply();
                boards.push(board.clone());
                board.displayed = Default::default();
                board.gems = ByGem::default();
                board.decks = [36, 26, 16];
                boards.push(board);
            }
        }
    }
    boards
}

#[test]
fn features_of_extreme_positions_agree() {
    let mut smallest = 0;
    let mut largest = 0;
    for board in extreme_boards() {
        for (_, value) in agreed_features(&board) {
            smallest = smallest.min(value);
            largest = largest.max(value);
        }
    }
    // 15 minus 60 points; ten gems plus five reductions of 20.
    assert_eq!((smallest, largest), (-45, 110));
}

#[test]
fn one_hot_has_a_single_one() {
    for board in made_up_boards(2_000).chain(extreme_boards()) {
        let row = encoded(&board);
        for prefix in [
            "current_player_",
            "num_players_",
            "player0_position_",
            "player1_position_",
            "player2_position_",
            "player3_position_",
        ] {
            let ones: Vec<i8> = FEATURES
                .iter()
                .zip(row)
                .filter(|(feature, _)| feature.name.as_str().starts_with(prefix))
                .map(|(_, value)| value)
                .filter(|&value| value != 0)
                .collect();
            assert_eq!(ones, [1], "{prefix} of {board:?}");
        }
    }
}

/// The quirks that existing models were trained on, each by example, because they look like mistakes
/// that someone might want to fix.
#[test]
fn known_quirks() {
    let board = made_up_boards(500)
        .find(|board| board.players.len() == 2 && board.to_move.index() == 1)
        .unwrap();
    let mut board = board;
    board.players[0].vp = 4;
    board.players[1].vp = 9;
    board.players[1].gems = ByGem([2, 0, 1, 0, 0, 3]);
    let row = agreed_features(&board);
    // Rotated in part 1, by seat in part 3.
    assert_eq!((value(&row, "player0_vp"), value(&row, "player1_vp")), (9, 4));
    assert_eq!((value(&row, "player0_vp_to_win"), value(&row, "player1_vp_to_win")), (11, 6));
    // An empty seat gives 0, but is ranked like a player with nothing.
    assert_eq!(value(&row, "player2_vp_to_win"), 0);
    assert_eq!(value(&row, "player2_distance_to_max_vp"), 9);
    assert_eq!(value(&row, "player2_leaderboard_position"), 2);
    assert_eq!(value(&row, "player3_leaderboard_position"), 3);
    assert_eq!(value(&row, "player3_position_0"), 1);
    // Counts colors in hand, not gems, and without gold.
    assert_eq!(value(&row, "player1_total_gem_colors_possessed"), 2);
    assert_eq!(value(&row, "player1_total_gems_possessed"), 6);
}

#[test]
fn labels_agree_with_the_logged_action() {
    for turn in simulated_turns(60) {
        let plain = plain_features::labels(&turn.action, &TAKE3_CLASSES, &REMOVAL_CLASSES);
        assert_eq!(labels(&turn.action), plain, "{:?}", turn.action);
    }
}

/// Every class of the gem heads, and codes up to their limits, whatever the action type.
#[test]
fn labels_agree_for_every_class() {
    let nothing = LoggedAction {
        action_type: ActionType::Take3,
        card_selection: None,
        card_reservation: None,
        gem_take3: None,
        gem_take2: None,
        noble: None,
        gems_removed: ByGem::default(),
    };
    let mut actions = Vec::new();
    for set in TAKE3_CLASSES.iter() {
        let counts = ByColor(std::array::from_fn(|color| u8::from(set.contains(&color))));
        actions.push(LoggedAction { gem_take3: Some(counts), ..nothing.clone() });
        // The known gem fault, as logged: no label.
        actions.push(LoggedAction { gem_take2: Some(counts), ..nothing.clone() });
    }
    for color in 0..5 {
        let counts = ByColor(std::array::from_fn(|other| if other == color { 2 } else { 0 }));
        actions.push(LoggedAction { gem_take2: Some(counts), ..nothing.clone() });
    }
    for &removed in REMOVAL_CLASSES.iter() {
        actions.push(LoggedAction { gems_removed: ByGem(removed), ..nothing.clone() });
    }
    for code in 0..15 {
        for action_type in ActionType::ALL {
            actions.push(LoggedAction {
                action_type,
                card_selection: Some(code),
                card_reservation: Some(14 - code),
                noble: Some(code % 5),
                ..nothing.clone()
            });
        }
    }
    for action in actions {
        let plain = plain_features::labels(&action, &TAKE3_CLASSES, &REMOVAL_CLASSES);
        assert_eq!(labels(&action), plain, "{action:?}");
    }
}

/// The `card_selection` mask allows exactly the cards that can be built by the card features.
#[test]
fn can_build_equals_mask() {
    for board in made_up_boards(2_000) {
        let row = agreed_features(&board);
        let displayed = board.displayed_cards().count();
        let mover = board.to_move.index();
        let mask = masks(&board).card_selection;
        for place in 0..displayed + board.mover().reserved.len() {
            let class = if place < displayed { place } else { 12 + place - displayed };
            let can_build = value(&row, &format!("player{mover}_card{place}_can_build"));
            assert_eq!(i64::from(mask[class]), can_build, "card {place} of {board:?}");
        }
    }
}
