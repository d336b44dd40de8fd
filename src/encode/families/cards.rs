//! Part 3, cards: what each seat lacks for each reachable card, 4 x 15 x 9 values.
//!
//! The player index is the *seat* here, unlike in part 1.

use crate::encode::feature::{Family, FeatureList, Value};
use crate::encode::position::{Position, REACHABLE};
use crate::rules::{Color, Gem, NOBLE_VP, PlayerCount};

const CARD_WIDTH: usize = 4 + Color::COUNT;
const SEAT_WIDTH: usize = REACHABLE * CARD_WIDTH;

pub(in crate::encode) const FAMILY: Family = Family {
    name: "cards",
    is_base: false,
    rules: "What each seat lacks for each reachable card. Reachable cards are the displayed cards \
            by flat index (level 1, then 2, then 3, without gaps), followed by the seat's own \
            reserved cards, then zeros up to 15. The real cost of a card is its cost minus the \
            seat's reductions, at least 0 for each color; the distance is the real cost minus the \
            gems in hand, at least 0. `playerN` is seat N here, not turn order; an empty seat \
            gives 0.",
    width: PlayerCount::MAX * SEAT_WIDTH,
    describe,
    encode,
};

fn describe(list: &mut FeatureList) {
    for seat in 0..PlayerCount::MAX {
        for place in 0..REACHABLE {
            let subject = format!("seat {seat}, reachable card {place}");
            list.about(format!("player{seat}_card{place}_"), subject);
            list.flag("can_build", "1 if the seat can pay for the card, gold included");
            list.flag("must_use_gold", "1 if the seat needs gold to build the card");
            for color in Color::ALL {
                let meaning =
                    format!("{color} gems the seat lacks for the card, without using gold");
                list.quantity(format!("distance_{color}"), meaning);
            }
            list.quantity("distance_total", "gems the seat lacks for the card");
            list.quantity(
                "vp_if_buy",
                "points of the seat after it buys the card, including those of a noble that visits then",
            );
        }
    }
}

fn encode(position: &Position<'_>, out: &mut [Value]) {
    for (view, out) in position.seats.iter().zip(out.as_chunks_mut::<SEAT_WIDTH>().0) {
        let player = view.player;
        let gold = player.gems[Gem::Gold];
        for (card, out) in view.reachable_cards().zip(out.as_chunks_mut::<CARD_WIDTH>().0) {
            let distance = player.distance(card);
            let total = distance.total();
            let can_build = total <= gold;
            let attracts_noble = view.nobles_after_bonus[card.bonus].satisfied > 0;
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
}
