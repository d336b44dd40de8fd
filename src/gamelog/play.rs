//! How a game went, in a few numbers: for people who ask the cache, and for outcomes of positions.

use super::replay::{GameResult, Replayed};
use super::turn::{ActionType, LoggedAction};

/// A game as a whole, moves as logged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GamePlay {
    /// `turn_number` of the last turn: each player has one turn a round.
    pub rounds: u16,
    /// How many turns had which action, in the order of [`ActionType::ALL`].
    pub actions: [u32; ActionType::ALL.len()],
    /// Nobles that visited.
    pub nobles: u32,
    /// How it ended. A row is the position *before* its move: this is after the last one.
    pub result: GameResult,
    /// Rows that do not follow from the row before, or whose move cannot be made.
    pub replay_fault_rows: u32,
}

impl GamePlay {
    /// Adds the action of the next turn.
    pub(super) fn push(&mut self, turn_number: u16, action: &LoggedAction) {
        self.rounds = turn_number;
        self.actions[action.action_type as usize] += 1;
        let is_visit = action.action_type == ActionType::Build && action.noble.is_some();
        self.nobles += u32::from(is_visit);
    }

    /// Adds what the replay shows.
    pub(super) fn finish(&mut self, replayed: &Replayed) {
        self.result = replayed.result;
        self.replay_fault_rows = replayed.fault_rows;
    }
}
