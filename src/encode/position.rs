//! A board with values that several families use, computed once per row: the cards that each seat can
//! reach, and the effect of one more reduction.

use crate::rules::{Board, ByColor, Card, MAX_DISPLAYED, MAX_RESERVED, Player, PlayerCount};
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
        let nobles = NobleOutlook::new(board, &player.reduction);
        let nobles_after_bonus = ByColor::from_fn(|bonus| {
            let mut reduction = player.reduction;
            reduction[bonus] += 1;
            NobleOutlook::new(board, &reduction)
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
    fn new(board: &Board, reduction: &ByColor<u8>) -> NobleOutlook {
        let mut satisfied = 0;
        let mut closest = None;
        for noble in &board.nobles {
            let distance = noble.distance(reduction).total() as i8;
            satisfied += i8::from(distance == 0);
            closest = Some(closest.map_or(distance, |closest: i8| closest.min(distance)));
        }
        NobleOutlook { satisfied, closest_distance: closest.unwrap_or(0) }
    }
}
