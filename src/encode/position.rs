//! A board with values that several families use, computed once per row: the cards that each seat can
//! reach, and the effect of one more reduction.

use crate::rules::{
    Board, ByColor, Card, MAX_DISPLAYED, MAX_NOBLES, MAX_RESERVED, Player, PlayerCount,
};
use arrayvec::ArrayVec;

/// Cards a seat can reach: 12 on display and 3 in its own reserve.
///
/// They are numbered without gaps: reserved cards directly follow the last displayed card. The
/// `card_selection` head numbers them differently: reserved cards begin at 12.
pub(super) const REACHABLE: usize = MAX_DISPLAYED + MAX_RESERVED;

/// The input of the feature families.
pub(super) struct Position<'a> {
    pub(super) board: &'a Board,
    /// The players by seat.
    pub(super) seats: ArrayVec<SeatView<'a>, { PlayerCount::MAX }>,
}

impl<'a> Position<'a> {
    pub(super) fn new(board: &'a Board) -> Position<'a> {
        let seats = board.players.iter().map(|player| SeatView::new(board, player)).collect();
        Position { board, seats }
    }
}

/// One player's view of the board.
pub(super) struct SeatView<'a> {
    board: &'a Board,
    pub(super) player: &'a Player,
    /// The distance to the nobles.
    pub(super) nobles: NobleOutlook,
    /// The same with one more reduction of each color, which is the effect of a card.
    pub(super) nobles_after_bonus: ByColor<NobleOutlook>,
}

impl<'a> SeatView<'a> {
    fn new(board: &'a Board, player: &'a Player) -> SeatView<'a> {
        let missing = board.nobles.iter().map(|noble| noble.distance(&player.reduction));
        let missing: ArrayVec<_, MAX_NOBLES> = missing.map(|by| (by, by.total())).collect();
        let nobles = NobleOutlook::new(missing.iter().map(|&(_, total)| total));
        let nobles_after_bonus = ByColor::from_fn(|bonus| {
            NobleOutlook::new(missing.iter().map(|(by, total)| total - by[bonus].min(1)))
        });
        SeatView { board, player, nobles, nobles_after_bonus }
    }

    pub(super) fn reachable_cards(&self) -> impl Iterator<Item = &'a Card> {
        self.board.displayed_cards().chain(&self.player.reserved)
    }
}

/// The distance of a player to the nobles on the table.
#[derive(Clone, Copy, Default)]
pub(super) struct NobleOutlook {
    /// Number of satisfied nobles.
    pub(super) satisfied: i8,
    /// Missing reductions for the closest noble; 0 if there is none.
    pub(super) closest_distance: i8,
}

impl NobleOutlook {
    fn new(distances: impl Iterator<Item = u8>) -> NobleOutlook {
        let (mut satisfied, mut closest) = (0, u8::MAX);
        for distance in distances {
            satisfied += i8::from(distance == 0);
            closest = closest.min(distance);
        }
        let closest_distance = if closest == u8::MAX { 0 } else { closest as i8 };
        NobleOutlook { satisfied, closest_distance }
    }
}
