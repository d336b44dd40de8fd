//! The section about changes over time.

use super::play::{action_table, actions_key};
use crate::cache::IngestLine;
use crate::gamelog::ActionType;
use crate::report::page::numbers::{
    NOTHING, counted, grouped, percent, round_up, share, shift, short,
};
use crate::report::page::palette::Ink;
use crate::report::page::parts::{
    column_name, figure, key, player_names, players_key, section, table, table_of,
};
use crate::report::page::plot::{Axis, Line, X, columns, lines};
use crate::report::{LARGE_DRIFT, Period, Report, Timeline};
use crate::rules::PlayerCount;
use crate::words::shown;
use maud::{Markup, html};

/// Limit on the listed ingests.
const MAX_INGESTS: usize = 60;

/// A value of a period, for each number of players.
type ByPlayers = fn(&Period, usize) -> Option<f64>;

pub(in crate::report::page) fn time(report: &Report) -> Markup {
    let timeline = &report.timeline;
    let names: Vec<String> =
        timeline.periods.iter().map(|period| short_name(timeline, period)).collect();
    let title = if timeline.by_night { "month and day" } else { "game ids" };
    let x = X::Names { title, names: &names, mark: timeline.exported_until };
    let seat_0: ByPlayers = |period, players| {
        let endings = &period.endings[players];
        ratio(endings.won_by_seat[0], endings.won())
    };
    let turns: ByPlayers = |period, players| ratio(period.turns[players], period.games[players]);
    let content = html! {
        p {
            @if timeline.by_night {
                "By the day (UTC) on which a game was last encoded. After a change of the encoder, \
                 this is the same day for all games."
            } @else {
                "All games were encoded on the same day, so they are shown by game id instead, in \
                 groups of equal size."
            }
            @if let Some(last) = timeline.exported_until.and_then(|place| timeline.periods.get(place)) {
                " The vertical line marks the end of the export: its last games are from "
                (shown(&last.name)) "."
            }
        }
        div.cards {
            (games(timeline, &x))
            (by_players(timeline, &x, "Game lengths over time", "Mean of the last turn. Each \
            player moves once per \
            turn.", turns, short, |most| Axis::numbers("turns", 0.0..round_up(most))))
            (by_players(timeline, &x, "Wins of seat 0 over time", "Share of the games with a \
            winner. With few games, it varies strongly by \
            chance.", seat_0, |share| percent(share, 1.0),
                |_| Axis::shares("of decided games")))
            (action_mix(timeline, &x))
            (faults(timeline, &x))
            (drift(timeline, &x))
        }
        (ingests(report))
    };
    section("time", "Over time", &content)
}

/// Without the year, which is in the tables.
fn short_name(timeline: &Timeline, period: &Period) -> String {
    let short =
        if timeline.by_night { period.name.get(5..) } else { period.name.split(' ').next() };
    shown(short.unwrap_or(&period.name)).to_string()
}

fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

fn period_name(period: &Period) -> String {
    shown(&period.name).to_string()
}

fn first_head(timeline: &Timeline) -> &'static str {
    if timeline.by_night { "night" } else { "game ids" }
}

/// The points of a line, for the periods with a value.
fn points(timeline: &Timeline, value: impl Fn(&Period) -> Option<f64>) -> Vec<(f64, f64)> {
    let all = timeline.periods.iter().enumerate();
    all.filter_map(|(place, period)| Some((place as f64 + 0.5, value(period)?))).collect()
}

fn games(timeline: &Timeline, x: &X<'_>) -> Markup {
    let names = player_names();
    let part = |players: usize| {
        let games = timeline.periods.iter().map(|period| period.games[players] as f64);
        (Ink::Series(players), names[players].as_str(), games.collect())
    };
    let row = |period: &Period| {
        let by_players = period.games.map(grouped);
        let sums = [grouped(period.all_games()), grouped(period.rows.iter().sum())];
        [period_name(period)].into_iter().chain(by_players).chain(sums).collect()
    };
    let most = timeline.periods.iter().map(Period::all_games).max().unwrap_or(0);
    let what = "Games that are still in the cache.";
    figure(
        if timeline.by_night { "Games by night" } else { "Games by game id" },
        what,
        &players_key(),
        &columns("Games over time", x, &[part(0), part(1), part(2)], &Axis::counts("games", most)),
        &table(
            &[first_head(timeline), "2 players", "3 players", "4 players", "games", "rows"],
            timeline.periods.iter().map(row),
        ),
    )
}

/// A line for each number of players.
fn by_players(
    timeline: &Timeline,
    x: &X<'_>,
    title: &str,
    what: &str,
    value: ByPlayers,
    cell: fn(f64) -> String,
    axis: fn(f64) -> Axis<'static>,
) -> Markup {
    let names = player_names();
    let line = |players: usize| {
        let points = points(timeline, |period| value(period, players));
        Line::new(Ink::Series(players), &names[players], points)
    };
    let drawn: Vec<Line> = (0..PlayerCount::ALL.len()).map(line).collect();
    let most = drawn.iter().flat_map(|line| line.points.iter().map(|point| point.1));
    let row = |period: &Period| {
        let cells = (0..PlayerCount::ALL.len())
            .map(|players| value(period, players).map_or(NOTHING.to_owned(), cell));
        [period_name(period)].into_iter().chain(cells).collect()
    };
    let [two, three, four] = &names;
    figure(
        title,
        what,
        &players_key(),
        &lines(title, &drawn, x, &axis(most.fold(0.0, f64::max))),
        &table(&[first_head(timeline), two, three, four], timeline.periods.iter().map(row)),
    )
}

fn action_mix(timeline: &Timeline, x: &X<'_>) -> Markup {
    let line = |(action, kind): (usize, ActionType)| {
        let points =
            points(timeline, |period| ratio(period.actions[action], period.actions.iter().sum()));
        Line::new(Ink::Series(action), kind.logged_name(), points)
    };
    let lines_drawn: Vec<Line> = ActionType::ALL.into_iter().enumerate().map(line).collect();
    let rows: Vec<(String, Vec<u64>)> = timeline
        .periods
        .iter()
        .map(|period| (period_name(period), period.actions.to_vec()))
        .collect();
    figure(
        "Action mix over time",
        "Share of each action among all moves.",
        &actions_key(),
        &lines("Action mix over time", &lines_drawn, x, &Axis::shares("of the moves")),
        &action_table(first_head(timeline), &rows),
    )
}

fn faults(timeline: &Timeline, x: &X<'_>) -> Markup {
    let unfinished =
        |period: &Period| period.endings.iter().map(|endings| endings.unfinished).sum::<u64>();
    let faulty = points(timeline, |period| ratio(period.does_not_replay, period.replayed));
    let early = points(timeline, |period| ratio(unfinished(period), period.replayed));
    let most = faulty.iter().chain(&early).map(|point| point.1).fold(0.0, f64::max);
    let drawn = [
        Line::new(Ink::Alarm, "does not replay", faulty),
        Line::new(Ink::Series(0), "unfinished", early),
    ];
    let row = |period: &Period| {
        vec![
            period_name(period),
            grouped(period.replayed),
            grouped(period.does_not_replay),
            share(period.does_not_replay, period.replayed),
            grouped(unfinished(period)),
        ]
    };
    figure(
        "Games that do not replay, over time",
        "Share of the replayed games. It increases when workers crash.",
        &key(&[(Ink::Alarm, "does not replay"), (Ink::Series(0), "unfinished")]),
        &if most == 0.0 {
            html! { p { "None." } }
        } else {
            lines(
                "Games that do not replay or are unfinished, over time",
                &drawn,
                x,
                &Axis {
                    range: 0.0..round_up(most.max(0.01)).min(1.0),
                    ..Axis::shares("of the games")
                },
            )
        },
        &table(
            &[first_head(timeline), "replayed", "do not replay", "of these", "unfinished"],
            timeline.periods.iter().map(row),
        ),
    )
}

fn drift(timeline: &Timeline, x: &X<'_>) -> Markup {
    let heights: Vec<f64> = timeline
        .periods
        .iter()
        .map(|period| period.drift.as_ref().map_or(0.0, |drift| drift.columns as f64))
        .collect();
    let most = heights.iter().copied().fold(0.0, f64::max) as u64;
    let row = |period: &Period| {
        let drift = period.drift.as_ref();
        html! {
            th scope="row" { (period_name(period)) }
            td { (drift.map_or(NOTHING.to_owned(), |drift| grouped(drift.columns))) }
            td.left.wrap { @if let Some(drift) = drift { (column_name(drift.column)) } }
            td {
                (drift.map_or(NOTHING.to_owned(), |drift| shift(drift.mean_shift)))
            }
        }
    };
    figure(
        "Drift over time",
        &format!(
            "Normalized columns whose mean differs by more than {LARGE_DRIFT} standard deviations, \
             and by more than chance explains, from that of all earlier games with the same number \
             of players. A single high bar shows when the data changed."
        ),
        &html! {},
        &if most == 0 {
            html! { p { "None." } }
        } else {
            columns(
                "Columns with drift, over time",
                x,
                &[(Ink::Series(3), "columns with drift", heights)],
                &Axis::counts("columns", most),
            )
        },
        &table_of(
            &[first_head(timeline), "moved", "largest drift", "in standard deviations"],
            &[2],
            timeline.periods.iter().map(row),
        ),
    )
}

fn ingests(report: &Report) -> Markup {
    if report.ingests.is_empty() {
        return html! {};
    }
    let row = |line: &IngestLine| {
        let mut cells = vec![shown(&line.started_at).to_string(), grouped(line.logs_found)];
        let Some(done) = &line.done else {
            cells.push("did not finish".to_owned());
            cells.extend([NOTHING; 9].map(str::to_owned));
            return cells;
        };
        let games = |name: &str| done.games.get(name).copied().unwrap_or(0);
        let again = ["encoder_changed", "schema_changed", "repair_changed", "damaged"].map(games);
        cells.push(format!("{:.1}", done.seconds));
        cells.extend(
            [
                games("new"),
                games("bytes_changed"),
                again.iter().sum(),
                games("refused"),
                games("deferred"),
                games("deleted"),
                done.encoded_rows,
                done.cached_games,
                done.cached_rows,
            ]
            .map(grouped),
        );
        cells
    };
    let head = [
        "began (UTC)",
        "logs",
        "seconds",
        "new",
        "changed",
        "encoded again",
        "refused",
        "deferred",
        "deleted",
        "rows encoded",
        "games",
        "rows",
    ];
    let more = report.ingests.len().saturating_sub(MAX_INGESTS);
    html! {
        div.box.wide {
            h3 { "Ingests, newest first" }
            p.what {
                "Ingests that changed the cache; games and rows at the right are the \
                 totals of the cache afterwards. Games are encoded again after a change of the \
                 encoder or the options."
            }
            (table(&head, report.ingests.iter().rev().take(MAX_INGESTS).map(row)))
            @if more > 0 {
                p.what { "and " (counted(more as u64, "older one")) ": the table ingests of the cache" }
            }
        }
    }
}
