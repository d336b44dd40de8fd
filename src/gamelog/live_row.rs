//! A row that comes from a running game instead of a file: a program at play has a position and
//! wants its features, and no log yet.
//!
//! The values are checked by the rules of a log, each by its own column's range and then all of them
//! together, so that a network at play never sees what it could not have been trained on.

use super::columns::{
    self, ACTION_TYPE, COLUMN_COUNT, COLUMNS, GAME_ID, NUM_PLAYERS, RANGES, STATE_COLUMN_COUNT,
};
use super::error::{Fault, LogErrorKind};
use super::header::unknown_column;
use super::reader::{parse_action_type, parse_number};
use super::row::{MISSING, Row, missing_value, range_text};
use super::turn::LoggedAction;
use crate::rules::Board;

/// The columns that describe a position, in the order in which a log has them.
pub fn state_column_names() -> impl Iterator<Item = &'static str> {
    columns::column_names().skip(NUM_PLAYERS).take(STATE_COLUMN_COUNT)
}

/// The columns that describe the chosen move, in the order in which a log has them.
pub fn action_column_names() -> impl Iterator<Item = &'static str> {
    columns::column_names().skip(ACTION_TYPE)
}

/// One of the columns of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LiveColumn(usize);

impl LiveColumn {
    /// The column of that name. Looks through all of them: who sets many rows does it once.
    ///
    /// # Errors
    /// [`LogErrorKind::UnknownColumn`], with the column that was most likely meant.
    pub fn named(name: &str) -> Result<LiveColumn, Fault> {
        let place = columns::column_names().position(|column| column == name);
        place.map(LiveColumn).ok_or_else(|| unknown_column(name))
    }

    /// The column at a place among all 403, in the order of [`column_names`](super::column_names).
    pub fn at(place: usize) -> Option<LiveColumn> {
        (place < COLUMN_COUNT).then_some(LiveColumn(place))
    }

    /// The column at a place among those of the position, from 0 up to [`STATE_COLUMN_COUNT`].
    pub fn of_state(place: usize) -> Option<LiveColumn> {
        (place < STATE_COLUMN_COUNT).then_some(LiveColumn(NUM_PLAYERS + place))
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        COLUMNS[self.0].name.as_str()
    }
}

/// A value as a program holds it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LiveValue<'v> {
    /// There is none.
    Missing,
    /// A whole number.
    Whole(i64),
    /// A number in floating point; NaN is a missing value, a fraction is refused.
    Real(f64),
    /// Text, read as a field of a log is.
    Text(&'v str),
}

/// The values of one position, and of the move if there is one. Begins with all of them missing.
///
/// ```
/// use splendor_prep::gamelog::{LiveColumn, LiveRow, LiveValue};
///
/// let mut row = LiveRow::new();
/// row.set(LiveColumn::named("num_players")?, LiveValue::Whole(2))?;
/// let fault = row.board().unwrap_err();
/// assert_eq!(fault.to_string(), "turn_number is missing, expected a whole number from 1 to 10000");
/// # Ok::<(), splendor_prep::gamelog::Fault>(())
/// ```
pub struct LiveRow(Row);

impl Default for LiveRow {
    fn default() -> LiveRow {
        LiveRow::new()
    }
}

impl LiveRow {
    /// With every value missing.
    pub fn new() -> LiveRow {
        LiveRow(Row::new())
    }

    /// Sets a value. What `game_id` is does not matter: there is no file that it could contradict.
    ///
    /// # Errors
    /// If the column holds no such value.
    #[inline]
    pub fn set(&mut self, column: LiveColumn, value: LiveValue<'_>) -> Result<(), Fault> {
        let LiveColumn(place) = column;
        self.0.values[place] = match plain_value(value, place) {
            Some(value) => value,
            None => other_value(value, place)?,
        };
        Ok(())
    }

    /// The position.
    ///
    /// # Errors
    /// The first rule of a log that the values break.
    pub fn board(&self) -> Result<Board, Fault> {
        self.check_required(NUM_PLAYERS..ACTION_TYPE)?;
        self.0.board()
    }

    /// The move; `None` if the row says nothing of one.
    ///
    /// # Errors
    /// The first rule of a log that the values break. A move without its `action_type` is one.
    pub fn action(&self) -> Result<Option<LoggedAction>, Fault> {
        // As in a log, -1 is no noble and 0 is nothing given back.
        let says_nothing = |place: usize| match self.0.values[place] {
            MISSING => true,
            -1 => place == columns::NOBLE_SELECTION,
            0 => place >= columns::GEMS_REMOVED,
            _ => false,
        };
        if (ACTION_TYPE..COLUMN_COUNT).all(says_nothing) {
            return Ok(None);
        }
        if self.0.values[ACTION_TYPE] == MISSING {
            let expected = "the kind of the move, as other columns tell of one";
            return Err(Fault::new(LogErrorKind::MissingValue, expected).in_column("action_type"));
        }
        self.0.action().map(Some)
    }

    fn check_required(&self, mut places: std::ops::Range<usize>) -> Result<(), Fault> {
        let is_lacking =
            |&place: &usize| self.0.values[place] == MISSING && !COLUMNS[place].may_be_missing;
        match places.find(is_lacking) {
            Some(place) => Err(missing_value(&COLUMNS[place])),
            None => Ok(()),
        }
    }
}

/// What nearly every value is: missing, or inside its column's range. `None` is for all others, right
/// or wrong; small, so that it becomes a part of the caller's loop.
#[inline]
fn plain_value(value: LiveValue<'_>, place: usize) -> Option<i16> {
    let whole = match value {
        LiveValue::Missing => return Some(MISSING),
        LiveValue::Whole(value) => value,
        LiveValue::Real(value) if value.is_nan() => return Some(MISSING),
        // Whole numbers up to 2^53 come back from an i64 unchanged. What does not is a fraction, or
        // far outside any range.
        LiveValue::Real(value) if value as i64 as f64 == value => value as i64,
        LiveValue::Real(_) | LiveValue::Text(_) => return None,
    };
    let (min, max) = RANGES[place];
    (i64::from(min) <= whole && whole <= i64::from(max)).then_some(whole as i16)
}

#[cold]
fn other_value(value: LiveValue<'_>, place: usize) -> Result<i16, Fault> {
    let (kind, found) = match value {
        LiveValue::Missing => return Ok(MISSING),
        LiveValue::Text(text) => return from_text(text, place),
        LiveValue::Whole(value) => (LogErrorKind::OutOfRange, value.to_string()),
        LiveValue::Real(value) => {
            let kind = match value {
                _ if value.is_infinite() => LogErrorKind::Infinity,
                _ if value.fract() != 0.0 => LogErrorKind::Fraction,
                _ => LogErrorKind::OutOfRange,
            };
            (kind, value.to_string())
        }
    };
    match place {
        GAME_ID => Ok(MISSING),
        ACTION_TYPE => parse_action_type(found.as_bytes()),
        _ => {
            let column = &COLUMNS[place];
            Err(Fault::new(kind, range_text(column)).in_column(column.name).found(found))
        }
    }
}

fn from_text(text: &str, place: usize) -> Result<i16, Fault> {
    match place {
        GAME_ID => Ok(MISSING),
        ACTION_TYPE if super::value::parse(text.as_bytes()) == Ok(None) => Ok(MISSING),
        ACTION_TYPE => parse_action_type(text.as_bytes()),
        // A missing value is refused where the whole row is known: see `check_required`.
        _ if super::value::parse(text.as_bytes()) == Ok(None) => Ok(MISSING),
        _ => parse_number(text.as_bytes(), place),
    }
}
