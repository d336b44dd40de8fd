//! The colors of the page by purpose, for light and dark mode.
//!
//! Plots are drawn with the light colors, and the stylesheet replaces each by its variable. So the same
//! drawing works in both modes, and follows changes of the reader's setting.

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

/// Name of the CSS variable, light color, dark color. The light colors are distinct.
const COLORS: [(Ink, &str, Rgb, Rgb); 9] = [
    (Ink::Series(0), "series-0", 0x1f63c6, 0x6aa2ff),
    (Ink::Series(1), "series-1", 0xba4d08, 0xf7a05f),
    (Ink::Series(2), "series-2", 0x0b8068, 0x4fe0bd),
    (Ink::Series(3), "series-3", 0x5a1a78, 0xe9ccff),
    (Ink::Text, "text", 0x1b1f27, 0xe7e9ee),
    (Ink::Muted, "muted", 0x5a6270, 0xa5acb9),
    (Ink::Grid, "grid", 0xdfe2e8, 0x363c48),
    (Ink::Alarm, "alarm", 0xb3182f, 0xff8793),
    (Ink::Card, "card", 0xfefefe, 0x1a1e26),
];

/// 0xRRGGBB.
type Rgb = u32;

impl Ink {
    /// The color for drawings.
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
        // Only series after the fourth are not listed.
        let listed = COLORS.into_iter().find(|&(ink, ..)| ink == self);
        listed.unwrap_or(COLORS[0])
    }
}

/// The CSS variables for both modes, and the rules that replace drawn colors by them.
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

    /// Linear red, green and blue.
    fn linear(color: Rgb) -> [f64; 3] {
        let [_, parts @ ..] = color.to_be_bytes().map(|part| {
            let part = f64::from(part) / 255.0;
            if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        });
        parts
    }

    /// Relative luminance by WCAG 2.
    fn luminance(color: Rgb) -> f64 {
        let [red, green, blue] = linear(color);
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
            // The contrast that WCAG requires for text.
            assert!(contrast(light, light_card) >= 4.5, "{name} in light");
            assert!(contrast(dark, dark_card) >= 4.5, "{name} in dark");
        }
    }

    /// L, a and b of CIELAB, as seen with linear RGB transformed by a matrix.
    fn seen(color: Rgb, matrix: [[f64; 3]; 3]) -> [f64; 3] {
        let [red, green, blue] = linear(color);
        let by = |row: [f64; 3]| row[0] * red + row[1] * green + row[2] * blue;
        let [red, green, blue] = matrix.map(|row| by(row).clamp(0.0, 1.0));
        let f = |t: f64| if t > 0.008856 { t.cbrt() } else { 7.787 * t + 16.0 / 116.0 };
        let x = f((0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.95047);
        let y = f(0.2126 * red + 0.7152 * green + 0.0722 * blue);
        let z = f((0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.08883);
        [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
    }

    /// With the matrices of Machado, Oliveira and Fernandes (2009) for complete color blindness.
    #[test]
    fn color_blind_readers_tell_series_apart() {
        let kinds = [
            [
                [0.152286, 1.052583, -0.204868],
                [0.114503, 0.786281, 0.099216],
                [-0.003882, -0.048116, 1.051998],
            ],
            [
                [0.367322, 0.860646, -0.227968],
                [0.280085, 0.672501, 0.047413],
                [-0.011820, 0.042940, 0.968881],
            ],
            [
                [1.255528, -0.076749, -0.178779],
                [-0.078411, 0.930809, 0.147602],
                [0.004733, 0.691367, 0.303900],
            ],
        ];
        for matrix in kinds {
            for one in 0..4 {
                for other in 0..one {
                    let ((.., light, dark), (.., other_light, other_dark)) =
                        (Ink::Series(one).entry(), Ink::Series(other).entry());
                    for (color, other_color) in [(light, other_light), (dark, other_dark)] {
                        let (a, b) = (seen(color, matrix), seen(other_color, matrix));
                        let distance =
                            a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
                        assert!(distance > 15.0, "series {one} and {other}: {distance:.1}");
                    }
                }
            }
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
