//! Part 3, card-noble synergy: the effect of each reachable card's bonus on the nobles, 4 x 15 x 2
//! values, by *seat*.

use crate::encode::feature::{Family, FeatureList, Value};
use crate::encode::position::{Position, REACHABLE};
use crate::rules::PlayerCount;

const CARD_WIDTH: usize = 2;
const SEAT_WIDTH: usize = REACHABLE * CARD_WIDTH;

pub(in crate::encode) const FAMILY: Family = Family {
    name: "synergy",
    is_base: false,
    rules: "The effect of a card on the distance to the nobles, for the same 15 cards as in \
            `cards`: computed as if the seat already had the card's bonus, whether or not it can \
            build the card. `playerN` is seat N here; an empty seat gives 0.",
    width: PlayerCount::MAX * SEAT_WIDTH,
    describe,
    encode,
};

fn describe(list: &mut FeatureList) {
    for seat in 0..PlayerCount::MAX {
        for place in 0..REACHABLE {
            let subject = format!("seat {seat}, reachable card {place}");
            list.about(format!("player{seat}_card{place}_"), subject);
            list.quantity("nobles_after_buy", "nobles satisfied after building the card");
            list.quantity(
                "closest_noble_distance_after_buy",
                "reductions missing for the closest noble after that, 0 if there is none",
            );
        }
    }
}

fn encode(position: &Position<'_>, out: &mut [Value]) {
    for (view, out) in position.seats.iter().zip(out.as_chunks_mut::<SEAT_WIDTH>().0) {
        for (card, out) in view.reachable_cards().zip(out.as_chunks_mut::<CARD_WIDTH>().0) {
            let nobles = view.nobles_after_bonus[card.bonus];
            *out = [nobles.satisfied, nobles.closest_distance];
        }
    }
}
