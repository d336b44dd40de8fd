//! How the values of the columns are spread, and which columns stand out.

use super::numbers::{NOTHING, grouped, short};
use super::palette::Ink;
use super::parts::{column_name, section, table_of};
use super::plot::sparkline;
use crate::encode::Family;
use crate::report::{ColumnReport, Distribution, FAR, Mark, Report};
use crate::rules::Color;
use maud::{Markup, html};
use std::collections::HashMap;

/// Marked columns that are listed one by one.
const MOST_LISTED: usize = 40;

/// Columns that tell the same of another player, card, noble or colour.
struct Kind<'r> {
    name: String,
    columns: Vec<&'r ColumnReport>,
    values: Distribution,
}

/// The name with its numbers as N and its colours as C.
fn kind_name(name: &str) -> String {
    let part = |part: &str| {
        if Color::ALL.iter().any(|color| color.name() == part) {
            return "C".to_owned();
        }
        let mut kind: Vec<char> =
            part.chars().map(|c| if c.is_ascii_digit() { 'N' } else { c }).collect();
        kind.dedup_by(|a, b| *a == 'N' && *b == 'N');
        kind.into_iter().collect()
    };
    name.split('_').map(part).collect::<Vec<String>>().join("_")
}

/// The columns of a family by kind, in the order in which kinds begin.
fn kinds(report: &Report, family: Family) -> Vec<Kind<'_>> {
    let mut kinds: Vec<Kind<'_>> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for column in report.columns.iter().filter(|column| column.feature.family == family) {
        let name = kind_name(column.feature.name.as_str());
        let place = *places.entry(name.clone()).or_insert_with(|| {
            kinds.push(Kind { name, columns: Vec::new(), values: Distribution::default() });
            kinds.len() - 1
        });
        kinds[place].columns.push(column);
        kinds[place].values.merge(&column.values);
    }
    kinds
}

pub(super) fn features(report: &Report) -> Markup {
    let marked = |mark| report.columns.iter().filter(move |column| column.mark == Some(mark));
    let content = html! {
        p {
            "Values before normalisation, over all rows of the cache. "
            "A " (tag(Mark::Constant)) " column has one value in every row and tells nothing; an "
            (tag(Mark::Outlying)) " one has a value more than " (FAR) " deviations from its mean, \
             which is how large it arrives at a network; a " (tag(Mark::Rare)) " flag is the same in \
             all but one row in a thousand. What all columns of absent players hold in games of two \
             or three is 0."
        }
        p {
            "Below, N stands for a number and C for a colour: columns that tell the same of another \
             player, card or colour stand in one line. Bars run over all values from least to most; \
             their heights are square roots, so that rare values are seen. Blue columns are \
             normalised, green ones are not."
        }
        div.cards {
            (marked_box("Constant columns", &marked(Mark::Constant).collect::<Vec<_>>(), Mark::Constant))
            (marked_box("Outlying columns", &farthest_first(marked(Mark::Outlying)), Mark::Outlying))
            (marked_box("Rare flags", &marked(Mark::Rare).collect::<Vec<_>>(), Mark::Rare))
        }
        @for family in Family::ALL { (of_family(report, family)) }
    };
    section("features", "Features", &content)
}

fn tag(mark: Mark) -> Markup {
    html! { span class={ "tag " (mark.name()) } { (mark.name()) } }
}

fn farthest_first<'r>(columns: impl Iterator<Item = &'r ColumnReport>) -> Vec<&'r ColumnReport> {
    let mut columns: Vec<&ColumnReport> = columns.collect();
    columns.sort_by(|a, b| b.farthest().total_cmp(&a.farthest()));
    columns
}

fn marked_box(title: &str, columns: &[&ColumnReport], mark: Mark) -> Markup {
    let head = match mark {
        Mark::Constant => ["column", "value"],
        Mark::Outlying => ["column", "farthest, in deviations"],
        Mark::Rare => ["column", "rows with another value"],
    };
    let row = |column: &&ColumnReport| {
        let values = &column.values;
        let most = values.mode().map_or(0, |mode| values.count(mode));
        html! {
            th.wrap scope="row" { (column_name(column.feature.name.as_str())) }
            td {
                @match mark {
                    Mark::Constant => (number(values.mode())),
                    Mark::Outlying => (short(column.farthest())),
                    Mark::Rare => (grouped(values.total() - most)),
                }
            }
        }
    };
    let (first, rest) = columns.split_at(columns.len().min(8));
    html! {
        div.box {
            h3 { (title) ": " (columns.len()) }
            @if columns.is_empty() { p.what { "None." } }
            @else { (table_of(&head, &[], first.iter().map(row))) }
            @if !rest.is_empty() {
                details {
                    summary { (grouped(rest.len() as u64)) " more" }
                    (table_of(&head, &[], rest.iter().take(MOST_LISTED).map(row)))
                    @if rest.len() > MOST_LISTED {
                        p.what { "and " (rest.len() - MOST_LISTED) " more: the tables by family mark them" }
                    }
                }
            }
        }
    }
}

fn number(value: Option<i64>) -> String {
    value.map_or(NOTHING.to_owned(), |value| value.to_string())
}

fn of_family(report: &Report, family: Family) -> Markup {
    let kinds = kinds(report, family);
    let columns: Vec<&ColumnReport> = kinds.iter().flat_map(|kind| kind.columns.clone()).collect();
    let of_kind = |kind: &Kind<'_>| {
        let ink = if kind.columns.iter().any(|column| column.feature.normalized) {
            Ink::Series(0)
        } else {
            Ink::Series(2)
        };
        let shape: Vec<_> = kind.values.iter().collect();
        let count = |mark| kind.columns.iter().filter(|column| column.mark == Some(mark)).count();
        html! {
            th.wrap scope="row" {
                (column_name(&kind.name))
                @if kind.columns.len() > 1 { " " span.faint { "×\u{a0}" (kind.columns.len()) } }
                " "
                @for mark in [Mark::Constant, Mark::Outlying, Mark::Rare] {
                    @if count(mark) > 0 {
                        span class={ "tag " (mark.name()) } {
                            @if kind.columns.len() > 1 { (count(mark)) " " }
                            (mark.name())
                        }
                        " "
                    }
                }
            }
            td.left { (sparkline(&format!("Values of {}", kind.name), &shape, ink)) }
            td { (number(kind.values.min())) }
            td { (short(kind.values.mean())) }
            td { (number(kind.values.max())) }
        }
    };
    let of_column = |column: &&ColumnReport| {
        let values = &column.values;
        html! {
            th scope="row" { (column_name(column.feature.name.as_str())) }
            td { (short(values.mean())) }
            td { (short(values.deviation())) }
            td { (number(values.min())) }
            td { (number(values.quantile(0.5))) }
            td { (number(values.max())) }
            td { (short(column.farthest())) }
            td.left { @if let Some(mark) = column.mark { (tag(mark)) } }
        }
    };
    let mut in_order = columns.clone();
    in_order.sort_by_key(|column| std::ptr::from_ref(*column));
    html! {
        div.box {
            h3 { (family.name().replace('_', " ")) ": " (columns.len()) " columns" }
            (table_of(
                &["column", "values", "least", "mean", "most"],
                &[1],
                kinds.iter().map(of_kind),
            ))
            details {
                summary { "Each column" }
                (table_of(
                    &["column", "mean", "deviation", "least", "median", "most",
                      "farthest, in deviations", ""],
                    &[7],
                    in_order.iter().map(of_column),
                ))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_of_a_kind_differ_in_numbers_and_colours_only() {
        assert_eq!(kind_name("player3_card14_distance_black"), "playerN_cardN_distance_C");
        assert_eq!(kind_name("deck_level1_remaining"), "deck_levelN_remaining");
        assert_eq!(kind_name("max_tokens_pile_gold"), "max_tokens_pile_gold");
    }
}
