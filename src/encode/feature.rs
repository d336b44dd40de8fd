//! Features and feature families. Each family has its own file with its rules, the names and meanings of
//! its columns, and the code that computes them.

use super::position::Position;
use std::fmt::Display;

/// A feature's value before normalization: a whole number from -45 (15 minus 60 points) to 110 (ten gems
/// in hand plus five reductions of 20).
pub type Value = i8;

/// A family of features.
#[derive(Clone, Copy, Debug)]
pub struct Family {
    /// Lower-case name for tables and scripts.
    pub name: &'static str,
    /// Whether these are *base* features, which describe the position itself. Other features are
    /// computed from it.
    pub is_base: bool,
    /// Description of the rules that all its columns follow.
    pub rules: &'static str,
    /// The number of columns.
    pub(super) width: usize,
    /// Adds its columns.
    pub(super) describe: fn(&mut FeatureList),
    /// Writes its values into `width` zeros.
    pub(super) encode: fn(&Position<'_>, &mut [Value]),
}

/// Families are equal if their names are.
impl PartialEq for Family {
    fn eq(&self, other: &Family) -> bool {
        self.name == other.name
    }
}

/// One column of the feature matrix.
#[derive(Clone, Debug)]
pub struct Feature {
    /// Its name, which existing models depend on.
    pub name: String,
    /// Its family.
    pub family: &'static Family,
    /// Whether an export normalizes it: subtracts the mean and divides by the standard deviation.
    pub normalized: bool,
    /// One sentence about this column: `seat 2, reachable card 7: gems the seat lacks for the card`.
    pub meaning: String,
}

/// Collects features in column order.
pub(super) struct FeatureList {
    features: Vec<Feature>,
    family: &'static Family,
    prefix: String,
    subject: String,
}

impl FeatureList {
    /// The columns of all families.
    pub(super) fn describe(families: &'static [Family]) -> Vec<Feature> {
        let (prefix, subject) = Default::default();
        let mut list = FeatureList { features: Vec::new(), family: &families[0], prefix, subject };
        for family in families {
            list.family = family;
            list.about("", "");
            (family.describe)(&mut list);
        }
        list.features
    }

    /// Sets the prefix of the next columns' names, and the subject of their meanings.
    pub(super) fn about(&mut self, prefix: impl Into<String>, subject: impl Into<String>) {
        (self.prefix, self.subject) = (prefix.into(), subject.into());
    }

    /// Adds a quantity: normalized.
    pub(super) fn quantity(&mut self, name: impl Display, meaning: impl Display) {
        self.push(name, true, meaning);
    }

    /// Adds a flag, index or category: not normalized.
    pub(super) fn flag(&mut self, name: impl Display, meaning: impl Display) {
        self.push(name, false, meaning);
    }

    fn push(&mut self, name: impl Display, normalized: bool, meaning: impl Display) {
        let name = format!("{}{name}", self.prefix);
        let meaning = match self.subject.as_str() {
            "" => meaning.to_string(),
            subject => format!("{subject}: {meaning}"),
        };
        self.features.push(Feature { name, family: self.family, normalized, meaning });
    }
}

/// Names of the players by rotated index.
pub(super) const BY_TURN_ORDER: [&str; 4] =
    ["player to move", "next player", "player 2 turns later", "player 3 turns later"];
