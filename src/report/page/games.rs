//! Games and rows, by players and by night; logs that were refused.

use super::numbers::{NOTHING, bytes_in_words, counted, grouped, share, short, tick};
use super::palette::Ink;
use super::parts::{figure, players_in_words, players_key, round_up, section, table};
use super::plot::{Axis, Bar, Line, bars, columns, lines};
use crate::report::{Distribution, GamesTally, Night, Report};
use crate::rules::PlayerCount;
use maud::{Markup, html};

/// Refused logs that are listed.
const MOST_REFUSED: usize = 50;

/// Bins of a histogram of lengths, at most. By turns, not by rows: those come in multiples of the
/// players, and bins of any other width would draw humps that are not there.
const MOST_BINS: i64 = 60;

/// Games with their number of players, where there are any.
pub(super) fn by_players(
    report: &Report,
) -> impl Iterator<Item = (usize, PlayerCount, &GamesTally)> {
    let all = PlayerCount::ALL.into_iter().zip(&report.tally.games).enumerate();
    all.filter(|(_, (_, games))| games.games > 0)
        .map(|(place, (count, games))| (place, count, games))
}

pub(super) fn games(report: &Report) -> Markup {
    let content = html! {
        div.cards { (rows_by_players(report)) (by_night(report)) (lengths(report)) }
        (length_table(report))
    };
    section("games", "Games and rows", &content)
}

fn rows_by_players(report: &Report) -> Markup {
    let (games, rows) = (report.cache.games, report.tally.rows());
    let bar = |(place, count, tally): (usize, PlayerCount, &GamesTally)| Bar {
        name: players_in_words(count),
        parts: vec![(Ink::Series(place), tally.rows as f64)],
        note: share(tally.rows, rows),
        mark: None,
    };
    let all: Vec<Bar> = by_players(report).map(bar).collect();
    let most = by_players(report).map(|(.., tally)| tally.rows).max().unwrap_or(0);
    let x = Axis { title: "rows", range: 0.0..round_up(most as f64), tick };
    let line = |(_, count, tally): (usize, PlayerCount, &GamesTally)| {
        vec![
            count.get().to_string(),
            grouped(tally.games),
            share(tally.games, games),
            grouped(tally.rows),
            share(tally.rows, rows),
        ]
    };
    let sum = vec![
        "all".to_owned(),
        grouped(games),
        share(games, games),
        grouped(rows),
        share(rows, rows),
    ];
    figure(
        "Rows by number of players",
        "A row is one move. Longer games give more rows: a model sees the kinds of game in these \
         shares, not in those of the games.",
        &html! {},
        &bars("Rows by number of players", &all, &x),
        &table(
            &["players", "games", "of all", "rows", "of all"],
            by_players(report).map(line).chain([sum]),
        ),
    )
}

fn by_night(report: &Report) -> Markup {
    // The year stands in the table.
    let names: Vec<String> =
        report.nights.keys().map(|day| day.get(5..).unwrap_or(day).to_owned()).collect();
    let nights = || report.nights.values();
    let part = |place: usize| {
        (Ink::Series(place), nights().map(|night| night.games[place] as f64).collect())
    };
    let most = nights().map(|night| night.games.iter().sum::<u64>()).max().unwrap_or(0);
    let y = Axis { title: "games", range: 0.0..round_up(most as f64), tick };
    let line = |(day, night): (&String, &Night)| {
        let [two, three, four] = night.games.map(grouped);
        let rows = grouped(night.rows.iter().sum());
        vec![day.clone(), two, three, four, grouped(night.games.iter().sum()), rows]
    };
    figure(
        "Games by night",
        "By the day (UTC) on which a game was last encoded. After a change of the encoder that is \
         one day for all of them.",
        &players_key(),
        &columns("Games by night", &names, &[part(0), part(1), part(2)], "month and day", &y),
        &table(
            &["night", "2 players", "3 players", "4 players", "games", "rows"],
            report.nights.iter().rev().map(line),
        ),
    )
}

fn lengths(report: &Report) -> Markup {
    let shortest = by_players(report).filter_map(|(.., games)| games.last_turns.min()).min();
    let longest = by_players(report).filter_map(|(.., games)| games.last_turns.max()).max();
    let (shortest, longest) = (shortest.unwrap_or(0), longest.unwrap_or(0));
    let width = ((longest - shortest) / MOST_BINS + 1).max(1);
    let first = shortest / width;
    let bins = (longest / width - first + 1) as usize;
    let binned = |turns: &Distribution| {
        let mut counts = vec![0; bins];
        turns.iter().for_each(|(turn, games)| counts[(turn / width - first) as usize] += games);
        counts
    };
    let middle = |bin: usize| ((first + bin as i64) * width) as f64 + width as f64 / 2.0;
    let all: Vec<(usize, PlayerCount, Vec<u64>)> = by_players(report)
        .map(|(place, count, games)| (place, count, binned(&games.last_turns)))
        .collect();
    let line = |(place, _, counts): &(usize, PlayerCount, Vec<u64>)| {
        let points: Vec<(f64, f64)> =
            counts.iter().enumerate().map(|(bin, &games)| (middle(bin), games as f64)).collect();
        let band = points.iter().map(|&(x, y)| (x, 0.0, y)).collect();
        Line { ink: Ink::Series(*place), points, band }
    };
    let most = all.iter().flat_map(|(.., counts)| counts).max().copied().unwrap_or(0);
    let range = (first * width) as f64..((first + bins as i64) * width) as f64;
    let x = Axis { title: "last turn", range, tick };
    let y = Axis { title: "games", range: 0.0..round_up(most as f64), tick };
    let of_bin = |bin: usize| {
        let from = (first + bin as i64) * width;
        let name =
            if width == 1 { from.to_string() } else { format!("{from} to {}", from + width - 1) };
        [name].into_iter().chain(all.iter().map(|(.., counts)| grouped(counts[bin]))).collect()
    };
    let head: Vec<String> = all.iter().map(|(_, count, _)| players_in_words(*count)).collect();
    let head: Vec<&str> =
        ["last turn"].into_iter().chain(head.iter().map(String::as_str)).collect();
    let drawn: Vec<Line> = all.iter().map(line).collect();
    figure(
        "Game lengths",
        "Games by their last turn, in which each player moves once. A few very short games are often \
         logs of games that were stopped.",
        &players_key(),
        &lines("Game lengths", &drawn, &x, &y),
        &table(&head, (0..bins).map(of_bin)),
    )
}

fn length_table(report: &Report) -> Markup {
    let number = |value: Option<i64>| value.map_or(NOTHING.to_owned(), |value| value.to_string());
    let line = |(_, count, games): (usize, PlayerCount, &GamesTally)| {
        let (lengths, turns) = (&games.lengths, &games.last_turns);
        vec![
            players_in_words(count),
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
    html! {
        div.box {
            h3 { "Rows of a game" }
            p.what { "Each player moves once in a turn; a game's rows are its moves." }
            (table(
                &["games of", "fewest", "5th percentile", "median", "mean", "95th percentile", "most",
                  "median of turns", "most turns"],
                by_players(report).map(line),
            ))
        }
    }
}

/// Logs that did not go in, if there are any.
pub(super) fn refused(report: &Report) -> Option<Markup> {
    let cache = &report.cache;
    if cache.refusals.is_empty() {
        return None;
    }
    let line = |refusal: &crate::cache::Refusal| {
        let state = match (refusal.set_aside, cache.from_an_older_log.contains(&refusal.game_id)) {
            (false, false) => "refused",
            (false, true) => "refused; an older version is in",
            (true, false) => "set aside",
            (true, true) => "set aside; an older version is in",
        };
        html! {
            li { "game " (refusal.game_id) ", " (state) ": " (refusal.message) }
        }
    };
    let listed = cache.refusals.iter().take(MOST_REFUSED).map(line);
    let more = cache.refusals.len().saturating_sub(MOST_REFUSED);
    let content = html! {
        p { "Logs that the last ingest could not take in. A log that was set aside was still being \
             written, and is tried again." }
        div.box {
            ul.named { @for line in listed { (line) } }
            @if more > 0 {
                p.what { "and " (counted(more as u64, "more log")) ": prep status lists all" }
            }
        }
    };
    Some(section("refused", "Refused logs", &content))
}

/// The numbers at the top.
pub(super) fn tiles(report: &Report) -> Markup {
    let cache = &report.cache;
    let tile = |number: &str, what: &str| html! { div.tile { b { (number) } span { (what) } } };
    let illegal: u64 = report.tally.heads.iter().map(|head| head.illegal).sum();
    let nights = report.nights.len() as u64;
    html! {
        div.tiles {
            (tile(&grouped(cache.games), if cache.games == 1 { "game" } else { "games" }))
            (tile(&grouped(report.tally.rows()), "rows"))
            (tile(&grouped(nights), if nights == 1 { "night" } else { "nights" }))
            (tile(&grouped(cache.refusals.len() as u64), "logs not taken in"))
            (tile(&grouped(illegal), "labels not legal"))
            (tile(&bytes_in_words(cache.log_bytes), "of logs"))
            (tile(&bytes_in_words(cache.packed_bytes), "of packed rows"))
        }
    }
}
