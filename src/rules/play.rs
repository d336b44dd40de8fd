//! Plays moves.
//!
//! Everything except the drawn card follows from the position and the move, so the same code serves
//! simulated and logged games.

use super::board::{Board, HAND_LIMIT, MAX_RESERVED, POINTS_TO_END};
use super::card::{Card, Level};
use super::color::{ByColor, ByGem, Color, Gem};
use super::moves::{BuildFrom, Move, ReserveFrom, TAKE_TWO_PILE};
use super::noble::NOBLE_VP;
use super::seat::Seat;

/// A card that a move draws from the deck of its level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Draw {
    /// To the display, after the other cards of its level.
    ToDisplay(Level),
    /// To the reserve of the player in this seat, after the other cards.
    ToReserve(Level, Seat),
}

/// Why a move is impossible.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Impossible {
    /// The card is neither on display nor in the player's reserve.
    #[error("there is no such card")]
    NoSuchCard,
    /// No card can be drawn.
    #[error("the deck is empty")]
    EmptyDeck,
    /// The card costs more than the player has.
    #[error("the player cannot pay for the card")]
    CannotPay,
    /// The reserve is full.
    #[error("the player has {MAX_RESERVED} cards in reserve")]
    ReserveFull,
    /// The noble is not on the table.
    #[error("there is no such noble")]
    NoSuchNoble,
    /// The player's reductions do not meet the requirement of the noble.
    #[error("the noble requires more reductions")]
    NobleNotSatisfied,
    /// More gems are taken than there are.
    #[error("the board has fewer gems")]
    NotOnBoard,
    /// Two gems of one color are taken from a small pile.
    #[error("the pile has fewer than {TAKE_TWO_PILE} gems")]
    SmallPile,
    /// The move gives back gems that the player does not have.
    #[error("the player does not have the gems that are given back")]
    NotInHand,
    /// The player keeps too many gems.
    #[error("the player keeps more than {HAND_LIMIT} gems")]
    HandTooLarge,
}

impl Board {
    /// Whether a player has enough points and all players had the same number of turns.
    pub fn is_over(&self) -> bool {
        self.to_move == Seat::ALL[0] && self.players.iter().any(|player| player.vp >= POINTS_TO_END)
    }

    /// Plays a move and passes the turn. If a card is drawn, its deck has one card less, and the caller
    /// [places](Self::place) the card.
    ///
    /// The move need not be one of [`for_each_legal_move`](super::for_each_legal_move).
    ///
    /// # Errors
    /// If the move is impossible; the board is unchanged then.
    pub fn play(&mut self, chosen: Move) -> Result<Option<Draw>, Impossible> {
        let draw = match chosen {
            Move::Take { gems, give_back } => {
                self.take(gems, give_back)?;
                None
            }
            Move::Build { card, noble } => self.build(card, noble)?,
            Move::Reserve { card, give_back } => self.reserve(card, give_back)?,
        };
        if let Some(Draw::ToDisplay(level) | Draw::ToReserve(level, _)) = draw {
            self.decks[level.index()] -= 1;
        }
        self.to_move = self.to_move.next(self.player_count());
        Ok(draw)
    }

    /// Places a drawn card.
    ///
    /// # Panics
    /// If there is no place for it, which cannot happen after [`play`](Self::play).
    pub fn place(&mut self, draw: Draw, card: Card) {
        match draw {
            Draw::ToDisplay(level) => self.displayed[level.index()].push(card),
            Draw::ToReserve(_, seat) => self.players[seat.index()].reserved.push(card),
        }
    }

    /// Undoes [`place`](Self::place): removes the last card from that place.
    pub fn take_back(&mut self, draw: Draw) {
        match draw {
            Draw::ToDisplay(level) => self.displayed[level.index()].pop(),
            Draw::ToReserve(_, seat) => self.players[seat.index()].reserved.pop(),
        };
    }

    fn take(&mut self, gems: ByColor<u8>, give_back: ByGem<u8>) -> Result<(), Impossible> {
        for color in Color::ALL {
            let pile = self.gems[Gem::from(color)];
            if gems[color] > pile {
                return Err(Impossible::NotOnBoard);
            }
            if gems[color] > 1 && pile < TAKE_TWO_PILE {
                return Err(Impossible::SmallPile);
            }
        }
        let hand = self.hand_after(ByGem::default().plus(gems), give_back)?;
        self.set_hand(hand);
        Ok(())
    }

    fn build(&mut self, from: BuildFrom, noble: Option<u8>) -> Result<Option<Draw>, Impossible> {
        let mover = self.mover();
        let card = match from {
            BuildFrom::Displayed(index) => self.displayed_cards().nth(usize::from(index)),
            BuildFrom::Reserved(place) => mover.reserved.get(usize::from(place)),
        };
        let card = *card.ok_or(Impossible::NoSuchCard)?;
        let missing = mover.distance(&card).total();
        if missing > mover.gems[Gem::Gold] {
            return Err(Impossible::CannotPay);
        }
        let reduction = mover.reduction_with(&card);
        if let Some(index) = noble {
            let noble = self.nobles.get(usize::from(index)).ok_or(Impossible::NoSuchNoble)?;
            if !noble.is_satisfied_by(&reduction) {
                return Err(Impossible::NobleNotSatisfied);
            }
        }

        let mut hand = mover.gems;
        for color in Color::ALL {
            let real_cost = card.cost[color].saturating_sub(mover.reduction[color]);
            let gem = Gem::from(color);
            hand[gem] = hand[gem].saturating_sub(real_cost);
        }
        hand[Gem::Gold] -= missing;
        self.set_hand(hand);
        let visit_vp = match noble {
            Some(index) => {
                self.nobles.remove(usize::from(index));
                NOBLE_VP
            }
            None => 0,
        };
        let mover = &mut self.players[self.to_move.index()];
        mover.reduction = reduction;
        mover.vp += card.vp + visit_vp;
        Ok(match from {
            BuildFrom::Displayed(index) => self.take_displayed(index).1,
            BuildFrom::Reserved(place) => {
                mover.reserved.remove(usize::from(place));
                None
            }
        })
    }

    fn reserve(
        &mut self,
        from: ReserveFrom,
        give_back: ByGem<u8>,
    ) -> Result<Option<Draw>, Impossible> {
        if self.mover().reserved.is_full() {
            return Err(Impossible::ReserveFull);
        }
        match from {
            ReserveFrom::Displayed(index) => {
                let card = self.displayed_cards().nth(usize::from(index));
                card.ok_or(Impossible::NoSuchCard)?;
            }
            ReserveFrom::DeckTop(level) if self.decks[level.index()] == 0 => {
                return Err(Impossible::EmptyDeck);
            }
            ReserveFrom::DeckTop(_) => {}
        }
        // The gold gem is taken only after gems are given back, so it cannot be one of them.
        let mut hand = self.hand_after(ByGem::default(), give_back)?;
        hand[Gem::Gold] += u8::from(self.gems[Gem::Gold] > 0 && hand.total() < HAND_LIMIT);
        self.set_hand(hand);
        Ok(match from {
            ReserveFrom::Displayed(index) => {
                let (card, draw) = self.take_displayed(index);
                self.players[self.to_move.index()].reserved.push(card);
                draw
            }
            ReserveFrom::DeckTop(level) => Some(Draw::ToReserve(level, self.to_move)),
        })
    }

    /// The mover's gems after taking some and giving some back.
    fn hand_after(&self, taken: ByGem<u8>, given: ByGem<u8>) -> Result<ByGem<u8>, Impossible> {
        let mut hand = self.mover().gems;
        for gem in Gem::ALL {
            hand[gem] += taken[gem];
            hand[gem] = hand[gem].checked_sub(given[gem]).ok_or(Impossible::NotInHand)?;
        }
        if hand.total() > HAND_LIMIT {
            return Err(Impossible::HandTooLarge);
        }
        Ok(hand)
    }

    /// Sets the gems of the player to move; the difference comes from or goes to the board.
    fn set_hand(&mut self, hand: ByGem<u8>) {
        let held = &mut self.players[self.to_move.index()].gems;
        for gem in Gem::ALL {
            self.gems[gem] = self.gems[gem] + held[gem] - hand[gem];
        }
        *held = hand;
    }

    /// Takes a card from the display without leaving a gap, and returns the replacement to draw.
    fn take_displayed(&mut self, index: u8) -> (Card, Option<Draw>) {
        let mut slot = usize::from(index);
        for level in Level::ALL {
            let row = &mut self.displayed[level.index()];
            if slot < row.len() {
                let has_next = self.decks[level.index()] > 0;
                return (row.remove(slot), has_next.then_some(Draw::ToDisplay(level)));
            }
            slot -= row.len();
        }
        unreachable!("there is a card with the flat index {index}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{CARDS, NOBLES, Player, PlayerCount};

    const NOTHING: ByGem<u8> = ByGem([0; Gem::COUNT]);

    /// Two players: the player to move has six gems, a reserved card that it can pay for, and reductions
    /// that satisfy the first noble after building that card.
    fn a_board() -> Board {
        let mover = Player {
            vp: 3,
            gems: ByGem([1, 1, 1, 1, 1, 1]),
            reduction: ByColor([3, 4, 0, 0, 0]),
            reserved: [CARDS[0]].into_iter().collect(),
        };
        Board {
            to_move: Seat::ALL[0],
            gems: ByGem([3, 3, 4, 0, 3, 0]),
            displayed: [
                [CARDS[5], CARDS[35]].into_iter().collect(),
                Default::default(),
                [CARDS[70]].into_iter().collect(),
            ],
            decks: [1, 0, 0],
            nobles: [NOBLES[0], NOBLES[1]].into_iter().collect(),
            players: [mover, Player::default()].into_iter().collect(),
        }
    }

    fn take(gems: [u8; 5], give_back: ByGem<u8>) -> Move {
        Move::Take { gems: ByColor(gems), give_back }
    }

    fn build(card: BuildFrom, noble: Option<u8>) -> Move {
        Move::Build { card, noble }
    }

    fn reserve(card: ReserveFrom) -> Move {
        Move::Reserve { card, give_back: NOTHING }
    }

    #[test]
    fn impossible_moves_leave_the_board_as_it_is() {
        use BuildFrom::{Displayed, Reserved};
        let cases = [
            (build(Displayed(3), None), Impossible::NoSuchCard),
            (build(Reserved(1), None), Impossible::NoSuchCard),
            (build(Displayed(2), None), Impossible::CannotPay),
            (build(Reserved(0), Some(2)), Impossible::NoSuchNoble),
            (build(Reserved(0), Some(1)), Impossible::NobleNotSatisfied),
            (take([1, 1, 0, 1, 0], NOTHING), Impossible::NotOnBoard),
            (take([2, 0, 0, 0, 0], NOTHING), Impossible::SmallPile),
            (take([1, 1, 1, 0, 0], ByGem([0, 0, 0, 2, 0, 0])), Impossible::NotInHand),
            (reserve(ReserveFrom::Displayed(3)), Impossible::NoSuchCard),
            (reserve(ReserveFrom::DeckTop(Level::Two)), Impossible::EmptyDeck),
        ];
        for (chosen, why) in cases {
            let mut board = a_board();
            assert_eq!(board.play(chosen), Err(why), "{chosen:?}");
            assert!(board == a_board(), "{chosen:?}");
        }
        let mut full = a_board();
        full.players[0].gems[Gem::White] = 4;
        assert_eq!(full.play(take([1, 1, 0, 0, 0], NOTHING)), Err(Impossible::HandTooLarge));
        full.players[0].reserved = [CARDS[0], CARDS[1], CARDS[2]].into();
        let why = full.play(reserve(ReserveFrom::Displayed(0)));
        assert_eq!(why, Err(Impossible::ReserveFull));
    }

    #[test]
    fn moves_and_what_they_draw() {
        // With a deck, a card is drawn; without one, the level has one card less.
        for (index, drawn) in [(0, Some(Draw::ToDisplay(Level::One))), (2, None)] {
            let mut board = a_board();
            board.gems[Gem::Gold] = 1;
            let taken = *board.displayed_cards().nth(usize::from(index)).unwrap();
            assert_eq!(board.play(reserve(ReserveFrom::Displayed(index))), Ok(drawn));
            assert_eq!(board.players[0].reserved[..], [CARDS[0], taken]);
            assert_eq!((board.players[0].gems[Gem::Gold], board.gems[Gem::Gold]), (2, 0));
            assert_eq!(board.displayed_cards().count(), 2);
            assert_eq!(board.decks, [u8::from(drawn.is_none()), 0, 0]);
        }
        let mut board = a_board();
        let drawn = Draw::ToReserve(Level::One, Seat::ALL[0]);
        assert_eq!(board.play(reserve(ReserveFrom::DeckTop(Level::One))), Ok(Some(drawn)));
        board.place(drawn, CARDS[7]);
        assert_eq!(board.players[0].reserved[..], [CARDS[0], CARDS[7]]);
        board.take_back(drawn);
        assert_eq!(board.players[0].reserved[..], [CARDS[0]]);
        assert_eq!(board.to_move, Seat::ALL[1]);

        // Two blue and two black minus four blue reductions: paid with one black and one gold.
        let mut board = a_board();
        assert_eq!(board.play(build(BuildFrom::Reserved(0), Some(0))), Ok(None));
        let mover = &board.players[0];
        assert_eq!(mover.gems, ByGem([1, 1, 1, 1, 0, 0]));
        assert_eq!(board.gems, ByGem([3, 3, 4, 0, 4, 1]));
        assert_eq!((mover.vp, mover.reduction), (6, ByColor([4, 4, 0, 0, 0])));
        assert_eq!(board.nobles[..], [NOBLES[1]]);

        let mut board = a_board();
        let two = take([0, 0, 2, 0, 0], ByGem([0, 0, 0, 0, 0, 1]));
        assert_eq!(board.play(two), Ok(None));
        assert_eq!(board.players[0].gems, ByGem([1, 1, 3, 1, 1, 0]));
        assert_eq!(board.gems, ByGem([3, 3, 2, 0, 3, 1]));
        let round = PlayerCount::Two.seats().map(|_| board.play(take([0; 5], NOTHING)));
        assert!(round.collect::<Result<Vec<_>, _>>().is_ok());
    }
}
