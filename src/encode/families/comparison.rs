//! Part 3, comparison: compares the players, 46 values, by *seat*.
//!
//! The specification counts 50: `playerN_vp` belongs here too, but part 1 has the same name, and its
//! value is used. So `playerN_vp` is numbered by turn order, while all other columns here are numbered
//! by seat. Nobles acquired and cards bought are always 0, because the log does not record them. Both
//! quirks are intentional: existing models were trained on them.

use crate::encode::feature::{Family, FeatureList, Value};
use crate::encode::position::Position;
use crate::rules::{Gem, Player, PlayerCount};

const HOLDINGS_WIDTH: usize = 7;
const MAXIMA_WIDTH: usize = 2;
const RANKS_WIDTH: usize = 4;

pub(in crate::encode) const FAMILY: Family = Family {
    name: "comparison",
    is_base: false,
    rules: "Comparison of the players. `playerN` is seat N here. An empty seat gives 0, except in \
            the four gap and rank columns, which treat it as a player with nothing. Points \
            (`playerN_vp`) have their column in the state.",
    width: PlayerCount::MAX * (HOLDINGS_WIDTH + RANKS_WIDTH) + MAXIMA_WIDTH,
    describe,
    encode,
};

fn describe(list: &mut FeatureList) {
    for seat in 0..PlayerCount::MAX {
        list.about(format!("player{seat}_"), format!("seat {seat}"));
        list.quantity("total_gems_reduction", "total reductions of the seat");
        list.quantity("buying_capacity", "gems without gold, plus reductions");
        list.quantity("total_gems_possessed", "gems in hand, gold included");
        list.quantity(
            "total_gem_colors_possessed",
            "number of different colors in hand, without gold",
        );
        list.quantity("num_reserved_cards", "cards in reserve");
        list.quantity("num_nobles_acquired", "always 0: the log does not record it");
        list.quantity("num_cards_bought", "always 0: the log does not record it");
    }
    list.about("", "");
    list.quantity("max_vp_among_players", "most points of any player");
    list.quantity("max_gems_reduction_among_players", "most total reductions of any player");
    for seat in 0..PlayerCount::MAX {
        list.about(format!("player{seat}_"), format!("seat {seat}"));
        list.quantity("distance_to_max_vp", "points behind the leader");
        let meaning = "rank by points (0 = best); ties go to the lower seat";
        list.flag("leaderboard_position", meaning);
        list.quantity("vp_gap_to_leader", "points behind the leader (duplicate)");
        let meaning = "rank by reductions (0 = most); ties go to the lower seat";
        list.flag("gems_reduction_leaderboard_position", meaning);
    }
}

fn encode(position: &Position<'_>, out: &mut [Value]) {
    let players = &position.board.players;
    let mut points: [Value; PlayerCount::MAX] = [0; _];
    let mut reductions: [Value; PlayerCount::MAX] = [0; _];
    for (seat, player) in players.iter().enumerate() {
        points[seat] = player.vp as Value;
        reductions[seat] = player.reduction.total() as Value;
    }
    let largest = |values: [Value; _]| values.into_iter().fold(0, Value::max);
    let most_points = largest(points);

    let (holdings, rest) = out.split_at_mut(PlayerCount::MAX * HOLDINGS_WIDTH);
    for (player, out) in players.iter().zip(holdings.as_chunks_mut().0) {
        *out = holdings_of(player);
    }
    let (maxima, ranks) = rest.split_at_mut(MAXIMA_WIDTH);
    maxima.copy_from_slice(&[most_points, largest(reductions)]);
    for (seat, out) in ranks.as_chunks_mut::<RANKS_WIDTH>().0.iter_mut().enumerate() {
        let gap = most_points - points[seat];
        *out = [gap, rank(points, seat), gap, rank(reductions, seat)];
    }
}

fn holdings_of(player: &Player) -> [Value; HOLDINGS_WIDTH] {
    let reductions = player.reduction.total() as Value;
    let gems = player.gems.total() as Value;
    let gold = player.gems[Gem::Gold] as Value;
    let colors = player.gems.colors().0.iter().filter(|&&gems| gems > 0).count() as Value;
    let reserved = player.reserved.len() as Value;
    [reductions, gems - gold + reductions, gems, colors, reserved, 0, 0]
}

/// The number of players ahead of that seat.
fn rank(values: [Value; PlayerCount::MAX], seat: usize) -> Value {
    let is_ahead = |other: usize| {
        values[other] > values[seat] || (values[other] == values[seat] && other < seat)
    };
    (0..PlayerCount::MAX).filter(|&other| is_ahead(other)).count() as Value
}
