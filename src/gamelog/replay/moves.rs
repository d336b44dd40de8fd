//! Interprets a logged action as a move.

use super::fault::{Mismatch, ReplayFaultKind};
use crate::gamelog::row::joined;
use crate::gamelog::turn::{ActionType, LoggedAction};
use crate::rules::{Board, BuildFrom, Draw, Impossible, Level, MAX_DISPLAYED, Move, ReserveFrom};

/// The known part of the position after a move.
#[derive(Clone, Debug)]
pub(super) struct Following {
    pub(super) board: Board,
    /// The place of the drawn card, which is not on the board.
    pub(super) draw: Option<Draw>,
}

impl Following {
    /// Plays the logged move. Class 11 of the reservations may be the twelfth displayed card or the top
    /// of deck 1; if both are possible, the result of the second is returned.
    ///
    /// If the move is impossible, the position stays unchanged.
    pub(super) fn play(&mut self, action: &LoggedAction) -> Result<Option<Following>, Mismatch> {
        let (chosen, other) = meant(action)?;
        let other = other.and_then(|other| {
            let mut board = self.board.clone();
            board.play(other).ok().map(|draw| Following { board, draw })
        });
        match (self.board.play(chosen), other) {
            (Ok(draw), other) => {
                self.draw = draw;
                Ok(other)
            }
            (Err(_), Some(other)) => {
                *self = other;
                Ok(None)
            }
            (Err(why), None) => Err(impossible(action, why)),
        }
    }
}

/// The move, and another move with the same log entry.
fn meant(action: &LoggedAction) -> Result<(Move, Option<Move>), Mismatch> {
    let give_back = action.gems_removed;
    let take = |gems| (Move::Take { gems, give_back }, None);
    match action.action_type {
        ActionType::Build => {
            let place = action.card_selection.ok_or_else(|| unnamed("card_selection"))?;
            let card = match place.checked_sub(MAX_DISPLAYED as u8) {
                None => BuildFrom::Displayed(place),
                Some(place) => BuildFrom::Reserved(place),
            };
            Ok((Move::Build { card, noble: action.noble }, None))
        }
        ActionType::Reserve => {
            let code = action.card_reservation.ok_or_else(|| unnamed("card_reservation"))?;
            let reserve = |card| Move::Reserve { card, give_back };
            let displayed = reserve(ReserveFrom::Displayed(code));
            let deck = Level::ALL.into_iter().find(|level| 10 + level.number() == code);
            let top = deck.map(|level| reserve(ReserveFrom::DeckTop(level)));
            Ok(match top {
                Some(top) if usize::from(code) >= MAX_DISPLAYED => (top, None),
                top => (displayed, top),
            })
        }
        ActionType::Take2 => Ok(take(action.gem_take2.ok_or_else(|| unnamed("gem_take2_*"))?)),
        ActionType::Take3 => {
            // In a row with the known gem fault, the gems are in the columns of the other kind of take.
            let gems = action.gem_take3.or(action.gem_take2.filter(|_| action.has_gem_fault()));
            Ok(take(gems.ok_or_else(|| unnamed("gem_take3_*"))?))
        }
    }
}

fn unnamed(column: &str) -> Mismatch {
    let expected = "a value for this action_type";
    Mismatch::new(ReplayFaultKind::ImpossibleMove, column, "missing", expected)
}

fn impossible(action: &LoggedAction, why: Impossible) -> Mismatch {
    let code = |code: Option<u8>| code.map_or("missing".to_owned(), |code| code.to_string());
    let taken = || match action.gem_take3.or(action.gem_take2) {
        Some(gems) => joined(&gems.0),
        None => "missing".to_owned(),
    };
    let is_build = action.action_type == ActionType::Build;
    let (column, found) = match why {
        Impossible::NoSuchNoble | Impossible::NobleNotSatisfied => {
            ("noble_selection", code(action.noble))
        }
        Impossible::NotOnBoard | Impossible::SmallPile => match action.action_type {
            ActionType::Take2 => ("gem_take2_*", taken()),
            _ => ("gem_take3_*", taken()),
        },
        Impossible::NotInHand | Impossible::HandTooLarge => {
            ("gems_removed_*", joined(&action.gems_removed.0))
        }
        _ if is_build => ("card_selection", code(action.card_selection)),
        _ => ("card_reservation", code(action.card_reservation)),
    };
    Mismatch::new(ReplayFaultKind::ImpossibleMove, column, found, format!("a possible move: {why}"))
}
