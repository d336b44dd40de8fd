//! The parts that every section is made of: figures, keys, tables, cards.

use super::palette::Ink;
use crate::rules::{Card, PlayerCount};
use maud::{Markup, html};

/// A section with its heading, and the id by which the page's links find it.
pub(super) fn section(id: &str, title: &str, content: &Markup) -> Markup {
    html! {
        section id=(id) {
            h2 { (title) }
            (content)
        }
    }
}

/// A plot with its title and what it shows, and below it the numbers that were drawn.
pub(super) fn figure(
    title: &str,
    what: &str,
    key: &Markup,
    plot: &Markup,
    table: &Markup,
) -> Markup {
    html! {
        figure {
            figcaption {
                h3 { (title) }
                p.what { (what) }
            }
            (key)
            (plot)
            details {
                summary { "The numbers" }
                (table)
            }
        }
    }
}

/// Which colour is what.
pub(super) fn key<'n>(entries: impl IntoIterator<Item = (Ink, &'n str)>) -> Markup {
    html! {
        div.key {
            @for (ink, name) in entries {
                span { i style={ "background:" (ink.css()) } {} (name) }
            }
        }
    }
}

/// The key of things told apart by their number of players.
pub(super) fn players_key() -> Markup {
    let names = PlayerCount::ALL.map(players_in_words);
    key(names.iter().enumerate().map(|(place, name)| (Ink::Series(place), name.as_str())))
}

/// A column's name, which may be broken after any of its words.
pub(super) fn column_name(name: &str) -> Markup {
    html! {
        code { @for part in name.split_inclusive('_') { (part) wbr; } }
    }
}

/// `2 players`
pub(super) fn players_in_words(players: PlayerCount) -> String {
    format!("{} players", players.get())
}

/// A table of words: the first of each row names it, the others are numbers.
pub(super) fn table<S: AsRef<str>>(
    head: &[&str],
    rows: impl IntoIterator<Item = Vec<S>>,
) -> Markup {
    let rows = rows.into_iter().map(|row| {
        html! {
            @for (place, cell) in row.iter().enumerate() {
                @if place == 0 { th scope="row" { (cell.as_ref()) } }
                @else { td { (cell.as_ref()) } }
            }
        }
    });
    table_of(head, &[], rows)
}

/// A table of rows that are made of cells already. `words` are the columns that hold words rather
/// than numbers, besides the first.
pub(super) fn table_of(
    head: &[&str],
    words: &[usize],
    rows: impl IntoIterator<Item = Markup>,
) -> Markup {
    html! {
        div.scroll tabindex="0" {
            table {
                thead {
                    tr {
                        @for (place, name) in head.iter().enumerate() {
                            th.left[words.contains(&place)] scope="col" { (name) }
                        }
                    }
                }
                tbody { @for row in rows { tr { (row) } } }
            }
        }
    }
}

/// A cell with a number, and a bar as long as a share (0 to 1) of it.
pub(super) fn bar_cell(share: f64, text: &str, ink: Ink) -> Markup {
    let width = 100.0 * share.clamp(0.0, 1.0);
    let fill = format!("color-mix(in srgb, {} 28%, transparent)", ink.css());
    html! {
        td.bar { div style={ "--fill:" (fill) ";--share:" (format!("{width:.1}")) "%" } { (text) } }
    }
}

/// A card as at the table: what it gives, its points, what it costs.
pub(super) fn card(card: &Card) -> Markup {
    let points = if card.vp > 0 { card.vp.to_string() } else { String::new() };
    let cost = card.cost.iter().filter(|&(_, &gems)| gems > 0);
    html! {
        span.card title={ "level " (card.level.number()) ", gives " (card.bonus.name()) } {
            span class={ "gem bonus " (card.bonus.name()) } { (points) }
            @for (place, (color, gems)) in cost.enumerate() {
                span class={ "gem " (color.name()) (if place == 0 { " cost-begins" } else { "" }) } {
                    (gems)
                }
            }
        }
    }
}

/// The smallest round number (1, 2 or 5 times a power of ten) that is not below this one.
pub(super) fn round_up(number: f64) -> f64 {
    if number <= 0.0 {
        return 1.0;
    }
    let power = 10_f64.powf(number.log10().floor());
    let steps = [1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0];
    steps.into_iter().map(|step| step * power).find(|&round| round >= number).unwrap_or(number)
}
