//! The section about an export: its splits, and changes since an older export.

use super::play::{action_bars, action_table, actions_key};
use crate::encode::Head;
use crate::export::{ColumnDrift, ExportDiff, MeansDiff, SplitDiff, SplitOverview};
use crate::report::page::numbers::{NOTHING, counted, grouped, percent, round_up, share, shift};
use crate::report::page::palette::Ink;
use crate::report::page::parts::{figure, names_in_short, players_key, section, table, table_of};
use crate::report::page::plot::{Axis, Bar, bars};
use crate::report::{ExportReport, HeadBalance, LARGE_DRIFT, Report, balance, class_in_words};
use crate::rules::PlayerCount;
use crate::words::shown;
use maud::{Markup, html};
use std::path::Path;

/// Number of columns whose drift is drawn, largest first.
const MAX_DRAWN: usize = 15;
/// Number of columns in the table of drift.
const MAX_LISTED: usize = 50;
/// Number of column names in a sentence.
const MAX_NAMED: usize = 12;

pub(in crate::report::page) fn splits(report: &Report) -> Option<Markup> {
    let export = report.export.as_ref()?;
    let content = html! {
        (settings(export))
        div.cards {
            (sizes(export))
            (actions(export))
        }
        (class_balance(export))
    };
    Some(section("splits", "Export: split balance", &content))
}

fn settings(export: &ExportReport) -> Markup {
    let overview = &export.overview;
    let setting = |name: &str| match overview.settings.get(name) {
        None => NOTHING.to_owned(),
        Some(serde_json::Value::String(text)) => text.clone(),
        Some(value) => value.to_string().replace(',', ", "),
    };
    let id = overview.export_id.as_deref().map_or("none", |id| id.get(..12).unwrap_or(id));
    html! {
        p.from { code { (shown(&export.folder)) } " · id " code { (id) } }
        p {
            (counted(overview.columns as u64, "column")) " (" (setting("features")) "), masks "
            (setting("masks")) ", split " (setting("split")) " by " (setting("split_method"))
            " with seed " (setting("seed")) ", " (setting("dtype")) ", scaler " (setting("scaler")) "."
            @if export.games_only_in_cache > 0 {
                " The cache has " (counted(export.games_only_in_cache, "more game")) "."
            }
            @if export.games_only_in_export > 0 {
                " The cache no longer has " (counted(export.games_only_in_export, "game")) " of it."
            }
        }
    }
}

fn sizes(export: &ExportReport) -> Markup {
    let splits = &export.overview.splits;
    let games = |split: &SplitOverview| split.game_ids.len() as u64;
    let by_players = |split: &SplitOverview| {
        PlayerCount::ALL
            .map(|players| split.games_by_players.get(&players.get()).copied().unwrap_or(0))
    };
    let bar = |split: &SplitOverview| {
        let all = games(split).max(1) as f64;
        let part = |(index, games): (usize, u64)| (Ink::Series(index), games as f64 / all);
        let parts = by_players(split).into_iter().enumerate().map(part).collect();
        let [two, three, four] = by_players(split).map(grouped);
        let tip = format!("{two} games of 2, {three} of 3, {four} of 4");
        Bar::new(split.split.name(), parts, tip).with_note(counted(games(split), "game"))
    };
    let rows: u64 = splits.iter().map(|split| split.rows).sum();
    let row = |split: &SplitOverview| {
        let [two, three, four] = by_players(split).map(grouped);
        vec![
            split.split.name().to_owned(),
            grouped(games(split)),
            two,
            three,
            four,
            grouped(split.rows),
            share(split.rows, rows),
            grouped(split.illegal_labels),
        ]
    };
    figure(
        "Games of each split",
        "Shares by number of players. They should be similar, because games with more players are \
         a different task.",
        &players_key(),
        &bars(
            "Games of each split by number of players",
            &splits.iter().map(bar).collect::<Vec<_>>(),
            &Axis::shares("of its games"),
        ),
        &table(
            &["split", "games", "of 2", "of 3", "of 4", "rows", "of all", "illegal"],
            splits.iter().map(row),
        ),
    )
}

fn actions(export: &ExportReport) -> Markup {
    let counts = |split: &SplitOverview| {
        (split.split.name().to_owned(), split.heads[Head::ActionType.index()].classes.clone())
    };
    let counts: Vec<(String, Vec<u64>)> = export.overview.splits.iter().map(counts).collect();
    figure(
        "Action mix of each split",
        "Class balance of the action_type head in train, val and test.",
        &actions_key(),
        &action_bars("Action mix of each split", &counts),
        &action_table("split", &counts),
    )
}

fn class_balance(export: &ExportReport) -> Markup {
    let row = |balance: &HeadBalance| {
        html! {
            th scope="row" { (balance.head.name()) }
            td.left { (balance.split.name()) }
            td { (percent(balance.distance, 1.0)) }
            td.left { (class_in_words(balance.head, balance.class)) }
            td { (percent(balance.train_share, 1.0)) }
            td { (percent(balance.share, 1.0)) }
        }
    };
    html! {
        div.box {
            h3 { "Classes of val and test compared with train" }
            p.what {
                "The distance is the share of labels that would have to change for the classes to \
                 have the same shares as in train (total variation). With few labels or many \
                 classes, a few percent are due to chance."
            }
            (table_of(
                &["head", "split", "distance", "class with the largest difference", "in train", "in the split"],
                &[1, 3],
                balance(&export.overview).iter().map(row),
            ))
        }
    }
}

pub(in crate::report::page) fn drift(report: &Report) -> Option<Markup> {
    let export = report.export.as_ref()?;
    let content = match (&export.since, &export.overview.drift) {
        (Some((older, diff)), _) => since(older, diff),
        (None, Some(drift)) => html! {
            p { "Distance of the means of the training rows from those of the scaler of \
                 --scaler-from, in its standard deviations. Use --against to compare with another \
                 export." }
            div.cards { (shifts(drift)) }
        },
        (None, None) => return None,
    };
    Some(section("drift", "Drift since the older export", &content))
}

fn since(older: &Path, diff: &ExportDiff) -> Markup {
    let head =
        ["split", "old games", "new games", "added", "removed", "changed", "moved in", "moved out"];
    html! {
        p.from { "against " code { (shown(older)) } }
        @for remark in &diff.remarks { p { (remark) "." } }
        div.box { (table(&head, diff.splits.iter().map(SplitDiff::cells))) }
        @match &diff.means {
            Err(why) => p.alarm { (why) "." },
            Ok(means) => {
                div.cards {
                    (shifts(&means.moved))
                    (sizes_of_shifts(means))
                }
            }
        }
    }
}

fn shifts(moved: &[ColumnDrift]) -> Markup {
    let sizes = || moved.iter().map(|column| column.mean_shift.abs());
    let largest = sizes().filter(|size| size.is_finite()).fold(0.0, f64::max);
    let bar = |column: &ColumnDrift| {
        let size = column.mean_shift.abs();
        let ink = if size > LARGE_DRIFT { Ink::Alarm } else { Ink::Series(0) };
        let note = shift(column.mean_shift);
        Bar::new(&column.column, vec![(ink, size.min(largest))], note.clone()).with_note(note)
    };
    let past = sizes().filter(|&size| size > LARGE_DRIFT).count();
    let row = |column: &ColumnDrift| vec![column.column.clone(), shift(column.mean_shift)];
    figure(
        "Largest shifts of means",
        &format!(
            "In standard deviations of the column in the older export. {} of {} moved by more than \
             {LARGE_DRIFT}; with few games, many columns move a little by chance.",
            grouped(past as u64),
            counted(moved.len() as u64, "column"),
        ),
        &html! {},
        &bars(
            "Columns with the largest shift of their mean",
            &moved.iter().take(MAX_DRAWN).map(bar).collect::<Vec<_>>(),
            &Axis::numbers("standard deviations", 0.0..round_up(largest)),
        ),
        &table(&["column", "moved by"], moved.iter().take(MAX_LISTED).map(row)),
    )
}

fn sizes_of_shifts(means: &MeansDiff) -> Markup {
    let past = |limit: f64| {
        let moved = means.moved.iter().filter(|column| column.mean_shift.abs() > limit);
        vec![format!("{limit} standard deviations"), moved.count().to_string()]
    };
    html! {
        div.box {
            h3 { "Number of columns by shift" }
            (table(&["more than", "columns"], [0.01, 0.05, 0.1, LARGE_DRIFT, 0.5, 1.0].map(past)))
            @for (what, columns) in [
                ("No longer constant", &means.newly_varying),
                ("Newly constant", &means.newly_constant),
            ] {
                @if !columns.is_empty() {
                    p { (what) ": " code { (names_in_short(columns, MAX_NAMED, ", ")) } "." }
                }
            }
        }
    }
}
