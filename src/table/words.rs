//! Describes gems, cards and moves.

use super::paint::letter;
use crate::encode::{Head, Label, LabelRow, NO_LABEL, REMOVALS, TAKE3_SETS};
use crate::gamelog::ActionType;
use crate::rules::{Board, ByColor, Card, Color, Gem, Level, MAX_DISPLAYED, Player};
use std::fmt::{Display, Write};

/// `2 white, gold`: the count of each color, without counts of 1 and colors with 0.
pub fn gems_in_words<'a, K: Display>(gems: impl Iterator<Item = (K, &'a u8)>) -> String {
    let words: Vec<String> = gems
        .filter(|&(_, &count)| count > 0)
        .map(|(kind, &count)| match count {
            1 => kind.to_string(),
            count => format!("{count} {kind}"),
        })
        .collect();
    words.join(", ")
}

/// `1 point`, `3 points`
pub(super) fn points(points: u8) -> String {
    format!("{points} point{}", if points == 1 { "" } else { "s" })
}

/// `level 2 green, 3 points`
pub fn card_in_words(card: &Card) -> String {
    format!("level {} {}, {}", card.level.number(), card.bonus, points(card.vp))
}

/// `3W 2K, 1 gold`: what the player pays for an affordable card, or `nothing`. Abbreviated, so that a
/// card with four colors fits into a line.
pub(super) fn payment_in_words(player: &Player, card: &Card) -> String {
    let paid = ByColor::from_fn(|color| {
        let real_cost = card.cost[color].saturating_sub(player.reduction[color]);
        real_cost.min(player.gems[Gem::from(color)])
    });
    let colors = paid.iter().filter(|&(_, &gems)| gems > 0);
    let colors: Vec<String> =
        colors.map(|(color, gems)| format!("{gems}{}", letter(color))).collect();
    let gold = player.distance(card).total();
    match (colors.is_empty(), gold) {
        (true, 0) => "nothing".to_owned(),
        (false, 0) => colors.join(" "),
        (true, gold) => format!("{gold} gold"),
        (false, gold) => format!("{}, {gold} gold", colors.join(" ")),
    }
}

/// Describes a logged move in one line, from its classes, even if it is illegal:
/// `build 12 (reserved): level 2 green, 3 points, noble 0`,
/// `take white, blue, red; give back gold`.
///
/// Says so if a class refers to a card or noble that does not exist; classes that do not belong to the
/// kind of move come last.
pub fn move_in_words(board: &Board, labels: &LabelRow) -> String {
    let class = |head: Head| labels[head.index()];
    let action_type = usize::try_from(class(Head::ActionType)).ok();
    let action_type = action_type.and_then(|class| ActionType::ALL.get(class));
    let (mut text, said): (String, &[Head]) = match action_type {
        Some(ActionType::Build) => {
            let mut text = built(board, class(Head::CardSelection));
            if class(Head::Noble) != NO_LABEL {
                let _ = write!(text, ", noble {}", class(Head::Noble));
            }
            (text, &[Head::CardSelection, Head::Noble])
        }
        Some(ActionType::Reserve) => {
            (reserved(board, class(Head::CardReservation)), &[Head::CardReservation])
        }
        Some(ActionType::Take2) => {
            let color = usize::try_from(class(Head::GemTake2)).ok();
            let color = color.and_then(|class| Color::ALL.get(class));
            let taken = color.map_or("nothing".to_owned(), |color| format!("2 {color}"));
            (format!("take {taken}"), &[Head::GemTake2])
        }
        Some(ActionType::Take3) => {
            let set = usize::try_from(class(Head::GemTake3)).ok();
            let set = set.and_then(|class| TAKE3_SETS.get(class));
            let taken = set.map(|set| gems_in_words(set.iter())).filter(|taken| !taken.is_empty());
            let taken = taken.unwrap_or("3 (which is not in the log: see ingest --repair)".into());
            (format!("take {taken}"), &[Head::GemTake3])
        }
        None => (format!("no kind of move ({})", class(Head::ActionType)), &[]),
    };
    let given_back = usize::try_from(class(Head::GemsRemoved)).ok();
    let given_back = given_back.and_then(|class| REMOVALS.get(class));
    if let Some(given_back) = given_back.filter(|given_back| given_back.total() > 0) {
        let _ = write!(text, "; give back {}", gems_in_words(given_back.iter()));
    }
    let is_unsaid = |head: &Head| {
        !said.contains(head)
            && !matches!(head, Head::ActionType | Head::GemsRemoved)
            && class(*head) != NO_LABEL
    };
    for head in Head::ALL.into_iter().filter(is_unsaid) {
        let _ = write!(text, "; {} {}, which does not belong to it", head.name(), class(head));
    }
    text
}

fn built(board: &Board, class: Label) -> String {
    let Ok(place) = usize::try_from(class) else { return "build nothing".to_owned() };
    let (card, whence) = match place.checked_sub(MAX_DISPLAYED) {
        Some(place) => (board.mover().reserved.get(place), " (reserved)"),
        None => (board.displayed_cards().nth(place), ""),
    };
    match card {
        Some(card) => format!("build {class}{whence}: {}", card_in_words(card)),
        None => format!("build {class}{whence}: there is no such card"),
    }
}

/// Class 11 has two meanings: if both are possible, both are given.
fn reserved(board: &Board, class: Label) -> String {
    let Ok(place) = usize::try_from(class) else { return "reserve nothing".to_owned() };
    let displayed = board.displayed_cards().nth(place).filter(|_| place < MAX_DISPLAYED);
    let deck = Level::ALL.into_iter().find(|level| place == 10 + usize::from(level.number()));
    let deck = deck.filter(|level| board.decks[level.index()] > 0);
    match (displayed, deck) {
        (Some(card), None) => format!("reserve {class}: {}", card_in_words(card)),
        (None, Some(level)) => format!("reserve {}", deck_in_words(level)),
        (Some(card), Some(level)) => {
            format!("reserve {class}: {}, or {}", card_in_words(card), deck_in_words(level))
        }
        (None, None) => format!("reserve {class}: there is no such card"),
    }
}

/// `the top of deck 1`
pub(super) fn deck_in_words(level: Level) -> String {
    format!("the top of deck {}", level.number())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{ByGem, CARDS, NOBLES, PlayerCount, Seat};

    /// Level 1: one card; level 2: none; level 3: one, which is then flat card 1.
    fn a_board() -> Board {
        let player = Player {
            vp: 3,
            gems: ByGem([2, 0, 1, 0, 0, 2]),
            reduction: ByColor([0, 0, 1, 0, 0]),
            reserved: [CARDS[45]].into_iter().collect(),
        };
        Board {
            to_move: Seat::new(1, PlayerCount::Two).unwrap(),
            gems: ByGem([1, 4, 0, 2, 0, 0]),
            displayed: [
                [CARDS[12]].into_iter().collect(),
                Default::default(),
                [CARDS[75]].into_iter().collect(),
            ],
            decks: [3, 0, 1],
            nobles: [NOBLES[0]].into_iter().collect(),
            players: [Player::default(), player].into_iter().collect(),
        }
    }

    #[track_caller]
    fn says(labels: [Label; Head::COUNT], words: &str) {
        assert_eq!(move_in_words(&a_board(), &labels), words);
    }

    #[test]
    fn moves_in_words() {
        says([0, 0, -1, -1, -1, -1, 0], "build 0: level 1 green, 0 points");
        says([0, 12, -1, -1, -1, 0, 0], "build 12 (reserved): level 2 white, 1 point, noble 0");
        says([1, -1, 1, -1, -1, -1, 0], "reserve 1: level 3 white, 4 points");
        says([1, -1, 13, -1, -1, -1, 1], "reserve the top of deck 3; give back gold");
        // With two cards on display, class 11 can only be the deck.
        says([1, -1, 11, -1, -1, -1, 0], "reserve the top of deck 1");
        says([2, -1, -1, -1, 1, -1, 0], "take 2 blue");
        says([3, -1, -1, 16, -1, -1, 0], "take white, blue, green");
    }

    #[test]
    fn invalid_moves_in_words() {
        says([0, 7, -1, -1, -1, -1, 0], "build 7: there is no such card");
        says([0, 14, -1, -1, -1, -1, 0], "build 14 (reserved): there is no such card");
        says([0, -1, -1, -1, -1, -1, 0], "build nothing");
        says([1, -1, 12, -1, -1, -1, 0], "reserve 12: there is no such card");
        says([2, -1, -1, -1, -1, -1, 0], "take nothing");
        says(
            [3, 4, -1, -1, -1, -1, 0],
            "take 3 (which is not in the log: see ingest --repair); \
             card_selection 4, which does not belong to it",
        );
    }

    #[test]
    fn payments_in_words() {
        let board = a_board();
        let card = |cost| Card { cost: ByColor(cost), ..CARDS[0] };
        for (cost, paid) in [
            ([2, 0, 2, 1, 0], "2W 1G, 1 gold"),
            ([0, 0, 1, 0, 0], "nothing"),
            ([0, 2, 0, 0, 0], "2 gold"),
        ] {
            assert_eq!(payment_in_words(board.mover(), &card(cost)), paid);
        }
    }
}
