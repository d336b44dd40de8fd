//! Game logs: a CSV file's bytes to typed turns, and back.
mod turn;
pub use turn::{
    ActionType, BUILD_PLACES, GameId, LoggedAction, Turn, reservation_code, selection_code,
};
