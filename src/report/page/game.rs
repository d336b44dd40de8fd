//! The page of a game, to step through its positions.

use super::boards::{self, Shown};
use super::document::document;
use super::parts::scrolling;
use crate::encode::{Head, LabelRow};
use crate::gamelog::{GameId, ReplayFault};
use crate::report::Place;
use crate::rules::Board;
use crate::table::{is_legal, move_in_words};
use crate::words::{counted, shown};
use maud::{Markup, html};
use std::path::Path;

/// A game.
pub struct GamePage<'g> {
    /// Its id.
    pub game_id: GameId,
    /// Its source.
    pub source: &'g Path,
    /// Facts about it, such as how it ended; begins with a comma or is empty.
    pub state: String,
    /// Its rows in order.
    pub rows: Vec<GamePageRow<'g>>,
}

/// A row of the game.
pub struct GamePageRow<'g> {
    /// The turn number, as logged.
    pub turn_number: i32,
    /// The position before the move.
    pub board: &'g Board,
    /// The move.
    pub labels: &'g LabelRow,
    /// Heads whose label is not legal under its mask.
    pub illegal: Vec<Head>,
    /// Why the row does not follow from the previous row.
    pub fault: Option<&'g ReplayFault>,
}

/// The HTML text of the page.
pub fn render_game(game: &GamePage<'_>) -> String {
    let all = game.rows.iter().enumerate();
    let place = |row: usize| Place { game_id: game.game_id, row_in_game: row as u32 };
    let row = |(index, row): (usize, &GamePageRow<'_>)| -> Markup {
        let words = move_in_words(row.board, row.labels);
        html! {
            tr {
                th scope="row" { (boards::link(place(index), &index.to_string())) }
                td { (row.turn_number) }
                td { (row.board.to_move.index()) }
                td { (row.board.mover().vp) }
                td.left.wrap {
                    (words)
                    @if !is_legal(row.board, row.labels) { span.alarm { " (not legal)" } }
                    @if row.fault.is_some() { span.alarm { " (does not replay)" } }
                }
            }
        }
    };
    let title = format!("Splendor game {}", game.game_id);
    let players = game.rows.first().map_or(0, |row| row.board.players.len());
    let content = html! {
        header {
            h1 { (title) }
            p.from {
                (counted(players, "player")) ", " (counted(game.rows.len(), "row")) (game.state) " · "
                code { (shown(game.source)) }
            }
        }
        div.game {
            section #position aria-label="Position" {}
            div.box {
                h2 { "Turns" }
                p.what { "The arrow keys step through the game; Home and End go to the first and \
                          last position." }
                (scrolling("turns", &["row", "turn", "seat", "points", "move"], &[4], all.clone().map(row)))
            }
        }
        footer { "Written by prep " (env!("CARGO_PKG_VERSION")) "." }
    };
    document(
        "prep-inspect",
        &title,
        &content,
        &html! {},
        &boards::data(all.map(|(index, row)| Shown {
            place: place(index),
            rows: game.rows.len(),
            turn_number: row.turn_number,
            board: row.board,
            labels: row.labels,
            illegal: row.illegal.clone(),
            why: row.fault.map(ToString::to_string).into_iter().collect(),
        })),
    )
}
