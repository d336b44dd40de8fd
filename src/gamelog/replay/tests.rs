//! Tests of valid games, impossible moves, and the limit on kept faults.

use super::*;
use crate::gamelog::LoggedAction;
use crate::rules::{
    Board, BuildFrom, ByColor, ByGem, CARDS, Level, Move, PlayerCount, ReserveFrom,
};
use crate::simulate::simulate_game;

fn replayed(turns: &[Turn]) -> Replayed {
    let mut replay = Replay::default();
    for (row, turn) in turns.iter().enumerate() {
        replay.push(turn.clone(), || row as u64 + 2);
    }
    replay.finish().unwrap()
}

fn games() -> impl Iterator<Item = Vec<Turn>> {
    (0..60).flat_map(|seed| PlayerCount::ALL.map(|players| simulate_game(players, seed)))
}

/// Whether a reservation may be the twelfth displayed card or the top of deck 1.
fn is_class_11(turn: &Turn) -> bool {
    turn.action.card_reservation == Some(11)
        && turn.board.displayed_cards().count() == 12
        && turn.board.decks[0] > 0
}

#[test]
fn both_meanings_of_class_11_replay() {
    let mut pairs = 0;
    for turns in games() {
        assert_eq!(replayed(&turns).faults, []);
        for turn in turns.iter().filter(|turn| is_class_11(turn)) {
            let reserved = turn.board.players.iter().flat_map(|player| &player.reserved);
            let on_table: Vec<&Card> = turn.board.displayed_cards().chain(reserved).collect();
            let unseen =
                |level| CARDS.iter().find(|card| card.level == level && !on_table.contains(card));
            let LoggedAction { gems_removed: give_back, .. } = turn.action;
            for card in [ReserveFrom::DeckTop(Level::One), ReserveFrom::Displayed(11)] {
                let mut next = turn.clone();
                let draw = next.board.play(Move::Reserve { card, give_back }).unwrap();
                if let Some(draw @ (Draw::ToDisplay(level) | Draw::ToReserve(level, _))) = draw {
                    next.board.place(draw, *unseen(level).unwrap());
                }
                next.turn_number += u16::from(next.board.to_move == Seat::ALL[0]);
                // Only the first row has a fault, because no game begins with it.
                assert_eq!(replayed(&[turn.clone(), next]).fault_rows, 1);
            }
            pairs += 1;
        }
    }
    assert!(pairs > 5);
}

/// Other loggers put a new card in the place of the old one. This test reverses the order in every other
/// row, which is harder.
#[test]
fn displayed_cards_may_be_in_any_order() {
    let mut changed = 0;
    for mut turns in games() {
        if turns.iter().any(is_class_11) {
            continue;
        }
        for turn in turns.iter_mut().step_by(2) {
            let mut first = 0;
            for row in &mut turn.board.displayed {
                row.reverse();
                let places = first..first + row.len() as u8;
                let LoggedAction { card_selection, card_reservation, .. } = &mut turn.action;
                for place in [card_selection, card_reservation].into_iter().flatten() {
                    if places.contains(place) {
                        *place = places.start + places.end - 1 - *place;
                        changed += 1;
                        break;
                    }
                }
                first = places.end;
            }
        }
        assert_eq!(replayed(&turns).faults, []);
    }
    assert!(changed > 100);
}

#[test]
fn gem_fault_is_replayed_as_it_was_meant() {
    for mut turns in games().take(30) {
        for LoggedAction { gem_take2, gem_take3, .. } in
            turns.iter_mut().map(|turn| &mut turn.action)
        {
            if gem_take3.is_some() {
                *gem_take2 = gem_take3.take();
            }
        }
        assert!(turns.iter().any(|turn| turn.action.has_gem_fault()));
        assert_eq!(replayed(&turns).faults, []);
    }
}

/// The state after a move equals the next row.
#[test]
fn result_is_the_state_after_the_last_move() {
    for turns in games().take(60) {
        for rows in 1..turns.len() {
            let Replayed { result, .. } = replayed(&turns[..rows]);
            let next = &turns[rows].board;
            assert_eq!(result.ending, Ending::Unfinished);
            for (seat, player) in next.players.iter().enumerate() {
                assert_eq!(result.points[seat], Some(player.vp));
            }
        }
    }
}

#[test]
fn first_faults_are_kept_and_all_counted() {
    let turns = simulate_game(PlayerCount::Two, 1);
    let twice: Vec<Turn> = turns.iter().flat_map(|turn| [turn.clone(), turn.clone()]).collect();
    let Replayed { faults, fault_rows, .. } = replayed(&twice);
    assert_eq!(fault_rows as usize, turns.len());
    let kept: Vec<_> = faults.iter().map(|fault| (fault.row, fault.line, fault.kind)).collect();
    let expected = [1, 3, 5, 7, 9].map(|row| (row, u64::from(row) + 2, ReplayFaultKind::Seat));
    assert_eq!(kept, expected);
    assert_eq!(faults[0].to_string(), "current_player is 0, the move gives 1");
}

#[test]
fn another_game_behind_the_first_is_one_fault() {
    let seed = (0..).find(|&seed| {
        let turns = simulate_game(PlayerCount::Two, seed);
        replayed(&turns).result.ending == Ending::Finished
    });
    let mut turns = simulate_game(PlayerCount::Two, seed.unwrap());
    let rows = turns.len() as u32;
    turns.extend(simulate_game(PlayerCount::Two, 1_000));
    let Replayed { faults, fault_rows, .. } = replayed(&turns);
    assert_eq!((fault_rows, faults[0].row, faults[0].kind), (1, rows, ReplayFaultKind::AfterEnd));
}

/// The row follows from the previous row, but the game is over.
#[test]
fn row_after_the_end_is_a_fault() {
    let ends_with_a_take = |turns: &Vec<Turn>| {
        let last = &turns[turns.len() - 1].action;
        last.gem_take3.is_some() && replayed(turns).result.ending == Ending::Finished
    };
    let mut turns = games().find(ends_with_a_take).unwrap();
    let mut last = turns[turns.len() - 1].clone();
    let mut position = Following { board: last.board, draw: None };
    position.play(&last.action).unwrap();
    last.board = position.board;
    last.turn_number += 1;
    turns.push(last);
    let Replayed { faults, .. } = replayed(&turns);
    assert_eq!(
        (faults[0].row as usize, faults[0].kind),
        (turns.len() - 1, ReplayFaultKind::AfterEnd)
    );
}

/// No player can afford a card of level 3; the player to move has one gem of each color and one reserved
/// card.
fn board() -> Board {
    let mut board = simulate_game(PlayerCount::Two, 1).swap_remove(0).board;
    board.players[0].gems = ByGem([1, 1, 1, 1, 1, 0]);
    board.players[0].reserved.push(board.displayed[2][0]);
    board
}

#[test]
fn move_that_cannot_be_made_names_its_column() {
    let give_back = ByGem([0, 0, 0, 0, 0, 1]);
    let take = |gems, give_back| LoggedAction::of(Move::Take { gems: ByColor(gems), give_back });
    let build = |card, noble| LoggedAction::of(Move::Build { card, noble });
    let reserve =
        |card| LoggedAction::of(Move::Reserve { card: ReserveFrom::Displayed(card), give_back });
    let unnamed = |mut action: LoggedAction| {
        (action.card_selection, action.card_reservation) = (None, None);
        (action.gem_take2, action.gem_take3) = (None, None);
        action
    };
    let nothing = ByGem::default();
    let cases = [
        (build(BuildFrom::Displayed(11), None), "card_selection is 11, ", "cannot pay"),
        (build(BuildFrom::Reserved(2), None), "card_selection is 14, ", "no such card"),
        (unnamed(build(BuildFrom::Displayed(0), None)), "card_selection is missing, ", "a value"),
        (reserve(0), "gems_removed_* is 0,0,0,0,0,1, ", "not have the gems"),
        (unnamed(reserve(0)), "card_reservation is missing, ", "a value"),
        (take([2, 0, 0, 0, 0], give_back), "gems_removed_* is 0,0,0,0,0,1, ", "not have the gems"),
        (unnamed(take([2, 0, 0, 0, 0], nothing)), "gem_take2_* is missing, ", "a value"),
        (unnamed(take([1, 1, 1, 0, 0], nothing)), "gem_take3_* is missing, ", "a value"),
    ];
    for (action, column, why) in cases {
        let mut position = Following { board: board(), draw: None };
        let said = position.play(&action).unwrap_err().at(0, 2).to_string();
        let begin = format!("the move cannot be made: {column}");
        assert!(said.starts_with(&begin) && said.contains(why), "{said}");
        assert!(position.board == board(), "{said}");
    }
}

/// The position after such a move is unknown, so the next row is not a second fault.
#[test]
fn row_after_an_impossible_move_can_be_anything() {
    let mut turns = simulate_game(PlayerCount::Two, 1);
    turns[4].action = LoggedAction::of(Move::Build { card: BuildFrom::Reserved(2), noble: None });
    let Replayed { faults, fault_rows, .. } = replayed(&turns);
    assert_eq!(
        (fault_rows, faults[0].row, faults[0].kind),
        (1, 4, ReplayFaultKind::ImpossibleMove)
    );
}
