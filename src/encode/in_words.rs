//! Features, families and classes in words, for whoever reads a table of them.
//!
//! A family writes one meaning for all columns that are alike; what tells them apart (which seat,
//! which card, which colour) is in their names, and is put into words here. So a name and its
//! sentence cannot drift apart, and nothing of this is ever computed while rows are encoded.

use super::{Family, Feature, Head, REMOVALS, TAKE3_SETS};
use crate::gamelog::ActionType;
use crate::rules::{Color, Gem, MAX_DISPLAYED};

impl Family {
    /// All families, in column order.
    pub const ALL: [Family; 9] = [
        Family::State,
        Family::CardPositions,
        Family::Tokens,
        Family::Cards,
        Family::Nobles,
        Family::Synergy,
        Family::Comparison,
        Family::Progress,
        Family::OneHot,
    ];

    /// The rules that all columns of the family follow, in sentences.
    pub const fn rules(self) -> &'static str {
        match self {
            Family::State => {
                "The position as logged. Whatever is missing is 0. The displayed cards are \
                 compacted: those that are there first, in the order of their slots, then zeros; \
                 reserved cards stay in their slots. Players go by turn order: `player0_*` is the \
                 player to move, `player1_*` the next one."
            }
            Family::CardPositions => {
                "Where each displayed and reserved card stands, -1 where there is none. A displayed \
                 card is numbered as in the state (0 to 11), a reserved one 12 plus its place. \
                 Players go by turn order, 0 is to move."
            }
            Family::Tokens => {
                "What may be taken from each pile. A take of two of one colour needs four gems in \
                 the pile."
            }
            Family::Cards => {
                "What each seat lacks for each card it can reach: the displayed cards by flat index \
                 (level 1, then 2, then 3, without gaps), directly behind them the seat's own \
                 reserved cards, then zeros up to 15. What a card really costs is its cost less \
                 the seat's reductions, at least 0 for each colour; the distance is that less the \
                 gems in hand, at least 0. `playerN` is the seat N here, and not turn order; a seat \
                 where nobody sits gives 0."
            }
            Family::Nobles => {
                "How far each seat's reductions are from each noble on the table: what the noble \
                 asks less the reductions, at least 0 for each colour. An empty slot gives 0, and \
                 so does a seat where nobody sits. `playerN` is the seat N here."
            }
            Family::Synergy => {
                "What a card does for the nobles, over the same 15 cards as in `cards`: as if the \
                 seat had the card's bonus already, whether or not it can build the card. `playerN` \
                 is the seat N here; a seat where nobody sits gives 0."
            }
            Family::Comparison => {
                "The players against each other. `playerN` is the seat N here. A seat where nobody \
                 sits gives 0, except in the four gap and rank columns, which treat it as a player \
                 with nothing. Points (`playerN_vp`) are compared by their column in the state."
            }
            Family::Progress => {
                "How far the game has come towards the 15 points that end it. `playerN` is the seat \
                 N here; the cards left in the decks are in the state."
            }
            Family::OneHot => {
                "Categories spelled out as 0 and 1. `current_player_N` goes by seat; in \
                 `playerN_position_S` the player goes by turn order (0 is to move) and S is the \
                 seat. An absent player reads as seat 0."
            }
        }
    }

    /// Whether `playerN` in a name counts from the player to move, and not by seat.
    const fn goes_by_turn_order(self) -> bool {
        self.is_base()
    }
}

impl Feature {
    /// One sentence about this very column: `seat 2, reachable card 7: red gems the seat lacks for
    /// the card, gold aside`.
    pub fn in_words(&self) -> String {
        let name = self.name.as_str();
        let color = Color::ALL
            .into_iter()
            .map(Color::name)
            .find(|color| name.strip_suffix(color).is_some_and(|before| before.ends_with('_')));
        let mut subjects = self.subjects();
        let mut meaning = self.meaning.replace(" (0 is to move)", "");
        if let Some(color) = color {
            if self.family == Family::Tokens {
                subjects.push(format!("{color} pile"));
            }
            for (any, this) in [
                ("gems of this colour", format!("{color} gems")),
                ("reductions of this colour", format!("{color} reductions")),
                ("a reduction of this colour", format!("a {color} reduction")),
                ("in this colour", format!("in {color}")),
            ] {
                meaning = meaning.replace(any, &this);
            }
        }
        if let Some(number) = number_at_end(name).or_else(|| number_behind(name, "deck_level")) {
            for (any, this) in [
                ("of this level", format!("of level {number}")),
                ("this seat is", format!("seat {number} is")),
                ("in this seat", format!("in seat {number}")),
                ("as many play", format!("{number} play")),
            ] {
                meaning = meaning.replace(any, &this);
            }
        }
        match subjects.is_empty() {
            true => meaning,
            false => format!("{}: {meaning}", subjects.join(", ")),
        }
    }

    /// Whose column it is, and of which card or noble, as far as the name says.
    fn subjects(&self) -> Vec<String> {
        const BY_TURN_ORDER: [&str; 4] =
            ["player to move", "next player", "player 2 turns later", "player 3 turns later"];
        let name = self.name.as_str();
        let mut subjects = Vec::new();
        if let Some(number) = number_behind(name, "player") {
            subjects.push(match self.family.goes_by_turn_order() {
                true => BY_TURN_ORDER[number].to_owned(),
                false => format!("seat {number}"),
            });
        }
        let card = match self.family {
            Family::Cards | Family::Synergy => "reachable card",
            _ => "displayed card",
        };
        for part in name.split('_') {
            for (word, in_words) in
                [("card", card), ("reserved", "reserved card"), ("noble", "noble")]
            {
                let number = part.strip_prefix(word).and_then(|number| number.parse::<u8>().ok());
                subjects.extend(number.map(|number| format!("{in_words} {number}")));
            }
        }
        subjects
    }
}

/// The number directly behind a name's first word, as in `player2_vp`.
fn number_behind(name: &str, word: &str) -> Option<usize> {
    name.strip_prefix(word)?.split('_').next()?.parse().ok()
}

/// The number behind a name's last underscore, as in `num_players_3`.
fn number_at_end(name: &str) -> Option<usize> {
    name.rsplit('_').next()?.parse().ok()
}

impl Head {
    /// What the head chooses, in words.
    pub const fn in_words(self) -> &'static str {
        match self {
            Head::ActionType => "what is done in this turn",
            Head::CardSelection => "the card that is built",
            Head::CardReservation => "the card that is reserved",
            Head::GemTake3 => "the different colours that are taken, one gem of each",
            Head::GemTake2 => "the colour of which two gems are taken",
            Head::Noble => "the noble that comes with the card that is built",
            Head::GemsRemoved => "the gems that go back, of what is more than ten in hand",
        }
    }

    /// What one class means, in words; `class` is below [`Head::classes`].
    ///
    /// # Panics
    /// If the head has no such class.
    pub fn class_in_words(self, class: usize) -> String {
        assert!(class < self.classes(), "{} has no class {class}", self.name());
        match self {
            Head::ActionType => ActionType::ALL[class].logged_name().to_owned(),
            Head::CardSelection if class < MAX_DISPLAYED => displayed_card(class),
            Head::CardSelection => format!("own reserved card {}", class - MAX_DISPLAYED),
            Head::CardReservation => match class {
                0..=10 => displayed_card(class),
                11 => format!("{}, or the top of the level 1 deck", displayed_card(class)),
                12 | 13 => format!("the top of the level {} deck", class - 10),
                _ => "nothing: never occurs".to_owned(),
            },
            Head::GemTake3 => {
                let taken = |color: &Color| TAKE3_SETS[class][*color] == 1;
                let names: Vec<_> = Color::ALL.into_iter().filter(taken).map(Color::name).collect();
                if names.is_empty() { "nothing: never occurs".to_owned() } else { names.join(", ") }
            }
            Head::GemTake2 => format!("two {}", Color::ALL[class].name()),
            Head::Noble => format!("noble {class} on the table"),
            Head::GemsRemoved => {
                let counts = Gem::ALL.into_iter().zip(REMOVALS[class].0);
                let given: Vec<_> = counts
                    .filter(|&(_, count)| count > 0)
                    .map(|(gem, count)| format!("{count} {}", gem.name()))
                    .collect();
                if given.is_empty() { "none".to_owned() } else { given.join(", ") }
            }
        }
    }
}

fn displayed_card(flat_index: usize) -> String {
    format!("displayed card {flat_index} by flat index")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encode::FEATURES;
    use std::collections::HashSet;

    #[test]
    fn a_column_is_put_into_words_with_its_seat_card_and_colour() {
        for (name, words) in [
            ("gems_board_red", "red gems on the table"),
            ("card3_cost_blue", "displayed card 3: printed cost of the card in blue"),
            ("deck_level2_remaining", "face-down cards left of level 2"),
            ("player0_gems_gold", "player to move: gold gems in the player's hand"),
            (
                "player3_reserved1_bonus_black",
                "player 3 turns later, reserved card 1: 1 if the card gives a black reduction",
            ),
            (
                "player2_card14_distance_red",
                "seat 2, reachable card 14: red gems the seat lacks for the card, gold aside",
            ),
            (
                "can_take2_green",
                "green pile: 1 if the pile has the four gems that a take of two needs",
            ),
            ("num_players_3", "1 if 3 play"),
            ("current_player_1", "1 if seat 1 is to move"),
            (
                "player1_position_2",
                "next player: 1 if the player sits in seat 2; absent ones read as seat 0",
            ),
        ] {
            let feature = FEATURES.iter().find(|feature| feature.name.as_str() == name).unwrap();
            assert_eq!(feature.in_words(), words, "{name}");
        }
    }

    /// Two columns with one sentence would leave the reader guessing; those that have one are known.
    #[test]
    fn no_two_columns_read_alike_and_none_speaks_of_this_or_that() {
        let mut seen = HashSet::new();
        for feature in &FEATURES {
            let words = feature.in_words();
            let is_always_0 = words.ends_with("always 0: the log does not say");
            assert!(seen.insert(words.clone()) || is_always_0, "{}: {words}", feature.name);
            for vague in ["this colour", "this level", "this seat", "as many"] {
                assert!(!words.contains(vague), "{}: {words}", feature.name);
            }
        }
    }

    #[test]
    fn families_are_all_there_in_column_order() {
        let mut families: Vec<_> = FEATURES.iter().map(|feature| feature.family).collect();
        families.dedup();
        assert_eq!(families, Family::ALL);
    }

    #[test]
    fn classes_read_as_the_specification_numbers_them() {
        for (head, class, words) in [
            (Head::ActionType, 2, "take 2 tokens"),
            (Head::CardSelection, 0, "displayed card 0 by flat index"),
            (Head::CardSelection, 14, "own reserved card 2"),
            (
                Head::CardReservation,
                11,
                "displayed card 11 by flat index, or the top of the level 1 deck",
            ),
            (Head::CardReservation, 13, "the top of the level 3 deck"),
            (Head::CardReservation, 14, "nothing: never occurs"),
            (Head::GemTake3, 0, "nothing: never occurs"),
            (Head::GemTake3, 25, "green, red, black"),
            (Head::GemTake2, 4, "two black"),
            (Head::GemsRemoved, 0, "none"),
            (Head::GemsRemoved, 1, "1 gold"),
            (Head::GemsRemoved, 83, "3 white"),
        ] {
            assert_eq!(head.class_in_words(class), words, "{head:?} {class}");
        }
        for head in Head::ALL {
            let words: HashSet<_> = (0..head.classes()).map(|c| head.class_in_words(c)).collect();
            assert_eq!(words.len(), head.classes(), "{head:?}");
        }
    }
}
