//! Two independent implementations of legal moves must agree, on simulated games and on random positions
//! with edge cases that games rarely reach.

use crate::support::plain_rules::{
    PlainMasks, REMOVAL_CLASSES, TAKE3_CLASSES, legal_moves, masks, removal_class, take3_class,
};
use crate::support::positions::{made_up_boards, simulated_turns};
use splendor_prep::encode::{self, Head};
use splendor_prep::gamelog::{ActionType, Turn};
use splendor_prep::rules::{
    Board, BuildFrom, ByColor, ByGem, Gem, Move, Player, ReserveFrom, for_each_legal_move,
};
use std::collections::{BTreeMap, HashSet};

/// Asserts that both implementations give the same moves, each once, and returns them.
fn agreed_moves(board: &Board) -> HashSet<Move> {
    let mut listed = Vec::new();
    for_each_legal_move(board, |chosen| listed.push(chosen));
    let crate_moves: HashSet<Move> = listed.iter().copied().collect();
    assert_eq!(crate_moves.len(), listed.len(), "a move is given twice: {board:?}");

    let listed = legal_moves(board);
    let plain_moves: HashSet<Move> = listed.iter().copied().collect();
    assert_eq!(plain_moves.len(), listed.len(), "the plain rules give a move twice: {board:?}");

    let too_many: Vec<_> = crate_moves.difference(&plain_moves).collect();
    let too_few: Vec<_> = plain_moves.difference(&crate_moves).collect();
    assert!(
        too_many.is_empty() && too_few.is_empty(),
        "only in the crate: {too_many:?}\nonly in the plain rules: {too_few:?}\n{board:?}"
    );
    plain_moves
}

#[test]
fn simulated_games_agree() {
    let mut positions = 0;
    for turn in simulated_turns(100) {
        let moves = agreed_moves(&turn.board);
        assert!(!moves.is_empty(), "a turn was played without a legal move: {turn:?}");
        positions += 1;
    }
    assert!(positions > 20_000, "{positions} positions");
}

#[test]
fn made_up_positions_agree() {
    let mut counts = BTreeMap::new();
    for board in made_up_boards(40_000) {
        let moves = agreed_moves(&board);
        for (case, reached) in edge_cases(&board, &moves) {
            *counts.entry(case).or_insert(0) += usize::from(reached);
        }
    }
    for (case, count) in counts {
        assert!(count >= 100, "{case}: only {count} positions");
    }
}

/// Edge cases, and whether this position has them.
fn edge_cases(board: &Board, moves: &HashSet<Move>) -> Vec<(&'static str, bool)> {
    let mover = &board.players[board.to_move.index()];
    let hand = mover.gems.total();
    let colors = board.gems.0[..5].iter().filter(|&&pile| pile > 0).count();
    let gold = board.gems[Gem::Gold] > 0;
    let any = |wanted: &dyn Fn(&Move) -> bool| moves.iter().any(wanted);
    let build = any(&|m| matches!(m, Move::Build { .. }));
    let reserve = any(&|m| matches!(m, Move::Reserve { .. }));
    let gives_back = |count| any(&|m| given_back(m).total() == count);
    vec![
        ("full hand, nothing to build", hand == 10 && !build),
        ("full hand, takes left out for a build", hand == 10 && build && colors > 0),
        ("nine gems, takes beside a build", hand == 9 && build && any(&is_take)),
        ("one color on the board", colors == 1 && any(&is_take)),
        ("two colors on the board", colors == 2 && any(&is_take)),
        ("three colors on the board", colors == 3 && any(&is_take)),
        ("all colors on the board", colors == 5 && any(&is_take)),
        ("two of the only color", colors == 1 && any(&is_take_of_two)),
        ("a pile of three", board.gems.0[..5].contains(&3) && any(&is_take)),
        ("a take gives nothing back", any(&|m| is_take(m) && given_back(m).total() == 0)),
        ("one gem given back", gives_back(1)),
        ("two gems given back", gives_back(2)),
        ("three gems given back", gives_back(3)),
        ("a gem just taken given back", any(&|m| gives_back_what_was_not_held(m, mover))),
        ("gold given back after a take", any(&|m| is_take(m) && given_back(m)[Gem::Gold] > 0)),
        ("reserves", reserve),
        ("reserves with gold for a hand of ten", reserve && hand == 10 && gold),
        ("reserves that give gold for gold", any(&|m| !is_take(m) && given_back(m)[Gem::Gold] > 0)),
        ("reserves without gold, hand of ten", reserve && hand == 10 && !gold),
        ("reserves with gold, hand of nine", reserve && hand == 9 && gold),
        ("reserves from a deck", any(&is_deck_top)),
        ("reserves, a deck empty", reserve && board.decks.contains(&0)),
        ("reserves, a row short", reserve && board.displayed.iter().any(|row| row.len() < 4)),
        ("reserves, two reserved", reserve && mover.reserved.len() == 2),
        ("no legal move", moves.is_empty()),
        ("no legal move for three reserved", moves.is_empty() && mover.reserved.len() == 3),
        ("no legal move for want of cards", moves.is_empty() && mover.reserved.len() < 3),
        ("a build on gold", build && !any(&|m| is_build_without_gold(m, board))),
        ("a build from reserve", any(&is_build_from_reserve)),
        ("a build without a noble", any(&|m| matches!(m, Move::Build { noble: None, .. }))),
        ("one card, two nobles", moves.iter().any(|m| nobles_for_same_card(m, moves) == 2)),
        ("one card, three nobles", moves.iter().any(|m| nobles_for_same_card(m, moves) > 2)),
        (
            "a noble that was satisfied before",
            build && board.nobles.iter().any(|noble| noble.is_satisfied_by(&mover.reduction)),
        ),
    ]
}

fn given_back(chosen: &Move) -> ByGem<u8> {
    match *chosen {
        Move::Take { give_back, .. } | Move::Reserve { give_back, .. } => give_back,
        Move::Build { .. } => ByGem::default(),
    }
}

fn is_take(chosen: &Move) -> bool {
    matches!(chosen, Move::Take { .. })
}

fn is_take_of_two(chosen: &Move) -> bool {
    matches!(chosen, Move::Take { gems, .. } if gems.0.contains(&2))
}

fn is_deck_top(chosen: &Move) -> bool {
    matches!(chosen, Move::Reserve { card: ReserveFrom::DeckTop(_), .. })
}

fn is_build_from_reserve(chosen: &Move) -> bool {
    matches!(chosen, Move::Build { card: BuildFrom::Reserved(_), .. })
}

fn gives_back_what_was_not_held(chosen: &Move, mover: &Player) -> bool {
    is_take(chosen) && (0..5).any(|color| given_back(chosen).0[color] > mover.gems.0[color])
}

fn is_build_without_gold(chosen: &Move, board: &Board) -> bool {
    let mover = &board.players[board.to_move.index()];
    let card = match *chosen {
        Move::Build { card: BuildFrom::Displayed(flat_index), .. } => {
            board.displayed_cards().nth(usize::from(flat_index)).expect("a displayed card")
        }
        Move::Build { card: BuildFrom::Reserved(place), .. } => &mover.reserved[usize::from(place)],
        _ => return false,
    };
    mover.distance(card).total() == 0
}

fn nobles_for_same_card(chosen: &Move, moves: &HashSet<Move>) -> usize {
    let Move::Build { card, .. } = *chosen else { return 0 };
    let with_noble = |place| Move::Build { card, noble: Some(place) };
    (0..5).filter(|&place| moves.contains(&with_noble(place))).count()
}

#[test]
fn order_of_classes() {
    assert_eq!(TAKE3_CLASSES.len(), 26);
    assert_eq!(TAKE3_CLASSES[0], Vec::<usize>::new());
    assert_eq!(TAKE3_CLASSES[5], [4]);
    assert_eq!(TAKE3_CLASSES[6], [0, 1]);
    assert_eq!(TAKE3_CLASSES[16], [0, 1, 2]);
    assert_eq!(TAKE3_CLASSES[25], [2, 3, 4]);
    assert_eq!(take3_class(&ByColor([0, 0, 1, 0, 1])), 14);

    assert_eq!(REMOVAL_CLASSES.len(), 84);
    assert_eq!(REMOVAL_CLASSES[0], [0; 6]);
    assert_eq!(REMOVAL_CLASSES[3], [0, 0, 0, 0, 0, 3]);
    assert_eq!(REMOVAL_CLASSES[4], [0, 0, 0, 0, 1, 0]);
    assert_eq!(REMOVAL_CLASSES[83], [3, 0, 0, 0, 0, 0]);
    assert_eq!(removal_class(&ByGem([0, 0, 0, 1, 0, 2])), 12);
}

/// Real logs may contain moves that are illegal under their masks; simulated games do not, so each
/// logged class must be legal under its mask.
#[test]
fn logged_classes_are_legal() {
    for turn in simulated_turns(30) {
        let PlainMasks {
            action_type,
            card_selection,
            card_reservation,
            gem_take3,
            gem_take2,
            noble,
            gems_removed,
        } = masks(&turn.board);
        let action = &turn.action;
        let action_class = match action.action_type {
            ActionType::Build => 0,
            ActionType::Reserve => 1,
            ActionType::Take2 => 2,
            ActionType::Take3 => 3,
        };
        let color_of_two =
            action.gem_take2.map(|gems| gems.0.iter().position(|&count| count == 2).unwrap());
        assert_legal(&action_type, Some(action_class), &turn);
        assert_legal(&card_selection, action.card_selection.map(usize::from), &turn);
        assert_legal(&card_reservation, action.card_reservation.map(usize::from), &turn);
        assert_legal(&gem_take3, action.gem_take3.as_ref().map(take3_class), &turn);
        assert_legal(&gem_take2, color_of_two, &turn);
        assert_legal(&noble, action.noble.map(usize::from), &turn);
        assert_legal(&gems_removed, Some(removal_class(&action.gems_removed)), &turn);
    }
}

fn assert_legal(mask: &[i8], class: Option<usize>, turn: &Turn) {
    if let Some(class) = class {
        assert_eq!(mask[class], 1, "class {class} of {mask:?} in {turn:?}");
    }
}

/// Asserts that the encoder's mask of every head is that of the plain rules.
fn assert_masks_agree(board: &Board) {
    let encoded = encode::masks(board);
    let plain = masks(board);
    for head in Head::ALL {
        let expected = match head {
            Head::ActionType => &plain.action_type,
            Head::CardSelection => &plain.card_selection,
            Head::CardReservation => &plain.card_reservation,
            Head::GemTake3 => &plain.gem_take3,
            Head::GemTake2 => &plain.gem_take2,
            Head::Noble => &plain.noble,
            Head::GemsRemoved => &plain.gems_removed,
        };
        assert_eq!(encoded[head.mask_range()], expected[..], "{} of {board:?}", head.name());
    }
}

#[test]
fn masks_agree() {
    // The same positions, and so the same edge cases, as in the test of moves.
    simulated_turns(100).for_each(|turn| assert_masks_agree(&turn.board));
    made_up_boards(40_000).for_each(|board| assert_masks_agree(&board));
}

/// Properties of masks that the specification states.
#[test]
fn properties_of_masks() {
    for board in made_up_boards(10_000) {
        let masks = masks(&board);
        let used = |mask: &[i8]| i8::from(mask.contains(&1));
        let [build, reserve, take2, take3] = masks.action_type[..] else {
            panic!("four kinds of move: {masks:?}")
        };
        assert_eq!(masks.gems_removed[0], 1);
        assert_eq!(masks.gem_take3[0], 0);
        assert_eq!(masks.card_reservation[14], 0);
        assert_eq!(build, used(&masks.card_selection));
        assert_eq!(reserve, used(&masks.card_reservation));
        assert_eq!(take2, used(&masks.gem_take2));
        assert_eq!(take3, used(&masks.gem_take3));
        assert!(reserve == 0 || build + take2 + take3 == 0, "reserves are the last resort");
        assert!(used(&masks.noble) <= build, "nobles come with builds alone");
    }
}
