//! The development cards: 90 cards, one of which exists in two printings.

use super::color::{ByColor, Color};
use Color::{Black, Blue, Green, Red, White};
use Level::{One, Three, Two};

/// Maximum number of displayed cards of one level.
pub const DISPLAYED_PER_LEVEL: usize = 4;

/// The level of a card, which is also its deck.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Level {
    /// The 40 cheapest cards.
    One,
    /// The 30 cards in between.
    Two,
    /// The 20 most expensive cards.
    Three,
}

impl Level {
    /// The number of levels.
    pub const COUNT: usize = 3;

    /// All levels, cheapest first.
    pub const ALL: [Level; Level::COUNT] = [One, Two, Three];

    /// Index in [`Level::ALL`].
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The number printed on the card's back: 1, 2 or 3.
    pub const fn number(self) -> u8 {
        self as u8 + 1
    }

    /// Number of cards of this level.
    pub const fn cards(self) -> u8 {
        match self {
            One => 40,
            Two => 30,
            Three => 20,
        }
    }

    /// Maximum number of cards in the deck when four are displayed: 36, 26 or 16.
    pub const fn deck_capacity(self) -> u8 {
        self.cards() - DISPLAYED_PER_LEVEL as u8
    }
}

/// A development card. Cards with the same print are equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Card {
    /// The level.
    pub level: Level,
    /// Victory points, 0 to 5.
    pub vp: u8,
    /// The color of the permanent discount it gives.
    pub bonus: Color,
    /// Cost, 0 to 7 gems per color.
    pub cost: ByColor<u8>,
}

const fn card(level: Level, vp: u8, bonus: Color, cost: [u8; Color::COUNT]) -> Card {
    Card { level, vp, bonus, cost: ByColor(cost) }
}

/// The number of cards in the game.
pub const CARDS_IN_BOX: usize = 90;

/// All cards that a log may contain: the 90 cards of the self-play engine, then the one whose published
/// print differs (level 2, blue, 1 point: no black in its cost).
///
/// Costs are in the order white, blue, green, red, black.
#[rustfmt::skip]
pub const CARDS: [Card; CARDS_IN_BOX + 1] = [
    // Level 1.
    card(One, 0, White, [0, 2, 0, 0, 2]),
    card(One, 0, Blue, [0, 0, 2, 0, 2]),
    card(One, 0, Green, [0, 2, 0, 2, 0]),
    card(One, 0, Red, [2, 0, 0, 2, 0]),
    card(One, 0, Black, [2, 0, 2, 0, 0]),
    card(One, 0, White, [3, 1, 0, 0, 1]),
    card(One, 0, Blue, [0, 1, 3, 1, 0]),
    card(One, 0, Green, [1, 3, 1, 0, 0]),
    card(One, 0, Red, [1, 0, 0, 1, 3]),
    card(One, 0, Black, [0, 0, 1, 3, 1]),
    card(One, 0, White, [0, 1, 2, 1, 1]),
    card(One, 0, Blue, [1, 0, 1, 2, 1]),
    card(One, 0, Green, [1, 1, 0, 1, 2]),
    card(One, 0, Red, [2, 1, 1, 0, 1]),
    card(One, 0, Black, [1, 2, 1, 1, 0]),
    card(One, 0, White, [0, 0, 0, 2, 1]),
    card(One, 0, Blue, [1, 0, 0, 0, 2]),
    card(One, 0, Green, [2, 1, 0, 0, 0]),
    card(One, 0, Red, [0, 2, 1, 0, 0]),
    card(One, 0, Black, [0, 0, 2, 1, 0]),
    card(One, 0, White, [0, 2, 2, 0, 1]),
    card(One, 0, Blue, [1, 0, 2, 2, 0]),
    card(One, 0, Green, [0, 1, 0, 2, 2]),
    card(One, 0, Red, [2, 0, 1, 0, 2]),
    card(One, 0, Black, [2, 2, 0, 1, 0]),
    card(One, 0, White, [0, 1, 1, 1, 1]),
    card(One, 0, Blue, [1, 0, 1, 1, 1]),
    card(One, 0, Green, [1, 1, 0, 1, 1]),
    card(One, 0, Red, [1, 1, 1, 0, 1]),
    card(One, 0, Black, [1, 1, 1, 1, 0]),
    card(One, 0, White, [0, 3, 0, 0, 0]),
    card(One, 0, Blue, [0, 0, 0, 0, 3]),
    card(One, 0, Green, [0, 0, 0, 3, 0]),
    card(One, 0, Red, [3, 0, 0, 0, 0]),
    card(One, 0, Black, [0, 0, 3, 0, 0]),
    card(One, 1, White, [0, 0, 4, 0, 0]),
    card(One, 1, Blue, [0, 0, 0, 4, 0]),
    card(One, 1, Green, [0, 0, 0, 0, 4]),
    card(One, 1, Red, [4, 0, 0, 0, 0]),
    card(One, 1, Black, [0, 4, 0, 0, 0]),
    // Level 2.
    card(Two, 1, White, [0, 0, 3, 2, 2]),
    card(Two, 1, Blue, [0, 2, 2, 3, 2]),
    card(Two, 1, Green, [2, 3, 0, 0, 2]),
    card(Two, 1, Red, [2, 0, 0, 2, 3]),
    card(Two, 1, Black, [3, 2, 2, 0, 0]),
    card(Two, 1, White, [2, 3, 0, 3, 0]),
    card(Two, 1, Blue, [0, 2, 3, 0, 3]),
    card(Two, 1, Green, [3, 0, 2, 3, 0]),
    card(Two, 1, Red, [0, 3, 0, 2, 3]),
    card(Two, 1, Black, [3, 0, 3, 0, 2]),
    card(Two, 2, White, [0, 0, 1, 4, 2]),
    card(Two, 2, Blue, [2, 0, 0, 1, 4]),
    card(Two, 2, Green, [4, 2, 0, 0, 1]),
    card(Two, 2, Red, [1, 4, 2, 0, 0]),
    card(Two, 2, Black, [0, 1, 4, 2, 0]),
    card(Two, 2, White, [0, 0, 0, 5, 3]),
    card(Two, 2, Blue, [5, 3, 0, 0, 0]),
    card(Two, 2, Green, [0, 5, 3, 0, 0]),
    card(Two, 2, Red, [3, 0, 0, 0, 5]),
    card(Two, 2, Black, [0, 0, 5, 3, 0]),
    card(Two, 2, White, [0, 0, 0, 5, 0]),
    card(Two, 2, Blue, [0, 5, 0, 0, 0]),
    card(Two, 2, Green, [0, 0, 5, 0, 0]),
    card(Two, 2, Red, [0, 0, 0, 0, 5]),
    card(Two, 2, Black, [5, 0, 0, 0, 0]),
    card(Two, 3, White, [6, 0, 0, 0, 0]),
    card(Two, 3, Blue, [0, 6, 0, 0, 0]),
    card(Two, 3, Green, [0, 0, 6, 0, 0]),
    card(Two, 3, Red, [0, 0, 0, 6, 0]),
    card(Two, 3, Black, [0, 0, 0, 0, 6]),
    // Level 3.
    card(Three, 3, White, [0, 3, 3, 5, 3]),
    card(Three, 3, Blue, [3, 0, 3, 3, 5]),
    card(Three, 3, Green, [5, 3, 0, 3, 3]),
    card(Three, 3, Red, [3, 5, 3, 0, 3]),
    card(Three, 3, Black, [3, 3, 5, 3, 0]),
    card(Three, 4, White, [3, 0, 0, 3, 6]),
    card(Three, 4, Blue, [6, 3, 0, 0, 3]),
    card(Three, 4, Green, [3, 6, 3, 0, 0]),
    card(Three, 4, Red, [0, 3, 6, 3, 0]),
    card(Three, 4, Black, [0, 0, 3, 6, 3]),
    card(Three, 4, White, [0, 0, 0, 0, 7]),
    card(Three, 4, Blue, [7, 0, 0, 0, 0]),
    card(Three, 4, Green, [0, 7, 0, 0, 0]),
    card(Three, 4, Red, [0, 0, 7, 0, 0]),
    card(Three, 4, Black, [0, 0, 0, 7, 0]),
    card(Three, 5, White, [3, 0, 0, 0, 7]),
    card(Three, 5, Blue, [7, 3, 0, 0, 0]),
    card(Three, 5, Green, [0, 7, 3, 0, 0]),
    card(Three, 5, Red, [0, 0, 7, 3, 0]),
    card(Three, 5, Black, [0, 0, 0, 7, 3]),
    // Level 2, as published.
    card(Two, 1, Blue, [0, 2, 2, 3, 0]),
];

/// The prints of [`CARDS`]. The cards of a level come in rows of five, one of each color.
static PRINTS: [u64; CARDS.len()] = {
    let mut prints = [0; CARDS.len()];
    let mut place = 0;
    while place < CARDS.len() {
        let Card { level, vp, bonus, cost } = CARDS[place];
        prints[place] = print(level.number(), vp, bonus, cost.0);
        place += 1;
    }
    prints
};

/// Everything on a card, as one number.
const fn print(level: u8, vp: u8, bonus: Color, cost: [u8; Color::COUNT]) -> u64 {
    let [white, blue, green, red, black] = cost;
    u64::from_le_bytes([level, vp, bonus as u8, white, blue, green, red, black])
}

/// The index in [`CARDS`] of the card of which the last one is another print.
const REPRINTED: usize = 41;

impl Card {
    /// The card with this print; `None` if there is no such card.
    ///
    /// `level` is 1 to 3; the numbers come from a log and may be invalid. Reading a log looks up about
    /// twenty cards per row, so the search compares prints as one number, and only those of the level
    /// and color.
    pub fn find(level: u8, vp: u8, bonus: Color, cost: ByColor<u8>) -> Option<Card> {
        let (first, last) = match level {
            1 => (0, 40),
            2 => (40, 70),
            3 => (70, CARDS_IN_BOX),
            _ => return None,
        };
        let wanted = print(level, vp, bonus, cost.0);
        let (rows, others) = PRINTS.as_chunks::<{ Color::COUNT }>();
        let rows = &rows[first / Color::COUNT..last / Color::COUNT];
        let place = match rows.iter().position(|row| row[bonus.index()] == wanted) {
            Some(row) => first + row * Color::COUNT + bonus.index(),
            None => CARDS_IN_BOX + others.iter().position(|&print| print == wanted)?,
        };
        Some(CARDS[place])
    }

    /// Its index in [`CARDS`].
    ///
    /// # Panics
    /// If there is no such card.
    pub fn place(&self) -> u8 {
        CARDS.iter().position(|card| card == self).expect("a card that exists") as u8
    }

    /// The number of the card, from 0; both prints of a card have the same number. `None` if there is no
    /// such card.
    pub fn number(&self) -> Option<usize> {
        let place = CARDS.iter().position(|known| known == self)?;
        Some(if place == CARDS_IN_BOX { REPRINTED } else { place })
    }
}

/// A set of cards, for the cards that are or were in a game.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CardSet(u128);

impl CardSet {
    /// Adds a card; `false` if the set contained it before.
    pub fn insert(&mut self, card: &Card) -> bool {
        let bit = card.number().map_or(0, |number| 1 << number);
        let is_new = self.0 & bit == 0;
        self.0 |= bit;
        is_new
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn cards_of_each_level() {
        for level in Level::ALL {
            for color in Color::ALL {
                let in_box = CARDS[..CARDS_IN_BOX].iter();
                let count =
                    in_box.filter(|card| card.level == level && card.bonus == color).count();
                assert_eq!(count, usize::from(level.cards()) / Color::COUNT);
            }
        }
        assert_eq!(CARDS.iter().collect::<HashSet<_>>().len(), CARDS.len());
    }

    #[test]
    fn number_of_every_card() {
        for (place, card) in CARDS[..CARDS_IN_BOX].iter().enumerate() {
            assert_eq!(card.number(), Some(place));
        }
        let reprint = CARDS[CARDS_IN_BOX];
        let printed = CARDS[reprint.number().unwrap()];
        assert_eq!((printed.level, printed.vp, printed.bonus), (Two, 1, Blue));
        assert_eq!(printed.cost.0[..4], reprint.cost.0[..4]);
        assert_eq!(Card { vp: 7, ..printed }.number(), None);

        let mut cards = CardSet::default();
        assert!(cards.insert(&CARDS[0]) && cards.insert(&printed));
        assert!(!cards.insert(&reprint) && !cards.insert(&CARDS[0]));
    }

    #[test]
    fn find_every_card_and_no_other() {
        for card in CARDS {
            assert_eq!(Card::find(card.level.number(), card.vp, card.bonus, card.cost), Some(card));
            // With one more point or gem, it is another card or no card, never the same one.
            let dearer = ByColor(card.cost.0.map(|gems| gems + 1));
            assert_eq!(Card::find(card.level.number(), card.vp, card.bonus, dearer), None);
            assert_ne!(
                Card::find(card.level.number(), card.vp + 1, card.bonus, card.cost),
                Some(card)
            );
        }
        assert_eq!(Card::find(0, 0, White, ByColor([0; 5])), None);
        assert_eq!(Card::find(255, 255, White, ByColor([255; 5])), None);
    }
}
