//! Which of the encoder's columns an export has.

use crate::dataset::FeatureSet;
use crate::encode::{FEATURES, Feature};

/// The exported columns, in order, as places in the encoder's row.
#[derive(Clone, Debug)]
pub(super) struct ExportedColumns {
    places: Vec<usize>,
}

impl ExportedColumns {
    pub(super) fn of(features: FeatureSet) -> ExportedColumns {
        let is_exported = |feature: &Feature| match features {
            FeatureSet::All => true,
            FeatureSet::Base => feature.family.is_base(),
        };
        let places = (0..FEATURES.len()).filter(|&place| is_exported(&FEATURES[place])).collect();
        ExportedColumns { places }
    }

    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    pub(super) fn places(&self) -> &[usize] {
        &self.places
    }

    pub(super) fn names(&self) -> Vec<&'static str> {
        self.features().map(|feature| feature.name.as_str()).collect()
    }

    pub(super) fn normalized(&self) -> Vec<bool> {
        self.features().map(|feature| feature.normalized).collect()
    }

    /// The exported ones of values that stand in the encoder's order.
    pub(super) fn choose(&self, values: &[i64]) -> Vec<i64> {
        self.places.iter().map(|&place| values[place]).collect()
    }

    fn features(&self) -> impl Iterator<Item = &'static Feature> {
        self.places.iter().map(|&place| &FEATURES[place])
    }
}
