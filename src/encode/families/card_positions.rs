//! Part 2: the position of each card, 24 values, -1 for an empty slot.

use crate::encode::feature::{BY_TURN_ORDER, Family, FeatureList, Value};
use crate::encode::position::Position;
use crate::rules::{MAX_DISPLAYED, MAX_RESERVED, PlayerCount, RotatedIndex};

pub(in crate::encode) const FAMILY: Family = Family {
    name: "card_positions",
    is_base: true,
    rules: "The position of each displayed and reserved card, or -1 for an empty slot. Displayed \
            cards are numbered as in the state (0 to 11), reserved cards 12 plus their place. \
            Players are numbered by turn order; player 0 is to move.",
    width: MAX_DISPLAYED + PlayerCount::MAX * MAX_RESERVED,
    describe,
    encode,
};

fn describe(list: &mut FeatureList) {
    for slot in 0..MAX_DISPLAYED {
        list.about(format!("card{slot}_"), format!("displayed card {slot}"));
        list.flag("position", "the slot's own number if it holds a card, else -1");
    }
    for (rotated, who) in BY_TURN_ORDER.iter().enumerate() {
        for place in 0..MAX_RESERVED {
            let subject = format!("{who}, reserved card {place}");
            list.about(format!("player{rotated}_reserved{place}_"), subject);
            list.flag("position", "12 + the place if the player reserves a card there, else -1");
        }
    }
}

fn encode(position: &Position<'_>, out: &mut [Value]) {
    out.fill(-1);
    let board = position.board;
    let (displayed, reserved) = out.split_at_mut(MAX_DISPLAYED);
    for (slot, (_, out)) in board.displayed_cards().zip(displayed).enumerate() {
        *out = slot as Value;
    }
    let count = board.player_count();
    for (rotated, out) in RotatedIndex::ALL.into_iter().zip(reserved.chunks_exact_mut(MAX_RESERVED))
    {
        let Some(seat) = rotated.seat(board.to_move, count) else { break };
        let held = board.players[seat.index()].reserved.len();
        for (place, out) in out[..held].iter_mut().enumerate() {
            *out = (MAX_DISPLAYED + place) as Value;
        }
    }
}
