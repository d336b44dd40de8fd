//! What a feature is and what a family of features is. Each family is a file of its own: its rules,
//! the names and meanings of its columns, and the code that computes them.

use super::position::Position;
use std::fmt::Display;

/// A feature's value before normalization. Every one is a whole number between -45 (15 points
/// less 60) and 110 (a hand of ten on top of five reductions of 20).
pub type Value = i8;

/// Features that belong together.
#[derive(Clone, Copy, Debug)]
pub struct Family {
    /// Lower-case name for tables and scripts.
    pub name: &'static str,
    /// Whether these are *base* features, which hold the position itself. The others are computed
    /// from it.
    pub is_base: bool,
    /// The rules that all its columns follow, in sentences.
    pub rules: &'static str,
    /// How many columns it has.
    pub(super) width: usize,
    /// Adds its columns.
    pub(super) describe: fn(&mut FeatureList),
    /// Writes its values into `width` zeros.
    pub(super) encode: fn(&Position<'_>, &mut [Value]),
}

/// Two families are the same if their names are.
impl PartialEq for Family {
    fn eq(&self, other: &Family) -> bool {
        self.name == other.name
    }
}

/// One column of the feature matrix.
#[derive(Clone, Debug)]
pub struct Feature {
    /// Its name: a contract with every model trained so far.
    pub name: String,
    /// Its family.
    pub family: &'static Family,
    /// Whether an export subtracts the mean and divides by the standard deviation.
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

    /// What the names of the next columns begin with, and whom or what their meanings are about.
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

/// What the meanings call a player by rotated index.
pub(super) const BY_TURN_ORDER: [&str; 4] =
    ["player to move", "next player", "player 2 turns later", "player 3 turns later"];
