//! Part 2: where each card stands, 24 values, -1 where there is none.

use super::feature::{Family, FeatureList, Value};
use crate::column_name::ColumnName;
use crate::rules::{Board, MAX_DISPLAYED, MAX_RESERVED, PlayerCount, RotatedIndex};

pub(super) const WIDTH: usize = MAX_DISPLAYED + PlayerCount::MAX * MAX_RESERVED;

pub(super) const fn describe<const N: usize>(list: &mut FeatureList<N>) {
    list.begin(Family::CardPositions);
    let mut slot = 0;
    while slot < MAX_DISPLAYED {
        let name = ColumnName::new("card").then_number(slot).then("_position");
        list.flag(name, "the slot's own number if it holds a card, else -1");
        slot += 1;
    }
    let mut rotated = 0;
    while rotated < PlayerCount::MAX {
        let player = ColumnName::new("player").then_number(rotated);
        let mut place = 0;
        while place < MAX_RESERVED {
            let name = player.then("_reserved").then_number(place).then("_position");
            list.flag(name, "12 + the place if the player reserves a card there, else -1");
            place += 1;
        }
        rotated += 1;
    }
}

pub(super) fn encode(board: &Board, out: &mut [Value; WIDTH]) {
    out.fill(-1);
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
