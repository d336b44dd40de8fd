//! Which cards are built and reserved.
//!
//! A label only says where the card was: which displayed card, or which card of the reserve. The features
//! of the row say which card that is. A card that is reserved from the top of a deck is found in the
//! mover's reserve in the next row; so is that of class 11, which is both the twelfth displayed card and
//! the top of the level 1 deck. The last move of a game has no next row, so that its card is unknown.

use super::columns::{CARD_WIDTH, CardKey, card_index, columns, then_value};
use crate::encode::{EncodedGame, Head, Label, NO_LABEL};
use crate::gamelog::{ActionType, BUILD_PLACES};
use crate::rules::{CARDS, MAX_DISPLAYED, MAX_RESERVED, PlayerCount};
use serde::Serialize;

/// How often a card was seen, built and reserved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CardCounts {
    /// Games in which it was on the table or in a reserve before a move.
    pub games_seen: u64,
    /// Times it was built from the table.
    pub built_from_table: u64,
    /// Times it was built from a reserve.
    pub built_from_reserve: u64,
    /// Times it was reserved from the table.
    pub reserved_from_table: u64,
    /// Times it was reserved from the top of its deck.
    pub reserved_from_deck: u64,
}

impl CardCounts {
    /// Times it was built.
    pub fn built(&self) -> u64 {
        self.built_from_table + self.built_from_reserve
    }

    /// Times it was reserved.
    pub fn reserved(&self) -> u64 {
        self.reserved_from_table + self.reserved_from_deck
    }
}

/// Counts of every card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardTally {
    /// In the order of [`CARDS`].
    pub cards: [CardCounts; CARDS.len()],
    /// Builds whose label names an empty place.
    pub unknown_builds: u64,
    /// Reservations of an unknown card: in the last row of a game, or whose label names an empty place.
    pub unknown_reservations: u64,
}

impl Default for CardTally {
    fn default() -> CardTally {
        CardTally {
            cards: [CardCounts::default(); CARDS.len()],
            unknown_builds: 0,
            unknown_reservations: 0,
        }
    }
}

impl CardTally {
    /// Counts the builds and reservations of a game.
    pub(super) fn add_game(&mut self, game: &EncodedGame, players: u8) {
        let table = Table::of(game);
        for place in table.seen() {
            self.cards[place].games_seen += 1;
        }
        for (row, labels) in game.labels().iter().enumerate() {
            let label = |head: Head| labels[head.index()];
            let action = label(Head::ActionType);
            if action == ActionType::Build as Label {
                self.add_build(&table, row, label(Head::CardSelection));
            } else if action == ActionType::Reserve as Label {
                let label = label(Head::CardReservation);
                self.add_reservation(&table, row, label, usize::from(players));
            }
        }
    }

    fn add_build(&mut self, table: &Table, row: usize, label: Label) {
        let place = usize::try_from(label).unwrap_or(BUILD_PLACES);
        let card = match place.checked_sub(MAX_DISPLAYED) {
            None => table.displayed(row, place),
            Some(slot) if slot < MAX_RESERVED => table.reserved(row, 0, slot),
            Some(_) => None,
        };
        match card {
            Some(card) if place < MAX_DISPLAYED => self.cards[card].built_from_table += 1,
            Some(card) => self.cards[card].built_from_reserve += 1,
            None => self.unknown_builds += 1,
        }
    }

    fn add_reservation(&mut self, table: &Table, row: usize, label: Label, players: usize) {
        let place = usize::try_from(label).ok().filter(|_| label != NO_LABEL);
        let displayed = place.filter(|&place| place < MAX_DISPLAYED);
        let displayed = displayed.and_then(|place| table.displayed(row, place));
        let may_be_of_a_deck = place.is_some_and(|place| place >= MAX_DISPLAYED - 1);
        let card = match may_be_of_a_deck {
            true => table.newly_reserved(row, players),
            false => displayed,
        };
        match card {
            Some(card) if Some(card) == displayed => self.cards[card].reserved_from_table += 1,
            Some(card) => self.cards[card].reserved_from_deck += 1,
            None => self.unknown_reservations += 1,
        }
    }

    /// Adds the counts of other games.
    pub(super) fn merge(&mut self, other: &CardTally) {
        for (card, more) in self.cards.iter_mut().zip(&other.cards) {
            card.games_seen += more.games_seen;
            card.built_from_table += more.built_from_table;
            card.built_from_reserve += more.built_from_reserve;
            card.reserved_from_table += more.reserved_from_table;
            card.reserved_from_deck += more.reserved_from_deck;
        }
        self.unknown_builds += other.unknown_builds;
        self.unknown_reservations += other.unknown_reservations;
    }
}

/// The cards of a game's rows.
struct Table {
    /// By slot, one a row.
    displayed: [Vec<CardKey>; MAX_DISPLAYED],
    /// By rotated player and slot, one a row.
    reserved: [[Vec<CardKey>; MAX_RESERVED]; PlayerCount::MAX],
    /// The seat to move, one a row.
    seats: Vec<usize>,
}

impl Table {
    fn of(game: &EncodedGame) -> Table {
        let rows = game.features();
        let column = |place: usize| rows.iter().map(move |row| i64::from(row[place]));
        let keys = |first: usize| {
            let mut keys = vec![0; rows.len()];
            for place in first..first + CARD_WIDTH {
                for (key, value) in keys.iter_mut().zip(column(place)) {
                    *key = then_value(*key, value);
                }
            }
            keys
        };
        let mut seats = vec![0; rows.len()];
        for (seat, &place) in columns().to_move.iter().enumerate() {
            for (to_move, flag) in seats.iter_mut().zip(column(place)) {
                if flag == 1 {
                    *to_move = seat;
                }
            }
        }
        Table {
            displayed: columns().displayed.map(keys),
            reserved: columns().reserved.map(|slots| slots.map(keys)),
            seats,
        }
    }

    fn displayed(&self, row: usize, slot: usize) -> Option<usize> {
        card_index(self.displayed[slot][row])
    }

    fn reserved(&self, row: usize, rotated: usize, slot: usize) -> Option<usize> {
        card_index(self.reserved[rotated][slot][row])
    }

    /// The card that is in the mover's reserve after the move and was not before.
    fn newly_reserved(&self, row: usize, players: usize) -> Option<usize> {
        let next_to_move = *self.seats.get(row + 1)?;
        let rotated = (self.seats[row] + players - next_to_move) % players;
        let before = self.reserved[0].each_ref().map(|slot| slot[row]);
        let after = self.reserved[rotated].each_ref().map(|slot| slot[row + 1]);
        let new = after.into_iter().find(|&key| key != 0 && !before.contains(&key));
        new.and_then(card_index)
    }

    /// The cards that are on the table or in a reserve in any row, each once.
    fn seen(&self) -> impl Iterator<Item = usize> {
        let mut seen = [false; CARDS.len()];
        for keys in self.displayed.iter().chain(self.reserved.as_flattened()) {
            let mut last = 0;
            for &key in keys {
                // Most slots have the same card in the next row.
                if key != last {
                    last = key;
                    if let Some(place) = card_index(key) {
                        seen[place] = true;
                    }
                }
            }
        }
        (0..CARDS.len()).filter(move |&place| seen[place])
    }
}
