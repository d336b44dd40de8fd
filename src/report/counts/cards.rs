//! Counts which cards are built and reserved, which nobles visit, and how often the players win.
//!
//! A label is only the place of a card: a displayed card or a reserved card. The position shows which
//! card that is. A card that is reserved from the top of a deck is found in the player's reserve in the
//! next row, as is the card of class 11, which is both the twelfth displayed card and the top of the
//! level 1 deck. The last move of a game has no next row, so its card is unknown.

use super::wins::{Wins, players_index};
use crate::cache::GameRecord;
use crate::encode::{EncodedGame, Head, Label, NO_LABEL};
use crate::gamelog::ActionType;
use crate::rules::{Board, CARDS, Card, MAX_DISPLAYED, NOBLES};
use serde::Serialize;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct CardCounts {
    /// Number of games in which it was on the table or reserved before some move.
    pub(crate) games_seen: u64,
    pub(crate) built_from_table: u64,
    pub(crate) built_from_reserve: u64,
    pub(crate) reserved_from_table: u64,
    pub(crate) reserved_from_deck: u64,
    pub(crate) wins: Wins,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct NobleCounts {
    pub(crate) games_seen: u64,
    pub(crate) visits: u64,
    pub(crate) wins: Wins,
}

impl CardCounts {
    pub(crate) fn built(&self) -> u64 {
        self.built_from_table + self.built_from_reserve
    }

    pub(crate) fn reserved(&self) -> u64 {
        self.reserved_from_table + self.reserved_from_deck
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CardTally {
    /// In the order of [`CARDS`].
    pub(crate) cards: [CardCounts; CARDS.len()],
    /// In the order of [`NOBLES`].
    pub(crate) nobles: [NobleCounts; NOBLES.len()],
    /// Builds whose label is an empty place.
    pub(crate) unknown_builds: u64,
    /// Reservations of an unknown card: in the last row of a game, or with a label that is an empty place.
    pub(crate) unknown_reservations: u64,
}

impl Default for CardTally {
    fn default() -> CardTally {
        CardTally {
            cards: [CardCounts::default(); CARDS.len()],
            nobles: [NobleCounts::default(); NOBLES.len()],
            unknown_builds: 0,
            unknown_reservations: 0,
        }
    }
}

impl CardTally {
    pub(crate) fn add_game(&mut self, record: &GameRecord, game: &EncodedGame) {
        self.add_seen(game.boards());
        let winner = record.play.and_then(|play| play.result.winner());
        for (row, (board, labels)) in game.boards().iter().zip(game.labels()).enumerate() {
            let label = |head: Head| labels[head.index()];
            let action = label(Head::ActionType);
            // The number of players, and whether the player to move won.
            let outcome =
                players_index(record).zip(winner.map(|winner| winner == board.to_move.index()));
            if action == ActionType::Build as Label {
                self.add_build(board, label(Head::CardSelection), outcome);
                self.add_visit(board, label(Head::Noble), outcome);
            } else if action == ActionType::Reserve as Label {
                let next = game.boards().get(row + 1);
                self.add_reservation(board, next, label(Head::CardReservation));
            }
        }
    }

    /// Counts once each card and noble that is on the table or reserved in any row.
    fn add_seen(&mut self, boards: &[Board]) {
        let (mut cards, mut nobles) = ([false; CARDS.len()], [false; NOBLES.len()]);
        let mut last: Option<&Board> = None;
        for board in boards {
            // Most places have the same card in the next row, so equal cards are skipped.
            for (level, displayed) in board.displayed.iter().enumerate() {
                let before = last.map_or(&[][..], |last| &last.displayed[level]);
                displayed.iter().filter(|card| !before.contains(card)).for_each(|card| {
                    cards[place(card)] = true;
                });
            }
            for (seat, player) in board.players.iter().enumerate() {
                let before = last.and_then(|last| last.players.get(seat));
                let before = before.map_or(&[][..], |player| &player.reserved);
                player.reserved.iter().filter(|card| !before.contains(card)).for_each(|card| {
                    cards[place(card)] = true;
                });
            }
            if last.is_none_or(|last| last.nobles != board.nobles) {
                board.nobles.iter().for_each(|noble| nobles[usize::from(noble.place())] = true);
            }
            last = Some(board);
        }
        let all = self.cards.iter_mut().zip(cards);
        all.for_each(|(counts, is_seen)| counts.games_seen += u64::from(is_seen));
        let all = self.nobles.iter_mut().zip(nobles);
        all.for_each(|(counts, is_seen)| counts.games_seen += u64::from(is_seen));
    }

    fn add_build(&mut self, board: &Board, label: Label, outcome: Option<(usize, bool)>) {
        let slot = usize::try_from(label).unwrap_or(usize::MAX);
        let card = match slot.checked_sub(MAX_DISPLAYED) {
            None => board.displayed_cards().nth(slot),
            Some(slot) => board.mover().reserved.get(slot),
        };
        let Some(card) = card else {
            self.unknown_builds += 1;
            return;
        };
        let counts = &mut self.cards[place(card)];
        match slot < MAX_DISPLAYED {
            true => counts.built_from_table += 1,
            false => counts.built_from_reserve += 1,
        }
        if let Some((players, has_won)) = outcome {
            counts.wins.add(players, has_won);
        }
    }

    fn add_visit(&mut self, board: &Board, label: Label, outcome: Option<(usize, bool)>) {
        let noble = usize::try_from(label).ok().and_then(|slot| board.nobles.get(slot));
        if let Some(noble) = noble {
            let counts = &mut self.nobles[usize::from(noble.place())];
            counts.visits += 1;
            if let Some((players, has_won)) = outcome {
                counts.wins.add(players, has_won);
            }
        }
    }

    fn add_reservation(&mut self, board: &Board, next: Option<&Board>, label: Label) {
        let slot = usize::try_from(label).ok().filter(|_| label != NO_LABEL);
        let displayed = slot.filter(|&slot| slot < MAX_DISPLAYED);
        let displayed = displayed.and_then(|slot| board.displayed_cards().nth(slot));
        let may_be_of_a_deck = slot.is_some_and(|slot| slot >= MAX_DISPLAYED - 1);
        let card = match may_be_of_a_deck {
            true => next.and_then(|next| newly_reserved(board, next)),
            false => displayed,
        };
        match card {
            Some(card) if Some(card) == displayed => {
                self.cards[place(card)].reserved_from_table += 1
            }
            Some(card) => self.cards[place(card)].reserved_from_deck += 1,
            None => self.unknown_reservations += 1,
        }
    }

    pub(crate) fn merge(&mut self, other: &CardTally) {
        for (card, more) in self.cards.iter_mut().zip(&other.cards) {
            card.games_seen += more.games_seen;
            card.built_from_table += more.built_from_table;
            card.built_from_reserve += more.built_from_reserve;
            card.reserved_from_table += more.reserved_from_table;
            card.reserved_from_deck += more.reserved_from_deck;
            card.wins.merge(&more.wins);
        }
        for (noble, more) in self.nobles.iter_mut().zip(&other.nobles) {
            noble.games_seen += more.games_seen;
            noble.visits += more.visits;
            noble.wins.merge(&more.wins);
        }
        self.unknown_builds += other.unknown_builds;
        self.unknown_reservations += other.unknown_reservations;
    }
}

fn place(card: &Card) -> usize {
    card.place().into()
}

/// The card that the move added to the player's reserve.
fn newly_reserved<'b>(board: &Board, next: &'b Board) -> Option<&'b Card> {
    let before = &board.mover().reserved;
    next.player(board.to_move)?.reserved.iter().find(|card| !before.contains(card))
}
