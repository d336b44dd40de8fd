//! The section about games and rows by number of players, game lengths, and refused logs.

use crate::cache::Refusal;
use crate::report::page::numbers::{bytes_in_words, counted, grouped, number, share, short};
use crate::report::page::parts::{Group, figure, groups, players_key, section, table};
use crate::report::page::plot::{Axis, Bar, Line, X, bars, lines};
use crate::report::{Distribution, Report};
use maud::{Markup, html};

/// Limit on the listed refused logs.
const MAX_REFUSED: usize = 50;

/// Limit on the bins of the histogram of lengths. Lengths are in turns, because numbers of rows are
/// multiples of the number of players, which would cause artifacts.
const MAX_BINS: i64 = 60;

pub(in crate::report::page) fn games(report: &Report) -> Markup {
    let content = html! {
        div.cards { (rows_by_players(report)) (lengths(report)) }
        (length_table(report))
    };
    section("games", "Games and rows", &content)
}

fn rows_by_players(report: &Report) -> Markup {
    let (all_games, all_rows) = (report.cache.games, report.tally.rows());
    let groups = groups(report);
    let bar = |group: &Group<'_>| {
        let rows = group.games.rows;
        let tip = counted(rows, "row");
        Bar::new(&group.name, vec![(group.ink(), rows as f64)], tip)
            .with_note(share(rows, all_rows))
    };
    let row = |name: &str, games: u64, rows: u64| {
        let (share_of_games, share_of_rows) = (share(games, all_games), share(rows, all_rows));
        vec![name.to_owned(), grouped(games), share_of_games, grouped(rows), share_of_rows]
    };
    let most = groups.iter().map(|group| group.games.rows).max().unwrap_or(0);
    let rows = groups.iter().map(|group| row(&group.name, group.games.games, group.games.rows));
    figure(
        "Rows by number of players",
        "A row is one move. Longer games have more rows, so these shares, not those of games, are \
         what a model sees.",
        &html! {},
        &bars(
            "Rows by number of players",
            &groups.iter().map(bar).collect::<Vec<_>>(),
            &Axis::counts("rows", most),
        ),
        &table(
            &["games of", "games", "of all", "rows", "of all"],
            rows.chain([row("all", all_games, all_rows)]),
        ),
    )
}

fn lengths(report: &Report) -> Markup {
    let groups = groups(report);
    let turns = || groups.iter().map(|group| &group.games.last_turns);
    let shortest = turns().filter_map(Distribution::min).min().unwrap_or(0);
    let longest = turns().filter_map(Distribution::max).max().unwrap_or(0);
    let width = (longest - shortest) / MAX_BINS + 1;
    let first = shortest / width;
    let bins = (longest / width - first + 1) as usize;
    let start = |bin: usize| (first + bin as i64) * width;
    let binned = |turns: &Distribution| {
        let mut counts = vec![0; bins];
        turns.iter().for_each(|(turn, games)| counts[(turn / width - first) as usize] += games);
        counts
    };
    let counts: Vec<Vec<u64>> = turns().map(binned).collect();
    let line = |(group, counts): (&Group<'_>, &Vec<u64>)| {
        let middle = |bin: usize| start(bin) as f64 + width as f64 / 2.0;
        let points: Vec<(f64, f64)> =
            counts.iter().enumerate().map(|(bin, &games)| (middle(bin), games as f64)).collect();
        let band = points.iter().map(|&(x, y)| (x, 0.0, y)).collect();
        Line { band, ..Line::new(group.ink(), &group.name, points) }
    };
    let row = |bin: usize| {
        let turns = match width {
            1 => start(bin).to_string(),
            _ => format!("{} to {}", start(bin), start(bin + 1) - 1),
        };
        [turns].into_iter().chain(counts.iter().map(|counts| grouped(counts[bin]))).collect()
    };
    let mut head = vec!["last turn"];
    head.extend(groups.iter().map(|group| group.name.as_str()));
    figure(
        "Game lengths",
        "Games by their last turn; each player moves once per turn. Very short games are often \
         logs of games that were stopped.",
        &players_key(),
        &lines(
            "Game lengths",
            &groups.iter().zip(&counts).map(line).collect::<Vec<_>>(),
            &X::Numbers(Axis::numbers("last turn", start(0) as f64..start(bins) as f64)),
            &Axis::counts("games", counts.iter().flatten().max().copied().unwrap_or(0)),
        ),
        &table(&head, (0..bins).map(row)),
    )
}

fn length_table(report: &Report) -> Markup {
    let row = |group: &Group<'_>| {
        let (lengths, turns) = (&group.games.lengths, &group.games.last_turns);
        vec![
            group.name.clone(),
            number(lengths.min()),
            number(lengths.quantile(0.05)),
            number(lengths.quantile(0.5)),
            short(lengths.mean()),
            number(lengths.quantile(0.95)),
            number(lengths.max()),
            number(turns.quantile(0.5)),
            number(turns.max()),
        ]
    };
    let head = [
        "games of",
        "min",
        "5th percentile",
        "median",
        "mean",
        "95th percentile",
        "max",
        "median of turns",
        "max turns",
    ];
    html! {
        div.box {
            h3 { "Rows of a game" }
            p.what { "Each player moves once per turn; a game has one row for each move." }
            (table(&head, groups(report).iter().map(row)))
        }
    }
}

/// Refused and deferred logs of the last ingest, if there are any.
pub(in crate::report::page) fn refused(report: &Report) -> Option<Markup> {
    let cache = &report.cache;
    if cache.refusals.is_empty() {
        return None;
    }
    let state = |refusal: &Refusal| {
        let state = if refusal.deferred { "deferred" } else { "refused" };
        match cache.from_an_older_log.contains(&refusal.game_id) {
            true => format!("{state}; the cache has an older version"),
            false => state.to_owned(),
        }
    };
    let more = cache.refusals.len().saturating_sub(MAX_REFUSED);
    let content = html! {
        p { "Logs that the last ingest refused or deferred. A deferred log was still being \
             written; the next ingest reads it again." }
        div.box {
            ul.named {
                @for refusal in cache.refusals.iter().take(MAX_REFUSED) {
                    li { "game " (refusal.game_id) ", " (state(refusal)) ": " (refusal.message) }
                }
            }
            @if more > 0 {
                p.what { "and " (counted(more as u64, "more log")) ": prep status lists all of them" }
            }
        }
    };
    Some(section("refused", "Refused logs", &content))
}

/// The numbers at the top.
pub(in crate::report::page) fn tiles(report: &Report) -> Markup {
    let cache = &report.cache;
    let plural = |number: u64, one, many| (grouped(number), if number == 1 { one } else { many });
    let illegal: u64 = report.tally.heads.iter().map(|head| head.illegal).sum();
    let tiles = [
        plural(cache.games, "game", "games"),
        (grouped(report.tally.rows()), "rows"),
        plural(report.timeline.nights.len() as u64, "night", "nights"),
        (grouped(cache.refusals.len() as u64), "refused or deferred logs"),
        (grouped(cache.does_not_replay.len() as u64), "games do not replay"),
        (grouped(illegal), "illegal labels"),
        (bytes_in_words(cache.log_bytes), "of logs"),
        (bytes_in_words(cache.packed_bytes), "of compressed rows"),
    ];
    html! {
        div.tiles {
            @for (number, what) in &tiles { div.tile { b { (number) } span { (what) } } }
        }
    }
}
