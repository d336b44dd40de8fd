//! The colours of the page, by what they are for, in light and in dark.
//!
//! A plot is drawn in the light colours; the stylesheet gives each of them its variable, by the
//! colour that stands in the SVG: so one drawing serves both, and follows the reader's choice while
//! the page is open.

use plotters::style::RGBColor;
use std::fmt::Write;

/// What a colour is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ink {
    /// The first, second, third and fourth of things that are told apart.
    Series(usize),
    /// Words.
    Text,
    /// Words that matter less: ticks, notes.
    Muted,
    /// Lines to read values off.
    Grid,
    /// What to look at.
    Alarm,
    /// Behind everything that is on a card.
    Card,
}

/// Name of the CSS variable, light, dark. No two light colours may be equal.
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
    /// As it stands in a drawing.
    pub(super) fn color(self) -> RGBColor {
        let (.., light, _) = self.entry();
        let [_, red, green, blue] = light.to_be_bytes();
        RGBColor(red, green, blue)
    }

    /// The variable, as a value of CSS.
    pub(super) fn css(self) -> String {
        format!("var(--{})", self.entry().1)
    }

    fn entry(self) -> (Ink, &'static str, Rgb, Rgb) {
        // An ink that is not listed would be one of too many series: they begin anew.
        let listed = COLORS.into_iter().find(|&(ink, ..)| ink == self);
        listed.unwrap_or(COLORS[0])
    }
}

/// The variables for light and dark, and the rules that put them in the place of drawn colours.
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
    fn words_and_lines_stand_out_in_light_and_in_dark() {
        let (.., light_card, dark_card) = Ink::Card.entry();
        for (ink, name, light, dark) in COLORS {
            if matches!(ink, Ink::Grid | Ink::Card) {
                continue;
            }
            // 4.5 is what WCAG asks for words.
            assert!(contrast(light, light_card) >= 4.5, "{name} in light");
            assert!(contrast(dark, dark_card) >= 4.5, "{name} in dark");
        }
    }

    #[test]
    fn a_drawn_colour_has_one_variable() {
        let mut light: Vec<Rgb> = COLORS.map(|(_, _, light, _)| light).to_vec();
        light.sort_unstable();
        light.dedup();
        assert_eq!(light.len(), COLORS.len());
    }
}
