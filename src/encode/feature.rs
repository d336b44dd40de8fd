//! What a feature is, and the list of them that each family adds itself to.

use crate::column_name::ColumnName;
use crate::rules::Color;

/// A feature's value before normalisation. Every one is a whole number between -45 (15 points
/// less 60) and 110 (a hand of ten on top of five reductions of 20).
pub type Value = i8;

/// The family a feature belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// The position as logged, by rotated player.
    State,
    /// Where a displayed or reserved card stands.
    CardPositions,
    /// What may be taken from each pile.
    Tokens,
    /// What each seat lacks for each card it can reach.
    Cards,
    /// How far each seat is from each noble.
    Nobles,
    /// What a card's bonus does for the nobles.
    Synergy,
    /// The players against each other.
    Comparison,
    /// How far the game has come.
    Progress,
    /// Categories spelled out as 0 and 1.
    OneHot,
}

impl Family {
    /// Lower-case name for tables and scripts.
    pub const fn name(self) -> &'static str {
        match self {
            Family::State => "state",
            Family::CardPositions => "card_positions",
            Family::Tokens => "tokens",
            Family::Cards => "cards",
            Family::Nobles => "nobles",
            Family::Synergy => "synergy",
            Family::Comparison => "comparison",
            Family::Progress => "progress",
            Family::OneHot => "one_hot",
        }
    }

    /// Whether it belongs to the *base* features. The others are computed on top of them.
    pub const fn is_base(self) -> bool {
        matches!(self, Family::State | Family::CardPositions | Family::OneHot)
    }
}

/// One column of the feature matrix.
#[derive(Clone, Copy, Debug)]
pub struct Feature {
    /// Its name: a contract with every model trained so far.
    pub name: ColumnName,
    /// Its family.
    pub family: Family,
    /// Whether an export subtracts the mean and divides by the deviation.
    pub normalized: bool,
    /// What the value says, in words.
    pub meaning: &'static str,
}

/// Collects features at compile time, in column order.
pub(super) struct FeatureList<const N: usize> {
    pub(super) features: [Feature; N],
    pub(super) len: usize,
    family: Family,
}

impl<const N: usize> FeatureList<N> {
    pub(super) const fn new() -> Self {
        let blank = Feature {
            name: ColumnName::new(""),
            family: Family::State,
            normalized: false,
            meaning: "",
        };
        FeatureList { features: [blank; N], len: 0, family: Family::State }
    }

    /// The family that the next features belong to.
    pub(super) const fn begin(&mut self, family: Family) {
        self.family = family;
    }

    /// Adds a quantity: normalised.
    pub(super) const fn quantity(&mut self, name: ColumnName, meaning: &'static str) {
        self.push(name, true, meaning);
    }

    /// Adds a flag, place or category: not normalised.
    pub(super) const fn flag(&mut self, name: ColumnName, meaning: &'static str) {
        self.push(name, false, meaning);
    }

    /// Adds a quantity for each colour.
    pub(super) const fn quantities_by_color(&mut self, prefix: ColumnName, meaning: &'static str) {
        let mut color = 0;
        while color < Color::COUNT {
            self.quantity(prefix.then(Color::ALL[color].name()), meaning);
            color += 1;
        }
    }

    /// Adds a flag for each colour.
    pub(super) const fn flags_by_color(&mut self, prefix: ColumnName, meaning: &'static str) {
        let mut color = 0;
        while color < Color::COUNT {
            self.flag(prefix.then(Color::ALL[color].name()), meaning);
            color += 1;
        }
    }

    const fn push(&mut self, name: ColumnName, normalized: bool, meaning: &'static str) {
        self.features[self.len] = Feature { name, family: self.family, normalized, meaning };
        self.len += 1;
    }
}

/// The next `N` places of what is left to write.
pub(super) fn take<'a, const N: usize>(rest: &mut &'a mut [Value]) -> &'a mut [Value; N] {
    let (next, after) = std::mem::take(rest)
        .split_first_chunk_mut()
        .expect("a family's width is the sum of its parts");
    *rest = after;
    next
}

/// The next `N` places of what is left to read, as the counts they hold; `None` where one is
/// negative.
pub(super) fn read<const N: usize>(rest: &mut &[Value]) -> Option<[u8; N]> {
    let (next, after) = rest.split_first_chunk::<N>()?;
    *rest = after;
    let mut counts = [0; N];
    for (count, &value) in counts.iter_mut().zip(next) {
        *count = u8::try_from(value).ok()?;
    }
    Some(counts)
}
