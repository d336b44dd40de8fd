//! Part 4: categories as 0 and 1, 23 values.
//!
//! `current_player` goes by seat, `playerN_position` by rotated index. An absent player reads as
//! seat 0: the old pipeline filled its missing position with 0 before spelling it out. A quirk
//! kept on purpose, models were trained on it.

use super::feature::{Family, FeatureList, Value};
use crate::column_name::ColumnName;
use crate::rules::{Board, PlayerCount, RotatedIndex, Seat};

const SEATS: usize = PlayerCount::MAX;
const COUNTS: usize = PlayerCount::ALL.len();
pub(super) const WIDTH: usize = SEATS + COUNTS + PlayerCount::MAX * SEATS;

pub(super) const fn describe<const N: usize>(list: &mut FeatureList<N>) {
    list.begin(Family::OneHot);
    let mut seat = 0;
    while seat < SEATS {
        list.flag(
            ColumnName::new("current_player_").then_number(seat),
            "1 if this seat is to move",
        );
        seat += 1;
    }
    let mut i = 0;
    while i < COUNTS {
        let players = PlayerCount::ALL[i].get() as usize;
        list.flag(ColumnName::new("num_players_").then_number(players), "1 if as many play");
        i += 1;
    }
    let mut rotated = 0;
    while rotated < PlayerCount::MAX {
        let position = ColumnName::new("player").then_number(rotated).then("_position_");
        let mut seat = 0;
        while seat < SEATS {
            list.flag(
                position.then_number(seat),
                "1 if the player (0 is to move) sits in this seat; absent ones read as seat 0",
            );
            seat += 1;
        }
        rotated += 1;
    }
}

/// Writes into `out`, which holds zeros.
pub(super) fn encode(board: &Board, out: &mut [Value; WIDTH]) {
    let count = board.player_count();
    let (current_player, rest) = out.split_at_mut(SEATS);
    let (num_players, positions) = rest.split_at_mut(COUNTS);
    current_player[board.to_move.index()] = 1;
    num_players[count as usize] = 1;
    for (rotated, out) in RotatedIndex::ALL.into_iter().zip(positions.chunks_exact_mut(SEATS)) {
        let seat = rotated.seat(board.to_move, count).map_or(0, |seat| seat.index());
        out[seat] = 1;
    }
}

/// Who is to move, and how many play, if these values tell it.
pub(super) fn decode(values: &[Value; WIDTH]) -> Option<(Seat, PlayerCount)> {
    let (current_player, rest) = values.split_at(SEATS);
    let seat = current_player.iter().position(|&value| value == 1)?;
    let count = rest[..COUNTS].iter().position(|&value| value == 1)?;
    let count = PlayerCount::ALL[count];
    Some((Seat::new(seat as u8, count)?, count))
}
