//! The counts over the rows of games.

use super::cards::CardTally;
use super::features::{ColumnReport, FeatureTally};
use super::games::GamesTally;
use super::heads::HeadTally;
use super::wins::players_index;
use crate::cache::GameRecord;
use crate::encode::{EncodedGame, Head};
use crate::rules::PlayerCount;

/// Counts over a set of games. They are integers, so merging tallies gives the same result for any
/// division of the games and any order.
#[derive(Clone)]
pub(crate) struct Tally {
    /// By number of players, in the order of [`PlayerCount::ALL`].
    pub(crate) games: [GamesTally; PlayerCount::ALL.len()],
    pub(crate) cards: CardTally,
    /// By head, in the order of [`Head::ALL`].
    pub(crate) heads: [HeadTally; Head::COUNT],
    features: FeatureTally,
}

impl Tally {
    pub(crate) fn new() -> Tally {
        Tally {
            games: Default::default(),
            cards: CardTally::default(),
            heads: Head::ALL.map(HeadTally::new),
            features: FeatureTally::new(),
        }
    }

    pub(crate) fn add_game(&mut self, record: &GameRecord, game: &EncodedGame) {
        if let Some(players) = players_index(record) {
            self.games[players].add_game(record, game);
        }
        self.cards.add_game(record, game);
        for (head, tally) in Head::ALL.into_iter().zip(&mut self.heads) {
            tally.add_game(head, record.game_id, game);
        }
        self.features.add_game(record.game_id, game);
    }

    pub(crate) fn merge(&mut self, other: &Tally) {
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
    pub(crate) fn columns(&self) -> Vec<ColumnReport> {
        self.features.columns()
    }

    pub(crate) fn rows(&self) -> u64 {
        self.games.iter().map(|games| games.rows).sum()
    }
}
