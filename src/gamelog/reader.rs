//! A log's bytes to its turns.
//!
//! The `csv` crate splits the fields; columns are matched by name once per file, and every row is
//! sorted into canonical order while its numbers are parsed. Turns go to the caller one at a time,
//! so a game takes no memory here however long it is.

use super::columns::{self, COLUMN_COUNT, COLUMNS};
use super::error::{Fault, LogError, LogErrorKind};
use super::row::{MISSING, Row, missing_value, range_text};
use super::turn::{ActionType, GameId, Turn};
use super::value;
use crate::splendor::PlayerCount;
use csv::ByteRecord;
use std::collections::HashMap;
use std::path::Path;
use std::sync::LazyLock;

/// How a log is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReadOptions {
    /// Read rows with the known gem fault as they were meant
    /// (see [`LoggedAction::repair_gem_fault`](super::LoggedAction::repair_gem_fault)).
    pub repair: bool,
}

/// What was in a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogSummary {
    /// Turns read, at least 1.
    pub rows: u32,
    /// Players in the game.
    pub players: PlayerCount,
    /// Rows with the known gem fault, repaired or not.
    pub gem_fault_rows: u32,
    /// Rows in which gems on the table and in hands do not add up to the supply.
    pub unbalanced_rows: u32,
}

/// Reads the log of one game and gives each turn to `each_turn`, in file order.
///
/// `file` is only for errors; `game_id`, from the file's name, is what every row must say.
///
/// # Errors
/// The first fault in the log. Turns before it have been given to `each_turn` by then: drop what
/// was made of them.
pub fn read_log(
    bytes: &[u8],
    file: &Path,
    game_id: GameId,
    options: ReadOptions,
    mut each_turn: impl FnMut(&Turn),
) -> Result<LogSummary, LogError> {
    let mut records = Records::new(bytes);
    let at = |(fault, line): Located| fault.at(file, line);

    if !records.advance().map_err(at)? {
        return Err(Fault::new(LogErrorKind::Empty, "a header, then one row a turn").at(file, None));
    }
    let order = match_header(&records.record).map_err(|fault| at(records.locate(fault)))?;

    let mut row = Row::new();
    let mut summary: Option<LogSummary> = None;
    while records.advance().map_err(at)? {
        let mut turn = parse_row(&records.record, &order, game_id, &mut row)
            .and_then(|()| row.to_turn())
            .and_then(|turn| check_player_count(turn, summary.as_ref()))
            .map_err(|fault| at(records.locate_in_row(fault, &order)))?;

        let summary = summary.get_or_insert(LogSummary {
            rows: 0,
            players: turn.board.player_count(),
            gem_fault_rows: 0,
            unbalanced_rows: 0,
        });
        summary.rows += 1;
        summary.gem_fault_rows += u32::from(turn.action.has_gem_fault());
        summary.unbalanced_rows += u32::from(!turn.board.gems_add_up());
        if options.repair {
            turn.action.repair_gem_fault();
        }
        each_turn(&turn);
    }
    summary.ok_or_else(|| {
        Fault::new(LogErrorKind::NoRows, "at least one row below the header").at(file, None)
    })
}

/// A fault and its line.
type Located = (Fault, Option<u64>);

/// The records of a file, and where the current one stands in it.
struct Records<'a> {
    bytes: &'a [u8],
    reader: csv::Reader<&'a [u8]>,
    record: ByteRecord,
    /// Where the current record begins in `bytes`.
    start: usize,
}

impl<'a> Records<'a> {
    fn new(bytes: &'a [u8]) -> Records<'a> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes);
        Records { bytes, reader, record: ByteRecord::new(), start: 0 }
    }

    /// Reads the next record; `false` at the end of the file.
    ///
    /// Blank lines end a file harmlessly. Between rows they are a fault: whoever dropped a row
    /// from the middle of a game should hear of it.
    fn advance(&mut self) -> Result<bool, Located> {
        let from = self.position();
        let more = self.read()?;
        let blank = skip_line_break(self.bytes, from);
        self.start = skip_blank(self.bytes, from);
        if !more || self.record_is_blank() {
            while self.read()? {
                if !self.record_is_blank() {
                    return Err(self.blank_line(blank));
                }
            }
            return Ok(false);
        }
        if self.start != blank {
            return Err(self.blank_line(blank));
        }
        Ok(true)
    }

    fn read(&mut self) -> Result<bool, Located> {
        // Reading bytes from memory as bytes has no error left to give; keep the message if it does.
        self.reader.read_byte_record(&mut self.record).map_err(|error| {
            (Fault::new(LogErrorKind::Unreadable, "a CSV file").found(error), None)
        })
    }

    /// Bytes read so far.
    fn position(&self) -> usize {
        self.reader.position().byte() as usize
    }

    fn record_is_blank(&self) -> bool {
        self.record.len() == 1 && value::trim(&self.record[0]).is_empty()
    }

    fn blank_line(&self, offset: usize) -> Located {
        let fault = Fault::new(LogErrorKind::BlankLine, "a row: blank lines may only end the file")
            .found("a blank line");
        (fault, Some(line_of(self.bytes, offset)))
    }

    /// A fault of the current record.
    fn locate(&self, fault: Fault) -> Located {
        let line = Some(line_of(self.bytes, self.start));
        if self.is_cut_off() {
            return (cut_off(fault), line);
        }
        (fault, line)
    }

    /// A fault of the current row. Where the file stops short of the row's last field, that is the
    /// fault to name.
    fn locate_in_row(&self, fault: Fault, order: &[u16]) -> Located {
        let last_column = order.last().map(|&column| COLUMNS[usize::from(column)].name);
        let may_be_cut = match fault.kind {
            LogErrorKind::ShortRow => true,
            LogErrorKind::Text | LogErrorKind::MissingValue => {
                fault.column.as_deref() == last_column.as_ref().map(|name| name.as_str())
            }
            _ => false,
        };
        if may_be_cut { self.locate(fault) } else { (fault, Some(line_of(self.bytes, self.start))) }
    }

    /// Whether the current record is the last and has no line break behind it.
    fn is_cut_off(&self) -> bool {
        self.position() == self.bytes.len() && !matches!(self.bytes.last(), Some(b'\n' | b'\r'))
    }
}

fn cut_off(fault: Fault) -> Fault {
    let expected = "the row to be complete: the file ends in the middle of it, the logger may \
                    still be writing";
    Fault { kind: LogErrorKind::CutOff, expected: expected.into(), ..fault }
}

/// Past the rest of the line break that ended the record before.
fn skip_line_break(bytes: &[u8], at: usize) -> usize {
    match (at.checked_sub(1).map(|before| bytes[before]), bytes.get(at)) {
        (Some(b'\r'), Some(b'\n')) => at + 1,
        _ => at,
    }
}

fn skip_blank(bytes: &[u8], at: usize) -> usize {
    at + bytes[at..].iter().take_while(|&&byte| matches!(byte, b'\n' | b'\r')).count()
}

fn line_of(bytes: &[u8], offset: usize) -> u64 {
    1 + bytes[..offset].iter().filter(|&&byte| byte == b'\n').count() as u64
}

/// For each field of a row, its place in canonical order.
fn match_header(header: &ByteRecord) -> Result<Vec<u16>, Fault> {
    static PLACES: LazyLock<HashMap<&str, u16>> =
        LazyLock::new(|| columns::column_names().zip(0..).collect());
    let mut seen = [false; COLUMN_COUNT];
    let mut order = Vec::with_capacity(COLUMN_COUNT);
    for name in header {
        let name = std::str::from_utf8(value::trim(name)).map_err(|_| {
            Fault::new(LogErrorKind::InvalidUtf8, "a column name in UTF-8")
                .found(String::from_utf8_lossy(name))
        })?;
        let Some(&place) = PLACES.get(name) else {
            return Err(unknown_column(name));
        };
        if std::mem::replace(&mut seen[usize::from(place)], true) {
            return Err(Fault::new(LogErrorKind::DoubledColumn, "each column once")
                .in_column(name)
                .found("in the header twice"));
        }
        order.push(place);
    }
    match seen.iter().position(|&seen| !seen) {
        Some(missing) => Err(Fault::new(
            LogErrorKind::MissingColumn,
            format!("all {COLUMN_COUNT} columns of a game log, the header has {}", order.len()),
        )
        .in_column(COLUMNS[missing].name)),
        None => Ok(order),
    }
}

fn unknown_column(name: &str) -> Fault {
    let nearest = columns::column_names()
        .map(|known| (strsim::damerau_levenshtein(known, name), known))
        .min();
    let hint = match nearest {
        Some((distance, known)) if distance <= 3 => format!(" (did you mean {known}?)"),
        _ => String::new(),
    };
    Fault::new(LogErrorKind::UnknownColumn, format!("only the columns of a game log{hint}"))
        .found(format!("the column `{name}`"))
}

/// Parses the fields of a row into canonical order.
fn parse_row(
    record: &ByteRecord,
    order: &[u16],
    game_id: GameId,
    row: &mut Row,
) -> Result<(), Fault> {
    if record.len() != order.len() {
        let kind = match record.len() < order.len() {
            true => LogErrorKind::ShortRow,
            false => LogErrorKind::LongRow,
        };
        return Err(Fault::new(kind, format!("{} values, as the header has", order.len()))
            .found(format!("{} values", record.len())));
    }
    for (field, &column) in record.iter().zip(order) {
        let column = usize::from(column);
        row.values[column] = match column {
            columns::GAME_ID => check_game_id(field, game_id)?,
            columns::ACTION_TYPE => parse_action_type(field)?,
            _ => parse_number(field, column)?,
        };
    }
    Ok(())
}

fn parse_number(field: &[u8], column: usize) -> Result<i16, Fault> {
    let column = &COLUMNS[column];
    let fault =
        |kind| Fault::new(kind, range_text(column)).in_column(column.name).found(as_text(field));
    match value::parse(field).map_err(fault)? {
        Some(value) if (column.min.into()..=column.max.into()).contains(&value) => Ok(value as i16),
        Some(_) => Err(fault(LogErrorKind::OutOfRange)),
        None if column.may_be_missing => Ok(MISSING),
        None => Err(missing_value(column)),
    }
}

fn check_game_id(field: &[u8], game_id: GameId) -> Result<i16, Fault> {
    let fault = |kind| {
        Fault::new(kind, format!("{game_id}, the game the file is named after"))
            .in_column("game_id")
    };
    match value::parse(field) {
        Ok(Some(value)) if value == game_id.0 => Ok(0),
        Ok(Some(_)) => Err(fault(LogErrorKind::OtherGame).found(as_text(field))),
        Ok(None) => Err(fault(LogErrorKind::MissingValue)),
        Err(kind) => Err(fault(kind).found(as_text(field))),
    }
}

fn parse_action_type(field: &[u8]) -> Result<i16, Fault> {
    let name = value::trim(field);
    if let Some(class) = ActionType::ALL.iter().position(|t| t.logged_name().as_bytes() == name) {
        return Ok(class as i16);
    }
    let known: Vec<_> = ActionType::ALL.iter().map(|t| t.logged_name()).collect();
    let fault = |kind| Fault::new(kind, known.join(", ")).in_column("action_type");
    if value::parse(field) == Ok(None) {
        return Err(fault(LogErrorKind::MissingValue));
    }
    let kind = match std::str::from_utf8(field) {
        Ok(_) => LogErrorKind::Text,
        Err(_) => LogErrorKind::InvalidUtf8,
    };
    Err(fault(kind).found(as_text(field)))
}

fn as_text(field: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(field)
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
