//! Turns to a log's bytes: what `simulate` writes, and what the reader is tested against.

use super::columns::{
    self, CARD_BONUS, CARD_COST, CARD_LEVEL, CARD_VP, COLUMN_COUNT, NOBLE_POINTS,
    NOBLE_REQUIREMENT, PLAYER_GEMS, PLAYER_POSITION, PLAYER_REDUCTION, PLAYER_VP,
};
use super::row::MISSING;
use super::turn::{GameId, Turn};
use crate::rules::{ByColor, ByGem, Card, Level, NOBLE_VP, PlayerCount, RotatedIndex};
use std::io::{self, Write};

/// How numbers and missing values are spelled. Logs in the wild mix all three.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// `3`, and `nan` where a value is missing: as the self-play program writes.
    Nan,
    /// `3`, and an empty field where a value is missing.
    Empty,
    /// `3.0` in columns that can be missing, and an empty field where they are: as tools leave it
    /// that hold such columns as floating point.
    Float,
}

impl Dialect {
    /// All dialects.
    pub const ALL: [Dialect; 3] = [Dialect::Nan, Dialect::Empty, Dialect::Float];
}

/// Writes a whole log: the header, then one row a turn.
///
/// # Errors
/// Those of `out`.
pub fn write_log(
    out: impl Write,
    game_id: GameId,
    turns: &[Turn],
    dialect: Dialect,
) -> io::Result<()> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(columns::column_names())?;
    for turn in turns {
        let values = row_values(turn);
        for (column, &value) in values.iter().enumerate() {
            match column {
                columns::GAME_ID => writer.write_field(game_id.to_string())?,
                columns::ACTION_TYPE => {
                    writer.write_field(turn.action.action_type.logged_name())?;
                }
                _ => writer.write_field(spell(value, column, dialect))?,
            }
        }
        writer.write_record(None::<&[u8]>)?;
    }
    writer.flush()
}

fn spell(value: i16, column: usize, dialect: Dialect) -> String {
    let may_be_missing = columns::COLUMNS[column].may_be_missing;
    match dialect {
        Dialect::Nan if value == MISSING => "nan".to_owned(),
        Dialect::Empty | Dialect::Float if value == MISSING => String::new(),
        Dialect::Float if may_be_missing => format!("{value}.0"),
        _ => value.to_string(),
    }
}

/// A turn's numbers in canonical column order.
fn row_values(turn: &Turn) -> [i16; COLUMN_COUNT] {
    let mut values = [MISSING; COLUMN_COUNT];
    let board = &turn.board;
    let players = board.player_count();
    values[columns::NUM_PLAYERS] = players.get().into();
    values[columns::TURN_NUMBER] = turn.turn_number as i16;
    values[columns::CURRENT_PLAYER] = board.to_move.index() as i16;
    put_gems(&mut values, columns::GEMS_BOARD, board.gems);
    for (level, cards) in board.displayed.iter().enumerate() {
        for (slot, card) in cards.iter().enumerate() {
            put_card(&mut values, columns::displayed_card(level, slot), card);
        }
    }
    for level in 0..Level::COUNT {
        values[columns::DECKS + level] = board.decks[level].into();
    }
    for (slot, noble) in board.nobles.iter().enumerate() {
        values[columns::noble(slot) + NOBLE_POINTS] = NOBLE_VP.into();
        put_colors(&mut values, columns::noble(slot) + NOBLE_REQUIREMENT, noble.requirement);
    }
    for rotated in RotatedIndex::ALL {
        put_player(&mut values, turn, rotated, players);
    }
    put_action(&mut values, turn);
    values
}

fn put_player(
    values: &mut [i16; COLUMN_COUNT],
    turn: &Turn,
    rotated: RotatedIndex,
    players: PlayerCount,
) {
    let Some(seat) = rotated.seat(turn.board.to_move, players) else { return };
    let player = &turn.board.players[seat.index()];
    let first = columns::player(rotated.index());
    values[first + PLAYER_POSITION] = seat.index() as i16;
    values[first + PLAYER_VP] = player.vp.into();
    put_gems(values, first + PLAYER_GEMS, player.gems);
    put_colors(values, first + PLAYER_REDUCTION, player.reduction);
    for (place, card) in player.reserved.iter().enumerate() {
        put_card(values, columns::reserved_card(rotated.index(), place), card);
    }
}

fn put_action(values: &mut [i16; COLUMN_COUNT], turn: &Turn) {
    let action = &turn.action;
    let or_missing = |code: Option<u8>| code.map_or(MISSING, i16::from);
    values[columns::CARD_SELECTION] = or_missing(action.card_selection);
    values[columns::CARD_RESERVATION] = or_missing(action.card_reservation);
    if let Some(taken) = action.gem_take3 {
        put_colors(values, columns::GEM_TAKE3, taken);
    }
    if let Some(taken) = action.gem_take2 {
        put_colors(values, columns::GEM_TAKE2, taken);
    }
    values[columns::NOBLE_SELECTION] = action.noble.map_or(-1, i16::from);
    put_gems(values, columns::GEMS_REMOVED, action.gems_removed);
}

fn put_card(values: &mut [i16; COLUMN_COUNT], first: usize, card: &Card) {
    values[first + CARD_VP] = card.vp.into();
    values[first + CARD_LEVEL] = card.level.number().into();
    put_colors(values, first + CARD_COST, card.cost);
    let bonus = ByColor::from_fn(|color| u8::from(color == card.bonus));
    put_colors(values, first + CARD_BONUS, bonus);
}

fn put_colors(values: &mut [i16; COLUMN_COUNT], first: usize, numbers: ByColor<u8>) {
    for (place, number) in values[first..].iter_mut().zip(numbers.0) {
        *place = number.into();
    }
}

fn put_gems(values: &mut [i16; COLUMN_COUNT], first: usize, numbers: ByGem<u8>) {
    for (place, number) in values[first..].iter_mut().zip(numbers.0) {
        *place = number.into();
    }
}
