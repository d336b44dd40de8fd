//! Game logs: reads CSV files as typed turns, and writes them.
//!
//! One file is one game, one row is one turn: 403 columns, matched by name, in any order. [`read_log`]
//! parses fields in any of the three dialects to integers, checks the range of each column, and then the
//! rules between columns, so that every resulting [`Turn`] has a possible position. Any violation
//! becomes a [`LogError`] with file, line, column, value and expectation; nothing is guessed. A position
//! of a running game is read as a [`LiveRow`], with the same rules.
//!
//! A [`Replay`] checks whether each row follows from the previous row; it refuses nothing. Illegal moves
//! are not checked here: exports count them.

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
