//! The page of a game, to step through its positions.

use super::boards::{self, ShownPosition};
use super::document::document;
use super::parts::scrolling;
use crate::gamelog::GameId;
use crate::table::{is_legal, move_in_words};
use crate::words::{counted, shown};
use maud::{Markup, html};
use std::path::Path;

/// The HTML text of the page. `state` has facts about the game, such as how it ended; it begins with a
/// comma or is empty. What is notable about a row is why it does not follow from the previous row.
pub fn render_game(
    game_id: GameId,
    source: &Path,
    state: &str,
    rows: &[ShownPosition<'_>],
) -> String {
    let row = |row: &ShownPosition<'_>| -> Markup {
        let words = move_in_words(row.board, row.labels);
        html! {
            tr {
                th scope="row" { (boards::link(row.place, &row.place.row_in_game.to_string())) }
                td { (row.turn_number) }
                td { (row.board.to_move.index()) }
                td { (row.board.mover().vp) }
                td.left.wrap {
                    (words)
                    @if !is_legal(row.board, row.labels) { span.alarm { " (not legal)" } }
                    @if !row.why.is_empty() { span.alarm { " (does not replay)" } }
                }
            }
        }
    };
    let turns: Vec<Markup> = rows.iter().map(row).collect();
    let title = format!("Splendor game {game_id}");
    let players = rows.first().map_or(0, |row| row.board.players.len());
    let content = html! {
        header {
            h1 { (title) }
            p.from {
                (counted(players, "player")) ", " (counted(rows.len(), "row")) (state) " · "
                code { (shown(source)) }
            }
        }
        div.game {
            section #position aria-label="Position" {}
            div.box {
                h2 { "Turns" }
                p.what { "The arrow keys step through the game; Home and End go to the first and \
                          last position." }
                (scrolling("turns", &["row", "turn", "seat", "points", "move"], &[4], &turns))
            }
        }
        footer { "Written by prep " (env!("CARGO_PKG_VERSION")) "." }
    };
    document("prep-inspect", &title, &content, &html! {}, &boards::data(rows))
}
