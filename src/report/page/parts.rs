//! What every section is made of: figures, keys, tables, cards.

use super::palette::Ink;
use crate::report::{GamesTally, Report};
use crate::rules::{ByColor, Card, PlayerCount};
use crate::table::{card_in_words, gems_in_words, letter};
use maud::{Markup, html};

/// The games of one number of players.
pub(super) struct Group<'r> {
    /// The place of the number in [`PlayerCount::ALL`].
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

/// A group for each number of players of which there are games.
pub(super) fn groups(report: &Report) -> Vec<Group<'_>> {
    let group = |(index, games)| Group { index, name: player_names()[index].clone(), games };
    let groups = report.tally.games.iter().enumerate().map(group);
    groups.filter(|group| group.games.games > 0).collect()
}

pub(super) fn player_names() -> [String; PlayerCount::ALL.len()] {
    PlayerCount::ALL.map(|players| format!("{} players", players.get()))
}

/// A section with its heading, and the id that the page's links lead to.
pub(super) fn section(id: &str, title: &str, content: &Markup) -> Markup {
    html! {
        section id=(id) {
            h2 { (title) }
            (content)
        }
    }
}

/// A plot with its title and an explanation, and below it the numbers of the plot.
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
pub(super) fn key<S: AsRef<str>>(entries: impl IntoIterator<Item = (Ink, S)>) -> Markup {
    html! {
        div.key {
            @for (ink, name) in entries {
                span { i style={ "background:" (ink.css()) } {} (name.as_ref()) }
            }
        }
    }
}

/// The key of a plot with a color for each number of players.
pub(super) fn players_key() -> Markup {
    key(player_names().into_iter().enumerate().map(|(index, name)| (Ink::Series(index), name)))
}

/// A column's name, which may be broken after any of its words.
pub(super) fn column_name(name: &str) -> Markup {
    html! {
        code { @for part in name.split_inclusive('_') { (part) wbr; } }
    }
}

/// A table whose first column names the row, and whose other columns are numbers.
pub(super) fn table<H: AsRef<str>>(
    head: &[H],
    rows: impl IntoIterator<Item = Vec<String>>,
) -> Markup {
    let rows = rows.into_iter().map(|row| {
        html! {
            @for (index, cell) in row.iter().enumerate() {
                @if index == 0 { th scope="row" { (cell) } }
                @else { td { (cell) } }
            }
        }
    });
    table_of(head, &[], rows)
}

/// A table of rows that are markup. `text_columns` are the columns with text instead of numbers,
/// besides the first.
pub(super) fn table_of<H: AsRef<str>>(
    head: &[H],
    text_columns: &[usize],
    rows: impl IntoIterator<Item = Markup>,
) -> Markup {
    let rows = rows.into_iter().map(|row| html! { tr { (row) } });
    scrolling("", head, text_columns, rows)
}

/// The same, whose columns can be clicked to sort it.
pub(super) fn sortable<H: AsRef<str>>(
    head: &[H],
    text_columns: &[usize],
    rows: impl IntoIterator<Item = Markup>,
) -> Markup {
    let rows = rows.into_iter().map(|row| html! { tr { (row) } });
    scrolling("sortable", head, text_columns, rows)
}

/// A table of a class, in a box that scrolls. `rows` are `tr` elements.
pub(super) fn scrolling<H: AsRef<str>>(
    class: &str,
    head: &[H],
    text_columns: &[usize],
    rows: impl IntoIterator<Item = Markup>,
) -> Markup {
    html! {
        div.scroll tabindex="0" {
            table class=[(!class.is_empty()).then_some(class)] {
                thead {
                    tr {
                        @for (index, name) in head.iter().enumerate() {
                            th.left[text_columns.contains(&index)] scope="col" { (name.as_ref()) }
                        }
                    }
                }
                tbody { @for row in rows { (row) } }
            }
        }
    }
}

/// A cell with a number, and behind it a bar whose length is a share (0 to 1) of the cell.
pub(super) fn bar_cell(share: f64, text: &str, ink: Ink) -> Markup {
    let width = 100.0 * share.clamp(0.0, 1.0);
    let fill = format!("color-mix(in srgb, {} 28%, transparent)", ink.css());
    html! {
        td.bar { div style={ "--fill:" (fill) ";--share:" (format!("{width:.1}")) "%" } { (text) } }
    }
}

/// A card as on the table: its bonus, its points, its cost.
pub(super) fn card(card: &Card) -> Markup {
    let points = if card.vp > 0 { card.vp.to_string() } else { String::new() };
    html! {
        span.card role="img" aria-label={ (card_in_words(card)) " for " (gems_in_words(card.cost.iter())) } {
            span class={ "gem bonus " (card.bonus.name()) } { (points) small { (letter(card.bonus)) } }
            (gem_counts(&card.cost))
        }
    }
}

/// Gems of each color, such as what a noble asks for.
pub(super) fn gems(counts: &ByColor<u8>) -> Markup {
    html! {
        span.card role="img" aria-label=(gems_in_words(counts.iter())) { (gem_counts(counts)) }
    }
}

/// A number and a letter on the color: colors alone are not enough for everybody.
fn gem_counts(counts: &ByColor<u8>) -> Markup {
    html! {
        @for (color, count) in counts.iter().filter(|&(_, &count)| count > 0) {
            span class={ "gem " (color.name()) } { (count) small { (letter(color)) } }
        }
    }
}

/// The first names, and how many more there are.
pub(super) fn names_in_short<S: AsRef<str>>(
    names: impl ExactSizeIterator<Item = S>,
    most: usize,
    separator: &str,
) -> String {
    let more = names.len().saturating_sub(most);
    let mut text = String::new();
    for (index, name) in names.take(most).enumerate() {
        text += if index > 0 { separator } else { "" };
        text += name.as_ref();
    }
    if more > 0 {
        text += &format!("{separator}and {more} more");
    }
    text
}
