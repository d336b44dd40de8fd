//! The noble tiles.

use super::color::{ByColor, Color};

/// A noble: visits the player whose reductions reach what it asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Noble {
    /// Reductions it asks for, 0, 3 or 4 a color.
    pub requirement: ByColor<u8>,
}

/// Victory points of every noble.
pub const NOBLE_VP: u8 = 3;

const fn noble(requirement: [u8; Color::COUNT]) -> Noble {
    Noble { requirement: ByColor(requirement) }
}

/// All ten nobles. Requirements run white, blue, green, red, black.
pub const NOBLES: [Noble; 10] = [
    noble([4, 4, 0, 0, 0]),
    noble([4, 0, 0, 0, 4]),
    noble([0, 0, 0, 4, 4]),
    noble([0, 4, 4, 0, 0]),
    noble([0, 0, 4, 4, 0]),
    noble([0, 3, 3, 3, 0]),
    noble([3, 3, 3, 0, 0]),
    noble([0, 0, 3, 3, 3]),
    noble([3, 0, 0, 3, 3]),
    noble([3, 3, 0, 0, 3]),
];

impl Noble {
    /// The noble that asks for this, or `None` if there is no such tile.
    pub fn find(vp: u8, requirement: ByColor<u8>) -> Option<Noble> {
        NOBLES.into_iter().find(|noble| vp == NOBLE_VP && noble.requirement == requirement)
    }

    /// Its place in [`NOBLES`].
    ///
    /// # Panics
    /// If there is no such tile.
    pub fn place(&self) -> u8 {
        NOBLES.iter().position(|noble| noble == self).expect("a noble of the box") as u8
    }

    /// How many reductions of each color are still missing.
    pub fn distance(&self, reduction: &ByColor<u8>) -> ByColor<u8> {
        ByColor(std::array::from_fn(|i| self.requirement.0[i].saturating_sub(reduction.0[i])))
    }

    /// Whether these reductions attract it.
    pub fn is_satisfied_by(&self, reduction: &ByColor<u8>) -> bool {
        self.requirement.0.iter().zip(reduction.0).all(|(&asked, have)| have >= asked)
    }
}
