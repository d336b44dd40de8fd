//! Part 4: one-hot encoded categories, 23 values.
//!
//! `current_player` is numbered by seat, `playerN_position` by rotated index. An absent player is
//! encoded as seat 0: the old pipeline replaced its missing position by 0 before encoding it. The quirk
//! is intentional, because existing models were trained on it.

use crate::encode::feature::{BY_TURN_ORDER, Family, FeatureList, Value};
use crate::encode::position::Position;
use crate::rules::{PlayerCount, RotatedIndex, Seat};

const SEATS: usize = PlayerCount::MAX;
const COUNTS: usize = PlayerCount::ALL.len();

pub(in crate::encode) const FAMILY: Family = Family {
    name: "one_hot",
    is_base: true,
    rules: "One-hot encoded categories. `current_player_N` is numbered by seat; in \
            `playerN_position_S` the player is numbered by turn order (0 is to move) and S is the \
            seat. An absent player is encoded as seat 0.",
    width: WIDTH,
    describe,
    encode,
};
pub(in crate::encode) const WIDTH: usize = SEATS + COUNTS + SEATS * SEATS;

fn describe(list: &mut FeatureList) {
    for seat in 0..SEATS {
        list.flag(format!("current_player_{seat}"), format!("1 if seat {seat} is to move"));
    }
    for players in PlayerCount::ALL.map(PlayerCount::get) {
        list.flag(format!("num_players_{players}"), format!("1 if {players} play"));
    }
    for (rotated, who) in BY_TURN_ORDER.into_iter().enumerate() {
        list.about(format!("player{rotated}_"), who);
        for seat in 0..SEATS {
            let meaning = format!(
                "1 if the player sits in seat {seat}; absent players are encoded as seat 0"
            );
            list.flag(format!("position_{seat}"), meaning);
        }
    }
}

fn encode(position: &Position<'_>, out: &mut [Value]) {
    out.copy_from_slice(&row(position.board.to_move, position.board.player_count()));
}

/// The values when a seat is to move.
pub(in crate::encode) fn row(to_move: Seat, count: PlayerCount) -> [Value; WIDTH] {
    let mut out = [0; WIDTH];
    let (current_player, rest) = out.split_at_mut(SEATS);
    let (num_players, positions) = rest.split_at_mut(COUNTS);
    current_player[to_move.index()] = 1;
    num_players[count as usize] = 1;
    for (rotated, out) in RotatedIndex::ALL.into_iter().zip(positions.chunks_exact_mut(SEATS)) {
        let seat = rotated.seat(to_move, count).map_or(0, Seat::index);
        out[seat] = 1;
    }
    out
}

/// The seat to move and the number of players; `None` if the values are invalid.
pub(in crate::encode) fn decode(values: &[Value; WIDTH]) -> Option<(Seat, PlayerCount)> {
    let (current_player, rest) = values.split_at(SEATS);
    let seat = current_player.iter().position(|&value| value == 1)?;
    let count = rest[..COUNTS].iter().position(|&value| value == 1)?;
    let count = PlayerCount::ALL[count];
    Some((Seat::new(seat as u8, count)?, count))
}
