//! Legal moves, as in the self-play search.
//!
//! The search prunes moves: with a full hand it prefers building to taking, and it reserves only if
//! there is no other move. These are not the printed rules, but networks were trained on them.

use super::board::{Board, HAND_LIMIT, MAX_RESERVED, Player};
use super::card::{Card, Level};
use super::color::{ByColor, ByGem, Color, Gem};

/// Maximum number of colors in a take of different gems.
pub const MAX_TAKE: usize = 3;
/// Minimum size of a pile for taking two gems from it.
pub const TAKE_TWO_PILE: u8 = 4;
/// Maximum number of gems given back in one turn.
pub const MAX_GIVE_BACK: u8 = 3;

/// A move of the player to move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Move {
    /// Take gems from the table.
    Take {
        /// One gem each of up to three colors, or two of one color.
        gems: ByColor<u8>,
        /// The gems given back to keep at most ten.
        give_back: ByGem<u8>,
    },
    /// Build a card.
    Build {
        /// The card.
        card: BuildFrom,
        /// The visiting noble on the table, if any.
        noble: Option<u8>,
    },
    /// Reserve a card, and take a gold gem if there is one.
    Reserve {
        /// The card.
        card: ReserveFrom,
        /// The gems given back to keep at most ten.
        give_back: ByGem<u8>,
    },
}

/// The source of a built card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BuildFrom {
    /// From the table, by flat card index.
    Displayed(u8),
    /// From the player's reserve, by place.
    Reserved(u8),
}

/// The source of a reserved card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReserveFrom {
    /// From the table, by flat card index.
    Displayed(u8),
    /// The unseen top card of a deck.
    DeckTop(Level),
}

const NOTHING: ByGem<u8> = ByGem([0; Gem::COUNT]);

/// Calls `visit` once for every legal move. Does not allocate.
///
/// A position may have none, if there is nothing to take, no affordable card, and the reserve is full.
pub fn for_each_legal_move(board: &Board, mut visit: impl FnMut(Move)) {
    let mover = board.mover();
    let hand = mover.gems.total();
    let mut any_take_or_build = false;
    let mut visit_noting = |chosen| {
        any_take_or_build = true;
        visit(chosen);
    };

    let any_build = for_each_build(board, mover, &mut visit_noting);
    if !(hand >= HAND_LIMIT && any_build) {
        for_each_take(board, mover, &mut visit_noting);
    }
    if !any_take_or_build {
        for_each_reserve(board, mover, &mut visit);
    }
}

fn for_each_build(board: &Board, mover: &Player, visit: &mut impl FnMut(Move)) -> bool {
    let displayed =
        board.displayed_cards().enumerate().map(|(i, card)| (BuildFrom::Displayed(i as u8), card));
    let reserved =
        mover.reserved.iter().enumerate().map(|(i, card)| (BuildFrom::Reserved(i as u8), card));
    let mut any = false;
    for (from, card) in displayed.chain(reserved) {
        if mover.can_build(card) {
            any = true;
            for_each_visit(board, mover, card, |noble| visit(Move::Build { card: from, noble }));
        }
    }
    any
}

/// One move for each noble that is satisfied after the build (even if it already was), or one move
/// without a noble.
fn for_each_visit(board: &Board, mover: &Player, card: &Card, mut visit: impl FnMut(Option<u8>)) {
    let reduction = mover.reduction_with(card);
    let mut alone = true;
    for (i, noble) in board.nobles.iter().enumerate() {
        if noble.is_satisfied_by(&reduction) {
            alone = false;
            visit(Some(i as u8));
        }
    }
    if alone {
        visit(None);
    }
}

fn for_each_take(board: &Board, mover: &Player, visit: &mut impl FnMut(Move)) {
    let mut visit_take = |gems: ByColor<u8>| {
        let hand = mover.gems.plus(gems);
        let excess = hand.total().saturating_sub(HAND_LIMIT);
        for_each_give_back(hand, excess, |give_back| visit(Move::Take { gems, give_back }));
    };

    // Sets of colors as bit masks.
    let piles = board.gems.colors();
    let available = piles.iter().map(|(color, &pile)| u8::from(pile > 0) << color.index()).sum();
    let size = u8::count_ones(available).min(MAX_TAKE as u32);
    for set in 1..=available {
        if set & !available == 0 && set.count_ones() == size {
            visit_take(ByColor::from_fn(|color| set >> color.index() & 1));
        }
    }
    for color in Color::ALL {
        if piles[color] >= TAKE_TWO_PILE {
            let mut gems = ByColor::default();
            gems[color] = 2;
            visit_take(gems);
        }
    }
}

fn for_each_reserve(board: &Board, mover: &Player, visit: &mut impl FnMut(Move)) {
    if mover.reserved.len() == MAX_RESERVED {
        return;
    }
    let displayed = (0..board.displayed_cards().count()).map(|i| ReserveFrom::Displayed(i as u8));
    let decks = Level::ALL
        .into_iter()
        .filter(|level| board.decks[level.index()] > 0)
        .map(ReserveFrom::DeckTop);
    // The gold gem is taken only after gems are given back, so it cannot be one of them.
    let gains_gold_over_limit = mover.gems.total() == HAND_LIMIT && board.gems[Gem::Gold] > 0;
    let excess = u8::from(gains_gold_over_limit);
    for card in displayed.chain(decks) {
        for_each_give_back(mover.gems, excess, |give_back| {
            visit(Move::Reserve { card, give_back });
        });
    }
}

/// All ways to give back exactly `excess` of the gems in `hand`.
fn for_each_give_back(hand: ByGem<u8>, excess: u8, mut visit: impl FnMut(ByGem<u8>)) {
    debug_assert!(excess <= MAX_GIVE_BACK, "a turn adds at most three gems to a hand of ten");
    give_back_more(hand, NOTHING, 0, excess, &mut visit);
}

/// Adds `excess` gems to those given back, only of kinds from `first` on, so that each way comes once.
fn give_back_more(
    hand: ByGem<u8>,
    given: ByGem<u8>,
    first: usize,
    excess: u8,
    visit: &mut impl FnMut(ByGem<u8>),
) {
    if excess == 0 {
        return visit(given);
    }
    for gem in first..Gem::COUNT {
        if given.0[gem] < hand.0[gem] {
            let mut more = given;
            more.0[gem] += 1;
            give_back_more(hand, more, gem, excess - 1, visit);
        }
    }
}
