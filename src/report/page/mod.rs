//! A report as one HTML file, for people.
//!
//! **Why it is so.** The page is what somebody sends to a colleague, opens from a disk that has no
//! network, and reads on a phone. So everything is in it: the stylesheet, the plots as SVG, and below
//! each plot the numbers that were drawn, as a table. It has no script and asks nobody for anything.
//!
//! **How it works.** [`render`] takes a finished [`Report`] and counts nothing itself. Sections are
//! functions from the report to markup; plots are drawn once, and the stylesheet colours them for light
//! and dark. The same report gives the same bytes.
//!
//! **What it does not do.** It knows nothing of caches and exports, only of the numbers about them.

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

use crate::report::{Report, findings};
use maud::{DOCTYPE, Markup, PreEscaped, html};

const STYLE: &str = include_str!("page.css");

/// The page, as the text of a file.
pub fn render(report: &Report) -> String {
    let sections = [
        ("games", "games", Some(games::games(report))),
        ("refused", "refused", games::refused(report)),
        ("points", "points", Some(play::points(report))),
        ("actions", "actions", Some(play::actions(report))),
        ("cards", "cards", Some(cards::cards(report))),
        ("heads", "heads", Some(heads::heads(report))),
        ("unseen", "never seen", Some(heads::unseen(report))),
        ("illegal", "not legal", Some(heads::illegal(report))),
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
                title { "Splendor games: " (report.cache.path.display()) }
                style { (PreEscaped(palette::css())) (PreEscaped(STYLE)) }
            }
            body {
                main {
                    header {
                        h1 { "Splendor games, as a model sees them" }
                        p.from { "cache " code { (report.cache.path.display()) } (newest(report)) }
                    }
                    (games::tiles(report))
                    nav {
                        @for (id, name, _) in sections.iter().filter(|(.., section)| section.is_some()) {
                            a href={ "#" (id) } { (name) }
                        }
                    }
                    (worth_a_look(report))
                    @for (.., section) in &sections {
                        @if let Some(section) = section { (section) }
                    }
                    footer {
                        "Written by prep " (env!("CARGO_PKG_VERSION")) ". prep report --json gives the \
                         numbers to a program."
                    }
                }
            }
        }
    };
    page.into_string()
}

fn newest(report: &Report) -> Markup {
    html! {
        @if let Some((day, _)) = report.nights.last_key_value() {
            " · newest game of " (day)
        }
    }
}

fn worth_a_look(report: &Report) -> Markup {
    let findings = findings(report);
    html! {
        @if findings.is_empty() { p { "Nothing stands out." } }
        @else {
            ul.findings {
                @for finding in &findings {
                    li class=[finding.is_warning.then_some("warning")] {
                        b { (if finding.is_warning { "Look at this: " } else { "Good to know: " }) }
                        (finding.text) " "
                        a href={ "#" (finding.section) } { "more" }
                    }
                }
            }
        }
    }
}
