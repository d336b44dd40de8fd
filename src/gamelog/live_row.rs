//! A row from a running game instead of a file, for programs that need the features of a position that
//! is not logged yet.
//!
//! The values are checked by the rules for logs, so that a network in play gets only values that it
//! could have been trained on.

use super::columns::{
    ACTION_TYPE, COLUMN_COUNT, COLUMNS, GAME_ID, GEMS_REMOVED, NOBLE_SELECTION, NUM_PLAYERS,
    STATE_COLUMN_COUNT, TURN_NUMBER, column_names,
};
use super::error::{Fault, LogErrorKind};
use super::fields::{parse_action_type, parse_number};
use super::header::unknown_column;
use super::row::{KnownCards, MISSING, Row, missing_value, range_text};
use super::turn::LoggedAction;
use super::value;
use crate::rules::Board;

/// A column of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LiveColumn(usize);

impl LiveColumn {
    /// The column with that name. This is a linear search: look up each column once, not once per row.
    ///
    /// # Errors
    /// [`LogErrorKind::UnknownColumn`], with the most similar column.
    pub fn named(name: &str) -> Result<LiveColumn, Fault> {
        let place = column_names().position(|column| column == name);
        place.map(LiveColumn).ok_or_else(|| unknown_column(name))
    }

    /// The column at an index among all 403, in the order of [`column_names`].
    pub fn at(place: usize) -> Option<LiveColumn> {
        (place < COLUMN_COUNT).then_some(LiveColumn(place))
    }

    /// The column at an index among those of the position, below [`STATE_COLUMN_COUNT`].
    pub fn of_state(place: usize) -> Option<LiveColumn> {
        (place < STATE_COLUMN_COUNT).then_some(LiveColumn(NUM_PLAYERS + place))
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        &COLUMNS[self.0].name
    }
}

/// A value in a program.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LiveValue<'v> {
    /// A missing value.
    Missing,
    /// An integer.
    Whole(i64),
    /// A floating-point number; NaN means missing, a fraction is refused.
    Real(f64),
    /// Text, which is parsed like a field of a log.
    Text(&'v str),
}

/// The values of a position, and of the move if there is one. Initially all values are missing.
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
    /// Creates a row with all values missing.
    pub fn new() -> LiveRow {
        LiveRow(Row::new())
    }

    /// Sets a value. `game_id` may be any number, because there is no file name to compare it with.
    ///
    /// # Errors
    /// If the value is invalid for the column.
    #[inline]
    pub fn set(&mut self, column: LiveColumn, value: LiveValue<'_>) -> Result<(), Fault> {
        let LiveColumn(place) = column;
        let whole = match value {
            LiveValue::Whole(value) => Some(value),
            // Integers up to 2^53 survive the conversion to i64 and back. Other values are fractions, or
            // far out of range.
            LiveValue::Real(value) => Some(value as i64).filter(|&whole| whole as f64 == value),
            LiveValue::Missing | LiveValue::Text(_) => None,
        };
        let column = &COLUMNS[place];
        let in_range = |whole: &i64| (column.min.into()..=column.max.into()).contains(whole);
        self.0.values[place] = match whole.filter(in_range) {
            Some(whole) => whole as i16,
            None => other_value(value, place)?,
        };
        Ok(())
    }

    /// The position.
    ///
    /// # Errors
    /// The first rule of a log that the values break.
    pub fn board(&self) -> Result<Board, Fault> {
        let is_lacking =
            |&place: &usize| self.0.values[place] == MISSING && !COLUMNS[place].may_be_missing;
        match (NUM_PLAYERS..ACTION_TYPE).find(is_lacking) {
            Some(place) => Err(missing_value(&COLUMNS[place])),
            None => self.0.board(&mut KnownCards::default()),
        }
    }

    /// The turn number of a row with a position.
    pub fn turn_number(&self) -> i32 {
        self.0.values[TURN_NUMBER].into()
    }

    /// The move; `None` if the row has none.
    ///
    /// # Errors
    /// The first rule of logs that the values violate, such as a move without its `action_type`.
    pub fn action(&self) -> Result<Option<LoggedAction>, Fault> {
        // As in a log, -1 means no noble and 0 means nothing given back.
        let is_empty = |place: usize| match self.0.values[place] {
            MISSING => true,
            -1 => place == NOBLE_SELECTION,
            0 => place >= GEMS_REMOVED,
            _ => false,
        };
        if (ACTION_TYPE..COLUMN_COUNT).all(is_empty) {
            return Ok(None);
        }
        if self.0.values[ACTION_TYPE] == MISSING {
            let expected = "the kind of move, because other columns describe a move";
            return Err(Fault::new(LogErrorKind::MissingValue, expected).in_column("action_type"));
        }
        self.0.action().map(Some)
    }
}

/// Converts a value that is not an integer in the column's range to an error. [`LiveRow::board`] refuses
/// missing values, when the whole row is known.
fn other_value(value: LiveValue<'_>, place: usize) -> Result<i16, Fault> {
    let (kind, found) = match value {
        _ if place == GAME_ID => return Ok(MISSING),
        LiveValue::Missing => return Ok(MISSING),
        LiveValue::Real(value) if value.is_nan() => return Ok(MISSING),
        LiveValue::Text(text) => match value::parse(text.as_bytes()) {
            Ok(None) => return Ok(MISSING),
            _ if place == ACTION_TYPE => return parse_action_type(text.as_bytes()),
            _ => return parse_number(text.as_bytes(), place),
        },
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
    if place == ACTION_TYPE {
        return parse_action_type(found.as_bytes());
    }
    let column = &COLUMNS[place];
    Err(Fault::new(kind, range_text(column)).in_column(&column.name).found(found))
}
