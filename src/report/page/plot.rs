//! Draws plots as SVG with plotters.
//!
//! A plot has the width of a phone; larger screens show several side by side. Each part of a plot has a
//! `title`, which browsers show as a tooltip; `page.js` also shows it for keyboard users. Colors are
//! those of the [palette](super::palette), and text uses the font of the page.

use super::numbers::{grouped, percent, percent_tick, round_up, short, tick};
use super::palette::Ink;
use maud::{Markup, PreEscaped, html};
use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::ops::Range;

const WIDTH: u32 = 400;
const HEIGHT: u32 = 240;
/// In plotters' units; 13 pixels in the SVG.
const FONT_SIZE: u32 = 16;
/// An upper bound of a letter's width at that size, because the reader's font is unknown.
const LETTER: f64 = 7.6;
/// Space for the ticks of an axis, and for its title.
const TICKS_BELOW: u32 = 22;
const TITLE: u32 = 18;
const ROW: u32 = 21;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;
/// Drawing to a string never fails; plotters requires an error type.
type Drawn<T = ()> = Result<T, Box<dyn std::error::Error>>;
type Content<'c> = dyn Fn(&Area<'_>, &mut Tips) -> Drawn + 'c;

/// An axis: its title, its range, and the format of its ticks and of a value.
pub(super) struct Axis<'a> {
    pub(super) title: &'a str,
    pub(super) range: Range<f64>,
    pub(super) tick: fn(f64) -> String,
    pub(super) value: fn(f64) -> String,
}

impl<'a> Axis<'a> {
    /// From 0 to at least `most`, in integers.
    pub(super) fn counts(title: &'a str, most: u64) -> Axis<'a> {
        let value = |number: f64| grouped(number as u64);
        Axis { title, range: 0.0..round_up(most as f64), tick, value }
    }

    /// From 0 to 100 %.
    pub(super) fn shares(title: &'a str) -> Axis<'a> {
        Axis { title, range: 0.0..1.0, tick: percent_tick, value: |share| percent(share, 1.0) }
    }

    /// Numbers of any size.
    pub(super) fn numbers(title: &'a str, range: Range<f64>) -> Axis<'a> {
        Axis { title, range, tick, value: short }
    }
}

/// The values of the x axis.
pub(super) enum X<'a> {
    /// Numbers.
    Numbers(Axis<'a>),
    /// Names: the first at 0.5, the next at 1.5. One of them may be marked.
    Names { title: &'a str, names: &'a [String], mark: Option<usize> },
}

impl X<'_> {
    fn range(&self) -> Range<f64> {
        match self {
            X::Numbers(axis) => axis.range.clone(),
            X::Names { names, .. } => 0.0..names.len().max(1) as f64,
        }
    }

    fn name(&self, x: f64) -> String {
        match self {
            X::Numbers(axis) => format!("{} {}", axis.title, (axis.tick)(x)),
            X::Names { names, .. } => names.get(x as usize).cloned().unwrap_or_default(),
        }
    }
}

/// A line with a band that shows the spread.
pub(super) struct Line {
    pub(super) ink: Ink,
    pub(super) name: String,
    pub(super) points: Vec<(f64, f64)>,
    /// x, lower end, upper end; empty without a band.
    pub(super) band: Vec<(f64, f64, f64)>,
}

impl Line {
    pub(super) fn new(ink: Ink, name: &str, points: Vec<(f64, f64)>) -> Line {
        Line { ink, name: name.to_owned(), points, band: Vec::new() }
    }
}

/// A line plot.
pub(super) fn lines(what: &str, lines: &[Line], x: &X<'_>, y: &Axis<'_>) -> Markup {
    draw(what, HEIGHT, &|root, tips| {
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
            // A line with a single point would be invisible.
            if let [point] = line.points[..] {
                chart.draw_series([Circle::new(point, 3, line.ink.color().filled())])?;
            }
        }
        let mut all: Vec<f64> =
            lines.iter().flat_map(|line| line.points.iter().map(|point| point.0)).collect();
        all.sort_by(f64::total_cmp);
        all.dedup();
        let edge = |a: f64, b: f64| (a + b) / 2.0;
        for (place, &at) in all.iter().enumerate() {
            let left = place.checked_sub(1).map_or(x.range().start, |before| edge(all[before], at));
            let right = all.get(place + 1).map_or(x.range().end, |&after| edge(at, after));
            let values = lines.iter().filter_map(|line| {
                let (_, value) = line.points.iter().find(|point| point.0 == at)?;
                Some((line.name.as_str(), (y.value)(*value)))
            });
            tips.over(&chart, left..right, y.range.clone(), tip(&x.name(at), values));
        }
        Ok(())
    })
}

/// x, y and the tooltip.
pub(super) type Point = (f64, f64, String);

/// A scatter plot with tooltips; points are hollow, so that points behind them are visible.
pub(super) fn points(
    what: &str,
    groups: &[(Ink, Vec<Point>)],
    x: Axis<'_>,
    y: &Axis<'_>,
) -> Markup {
    let (x_value, x) = (x.value, X::Numbers(x));
    draw(what, HEIGHT + 60, &|root, tips| {
        let mut chart = chart(root, &x, y)?;
        for (ink, points) in groups {
            let circle = |&(x, y, _): &Point| Circle::new((x, y), 4, ink.color().stroke_width(2));
            chart.draw_series(points.iter().map(circle))?;
            for (at_x, at_y, name) in points {
                let (left, top) = chart.backend_coord(&(*at_x, *at_y));
                let text = format!("{name}: {}, {}", x_value(*at_x), (y.value)(*at_y));
                tips.0.push(Tip { left: left - 5, top: top - 5, width: 10, height: 10, text });
            }
        }
        Ok(())
    })
}

/// Vertical stacked bars with names.
pub(super) fn columns(
    what: &str,
    x: &X<'_>,
    parts: &[(Ink, &str, Vec<f64>)],
    y: &Axis<'_>,
) -> Markup {
    draw(what, HEIGHT, &|root, tips| {
        let mut chart = chart(root, x, y)?;
        let count = x.range().end as usize;
        let gap = if count > 60 { 0.0 } else { 0.12 };
        let mut base = vec![0.0; count];
        for (ink, _, heights) in parts {
            let bar = |(place, height): (usize, &f64)| {
                let (left, right) = (place as f64 + gap, place as f64 + 1.0 - gap);
                let foot = base[place];
                Rectangle::new([(left, foot), (right, foot + height)], ink.color().filled())
            };
            let bars: Vec<_> = heights.iter().enumerate().map(bar).collect();
            chart.draw_series(bars)?;
            base.iter_mut().zip(heights).for_each(|(base, height)| *base += height);
        }
        for place in 0..count {
            let left = place as f64;
            let values = parts
                .iter()
                .filter_map(|(_, name, heights)| Some((*name, (y.value)(*heights.get(place)?))));
            let text = tip(&x.name(left + 0.5), values);
            tips.over(&chart, left..left + 1.0, y.range.clone(), text);
        }
        Ok(())
    })
}

/// A horizontal stacked bar.
pub(super) struct Bar {
    pub(super) name: String,
    pub(super) parts: Vec<(Ink, f64)>,
    /// Text after the bar.
    pub(super) note: String,
    /// A mark across the bar, such as the value expected by chance.
    pub(super) mark: Option<f64>,
    /// The interval of the value.
    pub(super) interval: Option<(f64, f64)>,
    /// The tooltip of the bar, after its name.
    pub(super) tip: String,
}

impl Bar {
    pub(super) fn new(name: impl Into<String>, parts: Vec<(Ink, f64)>, tip: String) -> Bar {
        let name = name.into();
        Bar { name, parts, note: String::new(), mark: None, interval: None, tip }
    }

    pub(super) fn with_note(self, note: String) -> Bar {
        Bar { note, ..self }
    }
}

/// Horizontal bars. Names are to the left of their bars, or all above them if a name needs more than
/// half of the width, because a truncated name could match several columns.
pub(super) fn bars(what: &str, bars: &[Bar], x: &Axis<'_>) -> Markup {
    let width = |text: &String| (text.chars().count() as f64 * LETTER) as u32 + 10;
    let left = bars.iter().map(|bar| width(&bar.name)).max().unwrap_or(0);
    // Half of the last tick label extends beyond the axis.
    let right = bars.iter().map(|bar| width(&bar.note)).max().unwrap_or(0).max(24);
    let names_above = left > WIDTH / 2;
    let (row_height, left) = if names_above { (2 * ROW - 4, 6) } else { (ROW, left) };
    let height = row_height * bars.len() as u32 + TICKS_BELOW + TITLE + 8;
    draw(what, height, &|root, tips| {
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
            if let Some((low, high)) = bar.interval {
                let style = Ink::Text.color().stroke_width(2);
                chart.draw_series([
                    PathElement::new([(low, middle), (high, middle)], style),
                    PathElement::new([(low, middle - 0.15), (low, middle + 0.15)], style),
                    PathElement::new([(high, middle - 0.15), (high, middle + 0.15)], style),
                ])?;
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
            let text = format!("{}: {}", bar.name, bar.tip);
            tips.over(&chart, x.range.clone(), row as f64 + 1.0..row as f64, text);
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
    draw_sized(what, (120, 26), "spark", &|root, tips| {
        let chart = ChartBuilder::on(root).build_cartesian_2d(0.0..span, 0.0..1.0)?;
        let area = chart.plotting_area();
        for &(value, times) in counts {
            let left = (value - first.0) as f64;
            // At least high enough to be visible.
            let height = (times as f64 / most).sqrt().max(0.06);
            let corners = [(left + 0.08, 0.0), (left + 0.92, height)];
            area.draw(&Rectangle::new(corners, ink.color().filled()))?;
            let text = format!("{value}: {}", grouped(times));
            tips.over(&chart, left..left + 1.0, 0.0..1.0, text);
        }
        Ok(())
    })
}

struct Tip {
    left: i32,
    top: i32,
    width: i32,
    height: i32,
    text: String,
}

#[derive(Default)]
struct Tips(Vec<Tip>);

impl Tips {
    /// A rectangle with a tooltip, in the units of the axes.
    fn over(&mut self, chart: &Chart<'_, '_>, x: Range<f64>, y: Range<f64>, text: String) {
        let (left, bottom) = chart.backend_coord(&(x.start, y.start));
        let (right, top) = chart.backend_coord(&(x.end, y.end));
        let (width, height) = ((right - left).max(1), (bottom - top).max(1));
        self.0.push(Tip { left, top, width, height, text });
    }
}

/// `turn 12: 2 players 5.31, 3 players 4.20`
fn tip<'n>(name: &str, values: impl Iterator<Item = (&'n str, String)>) -> String {
    let values: Vec<String> = values.map(|(name, value)| format!("{name} {value}")).collect();
    format!("{name}: {}", values.join(", "))
}

/// Draws names and omits those that would overlap.
fn draw_names(root: &Area<'_>, chart: &Chart<'_, '_>, names: &[String], foot: f64) -> Drawn {
    let widest = names.iter().map(|name| name.chars().count()).max().unwrap_or(1);
    let width = 330.0 / names.len().max(1) as f64;
    let every = ((widest as f64 * LETTER + 6.0) / width).ceil().max(1.0) as usize;
    for (place, name) in names.iter().enumerate().step_by(every) {
        let (x, y) = chart.backend_coord(&(place as f64 + 0.5, foot));
        let style = words(Ink::Muted, HPos::Center, VPos::Top);
        root.draw(&Text::new(name.as_str(), (x, y + 6), style))?;
    }
    Ok(())
}

fn chart<'a, 'b>(root: &'a Area<'b>, x: &X<'_>, y: &Axis<'_>) -> Drawn<Chart<'a, 'b>> {
    let (x_title, x_tick) = match x {
        X::Numbers(axis) => (axis.title, axis.tick),
        X::Names { title, .. } => (*title, (|_| String::new()) as fn(f64) -> String),
    };
    let mut chart = ChartBuilder::on(root)
        .margin_top(TITLE + 8)
        .margin_right(24)
        .margin_bottom(2)
        .x_label_area_size(TICKS_BELOW + TITLE)
        .y_label_area_size(52)
        .build_cartesian_2d(x.range(), y.range.clone())?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(Ink::Grid.color())
        .axis_style(Ink::Grid.color())
        .x_labels(7)
        .y_labels(6)
        .x_label_formatter(&|&value| x_tick(value))
        .y_label_formatter(&|&value| (y.tick)(value))
        .x_label_style(words(Ink::Muted, HPos::Center, VPos::Top))
        .y_label_style(words(Ink::Muted, HPos::Right, VPos::Center))
        .x_desc(x_title)
        .axis_desc_style(words(Ink::Muted, HPos::Center, VPos::Top))
        .draw()?;
    if let X::Names { names, mark, .. } = x {
        draw_names(root, &chart, names, y.range.start)?;
        if let Some(mark) = mark {
            let at = *mark as f64 + 1.0;
            let ends = [(at, y.range.start), (at, y.range.end)];
            let style = Ink::Text.color().stroke_width(2);
            chart.draw_series([PathElement::new(ends, style)])?;
        }
    }
    // Horizontal, above the axis, because a vertical title is hard to read.
    let title = words(Ink::Muted, HPos::Left, VPos::Top);
    root.draw(&Text::new(y.title, (2, 3), title))?;
    Ok(chart)
}

fn words(ink: Ink, across: HPos, down: VPos) -> TextStyle<'static> {
    let font = ("sans-serif", FONT_SIZE).into_font();
    let color = ink.color().to_backend_color();
    TextStyle { color, ..TextStyle::from(font) }.pos(Pos::new(across, down))
}

fn draw(what: &str, height: u32, content: &Content<'_>) -> Markup {
    draw_sized(what, (WIDTH, height), "plot", content)
}

fn draw_sized(what: &str, size: (u32, u32), class: &str, content: &Content<'_>) -> Markup {
    let (mut svg, mut tips) = (String::new(), Tips::default());
    {
        let root = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        content(&root, &mut tips).expect("drawing into a string never fails");
        root.present().expect("drawing into a string never fails");
    }
    // Without plotters' own `svg` tag, which fixes the width.
    let drawing = svg.split_once('>').map_or("", |(_, rest)| rest).trim_end();
    let drawing = drawing.strip_suffix("</svg>").unwrap_or(drawing);
    let (width, height) = size;
    html! {
        svg class=(class) viewBox={ "0 0 " (width) " " (height) } role="img" aria-label=(what) {
            (PreEscaped(drawing))
            g.tips {
                @for Tip { left, top, width, height, text } in &tips.0 {
                    rect x=(left) y=(top) width=(width) height=(height) { title { (text) } }
                }
            }
        }
    }
}
