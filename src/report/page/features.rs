//! The values of the columns, and which columns stand out.

use super::numbers::{grouped, number, short};
use super::palette::Ink;
use super::parts::{column_name, section, table_of};
use super::plot::sparkline;
use crate::encode::{FAMILIES, Family};
use crate::report::{ColumnReport, Distribution, FAR, Mark, Report};
use crate::rules::Color;
use maud::{Markup, html};
use std::collections::HashMap;

/// Marked columns that are visible at once, and in all.
const FIRST_MARKED: usize = 8;
const MOST_MARKED: usize = 48;

/// Columns that say the same of another player, card, noble or color.
struct Kind<'r> {
    name: String,
    columns: Vec<&'r ColumnReport>,
    values: Distribution,
}

/// The name with N for its numbers and C for its colors.
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

/// The kinds of some columns, in the order of their first columns.
fn kinds<'r>(columns: &[&'r ColumnReport]) -> Vec<Kind<'r>> {
    let mut kinds: Vec<Kind<'_>> = Vec::new();
    let mut indices: HashMap<String, usize> = HashMap::new();
    for &column in columns {
        let name = kind_name(column.feature.name.as_str());
        let index = *indices.entry(name.clone()).or_insert_with(|| {
            kinds.push(Kind { name, columns: Vec::new(), values: Distribution::default() });
            kinds.len() - 1
        });
        kinds[index].columns.push(column);
        kinds[index].values.merge(&column.values);
    }
    kinds
}

pub(super) fn features(report: &Report) -> Markup {
    let marked = |mark| -> Vec<&ColumnReport> {
        report.columns.iter().filter(|column| column.mark == Some(mark)).collect()
    };
    let mut outliers = marked(Mark::Outlier);
    outliers.sort_by(|a, b| b.farthest().total_cmp(&a.farthest()));
    let content = html! {
        p {
            "Values before normalization, over all rows of the cache. "
            "A " (tag(Mark::Constant)) " column has one value in all rows and carries no information; an "
            (tag(Mark::Outlier)) " column has a value more than " (FAR) " standard deviations from its \
             mean, which is how large it reaches a network; a " (tag(Mark::Rare)) " flag is the same in \
             all but one row in a thousand. The columns of absent players are 0 in games of two and three."
        }
        p {
            "Below, N stands for a number and C for a color: columns that say the same of another player, \
             card or color share a row. Plots run from the minimum to the maximum; heights are square \
             roots, so that rare values are visible. Blue columns are normalized, green ones are not."
        }
        div.cards {
            (marked_box("Constant columns", "value", &marked(Mark::Constant), |column| {
                number(column.values.mode())
            }))
            (marked_box("Columns with outliers", "farthest, in standard deviations", &outliers, |column| {
                short(column.farthest())
            }))
            (marked_box("Rare flags", "rows with another value", &marked(Mark::Rare), |column| {
                let values = &column.values;
                grouped(values.total() - values.mode().map_or(0, |mode| values.count(mode)))
            }))
        }
        @for family in &FAMILIES { (of_family(report, family)) }
    };
    section("features", "Features", &content)
}

fn tag(mark: Mark) -> Markup {
    html! { span class={ "tag " (mark.name()) } { (mark.name()) } }
}

fn marked_box(
    title: &str,
    what: &str,
    columns: &[&ColumnReport],
    value: impl Fn(&ColumnReport) -> String,
) -> Markup {
    let row = |column: &&ColumnReport| {
        html! {
            th.wrap scope="row" { (column_name(column.feature.name.as_str())) }
            td { (value(column)) }
        }
    };
    let table =
        |columns: &[&ColumnReport]| table_of(&["column", what], &[], columns.iter().map(row));
    let (first, rest) = columns.split_at(columns.len().min(FIRST_MARKED));
    let (listed, unlisted) = rest.split_at(rest.len().min(MOST_MARKED - FIRST_MARKED));
    html! {
        div.box {
            h3 { (title) ": " (columns.len()) }
            @if columns.is_empty() { p.what { "None." } } @else { (table(first)) }
            @if !rest.is_empty() {
                details {
                    summary { (grouped(rest.len() as u64)) " more" }
                    (table(listed))
                    @if !unlisted.is_empty() {
                        p.what { "and " (unlisted.len()) " more, in the tables by family" }
                    }
                }
            }
        }
    }
}

fn of_family(report: &Report, family: &Family) -> Markup {
    let all = report.columns.iter();
    let columns: Vec<&ColumnReport> =
        all.filter(|column| column.feature.family == family).collect();
    let of_kind = |Kind { name, columns, values }: &Kind<'_>| {
        let is_normalized = columns.iter().any(|column| column.feature.normalized);
        let ink = if is_normalized { Ink::Series(0) } else { Ink::Series(2) };
        let counts: Vec<_> = values.iter().collect();
        let marked = |mark| columns.iter().filter(|column| column.mark == Some(mark)).count();
        html! {
            th.wrap scope="row" {
                (column_name(name))
                @if columns.len() > 1 { " " span.faint { "×\u{a0}" (columns.len()) } }
                " "
                @for mark in [Mark::Constant, Mark::Outlier, Mark::Rare] {
                    @if marked(mark) > 0 {
                        span class={ "tag " (mark.name()) } {
                            @if columns.len() > 1 { (marked(mark)) " " }
                            (mark.name())
                        }
                        " "
                    }
                }
            }
            td.left { (sparkline(&format!("Values of {name}"), &counts, ink)) }
            td { (number(values.min())) }
            td { (short(values.mean())) }
            td { (number(values.max())) }
        }
    };
    let of_column = |column: &&ColumnReport| {
        let values = &column.values;
        html! {
            th scope="row" { (column_name(column.feature.name.as_str())) }
            td { (short(values.mean())) }
            td { (short(values.standard_deviation())) }
            td { (number(values.min())) }
            td { (number(values.quantile(0.5))) }
            td { (number(values.max())) }
            td { (short(column.farthest())) }
            td.left { @if let Some(mark) = column.mark { (tag(mark)) } }
        }
    };
    html! {
        div.box {
            h3 { (family.name.replace('_', " ")) ": " (columns.len()) " columns" }
            (table_of(
                &["column", "values", "min", "mean", "max"],
                &[1],
                kinds(&columns).iter().map(of_kind),
            ))
            details {
                summary { "Each column" }
                (table_of(
                    &["column", "mean", "standard deviation", "min", "median", "max",
                      "farthest, in standard deviations", ""],
                    &[7],
                    columns.iter().map(of_column),
                ))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kind_names() {
        assert_eq!(kind_name("player3_card14_distance_black"), "playerN_cardN_distance_C");
        assert_eq!(kind_name("deck_level1_remaining"), "deck_levelN_remaining");
        assert_eq!(kind_name("max_tokens_pile_gold"), "max_tokens_pile_gold");
    }
}
