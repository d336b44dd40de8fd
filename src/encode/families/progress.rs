//! Part 3, progress: how far the game has come, 6 values, by *seat*.
//!
//! The specification counts 9: the three deck counts belong here too, but their names are already in
//! part 1. The total of cards bought is always 0, because the log does not say.

use crate::encode::feature::{Family, FeatureList, Value};
use crate::encode::position::Position;
use crate::rules::{POINTS_TO_END, PlayerCount};

pub(in crate::encode) const FAMILY: Family = Family {
    name: "progress",
    is_base: false,
    rules: "How far the game has come towards the 15 points that end it. `playerN` is the seat N \
            here; the cards left in the decks are in the state.",
    width: 2 + PlayerCount::MAX,
    describe,
    encode,
};

fn describe(list: &mut FeatureList) {
    list.quantity("distance_to_end_game", "points the leader lacks to 15; negative beyond");
    list.quantity("total_cards_bought", "always 0: the log does not say");
    for seat in 0..PlayerCount::MAX {
        list.about(format!("player{seat}_"), format!("seat {seat}"));
        let meaning = "points the seat lacks to 15; negative beyond, 0 where nobody sits";
        list.quantity("vp_to_win", meaning);
    }
}

fn encode(position: &Position<'_>, out: &mut [Value]) {
    let players = &position.board.players;
    let lacks = |points: u8| POINTS_TO_END as Value - points as Value;
    out[0] = lacks(players.iter().map(|player| player.vp).max().unwrap_or(0));
    for (player, out) in players.iter().zip(&mut out[2..]) {
        *out = lacks(player.vp);
    }
}
