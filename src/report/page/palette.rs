//! The colors of the page by purpose, for light and dark mode.
//!
//! Plots are drawn in the light colors, and the stylesheet replaces each of them with its variable. So
//! one drawing serves both modes, and follows the reader's setting while the page is open.

use plotters::style::RGBColor;
use std::fmt::Write;

/// The purpose of a color.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ink {
    /// The first to fourth of several series.
    Series(usize),
    /// Text.
    Text,
    /// Less important text: ticks, notes.
    Muted,
    /// Grid lines.
    Grid,
    /// Warnings.
    Alarm,
    /// The background of a box.
    Card,
}

/// Name of the CSS variable, light color, dark color. The light ones are distinct.
const COLORS: [(Ink, &str, Rgb, Rgb); 9] = [
    (Ink::Series(0), "series-0", 0x1f63c6, 0x7fb0ff),
    (Ink::Series(1), "series-1", 0xba4d08, 0xf7a05f),
    (Ink::Series(2), "series-2", 0x0b8068, 0x45cbaa),
    (Ink::Series(3), "series-3", 0x8a41b8, 0xcf9df5),
    (Ink::Text, "text", 0x1b1f27, 0xe7e9ee),
    (Ink::Muted, "muted", 0x5a6270, 0xa5acb9),
    (Ink::Grid, "grid", 0xdfe2e8, 0x363c48),
    (Ink::Alarm, "alarm", 0xb3182f, 0xff8793),
    (Ink::Card, "card", 0xfefefe, 0x1a1e26),
];

/// 0xRRGGBB.
type Rgb = u32;

impl Ink {
    /// The color in a drawing.
    pub(super) fn color(self) -> RGBColor {
        let (.., light, _) = self.entry();
        let [_, red, green, blue] = light.to_be_bytes();
        RGBColor(red, green, blue)
    }

    /// The variable as a CSS value.
    pub(super) fn css(self) -> String {
        format!("var(--{})", self.entry().1)
    }

    fn entry(self) -> (Ink, &'static str, Rgb, Rgb) {
        // Only a series beyond the fourth is not listed.
        let listed = COLORS.into_iter().find(|&(ink, ..)| ink == self);
        listed.unwrap_or(COLORS[0])
    }
}

/// The variables for both modes, and the rules that replace drawn colors with them.
pub(super) fn css() -> String {
    let variables = |color: fn(Rgb, Rgb) -> Rgb| -> String {
        let variable = |(_, name, light, dark)| format!("--{name}:#{:06x};", color(light, dark));
        COLORS.map(variable).concat()
    };
    let mut css = format!(
        ":root{{{}}}\n@media (prefers-color-scheme: dark){{:root{{{}}}}}\n",
        variables(|light, _| light),
        variables(|_, dark| dark)
    );
    for (_, name, light, _) in COLORS {
        for what in ["fill", "stroke"] {
            let _ = writeln!(css, "svg [{what}=\"#{light:06X}\"]{{{what}:var(--{name})}}");
        }
    }
    css
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance by WCAG 2.
    fn luminance(color: Rgb) -> f64 {
        let [_, red, green, blue] = color.to_be_bytes().map(|part| {
            let part = f64::from(part) / 255.0;
            if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        });
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    fn contrast(one: Rgb, other: Rgb) -> f64 {
        let (one, other) = (luminance(one), luminance(other));
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    #[test]
    fn contrast_is_enough() {
        let (.., light_card, dark_card) = Ink::Card.entry();
        for (ink, name, light, dark) in COLORS {
            if matches!(ink, Ink::Grid | Ink::Card) {
                continue;
            }
            // What WCAG requires for text.
            assert!(contrast(light, light_card) >= 4.5, "{name} in light");
            assert!(contrast(dark, dark_card) >= 4.5, "{name} in dark");
        }
    }

    #[test]
    fn light_colors_are_distinct() {
        let mut light: Vec<Rgb> = COLORS.map(|(_, _, light, _)| light).to_vec();
        light.sort_unstable();
        light.dedup();
        assert_eq!(light.len(), COLORS.len());
    }
}
