//! A whole game: the board, the hidden decks, and what a move does to them.

use super::board::{Board, HAND_LIMIT, POINTS_TO_END, Player};
use super::card::{CARDS, CARDS_IN_BOX, Card, DISPLAYED_PER_LEVEL, Level};
use super::color::{ByGem, Gem};
use super::moves::{BuildFrom, Move, ReserveFrom};
use super::noble::{NOBLE_VP, NOBLES};
use super::seat::{PlayerCount, Seat};
use arrayvec::ArrayVec;

/// A deck holds at most the 40 cards of level 1.
type Deck = ArrayVec<Card, { Level::One.cards() as usize }>;

/// A game in progress.
#[derive(Clone, Debug)]
pub struct Game {
    board: Board,
    /// Face-down cards of each level; the top card is the last.
    decks: [Deck; Level::COUNT],
    round: u16,
}

impl Game {
    /// Shuffles, deals and lays out a new game. Seat 0 begins.
    ///
    /// `below(n)` must give a uniform number from 0 to `n - 1`: it is the game's only randomness.
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

    /// Rounds begun, from 1: what the log calls `turn_number`.
    pub fn round(&self) -> u16 {
        self.round
    }

    /// Whether someone has 15 points and everybody has had as many turns.
    pub fn is_over(&self) -> bool {
        self.board.to_move == Seat::ALL[0]
            && self.board.players.iter().any(|player| player.vp >= POINTS_TO_END)
    }

    /// Makes a move and passes the turn.
    ///
    /// # Panics
    /// If the move is not one that [`for_each_legal_move`](super::for_each_legal_move) gives for
    /// this board.
    pub fn play(&mut self, chosen: Move) {
        match chosen {
            Move::Take { gems, give_back } => {
                let taken = ByGem::default().plus(gems);
                self.move_gems_to_mover(taken);
                self.give_back(give_back);
            }
            Move::Build { card, noble } => self.build(card, noble),
            Move::Reserve { card, give_back } => self.reserve(card, give_back),
        }
        let players = self.board.player_count();
        self.board.to_move = self.board.to_move.next(players);
        if self.board.to_move == Seat::ALL[0] {
            self.round += 1;
        }
    }

    fn mover(&mut self) -> &mut Player {
        &mut self.board.players[self.board.to_move.index()]
    }

    fn move_gems_to_mover(&mut self, gems: ByGem<u8>) {
        let board = &mut self.board;
        let hand = &mut board.players[board.to_move.index()].gems;
        for gem in Gem::ALL {
            board.gems[gem] -= gems[gem];
            hand[gem] += gems[gem];
        }
    }

    fn give_back(&mut self, gems: ByGem<u8>) {
        let board = &mut self.board;
        let hand = &mut board.players[board.to_move.index()].gems;
        for gem in Gem::ALL {
            hand[gem] -= gems[gem];
            board.gems[gem] += gems[gem];
        }
    }

    fn build(&mut self, from: BuildFrom, noble: Option<u8>) {
        let card = match from {
            BuildFrom::Displayed(index) => self.take_displayed(index),
            BuildFrom::Reserved(place) => self.mover().reserved.remove(usize::from(place)),
        };
        let missing = self.mover().distance(&card).total();
        let mut payment = ByGem::default();
        for (color, &cost) in card.cost.iter() {
            let real_cost = cost.saturating_sub(self.mover().reduction[color]);
            payment[Gem::from(color)] = real_cost.min(self.mover().gems[Gem::from(color)]);
        }
        payment[Gem::Gold] = missing;
        self.give_back(payment);

        let visiting_vp = match noble {
            Some(index) => {
                self.board.nobles.remove(usize::from(index));
                NOBLE_VP
            }
            None => 0,
        };
        let mover = self.mover();
        mover.reduction[card.bonus] += 1;
        mover.vp += card.vp + visiting_vp;
    }

    fn reserve(&mut self, from: ReserveFrom, give_back: ByGem<u8>) {
        let card = match from {
            ReserveFrom::Displayed(index) => self.take_displayed(index),
            ReserveFrom::DeckTop(level) => {
                self.draw(level).expect("a card is reserved only from a deck that has one")
            }
        };
        self.mover().reserved.push(card);
        self.give_back(give_back);
        if self.board.gems[Gem::Gold] > 0 && self.mover().gems.total() < HAND_LIMIT {
            let mut gold = ByGem::default();
            gold[Gem::Gold] = 1;
            self.move_gems_to_mover(gold);
        }
    }

    /// Takes the card with that flat index and puts the next of its deck into its slot.
    fn take_displayed(&mut self, index: u8) -> Card {
        let mut slot = usize::from(index);
        for level in Level::ALL {
            let row = &self.board.displayed[level.index()];
            if slot < row.len() {
                let next = self.draw(level);
                let row = &mut self.board.displayed[level.index()];
                return match next {
                    Some(next) => std::mem::replace(&mut row[slot], next),
                    None => row.remove(slot),
                };
            }
            slot -= row.len();
        }
        panic!("no card on display has the flat index {index}");
    }

    fn draw(&mut self, level: Level) -> Option<Card> {
        let deck = &mut self.decks[level.index()];
        let top = deck.pop();
        self.board.decks[level.index()] = deck.len() as u8;
        top
    }
}

/// Fisher-Yates, from the end.
fn shuffle<T>(items: &mut [T], below: &mut impl FnMut(usize) -> usize) {
    for last in (1..items.len()).rev() {
        items.swap(last, below(last + 1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::for_each_legal_move;

    /// Checks after each random move that no gem and no card was lost or made.
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
                assert!(board.gems_add_up(), "gems were lost or made");
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
