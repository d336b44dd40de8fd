//! Part 1: the position as logged.
//!
//! The log's state columns in log order, without `turn_number` and the columns that part 4 encodes
//! (`num_players`, `current_player`, the positions). Players are *rotated*: `player0_*` is to move.
//! Missing values are 0. Displayed cards are compacted: present cards first, then zeros.

use crate::encode::feature::{BY_TURN_ORDER, Family, FeatureList, Value};
use crate::encode::position::Position;
use crate::rules::{
    Card, Color, Gem, Level, MAX_DISPLAYED, MAX_NOBLES, MAX_RESERVED, NOBLE_VP, PlayerCount,
    RotatedIndex,
};

const CARD_WIDTH: usize = 2 + 2 * Color::COUNT;
const NOBLE_WIDTH: usize = 1 + Color::COUNT;
const PLAYER_WIDTH: usize = 1 + Gem::COUNT + Color::COUNT + MAX_RESERVED * CARD_WIDTH;
const WIDTH: usize = Gem::COUNT
    + MAX_DISPLAYED * CARD_WIDTH
    + Level::COUNT
    + MAX_NOBLES * NOBLE_WIDTH
    + PlayerCount::MAX * PLAYER_WIDTH;

pub(in crate::encode) const FAMILY: Family = Family {
    name: "state",
    is_base: true,
    rules: "The position as logged. Missing values are 0. The displayed cards are compacted: \
            present cards first, in the order of their slots, then zeros; reserved cards stay in \
            their slots. Players are numbered by turn order: `player0_*` is the player to move, \
            `player1_*` the next one.",
    width: WIDTH,
    describe,
    encode,
};

fn describe(list: &mut FeatureList) {
    for gem in Gem::ALL {
        list.quantity(format!("gems_board_{gem}"), format!("{gem} gems on the table"));
    }
    for slot in 0..MAX_DISPLAYED {
        list.about(format!("card{slot}_"), format!("displayed card {slot}"));
        describe_card(list);
    }
    list.about("", "");
    for level in Level::ALL.map(Level::number) {
        let name = format!("deck_level{level}_remaining");
        list.quantity(name, format!("cards left in the deck of level {level}"));
    }
    for slot in 0..MAX_NOBLES {
        list.about(format!("noble{slot}_"), format!("noble {slot}"));
        list.quantity("vp", "points of the noble, 0 if there is none");
        for color in Color::ALL {
            list.quantity(format!("req_{color}"), format!("{color} reductions the noble requires"));
        }
    }
    for (rotated, who) in BY_TURN_ORDER.into_iter().enumerate() {
        list.about(format!("player{rotated}_"), who);
        list.quantity("vp", "points of the player");
        for gem in Gem::ALL {
            list.quantity(format!("gems_{gem}"), format!("{gem} gems in the player's hand"));
        }
        for color in Color::ALL {
            let meaning = format!("{color} reductions from built cards");
            list.quantity(format!("reduction_{color}"), meaning);
        }
        for place in 0..MAX_RESERVED {
            let subject = format!("{who}, reserved card {place}");
            list.about(format!("player{rotated}_reserved{place}_"), subject);
            describe_card(list);
        }
    }
}

fn describe_card(list: &mut FeatureList) {
    list.quantity("vp", "points of the card, 0 if there is none");
    list.quantity("level", "level of the card, 0 if there is none");
    for color in Color::ALL {
        list.quantity(format!("cost_{color}"), format!("printed cost of the card in {color}"));
    }
    for color in Color::ALL {
        let meaning = format!("1 if the card gives a {color} reduction");
        list.flag(format!("bonus_{color}"), meaning);
    }
}

fn encode(position: &Position<'_>, mut out: &mut [Value]) {
    let board = position.board;
    put(&mut out, board.gems.0);
    let mut cards = board.displayed_cards();
    for _ in 0..MAX_DISPLAYED {
        put_card(&mut out, cards.next());
    }
    put(&mut out, board.decks);
    for slot in 0..MAX_NOBLES {
        let values = board.nobles.get(slot).map(|noble| {
            let [white, blue, green, red, black] = noble.requirement.0;
            [NOBLE_VP, white, blue, green, red, black]
        });
        put(&mut out, values.unwrap_or_default());
    }
    let count = board.player_count();
    for rotated in RotatedIndex::ALL {
        let Some(seat) = rotated.seat(board.to_move, count) else { break };
        let player = &board.players[seat.index()];
        put(&mut out, [player.vp]);
        put(&mut out, player.gems.0);
        put(&mut out, player.reduction.0);
        for place in 0..MAX_RESERVED {
            put_card(&mut out, player.reserved.get(place));
        }
    }
}

fn put_card(out: &mut &mut [Value], card: Option<&Card>) {
    let mut values = [0; CARD_WIDTH];
    if let Some(card) = card {
        let [white, blue, green, red, black] = card.cost.0;
        values[..7].copy_from_slice(&[
            card.vp,
            card.level.number(),
            white,
            blue,
            green,
            red,
            black,
        ]);
        values[7 + card.bonus.index()] = 1;
    }
    put(out, values);
}

/// Appends values.
fn put<const N: usize>(out: &mut &mut [Value], values: [u8; N]) {
    let (next, rest) =
        std::mem::take(out).split_first_chunk_mut().expect("the width is the sum of the parts");
    *next = values.map(|value| value as Value);
    *out = rest;
}
