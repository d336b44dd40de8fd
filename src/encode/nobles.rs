//! Part 3, nobles: how far each seat is from each noble, 4 x 37 values, by *seat*.

use super::feature::{Family, FeatureList, Value};
use super::seat_view::noble_outlook;
use crate::column_name::ColumnName;
use crate::rules::{Board, Color, MAX_NOBLES, Player, PlayerCount};

const NOBLE_WIDTH: usize = Color::COUNT + 2;
/// Values of one seat.
pub(super) const SEAT_WIDTH: usize = MAX_NOBLES * NOBLE_WIDTH + 2;
pub(super) const WIDTH: usize = PlayerCount::MAX * SEAT_WIDTH;

pub(super) const fn describe<const N: usize>(list: &mut FeatureList<N>) {
    list.begin(Family::Nobles);
    let mut seat = 0;
    while seat < PlayerCount::MAX {
        let player = ColumnName::new("player").then_number(seat).then("_");
        let mut slot = 0;
        while slot < MAX_NOBLES {
            let noble = player.then("noble").then_number(slot).then("_");
            list.quantities_by_color(
                noble.then("distance_"),
                "reductions of this colour the seat lacks for the noble",
            );
            list.quantity(noble.then("distance_total"), "reductions the seat lacks for the noble");
            list.flag(noble.then("acquirable"), "1 if the seat's reductions satisfy the noble");
            slot += 1;
        }
        list.quantity(
            player.then("closest_noble_distance"),
            "reductions the seat lacks for its closest noble, 0 if there is none",
        );
        list.flag(player.then("nobles_acquirable_count"), "nobles the seat satisfies");
        seat += 1;
    }
}

/// Writes one seat's values into `out`, which holds zeros.
pub(super) fn encode(board: &Board, player: &Player, out: &mut [Value; SEAT_WIDTH]) {
    let (nobles, summary) = out.as_chunks_mut::<NOBLE_WIDTH>();
    for (noble, out) in board.nobles.iter().zip(nobles) {
        let distance = noble.distance(&player.reduction);
        let total = distance.total();
        let [white, blue, green, red, black] = distance.0.map(|gems| gems as Value);
        *out = [white, blue, green, red, black, total as Value, Value::from(total == 0)];
    }
    let outlook = noble_outlook(board, &player.reduction);
    summary.copy_from_slice(&[outlook.closest_distance, outlook.satisfied]);
}
