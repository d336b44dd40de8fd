//! A second implementation of legal moves and masks: simple, slow, and written only from the section
//! "Masks" of the specification, sentence by sentence, independently of the first one.
//!
//! It enumerates everything (every subset of colors, every six-tuple of gems) and keeps what the
//! specification allows. An error that both implementations share would have to be in the specification.

use splendor_prep::rules::{
    Board, BuildFrom, ByColor, ByGem, Card, Level, Move, Player, ReserveFrom,
};
use std::sync::LazyLock;

/// Every legal move of the player to move, in no particular order.
pub(crate) fn legal_moves(board: &Board) -> Vec<Move> {
    let takes = takes(board);
    let builds = builds(board);
    // "With ten or more gems (gold counts) and any build possible, takes are not considered."
    let takes_considered = gems_in(&mover(board).gems) < 10 || builds.is_empty();
    let mut moves = Vec::new();
    if takes_considered {
        moves.extend(takes);
    }
    moves.extend(builds);
    // "If any take or build remains, reserves are not considered."
    if moves.is_empty() {
        moves.extend(reserves(board));
    }
    moves
}

/// The seven masks, a vector of 0 and 1 for each head.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct PlainMasks {
    /// 4 classes: build, reserve, take 2, take 3.
    pub(crate) action_type: Vec<i8>,
    /// 15 classes: 12 flat indices, 3 places in reserve.
    pub(crate) card_selection: Vec<i8>,
    /// 15 classes: 12 flat indices, deck tops at 11, 12 and 13.
    pub(crate) card_reservation: Vec<i8>,
    /// 26 classes: see [`TAKE3_CLASSES`].
    pub(crate) gem_take3: Vec<i8>,
    /// 5 classes: the colour.
    pub(crate) gem_take2: Vec<i8>,
    /// 5 classes: the place on the table.
    pub(crate) noble: Vec<i8>,
    /// 84 classes: see [`REMOVAL_CLASSES`].
    pub(crate) gems_removed: Vec<i8>,
}

/// The masks of a position. `tests/it/legal_moves.rs` checks them against simulated games.
pub(crate) fn masks(board: &Board) -> PlainMasks {
    let mut masks = PlainMasks {
        action_type: vec![0; 4],
        card_selection: vec![0; 15],
        card_reservation: vec![0; 15],
        gem_take3: vec![0; 26],
        gem_take2: vec![0; 5],
        noble: vec![0; 5],
        gems_removed: vec![0; 84],
    };
    // "`gems_removed` class 0 is always legal."
    masks.gems_removed[0] = 1;
    for chosen in legal_moves(board) {
        match chosen {
            Move::Build { card, noble } => {
                masks.action_type[0] = 1;
                let class = match card {
                    BuildFrom::Displayed(flat_index) => flat_index,
                    BuildFrom::Reserved(place) => 12 + place,
                };
                masks.card_selection[usize::from(class)] = 1;
                if let Some(place) = noble {
                    masks.noble[usize::from(place)] = 1;
                }
            }
            Move::Reserve { card, give_back } => {
                masks.action_type[1] = 1;
                let class = match card {
                    ReserveFrom::Displayed(flat_index) => flat_index,
                    ReserveFrom::DeckTop(Level::One) => 11,
                    ReserveFrom::DeckTop(Level::Two) => 12,
                    ReserveFrom::DeckTop(Level::Three) => 13,
                };
                masks.card_reservation[usize::from(class)] = 1;
                masks.gems_removed[removal_class(&give_back)] = 1;
            }
            Move::Take { gems, give_back } => {
                match gems.0.iter().position(|&count| count == 2) {
                    Some(color) => {
                        masks.action_type[2] = 1;
                        masks.gem_take2[color] = 1;
                    }
                    None => {
                        masks.action_type[3] = 1;
                        masks.gem_take3[take3_class(&gems)] = 1;
                    }
                }
                masks.gems_removed[removal_class(&give_back)] = 1;
            }
        }
    }
    masks
}

/// "The empty set, then the 1-, 2- and 3-colour sets, each size in lexicographic colour order."
/// Each set as the sorted numbers of its colours.
pub(crate) static TAKE3_CLASSES: LazyLock<Vec<Vec<usize>>> = LazyLock::new(|| {
    let mut classes = Vec::new();
    for size in 0..=3 {
        let mut sets: Vec<_> =
            color_subsets().into_iter().filter(|set| set.len() == size).collect();
        sets.sort();
        classes.extend(sets);
    }
    classes
});

/// The class of a set of colours, given as counts of 0 and 1.
pub(crate) fn take3_class(gems: &ByColor<u8>) -> usize {
    let set: Vec<usize> = (0..5).filter(|&color| gems.0[color] == 1).collect();
    TAKE3_CLASSES.iter().position(|class| *class == set).expect("at most three colours")
}

/// "All six-tuples of 0-3 summing to at most 3, in lexicographic order."
pub(crate) static REMOVAL_CLASSES: LazyLock<Vec<[u8; 6]>> = LazyLock::new(|| {
    let mut classes: Vec<[u8; 6]> = Vec::new();
    for number in 0..4_u32.pow(6) {
        // The six digits of a number in base four are one six-tuple of 0-3.
        let tuple = [0, 1, 2, 3, 4, 5].map(|digit| (number / 4_u32.pow(digit) % 4) as u8);
        if tuple.iter().sum::<u8>() <= 3 {
            classes.push(tuple);
        }
    }
    classes.sort();
    classes
});

/// The class of the gems given back.
pub(crate) fn removal_class(give_back: &ByGem<u8>) -> usize {
    REMOVAL_CLASSES.iter().position(|class| *class == give_back.0).expect("at most three gems")
}

/// "With three or more colours on the board, any three different available colours; with two,
/// that pair; with one, that gem; with none, nothing. And two of one colour whose pile has at
/// least four, however many colours there are. If that leaves more than ten gems in hand (gold
/// counts), each way of giving back exactly the excess (one to three) out of the hand after
/// taking, gems just taken included."
fn takes(board: &Board) -> Vec<Move> {
    let available = (0..5).filter(|&color| board.gems.0[color] > 0).count();
    let mut taken = Vec::new();
    for set in color_subsets() {
        let all_available = set.iter().all(|&color| board.gems.0[color] > 0);
        let right_size = match available {
            0 => false,
            1 => set.len() == 1,
            2 => set.len() == 2,
            _ => set.len() == 3,
        };
        if all_available && right_size {
            let mut gems = [0; 5];
            for color in set {
                gems[color] = 1;
            }
            taken.push(gems);
        }
    }
    for color in 0..5 {
        if board.gems.0[color] >= 4 {
            let mut gems = [0; 5];
            gems[color] = 2;
            taken.push(gems);
        }
    }

    let mut moves = Vec::new();
    for gems in taken {
        let mut hand = mover(board).gems;
        for (color, count) in gems.into_iter().enumerate() {
            hand.0[color] += count;
        }
        let excess = (gems_in(&hand) - 10).max(0);
        for give_back in ways_to_give_back(&hand, excess) {
            moves.push(Move::Take { gems: ByColor(gems), give_back });
        }
    }
    moves
}

/// "Each displayed or own reserved card the player can build; once for each noble satisfied with
/// the new bonus (also one that already was), or with none."
fn builds(board: &Board) -> Vec<Move> {
    let mut cards: Vec<(BuildFrom, Card)> = Vec::new();
    for (flat_index, card) in displayed(board).into_iter().enumerate() {
        cards.push((BuildFrom::Displayed(flat_index as u8), card));
    }
    for (place, card) in mover(board).reserved.iter().enumerate() {
        cards.push((BuildFrom::Reserved(place as u8), *card));
    }

    let mut moves = Vec::new();
    for (from, card) in cards {
        if !can_pay(mover(board), &card) {
            continue;
        }
        let mut bonuses = mover(board).reduction.0;
        bonuses[card.bonus as usize] += 1;
        let mut satisfied = Vec::new();
        for (place, noble) in board.nobles.iter().enumerate() {
            if (0..5).all(|color| bonuses[color] >= noble.requirement.0[color]) {
                satisfied.push(place as u8);
            }
        }
        if satisfied.is_empty() {
            moves.push(Move::Build { card: from, noble: None });
        }
        for place in satisfied {
            moves.push(Move::Build { card: from, noble: Some(place) });
        }
    }
    moves
}

/// "With fewer than three reserved: each displayed card and the top of each non-empty deck. With
/// exactly ten gems in hand and gold on the board, each with one gem of any of the six kinds held
/// before (gold too) given back; otherwise nothing is given back."
fn reserves(board: &Board) -> Vec<Move> {
    if mover(board).reserved.len() >= 3 {
        return Vec::new();
    }
    let mut cards: Vec<ReserveFrom> = Vec::new();
    for flat_index in 0..displayed(board).len() {
        cards.push(ReserveFrom::Displayed(flat_index as u8));
    }
    for (deck, level) in [Level::One, Level::Two, Level::Three].into_iter().enumerate() {
        if board.decks[deck] > 0 {
            cards.push(ReserveFrom::DeckTop(level));
        }
    }

    let hand = mover(board).gems;
    let gold_on_board = board.gems.0[5] > 0;
    let given_back = if gems_in(&hand) == 10 && gold_on_board { 1 } else { 0 };
    let mut moves = Vec::new();
    for card in cards {
        for give_back in ways_to_give_back(&hand, given_back) {
            moves.push(Move::Reserve { card, give_back });
        }
    }
    moves
}

/// Every six-tuple of exactly `count` gems that `hand` has.
fn ways_to_give_back(hand: &ByGem<u8>, count: i32) -> Vec<ByGem<u8>> {
    let mut ways = Vec::new();
    for &tuple in REMOVAL_CLASSES.iter() {
        let held = (0..6).all(|gem| tuple[gem] <= hand.0[gem]);
        if held && gems_in(&ByGem(tuple)) == count {
            ways.push(ByGem(tuple));
        }
    }
    ways
}

/// "Real cost = max(0, cost - reduction) per colour. `can_build`: gold in hand covers the sum of
/// max(0, real cost - gems)."
fn can_pay(player: &Player, card: &Card) -> bool {
    let mut short = 0;
    for color in 0..5 {
        let cost = i32::from(card.cost.0[color]);
        let real_cost = (cost - i32::from(player.reduction.0[color])).max(0);
        short += (real_cost - i32::from(player.gems.0[color])).max(0);
    }
    i32::from(player.gems.0[5]) >= short
}

/// The displayed cards by flat index: level 1, then level 2, then level 3.
fn displayed(board: &Board) -> Vec<Card> {
    let mut cards = Vec::new();
    for level in 0..3 {
        cards.extend(board.displayed[level].to_vec());
    }
    cards
}

fn mover(board: &Board) -> &Player {
    &board.players[board.to_move.index()]
}

fn gems_in(hand: &ByGem<u8>) -> i32 {
    hand.0.iter().map(|&count| i32::from(count)).sum()
}

/// All 32 sets of colours, each as the sorted numbers of its colours.
fn color_subsets() -> Vec<Vec<usize>> {
    let mut subsets = Vec::new();
    for bits in 0..32 {
        subsets.push((0..5).filter(|color| bits >> color & 1 == 1).collect());
    }
    subsets
}
