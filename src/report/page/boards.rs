//! Positions as JSON data, from which `page.js` draws boards in the report and in the page of a game.

use crate::encode::{Head, LabelRow};
use crate::gamelog::GameId;
use crate::report::Place;
use crate::rules::{Board, CARDS, Card, Level, NOBLES, Seat};
use crate::table::{legal_move_lines, move_in_words};
use crate::words::shown_json;
use maud::{Markup, PreEscaped, html};
use serde_json::{Map, Value, json};

/// A position to show.
pub(super) struct Shown<'b> {
    pub(super) place: Place,
    /// Number of rows of the game.
    pub(super) rows: usize,
    pub(super) turn_number: i32,
    pub(super) board: &'b Board,
    pub(super) labels: &'b LabelRow,
    /// Heads whose label is not legal under its mask.
    pub(super) illegal: Vec<Head>,
    /// Sentences about what is notable.
    pub(super) why: Vec<String>,
}

/// The key of a position in links and in the data.
pub(super) fn key(place: Place) -> String {
    format!("{}-{}", place.game_id, place.row_in_game)
}

/// Text that the script makes a link to a position.
pub(super) fn link(place: Place, text: &str) -> Markup {
    html! { span data-position=(key(place)) { (text) } }
}

/// `game 17, turn 12, row 23`
pub(super) fn place_in_words(game_id: GameId, turn_number: i32, row: u32) -> String {
    format!("game {game_id}, turn {turn_number}, row {row}")
}

/// The data of the page as an element that browsers do not execute. It is escaped, so that no content
/// can close the element.
pub(super) fn data<'b>(positions: impl Iterator<Item = Shown<'b>>) -> Markup {
    let card = |card: &Card| json!([card.level.number(), card.vp, card.bonus.index(), card.cost.0]);
    let cards: Vec<Value> = CARDS.iter().map(card).collect();
    let positions: Map<String, Value> =
        positions.map(|shown| (key(shown.place), position(&shown))).collect();
    let data = json!({
        "cards": cards,
        "nobles": NOBLES.map(|noble| noble.requirement.0),
        "positions": positions,
    });
    let text = shown_json(&data.to_string()).replace('<', "\\u003c");
    html! { script type="application/json" id="data" { (PreEscaped(text)) } }
}

fn position(shown: &Shown<'_>) -> Value {
    let Shown { place, rows, turn_number, board, labels, illegal, why } = shown;
    let places = |cards: &[Card]| cards.iter().map(Card::place).collect::<Vec<_>>();
    let player = |seat: Seat| {
        let player = board.player(seat)?;
        let reserved = places(&player.reserved);
        Some(json!([player.vp, player.gems.0, player.reduction.0, reserved]))
    };
    let (count, lines) = legal_move_lines(board, labels);
    let lines = lines.iter().map(|(line, is_logged)| match is_logged {
        true => format!("> {line}"),
        false => line.clone(),
    });
    json!({
        "g": place.game_id,
        "r": place.row_in_game,
        "n": rows,
        "t": turn_number,
        "s": board.to_move.index(),
        "b": board.gems.0,
        "d": board.decks,
        "c": Level::ALL.map(|level| places(&board.displayed[level.index()])),
        "o": board.nobles.iter().map(|noble| noble.place()).collect::<Vec<_>>(),
        "p": Seat::ALL.into_iter().filter_map(player).collect::<Vec<_>>(),
        "m": move_in_words(board, labels),
        "i": illegal.iter().map(|head| head.name()).collect::<Vec<_>>(),
        "l": lines.collect::<Vec<_>>(),
        "a": count,
        "w": why,
    })
}
