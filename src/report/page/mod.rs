//! Renders a report, or a game, as an HTML page.
//!
//! A page can be sent by mail, opened without a network, and read on a phone. So everything is in one
//! file: the stylesheet, the plots as SVG, and a table of numbers below each plot. A small script adds
//! tooltips, sorting, and positions as boards. [`render`] only formats; the same report always gives the
//! same bytes.

mod boards;
mod document;
mod game;
mod numbers;
mod palette;
mod parts;
mod plot;
mod positions;
mod sections;

pub use boards::ShownPosition;
pub use game::render_game;

use crate::report::{Report, findings};
use crate::words::shown;
use document::document;
use maud::{Markup, html};
use sections::{cards, export, features, games, heads, play, replay, time, wins};

/// The HTML text of a report.
pub fn render(report: &Report) -> String {
    let sections = [
        ("games", "games", Some(games::games(report))),
        ("time", "over time", Some(time::time(report))),
        ("replay", "replay", Some(replay::replay(report))),
        ("refused", "refused", games::refused(report)),
        ("wins", "who wins", Some(wins::wins(report))),
        ("points", "points", Some(play::points(report))),
        ("actions", "actions", Some(play::actions(report))),
        ("cards", "cards", Some(cards::cards(report))),
        ("heads", "heads", Some(heads::heads(report))),
        ("unseen", "never chosen", Some(heads::unseen(report))),
        ("illegal", "illegal labels", Some(heads::illegal(report))),
        ("splits", "splits", export::splits(report)),
        ("drift", "drift", export::drift(report)),
        ("features", "features", Some(features::features(report))),
    ];
    let content = html! {
        header {
            h1 { "Splendor games, as a model sees them" }
            p.from { "cache " code { (shown(&report.cache.path)) } (newest(report)) }
        }
        (games::tiles(report))
        nav aria-label="Sections" {
            @for (id, name, _) in sections.iter().filter(|(.., section)| section.is_some()) {
                a href={ "#" (id) } { (name) }
            }
        }
        (findings_list(report))
        @for (.., section) in &sections {
            @if let Some(section) = section { (section) }
        }
        footer {
            "Written by prep " (env!("CARGO_PKG_VERSION")) ". prep report --json prints the numbers."
        }
    };
    let position = html! { dialog id="position" aria-labelledby="position-title" {} };
    let data = boards::data(&positions::shown(report));
    document(
        "prep",
        &format!("Splendor games: {}", shown(&report.cache.path)),
        &content,
        &position,
        &data,
    )
}

fn newest(report: &Report) -> Markup {
    html! {
        @if let Some(night) = report.timeline.nights.last() {
            " · newest game of " (shown(&night.name))
        }
    }
}

fn findings_list(report: &Report) -> Markup {
    let findings = findings(report);
    html! {
        @if findings.is_empty() { p { "No findings." } }
        @else {
            ul.findings {
                @for finding in &findings {
                    li class=[finding.is_warning.then_some("warning")] {
                        b { (if finding.is_warning { "Warning: " } else { "Note: " }) }
                        (finding.text) " "
                        a href={ "#" (finding.section) } { "more" }
                    }
                }
            }
        }
    }
}
