//! The counts over the rows of games.

use super::cards::CardTally;
use super::features::{ColumnReport, FeatureTally};
use super::games::GamesTally;
use super::heads::HeadTally;
use crate::cache::GameRecord;
use crate::encode::{EncodedGame, Head};
use crate::rules::PlayerCount;

/// Counts over a set of games. They are integers, so merging tallies gives the same result for any
/// division of the games and any order.
#[derive(Clone)]
pub struct Tally {
    /// By number of players, in the order of [`PlayerCount::ALL`].
    pub games: [GamesTally; PlayerCount::ALL.len()],
    /// Counts of the cards and nobles.
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
        // The cache holds no record with another number of players.
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

    /// The distribution of the values of every column, in column order.
    pub(in crate::report) fn columns(&self) -> Vec<ColumnReport> {
        self.features.columns()
    }

    /// Number of rows.
    pub fn rows(&self) -> u64 {
        self.games.iter().map(|games| games.rows).sum()
    }
}
