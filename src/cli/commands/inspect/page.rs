//! A game as an HTML page.

use super::game::Game;
use super::replay::state;
use crate::cli::output;
use crate::cli::output_file::{OutputFile, refuse_folder};
use crate::report::{Place, ShownPosition, illegal_heads, render_game};
use crate::words::{bytes_in_words, shown};
use anyhow::Result;
use std::path::PathBuf;

/// Writes the page, by default to the current folder.
pub(super) fn write(game: &Game, out: Option<PathBuf>, force: bool, quiet: bool) -> Result<()> {
    let name = format!("game-{}.html", game.game_id);
    let path = out.unwrap_or_else(|| PathBuf::from(&name));
    refuse_folder(&path, &name)?;
    let file = OutputFile {
        path: &path,
        what: "a page of prep inspect",
        mark: "<meta name=\"generator\" content=\"prep-inspect ",
        force: Some(force),
        advice: "choose another place with --out",
    };
    file.check()?;
    let rows = game.rows.iter().map(|row| ShownPosition {
        place: Place { game_id: game.game_id, row_in_game: row.place as u32 },
        rows: game.rows.len(),
        turn_number: row.turn_number,
        board: &row.board,
        labels: &row.labels,
        illegal: illegal_heads(&row.labels, &row.masks),
        why: game.fault(row).map(ToString::to_string).into_iter().collect(),
    });
    let rows: Vec<ShownPosition<'_>> = rows.collect();
    let page = render_game(game.game_id, game.source.path(), &state(game, false), &rows);
    file.write(page.as_bytes())?;
    if !quiet {
        let size = bytes_in_words(page.len() as u64);
        output::print(format!("wrote {size} to {}\n", shown(&path)))?;
    }
    Ok(())
}
