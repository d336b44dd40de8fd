//! What a seat can reach and what each bonus would do for it: computed once per row, used by the
//! card and the synergy features.

use super::feature::Value;
use crate::column_name::ColumnName;
use crate::rules::{Board, ByColor, Card, MAX_DISPLAYED, MAX_RESERVED, Player, Seat};

/// Cards a seat can reach: 12 on display and 3 in its own reserve.
///
/// They are numbered without gaps: reserved cards follow the last displayed one directly. That is
/// another numbering than the `card_selection` head's, where reserved cards begin at 12.
pub(super) const REACHABLE: usize = MAX_DISPLAYED + MAX_RESERVED;

/// What the names of a reachable card's features begin with: `player0_card14_`.
pub(super) const fn reachable_card_name(seat: usize, place: usize) -> ColumnName {
    ColumnName::new("player").then_number(seat).then("_card").then_number(place).then("_")
}

/// One player's view of the nobles.
#[derive(Clone, Copy, Default)]
pub(super) struct NobleOutlook {
    /// Nobles satisfied.
    pub(super) satisfied: Value,
    /// Reductions missing for the closest noble; 0 if there is none.
    pub(super) closest_distance: Value,
}

/// A seat that someone sits in.
pub(super) struct SeatView<'a> {
    board: &'a Board,
    pub(super) player: &'a Player,
    /// With one more reduction of each colour: all that a card can do for the nobles.
    pub(super) outlook_after_bonus: ByColor<NobleOutlook>,
}

impl<'a> SeatView<'a> {
    pub(super) fn new(board: &'a Board, seat: Seat) -> Option<SeatView<'a>> {
        let player = board.player(seat)?;
        let outlook_after_bonus = ByColor::from_fn(|bonus| {
            let mut reduction = player.reduction;
            reduction[bonus] += 1;
            noble_outlook(board, &reduction)
        });
        Some(SeatView { board, player, outlook_after_bonus })
    }

    pub(super) fn reachable_cards(&self) -> impl Iterator<Item = &'a Card> {
        self.board.displayed_cards().chain(&self.player.reserved)
    }
}

/// How the nobles stand for someone with these reductions.
pub(super) fn noble_outlook(board: &Board, reduction: &ByColor<u8>) -> NobleOutlook {
    let mut outlook = NobleOutlook::default();
    let mut closest = None;
    for noble in &board.nobles {
        let distance = noble.distance(reduction).total() as Value;
        outlook.satisfied += Value::from(distance == 0);
        closest = Some(closest.map_or(distance, |closest: Value| closest.min(distance)));
    }
    outlook.closest_distance = closest.unwrap_or(0);
    outlook
}
