//! The values of every column before normalization, and which columns stand out.

use super::distribution::Distribution;
use crate::encode::{EncodedGame, FEATURE_COUNT, FEATURES, Feature, Value};
use serde::Serialize;

/// A normalized value that is more standard deviations from the mean than this is an outlier: a network
/// sees it rarely, and then it is the largest number of the row.
pub const FAR: f64 = 10.0;

/// A flag that has one value in all but this share of the rows is rare.
pub const RARE: f64 = 0.001;

/// How many different values there are: [`Value`] is a byte.
const VALUES: usize = 1 << Value::BITS;

/// Counts of every value of every column.
#[derive(Clone)]
pub(super) struct FeatureTally {
    /// Column after column, by value from the minimum.
    counts: Vec<u64>,
}

impl FeatureTally {
    pub(super) fn new() -> FeatureTally {
        FeatureTally { counts: vec![0; FEATURE_COUNT * VALUES] }
    }

    /// Counts the rows of a game.
    pub(super) fn add_game(&mut self, game: &EncodedGame) {
        let (columns, _) = self.counts.as_chunks_mut::<VALUES>();
        for (column, counts) in columns.iter_mut().enumerate() {
            for row in game.features() {
                counts[usize::from(row[column].abs_diff(Value::MIN))] += 1;
            }
        }
    }

    /// Adds the counts of other games.
    pub(super) fn merge(&mut self, other: &FeatureTally) {
        self.counts.iter_mut().zip(&other.counts).for_each(|(count, more)| *count += more);
    }

    /// The columns in order.
    pub(super) fn columns(&self) -> Vec<ColumnReport> {
        let (columns, _) = self.counts.as_chunks::<VALUES>();
        let column = |(counts, feature): (&[u64; VALUES], &'static Feature)| {
            let mut values = Distribution::default();
            for (index, &times) in counts.iter().enumerate() {
                values.add(index as i64 + i64::from(Value::MIN), times);
            }
            ColumnReport { feature, mark: mark(&values, feature.normalized), values }
        };
        columns.iter().zip(FEATURES.iter()).map(column).collect()
    }
}

/// One column of the feature matrix over all rows.
#[derive(Clone, Debug)]
pub struct ColumnReport {
    /// Its name and meaning.
    pub feature: &'static Feature,
    /// Its values, before normalisation.
    pub values: Distribution,
    /// What is unusual about them.
    pub mark: Option<Mark>,
}

impl ColumnReport {
    /// How many standard deviations the farthest value is from the mean; 0 if the column is constant.
    pub fn farthest(&self) -> f64 {
        farthest(&self.values)
    }
}

/// What is unusual about a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// All rows have the same value: the column carries no information.
    Constant,
    /// A normalized column with a value more than [`FAR`] standard deviations from its mean.
    Outlier,
    /// A column that is not normalized and has one value in all but a [`RARE`] share of the rows.
    Rare,
}

impl Mark {
    /// Lower-case name for tables and scripts.
    pub const fn name(self) -> &'static str {
        match self {
            Mark::Constant => "constant",
            Mark::Outlier => "outlier",
            Mark::Rare => "rare",
        }
    }
}

fn mark(values: &Distribution, normalized: bool) -> Option<Mark> {
    let most = values.mode().map_or(0, |mode| values.count(mode));
    let others = values.total() - most;
    match normalized {
        _ if others == 0 => Some(Mark::Constant),
        true => (farthest(values) > FAR).then_some(Mark::Outlier),
        false => (others as f64 <= RARE * values.total() as f64).then_some(Mark::Rare),
    }
}

fn farthest(values: &Distribution) -> f64 {
    let (mean, deviation) = (values.mean(), values.standard_deviation());
    let ends = [values.min(), values.max()].into_iter().flatten();
    match deviation > 0.0 {
        true => ends.map(|end| (end as f64 - mean).abs() / deviation).fold(0.0, f64::max),
        false => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(counts: &[(i64, u64)]) -> Distribution {
        let mut values = Distribution::default();
        counts.iter().for_each(|&(value, times)| values.add(value, times));
        values
    }

    #[test]
    fn marks() {
        let constant = of(&[(4, 1000)]);
        assert_eq!(mark(&constant, true), Some(Mark::Constant));
        assert_eq!(mark(&constant, false), Some(Mark::Constant));
        // One in 1,001 that is 1: mean 1/1001, deviation close to its root, so 31.6 away.
        let rare = of(&[(0, 1000), (1, 1)]);
        assert_eq!(mark(&rare, true), Some(Mark::Outlier));
        assert_eq!(mark(&rare, false), Some(Mark::Rare));
        assert!((farthest(&rare) - 1000_f64.sqrt()).abs() < 1e-9);
        let usual = of(&[(0, 900), (1, 100)]);
        assert_eq!((mark(&usual, true), mark(&usual, false)), (None, None));
    }
}
