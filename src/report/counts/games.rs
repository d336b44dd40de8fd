//! Counts the number and length of games, and points and actions by turn.

use super::distribution::Distribution;
use super::wins::{Endings, add_up};
use crate::cache::GameRecord;
use crate::encode::{EncodedGame, Head};
use crate::gamelog::ActionType;
use serde::Serialize;
use std::collections::BTreeMap;

/// Counts of the actions, in the order of [`ActionType::ALL`].
pub(crate) type ActionCounts = [u64; ActionType::ALL.len()];

/// Games with one number of players.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct GamesTally {
    pub(crate) games: u64,
    pub(crate) rows: u64,
    /// Games by number of rows.
    pub(crate) lengths: Distribution,
    /// Games by the number of their last turn; each player moves once per turn.
    pub(crate) last_turns: Distribution,
    pub(crate) endings: Endings,
    pub(crate) actions: ActionCounts,
    /// By turn number, as logged.
    pub(crate) turns: BTreeMap<i32, TurnTally>,
}

/// A turn, counted over many games.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct TurnTally {
    /// Points of the leader at the start of the turn, one value per game.
    pub(crate) leader_points: Distribution,
    /// Points of each player before their move, one value per row.
    pub(crate) points: Distribution,
    pub(crate) actions: ActionCounts,
}

impl GamesTally {
    pub(crate) fn add_game(&mut self, record: &GameRecord, game: &EncodedGame) {
        self.endings.add(record);
        let rows = game.turn_numbers().len();
        self.games += 1;
        self.rows += rows as u64;
        self.lengths.add(rows as i64, 1);
        if let Some(&last) = game.turn_numbers().iter().max() {
            self.last_turns.add(last.into(), 1);
        }
        let mut last_turn = None;
        let rows = game.turn_numbers().iter().zip(game.boards()).zip(game.labels());
        for ((&turn, board), labels) in rows {
            let tally = self.turns.entry(turn).or_default();
            tally.points.add(board.mover().vp.into(), 1);
            if last_turn != Some(turn) {
                let leader = board.players.iter().map(|player| player.vp).max().unwrap_or(0);
                tally.leader_points.add(leader.into(), 1);
                last_turn = Some(turn);
            }
            // Every row has an action.
            let action = usize::try_from(labels[Head::ActionType.index()]);
            if let Some(action) = action.ok().filter(|&class| class < 4) {
                tally.actions[action] += 1;
                self.actions[action] += 1;
            }
        }
    }

    pub(crate) fn merge(&mut self, other: &GamesTally) {
        self.games += other.games;
        self.rows += other.rows;
        self.lengths.merge(&other.lengths);
        self.last_turns.merge(&other.last_turns);
        self.endings.merge(&other.endings);
        add_up(&mut self.actions, &other.actions);
        for (&turn, more) in &other.turns {
            let tally = self.turns.entry(turn).or_default();
            tally.leader_points.merge(&more.leader_points);
            tally.points.merge(&more.points);
            add_up(&mut tally.actions, &more.actions);
        }
    }
}
