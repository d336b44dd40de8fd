//! Writes logs, for `simulate` and for tests of the reader.

use super::columns::{self, CARD_WIDTH, COLUMN_COUNT, COLUMNS, HOLDINGS_WIDTH, NOBLE_WIDTH};
use super::row::MISSING;
use super::turn::{GameId, Turn};
use crate::rules::{
    ByColor, Card, DISPLAYED_PER_LEVEL, MAX_NOBLES, MAX_RESERVED, NOBLE_VP, RotatedIndex,
};
use std::io::{self, Write};

/// The spelling of numbers and missing values. Existing logs use all three.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// `3`, and `nan` for a missing value, as the self-play program writes.
    Nan,
    /// `3`, and an empty field for a missing value.
    Empty,
    /// `3.0` in columns that can be missing, and an empty field for a missing value, as written by tools
    /// that store such columns as floating point.
    Float,
}

impl Dialect {
    /// All dialects.
    pub const ALL: [Dialect; 3] = [Dialect::Nan, Dialect::Empty, Dialect::Float];
}

/// Writes a log: the header, then one row per turn.
///
/// # Errors
/// If writing to `out` fails.
pub fn write_log(
    out: impl Write,
    game_id: GameId,
    turns: &[Turn],
    dialect: Dialect,
) -> io::Result<()> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(columns::column_names())?;
    for turn in turns {
        for (place, value) in values_of(turn).into_iter().enumerate() {
            let field = match (place, dialect) {
                (columns::GAME_ID, _) => game_id.to_string(),
                (columns::ACTION_TYPE, _) => turn.action.action_type.logged_name().to_owned(),
                (_, Dialect::Nan) if value == MISSING => "nan".to_owned(),
                _ if value == MISSING => String::new(),
                (_, Dialect::Float) if COLUMNS[place].may_be_missing => format!("{value}.0"),
                _ => value.to_string(),
            };
            writer.write_field(field)?;
        }
        writer.write_record(None::<&[u8]>)?;
    }
    writer.flush()
}

/// The numbers of a turn in canonical column order; the game id and the action type are written
/// separately.
fn values_of(turn: &Turn) -> Vec<i16> {
    let Turn { turn_number, board, action } = turn;
    let mut values = Values(Vec::with_capacity(COLUMN_COUNT));
    let count = board.player_count();
    values.0.push(MISSING);
    values.numbers(&[count.get()]);
    values.0.push(*turn_number as i16);
    values.numbers(&[board.to_move.index() as u8]);
    values.numbers(&board.gems.0);
    for cards in &board.displayed {
        values.cards(cards, DISPLAYED_PER_LEVEL);
    }
    values.numbers(&board.decks);
    for slot in 0..MAX_NOBLES {
        let noble = board.nobles.get(slot);
        let numbers = noble.map(|noble| [&[NOBLE_VP], &noble.requirement.0[..]].concat());
        values.group(numbers.as_deref(), NOBLE_WIDTH);
    }
    for rotated in RotatedIndex::ALL {
        let seat = rotated.seat(board.to_move, count);
        let player = seat.map(|seat| (seat, &board.players[seat.index()]));
        let numbers = player.map(|(seat, player)| {
            let first = [seat.index() as u8, player.vp];
            [&first[..], &player.gems.0, &player.reduction.0].concat()
        });
        values.group(numbers.as_deref(), HOLDINGS_WIDTH);
        values.cards(player.map_or(&[], |(_, player)| &player.reserved), MAX_RESERVED);
    }
    values.0.push(MISSING);
    values.optional(action.card_selection);
    values.optional(action.card_reservation);
    for taken in [action.gem_take3, action.gem_take2] {
        values.group(taken.as_ref().map(|taken| &taken.0[..]), taken.unwrap_or_default().0.len());
    }
    values.0.push(action.noble.map_or(-1, i16::from));
    values.numbers(&action.gems_removed.0);
    values.0
}

/// Collects the values of a row from left to right.
struct Values(Vec<i16>);

impl Values {
    fn numbers(&mut self, numbers: &[u8]) {
        self.0.extend(numbers.iter().map(|&number| i16::from(number)));
    }

    fn optional(&mut self, number: Option<u8>) {
        self.0.push(number.map_or(MISSING, i16::from));
    }

    /// The numbers of a group of columns, or as many missing values.
    fn group(&mut self, numbers: Option<&[u8]>, width: usize) {
        match numbers {
            Some(numbers) => self.numbers(numbers),
            None => self.0.extend(std::iter::repeat_n(MISSING, width)),
        }
    }

    fn cards(&mut self, cards: &[Card], slots: usize) {
        for slot in 0..slots {
            let numbers = cards.get(slot).map(|card| {
                let bonus = ByColor::from_fn(|color| u8::from(color == card.bonus));
                [&[card.vp, card.level.number()], &card.cost.0[..], &bonus.0].concat()
            });
            self.group(numbers.as_deref(), CARD_WIDTH);
        }
    }
}
