//! Positions as JSON data, from which `page.js` draws boards in the report and in the page of a game.

use crate::encode::{Head, LabelRow};
use crate::gamelog::GameId;
use crate::report::{Place, Report};
use crate::rules::{Board, CARDS, Card, Level, NOBLES, Seat};
use crate::table::{legal_move_lines, move_in_words};
use crate::words::shown_json;
use maud::{Markup, PreEscaped, html};
use serde_json::{Map, Value, json};

/// A position to show.
pub struct ShownPosition<'b> {
    /// The row.
    pub place: Place,
    /// Number of rows of the game.
    pub rows: usize,
    /// The turn number, as logged.
    pub turn_number: i32,
    /// The position before the move.
    pub board: &'b Board,
    /// The move.
    pub labels: &'b LabelRow,
    /// Heads whose label is not legal under its mask.
    pub illegal: Vec<Head>,
    /// Sentences about what is notable.
    pub why: Vec<String>,
}

/// The key of a position in links and in the data.
pub(super) fn key(place: Place) -> String {
    format!("{}-{}", place.game_id, place.row_in_game)
}

/// Text that the script makes a link to a position.
pub(super) fn link(place: Place, text: &str) -> Markup {
    html! { span data-position=(key(place)) { (text) } }
}

/// A link to the position if the page has it, otherwise only the text.
pub(super) fn link_if_shown(report: &Report, place: Option<Place>, text: &str) -> Markup {
    match place.filter(|place| report.positions.contains_key(place)) {
        Some(place) => link(place, text),
        None => html! { (text) },
    }
}

/// `game 17, turn 12, row 23`
pub(super) fn place_in_words(game_id: GameId, turn_number: i32, row: u32) -> String {
    format!("game {game_id}, turn {turn_number}, row {row}")
}

/// The data of the page as an element that browsers do not execute. It is escaped, so that no content
/// can close the element.
pub(super) fn data(positions: &[ShownPosition<'_>]) -> Markup {
    let card = |card: &Card| json!([card.level.number(), card.vp, card.bonus.index(), card.cost.0]);
    let cards: Vec<Value> = CARDS.iter().map(card).collect();
    let positions: Map<String, Value> =
        positions.iter().map(|shown| (key(shown.place), position(shown))).collect();
    let data = json!({
        "cards": cards,
        "nobles": NOBLES.map(|noble| noble.requirement.0),
        "positions": positions,
    });
    let text = shown_json(&data.to_string()).replace('<', "\\u003c");
    html! { script type="application/json" id="data" { (PreEscaped(text)) } }
}

fn position(shown: &ShownPosition<'_>) -> Value {
    let ShownPosition { place, rows, turn_number, board, labels, illegal, why } = shown;
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
