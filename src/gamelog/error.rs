//! What can be wrong with a log. Every input error is made in this module.

use super::replay::ReplayFault;
use super::turn::GameId;
use crate::words::shown;
use std::path::PathBuf;
use std::{fmt, io};

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $name:literal,)*) => {
        /// What kind of fault a log has, for people who sort refusals: see the `refusals` table of
        /// the cache.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum LogErrorKind {
            $($(#[$doc])* $kind,)*
        }

        impl LogErrorKind {
            /// All kinds.
            pub const ALL: &[LogErrorKind] = &[$(LogErrorKind::$kind,)*];

            /// A name that does not change between versions, for tables and scripts.
            pub const fn name(self) -> &'static str {
                match self {
                    $(LogErrorKind::$kind => $name,)*
                }
            }
        }
    };
}

kinds! {
    /// The file could not be read at all.
    Unreadable = "unreadable",
    /// The file is compressed, and cannot be unpacked.
    DamagedFile = "damaged_file",
    /// The file holds no bytes, or only blank lines.
    Empty = "empty",
    /// There is a header but no row.
    NoRows = "no_rows",
    /// Bytes that are not UTF-8.
    InvalidUtf8 = "invalid_utf8",
    /// A column of the format is not in the header.
    MissingColumn = "missing_column",
    /// A column is in the header twice.
    DoubledColumn = "doubled_column",
    /// A column that the format does not have.
    UnknownColumn = "unknown_column",
    /// A row with too few values.
    ShortRow = "short_row",
    /// A row with too many values.
    LongRow = "long_row",
    /// A blank line between rows.
    BlankLine = "blank_line",
    /// The file ends in the middle of a row: the logger may still be writing it, or have died.
    CutOff = "cut_off",
    /// Text where a number belongs, or an unknown `action_type`.
    Text = "text",
    /// A number with a fraction.
    Fraction = "fraction",
    /// An infinity.
    Infinity = "infinity",
    /// A number outside its range.
    OutOfRange = "out_of_range",
    /// A value that may not be missing.
    MissingValue = "missing_value",
    /// A card, noble, player or take that is incomplete, or has a part too many.
    PartOfGroup = "part_of_group",
    /// An empty slot before a filled one.
    Gap = "gap",
    /// A card in another level's slots.
    WrongLevel = "wrong_level",
    /// A card that is not in the box.
    NoSuchCard = "no_such_card",
    /// A noble that is not in the box.
    NoSuchNoble = "no_such_noble",
    /// A row of another game.
    OtherGame = "other_game",
    /// A row with another number of players than the rows before.
    PlayerCountChanges = "player_count_changes",
    /// Two players in one seat.
    SeatTakenTwice = "seat_taken_twice",
    /// A player who does not sit where the turn order puts them.
    WrongSeat = "wrong_seat",
    /// A row does not follow from the row before: refused only where that is asked for.
    DoesNotReplay = "does_not_replay",
    /// One game id in two files.
    GameInTwoFiles = "game_in_two_files",
    /// The file was written to, or another took its place, while it was read.
    ChangedWhileRead = "changed_while_read",
    /// This program failed on it: a fault in the program, not in the log.
    Internal = "internal",
}

impl LogErrorKind {
    /// Whether the file may be no game log at all, and so hold anything.
    pub const fn is_of_other_format(self) -> bool {
        matches!(self, LogErrorKind::InvalidUtf8 | LogErrorKind::UnknownColumn)
    }

    /// Whether a logger may still be writing the log: it ends too early to be a game, or it changed
    /// while it was read. Once its writer is done, it is a good log.
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

/// What is wrong, without the place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The kind of fault.
    pub kind: LogErrorKind,
    /// The column or group of columns (`card3_*`); `None` where no column is at fault.
    pub column: Option<String>,
    /// The value, shortened; `None` if there is none.
    pub found: Option<String>,
    /// What would have been right.
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
        let expected = "a whole line and a line break: the file ends in the middle of this line";
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

    /// The file has more bytes than any log; without `bytes`, nobody knows how many when unpacked.
    pub fn too_large(file: impl Into<PathBuf>, bytes: Option<u64>, most: u64) -> LogError {
        let expected = format!("a log of at most {most} bytes");
        let found = match bytes {
            Some(bytes) => format!("it has {bytes} bytes, and no log has more than {most}"),
            None => format!("unpacked it has more than {most} bytes, and no log has"),
        };
        Fault::new(LogErrorKind::Unreadable, expected).found(found).at(file, None)
    }

    /// The file is compressed, and ends too early.
    pub fn compressed_cut_off(file: impl Into<PathBuf>) -> LogError {
        let expected = "a whole compressed file: it ends too early";
        Fault::new(LogErrorKind::CutOff, expected).at(file, None)
    }

    /// The file is compressed by its name, and cannot be unpacked.
    pub fn damaged_file(file: impl Into<PathBuf>, why: &str) -> LogError {
        let expected = "a compressed file that can be unpacked";
        Fault::new(LogErrorKind::DamagedFile, expected).found(why).at(file, None)
    }

    /// The file is not any more what it was when reading began.
    pub fn changed_while_read(file: impl Into<PathBuf>) -> LogError {
        let expected = "a log that stays as it is: it changed while it was read";
        Fault::new(LogErrorKind::ChangedWhileRead, expected).at(file, None)
    }

    /// A row does not follow from the row before.
    pub fn does_not_replay(file: impl Into<PathBuf>, fault: &ReplayFault) -> LogError {
        let mut error = Fault::new(LogErrorKind::DoesNotReplay, &fault.expected);
        (error.column, error.found) = (Some(fault.column.clone()), Some(fault.to_string()));
        error.at(file, Some(fault.line))
    }

    /// The same error without what the file holds: it is shown only to who may read the file.
    pub fn without_content(self) -> LogError {
        let found = "something else (not shown: the log is a link to a file outside of the folder)";
        let fault = Fault { found: Some(found.to_owned()), column: None, ..self.fault };
        LogError { fault, ..self }
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
            format!("one file for each game, but {} is game {game_id} too", shown(other)),
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
                return write!(f, "cannot be unpacked: {found}");
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

/// Characters of a value that an error shows.
const MAX_FOUND: usize = 80;

/// A field for an error: as much of it as is shown anyway, and no less.
pub(super) fn as_text(field: &[u8]) -> String {
    const MAX_BYTES_OF_CHARACTER: usize = 4;
    let shown = field.len().min((MAX_FOUND + 1) * MAX_BYTES_OF_CHARACTER);
    String::from_utf8_lossy(&field[..shown]).into_owned()
}

/// At most `max` characters of a text, so that a stray quote that swallowed half a file does not fill
/// the terminal. What cannot be seen (control characters, zero-width spaces) is shown as escapes, so
/// that it can be, and so that the terminal does not act on it.
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
