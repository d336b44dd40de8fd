//! A game as an HTML page.

use super::game::Game;
use super::replay::state;
use crate::cli::output;
use crate::cli::output_file::{OutputFile, refuse_folder};
use crate::report::{GamePage, GamePageRow, render_game};
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
    let rows = game.rows.iter().map(|row| GamePageRow {
        turn_number: row.turn_number,
        board: &row.board,
        labels: &row.labels,
        illegal: row.illegal_heads(),
        fault: game.fault(row),
    });
    let page = render_game(&GamePage {
        game_id: game.game_id,
        source: game.source.path(),
        state: state(game, false),
        rows: rows.collect(),
    });
    file.write(page.as_bytes())?;
    if !quiet {
        let size = bytes_in_words(page.len() as u64);
        output::print(format!("wrote {size} to {}\n", shown(&path)))?;
    }
    Ok(())
}
