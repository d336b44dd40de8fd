//! Colors of the gems on a terminal. Uses only the 16 standard colors, so that the theme applies.

use crate::rules::{Color, Gem};
use anstyle::{AnsiColor, Style};
use std::fmt::Display;

/// Style of less important text: lines, zeros, notes.
pub(super) const DIM: Style = Style::new().dimmed();
/// Style of important text.
pub(super) const BOLD: Style = Style::new().bold();
const WRONG: Style = AnsiColor::Red.on_default().bold();

/// The style of a kind of gem. Sets foreground and background, so that black is readable on a black
/// terminal and white on a white one.
pub(super) fn of_gem(gem: Gem) -> Style {
    match gem {
        Gem::White => AnsiColor::Black.on(AnsiColor::BrightWhite),
        Gem::Blue => AnsiColor::BrightWhite.on(AnsiColor::Blue),
        Gem::Green => AnsiColor::Black.on(AnsiColor::Green),
        Gem::Red => AnsiColor::BrightWhite.on(AnsiColor::Red),
        Gem::Black => AnsiColor::BrightWhite.on(AnsiColor::Black),
        Gem::Gold => AnsiColor::Black.on(AnsiColor::Yellow),
    }
}

/// The letter of a color in a cost. Black is `K`, as in print: `B` is blue.
pub const fn letter(color: Color) -> char {
    match color {
        Color::White => 'W',
        Color::Blue => 'B',
        Color::Green => 'G',
        Color::Red => 'R',
        Color::Black => 'K',
    }
}

pub(super) fn painted(text: impl Display, style: Style) -> String {
    format!("{style}{text}{style:#}")
}

/// An error, in red.
pub fn warned(text: impl Display) -> String {
    painted(text, WRONG)
}
