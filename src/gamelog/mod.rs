//! Game logs: a CSV file's bytes to typed turns, and back.
//!
//! One file is one game, one row is one turn: 403 columns, matched by name, in any order. The way
//! in is [`read_log`]: fields to whole numbers in any of the three dialects, each inside its own
//! column's range, then the rules between columns, so that a [`Turn`] that comes out is a position
//! that exists. Whatever is wrong becomes a [`LogError`] that names file, line, column, value and
//! what was expected; nothing is guessed. A position of a game that is still being played comes in as a
//! [`LiveRow`], by the same rules.
//!
//! Whether each row follows from the row before is checked by a [`Replay`], which refuses nothing. Whether
//! the self-play search would have considered a logged move is not checked here: exports count those
//! moves.

mod columns;
mod error;
mod excerpt;
mod fields;
mod header;
mod live_row;
mod outcome;
mod play;
mod reader;
mod records;
mod replay;
mod row;
mod turn;
mod value;
mod writer;

pub use columns::{
    COLUMN_COUNT, STATE_COLUMN_COUNT, action_column_names, column_names, state_column_names,
};
pub use error::{Fault, LogError, LogErrorKind};
pub use excerpt::Excerpt;
pub use header::first_game_id;
pub use live_row::{LiveColumn, LiveRow, LiveValue};
pub use outcome::{Outcome, outcome_arrays};
pub use play::GamePlay;
pub use reader::{LogSummary, ReadOptions, read_log};
pub use replay::{
    Ending, GameResult, MAX_REPLAY_FAULTS, Replay, ReplayFault, ReplayFaultKind, Replayed,
};
pub use turn::{
    ActionType, BUILD_PLACES, GameId, LoggedAction, Turn, reservation_code, selection_code,
};
pub use writer::{Dialect, write_log};
