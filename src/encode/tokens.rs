//! Part 3, tokens: what may be taken from each pile, 26 values.

use super::feature::{Family, FeatureList, Value};
use crate::column_name::ColumnName;
use crate::rules::{Board, Color, GOLD_SUPPLY, TAKE_TWO_PILE};

const PILE_WIDTH: usize = 5;
pub(super) const WIDTH: usize = Color::COUNT * PILE_WIDTH + 1;

pub(super) const fn describe<const N: usize>(list: &mut FeatureList<N>) {
    list.begin(Family::Tokens);
    let mut i = 0;
    while i < Color::COUNT {
        let color = Color::ALL[i].name();
        list.flag(
            ColumnName::new("can_take2_").then(color),
            "1 if the pile has the four gems that a take of two needs",
        );
        list.quantity(
            ColumnName::new("tokens_left_if_take2_").then(color),
            "gems left in the pile after a take of two, if that is allowed",
        );
        list.quantity(
            ColumnName::new("tokens_left_if_take1_").then(color),
            "gems left in the pile after a take of one, at least 0",
        );
        list.quantity(
            ColumnName::new("max_tokens_pile_").then(color),
            "gems of this colour in the game: 4, 5 or 7 by players",
        );
        list.quantity(
            ColumnName::new("maximum_takeable_this_turn_").then(color),
            "gems that the pile has for one turn: 0, 1 or 2",
        );
        i += 1;
    }
    list.quantity(ColumnName::new("max_tokens_pile_gold"), "gold gems in the game: always 5");
}

pub(super) fn encode(board: &Board, out: &mut [Value; WIDTH]) {
    let supply = board.player_count().color_supply();
    let (piles, _) = out.as_chunks_mut::<PILE_WIDTH>();
    for ((_, &pile), out) in board.gems.colors().iter().zip(piles) {
        let can_take_two = pile >= TAKE_TWO_PILE;
        let left_if_take_two = if can_take_two { pile - 2 } else { pile };
        *out = [
            Value::from(can_take_two),
            left_if_take_two as Value,
            pile.saturating_sub(1) as Value,
            supply as Value,
            pile.min(2) as Value,
        ];
    }
    out[WIDTH - 1] = GOLD_SUPPLY as Value;
}
