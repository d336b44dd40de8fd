//! The section about the values of the columns, and unusual columns.

use crate::encode::{FAMILIES, Family};
use crate::report::page::boards::{link, link_if_shown, place_in_words};
use crate::report::page::numbers::{NOTHING, grouped, number, shift, short};
use crate::report::page::palette::Ink;
use crate::report::page::parts::{column_name, groups, scrolling, section, sortable, table_of};
use crate::report::page::plot::sparkline;
use crate::report::{ColumnReport, Distribution, FAR, LARGE_DRIFT, Mark, Place, Position, Report};
use crate::rules::{Color, PlayerCount};
use maud::{Markup, html};
use std::collections::{HashMap, HashSet};

/// Limits on the marked columns: visible initially, and in total.
const FIRST_MARKED: usize = 8;
const MAX_MARKED: usize = 48;
/// Limit on the listed unusual positions.
const MAX_UNUSUAL: usize = 12;

/// A group of columns with the same meaning for different players, cards, nobles or colors.
struct Kind<'r> {
    name: String,
    columns: Vec<&'r ColumnReport>,
    values: Distribution,
}

/// The name with numbers replaced by N and colors by C.
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

pub(in crate::report::page) fn features(report: &Report) -> Markup {
    let marked = |mark| -> Vec<&ColumnReport> {
        report.columns.iter().filter(|column| column.mark == Some(mark)).collect()
    };
    let mut outliers = marked(Mark::Outlier);
    outliers.sort_by(|a, b| b.farthest.total_cmp(&a.farthest));
    let mut constant = marked(Mark::Constant);
    constant.sort_by_key(|column| is_expected(report, column));
    let unrecorded: Vec<&str> = constant
        .iter()
        .filter(|column| column.feature.meaning.ends_with("always 0: the log does not record it"))
        .map(|column| column.feature.name.as_str())
        .collect();
    let export = report.export.as_ref().map(|export| &export.overview);
    let is_base =
        export.is_some_and(|overview| overview.settings.get("features") == Some(&"base".into()));
    let base = FAMILIES.iter().filter(|family| family.is_base);
    let base: Vec<String> = base.map(|family| family.name.replace('_', " ")).collect();
    let content = html! {
        @if let Some(overview) = &export.filter(|overview| overview.columns < report.columns.len()) {
            p {
                "This section is about all " (grouped(report.columns.len() as u64)) " columns; the export has "
                (grouped(overview.columns as u64)) " of them"
                @if is_base { ": those of the families " (base.join(", ")) }
                "."
            }
        }
        p {
            "Values before normalization, over all rows of the cache. "
            "A " (tag(Mark::Constant)) " column has the same value in all rows, so it has no \
                                        information; an "
            (tag(Mark::Outlier)) " column has a value more than " (FAR) " standard deviations \
            from its mean, and this distance is its size in the normalized data; a " (tag(Mark::Rare))
            " flag has the same value in all but at most one of a thousand rows. In games with two \
             and three players, the columns of absent players are 0, except that \
             playerN_position_0 is 1, positions of reserved cards are −1, and gaps and ranks are \
             those of a player with 0 points."
        }
        p {
            "Below, columns with the same meaning for different players, cards or colors share a \
             row, with N for the number and C for the color. Plots range from the minimum to the \
             maximum; heights are square roots, so that rare values are visible. Blue columns are \
             normalized, green ones are not."
        }
        div.cards {
            (marked_box(report, "Constant columns", &html! {
                p.what { "Those of a third reserved card and of seats without players are last."
                @if !unrecorded.is_empty() {
                    " Always 0, because the log does not record them: "
                    (unrecorded.join(", ")) "."
                } } }, "value", &constant, &|column| number(column.values.mode())))
            (marked_box(report, "Columns with outliers", &html! {}, "farthest, in standard deviations", &outliers,
                &|column| short(column.farthest)
            ))
            (marked_box(report, "Rare flags", &html! {}, "rows with another value", &marked(Mark::Rare), &|column| {
                let values = &column.values;
                grouped(values.total() - values.mode().map_or(0, |mode| values.count(mode)))
            }))
        }
        (most_unusual(report))
        (all_columns(report))
        @for family in &FAMILIES { (of_family(report, family)) }
    };
    section("features", "Features", &content)
}

fn tag(mark: Mark) -> Markup {
    html! { span class={ "tag " (mark.name()) } { (mark.name()) } }
}

/// Whether a column may be constant because players rarely reserve three cards, or because no game has
/// this player.
fn is_expected(report: &Report, column: &ColumnReport) -> bool {
    let name = &column.feature.name;
    let most = groups(report).last().map_or(0, |group| PlayerCount::ALL[group.index].get());
    let absent =
        (most..PlayerCount::MAX as u8).any(|seat| name.contains(&format!("player{seat}_")));
    absent || name.contains("_reserved2_") || name.contains("_card14_")
}

fn marked_box(
    report: &Report,
    title: &str,
    note: &Markup,
    what: &str,
    columns: &[&ColumnReport],
    value: &dyn Fn(&ColumnReport) -> String,
) -> Markup {
    let row = |column: &&ColumnReport| {
        html! {
            th.wrap scope="row" { (column_name(column.feature.name.as_str())) }
            td { (link_if_shown(report, column.farthest_at(), &value(column))) }
        }
    };
    let table =
        |columns: &[&ColumnReport]| table_of(&["column", what], &[], columns.iter().map(row));
    let (first, rest) = columns.split_at(columns.len().min(FIRST_MARKED));
    let (listed, unlisted) = rest.split_at(rest.len().min(MAX_MARKED - FIRST_MARKED));
    html! {
        div.box {
            h3 { (title) ": " (columns.len()) }
            @if columns.is_empty() { p.what { "None." } }
            @else {
                (note)
                (table(first))
            }
            @if !rest.is_empty() {
                details {
                    summary { (grouped(rest.len() as u64)) " more" }
                    (table(listed))
                    @if !unlisted.is_empty() {
                        p.what { "and " (unlisted.len()) " more, in the table of all columns" }
                    }
                }
            }
        }
    }
}

fn most_unusual(report: &Report) -> Markup {
    let mut all: Vec<(&Place, &Position)> =
        report.positions.iter().filter(|(_, position)| !position.outliers.is_empty()).collect();
    let farthest = |position: &Position| position.outliers[0].distance.abs();
    all.sort_by(|a, b| farthest(b.1).total_cmp(&farthest(a.1)));
    let mut games = HashSet::new();
    all.retain(|(place, _)| games.insert(place.game_id));
    let row = |&(place, position): &(&Place, &Position)| {
        let outlier = position.outliers[0];
        let words = place_in_words(place.game_id, position.turn_number, place.row_in_game);
        html! {
            th.wrap scope="row" { (link(*place, &words)) }
            td.left.wrap { (column_name(outlier.column)) " is " (outlier.value) }
            td { (format!("{:+.1}", outlier.distance)) }
            td { (position.outliers.len()) }
        }
    };
    html! {
        @if !all.is_empty() {
            div.box {
                h3 { "Most unusual positions" }
                p.what {
                    "The first rows with the farthest values of the columns with outliers, one row \
                     of each game. Distances are in standard deviations; the number of outliers counts the \
                     columns of the row that are more than "
                    (FAR) " away."
                }
                (sortable(
                    &["position", "farthest value", "distance", "outliers"],
                    &[1],
                    all.iter().take(MAX_UNUSUAL).map(row),
                ))
            }
        }
    }
}

/// The shifts of means since the older export, or since the scaler of the export was fitted.
fn moved(report: &Report) -> HashMap<&str, f64> {
    let Some(export) = &report.export else { return HashMap::new() };
    let since = export.since.as_ref().and_then(|(_, diff)| diff.means.as_ref().ok());
    let moved = since.map(|means| &means.moved).or(export.overview.drift.as_ref());
    moved.into_iter().flatten().map(|drift| (drift.column.as_str(), drift.mean_shift)).collect()
}

fn all_columns(report: &Report) -> Markup {
    let moved = moved(report);
    let row = |column: &ColumnReport| {
        let (values, name) = (&column.values, column.feature.name.as_str());
        let moved_by = moved.get(name);
        let mut kinds = vec![if column.feature.normalized { "normalized" } else { "plain" }];
        kinds.extend(column.mark.map(Mark::name));
        if moved_by.is_some_and(|by| by.abs() > LARGE_DRIFT) {
            kinds.push("moved");
        }
        html! {
            tr data-family=(column.feature.family.name) data-kinds=(kinds.join(" ")) {
                th scope="row" { code { (name) } }
                td.left { (column.feature.family.name.replace('_', " ")) }
                td.left { (if column.feature.normalized { "yes" } else { "no" }) }
                td { (short(column.mean)) }
                td { (short(column.deviation)) }
                td { (number(values.min())) }
                td { (number(values.quantile(0.5))) }
                td { (number(values.max())) }
                td { (link_if_shown(report, column.farthest_at(), &short(column.farthest))) }
                @if !moved.is_empty() {
                    td { (moved_by.map_or(NOTHING.to_owned(), |&by| shift(by))) }
                }
                td.left { @if let Some(mark) = column.mark { (tag(mark)) } }
            }
        }
    };
    let rows: Vec<Markup> = report.columns.iter().map(row).collect();
    let mut head = vec![
        "column",
        "family",
        "normalized",
        "mean",
        "standard deviation",
        "min",
        "median",
        "max",
        "farthest",
    ];
    head.extend((!moved.is_empty()).then_some("moved by"));
    let mark = head.len();
    head.push("mark");
    html! {
        div.box.all-columns {
            h3 { "All columns" }
            p.what.on-paper { "This table is not printed; prep report --json has its numbers." }
            p.what {
                "Farthest is the value farthest from the mean, in standard deviations"
                @if !moved.is_empty() { "; moved by is the shift of the mean, in previous standard \
                                         deviations" }
                ". Links lead to the first position with that value."
            }
            details {
                summary { (grouped(report.columns.len() as u64)) " columns" }
                (scrolling("sortable filtered", &head, &[1, 2, mark], &rows))
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
                            (mark.name())
                            @if columns.len() > 1 { " ×\u{a0}" (marked(mark)) }
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
    html! {
        div.box {
            h3 { (family.name.replace('_', " ")) ": " (columns.len()) " columns" }
            (table_of(
                &["column", "values", "min", "mean", "max"],
                &[1],
                kinds(&columns).iter().map(of_kind),
            ))
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
