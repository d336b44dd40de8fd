//! The columns of a dataset.

use crate::encode::{ColumnSums, FEATURE_COUNT, FEATURES, Feature, FeatureRow};
use crate::words::shown;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fmt;
use std::sync::LazyLock;

/// The index of the turn number, after those of the encoder's row. It is not a feature, but models of an
/// earlier pipeline were trained on it.
pub(super) const TURN_NUMBER: usize = FEATURE_COUNT;
const TURN_NUMBER_NAME: &str = "turn_number";

/// The columns of an export.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FeatureSet {
    /// Only the position as logged: `enable_feature_engineering: false`.
    Base,
    /// The position and all derived features.
    #[default]
    All,
    /// Named columns: `--columns`.
    Columns,
}

impl FeatureSet {
    /// All named choices, in the order of `--help`.
    pub const ALL: [FeatureSet; 2] = [FeatureSet::Base, FeatureSet::All];

    /// The name in options and in a manifest.
    pub const fn name(self) -> &'static str {
        match self {
            FeatureSet::Base => "base",
            FeatureSet::All => "all",
            FeatureSet::Columns => "columns",
        }
    }
}

impl fmt::Display for FeatureSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// An ordered selection of columns: features of the encoder, and possibly the turn number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Columns {
    indices: Vec<usize>,
}

/// Why a list of names is not a list of columns.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ColumnsError {
    /// There is no such column.
    #[error("there is no column {}: the nearest is {nearest}", shown(name))]
    Unknown {
        /// The given name.
        name: String,
        /// A column with a similar name.
        nearest: &'static str,
    },
    /// A column is named twice.
    #[error("the column {0} is named twice")]
    Twice(String),
    /// The list is empty.
    #[error("no columns are named")]
    None,
}

impl Columns {
    /// The columns of a feature set; empty for [`FeatureSet::Columns`], whose columns are named.
    pub fn of(features: FeatureSet) -> Columns {
        let is_included = |feature: &Feature| match features {
            FeatureSet::All => true,
            FeatureSet::Base => feature.family.is_base,
            FeatureSet::Columns => false,
        };
        let indices = (0..FEATURES.len()).filter(|&index| is_included(&FEATURES[index])).collect();
        Columns { indices }
    }

    /// The columns with these names, in this order.
    ///
    /// # Errors
    /// If a column does not exist or is named twice, or if there are no names.
    pub fn named<S: AsRef<str>>(names: &[S]) -> Result<Columns, ColumnsError> {
        static INDICES: LazyLock<HashMap<&str, usize>> =
            LazyLock::new(|| (0..=TURN_NUMBER).map(|index| (name(index), index)).collect());
        let mut is_named = [false; TURN_NUMBER + 1];
        let mut indices = Vec::with_capacity(names.len().min(is_named.len()));
        for name in names.iter().map(S::as_ref) {
            let Some(&index) = INDICES.get(name) else {
                return Err(ColumnsError::Unknown {
                    name: name.to_owned(),
                    nearest: nearest(name),
                });
            };
            if std::mem::replace(&mut is_named[index], true) {
                return Err(ColumnsError::Twice(name.to_owned()));
            }
            indices.push(index);
        }
        if indices.is_empty() { Err(ColumnsError::None) } else { Ok(Columns { indices }) }
    }

    /// The feature set of these columns.
    pub fn features(&self) -> FeatureSet {
        let is_all_of = |&features: &FeatureSet| *self == Columns::of(features);
        FeatureSet::ALL.into_iter().find(is_all_of).unwrap_or(FeatureSet::Columns)
    }

    /// The number of columns.
    pub fn count(&self) -> usize {
        self.indices.len()
    }

    /// Whether no derived features are needed.
    pub fn are_base(&self) -> bool {
        self.indices.iter().all(|&index| {
            FEATURES.get(index).is_none_or(|feature: &Feature| feature.family.is_base)
        })
    }

    /// The position of the turn number among the columns.
    pub fn turn_number(&self) -> Option<usize> {
        self.indices.iter().position(|&index| index == TURN_NUMBER)
    }

    /// The index of each column in the encoder's row; the index of the turn number comes after all of them.
    pub fn indices(&self) -> &[usize] {
        &self.indices
    }

    /// The name of each column.
    pub fn names(&self) -> Vec<&'static str> {
        self.indices.iter().map(|&index| name(index)).collect()
    }

    /// Whether a scaler normalizes each column.
    pub fn normalized(&self) -> Vec<bool> {
        let is_normalized =
            |&index| FEATURES.get(index).is_none_or(|feature: &Feature| feature.normalized);
        self.indices.iter().map(is_normalized).collect()
    }

    /// Selects the sums of these columns from the sums of all features and of the turn number.
    pub fn choose(&self, sums: &ColumnSums) -> ColumnSums {
        let choose = |values: &[i64]| self.indices.iter().map(|&index| values[index]).collect();
        ColumnSums {
            rows: sums.rows,
            sum: choose(&sums.sum),
            sum_of_squares: choose(&sums.sum_of_squares),
        }
    }

    /// The values of these columns, from a row of the encoder and its turn number.
    pub fn values(&self, row: &FeatureRow, turn_number: i32) -> impl Iterator<Item = f32> {
        self.indices.iter().map(move |&index| match row.get(index) {
            Some(&value) => value.into(),
            None => turn_number as f32,
        })
    }
}

fn name(index: usize) -> &'static str {
    FEATURES.get(index).map_or(TURN_NUMBER_NAME, |feature| feature.name.as_str())
}

fn nearest(typed: &str) -> &'static str {
    // Comparing takes quadratic time, so long texts are not compared.
    let end = typed.char_indices().nth(100).map_or(typed.len(), |(end, _)| end);
    let likeness = |known: &&str| strsim::jaro_winkler(&typed[..end], known);
    let known = (0..=TURN_NUMBER).map(name);
    let nearest = known.max_by(|one, other| likeness(one).total_cmp(&likeness(other)));
    nearest.unwrap_or(TURN_NUMBER_NAME)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_back() {
        for features in FeatureSet::ALL {
            let columns = Columns::of(features);
            assert_eq!(Columns::named(&columns.names()), Ok(columns.clone()));
            assert_eq!(columns.features(), features);
        }
        let mut names = Columns::of(FeatureSet::Base).names();
        names.reverse();
        names.insert(7, "turn_number");
        let columns = Columns::named(&names).unwrap();
        assert_eq!(columns.names(), names);
        assert_eq!((columns.turn_number(), columns.features()), (Some(7), FeatureSet::Columns));
        assert!(columns.are_base() && columns.normalized()[7]);
        let row: FeatureRow = std::array::from_fn(|index| (index % 100) as i8);
        let expected = columns.indices().iter().map(|&index| match index {
            TURN_NUMBER => 9_999.0,
            index => (index % 100) as f32,
        });
        assert!(columns.values(&row, 9_999).eq(expected));
    }

    #[test]
    fn names_of_no_columns() {
        let error = |names: &[&str]| Columns::named(names).unwrap_err().to_string();
        assert_eq!(
            error(&["turn_number", "gem_board_blue"]),
            "there is no column gem_board_blue: the nearest is gems_board_blue"
        );
        assert_eq!(error(&["card0_vp", "card0_vp"]), "the column card0_vp is named twice");
        assert_eq!(error(&[]), "no columns are named");
        assert!(error(&["x".repeat(1 << 20).as_str()]).contains("the nearest is"));
    }
}
