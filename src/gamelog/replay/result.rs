//! How a game ended.

use crate::rules::{Board, PlayerCount, Seat};
use std::cmp::Reverse;

/// How a game ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Ending {
    /// A player has 15 points, the round is complete, and one player won.
    Finished,
    /// A player has 15 points, the round is complete, and the best players have equal points and cards.
    Tie,
    /// The log ends before the game does.
    #[default]
    Unfinished,
}

impl Ending {
    /// All endings.
    pub const ALL: [Ending; 3] = [Ending::Finished, Ending::Tie, Ending::Unfinished];

    /// A name that is stable between versions, for tables and scripts.
    pub const fn name(self) -> &'static str {
        match self {
            Ending::Finished => "finished",
            Ending::Tie => "tie",
            Ending::Unfinished => "unfinished",
        }
    }

    /// The ending with this name.
    pub fn from_name(name: &str) -> Option<Ending> {
        Ending::ALL.into_iter().find(|ending| ending.name() == name)
    }
}

/// The final result of every player.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GameResult {
    /// How the game ended.
    pub ending: Ending,
    /// Points by seat after the last move; `None` for empty seats.
    pub points: [Option<u8>; PlayerCount::MAX],
    /// Places by seat; 1 is best: most points, then fewest cards built. Players who are equal in both
    /// share a place. `None` for empty seats, and for all seats of an unfinished game.
    pub places: [Option<u8>; PlayerCount::MAX],
}

impl GameResult {
    /// The result of the position after the last move.
    pub(super) fn of(last: &Board) -> GameResult {
        // Each card gives one reduction, so reductions count the cards.
        let rank =
            |seat| last.player(seat).map(|player| (player.vp, Reverse(player.reduction.total())));
        let is_over = last.is_over();
        let places = Seat::ALL.map(|seat| {
            let own = rank(seat).filter(|_| is_over)?;
            let better = Seat::ALL.into_iter().filter_map(rank).filter(|other| *other > own);
            Some(1 + better.count() as u8)
        });
        let ending = match (is_over, places.iter().filter(|&&place| place == Some(1)).count()) {
            (false, _) => Ending::Unfinished,
            (true, 1) => Ending::Finished,
            (true, _) => Ending::Tie,
        };
        let points = Seat::ALL.map(|seat| last.player(seat).map(|player| player.vp));
        GameResult { ending, points, places }
    }

    /// The seat that won; `None` for a tie or an unfinished game.
    pub fn winner(&self) -> Option<usize> {
        let is_finished = self.ending == Ending::Finished;
        self.places.iter().position(|&place| place == Some(1)).filter(|_| is_finished)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{ByColor, ByGem, Player};

    /// The result after the last move of a round, with these points and numbers of cards by seat.
    fn result<const N: usize>(points: [u8; N], cards: [u8; N], to_move: usize) -> GameResult {
        let players = points.iter().zip(cards).map(|(&vp, cards)| Player {
            vp,
            reduction: ByColor([cards, 0, 0, 0, 0]),
            ..Player::default()
        });
        GameResult::of(&Board {
            to_move: Seat::ALL[to_move],
            gems: ByGem::default(),
            displayed: Default::default(),
            decks: [0; 3],
            nobles: Default::default(),
            players: players.collect(),
        })
    }

    #[test]
    fn winner_and_places() {
        let finished = result([14, 16, 15], [9, 12, 8], 0);
        assert_eq!((finished.ending, finished.winner()), (Ending::Finished, Some(1)));
        assert_eq!(finished.points, [Some(14), Some(16), Some(15), None]);
        assert_eq!(finished.places, [Some(3), Some(1), Some(2), None]);

        let fewest_cards = result([17, 3, 17, 3], [12, 1, 11, 1], 0);
        assert_eq!((fewest_cards.ending, fewest_cards.winner()), (Ending::Finished, Some(2)));
        assert_eq!(fewest_cards.places, [2, 3, 1, 3].map(Some));

        let tie = result([15, 15, 2], [10, 10, 1], 0);
        assert_eq!((tie.ending, tie.winner()), (Ending::Tie, None));
        assert_eq!(tie.places, [Some(1), Some(1), Some(3), None]);
    }

    #[test]
    fn unfinished() {
        for (what, result) in [
            ("nobody has 15 points", result([14, 14], [9, 9], 0)),
            ("the round is not complete", result([15, 9], [9, 9], 1)),
        ] {
            assert_eq!((result.ending, result.winner()), (Ending::Unfinished, None), "{what}");
            assert_eq!(result.places, [None; 4], "{what}");
        }
    }
}
