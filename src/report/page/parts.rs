//! The parts of sections: figures, keys, tables, cards.

use super::palette::Ink;
use crate::report::{GamesTally, Report};
use crate::rules::{ByColor, Card, PlayerCount};
use crate::table::{card_in_words, gems_in_words, letter};
use maud::{Markup, html};

/// The games with one number of players.
pub(super) struct Group<'r> {
    /// The index in [`PlayerCount::ALL`].
    pub(super) index: usize,
    /// `2 players`
    pub(super) name: String,
    pub(super) games: &'r GamesTally,
}

impl Group<'_> {
    pub(super) fn ink(&self) -> Ink {
        Ink::Series(self.index)
    }
}

/// A group for each number of players with games.
pub(super) fn groups(report: &Report) -> Vec<Group<'_>> {
    let group = |(index, games)| Group { index, name: player_names()[index].clone(), games };
    let groups = report.tally.games.iter().enumerate().map(group);
    groups.filter(|group| group.games.games > 0).collect()
}

pub(super) fn player_names() -> [String; PlayerCount::ALL.len()] {
    PlayerCount::ALL.map(|players| format!("{} players", players.get()))
}

/// A section with its heading, and its id for links.
pub(super) fn section(id: &str, title: &str, content: &Markup) -> Markup {
    html! {
        section id=(id) {
            h2 { (title) }
            (content)
        }
    }
}

/// A plot with its title, an explanation, and a table of its numbers.
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

/// The meaning of each color.
pub(super) fn key(entries: &[(Ink, &str)]) -> Markup {
    html! {
        div.key {
            @for (ink, name) in entries {
                span { i style={ "background:" (ink.css()) } {} (name) }
            }
        }
    }
}

/// The key of a plot with one color for each number of players.
pub(super) fn players_key() -> Markup {
    let [two, three, four] = &player_names();
    key(&[(Ink::Series(0), two), (Ink::Series(1), three), (Ink::Series(2), four)])
}

/// A column's name, with possible line breaks after each word.
pub(super) fn column_name(name: &str) -> Markup {
    html! {
        code { @for part in name.split_inclusive('_') { (part) wbr; } }
    }
}

/// A table with row names in the first column, and numbers in the others.
pub(super) fn table(head: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> Markup {
    let cells = |row: Vec<String>| {
        html! {
            @for (index, cell) in row.iter().enumerate() {
                @if index == 0 { th scope="row" { (cell) } }
                @else { td { (cell) } }
            }
        }
    };
    let rows: Vec<Vec<String>> = rows.into_iter().collect();
    table_of(head, &[], rows.into_iter().map(cells))
}

/// A table of HTML cells. `text_columns` are the columns, besides the first, with text instead of
/// numbers.
pub(super) fn table_of(
    head: &[&str],
    text_columns: &[usize],
    rows: impl IntoIterator<Item = Markup>,
) -> Markup {
    rows_of_cells("", head, text_columns, rows.into_iter().collect())
}

/// The same, sortable by clicking on a column.
pub(super) fn sortable(
    head: &[&str],
    text_columns: &[usize],
    rows: impl IntoIterator<Item = Markup>,
) -> Markup {
    rows_of_cells("sortable", head, text_columns, rows.into_iter().collect())
}

fn rows_of_cells(class: &str, head: &[&str], text_columns: &[usize], rows: Vec<Markup>) -> Markup {
    let rows: Vec<Markup> = rows.iter().map(|row| html! { tr { (row) } }).collect();
    scrolling(class, head, text_columns, &rows)
}

/// A table with a CSS class in a scrolling box. `rows` are `tr` elements.
pub(super) fn scrolling(
    class: &str,
    head: &[&str],
    text_columns: &[usize],
    rows: &[Markup],
) -> Markup {
    html! {
        div.scroll tabindex="0" {
            table class=[(!class.is_empty()).then_some(class)] {
                thead {
                    tr {
                        @for (index, name) in head.iter().enumerate() {
                            th.left[text_columns.contains(&index)] scope="col" { (name) }
                        }
                    }
                }
                tbody { @for row in rows { (row) } }
            }
        }
    }
}

/// A cell with a number and a bar in the background; its length is a share (0 to 1) of the cell.
pub(super) fn bar_cell(share: f64, text: &str, ink: Ink) -> Markup {
    let width = 100.0 * share.clamp(0.0, 1.0);
    let fill = format!("color-mix(in srgb, {} 28%, transparent)", ink.css());
    html! {
        td.bar { div style={ "--fill:" (fill) ";--share:" (format!("{width:.1}")) "%" } { (text) } }
    }
}

/// A card: its bonus, points and cost.
pub(super) fn card(card: &Card) -> Markup {
    let points = if card.vp > 0 { card.vp.to_string() } else { String::new() };
    html! {
        span.card role="img" aria-label={ (card_in_words(card)) " for " (gems_in_words(card.cost.iter())) } {
            span class={ "gem bonus " (card.bonus.name()) } { (points) small { (letter(card.bonus)) } }
            (gem_counts(&card.cost))
        }
    }
}

/// Gems of each color, such as the requirement of a noble.
pub(super) fn gems(counts: &ByColor<u8>) -> Markup {
    html! {
        span.card role="img" aria-label=(gems_in_words(counts.iter())) { (gem_counts(counts)) }
    }
}

/// A number and a letter on the color, because color alone is not accessible to everybody.
fn gem_counts(counts: &ByColor<u8>) -> Markup {
    html! {
        @for (color, count) in counts.iter().filter(|&(_, &count)| count > 0) {
            span class={ "gem " (color.name()) } { (count) small { (letter(color)) } }
        }
    }
}

/// The first names, and the number of the others.
pub(super) fn names_in_short(names: &[String], most: usize, separator: &str) -> String {
    let mut text = names[..names.len().min(most)].join(separator);
    if names.len() > most {
        text += &format!("{separator}and {} more", names.len() - most);
    }
    text
}
