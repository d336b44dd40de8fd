//! Gem colors, and containers keyed by them.
//!
//! The order white, blue, green, red, black(, gold) is part of the log format and of the order of
//! columns. Only this file depends on the numbers of the colors.

use std::fmt;
use std::ops::{Index, IndexMut};

/// One of the five colors of costs, bonuses and requirements of nobles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Color {
    /// Diamond.
    White,
    /// Sapphire.
    Blue,
    /// Emerald.
    Green,
    /// Ruby.
    Red,
    /// Onyx.
    Black,
}

impl Color {
    /// The number of colors.
    pub const COUNT: usize = 5;

    /// All colors, in the order of logs.
    pub const ALL: [Color; Color::COUNT] =
        [Color::White, Color::Blue, Color::Green, Color::Red, Color::Black];

    /// The lower-case name, as in column names.
    pub const fn name(self) -> &'static str {
        match self {
            Color::White => "white",
            Color::Blue => "blue",
            Color::Green => "green",
            Color::Red => "red",
            Color::Black => "black",
        }
    }

    /// Index in [`Color::ALL`].
    pub const fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Color {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A kind of gem: one of the five colors, or gold, which can replace any of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Gem {
    /// Diamond.
    White,
    /// Sapphire.
    Blue,
    /// Emerald.
    Green,
    /// Ruby.
    Red,
    /// Onyx.
    Black,
    /// The joker, which players get by reserving.
    Gold,
}

impl Gem {
    /// The number of kinds.
    pub const COUNT: usize = 6;

    /// All kinds, the five colors first.
    pub const ALL: [Gem; Gem::COUNT] =
        [Gem::White, Gem::Blue, Gem::Green, Gem::Red, Gem::Black, Gem::Gold];

    /// The lower-case name, as in column names.
    pub const fn name(self) -> &'static str {
        match self {
            Gem::White => "white",
            Gem::Blue => "blue",
            Gem::Green => "green",
            Gem::Red => "red",
            Gem::Black => "black",
            Gem::Gold => "gold",
        }
    }

    /// Index in [`Gem::ALL`]; for a color the same as [`Color::index`].
    pub const fn index(self) -> usize {
        self as usize
    }
}

impl From<Color> for Gem {
    fn from(color: Color) -> Gem {
        Gem::ALL[color.index()]
    }
}

impl fmt::Display for Gem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One value for each color.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByColor<T>(pub [T; Color::COUNT]);

/// One value for each kind of gem.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByGem<T>(pub [T; Gem::COUNT]);

impl<T> ByColor<T> {
    /// Creates each value from its color.
    pub fn from_fn(mut value: impl FnMut(Color) -> T) -> Self {
        ByColor(std::array::from_fn(|i| value(Color::ALL[i])))
    }

    /// The values with their colors, in log order.
    pub fn iter(&self) -> impl Iterator<Item = (Color, &T)> {
        Color::ALL.into_iter().zip(&self.0)
    }
}

impl<T> ByGem<T> {
    /// Creates each value from its kind of gem.
    pub fn from_fn(mut value: impl FnMut(Gem) -> T) -> Self {
        ByGem(std::array::from_fn(|i| value(Gem::ALL[i])))
    }

    /// The values with their kinds of gem, in log order.
    pub fn iter(&self) -> impl Iterator<Item = (Gem, &T)> {
        Gem::ALL.into_iter().zip(&self.0)
    }
}

impl ByColor<u8> {
    /// The sum over the colors.
    pub fn total(&self) -> u8 {
        self.0.iter().sum()
    }
}

impl ByGem<u8> {
    /// The sum over all kinds, including gold.
    pub fn total(&self) -> u8 {
        self.0.iter().sum()
    }

    /// The five colors, without gold.
    pub fn colors(&self) -> ByColor<u8> {
        let [white, blue, green, red, black, _gold] = self.0;
        ByColor([white, blue, green, red, black])
    }

    /// The sum of these gems and `more` gems of the five colors.
    pub fn plus(mut self, more: ByColor<u8>) -> Self {
        for (have, more) in self.0.iter_mut().zip(more.0) {
            *have += more;
        }
        self
    }
}

impl<T> Index<Color> for ByColor<T> {
    type Output = T;
    fn index(&self, color: Color) -> &T {
        &self.0[color.index()]
    }
}

impl<T> IndexMut<Color> for ByColor<T> {
    fn index_mut(&mut self, color: Color) -> &mut T {
        &mut self.0[color.index()]
    }
}

impl<T> Index<Gem> for ByGem<T> {
    type Output = T;
    fn index(&self, gem: Gem) -> &T {
        &self.0[gem.index()]
    }
}

impl<T> IndexMut<Gem> for ByGem<T> {
    fn index_mut(&mut self, gem: Gem) -> &mut T {
        &mut self.0[gem.index()]
    }
}
