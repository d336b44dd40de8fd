//! A log's bytes to its turns.
//!
//! Columns are matched by name once per file, and every row is sorted into canonical order while its
//! numbers are parsed. Turns go to the caller one at a time, so that a game needs no memory here
//! however long it is.

use super::columns::{self, COLUMN_COUNT, COLUMNS};
use super::error::{Fault, LogError, LogErrorKind};
use super::fields::{ColumnOrder, parse_fields, parse_line};
use super::header::match_header;
use super::play::GamePlay;
use super::records::{Located, Record, Records};
use super::replay::{Replay, ReplayFault};
use super::row::Row;
use super::turn::{GameId, Turn};
use super::value;
use crate::rules::PlayerCount;
use std::cmp::Ordering;
use std::path::Path;

/// How a log is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReadOptions {
    /// Read rows with the known gem fault as they were meant
    /// (see [`LoggedAction::repair_gem_fault`](super::LoggedAction::repair_gem_fault)).
    pub repair: bool,
    /// Refuse a game that does not [replay](super::Replay).
    pub strict: bool,
}

/// What was in a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogSummary {
    /// Turns read, at least 1.
    pub rows: u32,
    /// Players in the game.
    pub players: PlayerCount,
    /// Rows with the known gem fault, repaired or not.
    pub gem_fault_rows: u32,
    /// Rows in which gems on the table and in hands do not add up to the supply.
    pub unbalanced_rows: u32,
    /// How the game went.
    pub play: GamePlay,
    /// The first rows that do not follow from the row before, at most
    /// [`MAX_REPLAY_FAULTS`](super::MAX_REPLAY_FAULTS).
    pub replay_faults: Vec<ReplayFault>,
}

/// Reads the log of one game and gives each turn to `each_turn`, in file order.
///
/// `file` is only for errors; `game_id`, from the file's name, is what every row must say.
///
/// # Errors
/// The first fault in the log; with `strict`, last of all that it does not replay. Turns before it have been given to `each_turn` by then: drop what
/// was made of them.
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
        return Err(Fault::new(LogErrorKind::Empty, "a header, then one row a turn").at(file, None));
    }
    let unfinished = records.unfinished_value().is_some();
    let order =
        match_header(&records.record, unfinished).map_err(|fault| at(records.locate(fault)))?;

    let mut row = Row::new();
    let mut replay = Replay::default();
    let mut summary: Option<LogSummary> = None;
    while records.advance().map_err(at)? {
        let mut turn = parse_row(&records, &order, game_id, &mut row)
            .and_then(|()| row.to_turn())
            .and_then(|turn| check_player_count(turn, summary.as_ref()))
            .map_err(|fault| at(locate_in_row(&records, fault, &order)))?;

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

/// A fault of the current row. Half a word or number at the end of an unfinished file is no text
/// to complain about, but a sign that the file was cut off.
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

/// Whether the last value of a file without a line break at its end may be the first part of
/// another one: `1` of `15`, or nothing at all. Reading it would be guessing, and most
/// logs that are still being written end like this.
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
    // A value may only seem wrong because one before it is missing or one too many: count first.
    if !matches!(parsed, Ok(true)) {
        let count = records.record.fields().count();
        let found = format!("{count} values");
        let expected = format!("{COLUMN_COUNT} values, as the header has");
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

/// One file is one game, and players do not leave.
fn check_player_count(turn: Turn, before: Option<&LogSummary>) -> Result<Turn, Fault> {
    let players = turn.board.player_count();
    match before {
        Some(before) if before.players != players => Err(Fault::new(
            LogErrorKind::PlayerCountChanges,
            format!("{}, as in the rows before", before.players.get()),
        )
        .in_column("num_players")
        .found(players.get())),
        _ => Ok(turn),
    }
}
