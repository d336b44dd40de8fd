//! Counts of integers.

use serde::Serialize;
use std::collections::BTreeMap;

/// Exact counts of integers. Merging counts does not depend on the order, so the result does not depend
/// on the threads.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(crate) struct Distribution {
    counts: BTreeMap<i64, u64>,
}

impl Distribution {
    /// Counts a value `times` times.
    pub(crate) fn add(&mut self, value: i64, times: u64) {
        if times > 0 {
            *self.counts.entry(value).or_default() += times;
        }
    }

    pub(crate) fn merge(&mut self, other: &Distribution) {
        for (value, times) in other.iter() {
            self.add(value, times);
        }
    }

    /// The values that occur, in ascending order, with their counts.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (i64, u64)> {
        self.counts.iter().map(|(&value, &times)| (value, times))
    }

    pub(crate) fn total(&self) -> u64 {
        self.counts.values().sum()
    }

    pub(crate) fn count(&self, value: i64) -> u64 {
        self.counts.get(&value).copied().unwrap_or(0)
    }

    /// The smallest value; `None` if nothing was counted.
    pub(crate) fn min(&self) -> Option<i64> {
        self.counts.first_key_value().map(|(&value, _)| value)
    }

    /// The largest value; `None` if nothing was counted.
    pub(crate) fn max(&self) -> Option<i64> {
        self.counts.last_key_value().map(|(&value, _)| value)
    }

    /// The most frequent value; in a tie, the smallest.
    pub(crate) fn mode(&self) -> Option<i64> {
        let by_count = self.iter().max_by_key(|&(value, times)| (times, -value));
        by_count.map(|(value, _)| value)
    }

    /// The mean; 0 if nothing was counted.
    pub(crate) fn mean(&self) -> f64 {
        match self.total() {
            0 => 0.0,
            total => self.sums().0 as f64 / total as f64,
        }
    }

    /// The population standard deviation, computed like an export's scaler from exact integers and
    /// rounded once. 0 if nothing was counted.
    pub(crate) fn standard_deviation(&self) -> f64 {
        let total = i128::from(self.total());
        let (sum, sum_of_squares) = self.sums();
        match total {
            0 => 0.0,
            _ => ((total * sum_of_squares - sum * sum) as f64).sqrt() / total as f64,
        }
    }

    /// The quantile of a share (0 to 1): the smallest value that at least this share of the values do
    /// not exceed; `None` if nothing was counted.
    pub(crate) fn quantile(&self, share: f64) -> Option<i64> {
        let wanted = (share * self.total() as f64).ceil().max(1.0);
        let mut below = 0;
        for (value, times) in self.iter() {
            below += times;
            if below as f64 >= wanted {
                return Some(value);
            }
        }
        None
    }

    fn sums(&self) -> (i128, i128) {
        self.iter().fold((0, 0), |(sum, squares), (value, times)| {
            let (value, times) = (i128::from(value), i128::from(times));
            (sum + value * times, squares + value * value * times)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[i64]) -> Distribution {
        let mut distribution = Distribution::default();
        values.iter().for_each(|&value| distribution.add(value, 1));
        distribution
    }

    #[test]
    fn mean_deviation_and_quantiles() {
        let values = of(&[2, 4, 4, 4, 5, 5, 7, 9]);
        assert_eq!((values.mean(), values.standard_deviation()), (5.0, 2.0));
        assert_eq!((values.min(), values.mode(), values.max()), (Some(2), Some(4), Some(9)));
        let quantiles = [0.0, 0.125, 0.13, 0.5, 0.51, 1.0].map(|share| values.quantile(share));
        assert_eq!(quantiles, [2, 2, 4, 4, 5, 9].map(Some));
        let nothing = Distribution::default();
        assert_eq!((nothing.mean(), nothing.standard_deviation()), (0.0, 0.0));
        assert_eq!((nothing.quantile(0.5), nothing.mode()), (None, None));
    }

    #[test]
    fn merge_in_any_order() {
        let (mut one, other) = (of(&[-3, 0, 7]), of(&[0, 0, 8]));
        let mut turned = other.clone();
        turned.merge(&one);
        one.merge(&other);
        assert_eq!(one, turned);
        assert_eq!(one, of(&[-3, 0, 0, 0, 7, 8]));
    }
}
