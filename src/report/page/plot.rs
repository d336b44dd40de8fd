//! Plots as SVG, drawn by plotters.
//!
//! A plot is as wide as a phone, so that it can be read there; a larger screen shows several side by
//! side. Colors are those of the [palette](super::palette), and text has the font of the page.

use super::numbers::{percent_tick, round_up, tick};
use super::palette::Ink;
use maud::{Markup, PreEscaped, html};
use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::ops::Range;

const WIDTH: u32 = 400;
const HEIGHT: u32 = 240;
/// In the units of plotters: 13 pixels in the SVG.
const FONT_SIZE: u32 = 16;
/// An upper bound of a letter's width at that size: the reader's font is unknown.
const LETTER: f64 = 7.6;
/// Space for the ticks of an axis, and for its title.
const TICKS_BELOW: u32 = 22;
const TITLE: u32 = 18;
const ROW: u32 = 21;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;
/// Drawing into a string never fails; the error type is that of plotters.
type Drawn = Result<(), Box<dyn std::error::Error>>;

/// An axis: its title, its range, and the format of its ticks.
pub(super) struct Axis<'a> {
    pub(super) title: &'a str,
    pub(super) range: Range<f64>,
    pub(super) tick: fn(f64) -> String,
}

impl<'a> Axis<'a> {
    /// From 0 to at least `most`.
    pub(super) fn counts(title: &'a str, most: u64) -> Axis<'a> {
        Axis { title, range: 0.0..round_up(most as f64), tick }
    }

    /// From 0 to 100 %.
    pub(super) fn shares(title: &'a str) -> Axis<'a> {
        Axis { title, range: 0.0..1.0, tick: percent_tick }
    }
}

/// A line, with a band around it that shows the spread.
pub(super) struct Line {
    pub(super) ink: Ink,
    pub(super) points: Vec<(f64, f64)>,
    /// x, lower end, upper end; empty for no band.
    pub(super) band: Vec<(f64, f64, f64)>,
}

impl Line {
    pub(super) fn new(ink: Ink, points: Vec<(f64, f64)>) -> Line {
        Line { ink, points, band: Vec::new() }
    }
}

/// Lines over two axes.
pub(super) fn lines(what: &str, lines: &[Line], x: &Axis<'_>, y: &Axis<'_>) -> Markup {
    draw(what, HEIGHT, |root| {
        let mut chart = chart(root, x, y)?;
        for line in lines {
            let above = line.band.iter().map(|&(x, _, high)| (x, high));
            let below = line.band.iter().rev().map(|&(x, low, _)| (x, low));
            let outline: Vec<_> = above.chain(below).collect();
            if outline.len() > 2 {
                let fill = line.ink.color().mix(0.16).filled();
                chart.draw_series([Polygon::new(outline, fill)])?;
            }
        }
        for line in lines {
            let style = line.ink.color().stroke_width(2);
            chart.draw_series(LineSeries::new(line.points.iter().copied(), style))?;
            // A line of one point would be invisible.
            if let [point] = line.points[..] {
                chart.draw_series([Circle::new(point, 3, line.ink.color().filled())])?;
            }
        }
        Ok(())
    })
}

/// Points over two axes, hollow so that those behind them are visible.
pub(super) fn points(
    what: &str,
    groups: &[(Ink, Vec<(f64, f64)>)],
    x: &Axis<'_>,
    y: &Axis<'_>,
) -> Markup {
    draw(what, HEIGHT + 60, |root| {
        let mut chart = chart(root, x, y)?;
        for (ink, points) in groups {
            let circle = |&at: &(f64, f64)| Circle::new(at, 4, ink.color().stroke_width(2));
            chart.draw_series(points.iter().map(circle))?;
        }
        Ok(())
    })
}

/// Vertical bars of stacked parts, one for each name. Names that would overlap are omitted.
pub(super) fn columns(
    what: &str,
    names: &[String],
    parts: &[(Ink, Vec<f64>)],
    x_title: &str,
    y: &Axis<'_>,
) -> Markup {
    draw(what, HEIGHT, |root| {
        let none = |_: f64| String::new();
        let x = Axis { title: x_title, range: 0.0..names.len().max(1) as f64, tick: none };
        let mut chart = chart(root, &x, y)?;
        let gap = if names.len() > 60 { 0.0 } else { 0.12 };
        let mut base = vec![0.0; names.len()];
        for (ink, heights) in parts {
            let bar = |(place, height): (usize, &f64)| {
                let (left, right) = (place as f64 + gap, place as f64 + 1.0 - gap);
                let foot = base[place];
                Rectangle::new([(left, foot), (right, foot + height)], ink.color().filled())
            };
            let bars: Vec<_> = heights.iter().enumerate().map(bar).collect();
            chart.draw_series(bars)?;
            base.iter_mut().zip(heights).for_each(|(base, height)| *base += height);
        }
        let widest = names.iter().map(|name| name.chars().count()).max().unwrap_or(1);
        let room = 330.0 / names.len().max(1) as f64;
        let every = ((widest as f64 * LETTER + 6.0) / room).ceil().max(1.0) as usize;
        for (place, name) in names.iter().enumerate().step_by(every) {
            let (x, y) = chart.backend_coord(&(place as f64 + 0.5, y.range.start));
            let style = words(Ink::Muted, HPos::Center, VPos::Top);
            root.draw(&Text::new(name.as_str(), (x, y + 6), style))?;
        }
        Ok(())
    })
}

/// A horizontal bar of stacked parts.
pub(super) struct Bar {
    pub(super) name: String,
    pub(super) parts: Vec<(Ink, f64)>,
    /// Written after the bar.
    pub(super) note: String,
    /// A mark across the bar, such as what chance would give.
    pub(super) mark: Option<f64>,
}

impl Bar {
    pub(super) fn new(name: impl Into<String>, parts: Vec<(Ink, f64)>) -> Bar {
        Bar { name: name.into(), parts, note: String::new(), mark: None }
    }

    pub(super) fn with_note(self, note: String) -> Bar {
        Bar { note, ..self }
    }
}

/// Horizontal bars. Names are to the left of their bars, or all above them if one would take more than
/// half of the width: a name that is cut could be that of several columns.
pub(super) fn bars(what: &str, bars: &[Bar], x: &Axis<'_>) -> Markup {
    let width = |text: &String| (text.chars().count() as f64 * LETTER) as u32 + 10;
    let left = bars.iter().map(|bar| width(&bar.name)).max().unwrap_or(0);
    // Half of the last tick is beyond the axis.
    let right = bars.iter().map(|bar| width(&bar.note)).max().unwrap_or(0).max(24);
    let names_above = left > WIDTH / 2;
    let (row_height, left) = if names_above { (2 * ROW - 4, 6) } else { (ROW, left) };
    let height = row_height * bars.len() as u32 + TICKS_BELOW + TITLE + 8;
    draw(what, height, |root| {
        let rows = bars.len() as f64;
        let mut chart = ChartBuilder::on(root)
            .margin_top(4)
            .margin_right(right)
            .margin_left(left)
            .margin_bottom(2)
            .x_label_area_size(TICKS_BELOW + TITLE)
            .build_cartesian_2d(x.range.clone(), rows..0.0)?;
        chart
            .configure_mesh()
            .disable_y_mesh()
            .disable_y_axis()
            .light_line_style(TRANSPARENT)
            .bold_line_style(Ink::Grid.color())
            .axis_style(Ink::Grid.color())
            .x_labels(5)
            .x_label_formatter(&|&value| (x.tick)(value))
            .label_style(words(Ink::Muted, HPos::Center, VPos::Top))
            .x_desc(x.title)
            .axis_desc_style(words(Ink::Muted, HPos::Center, VPos::Top))
            .draw()?;
        for (row, bar) in bars.iter().enumerate() {
            let (top, bottom) = match names_above {
                true => (row as f64 + 0.52, row as f64 + 0.9),
                false => (row as f64 + 0.16, row as f64 + 0.84),
            };
            let middle = (top + bottom) / 2.0;
            let mut begin = x.range.start.max(0.0);
            for &(ink, length) in &bar.parts {
                let corners = [(begin, top), (begin + length, bottom)];
                chart.draw_series([Rectangle::new(corners, ink.color().filled())])?;
                begin += length;
            }
            if let Some(mark) = bar.mark {
                let ends = [(mark, top - 0.14), (mark, bottom + 0.14)];
                chart.draw_series([PathElement::new(ends, Ink::Text.color().stroke_width(2))])?;
            }
            let (x_left, y) = chart.backend_coord(&(x.range.start, middle));
            let (x_right, _) = chart.backend_coord(&(x.range.end, 0.0));
            let (at, across) = match names_above {
                true => {
                    let (_, above) = chart.backend_coord(&(x.range.start, row as f64 + 0.28));
                    ((x_left, above), HPos::Left)
                }
                false => ((x_left - 6, y), HPos::Right),
            };
            let name = words(Ink::Text, across, VPos::Center);
            root.draw(&Text::new(bar.name.as_str(), at, name))?;
            let note = words(Ink::Muted, HPos::Left, VPos::Center);
            root.draw(&Text::new(bar.note.as_str(), (x_right + 6, y), note))?;
        }
        Ok(())
    })
}

/// A histogram without axes, for a row of a table. Heights are square roots, so that rare values are
/// visible.
pub(super) fn sparkline(what: &str, counts: &[(i64, u64)], ink: Ink) -> Markup {
    let (Some(first), Some(last)) = (counts.first(), counts.last()) else { return html! {} };
    let most = counts.iter().map(|&(_, times)| times).max().unwrap_or(1) as f64;
    let span = (last.0 - first.0 + 1).max(2) as f64;
    draw_sized(what, (120, 26), "spark", |root| {
        let chart = ChartBuilder::on(root).build_cartesian_2d(0.0..span, 0.0..1.0)?;
        let area = chart.plotting_area();
        for &(value, times) in counts {
            let left = (value - first.0) as f64;
            // High enough to be visible.
            let height = (times as f64 / most).sqrt().max(0.06);
            let corners = [(left + 0.08, 0.0), (left + 0.92, height)];
            area.draw(&Rectangle::new(corners, ink.color().filled()))?;
        }
        Ok(())
    })
}

/// Axes with grid lines.
fn chart<'a, 'b>(
    root: &'a Area<'b>,
    x: &Axis<'_>,
    y: &Axis<'_>,
) -> Result<Chart<'a, 'b>, Box<dyn std::error::Error>> {
    let mut chart = ChartBuilder::on(root)
        .margin_top(TITLE + 8)
        .margin_right(24)
        .margin_bottom(2)
        .x_label_area_size(TICKS_BELOW + TITLE)
        .y_label_area_size(52)
        .build_cartesian_2d(x.range.clone(), y.range.clone())?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(Ink::Grid.color())
        .axis_style(Ink::Grid.color())
        .x_labels(7)
        .y_labels(6)
        .x_label_formatter(&|&value| (x.tick)(value))
        .y_label_formatter(&|&value| (y.tick)(value))
        .x_label_style(words(Ink::Muted, HPos::Center, VPos::Top))
        .y_label_style(words(Ink::Muted, HPos::Right, VPos::Center))
        .x_desc(x.title)
        .axis_desc_style(words(Ink::Muted, HPos::Center, VPos::Top))
        .draw()?;
    // Horizontal and above the axis: a vertical title is hard to read.
    let title = words(Ink::Muted, HPos::Left, VPos::Top);
    root.draw(&Text::new(y.title, (2, 3), title))?;
    Ok(chart)
}

fn words(ink: Ink, across: HPos, down: VPos) -> TextStyle<'static> {
    let font = ("sans-serif", FONT_SIZE).into_font();
    let color = ink.color().to_backend_color();
    TextStyle { color, ..TextStyle::from(font) }.pos(Pos::new(across, down))
}

fn draw(what: &str, height: u32, content: impl FnOnce(&Area<'_>) -> Drawn) -> Markup {
    draw_sized(what, (WIDTH, height), "plot", content)
}

fn draw_sized(
    what: &str,
    size: (u32, u32),
    class: &str,
    content: impl FnOnce(&Area<'_>) -> Drawn,
) -> Markup {
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        content(&root).expect("drawing into a string never fails");
        root.present().expect("drawing into a string never fails");
    }
    // Without plotters' own `svg` tag, which fixes the width.
    let drawing = svg.split_once('>').map_or("", |(_, rest)| rest).trim_end();
    let drawing = drawing.strip_suffix("</svg>").unwrap_or(drawing);
    let (width, height) = size;
    html! {
        svg class=(class) viewBox={ "0 0 " (width) " " (height) } role="img" aria-label=(what) {
            (PreEscaped(drawing))
        }
    }
}
