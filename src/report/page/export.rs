//! An export: its splits, and what changed since an older one.

use super::numbers::{NOTHING, counted, grouped, percent, share};
use super::palette::Ink;
use super::parts::{figure, round_up, section, table, table_of};
use super::play::{action_bars, action_table, actions_key};
use super::plot::{Axis, Bar, bars};
use crate::encode::Head;
use crate::export::{ColumnDrift, ExportDiff, MeansDiff, SplitDiff, SplitOverview};
use crate::report::{ExportReport, HeadBalance, LARGE_DRIFT, Report, balance, class_in_words};
use crate::rules::PlayerCount;
use maud::{Markup, html};
use std::path::Path;

/// Columns whose drift is drawn, farthest first.
const MOST_DRAWN: usize = 15;
/// Columns whose drift is listed.
const MOST_LISTED: usize = 50;
/// Names of columns in a sentence.
const MOST_NAMED: usize = 12;

pub(super) fn splits(report: &Report) -> Option<Markup> {
    let export = report.export.as_ref()?;
    let content = html! {
        (what_it_is(export))
        div.cards {
            (sizes(export))
            (actions(export))
        }
        (class_balance(export))
    };
    Some(section("splits", "Export: split balance", &content))
}

fn what_it_is(export: &ExportReport) -> Markup {
    let overview = &export.overview;
    let setting = |name: &str| match overview.settings.get(name) {
        None => NOTHING.to_owned(),
        Some(serde_json::Value::String(text)) => text.clone(),
        Some(value) => value.to_string().replace(',', ", "),
    };
    let id = overview.export_id.as_deref().map_or("none", |id| id.get(..12).unwrap_or(id));
    html! {
        p.from { code { (export.folder.display()) } " · id " code { (id) } }
        p {
            (counted(overview.columns as u64, "column")) " (" (setting("features")) "), masks "
            (setting("masks")) ", split " (setting("split")) " by " (setting("split_method"))
            " with seed " (setting("seed")) ", " (setting("dtype")) ", scaler " (setting("scaler")) "."
            @if export.games_only_in_cache > 0 {
                " The cache has " (counted(export.games_only_in_cache, "game")) " more."
            }
            @if export.games_only_in_export > 0 {
                " " (counted(export.games_only_in_export, "game")) " of it are not in the cache any more."
            }
        }
    }
}

fn games_of(split: &SplitOverview, players: PlayerCount) -> u64 {
    split.games_by_players.get(&players.get()).copied().unwrap_or(0)
}

fn sizes(export: &ExportReport) -> Markup {
    let splits = &export.overview.splits;
    let games = |split: &SplitOverview| split.game_ids.len() as u64;
    let bar = |split: &SplitOverview| {
        let all = games(split).max(1) as f64;
        let parts = PlayerCount::ALL.into_iter().enumerate();
        Bar {
            name: split.split.name().to_owned(),
            parts: parts
                .map(|(place, players)| (Ink::Series(place), games_of(split, players) as f64 / all))
                .collect(),
            note: counted(games(split), "game"),
            mark: None,
        }
    };
    let x = Axis { title: "of its games", range: 0.0..1.0, tick: super::numbers::percent_tick };
    let rows: u64 = splits.iter().map(|split| split.rows).sum();
    let line = |split: &SplitOverview| {
        let by_players = PlayerCount::ALL.map(|players| grouped(games_of(split, players)));
        let [two, three, four] = by_players;
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
        "Shares by number of players. They should be alike: a split with more games of four is \
         another task.",
        &super::parts::players_key(),
        &bars(
            "Games of each split by number of players",
            &splits.iter().map(bar).collect::<Vec<_>>(),
            &x,
        ),
        &table(
            &["split", "games", "of 2", "of 3", "of 4", "rows", "of all", "not legal"],
            splits.iter().map(line),
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
    let line = |balance: &HeadBalance| {
        let head = Head::ALL[balance.head];
        html! {
            th scope="row" { (head.name()) }
            td.left { (balance.split.name()) }
            td { (percent(balance.distance, 1.0)) }
            td.left { (class_in_words(head, balance.class)) }
            td { (percent(balance.train_share, 1.0)) }
            td { (percent(balance.share, 1.0)) }
        }
    };
    html! {
        div.box {
            h3 { "Classes of val and test against train" }
            p.what {
                "Apart is the share of labels that would have to be others for the classes to be \
                 spread as in train. Chance alone gives some percent where labels are few or classes \
                 many."
            }
            (table_of(
                &["head", "split", "apart", "class that differs most", "in train", "in the split"],
                &[1, 3],
                balance(&export.overview).iter().map(line),
            ))
        }
    }
}

pub(super) fn drift(report: &Report) -> Option<Markup> {
    let export = report.export.as_ref()?;
    let content = match (&export.since, &export.overview.drift) {
        (Some((older, diff)), _) => since(older, diff),
        (None, Some(drift)) => html! {
            p { "How far the training rows' means are from the scaler that the export was made with \
                 (--scaler-from), in the deviations of that scaler. --against names another export to \
                 compare with." }
            div.cards { (shifts(drift)) }
        },
        (None, None) => html! {
            p { "With --against and the folder of an older export, what changed since then stands here." }
        },
    };
    Some(section("drift", "Drift since the older export", &content))
}

fn since(older: &Path, diff: &ExportDiff) -> Markup {
    let line = |split: &SplitDiff| {
        let changed = split.changed.as_ref().map(|changed| grouped(changed.len() as u64));
        let number = |number: usize| grouped(number as u64);
        vec![
            split.split.name().to_owned(),
            number(split.old_games),
            number(split.new_games),
            number(split.added.len()),
            number(split.removed.len()),
            changed.unwrap_or_else(|| "?".to_owned()),
            number(split.moved_in),
            number(split.moved_out),
        ]
    };
    html! {
        p.from { "against " code { (older.display()) } }
        @for remark in &diff.remarks { p { (remark) "." } }
        div.box {
            (table(
                &["split", "games then", "now", "added", "removed", "changed", "moved in", "moved out"],
                diff.splits.iter().map(line),
            ))
        }
        @match &diff.means {
            Err(why) => p.alarm { (why) "." },
            Ok(means) => {
                div.cards {
                    (shifts(&means.moved))
                    (constant_or_not(means))
                }
            }
        }
    }
}

fn shifts(moved: &[ColumnDrift]) -> Markup {
    let finite = || moved.iter().filter(|column| column.mean_shift.is_finite());
    let farthest = finite().map(|column| column.mean_shift.abs()).fold(0.0, f64::max);
    let bar = |column: &ColumnDrift| {
        let size = column.mean_shift.abs();
        let ink = if size > LARGE_DRIFT { Ink::Alarm } else { Ink::Series(0) };
        Bar {
            name: column.column.clone(),
            parts: vec![(ink, if size.is_finite() { size } else { farthest })],
            note: shift(column.mean_shift),
            mark: None,
        }
    };
    let tick = super::numbers::tick;
    let range = 0.0..round_up(farthest);
    let x = Axis { title: "standard deviations", range, tick };
    let bars_drawn: Vec<Bar> = moved.iter().take(MOST_DRAWN).map(bar).collect();
    let past = moved.iter().filter(|column| column.mean_shift.abs() > LARGE_DRIFT).count();
    let line = |column: &ColumnDrift| vec![column.column.clone(), shift(column.mean_shift)];
    figure(
        "Means that moved most",
        &format!(
            "In deviations that the column had before. {} of {} moved more than {LARGE_DRIFT}; with \
             few games, chance moves many a little.",
            grouped(past as u64),
            counted(moved.len() as u64, "column"),
        ),
        &html! {},
        &bars("Columns whose mean moved most", &bars_drawn, &x),
        &table(&["column", "moved by"], moved.iter().take(MOST_LISTED).map(line)),
    )
}

fn shift(shift: f64) -> String {
    match shift {
        shift if shift.is_finite() => format!("{shift:+.3}"),
        _ => "another constant".to_owned(),
    }
}

fn constant_or_not(means: &MeansDiff) -> Markup {
    let named = |columns: &[String]| {
        let mut text = columns.iter().take(MOST_NAMED).cloned().collect::<Vec<_>>().join(", ");
        if columns.len() > MOST_NAMED {
            text += &format!(" and {} more", columns.len() - MOST_NAMED);
        }
        text
    };
    let size = means.moved.iter().map(|column| column.mean_shift.abs());
    let bound = |limit: f64| size.clone().filter(|&size| size > limit).count().to_string();
    html! {
        div.box {
            h3 { "How many moved how far" }
            (table(
                &["farther than", "columns"],
                [0.01, 0.05, 0.1, LARGE_DRIFT, 0.5, 1.0]
                    .map(|limit| vec![format!("{limit} deviations"), bound(limit)]),
            ))
            @for (what, columns) in [
                ("Constant before, and not any more", &means.newly_varying),
                ("Constant now, and not before", &means.newly_constant),
            ] {
                @if !columns.is_empty() {
                    p { (what) ": " code { (named(columns)) } "." }
                }
            }
        }
    }
}
