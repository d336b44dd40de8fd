//! How a game went, in a few numbers: for queries of the cache and for outcomes.

use super::replay::{GameResult, Replayed};
use super::turn::{ActionType, LoggedAction};

/// Facts about a whole game; moves are counted as logged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GamePlay {
    /// `turn_number` of the last turn: each player has one turn per round.
    pub rounds: u16,
    /// Number of turns with each action, in the order of [`ActionType::ALL`].
    pub actions: [u32; ActionType::ALL.len()],
    /// Number of visits by nobles.
    pub nobles: u32,
    /// How it ended, after the last move. (A row has the position *before* its move.)
    pub result: GameResult,
    /// Number of rows that do not follow from the previous row, or whose move is impossible.
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

    /// Adds the result of the replay.
    pub(super) fn finish(&mut self, replayed: &Replayed) {
        self.result = replayed.result;
        self.replay_fault_rows = replayed.fault_rows;
    }
}
