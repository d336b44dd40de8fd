//! Part 3, comparison (46 values) and progress (6), by *seat*.
//!
//! The specification counts 50 and 9: `playerN_vp` and `deck_levelN_remaining` belong here too, but
//! their names are already in part 1, whose value is the one kept. So `playerN_vp` is rotated while
//! all its neighbours go by seat: a quirk kept on purpose, models were trained on it.
//!
//! Three features are always 0, because the log does not say: nobles acquired, cards bought (per
//! seat), total cards bought. Likewise kept.
//!
//! A seat where nobody sits gives 0, except in the four gap and rank features: those treat it as a
//! player with nothing.

use super::feature::{Family, FeatureList, Value};
use crate::column_name::ColumnName;
use crate::rules::{Board, Gem, POINTS_TO_END, Player, PlayerCount};

const HOLDINGS_WIDTH: usize = 7;
const MAXIMA_WIDTH: usize = 2;
const RANKS_WIDTH: usize = 4;
const COMPARISON_WIDTH: usize = PlayerCount::MAX * (HOLDINGS_WIDTH + RANKS_WIDTH) + MAXIMA_WIDTH;
const PROGRESS_WIDTH: usize = 2 + PlayerCount::MAX;
pub(super) const WIDTH: usize = COMPARISON_WIDTH + PROGRESS_WIDTH;

pub(super) const fn describe<const N: usize>(list: &mut FeatureList<N>) {
    list.begin(Family::Comparison);
    let mut seat = 0;
    while seat < PlayerCount::MAX {
        let player = ColumnName::new("player").then_number(seat).then("_");
        list.quantity(player.then("total_gems_reduction"), "reductions of the seat, all colours");
        list.quantity(player.then("buying_capacity"), "gems without gold, plus reductions");
        list.quantity(player.then("total_gems_possessed"), "gems in hand, gold included");
        list.quantity(
            player.then("total_gem_colors_possessed"),
            "different colours in hand, gold left out",
        );
        list.quantity(player.then("num_reserved_cards"), "cards in reserve");
        list.quantity(player.then("num_nobles_acquired"), "always 0: the log does not say");
        list.quantity(player.then("num_cards_bought"), "always 0: the log does not say");
        seat += 1;
    }
    list.quantity(ColumnName::new("max_vp_among_players"), "most points anyone has");
    list.quantity(
        ColumnName::new("max_gems_reduction_among_players"),
        "most reductions anyone has, all colours",
    );
    let mut seat = 0;
    while seat < PlayerCount::MAX {
        let player = ColumnName::new("player").then_number(seat).then("_");
        list.quantity(player.then("distance_to_max_vp"), "points behind the leader");
        list.flag(
            player.then("leaderboard_position"),
            "rank by points, 0 the best; ties go to the lower seat",
        );
        list.quantity(player.then("vp_gap_to_leader"), "points behind the leader, once more");
        list.flag(
            player.then("gems_reduction_leaderboard_position"),
            "rank by reductions, 0 the most; ties go to the lower seat",
        );
        seat += 1;
    }
    list.begin(Family::Progress);
    list.quantity(
        ColumnName::new("distance_to_end_game"),
        "points the leader lacks to 15; negative beyond",
    );
    list.quantity(ColumnName::new("total_cards_bought"), "always 0: the log does not say");
    let mut seat = 0;
    while seat < PlayerCount::MAX {
        let name = ColumnName::new("player").then_number(seat).then("_vp_to_win");
        list.quantity(name, "points the seat lacks to 15; negative beyond, 0 where nobody sits");
        seat += 1;
    }
}

/// Writes into `out`, which holds zeros.
pub(super) fn encode(board: &Board, out: &mut [Value; WIDTH]) {
    let mut points: [Value; PlayerCount::MAX] = [0; _];
    let mut reductions: [Value; PlayerCount::MAX] = [0; _];
    for (seat, player) in board.players.iter().enumerate() {
        points[seat] = player.vp as Value;
        reductions[seat] = player.reduction.total() as Value;
    }
    let most_points = largest(points);

    let (comparison, progress) = out.split_at_mut(COMPARISON_WIDTH);
    let (holdings, comparison) = comparison.split_at_mut(PlayerCount::MAX * HOLDINGS_WIDTH);
    for (player, out) in board.players.iter().zip(holdings.as_chunks_mut().0) {
        *out = player_holdings(player);
    }
    let (maxima, ranks) = comparison.split_at_mut(MAXIMA_WIDTH);
    maxima.copy_from_slice(&[most_points, largest(reductions)]);
    for (seat, out) in ranks.as_chunks_mut::<RANKS_WIDTH>().0.iter_mut().enumerate() {
        let gap = most_points - points[seat];
        *out = [gap, rank(points, seat), gap, rank(reductions, seat)];
    }

    let (game, by_seat) = progress.split_at_mut(2);
    game[0] = POINTS_TO_END as Value - most_points;
    for (player, out) in board.players.iter().zip(by_seat) {
        *out = POINTS_TO_END as Value - player.vp as Value;
    }
}

fn player_holdings(player: &Player) -> [Value; HOLDINGS_WIDTH] {
    let reductions = player.reduction.total() as Value;
    let gems = player.gems.total() as Value;
    let gold = player.gems[Gem::Gold] as Value;
    let colored = gems - gold;
    let colors = player.gems.colors().0.iter().filter(|&&gems| gems > 0).count() as Value;
    let reserved = player.reserved.len() as Value;
    [reductions, colored + reductions, gems, colors, reserved, 0, 0]
}

fn largest(values: [Value; PlayerCount::MAX]) -> Value {
    values.into_iter().fold(0, Value::max)
}

/// How many stand before that seat.
fn rank(values: [Value; PlayerCount::MAX], seat: usize) -> Value {
    let before = |other: usize| {
        values[other] > values[seat] || (values[other] == values[seat] && other < seat)
    };
    (0..PlayerCount::MAX).filter(|&other| before(other)).count() as Value
}
