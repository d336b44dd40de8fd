//! Which columns a dataset has.

use super::options::FeatureSet;
use crate::encode::{ColumnSums, FEATURE_COUNT, FEATURES, Feature, FeatureRow};
use crate::words::shown;
use std::collections::HashMap;
use std::sync::LazyLock;

/// The index of the turn number, behind those of the encoder's row. It is no feature, and models of an earlier
/// pipeline were trained on it.
pub(super) const TURN_NUMBER: usize = FEATURE_COUNT;
const TURN_NUMBER_NAME: &str = "turn_number";

/// Some columns, in order: features of the encoder, and perhaps the turn number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Columns {
    indices: Vec<usize>,
}

/// Why names are not those of columns.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ColumnsError {
    /// There is no such column.
    #[error("there is no column {}: the nearest is {nearest}", shown(name))]
    Unknown {
        /// What was given.
        name: String,
        /// A column with a similar name.
        nearest: &'static str,
    },
    /// Two columns have one name.
    #[error("the column {0} is named twice")]
    Twice(String),
    /// There are no names.
    #[error("no columns are named")]
    None,
}

impl Columns {
    /// The columns of a feature set. Those of [`FeatureSet::Columns`] are named: these are none.
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
    /// If there is no such column, one is named twice, or there are no names.
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

    /// The feature set that these are.
    pub fn features(&self) -> FeatureSet {
        let is_all_of = |&features: &FeatureSet| *self == Columns::of(features);
        FeatureSet::ALL.into_iter().find(is_all_of).unwrap_or(FeatureSet::Columns)
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.indices.len()
    }

    /// Whether the encoder need not compute any derived feature.
    pub fn are_base(&self) -> bool {
        self.indices.iter().all(|&index| {
            FEATURES.get(index).is_none_or(|feature: &Feature| feature.family.is_base)
        })
    }

    /// Where the turn number is among them.
    pub fn turn_number(&self) -> Option<usize> {
        self.indices.iter().position(|&index| index == TURN_NUMBER)
    }

    /// The index of each column in the encoder's row; that of the turn number is behind all of them.
    pub fn indices(&self) -> &[usize] {
        &self.indices
    }

    /// The name of each column.
    pub fn names(&self) -> Vec<&'static str> {
        self.indices.iter().map(|&index| name(index)).collect()
    }

    /// Whether each column is one that a scaler normalizes.
    pub fn normalized(&self) -> Vec<bool> {
        let is_normalized =
            |&index| FEATURES.get(index).is_none_or(|feature: &Feature| feature.normalized);
        self.indices.iter().map(is_normalized).collect()
    }

    /// The sums of these columns, out of those of all features, and of the turn number if it is one.
    pub fn choose(&self, sums: &ColumnSums) -> ColumnSums {
        let choose = |values: &[i64]| self.indices.iter().map(|&index| values[index]).collect();
        ColumnSums {
            rows: sums.rows,
            sum: choose(&sums.sum),
            sum_of_squares: choose(&sums.sum_of_squares),
        }
    }

    /// The values of these columns in a row of the encoder, for that turn.
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
    // Comparing takes time by the product of both lengths: a megabyte of text must not get there.
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
