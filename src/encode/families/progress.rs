//! Part 3, progress: the progress of the game, 6 values, by *seat*.
//!
//! The specification counts 9: the three deck counts belong here too, but part 1 has the same names. The
//! total of cards bought is always 0, because the log does not record it.

use crate::encode::feature::{Family, FeatureList, Value};
use crate::encode::position::Position;
use crate::rules::{POINTS_TO_END, PlayerCount};

pub(in crate::encode) const FAMILY: Family = Family {
    name: "progress",
    is_base: false,
    rules: "Progress towards the 15 points that end the game. `playerN` is seat N here; the \
            numbers of cards in the decks are in the state.",
    width: 2 + PlayerCount::MAX,
    describe,
    encode,
};

fn describe(list: &mut FeatureList) {
    list.quantity("distance_to_end_game", "15 minus the points of the leader; can be negative");
    list.quantity("total_cards_bought", "always 0: the log does not record it");
    for seat in 0..PlayerCount::MAX {
        list.about(format!("player{seat}_"), format!("seat {seat}"));
        let meaning = "15 minus the points of the seat; can be negative; 0 for an empty seat";
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
