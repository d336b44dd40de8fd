//! Part 3, tokens: the gems that may be taken from each pile, 26 values.

use crate::encode::feature::{Family, FeatureList, Value};
use crate::encode::position::Position;
use crate::rules::{Color, GOLD_SUPPLY, TAKE_TWO_PILE};

const PILE_WIDTH: usize = 5;

pub(in crate::encode) const FAMILY: Family = Family {
    name: "tokens",
    is_base: false,
    rules: "The gems that may be taken from each pile. Taking two of one color needs four gems in \
            the pile.",
    width: Color::COUNT * PILE_WIDTH + 1,
    describe,
    encode,
};

fn describe(list: &mut FeatureList) {
    for color in Color::ALL {
        list.about("", format!("{color} pile"));
        let name = format!("can_take2_{color}");
        list.flag(name, "1 if the pile has at least four gems, so that two can be taken");
        let name = format!("tokens_left_if_take2_{color}");
        list.quantity(name, "gems left in the pile after taking two, if that is allowed");
        let name = format!("tokens_left_if_take1_{color}");
        list.quantity(name, "gems left in the pile after taking one, at least 0");
        let name = format!("max_tokens_pile_{color}");
        list.quantity(
            name,
            format!("{color} gems in the game: 4, 5 or 7, depending on the number of players"),
        );
        let name = format!("maximum_takeable_this_turn_{color}");
        list.quantity(name, "gems that can be taken from the pile in one turn: 0, 1 or 2");
    }
    list.about("", "");
    list.quantity("max_tokens_pile_gold", "gold gems in the game: always 5");
}

fn encode(position: &Position<'_>, out: &mut [Value]) {
    let board = position.board;
    let supply = board.player_count().color_supply();
    let (piles, gold) = out.as_chunks_mut::<PILE_WIDTH>();
    for (&pile, out) in board.gems.colors().0.iter().zip(piles) {
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
    gold[0] = GOLD_SUPPLY as Value;
}
