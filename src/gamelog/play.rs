//! How a game went, in a few numbers: for people who ask the cache, not for the encoder.

use super::turn::{ActionType, LoggedAction, Turn};
use crate::rules::{Board, Card, MAX_DISPLAYED, NOBLE_VP, POINTS_TO_END, PlayerCount, Seat};

/// A game as a whole, moves as logged.
///
/// A row is the position *before* its move, so the last move is not in any of them: it is added
/// here, points and card, as the rules do. Wherever a log is read to, this is the state by then.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GamePlay {
    /// `turn_number` of the last turn: each player has one turn a round.
    pub rounds: u16,
    /// How many turns had which action, in the order of [`ActionType::ALL`].
    pub actions: [u32; ActionType::ALL.len()],
    /// Nobles that visited.
    pub nobles: u32,
    /// Points by seat after the last move; `None` for empty seats.
    pub points: [Option<u8>; PlayerCount::MAX],
    /// Cards built by seat after the last move, which decide between equal points.
    cards: [u8; PlayerCount::MAX],
}

impl GamePlay {
    /// Adds the next turn.
    pub fn push(&mut self, turn: &Turn) {
        let Turn { turn_number, board, action } = turn;
        self.rounds = *turn_number;
        self.actions[action.action_type as usize] += 1;
        self.points = Seat::ALL.map(|seat| board.player(seat).map(|player| player.vp));
        // Each card gives one reduction, and nothing else does.
        self.cards =
            Seat::ALL.map(|seat| board.player(seat).map_or(0, |player| player.reduction.total()));
        if action.action_type != ActionType::Build {
            return;
        }
        let mover = board.to_move.index();
        let noble_vp = if action.noble.is_some() { NOBLE_VP } else { 0 };
        self.nobles += u32::from(action.noble.is_some());
        if let (Some(card), Some(points)) = (built_card(board, action), &mut self.points[mover]) {
            *points += card.vp + noble_vp;
            self.cards[mover] += 1;
        }
    }

    /// The seat that won by the printed rules: most points, at least 15; then fewest cards.
    /// `None` if nobody has 15 points, or two players are equal in both.
    pub fn winner(&self) -> Option<usize> {
        let rank = |seat: usize| {
            let points = self.points[seat].filter(|&points| points >= POINTS_TO_END)?;
            Some((points, std::cmp::Reverse(self.cards[seat])))
        };
        let seats = 0..PlayerCount::MAX;
        let best = seats.clone().filter_map(rank).max()?;
        let mut winners = seats.filter(|&seat| rank(seat) == Some(best));
        let winner = winners.next();
        if winners.next().is_some() { None } else { winner }
    }
}

/// The card that the logged move builds; `None` if it names none that is there.
fn built_card<'b>(board: &'b Board, action: &LoggedAction) -> Option<&'b Card> {
    let place = usize::from(action.card_selection?);
    match place.checked_sub(MAX_DISPLAYED) {
        None => board.displayed_cards().nth(place),
        Some(place) => board.mover().reserved.get(place),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulate::simulate_game;

    /// Two ways to one answer: what a move is said to lead to, and what the next row says.
    #[test]
    fn state_after_each_move() {
        for (seed, players) in (1..40).zip(PlayerCount::ALL.into_iter().cycle()) {
            let turns = simulate_game(players, seed);
            let mut play = GamePlay::default();
            let (mut builds, mut nobles) = (0, 0);
            for pair in turns.windows(2) {
                play.push(&pair[0]);
                let next = &pair[1].board;
                for (seat, player) in next.players.iter().enumerate() {
                    assert_eq!(play.points[seat], Some(player.vp), "seed {seed}");
                    assert_eq!(play.cards[seat], player.reduction.total(), "seed {seed}");
                }
                builds =
                    next.players.iter().map(|player| u32::from(player.reduction.total())).sum();
                nobles = u32::from(players.nobles()) - next.nobles.len() as u32;
            }
            assert_eq!((play.actions[0], play.nobles), (builds, nobles), "seed {seed}");
            assert_eq!(play.actions.iter().sum::<u32>() as usize, turns.len() - 1);
        }
    }

    #[test]
    fn winner() {
        let winner = |points: [u8; 3], cards: [u8; 3]| {
            let play = GamePlay {
                points: [Some(points[0]), Some(points[1]), Some(points[2]), None],
                cards: [cards[0], cards[1], cards[2], 0],
                ..GamePlay::default()
            };
            play.winner()
        };
        assert_eq!(winner([14, 16, 15], [9, 12, 8]), Some(1));
        assert_eq!(winner([17, 3, 17], [12, 1, 11]), Some(2));
        assert_eq!(winner([15, 15, 2], [10, 10, 1]), None);
        assert_eq!(winner([14, 14, 13], [9, 9, 9]), None, "nobody has 15");
    }
}
