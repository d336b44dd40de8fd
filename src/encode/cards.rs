//! Part 3, cards: what each seat lacks for each card it can reach, 4 x 15 x 9 values.
//!
//! The player index is the *seat* here, unlike in part 1.

use super::feature::{Family, FeatureList, Value};
use super::seat_view::{REACHABLE, SeatView, reachable_card_name};
use crate::rules::{Color, Gem, NOBLE_VP, PlayerCount};

const CARD_WIDTH: usize = 4 + Color::COUNT;
/// Values of one seat.
pub(super) const SEAT_WIDTH: usize = REACHABLE * CARD_WIDTH;
pub(super) const WIDTH: usize = PlayerCount::MAX * SEAT_WIDTH;

pub(super) const fn describe<const N: usize>(list: &mut FeatureList<N>) {
    list.begin(Family::Cards);
    let mut seat = 0;
    while seat < PlayerCount::MAX {
        let mut place = 0;
        while place < REACHABLE {
            let card = reachable_card_name(seat, place);
            list.flag(card.then("can_build"), "1 if the seat can pay for the card, gold included");
            list.flag(card.then("must_use_gold"), "1 if the seat can build it only with gold");
            list.quantities_by_color(
                card.then("distance_"),
                "gems of this colour the seat lacks for the card, gold aside",
            );
            list.quantity(card.then("distance_total"), "gems the seat lacks for the card");
            list.quantity(
                card.then("vp_if_buy"),
                "points of the seat once it has the card, with a noble if that attracts one",
            );
            place += 1;
        }
        seat += 1;
    }
}

/// Writes one seat's values into `out`, which holds zeros.
pub(super) fn encode(view: &SeatView, out: &mut [Value; SEAT_WIDTH]) {
    let player = view.player;
    let gold = player.gems[Gem::Gold];
    let (cards, _) = out.as_chunks_mut::<CARD_WIDTH>();
    for (card, out) in view.reachable_cards().zip(cards) {
        let distance = player.distance(card);
        let total = distance.total();
        let can_build = total <= gold;
        let attracts_noble = view.outlook_after_bonus[card.bonus].satisfied > 0;
        let noble_vp = if attracts_noble { NOBLE_VP } else { 0 };
        let [white, blue, green, red, black] = distance.0.map(|gems| gems as Value);
        *out = [
            Value::from(can_build),
            Value::from(can_build && total > 0),
            white,
            blue,
            green,
            red,
            black,
            total as Value,
            (player.vp + card.vp + noble_vp) as Value,
        ];
    }
}
