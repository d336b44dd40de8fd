//! Reads the turns of a log.
//!
//! Columns are matched by name once per file, and each row is reordered while its numbers are parsed.
//! Turns are passed to the caller one at a time, so that memory does not grow with the length of a game.

use super::columns::{self, COLUMN_COUNT, COLUMNS};
use super::error::{Fault, LogError, LogErrorKind};
use super::fields::{ColumnOrder, parse_fields, parse_line};
use super::header::match_header;
use super::play::GamePlay;
use super::records::{Located, Record, Records};
use super::replay::{Replay, ReplayFault};
use super::row::{KnownCards, Row};
use super::turn::{GameId, Turn};
use super::value;
use crate::rules::PlayerCount;
use std::cmp::Ordering;
use std::path::Path;

/// Options of reading a log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReadOptions {
    /// Repair rows with the known gem fault (see
    /// [`LoggedAction::repair_gem_fault`](super::LoggedAction::repair_gem_fault)).
    pub repair: bool,
    /// Refuse a game that does not [replay](super::Replay).
    pub strict: bool,
}

/// A summary of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogSummary {
    /// Number of turns, at least 1.
    pub rows: u32,
    /// Number of players.
    pub players: PlayerCount,
    /// Number of rows with the known gem fault, repaired or not.
    pub gem_fault_rows: u32,
    /// Number of rows in which gems on the table and in hands do not add up to the supply.
    pub unbalanced_rows: u32,
    /// How the game went.
    pub play: GamePlay,
    /// The first rows that do not follow from the previous row, at most
    /// [`MAX_REPLAY_FAULTS`](super::MAX_REPLAY_FAULTS).
    pub replay_faults: Vec<ReplayFault>,
}

/// Reads the log of a game and calls `each_turn` for each turn, in file order.
///
/// `file` is used only in errors. Every row must have the `game_id` of the file's name.
///
/// # Errors
/// The first fault in the log; with `strict`, finally also that it does not replay. `each_turn` has been
/// called for the turns before the fault, so discard their results.
pub fn read_log(
    bytes: &[u8],
    file: &Path,
    game_id: GameId,
    options: ReadOptions,
    mut each_turn: impl FnMut(&Turn),
) -> Result<LogSummary, LogError> {
    let at = |(fault, line): Located| fault.at(file, line);
    let mut records = Records::new(bytes).map_err(at)?;

    if !records.advance().map_err(at)? {
        return Err(
            Fault::new(LogErrorKind::Empty, "a header, then one row per turn").at(file, None)
        );
    }
    let unfinished = records.unfinished_value().is_some();
    let order =
        match_header(&records.record, unfinished).map_err(|fault| at(records.locate(fault)))?;

    let (mut row, mut known) = (Row::new(), KnownCards::default());
    let mut replay = Replay::default();
    let mut summary: Option<LogSummary> = None;
    while records.advance().map_err(at)? {
        let in_row = |fault| at(locate_in_row(&records, fault, &order));
        parse_row(&records, &order, game_id, &mut row).map_err(in_row)?;
        let mut turn = row.to_turn(&mut known).map_err(in_row)?;
        check_player_count(&turn, summary.as_ref()).map_err(in_row)?;

        let summary = summary.get_or_insert(LogSummary {
            rows: 0,
            players: turn.board.player_count(),
            gem_fault_rows: 0,
            unbalanced_rows: 0,
            play: GamePlay::default(),
            replay_faults: Vec::new(),
        });
        summary.rows += 1;
        summary.gem_fault_rows += u32::from(turn.action.has_gem_fault());
        summary.unbalanced_rows += u32::from(!turn.board.gems_add_up());
        summary.play.push(turn.turn_number, &turn.action);
        if options.repair {
            turn.action.repair_gem_fault();
        }
        each_turn(&turn);
        replay.push(turn, || records.line());
    }
    let (Some(mut summary), Some(replayed)) = (summary, replay.finish()) else {
        let expected = "at least one row below the header";
        return Err(Fault::new(LogErrorKind::NoRows, expected).at(file, None));
    };
    summary.play.finish(&replayed);
    summary.replay_faults = replayed.faults;
    match summary.replay_faults.first() {
        Some(fault) if options.strict => Err(LogError::does_not_replay(file, fault)),
        _ => Ok(summary),
    }
}

/// Adds the location to a fault of the current row. An incomplete value at the end of an unfinished file
/// is reported as a truncated file.
fn locate_in_row(records: &Records<'_>, fault: Fault, order: &ColumnOrder) -> Located {
    let is_in_last_column = fault.column.as_ref() == Some(&COLUMNS[order.last()].name);
    let is_text = fault.kind == LogErrorKind::Text;
    if is_text && is_in_last_column && records.unfinished_value().is_some() {
        return records.locate(Fault {
            column: fault.column,
            found: fault.found,
            ..Fault::cut_off()
        });
    }
    records.locate(fault)
}

/// Whether the last value of a file without a final line break may be incomplete, such as `1` of `15`.
/// Reading it would be guessing, and most logs that are still being written end like this.
fn may_go_on(text: &[u8], column: usize, game_id: GameId) -> bool {
    if let [b'"', rest @ ..] = text {
        return rest.last() != Some(&b'"');
    }
    let value = value::trim(text);
    if value.is_empty() {
        return true;
    }
    if column == columns::GAME_ID {
        let whole = game_id.to_string();
        return value.len() < whole.len() && whole.as_bytes().starts_with(value);
    }
    let ends_in_digit = text.last().is_some_and(u8::is_ascii_digit) && !value.contains(&b'.');
    let max = i64::from(COLUMNS[column].max);
    match value::parse(value) {
        Ok(Some(value)) => ends_in_digit && value > 0 && value <= max / 10,
        _ => false,
    }
}

/// Parses the fields of a row into canonical order.
fn parse_row(
    records: &Records<'_>,
    order: &ColumnOrder,
    game_id: GameId,
    row: &mut Row,
) -> Result<(), Fault> {
    let unfinished = records.unfinished_value();
    let parsed = match &records.record {
        Record::Line(line) => parse_line(line, order, game_id, row),
        Record::Fields(fields) => parse_fields(fields.iter(), order, game_id, row),
    };
    // Counts first: a missing or extra value makes the values after it look wrong.
    if !matches!(parsed, Ok(true)) {
        let count = records.record.fields().count();
        let found = format!("{count} values");
        let expected = format!("{COLUMN_COUNT} values, as in the header");
        match count.cmp(&COLUMN_COUNT) {
            Ordering::Less if unfinished.is_some() => return Err(Fault::cut_off().found(found)),
            Ordering::Less => {
                return Err(Fault::new(LogErrorKind::ShortRow, expected).found(found));
            }
            Ordering::Greater => {
                return Err(Fault::new(LogErrorKind::LongRow, expected).found(found));
            }
            Ordering::Equal => {}
        }
    }
    let last = order.last();
    if let Some(text) = unfinished
        && may_go_on(text, last, game_id)
    {
        return Err(Fault::cut_off().in_column(&COLUMNS[last].name));
    }
    parsed.map(|_| ())
}

/// A file is one game, so the number of players is constant.
fn check_player_count(turn: &Turn, before: Option<&LogSummary>) -> Result<(), Fault> {
    let players = turn.board.player_count();
    match before {
        Some(before) if before.players != players => Err(Fault::new(
            LogErrorKind::PlayerCountChanges,
            format!("{}, as in the previous rows", before.players.get()),
        )
        .in_column("num_players")
        .found(players.get())),
        _ => Ok(()),
    }
}
