//! Part 3, nobles: the distance of each seat to each noble, 4 x 37 values, by *seat*.

use crate::encode::feature::{Family, FeatureList, Value};
use crate::encode::position::Position;
use crate::rules::{Color, MAX_NOBLES, PlayerCount};

const NOBLE_WIDTH: usize = Color::COUNT + 2;
const SEAT_WIDTH: usize = MAX_NOBLES * NOBLE_WIDTH + 2;

pub(in crate::encode) const FAMILY: Family = Family {
    name: "nobles",
    is_base: false,
    rules: "The distance of each seat to each noble on the table: what the noble requires minus \
            the reductions, at least 0 for each color. An empty slot gives 0, and so does an empty \
            seat. `playerN` is seat N here.",
    width: PlayerCount::MAX * SEAT_WIDTH,
    describe,
    encode,
};

fn describe(list: &mut FeatureList) {
    for seat in 0..PlayerCount::MAX {
        for slot in 0..MAX_NOBLES {
            list.about(format!("player{seat}_noble{slot}_"), format!("seat {seat}, noble {slot}"));
            for color in Color::ALL {
                let meaning = format!("{color} reductions the seat lacks for the noble");
                list.quantity(format!("distance_{color}"), meaning);
            }
            list.quantity("distance_total", "reductions the seat lacks for the noble");
            list.flag("acquirable", "1 if the seat's reductions satisfy the noble");
        }
        list.about(format!("player{seat}_"), format!("seat {seat}"));
        let meaning = "reductions the seat lacks for its closest noble, 0 if there is none";
        list.quantity("closest_noble_distance", meaning);
        list.flag("nobles_acquirable_count", "nobles the seat satisfies");
    }
}

fn encode(position: &Position<'_>, out: &mut [Value]) {
    for (view, out) in position.seats.iter().zip(out.as_chunks_mut::<SEAT_WIDTH>().0) {
        let (nobles, summary) = out.as_chunks_mut::<NOBLE_WIDTH>();
        for (noble, out) in position.board.nobles.iter().zip(nobles) {
            let distance = noble.distance(&view.player.reduction);
            let total = distance.total();
            let [white, blue, green, red, black] = distance.0.map(|gems| gems as Value);
            *out = [white, blue, green, red, black, total as Value, Value::from(total == 0)];
        }
        summary.copy_from_slice(&[view.nobles.closest_distance, view.nobles.satisfied]);
    }
}
