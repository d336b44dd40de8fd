//! Compares a logged position with the one that follows from the previous row.

use super::fault::{Mismatch, ReplayFaultKind};
use super::moves::Following;
use crate::gamelog::turn::Turn;
use crate::rules::{
    Board, ByColor, Card, Color, DISPLAYED_PER_LEVEL, Draw, Gem, Level, MAX_RESERVED, Noble,
    Player, PlayerCount, RotatedIndex, Seat,
};
use std::fmt::Display;

type Compared<T> = Result<T, Mismatch>;

/// Checks that a row can be the first of a game. A deck may have any number of cards.
pub(super) fn compare_start(turn: &Turn) -> Compared<()> {
    let board = &turn.board;
    let players = board.player_count();
    let mut start = Following {
        board: Board {
            to_move: Seat::ALL[0],
            gems: players.supply(),
            players: players.seats().map(|_| Player::default()).collect(),
            ..board.clone()
        },
        draw: None,
    };
    let compared = compare(&mut start, 1, turn);
    compared.map_err(|mismatch| Mismatch { kind: ReplayFaultKind::Start, ..mismatch })?;
    if board.nobles.len() != usize::from(players.nobles()) {
        let (found, wanted) = (board.nobles.len(), players.nobles());
        let (found, wanted) = (format!("{found} nobles"), format!("{wanted} nobles"));
        return Err(Mismatch::new(ReplayFaultKind::Start, "noble*_vp", found, wanted));
    }
    for level in Level::ALL {
        let cards = &board.displayed[level.index()];
        if !cards.is_full() && board.decks[level.index()] > 0 {
            let column = display_column(level, cards.len());
            let wanted = new_card_in_words(level);
            return Err(Mismatch::new(ReplayFaultKind::Start, column, NONE, wanted));
        }
    }
    Ok(())
}

/// The drawn card and its place, if the row follows with that card; else the first difference.
///
/// The cards of a level may be displayed in any order: the self-play engine appends a new card, other
/// loggers put it in the place of the old one.
pub(super) fn compare(
    next: &mut Following,
    turn_number: u16,
    turn: &Turn,
) -> Compared<Option<(Draw, Card)>> {
    let (Following { board: expected, draw }, logged) = (next, &turn.board);
    if expected.is_over() {
        let (found, wanted) = (turn.turn_number, "no row after the end of the game");
        return Err(Mismatch::new(ReplayFaultKind::AfterEnd, "turn_number", found, wanted));
    }
    let (to_move, of_turn) = (logged.to_move.index(), expected.to_move.index());
    check(ReplayFaultKind::Seat, to_move, of_turn, || "current_player".into())?;
    let kind = ReplayFaultKind::TurnNumber;
    check(kind, turn.turn_number, turn_number, || "turn_number".into())?;

    // Nearly every row is equal if the last card of its level or reserve is assumed to be the drawn one.
    match draw.map(|draw| (draw, drawn_last(expected, draw, logged))) {
        None if expected == logged => return Ok(None),
        Some((draw, Some(card))) => {
            expected.place(draw, card);
            if expected == logged {
                return Ok(Some((draw, card)));
            }
            expected.take_back(draw);
        }
        _ => {}
    }
    let card = compare_parts(expected, *draw, logged)?;
    Ok(draw.zip(card))
}

/// The drawn card was in the game before.
pub(super) fn repeated(draw: Draw, card: &Card, logged: &Board) -> Mismatch {
    let place_of = |cards: &[Card]| cards.iter().rposition(|other| other == card).unwrap_or(0);
    let column = match draw {
        Draw::ToDisplay(level) => display_column(level, place_of(&logged.displayed[level.index()])),
        // The player who reserved the card is last in turn order now.
        Draw::ToReserve(_, seat) => {
            let cards = logged.player(seat).map_or(&[][..], |player| &player.reserved);
            format!("player{}_reserved{}_*", logged.players.len() - 1, place_of(cards))
        }
    };
    let wanted = new_card_in_words(card.level);
    Mismatch::new(ReplayFaultKind::RepeatedCard, column, card_in_words(Some(card)), wanted)
}

/// The card in the place of the drawn one.
fn drawn_last(expected: &Board, draw: Draw, logged: &Board) -> Option<Card> {
    let (place, cards, level): (_, &[Card], _) = match draw {
        Draw::ToDisplay(level) => {
            let place = expected.displayed[level.index()].len();
            (place, &logged.displayed[level.index()], level)
        }
        Draw::ToReserve(level, seat) => {
            (expected.player(seat)?.reserved.len(), &logged.player(seat)?.reserved, level)
        }
    };
    cards.get(place).copied().filter(|card| card.level == level)
}

fn compare_parts(expected: &Board, draw: Option<Draw>, logged: &Board) -> Compared<Option<Card>> {
    use ReplayFaultKind::{BoardGems, Decks, PlayerGems, Points, Reductions};
    for Pair { name, logged, expected, .. } in players(logged, expected) {
        check(Points, logged.vp, expected.vp, || format!("{name}_vp"))?;
    }
    for Pair { name, logged, expected, .. } in players(logged, expected) {
        for color in Color::ALL {
            let (logged, expected) = (logged.reduction[color], expected.reduction[color]);
            check(Reductions, logged, expected, || format!("{name}_reduction_{color}"))?;
        }
    }
    compare_nobles(&expected.nobles, &logged.nobles)?;
    for Pair { name, logged, expected, .. } in players(logged, expected) {
        for gem in Gem::ALL {
            let (logged, expected) = (logged.gems[gem], expected.gems[gem]);
            check(PlayerGems, logged, expected, || format!("{name}_gems_{gem}"))?;
        }
    }
    for gem in Gem::ALL {
        let (logged, expected) = (logged.gems[gem], expected.gems[gem]);
        check(BoardGems, logged, expected, || format!("gems_board_{gem}"))?;
    }
    let mut drawn = None;
    for pair in players(logged, expected) {
        let level = match draw {
            Some(Draw::ToReserve(level, seat)) if seat == pair.seat => Some(level),
            _ => None,
        };
        drawn = drawn.or(compare_reserved(pair, level)?);
    }
    for level in Level::ALL {
        let (logged, expected) = (logged.decks[level.index()], expected.decks[level.index()]);
        let column = || format!("deck_level{}_remaining", level.number());
        check(Decks, logged, expected, column)?;
    }
    for level in Level::ALL {
        let (logged, expected) =
            (&logged.displayed[level.index()], &expected.displayed[level.index()]);
        let is_drawn = draw == Some(Draw::ToDisplay(level));
        drawn = drawn.or(compare_displayed(level, logged, expected, is_drawn)?);
    }
    Ok(drawn)
}

fn check<T: PartialEq + Display>(
    kind: ReplayFaultKind,
    logged: T,
    expected: T,
    column: impl FnOnce() -> String,
) -> Compared<()> {
    match logged == expected {
        true => Ok(()),
        false => Err(Mismatch::new(kind, column(), logged, expected)),
    }
}

/// The actual and expected values of a player.
#[derive(Clone, Copy)]
struct Pair<'b> {
    /// Prefix of the player's columns: `player0`.
    name: &'static str,
    seat: Seat,
    logged: &'b Player,
    expected: &'b Player,
}

/// The players by turn order; player 0 is to move.
fn players<'b>(logged: &'b Board, expected: &'b Board) -> impl Iterator<Item = Pair<'b>> {
    const NAMES: [&str; PlayerCount::MAX] = ["player0", "player1", "player2", "player3"];
    let (to_move, count) = (logged.to_move, logged.player_count());
    RotatedIndex::ALL.into_iter().zip(NAMES).filter_map(move |(rotated, name)| {
        let seat = rotated.seat(to_move, count)?;
        let (logged, expected) = (logged.player(seat)?, expected.player(seat)?);
        Some(Pair { name, seat, logged, expected })
    })
}

/// Compares as sets: loggers close the gap that a visiting noble leaves in different ways.
fn compare_nobles(expected: &[Noble], logged: &[Noble]) -> Compared<()> {
    let new = logged.iter().position(|noble| !expected.contains(noble));
    let missing = expected.iter().find(|noble| !logged.contains(noble));
    if new.is_none() && missing.is_none() && logged.len() == expected.len() {
        return Ok(());
    }
    let words = |noble: Option<&Noble>| match noble {
        Some(noble) => format!("the noble for {}", gems_in_words(&noble.requirement)),
        None => NONE.to_owned(),
    };
    let column = format!("noble{}_*", new.unwrap_or(logged.len()));
    let (found, expected) = (words(new.map(|place| &logged[place])), words(missing));
    Err(Mismatch::new(ReplayFaultKind::Nobles, column, found, expected))
}

/// Compares in order, because moves refer to the order. Returns the card that was drawn from that level.
fn compare_reserved(pair: Pair<'_>, drawn: Option<Level>) -> Compared<Option<Card>> {
    let Pair { name, logged, expected, .. } = pair;
    for place in 0..MAX_RESERVED {
        let (card, wanted) = (logged.reserved.get(place), expected.reserved.get(place));
        let level = drawn.filter(|_| place == expected.reserved.len());
        let is_right = match level {
            Some(level) => card.is_some_and(|card| card.level == level),
            None => card == wanted,
        };
        if !is_right {
            let wanted = level.map_or_else(|| card_in_words(wanted), new_card_in_words);
            let column = format!("{name}_reserved{place}_*");
            let kind = ReplayFaultKind::ReservedCards;
            return Err(Mismatch::new(kind, column, card_in_words(card), wanted));
        }
    }
    Ok(drawn.and_then(|_| logged.reserved.get(expected.reserved.len()).copied()))
}

/// Compares as sets. Returns the drawn card, if there is one.
fn compare_displayed(
    level: Level,
    logged: &[Card],
    expected: &[Card],
    is_drawn: bool,
) -> Compared<Option<Card>> {
    let is_new = |card: &Card| !expected.contains(card);
    let missing = expected.iter().find(|card| !logged.contains(card));
    let new = logged.iter().position(is_new);
    let is_right = missing.is_none()
        && logged.len() == expected.len() + usize::from(is_drawn)
        && new.is_some() == is_drawn;
    if is_right {
        return Ok(new.map(|place| logged[place]));
    }
    let place = new.unwrap_or(logged.len().min(DISPLAYED_PER_LEVEL - 1));
    let wanted = match missing {
        None if is_drawn => new_card_in_words(level),
        missing => card_in_words(missing),
    };
    let column = display_column(level, place);
    let found = card_in_words(new.map(|place| &logged[place]));
    Err(Mismatch::new(ReplayFaultKind::DisplayedCards, column, found, wanted))
}

fn display_column(level: Level, place: usize) -> String {
    format!("card{}_*", level.index() * DISPLAYED_PER_LEVEL + place)
}

const NONE: &str = "none";

fn new_card_in_words(level: Level) -> String {
    format!("a new card of level {}", level.number())
}

/// `the level 2 green card for 5 white, 3 red`, which is unique for every card.
fn card_in_words(card: Option<&Card>) -> String {
    match card {
        Some(Card { level, bonus, cost, .. }) => {
            format!("the level {} {bonus} card for {}", level.number(), gems_in_words(cost))
        }
        None => NONE.to_owned(),
    }
}

fn gems_in_words(gems: &ByColor<u8>) -> String {
    let some = gems.iter().filter(|&(_, &count)| count > 0);
    let words: Vec<_> = some.map(|(color, count)| format!("{count} {color}")).collect();
    words.join(", ")
}
