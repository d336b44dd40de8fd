//! Counts the values of every column before normalization, and marks unusual columns.

use super::distribution::Distribution;
use super::place::Place;
use super::wins::add_up;
use crate::encode::{EncodedGame, FEATURE_COUNT, FEATURES, Feature, Value};
use crate::gamelog::GameId;
use serde::Serialize;
use std::cmp::{Ordering, Reverse};

/// A normalized value that is more than this many standard deviations from the mean is an outlier: a
/// network rarely sees it, and then it is the largest number in the row.
pub(crate) const FAR: f64 = 10.0;

/// A flag is rare if all rows but this share have the same value.
pub(crate) const RARE: f64 = 0.001;

/// The number of different values: [`Value`] is a byte.
const VALUES: usize = 1 << Value::BITS;

/// Counts of every value of every column.
#[derive(Clone)]
pub(crate) struct FeatureTally {
    /// Column by column, by value from the minimum.
    counts: Vec<u64>,
    /// The minimum of each column, and the first row with it.
    min: Vec<Option<(Value, Place)>>,
    max: Vec<Option<(Value, Place)>>,
}

impl FeatureTally {
    pub(crate) fn new() -> FeatureTally {
        let nowhere = || vec![None; FEATURE_COUNT];
        FeatureTally { counts: vec![0; FEATURE_COUNT * VALUES], min: nowhere(), max: nowhere() }
    }

    /// Counts the rows of a game. Each thread counts games in ascending order.
    pub(crate) fn add_game(&mut self, game_id: GameId, game: &EncodedGame) {
        let rows = game.features();
        let Some(&first) = rows.first() else { return };
        let (mut min, mut max) = (first, first);
        for row in rows {
            min.iter_mut().zip(row).for_each(|(min, &value)| *min = value.min(*min));
            max.iter_mut().zip(row).for_each(|(max, &value)| *max = value.max(*max));
        }
        let (columns, _) = self.counts.as_chunks_mut::<VALUES>();
        for (column, counts) in columns.iter_mut().enumerate() {
            // Many columns are constant within a game, such as those of absent players.
            if min[column] == max[column] {
                counts[usize::from(min[column].abs_diff(Value::MIN))] += rows.len() as u64;
            } else {
                for row in rows {
                    counts[usize::from(row[column].abs_diff(Value::MIN))] += 1;
                }
            }
            let place = |value: Value| {
                let row = rows.iter().position(|row| row[column] == value).unwrap_or(0);
                Some((value, Place::new(game_id, row)))
            };
            if self.min[column].is_none_or(|(value, _)| min[column] < value) {
                self.min[column] = place(min[column]);
            }
            if self.max[column].is_none_or(|(value, _)| max[column] > value) {
                self.max[column] = place(max[column]);
            }
        }
    }

    pub(crate) fn merge(&mut self, other: &FeatureTally) {
        add_up(&mut self.counts, &other.counts);
        for (min, &other) in self.min.iter_mut().zip(&other.min) {
            *min = [*min, other].into_iter().flatten().min();
        }
        for (max, &other) in self.max.iter_mut().zip(&other.max) {
            let both = [*max, other].into_iter().flatten();
            *max = both.min_by_key(|&(value, place)| (Reverse(value), place));
        }
    }

    pub(crate) fn columns(&self) -> Vec<ColumnReport> {
        let (columns, _) = self.counts.as_chunks::<VALUES>();
        let place = |end: Option<(Value, Place)>| end.map(|(_, place)| place);
        let column = |(index, (counts, feature)): (usize, (&[u64; VALUES], &'static Feature))| {
            let mut values = Distribution::default();
            for (value, &times) in counts.iter().enumerate() {
                values.add(value as i64 + i64::from(Value::MIN), times);
            }
            let (min_at, max_at) = (place(self.min[index]), place(self.max[index]));
            let (mean, deviation) = (values.mean(), values.standard_deviation());
            let farthest = farthest(&values, mean, deviation);
            let mark = mark(&values, farthest, feature.normalized);
            ColumnReport { index, feature, mark, values, mean, deviation, farthest, min_at, max_at }
        };
        columns.iter().zip(FEATURES.iter()).enumerate().map(column).collect()
    }
}

/// A column of the feature matrix over all rows.
#[derive(Clone, Debug)]
pub(crate) struct ColumnReport {
    pub(crate) index: usize,
    pub(crate) feature: &'static Feature,
    /// Its values, before normalization.
    pub(crate) values: Distribution,
    pub(crate) mean: f64,
    pub(crate) deviation: f64,
    /// The largest distance of a value from the mean, in standard deviations; 0 if the column is constant.
    pub(crate) farthest: f64,
    pub(crate) mark: Option<Mark>,
    pub(crate) min_at: Option<Place>,
    pub(crate) max_at: Option<Place>,
}

impl ColumnReport {
    /// The first row with the value farthest from the mean; `None` if the column is constant.
    pub(crate) fn farthest_at(&self) -> Option<Place> {
        let (min, max) = (self.values.min()? as f64, self.values.max()? as f64);
        match (max - self.mean).total_cmp(&(self.mean - min)) {
            _ if min == max => None,
            Ordering::Less => self.min_at,
            _ => self.max_at,
        }
    }
}

/// An unusual property of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Mark {
    /// All rows have the same value, so the column has no information.
    Constant,
    /// A normalized column with a value more than [`FAR`] standard deviations from its mean.
    Outlier,
    /// A column that is not normalized, and in which all rows but a [`RARE`] share have the same value.
    Rare,
}

impl Mark {
    /// Lower-case name for tables and scripts.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Mark::Constant => "constant",
            Mark::Outlier => "outlier",
            Mark::Rare => "rare",
        }
    }
}

fn mark(values: &Distribution, farthest: f64, normalized: bool) -> Option<Mark> {
    let most = values.mode().map_or(0, |mode| values.count(mode));
    let others = values.total() - most;
    match normalized {
        _ if others == 0 => Some(Mark::Constant),
        true => (farthest > FAR).then_some(Mark::Outlier),
        false => (others as f64 <= RARE * values.total() as f64).then_some(Mark::Rare),
    }
}

fn farthest(values: &Distribution, mean: f64, deviation: f64) -> f64 {
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
        let farthest =
            |values: &Distribution| farthest(values, values.mean(), values.standard_deviation());
        let mark = |values: &Distribution, normalized| mark(values, farthest(values), normalized);
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
