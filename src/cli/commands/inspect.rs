//! `prep inspect`

mod features;
mod game;
mod page;
mod replay;

use crate::cli::context::{Context, Outcome, usage_error};
use crate::cli::output;
use crate::cli::values::{switch, whole_number};
use crate::table::{is_legal, legal_moves, move_in_words, position, position_as_json, warned};
use crate::words::{counted, grouped};
use anyhow::{Result, bail};
use clap::Args;
use features::{NamedFeatures, Normalization, find_scaler};
use game::{Game, Row};
use replay::{fault_as_json, fault_in_lines, faults_in_lines, state};
use serde_json::json;
use std::fmt::Write;
use std::path::PathBuf;

const AFTER_HELP: &str = "\
Turns are numbered by round, as in the log: --turn 12 shows the turn of each player in round 12, and \
--turn 12 --seat 0 only the turn of one player. --row N shows row N of the game, counted from 0 like \
row_in_game in index_*.npz and mask_validation_report.json.

Examples:
  prep inspect 17                         list the turns of game 17
  prep inspect 17 --turn 12 --seat 0      position of seat 0 in round 12
  prep inspect 17 --row 23 --feature 'player0_gems_*' --feature card0_vp
  prep inspect data/raw/2_games/1.csv     read a log instead of the cache
  prep inspect 17 --html                  write all positions to game-17.html

Games are read from the cache, like exports, so the log is not needed.";

/// Show a position with the logged move and the legal moves
///
/// Shows gems, nobles and displayed cards, each player's gems, reductions and reserved cards, and the
/// features named with --feature. Without --turn or --row, lists the turns of the game.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(in crate::cli) struct InspectArgs {
    /// Game id, or the path of a log (.csv)
    #[arg(value_name = "GAME")]
    game: String,
    /// Show the turns with this number, one for each player unless --seat is given
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = whole_number::<i32>(..))]
    turn: Option<i32>,
    /// Show only turns of the player in this seat, from 0
    #[arg(long, value_name = "S", allow_negative_numbers = true, value_parser = whole_number(0_usize..))]
    seat: Option<usize>,
    /// Show this row of the game, from 0
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = whole_number(0_usize..),
          conflicts_with_all = ["turn", "seat"])]
    row: Option<usize>,
    /// Show a feature, raw and normalized; can be a pattern such as 'player0_*', and can be repeated
    #[arg(long, value_name = "NAME")]
    feature: Vec<String>,
    /// Normalize with the scaler of this export [default: the export in processed_dir, if there is one]
    #[arg(long, value_name = "DIR", requires = "feature")]
    export: Option<PathBuf>,
    /// Read a log as `ingest --repair` does
    #[arg(long, env = "PREP_REPAIR", value_parser = switch)]
    repair: bool,
    /// Write an HTML page to step through the game with arrow keys
    #[arg(long, conflicts_with_all = ["turn", "row", "seat", "feature", "json"])]
    html: bool,
    /// File to write with --html [default: game-ID.html]
    #[arg(long, value_name = "FILE", requires = "html")]
    out: Option<PathBuf>,
    /// Replace FILE even if it is not a page of a game
    #[arg(long, requires = "html")]
    force: bool,
    /// Print JSON: the turns, or a position with all legal moves
    #[arg(long)]
    json: bool,
}

pub(in crate::cli) fn run(arguments: InspectArgs, context: Context) -> Result<Outcome> {
    let is_list = arguments.turn.is_none() && arguments.row.is_none();
    if is_list && !arguments.feature.is_empty() {
        let why = "--feature needs a position: add --turn N or --row N";
        return Err(usage_error(why));
    }
    let features = NamedFeatures::find(&arguments.feature)?;
    let game = Game::find(&arguments.game, &context.cache_path(), arguments.repair)?;
    if arguments.html {
        page::write(&game, arguments.out, arguments.force, context.common.quiet)?;
        return Ok(Outcome::Done);
    }
    let rows = chosen_rows(&game, &arguments)?;
    let scaler = match features.is_empty() {
        true => None,
        false => find_scaler(arguments.export, &context.settings.processed_dir)?,
    };
    let scaler = scaler.as_ref();
    if arguments.json {
        let turns: Vec<_> = rows
            .iter()
            .map(|&row| match is_list {
                true => line_as_json(row),
                false => turn_as_json(&game, row, &features, scaler),
            })
            .collect();
        let whole = json!({
            "game_id": game.game_id,
            "source": game.source,
            "players": game.players(),
            "rows": game.rows.len(),
            "ending": game.play.map(|play| play.result.ending.name()),
            "replay_fault_rows": game.play.map(|play| play.replay_fault_rows),
            "replay_faults": game.faults.iter().map(fault_as_json).collect::<Vec<_>>(),
            "turns": turns,
        });
        output::print_json(&whole)?;
        return Ok(Outcome::Done);
    }
    let text = match is_list {
        true => list(&game, &rows),
        false => {
            let turns: Vec<String> =
                rows.iter().map(|&row| turn(&game, row, &features, scaler)).collect();
            turns.join("\n\n")
        }
    };
    output::print_styled(&text)?;
    Ok(Outcome::Done)
}

fn chosen_rows<'g>(game: &'g Game, arguments: &InspectArgs) -> Result<Vec<&'g Row>> {
    let name = format!("game {}", game.game_id);
    if let Some(place) = arguments.row {
        match game.rows.get(place) {
            Some(row) => return Ok(vec![row]),
            None => bail!("row {place}: {name} has rows 0 to {}", game.rows.len() - 1),
        }
    }
    if let Some(seat) = arguments.seat.filter(|&seat| seat >= game.players()) {
        bail!("seat {seat}: {name} has seats 0 to {}", game.players() - 1);
    }
    let is_chosen = |row: &&Row| {
        arguments.turn.is_none_or(|turn| row.turn_number == turn)
            && arguments.seat.is_none_or(|seat| row.board.to_move.index() == seat)
    };
    let rows: Vec<&Row> = game.rows.iter().filter(is_chosen).collect();
    match (rows.is_empty(), arguments.turn, arguments.seat) {
        (true, Some(turn), Some(seat)) if game.rows.iter().any(|row| row.turn_number == turn) => {
            bail!(
                "turn {turn}: {name} ends before seat {seat} moves in it: try --turn {}",
                turn.saturating_sub(1)
            )
        }
        (true, Some(turn), _) => {
            let (first, last) = game.turns();
            bail!("turn {turn}: {name} has turns {first} to {last}")
        }
        _ => Ok(rows),
    }
}

fn list(game: &Game, rows: &[&Row]) -> String {
    let (_, last) = game.turns();
    let header = ["row", "turn", "seat", "points", "move"].map(str::to_owned).to_vec();
    let lines = rows.iter().map(|row| {
        let mut mark = String::new();
        if !is_legal(&row.board, &row.labels) {
            mark += &warned(" (not legal)");
        }
        if game.fault(row).is_some() {
            mark += &warned(" (does not replay)");
        }
        vec![
            row.place.to_string(),
            row.turn_number.to_string(),
            row.board.to_move.index().to_string(),
            row.board.mover().vp.to_string(),
            move_in_words(&row.board, &row.labels) + &mark,
        ]
    });
    format!(
        "game {}: {} players, {}, turns to {last}{}\n\n{}{}",
        game.game_id,
        game.players(),
        counted(game.rows.len(), "row"),
        state(game, true),
        output::table(std::iter::once(header).chain(lines), &[0, 1, 2, 3]),
        faults_in_lines(game),
    )
}

/// The position, the logged move, the legal moves and the features.
fn turn(
    game: &Game,
    row: &Row,
    features: &NamedFeatures,
    scaler: Option<&Normalization>,
) -> String {
    let (board, labels) = (&row.board, &row.labels);
    let (_, last) = game.turns();
    let mut text = format!(
        "game {}, turn {} of {last}, seat {} to move (row {} of 0 to {})\n\n{}{}\n",
        game.game_id,
        grouped(row.turn_number.try_into().unwrap_or(0)),
        board.to_move.index(),
        row.place,
        game.rows.len() - 1,
        game.fault(row).map_or(String::new(), |fault| fault_in_lines(game, fault)),
        position(board, output::width().unwrap_or(80)),
    );
    let _ = writeln!(text, "logged move: {}", move_in_words(board, labels));
    if !is_legal(board, labels) {
        let why = format!("  not one of the legal moves{}", row.why_not_legal());
        let _ = writeln!(text, "{}", warned(why));
    }
    text += &legal_moves(board, labels);
    if !features.is_empty() {
        let _ = write!(text, "\n{}", features.in_lines(&row.features, scaler));
    }
    text
}

fn line_as_json(row: &Row) -> serde_json::Value {
    json!({
        "row_in_game": row.place,
        "turn_number": row.turn_number,
        "seat": row.board.to_move.index(),
        "points": row.board.mover().vp,
        "move": move_in_words(&row.board, &row.labels),
        "is_legal": is_legal(&row.board, &row.labels),
    })
}

fn turn_as_json(
    game: &Game,
    row: &Row,
    features: &NamedFeatures,
    scaler: Option<&Normalization>,
) -> serde_json::Value {
    let mut turn = line_as_json(row);
    if let (Some(turn), serde_json::Value::Object(position)) =
        (turn.as_object_mut(), position_as_json(&row.board, &row.labels))
    {
        turn.extend(position);
        turn.insert("illegal_labels".into(), row.illegal_labels().into());
        let fault = game.fault(row);
        turn.insert("replay_fault".into(), fault.map(fault_as_json).into());
        let before = fault.and_then(|fault| game.row_before(fault));
        turn.insert("row_before".into(), before.map(line_as_json).into());
        turn.insert("features".into(), features.as_json(&row.features, scaler));
    }
    turn
}
