//! Rows that do not follow from the previous row.

use super::game::{Game, Row};
use crate::cli::output;
use crate::gamelog::{Ending, ReplayFault};
use crate::report;
use crate::table::{move_in_words, position, warned};
use crate::words::counted;
use serde_json::Value;
use std::fmt::Write;

impl Game {
    /// The fault of a row, if it is one of the first faults of the game.
    pub(super) fn fault(&self, row: &Row) -> Option<&ReplayFault> {
        self.faults.iter().find(|fault| fault.row as usize == row.place)
    }

    /// The row before a faulty one; `None` for the first.
    pub(super) fn row_before(&self, fault: &ReplayFault) -> Option<&Row> {
        self.rows.get((fault.row as usize).checked_sub(1)?)
    }
}

/// How the game ended and whether it replays, as the end of a line; faults are red on a terminal.
pub(super) fn state(game: &Game, is_colored: bool) -> String {
    let Some(play) = &game.play else { return ", not replayed yet".to_owned() };
    let ending = match play.result.ending {
        Ending::Finished => String::new(),
        ending => format!(", {}", ending.name()),
    };
    match play.replay_fault_rows {
        0 => ending,
        _ if is_colored => format!("{ending}, {}", warned("does not replay")),
        _ => format!("{ending}, does not replay"),
    }
}

/// Printed below the list of turns: a line for each faulty row.
pub(super) fn faults_in_lines(game: &Game) -> String {
    let mut text = String::new();
    for fault in &game.faults {
        let begin = if text.is_empty() { "\n" } else { "" };
        let _ = writeln!(text, "{begin}row {} (line {}): {fault}", fault.row, fault.line);
    }
    let rows = game.play.map_or(0, |play| play.replay_fault_rows as usize);
    if rows > game.faults.len() {
        let _ = writeln!(text, "and {} more", counted(rows - game.faults.len(), "row"));
    }
    text
}

/// Printed above the position of a faulty row: the previous row, its move, and the difference from the
/// expected position.
pub(super) fn fault_in_lines(game: &Game, fault: &ReplayFault) -> String {
    let ReplayFault { line, kind, column, found, expected, .. } = fault;
    let mut text = String::new();
    if let Some(before) = game.row_before(fault) {
        let (board, seat) = (&before.board, before.board.to_move.index());
        let _ = writeln!(
            text,
            "previous row: row {}, turn {}, seat {seat}\n\n{}\nits move: {}\n",
            before.place,
            before.turn_number,
            position(board, output::width().unwrap_or(80)),
            move_in_words(board, &before.labels),
        );
    }
    let meaning = kind.meaning().trim_end_matches('.');
    let _ = writeln!(text, "{}", warned(format_args!("does not replay (line {line}): {meaning}")));
    let _ = writeln!(text, "  column    {column}\n  expected  {expected}\n  found     {found}\n");
    text
}

pub(super) fn fault_as_json(fault: &ReplayFault) -> Value {
    let mut json = report::fault_as_json(fault);
    json["text"] = fault.to_string().into();
    json
}
