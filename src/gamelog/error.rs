//! What can be wrong with a log. Every input error is born in this room.

use super::turn::GameId;
use std::fmt;
use std::path::PathBuf;

/// What kind of fault a log has. Named for people who sort refusals: see the `refusals` table of
/// the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LogErrorKind {
    /// The file could not be read at all.
    Unreadable,
    /// The file holds no bytes, or only blank lines.
    Empty,
    /// There is a header but no row.
    NoRows,
    /// Bytes that are not UTF-8.
    InvalidUtf8,
    /// A column of the format is not in the header.
    MissingColumn,
    /// A column stands in the header twice.
    DoubledColumn,
    /// A column that the format does not have.
    UnknownColumn,
    /// A row with too few values.
    ShortRow,
    /// A row with too many values.
    LongRow,
    /// A blank line between rows.
    BlankLine,
    /// The file ends in the middle of a row: the logger may still be writing it.
    CutOff,
    /// Text where a number belongs, or an unknown `action_type`.
    Text,
    /// A number with a fraction.
    Fraction,
    /// An infinity.
    Infinity,
    /// A number outside its range.
    OutOfRange,
    /// A value that may not be missing.
    MissingValue,
    /// A card, noble, player or take of which only a part is there, or a part too many.
    PartOfGroup,
    /// An empty slot before a filled one.
    Gap,
    /// A card in another level's slots.
    WrongLevel,
    /// A card that is not in the box.
    NoSuchCard,
    /// A noble that is not in the box.
    NoSuchNoble,
    /// A row of another game.
    OtherGame,
    /// A row with another number of players than the rows before.
    PlayerCountChanges,
    /// Two players in one seat.
    SeatTakenTwice,
    /// A player who does not sit where the turn order puts them.
    WrongSeat,
    /// One game id in two files.
    GameInTwoFiles,
    /// The file was written to, or another took its place, while it was read.
    ChangedWhileRead,
    /// This program failed on it: a fault in the program, not in the log.
    Internal,
}

impl LogErrorKind {
    /// A name that does not change between versions, for tables and scripts.
    pub const fn name(self) -> &'static str {
        match self {
            LogErrorKind::Unreadable => "unreadable",
            LogErrorKind::Empty => "empty",
            LogErrorKind::NoRows => "no_rows",
            LogErrorKind::InvalidUtf8 => "invalid_utf8",
            LogErrorKind::MissingColumn => "missing_column",
            LogErrorKind::DoubledColumn => "doubled_column",
            LogErrorKind::UnknownColumn => "unknown_column",
            LogErrorKind::ShortRow => "short_row",
            LogErrorKind::LongRow => "long_row",
            LogErrorKind::BlankLine => "blank_line",
            LogErrorKind::CutOff => "cut_off",
            LogErrorKind::Text => "text",
            LogErrorKind::Fraction => "fraction",
            LogErrorKind::Infinity => "infinity",
            LogErrorKind::OutOfRange => "out_of_range",
            LogErrorKind::MissingValue => "missing_value",
            LogErrorKind::PartOfGroup => "part_of_group",
            LogErrorKind::Gap => "gap",
            LogErrorKind::WrongLevel => "wrong_level",
            LogErrorKind::NoSuchCard => "no_such_card",
            LogErrorKind::NoSuchNoble => "no_such_noble",
            LogErrorKind::OtherGame => "other_game",
            LogErrorKind::PlayerCountChanges => "player_count_changes",
            LogErrorKind::SeatTakenTwice => "seat_taken_twice",
            LogErrorKind::WrongSeat => "wrong_seat",
            LogErrorKind::GameInTwoFiles => "game_in_two_files",
            LogErrorKind::ChangedWhileRead => "changed_while_read",
            LogErrorKind::Internal => "internal",
        }
    }

    /// Whether the log looks as one does while a logger is at work on it: it ends too early to be a
    /// game, or it changed under the reader's eyes. A writer that goes on mends it by itself.
    pub const fn may_be_unfinished(self) -> bool {
        matches!(
            self,
            LogErrorKind::Empty
                | LogErrorKind::NoRows
                | LogErrorKind::CutOff
                | LogErrorKind::ChangedWhileRead
        )
    }
}

/// Why a log is refused: `FILE:LINE: COLUMN is VALUE, expected EXPECTATION`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogError {
    /// The file, as the caller named it.
    pub file: PathBuf,
    /// Line in the file from 1, the header being 1; `None` where the file as a whole is at fault.
    pub line: Option<u64>,
    /// What is wrong there.
    pub fault: Fault,
}

/// What is wrong, wherever it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The kind of fault.
    pub kind: LogErrorKind,
    /// The column or group of columns (`card3_*`); `None` where no column is at fault.
    pub column: Option<String>,
    /// What stands there, shortened; `None` where nothing does.
    pub found: Option<String>,
    /// What would have been right.
    pub expected: String,
}

impl Fault {
    pub(super) fn new(kind: LogErrorKind, expected: impl Into<String>) -> Fault {
        Fault { kind, column: None, found: None, expected: expected.into() }
    }

    /// The file ends within a line.
    pub(super) fn cut_off() -> Fault {
        let expected = "a whole line and a line break: the file ends in the middle of this line, \
                        its writer may not be done";
        Fault::new(LogErrorKind::CutOff, expected)
    }

    pub(super) fn in_column(mut self, column: impl fmt::Display) -> Fault {
        self.column = Some(column.to_string());
        self
    }

    pub(super) fn found(mut self, found: impl fmt::Display) -> Fault {
        self.found = Some(shorten(&found.to_string()));
        self
    }

    pub(super) fn at(self, file: impl Into<PathBuf>, line: Option<u64>) -> LogError {
        LogError { file: file.into(), line, fault: self }
    }
}

impl LogError {
    /// The file could not be read.
    pub fn unreadable(file: impl Into<PathBuf>, error: &std::io::Error) -> LogError {
        Fault::new(LogErrorKind::Unreadable, "a file that can be read").found(error).at(file, None)
    }

    /// The file has more bytes than any log.
    pub fn too_large(file: impl Into<PathBuf>, bytes: u64, most: u64) -> LogError {
        let expected = format!("a log of at most {most} bytes");
        Fault::new(LogErrorKind::Unreadable, expected)
            .found(format!("a file of {bytes} bytes"))
            .at(file, None)
    }

    /// The file is not any more what it was when reading began.
    pub fn changed_while_read(file: impl Into<PathBuf>) -> LogError {
        let expected = "a log that stays as it is: it changed while it was read";
        Fault::new(LogErrorKind::ChangedWhileRead, expected).at(file, None)
    }

    /// This program panicked over the file.
    pub fn internal(file: impl Into<PathBuf>, message: &str) -> LogError {
        let expected = "prep to read any file without failing itself: please report this, with the \
                        file if you can";
        Fault::new(LogErrorKind::Internal, expected).found(message).at(file, None)
    }

    /// Two files claim one game.
    pub fn game_in_two_files(
        game_id: GameId,
        file: impl Into<PathBuf>,
        other: &std::path::Path,
    ) -> LogError {
        Fault::new(
            LogErrorKind::GameInTwoFiles,
            format!("one file for each game, but {} is game {game_id} too", other.display()),
        )
        .found(format!("game {game_id}"))
        .at(file, None)
    }
}

impl fmt::Display for LogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}", self.fault)?;
        if self.fault.kind.may_be_unfinished() {
            f.write_str("; still being written: it will be tried again on the next run")?;
        }
        Ok(())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.column, &self.found) {
            (Some(column), Some(found)) => write!(f, "{column} is `{found}`, ")?,
            (Some(column), None) => match self.kind {
                LogErrorKind::DoubledColumn => write!(f, "{column} stands in the header twice, ")?,
                LogErrorKind::CutOff => write!(f, "{column} may be cut short, ")?,
                _ => write!(f, "{column} is missing, ")?,
            },
            (None, Some(found)) => write!(f, "found {found}, ")?,
            (None, None) => {}
        }
        write!(f, "expected {}", self.expected)
    }
}

impl std::error::Error for LogError {}

/// Most characters of a value that an error shows.
const LONGEST_FOUND: usize = 80;

/// A field for an error: as much of it as is shown anyway, and no less.
pub(super) fn as_text(field: &[u8]) -> String {
    const LONGEST_CHARACTER: usize = 4;
    let shown = field.len().min((LONGEST_FOUND + 1) * LONGEST_CHARACTER);
    String::from_utf8_lossy(&field[..shown]).into_owned()
}

/// Keeps a stray quote that swallowed half a file from filling the terminal; shows what cannot be
/// seen (control characters, zero-width spaces) as escapes, so that it can be, and so that it
/// cannot play with the terminal either.
fn shorten(found: &str) -> String {
    let mut short = String::new();
    for c in found.chars().take(LONGEST_FOUND) {
        match c {
            '"' | '\'' | '\\' => short.push(c),
            _ => short.extend(c.escape_debug()),
        }
    }
    if found.chars().nth(LONGEST_FOUND).is_some() {
        short.push('…');
    }
    short
}
