//! Everything that is counted over the rows of games.

use super::cards::CardTally;
use super::features::{ColumnReport, FeatureTally};
use super::games::GamesTally;
use super::heads::HeadTally;
use crate::cache::GameRecord;
use crate::encode::{EncodedGame, Head};
use crate::rules::PlayerCount;

/// Counts over some games. Whole numbers only: tallies add up to the same whichever games each of
/// them has seen, and in whichever order.
#[derive(Clone)]
pub struct Tally {
    /// By number of players, in the order of [`PlayerCount::ALL`].
    pub games: [GamesTally; PlayerCount::ALL.len()],
    /// What became of each card.
    pub cards: CardTally,
    /// By head, in the order of [`Head::ALL`].
    pub heads: [HeadTally; Head::COUNT],
    features: FeatureTally,
}

impl Tally {
    pub(in crate::report) fn new() -> Tally {
        Tally {
            games: Default::default(),
            cards: CardTally::default(),
            heads: Head::ALL.map(HeadTally::new),
            features: FeatureTally::new(),
        }
    }

    /// Counts a game.
    pub(in crate::report) fn add_game(&mut self, record: &GameRecord, game: &EncodedGame) {
        let players = PlayerCount::ALL.iter().position(|count| count.get() == record.players);
        // The cache holds no record with another number.
        if let Some(place) = players {
            self.games[place].add_game(record, game);
        }
        self.cards.add_game(record, game);
        for (head, tally) in Head::ALL.into_iter().zip(&mut self.heads) {
            tally.add_game(head, record.game_id, game);
        }
        self.features.add_game(record.game_id, game);
    }

    /// Adds the counts of other games.
    pub(in crate::report) fn merge(&mut self, other: &Tally) {
        for (games, more) in self.games.iter_mut().zip(&other.games) {
            games.merge(more);
        }
        self.cards.merge(&other.cards);
        for (head, more) in self.heads.iter_mut().zip(&other.heads) {
            head.merge(more);
        }
        self.features.merge(&other.features);
    }

    /// How the values of every column are spread, in column order.
    pub(in crate::report) fn columns(&self) -> Vec<ColumnReport> {
        self.features.columns()
    }

    /// Rows counted.
    pub fn rows(&self) -> u64 {
        self.games.iter().map(|games| games.rows).sum()
    }
}
