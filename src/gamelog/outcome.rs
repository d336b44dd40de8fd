//! How the game of a row went on, for the player to move: targets of a value network.

use super::play::GamePlay;
use super::replay::Ending;
use crate::rules::{PlayerCount, Seat};

/// How the game of a row went on, for the player to move.
///
/// Of a game whose log ends before it does, or of which it is not known because an older prep stored it,
/// everything is [`UNKNOWN`](Outcome::UNKNOWN).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// 1 for the only winner, 0 for all others. Nobody wins a tie: the best players have 0 and place 1.
    pub won: i32,
    /// 1 is the best: most points, then fewest cards. Players who are equal in both share a place.
    pub place: i32,
    /// Own points at the end, less those of the best other player: negative for one who is behind.
    pub margin: i32,
    /// Rounds after the one of this row: 0 in the last.
    pub rounds_left: i32,
}

impl Outcome {
    /// How many numbers it has.
    pub const COUNT: usize = 4;
    /// Their names, in order: those of the arrays in `outcome_*.npz`.
    pub const NAMES: [&str; Outcome::COUNT] = ["won", "place", "margin", "rounds_left"];
    /// Of a game without a known end. No margin is -128: it is between -60 and 60 points or so.
    pub const UNKNOWN: Outcome = Outcome { won: -1, place: -1, margin: -128, rounds_left: -1 };

    /// Of the rows of a game in which `to_move` has the turn of this number.
    pub fn of(play: Option<&GamePlay>, to_move: Seat, turn_number: i32) -> Outcome {
        play.and_then(|play| Outcome::known(play, to_move, turn_number)).unwrap_or(Outcome::UNKNOWN)
    }

    fn known(play: &GamePlay, to_move: Seat, turn_number: i32) -> Option<Outcome> {
        let (result, seat) = (&play.result, to_move.index());
        let others = (0..PlayerCount::MAX).filter(|&other| other != seat);
        let best_other = others.filter_map(|other| result.points[other]).max()?;
        let (own, place) = (result.points[seat]?, result.places[seat]?);
        if result.ending == Ending::Unfinished {
            return None;
        }
        Some(Outcome {
            won: (result.winner() == Some(seat)).into(),
            place: place.into(),
            margin: i32::from(own) - i32::from(best_other),
            // In a log with wrong turn numbers, the last need not be the highest.
            rounds_left: (i32::from(play.rounds) - turn_number).max(0),
        })
    }

    /// The numbers, in the order of [`NAMES`](Outcome::NAMES).
    pub fn values(self) -> [i32; Outcome::COUNT] {
        let Outcome { won, place, margin, rounds_left } = self;
        [won, place, margin, rounds_left]
    }
}

/// The outcomes of some rows, each given by its seat to move and its turn number: an array for each of
/// [`Outcome::NAMES`].
pub fn outcome_arrays(
    outcomes: impl Iterator<Item = Outcome> + Clone,
) -> [Vec<i32>; Outcome::COUNT] {
    std::array::from_fn(|at| outcomes.clone().map(|outcome| outcome.values()[at]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gamelog::GameResult;

    fn play(ending: Ending, points: [u8; 3], places: [u8; 3]) -> GamePlay {
        let of = |[a, b, c]: [u8; 3]| [Some(a), Some(b), Some(c), None];
        let result = GameResult { ending, points: of(points), places: of(places) };
        GamePlay { rounds: 30, result, ..GamePlay::default() }
    }

    /// By seat, in round 28 of 30.
    fn outcomes(play: &GamePlay) -> [[i32; Outcome::COUNT]; 3] {
        [0, 1, 2].map(|seat| Outcome::of(Some(play), Seat::ALL[seat], 28).values())
    }

    #[test]
    fn outcome_of_each_seat() {
        let won = play(Ending::Finished, [14, 17, 17], [3, 2, 1]);
        assert_eq!(outcomes(&won), [[0, 3, -3, 2], [0, 2, 0, 2], [1, 1, 0, 2]]);
        let clear = play(Ending::Finished, [4, 17, 12], [3, 1, 2]);
        assert_eq!(outcomes(&clear), [[0, 3, -13, 2], [1, 1, 5, 2], [0, 2, -5, 2]]);
        let tie = play(Ending::Tie, [16, 3, 16], [1, 3, 1]);
        assert_eq!(outcomes(&tie), [[0, 1, 0, 2], [0, 3, -13, 2], [0, 1, 0, 2]]);
    }

    #[test]
    fn unknown() {
        let unfinished = GamePlay {
            result: GameResult { points: [Some(3), Some(4), None, None], ..GameResult::default() },
            ..GamePlay::default()
        };
        for play in [Some(&unfinished), None] {
            assert_eq!(Outcome::of(play, Seat::ALL[0], 2), Outcome::UNKNOWN);
        }
    }
}
