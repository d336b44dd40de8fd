//! Decodes the positions of a game from its base features, which the cache stores as columns.
//!
//! The base features describe a position completely: the state columns describe the table, the one-hot
//! columns the player to move. Each column is read from top to bottom, and a card is looked up only where
//! it changes, which is rare.

use super::families::one_hot;
use super::{BASE_FEATURE_COUNT, Value};
use crate::rules::{
    CARDS, Card, Color, DISPLAYED_PER_LEVEL, Gem, HAND_LIMIT, Level, MAX_DISPLAYED, MAX_NOBLES,
    MAX_REDUCTION, MAX_RESERVED, MAX_VP, NO_CARD, NOBLE_VP, NOBLES, PackedBoard, RotatedIndex,
};
use std::sync::LazyLock;

/// The positions with these base features: all rows of the first column, then of the second, and so on.
/// `None` if a row is not a valid position.
///
/// # Panics
/// If the number of values is wrong.
pub fn decode_columns(values: &[Value], rows: usize) -> Option<Vec<PackedBoard>> {
    assert_eq!(values.len(), rows * BASE_FEATURE_COUNT, "a value for each row and column");
    let one_hot_columns = &values[(BASE_FEATURE_COUNT - one_hot::WIDTH) * rows..];
    let mut table = Table {
        rest: values,
        boards: decode_one_hot(one_hot_columns, rows)?,
        keys: vec![0; rows],
        is_right: true,
    };
    table.state();
    table.card_positions();
    let Table { boards, is_right, .. } = table;
    (is_right && boards.iter().all(is_possible)).then_some(boards)
}

/// Boards with players but nothing else.
fn decode_one_hot(columns: &[Value], rows: usize) -> Option<Vec<PackedBoard>> {
    let mut boards = Vec::with_capacity(rows);
    let mut row_values = [0; one_hot::WIDTH];
    for row in 0..rows {
        for (column, value) in row_values.iter_mut().enumerate() {
            *value = columns[column * rows + row];
        }
        let (to_move, players) = one_hot::decode(&row_values)?;
        if row_values != one_hot::row(to_move, players) {
            return None;
        }
        boards.push(PackedBoard::empty(to_move, players));
    }
    Some(boards)
}

/// Reads the columns one after another.
struct Table<'v> {
    rest: &'v [Value],
    boards: Vec<PackedBoard>,
    /// A key for each row that combines the columns of a card or noble.
    keys: Vec<u32>,
    is_right: bool,
}

/// A card or noble by its key.
type Numbers = Vec<(u32, u8)>;

/// Bits of a card's key for each column: points, level, costs, bonuses.
const CARD_BITS: [u32; 2 + 2 * Color::COUNT] = [3, 2, 3, 3, 3, 3, 3, 1, 1, 1, 1, 1];
/// Points, requirements.
const NOBLE_BITS: [u32; 1 + Color::COUNT] = [2, 3, 3, 3, 3, 3];

static CARD_NUMBERS: LazyLock<Numbers> = LazyLock::new(|| {
    let key = |card: &Card| {
        let bonuses = Color::ALL.map(|color| u8::from(color == card.bonus));
        let values = [card.vp, card.level.number()].into_iter().chain(card.cost.0).chain(bonuses);
        key(&CARD_BITS, values)
    };
    numbers(CARDS.iter().map(key))
});

static NOBLE_NUMBERS: LazyLock<Numbers> = LazyLock::new(|| {
    numbers(
        NOBLES
            .iter()
            .map(|noble| key(&NOBLE_BITS, [NOBLE_VP].into_iter().chain(noble.requirement.0))),
    )
});

fn key(bits: &[u32], values: impl Iterator<Item = u8>) -> u32 {
    bits.iter().zip(values).fold(0, |key, (bits, value)| key << bits | u32::from(value))
}

fn numbers(keys: impl Iterator<Item = u32>) -> Numbers {
    let mut numbers: Numbers = keys.zip(0..).collect();
    numbers.push((0, NO_CARD));
    numbers.sort_unstable();
    numbers
}

impl<'v> Table<'v> {
    fn state(&mut self) {
        for gem in 0..Gem::COUNT {
            self.counts(|board| Some(&mut board.gems.0[gem]));
        }
        for slot in 0..MAX_DISPLAYED {
            self.cards(&CARD_BITS, &CARD_NUMBERS, |board| Some(&mut board.displayed[slot]));
        }
        for level in 0..Level::COUNT {
            self.counts(|board| Some(&mut board.decks[level]));
        }
        for slot in 0..MAX_NOBLES {
            self.cards(&NOBLE_BITS, &NOBLE_NUMBERS, |board| Some(&mut board.nobles[slot]));
        }
        for rotated in RotatedIndex::ALL {
            self.counts(|board| Some(&mut board.player_mut(rotated)?.vp));
            for gem in 0..Gem::COUNT {
                self.counts(|board| Some(&mut board.player_mut(rotated)?.gems.0[gem]));
            }
            for color in 0..Color::COUNT {
                self.counts(|board| Some(&mut board.player_mut(rotated)?.reduction.0[color]));
            }
            for place in 0..MAX_RESERVED {
                self.cards(&CARD_BITS, &CARD_NUMBERS, |board| {
                    Some(&mut board.player_mut(rotated)?.reserved[place])
                });
            }
        }
    }

    fn card_positions(&mut self) {
        for slot in 0..MAX_DISPLAYED {
            self.position(slot, |board| Some(board.displayed[slot]));
        }
        for rotated in RotatedIndex::ALL {
            for place in 0..MAX_RESERVED {
                self.position(MAX_DISPLAYED + place, |board| {
                    Some(board.player_mut(rotated)?.reserved[place])
                });
            }
        }
    }

    /// The next column.
    fn column(&mut self) -> &'v [Value] {
        let (column, rest) = self.rest.split_at(self.boards.len());
        self.rest = rest;
        column
    }

    /// Reads a column of counts into a field of each board; boards without that field must have 0.
    fn counts(&mut self, place: impl Fn(&mut PackedBoard) -> Option<&mut u8>) {
        let column = self.column();
        let mut is_right = true;
        for (board, &value) in self.boards.iter_mut().zip(column) {
            match place(board) {
                Some(place) => *place = value as u8,
                None => is_right &= value == 0,
            }
            is_right &= value >= 0;
        }
        self.is_right &= is_right;
    }

    /// Reads the columns of a card or noble.
    fn cards(
        &mut self,
        bits: &[u32],
        numbers: &Numbers,
        place: impl Fn(&mut PackedBoard) -> Option<&mut u8>,
    ) {
        self.keys.fill(0);
        let mut outside = 0;
        for &bits in bits {
            let column = self.column();
            let mask = (1 << bits) - 1;
            for (key, &value) in self.keys.iter_mut().zip(column) {
                let value = value as u8;
                outside |= value & !mask;
                *key = *key << bits | u32::from(value);
            }
        }
        self.is_right &= outside == 0;
        let mut last = (0, NO_CARD);
        for (board, &key) in self.boards.iter_mut().zip(&self.keys) {
            if key != last.0 {
                match numbers.binary_search_by_key(&key, |&(key, _)| key) {
                    Ok(found) => last = numbers[found],
                    Err(_) => {
                        self.is_right = false;
                        continue;
                    }
                }
            }
            match place(board) {
                Some(place) => *place = last.1,
                None => self.is_right &= key == 0,
            }
        }
    }

    /// Reads a column of card positions: `number` where there is a card, else -1.
    fn position(&mut self, number: usize, card: impl Fn(&mut PackedBoard) -> Option<u8>) {
        let column = self.column();
        for (board, &value) in self.boards.iter_mut().zip(column) {
            let is_there = card(board).is_some_and(|card| card != NO_CARD);
            let expected = if is_there { number as Value } else { -1 };
            self.is_right &= value == expected;
        }
    }
}

/// Whether a log may hold the board and [`PackedBoard::unpack`] can unpack it: slots are filled from the
/// first, and displayed cards have the level of their row.
fn is_possible(board: &PackedBoard) -> bool {
    let levels = |numbers: &[u8]| {
        let mut counts = [0; Level::COUNT];
        let (mut last, mut is_right) = (0, true);
        for &number in numbers {
            let level = match CARDS.get(usize::from(number)) {
                Some(card) => card.level.index(),
                None => Level::COUNT,
            };
            is_right &= last <= level;
            last = level;
            if let Some(count) = counts.get_mut(level) {
                *count += 1;
                is_right &= *count <= DISPLAYED_PER_LEVEL;
            }
        }
        is_right
    };
    let fills_from_first =
        |numbers: &[u8]| numbers.windows(2).all(|pair| pair[0] != NO_CARD || pair[1] == NO_CARD);
    let players = &board.by_seat[..usize::from(board.players.get())];
    levels(&board.displayed)
        && fills_from_first(&board.nobles)
        && players.iter().all(|player| {
            let hand: u16 = player.gems.0.iter().map(|&gems| u16::from(gems)).sum();
            player.vp <= MAX_VP
                && hand <= u16::from(HAND_LIMIT)
                && player.reduction.0.iter().all(|&cards| cards <= MAX_REDUCTION)
                && fills_from_first(&player.reserved)
        })
}
