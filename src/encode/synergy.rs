//! Part 3, card-noble synergy: what each reachable card's bonus does for the nobles, 4 x 15 x 2
//! values, by *seat*. Whether the card can be built does not matter.

use super::feature::{Family, FeatureList, Value};
use super::seat_view::{REACHABLE, SeatView, reachable_card_name};
use crate::rules::PlayerCount;

const CARD_WIDTH: usize = 2;
/// Values of one seat.
pub(super) const SEAT_WIDTH: usize = REACHABLE * CARD_WIDTH;
pub(super) const WIDTH: usize = PlayerCount::MAX * SEAT_WIDTH;

pub(super) const fn describe<const N: usize>(list: &mut FeatureList<N>) {
    list.begin(Family::Synergy);
    let mut seat = 0;
    while seat < PlayerCount::MAX {
        let mut place = 0;
        while place < REACHABLE {
            let card = reachable_card_name(seat, place);
            list.quantity(card.then("nobles_after_buy"), "nobles satisfied once it is built");
            list.quantity(
                card.then("closest_noble_distance_after_buy"),
                "reductions then missing for the closest noble, 0 if there is none",
            );
            place += 1;
        }
        seat += 1;
    }
}

/// Writes one seat's values into `out`, which holds zeros.
pub(super) fn encode(view: &SeatView, out: &mut [Value; SEAT_WIDTH]) {
    let (cards, _) = out.as_chunks_mut::<CARD_WIDTH>();
    for (card, out) in view.reachable_cards().zip(cards) {
        let outlook = view.outlook_after_bonus[card.bonus];
        *out = [outlook.satisfied, outlook.closest_distance];
    }
}
