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
        let mut nobles = NobleOutlook::default();
        let mut nobles_after_bonus: ByColor<NobleOutlook> = ByColor::default();
        for (place, noble) in board.nobles.iter().enumerate() {
            let missing = noble.distance(&player.reduction);
            let distance = missing.total();
            nobles.add(place, distance);
            for (after, missing) in nobles_after_bonus.0.iter_mut().zip(missing.0) {
                after.add(place, distance - missing.min(1));
            }
        }
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
    /// Adds the noble at `place`, of which the player lacks `distance` reductions.
    fn add(&mut self, place: usize, distance: u8) {
        let distance = distance as i8;
        self.satisfied += i8::from(distance == 0);
        let is_closer = place == 0 || distance < self.closest_distance;
        self.closest_distance = if is_closer { distance } else { self.closest_distance };
    }
}
