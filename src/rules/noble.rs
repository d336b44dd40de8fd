//! The noble tiles.

use super::color::{ByColor, Color};

/// A noble, which visits a player whose reductions meet its requirement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Noble {
    /// The required reductions, 0, 3 or 4 per color.
    pub requirement: ByColor<u8>,
}

/// Victory points of every noble.
pub const NOBLE_VP: u8 = 3;

const fn noble(requirement: [u8; Color::COUNT]) -> Noble {
    Noble { requirement: ByColor(requirement) }
}

/// All ten nobles. Requirements are in the order white, blue, green, red, black.
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
    /// The noble with this requirement; `None` if there is no such noble.
    pub fn find(vp: u8, requirement: ByColor<u8>) -> Option<Noble> {
        NOBLES.into_iter().find(|noble| vp == NOBLE_VP && noble.requirement == requirement)
    }

    /// Its index in [`NOBLES`].
    ///
    /// # Panics
    /// If there is no such noble.
    pub fn place(&self) -> u8 {
        NOBLES.iter().position(|noble| noble == self).expect("a noble of the box") as u8
    }

    /// The missing reductions of each color.
    pub fn distance(&self, reduction: &ByColor<u8>) -> ByColor<u8> {
        ByColor(std::array::from_fn(|i| self.requirement.0[i].saturating_sub(reduction.0[i])))
    }

    /// Whether these reductions meet its requirement.
    pub fn is_satisfied_by(&self, reduction: &ByColor<u8>) -> bool {
        self.requirement.0.iter().zip(reduction.0).all(|(&asked, have)| have >= asked)
    }
}
