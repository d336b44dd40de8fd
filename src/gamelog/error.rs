//! Errors of logs. Every input error is created in this module.

use super::replay::ReplayFault;
use super::turn::GameId;
use crate::words::shown;
use std::path::PathBuf;
use std::{fmt, io};

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $name:literal,)*) => {
        /// The kind of an error, for queries of the `refusals` table of the cache.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum LogErrorKind {
            $($(#[$doc])* $kind,)*
        }

        impl LogErrorKind {
            /// All kinds.
            pub const ALL: &[LogErrorKind] = &[$(LogErrorKind::$kind,)*];

            /// A name that is stable between versions, for tables and scripts.
            pub const fn name(self) -> &'static str {
                match self {
                    $(LogErrorKind::$kind => $name,)*
                }
            }
        }
    };
}

kinds! {
    /// The file could not be read.
    Unreadable = "unreadable",
    /// The file is compressed and cannot be decompressed.
    DamagedFile = "damaged_file",
    /// The file is empty, or has only blank lines.
    Empty = "empty",
    /// There is a header but no row.
    NoRows = "no_rows",
    /// Invalid UTF-8.
    InvalidUtf8 = "invalid_utf8",
    /// A column of the format is not in the header.
    MissingColumn = "missing_column",
    /// A column is in the header twice.
    DoubledColumn = "doubled_column",
    /// An unknown column.
    UnknownColumn = "unknown_column",
    /// A row with too few values.
    ShortRow = "short_row",
    /// A row with too many values.
    LongRow = "long_row",
    /// A blank line between rows.
    BlankLine = "blank_line",
    /// The file ends in the middle of a row: the logger may still be writing it, or was killed.
    CutOff = "cut_off",
    /// Text in the place of a number, or an unknown `action_type`.
    Text = "text",
    /// A number with a fraction.
    Fraction = "fraction",
    /// An infinity.
    Infinity = "infinity",
    /// A number outside its range.
    OutOfRange = "out_of_range",
    /// A value that may not be missing.
    MissingValue = "missing_value",
    /// A card, noble, player or take that is incomplete or has an extra part.
    PartOfGroup = "part_of_group",
    /// An empty slot before a filled one.
    Gap = "gap",
    /// A card in another level's slots.
    WrongLevel = "wrong_level",
    /// A card that does not exist in the game.
    NoSuchCard = "no_such_card",
    /// A noble that does not exist in the game.
    NoSuchNoble = "no_such_noble",
    /// A row of another game.
    OtherGame = "other_game",
    /// A row with a different number of players than the previous rows.
    PlayerCountChanges = "player_count_changes",
    /// Two players in one seat.
    SeatTakenTwice = "seat_taken_twice",
    /// A player whose seat contradicts the turn order.
    WrongSeat = "wrong_seat",
    /// A row does not follow from the previous row: refused only with `--strict`.
    DoesNotReplay = "does_not_replay",
    /// Two files have the same game id.
    GameInTwoFiles = "game_in_two_files",
    /// The file was changed or replaced while it was read.
    ChangedWhileRead = "changed_while_read",
    /// prep panicked while reading it: a bug in prep, not in the log.
    Internal = "internal",
}

impl LogErrorKind {
    /// Whether the file may not be a game log at all, so that its content may be confidential.
    pub const fn is_of_other_format(self) -> bool {
        matches!(self, LogErrorKind::InvalidUtf8 | LogErrorKind::UnknownColumn)
    }

    /// Whether a logger may still be writing the log: the log is truncated, or changed while it was
    /// read, and may be valid when it is complete.
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

/// An error of a log: `FILE:LINE: COLUMN is VALUE, expected EXPECTATION`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogError {
    /// The file, as the caller named it.
    pub file: PathBuf,
    /// The line in the file; the header is line 1. `None` if the error is about the whole file.
    pub line: Option<u64>,
    /// The fault.
    pub fault: Fault,
}

/// A fault without its location.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The kind of fault.
    pub kind: LogErrorKind,
    /// The column or group of columns (`card3_*`); `None` if the fault is not about a column.
    pub column: Option<String>,
    /// The value, shortened; `None` if there is none.
    pub found: Option<String>,
    /// The expectation.
    pub expected: String,
    /// Whether the log is deferred to the next run, because it is still being written.
    pub deferred: bool,
}

impl Fault {
    pub(super) fn new(kind: LogErrorKind, expected: impl Into<String>) -> Fault {
        Fault { kind, column: None, found: None, expected: expected.into(), deferred: false }
    }

    /// The file ends within a line.
    pub(super) fn cut_off() -> Fault {
        let expected = "the rest of the line: the file ends here";
        Fault::new(LogErrorKind::CutOff, expected)
    }

    pub(super) fn in_column(mut self, column: impl fmt::Display) -> Fault {
        self.column = Some(column.to_string());
        self
    }

    pub(super) fn found(mut self, found: impl fmt::Display) -> Fault {
        self.found = Some(shorten(&found.to_string(), MAX_FOUND));
        self
    }

    pub(super) fn at(self, file: impl Into<PathBuf>, line: Option<u64>) -> LogError {
        LogError { file: file.into(), line, fault: self }
    }
}

impl LogError {
    /// The file could not be read.
    pub fn unreadable(file: impl Into<PathBuf>, error: &io::Error) -> LogError {
        let found = match error.kind() {
            io::ErrorKind::NotFound => "no such file (a broken symbolic link?)".to_owned(),
            io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
            _ => error.to_string(),
        };
        Fault::new(LogErrorKind::Unreadable, "a file that can be read").found(found).at(file, None)
    }

    /// The file is larger than any log; `bytes` is `None` if the decompressed size is unknown.
    pub fn too_large(file: impl Into<PathBuf>, bytes: Option<u64>, most: u64) -> LogError {
        let expected = format!("a log of at most {most} bytes");
        let found = match bytes {
            Some(bytes) => format!("it has {bytes} bytes, more than any log ({most})"),
            None => format!("decompressed it has more than {most} bytes, more than any log"),
        };
        Fault::new(LogErrorKind::Unreadable, expected).found(found).at(file, None)
    }

    /// The file is compressed, and ends too early.
    pub fn compressed_cut_off(file: impl Into<PathBuf>) -> LogError {
        let expected = "a complete compressed file: it ends too early";
        Fault::new(LogErrorKind::CutOff, expected).at(file, None)
    }

    /// The file is compressed according to its name, and cannot be decompressed.
    pub fn damaged_file(file: impl Into<PathBuf>, why: &str) -> LogError {
        let expected = "a valid compressed file";
        Fault::new(LogErrorKind::DamagedFile, expected).found(why).at(file, None)
    }

    /// The file changed while it was read.
    pub fn changed_while_read(file: impl Into<PathBuf>) -> LogError {
        let expected = "a log that does not change while it is read";
        Fault::new(LogErrorKind::ChangedWhileRead, expected).at(file, None)
    }

    /// A row does not follow from the previous row.
    pub fn does_not_replay(file: impl Into<PathBuf>, fault: &ReplayFault) -> LogError {
        let mut error = Fault::new(LogErrorKind::DoesNotReplay, &fault.expected);
        (error.column, error.found) = (Some(fault.column.clone()), Some(fault.to_string()));
        error.at(file, Some(fault.line))
    }

    /// The same error without content of the file, which may be shown only to users with read permission.
    pub fn without_content(self) -> LogError {
        let found = "something else (not shown: the log is a link to a file outside the folder)";
        let fault = Fault { found: Some(found.to_owned()), column: None, ..self.fault };
        LogError { fault, ..self }
    }

    /// prep panicked while reading the file.
    pub fn internal(file: impl Into<PathBuf>, message: &str) -> LogError {
        let expected = "no panic for any file: please report this bug, with the file if possible";
        Fault::new(LogErrorKind::Internal, expected).found(message).at(file, None)
    }

    /// Two files have the same game id.
    pub fn game_in_two_files(
        game_id: GameId,
        file: impl Into<PathBuf>,
        other: &std::path::Path,
    ) -> LogError {
        Fault::new(
            LogErrorKind::GameInTwoFiles,
            format!("one file for each game, but {} is also game {game_id}", shown(other)),
        )
        .found(format!("game {game_id}"))
        .at(file, None)
    }
}

impl fmt::Display for LogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", shown(&self.file))?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}", self.fault)?;
        if self.fault.deferred {
            f.write_str("; still being written: it will be tried again on the next run")?;
        }
        Ok(())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.column, &self.found) {
            (_, Some(found)) if self.kind == LogErrorKind::Unreadable => {
                return write!(f, "cannot be read: {found}");
            }
            (_, Some(found)) if self.kind == LogErrorKind::DamagedFile => {
                return write!(f, "cannot be decompressed: {found}");
            }
            (_, Some(found)) if self.kind == LogErrorKind::DoesNotReplay => {
                return write!(f, "does not replay: {found}");
            }
            (Some(column), Some(found)) => write!(f, "{column} is `{found}`, ")?,
            (Some(column), None) => match self.kind {
                LogErrorKind::DoubledColumn => write!(f, "{column} is in the header twice, ")?,
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

/// Limit on the characters of a value that an error shows.
const MAX_FOUND: usize = 80;

/// Converts a field to text for an error, up to the number of characters that are shown.
pub(super) fn as_text(field: &[u8]) -> String {
    const MAX_BYTES_OF_CHARACTER: usize = 4;
    let shown = field.len().min((MAX_FOUND + 1) * MAX_BYTES_OF_CHARACTER);
    String::from_utf8_lossy(&field[..shown]).into_owned()
}

/// Shortens a text to at most `max` characters, because a stray quote can make half of a file one value.
/// Invisible characters (control characters, zero-width spaces) are escaped, so that they are visible
/// and have no effect on the terminal.
pub(super) fn shorten(text: &str, max: usize) -> String {
    let mut short = String::new();
    for c in text.chars().take(max) {
        match c {
            '"' | '\'' | '\\' => short.push(c),
            _ => short.extend(c.escape_debug()),
        }
    }
    if text.chars().nth(max).is_some() {
        short.push('…');
    }
    short
}
