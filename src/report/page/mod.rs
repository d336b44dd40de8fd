//! A report as one HTML page.
//!
//! The page is something to send to a colleague, to open without a network and to read on a phone. So
//! everything is in one file: the stylesheet, the plots as SVG, and below each plot its numbers as a
//! table. It has no script. [`render`] counts nothing itself, and the same report gives the same bytes.

mod cards;
mod export;
mod features;
mod games;
mod heads;
mod numbers;
mod palette;
mod parts;
mod play;
mod plot;
mod replay;

use crate::report::{Report, findings};
use crate::words::{shown, shown_lines};
use maud::{DOCTYPE, Markup, PreEscaped, html};

const STYLE: &str = include_str!("page.css");

/// The page, as the text of a file.
pub fn render(report: &Report) -> String {
    let sections = [
        ("games", "games", Some(games::games(report))),
        ("refused", "refused", games::refused(report)),
        ("replay", "replay", Some(replay::replay(report))),
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
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="generator" content={ "prep " (env!("CARGO_PKG_VERSION")) };
                title { "Splendor games: " (shown(&report.cache.path)) }
                style { (PreEscaped(palette::css())) (PreEscaped(STYLE)) }
            }
            body {
                main {
                    header {
                        h1 { "Splendor games, as a model sees them" }
                        p.from { "cache " code { (shown(&report.cache.path)) } (newest(report)) }
                    }
                    (games::tiles(report))
                    nav {
                        @for (id, name, _) in sections.iter().filter(|(.., section)| section.is_some()) {
                            a href={ "#" (id) } { (name) }
                        }
                    }
                    (findings_list(report))
                    @for (.., section) in &sections {
                        @if let Some(section) = section { (section) }
                    }
                    footer {
                        "Written by prep " (env!("CARGO_PKG_VERSION")) ". prep report --json prints the \
                         numbers."
                    }
                }
            }
        }
    };
    // Whatever a cache or an export holds, and whoever wrote that.
    shown_lines(&page.into_string())
}

fn newest(report: &Report) -> Markup {
    html! {
        @if let Some((day, _)) = report.nights.last_key_value() {
            " · newest game of " (day)
        }
    }
}

fn findings_list(report: &Report) -> Markup {
    let findings = findings(report);
    html! {
        @if findings.is_empty() { p { "Nothing stands out." } }
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
