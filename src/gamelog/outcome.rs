//! The outcome of a game for the player to move: targets for a value network.

use super::play::GamePlay;
use super::replay::Ending;
use crate::rules::{PlayerCount, Seat};

/// The outcome of a game for the player to move.
///
/// For a game without an end, or one that an earlier version of prep stored without replaying it, all
/// values are [`UNKNOWN`](Outcome::UNKNOWN).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// 1 for a sole winner, else 0. In a tie nobody wins: the best players have 0 and place 1.
    pub won: i32,
    /// 1 is best: most points, then fewest cards. Players who are equal in both share a place.
    pub place: i32,
    /// Final points minus those of the best other player; negative for a player who is behind.
    pub margin: i32,
    /// Number of rounds after this one: 0 in the last round.
    pub rounds_left: i32,
}

impl Outcome {
    /// The number of values.
    pub const COUNT: usize = 4;
    /// The names of the values, in order, as in `outcome_*.npz`.
    pub const NAMES: [&str; Outcome::COUNT] = ["won", "place", "margin", "rounds_left"];
    /// The values for a game without a known end. A known margin is never -128, because it is between
    /// about -60 and 60.
    pub const UNKNOWN: Outcome = Outcome { won: -1, place: -1, margin: -128, rounds_left: -1 };

    /// The outcome for the player `to_move` in the turn with this number.
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
            // In a log with wrong turn numbers, the last number may not be the highest.
            rounds_left: (i32::from(play.rounds) - turn_number).max(0),
        })
    }

    /// The values, in the order of [`NAMES`](Outcome::NAMES).
    pub fn values(self) -> [i32; Outcome::COUNT] {
        let Outcome { won, place, margin, rounds_left } = self;
        [won, place, margin, rounds_left]
    }
}

/// The outcomes of rows, given by seat to move and turn number: an array for each of [`Outcome::NAMES`].
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
