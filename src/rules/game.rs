//! A complete game: the board and the hidden decks.

use super::board::{Board, Player};
use super::card::{CARDS, CARDS_IN_BOX, Card, DISPLAYED_PER_LEVEL, Level};
use super::moves::Move;
use super::noble::NOBLES;
use super::play::Draw;
use super::seat::{PlayerCount, Seat};
use arrayvec::ArrayVec;

/// A deck holds at most the 40 cards of level 1.
type Deck = ArrayVec<Card, { Level::One.cards() as usize }>;

/// A game in progress.
#[derive(Clone, Debug)]
pub struct Game {
    board: Board,
    /// The deck of each level; the top card is the last.
    decks: [Deck; Level::COUNT],
    round: u16,
}

impl Game {
    /// Shuffles and deals a new game. Seat 0 begins.
    ///
    /// `below(n)` must return a uniform number from 0 to `n - 1`; it is the only source of randomness.
    pub fn deal(players: PlayerCount, mut below: impl FnMut(usize) -> usize) -> Game {
        let mut decks: [Deck; Level::COUNT] = Level::ALL.map(|level| {
            CARDS[..CARDS_IN_BOX].iter().filter(|card| card.level == level).copied().collect()
        });
        for deck in &mut decks {
            shuffle(deck, &mut below);
        }
        let displayed = std::array::from_fn(|level| {
            let deck = &mut decks[level];
            (0..DISPLAYED_PER_LEVEL).filter_map(|_| deck.pop()).collect()
        });
        let mut nobles = NOBLES;
        shuffle(&mut nobles, &mut below);

        let board = Board {
            to_move: Seat::ALL[0],
            gems: players.supply(),
            displayed,
            decks: std::array::from_fn(|level| decks[level].len() as u8),
            nobles: nobles.into_iter().take(usize::from(players.nobles())).collect(),
            players: players.seats().map(|_| Player::default()).collect(),
        };
        Game { board, decks, round: 1 }
    }

    /// The position before the next move.
    pub fn board(&self) -> &Board {
        &self.board
    }

    /// The number of the round, from 1, which logs call `turn_number`.
    pub fn round(&self) -> u16 {
        self.round
    }

    /// Whether a player has 15 points and all players had the same number of turns.
    pub fn is_over(&self) -> bool {
        self.board.is_over()
    }

    /// Plays a move and passes the turn. The display has no gaps: a new card from the deck is placed
    /// after the others of its level, as in the self-play engine.
    ///
    /// # Panics
    /// If the move is impossible, which no move of [`for_each_legal_move`](super::for_each_legal_move)
    /// for this board is.
    pub fn play(&mut self, chosen: Move) {
        let draw = self.board.play(chosen).expect("a legal move can be made");
        if let Some(draw @ (Draw::ToDisplay(level) | Draw::ToReserve(level, _))) = draw {
            let card =
                self.decks[level.index()].pop().expect("the deck is as large as the board says");
            self.board.place(draw, card);
        }
        if self.board.to_move == Seat::ALL[0] {
            self.round += 1;
        }
    }
}

/// Fisher-Yates shuffle, from the end.
fn shuffle<T>(items: &mut [T], below: &mut impl FnMut(usize) -> usize) {
    for last in (1..items.len()).rev() {
        items.swap(last, below(last + 1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{HAND_LIMIT, for_each_legal_move};

    /// Checks after each random move that no gem or card was lost or created.
    #[test]
    fn nothing_is_lost() {
        for (seed, players) in (0..60).zip(PlayerCount::ALL.into_iter().cycle()) {
            let mut state = 0x9E37_79B9_7F4A_7C15_u64 ^ seed;
            let mut below = |n: usize| {
                state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                (state >> 33) as usize % n
            };
            let mut game = Game::deal(players, &mut below);
            let mut turns = 0;
            while !game.is_over() && turns < 400 {
                let mut legal = Vec::new();
                for_each_legal_move(game.board(), |chosen| legal.push(chosen));
                if legal.is_empty() {
                    break;
                }
                game.play(legal[below(legal.len())]);
                turns += 1;

                let board = game.board();
                assert!(board.gems_add_up(), "gems were lost or created");
                let built: u8 = board.players.iter().map(|p| p.reduction.total()).sum();
                let reserved: usize = board.players.iter().map(|p| p.reserved.len()).sum();
                let face_down: u8 = board.decks.iter().sum();
                let face_up = board.displayed_cards().count();
                assert_eq!(
                    usize::from(built) + reserved + usize::from(face_down) + face_up,
                    CARDS_IN_BOX
                );
                assert!(board.players.iter().all(|p| p.gems.total() <= HAND_LIMIT));
            }
            assert!(turns > 20, "a game ended after {turns} turns");
        }
    }
}
