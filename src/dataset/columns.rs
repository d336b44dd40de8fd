//! Which of the encoder's columns a dataset has.

use super::options::FeatureSet;
use crate::encode::{FEATURES, Feature};

/// The columns of a feature set, in order.
#[derive(Clone, Debug)]
pub struct Columns {
    indices: Vec<usize>,
}

impl Columns {
    /// The columns of a feature set.
    pub fn of(features: FeatureSet) -> Columns {
        let is_included = |feature: &Feature| match features {
            FeatureSet::All => true,
            FeatureSet::Base => feature.family.is_base,
        };
        let indices = (0..FEATURES.len()).filter(|&index| is_included(&FEATURES[index])).collect();
        Columns { indices }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.indices.len()
    }

    /// Whether all of them are base features.
    pub fn are_base(&self) -> bool {
        self.features().all(|feature| feature.family.is_base)
    }

    /// The index of each column in the encoder's row.
    pub fn indices(&self) -> &[usize] {
        &self.indices
    }

    /// The name of each column.
    pub fn names(&self) -> Vec<&'static str> {
        self.features().map(|feature| feature.name.as_str()).collect()
    }

    /// Whether each column is one that a scaler normalizes.
    pub fn normalized(&self) -> Vec<bool> {
        self.features().map(|feature| feature.normalized).collect()
    }

    /// The values of these columns, out of values for every column of the encoder.
    pub fn choose(&self, values: &[i64]) -> Vec<i64> {
        self.indices.iter().map(|&index| values[index]).collect()
    }

    fn features(&self) -> impl Iterator<Item = &'static Feature> {
        self.indices.iter().map(|&index| &FEATURES[index])
    }
}
