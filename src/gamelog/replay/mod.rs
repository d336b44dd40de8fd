//! Replays a game: checks whether each row follows from the previous row and its move.
//!
//! A log is one game from its first move. Everything in a position except a newly drawn card follows
//! from the previous position by the rules, so lost, repeated and changed rows are detected. After a
//! fault, the replay continues from the row as logged.
//!
//! A log that ends before the game does is not a fault: its ending is [`Ending::Unfinished`].

mod compare;
mod fault;
mod moves;
mod result;
#[cfg(test)]
mod tests;

pub use fault::{ReplayFault, ReplayFaultKind};
pub use result::{Ending, GameResult};

use super::turn::Turn;
use crate::rules::{Card, CardSet, Draw, Level, Seat};
use compare::{compare, compare_start, repeated};
use fault::Mismatch;
use moves::Following;

/// Limit on the faults of a game that are kept; the others are only counted. For a log in which every
/// row is repeated, more faults would give no more information.
pub const MAX_REPLAY_FAULTS: usize = 5;

/// Replays a game row by row.
#[derive(Clone, Debug, Default)]
pub struct Replay {
    /// Number of rows so far.
    rows: u32,
    /// The expected next position; `None` before the first row.
    next: Option<Next>,
    /// Cards that are or were in the game.
    cards: CardSet,
    faults: Vec<ReplayFault>,
    fault_rows: u32,
}

/// The expected next position.
#[derive(Clone, Debug)]
struct Next {
    turn_number: u16,
    /// The position after the move, or before it if the move is impossible.
    following: Following,
    /// The position for another interpretation of the move.
    other: Option<Box<Following>>,
    /// Whether the move is possible. Otherwise any next row is accepted.
    is_known: bool,
}

/// The result of replaying a game.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replayed {
    /// How the game ended.
    pub result: GameResult,
    /// The first faults, at most [`MAX_REPLAY_FAULTS`], by row.
    pub faults: Vec<ReplayFault>,
    /// Number of rows with a fault.
    pub fault_rows: u32,
}

impl Replay {
    /// Adds the next row. `line` returns its line in the file, and is called only for a fault.
    pub fn push(&mut self, turn: Turn, line: impl FnOnce() -> u64) {
        let does_not_follow = self.check(&turn).err();
        if does_not_follow.is_some() {
            self.go_on_from(&turn);
        }
        let Turn { turn_number, board, action } = turn;
        let mut following = Following { board, draw: None };
        let played = following.play(&action);
        let is_known = played.is_ok();
        let (other, impossible) = match played {
            Ok(other) => (other.map(Box::new), None),
            Err(impossible) => (None, Some(impossible)),
        };
        if let Some(mismatch) = does_not_follow.or(impossible) {
            self.fault_rows += 1;
            if self.faults.len() < MAX_REPLAY_FAULTS {
                self.faults.push(mismatch.at(self.rows, line()));
            }
        }
        let begins_round = following.board.to_move == Seat::ALL[0];
        let turn_number = turn_number.saturating_add(begins_round.into());
        self.next = Some(Next { turn_number, following, other, is_known });
        self.rows += 1;
    }

    /// Ends the game; `None` without any row.
    pub fn finish(self) -> Option<Replayed> {
        let Replay { next, faults, fault_rows, .. } = self;
        let result = GameResult::of(&next?.following.board);
        Some(Replayed { result, faults, fault_rows })
    }

    /// Checks whether a row follows from the previous row.
    fn check(&mut self, turn: &Turn) -> Result<(), Mismatch> {
        let Some(next) = &mut self.next else {
            compare_start(turn)?;
            return Level::ALL.into_iter().try_for_each(|level| {
                let cards = &turn.board.displayed[level.index()];
                cards.iter().try_for_each(|card| self.see(card, Draw::ToDisplay(level), turn))
            });
        };
        if !next.is_known {
            self.go_on_from(turn);
            return Ok(());
        }
        let mut drawn = compare(&mut next.following, next.turn_number, turn);
        if let (Err(_), Some(other)) = (&drawn, &mut next.other) {
            drawn = compare(other, next.turn_number, turn);
        }
        match drawn? {
            Some((draw, card)) => self.see(&card, draw, turn),
            None => Ok(()),
        }
    }

    fn see(&mut self, card: &Card, draw: Draw, turn: &Turn) -> Result<(), Mismatch> {
        match self.cards.insert(card) {
            true => Ok(()),
            false => Err(repeated(draw, card, &turn.board)),
        }
    }

    /// Continues from a faulty row as logged. It may be the first row of another game.
    fn go_on_from(&mut self, turn: &Turn) {
        let board = &turn.board;
        if turn.turn_number == 1 && board.to_move == Seat::ALL[0] {
            self.cards = CardSet::default();
        }
        let reserved = board.players.iter().flat_map(|player| &player.reserved);
        for card in board.displayed_cards().chain(reserved) {
            self.cards.insert(card);
        }
    }
}
