//! Weights of rows in a loss.

use super::error::StreamError;
use crate::cache::Reader;
use crate::dataset::Game;
use crate::encode::{Head, LabelRow};
use crate::gamelog::GameId;
use std::collections::BTreeMap;

/// The weights of the classes of a head.
#[derive(Clone, Debug, PartialEq)]
pub enum ClassWeights {
    /// From the training labels: all classes that occur have the same total weight, and the mean weight
    /// of a label is 1, as with scikit-learn's `class_weight="balanced"`. Other classes have weight 1.
    Balanced,
    /// One weight for each class.
    Given(Vec<f64>),
}

/// The weight of a row is the product of the weight of its game and the weights of its labels. Heads
/// that do not apply to a row, and heads without class weights, count as 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WeightOptions {
    /// Weights by head.
    pub classes: Vec<(Head, ClassWeights)>,
    /// An expression over the columns of the view `game_list` for the weight of a game.
    pub game: Option<String>,
}

impl WeightOptions {
    /// Whether the labels of the training rows must be counted.
    pub(super) fn need_counts(&self) -> bool {
        self.classes.iter().any(|(_, weights)| *weights == ClassWeights::Balanced)
    }

    /// The weight of each game of the cache; `None` without game weights.
    pub(super) fn of_games(
        &self,
        cache: &Reader,
    ) -> Result<Option<BTreeMap<GameId, f64>>, StreamError> {
        match &self.game {
            Some(expression) => Ok(Some(cache.game_list()?.numbers(expression)?)),
            None => Ok(None),
        }
    }
}

/// Checks the weight of a game of the stream.
pub(super) fn check_game_weight(game: &Game, weight: f64) -> Result<f64, StreamError> {
    match is_weight(weight) {
        true => Ok(weight),
        false => Err(StreamError::GameWeight { game_id: game.game_id, weight }),
    }
}

fn is_weight(weight: f64) -> bool {
    weight.is_finite() && weight >= 0.0
}

/// Counts of the labels of each class, by head.
#[derive(Clone, Debug)]
pub(super) struct LabelCounts([Vec<u64>; Head::COUNT]);

impl LabelCounts {
    pub(super) fn zero() -> LabelCounts {
        LabelCounts(Head::ALL.map(|head| vec![0; head.classes()]))
    }

    pub(super) fn add(&mut self, labels: &[LabelRow]) {
        for row in labels {
            for (counts, &label) in self.0.iter_mut().zip(row) {
                if let Ok(class) = usize::try_from(label) {
                    counts[class] += 1;
                }
            }
        }
    }
}

/// The weights of classes by head; `None` for heads without weights.
#[derive(Clone, Debug, Default)]
pub(super) struct LabelWeights([Option<Vec<f64>>; Head::COUNT]);

impl LabelWeights {
    pub(super) fn new(
        options: &WeightOptions,
        counts: &LabelCounts,
    ) -> Result<LabelWeights, StreamError> {
        let mut by_head = LabelWeights::default();
        for (head, weights) in &options.classes {
            let weights = match weights {
                ClassWeights::Balanced => balanced(&counts.0[head.index()]),
                ClassWeights::Given(weights) => weights.clone(),
            };
            if weights.len() != head.classes() || !weights.iter().all(|&weight| is_weight(weight)) {
                return Err(StreamError::ClassWeights { head: *head });
            }
            by_head.0[head.index()] = Some(weights);
        }
        Ok(by_head)
    }

    /// The weight of a row with these labels in a game with this weight, rounded once.
    pub(super) fn of_row(&self, game: f64, label: impl Fn(Head) -> i32) -> f32 {
        let mut product = game;
        for (head, weights) in Head::ALL.into_iter().zip(&self.0) {
            if let Some(weights) = weights
                && let Ok(class) = usize::try_from(label(head))
            {
                product *= weights[class];
            }
        }
        product as f32
    }

    /// Adds them to the hash of the inputs of batches.
    pub(super) fn hash(&self, hasher: &mut blake3::Hasher) {
        for (head, weights) in Head::ALL.into_iter().zip(&self.0) {
            if let Some(weights) = weights {
                hasher.update(head.name().as_bytes());
                weights.iter().for_each(|weight| _ = hasher.update(&weight.to_le_bytes()));
            }
        }
    }
}

fn balanced(counts: &[u64]) -> Vec<f64> {
    let total: u64 = counts.iter().sum();
    let occurring = counts.iter().filter(|&&count| count > 0).count();
    let weight = |&count: &u64| match count {
        0 => 1.0,
        count => total as f64 / (occurring as f64 * count as f64),
    };
    counts.iter().map(weight).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn balanced_as_scikit_learn() {
        // compute_class_weight("balanced", classes=[0, 1, 3], y=[0]*6 + [1]*3 + [3]*1)
        let expected = [10.0 / 18.0, 10.0 / 9.0, 1.0, 10.0 / 3.0];
        assert_eq!(balanced(&[6, 3, 0, 1]), expected);
        assert_eq!(balanced(&[0, 0]), [1.0, 1.0]);
    }

    #[test]
    fn product_of_the_heads_that_apply() {
        let classes = vec![
            (Head::GemTake2, ClassWeights::Given(vec![2.0, 1.0, 1.0, 1.0, 0.0])),
            (Head::ActionType, ClassWeights::Given(vec![3.0, 1.0, 0.5, 1.0])),
        ];
        let options = WeightOptions { classes, game: None };
        let weights = LabelWeights::new(&options, &LabelCounts::zero()).unwrap();
        let of_row = |action, take2| {
            weights.of_row(10.0, |head| match head {
                Head::ActionType => action,
                Head::GemTake2 => take2,
                _ => 0,
            })
        };
        assert_eq!([of_row(0, -1), of_row(2, 0), of_row(2, 4)], [30.0, 10.0, 0.0]);
        for wrong in [vec![1.0; 3], vec![f64::NAN; 4], vec![-1.0; 4], vec![f64::INFINITY; 4]] {
            let classes = vec![(Head::ActionType, ClassWeights::Given(wrong))];
            let options = WeightOptions { classes, game: None };
            assert!(LabelWeights::new(&options, &LabelCounts::zero()).is_err());
        }
    }
}
