//! The section about wins by seat, card and noble.

use crate::report::page::numbers::{NOTHING, grouped, percent, share, short};
use crate::report::page::parts::{
    Group, card, figure, gems, groups, section, sortable, table, table_of,
};
use crate::report::page::plot::{Axis, Bar, bars};
use crate::report::{CardCounts, NobleCounts, Report, Wins, wilson};
use crate::rules::{CARDS, CARDS_IN_BOX, Card, NOBLES, Noble, PlayerCount};
use maud::{Markup, html};

pub(in crate::report::page) fn wins(report: &Report) -> Markup {
    let decided: u64 = report.tally.games.iter().map(|games| games.endings.won()).sum();
    let content = html! {
        p {
            "Only games with a winner are counted, no ties or unfinished games. Intervals are 95 % \
             Wilson intervals: in 19 of 20 corpora of this size, the interval contains the true \
             rate. "
            @if decided == 0 { "No game of this cache was replayed to its end." }
        }
        @if decided > 0 {
            (first_player(report))
            div.cards {
                @for group in groups(report) { (seats(&group)) }
            }
            div.cards.pairs { (winning_cards(report)) (winning_nobles(report)) }
        }
    };
    section("wins", "Wins", &content)
}

/// A seat's share of the decided games, with its interval.
fn seat_rate(group: &Group<'_>, seat: usize) -> (u64, f64, (f64, f64)) {
    let endings = &group.games.endings;
    let won = endings.won_by_seat[seat];
    (won, won as f64 / endings.won().max(1) as f64, wilson(won, endings.won()))
}

fn players(group: &Group<'_>) -> usize {
    PlayerCount::ALL[group.index].get().into()
}

/// For each number of players, whether the first player, and which other seats, win more or less than a
/// fair share.
fn first_player(report: &Report) -> Markup {
    let groups = groups(report);
    let decided = groups.iter().filter(|group| group.games.endings.won() > 0);
    let sentence = |group: &Group<'_>| {
        let (_, rate, (low, high)) = seat_rate(group, 0);
        let fair = 1.0 / players(group) as f64;
        let verdict = match () {
            () if low > fair => "more than",
            () if high < fair => "less than",
            () => "not significantly different from",
        };
        let others = group.games.endings.unfair_seats(players(group)).filter(|&(seat, _)| seat > 0);
        let others = others.map(|(seat, rate)| {
            let verdict = if rate > fair { "more" } else { "less" };
            format!(" Seat {seat} wins {}, {verdict} than that.", percent(rate, 1.0))
        });
        let first = format!(
            "In games of {}, the first player (seat 0) wins {} ({} to {}), {verdict} the fair \
             share of {}.",
            players(group),
            percent(rate, 1.0),
            percent(low, 1.0),
            percent(high, 1.0),
            percent(fair, 1.0)
        );
        first + &others.collect::<String>()
    };
    html! { ul { @for group in decided { li { (sentence(group)) } } } }
}

fn seats(group: &Group<'_>) -> Markup {
    let seats = 0..players(group);
    let fair = 1.0 / players(group) as f64;
    let range =
        |(low, high): (f64, f64)| format!("{} to {}", percent(low, 1.0), percent(high, 1.0));
    let bar = |seat: usize| {
        let (_, rate, interval) = seat_rate(group, seat);
        let tip = format!("wins {} ({})", percent(rate, 1.0), range(interval));
        let bar = Bar::new(format!("seat {seat}"), vec![(group.ink(), rate)], tip);
        Bar { mark: Some(fair), interval: Some(interval), ..bar.with_note(percent(rate, 1.0)) }
    };
    let row = |seat: usize| {
        let (won, rate, interval) = seat_rate(group, seat);
        let difference = format!("{:+.1} points", 100.0 * (rate - fair));
        vec![format!("seat {seat}"), grouped(won), percent(rate, 1.0), range(interval), difference]
    };
    let endings = &group.games.endings;
    let title = format!("Wins by seat, {}", group.name);
    figure(
        &title,
        &format!(
            "{} decided games, {} ties, {} unfinished. The vertical line is the fair share, the \
             horizontal line the 95 % interval.",
            grouped(endings.won()),
            grouped(endings.ties),
            grouped(endings.unfinished)
        ),
        &html! {},
        &bars(
            &title,
            &seats.clone().map(bar).collect::<Vec<_>>(),
            &Axis::shares("of decided games"),
        ),
        &table(&["seat", "wins", "of the games", "95 % interval", "above fair"], seats.map(row)),
    )
}

/// The rows of a table: name, count, and wins of the players.
fn ranked<'a>(
    head: [&str; 2],
    most: usize,
    all: impl Iterator<Item = (Markup, u64, &'a Wins)>,
) -> Markup {
    let all: Vec<(Markup, u64, &Wins)> = all.collect();
    let mut sum = Wins::default();
    for (_, _, wins) in &all {
        sum.merge(wins);
    }
    let mut rows: Vec<(f64, Markup)> = Vec::new();
    for (name, times, wins) in &all {
        let relative = wins.times(&sum);
        let (low, high) = wins.interval();
        let markup = html! {
            th scope="row" { (name) }
            td { (grouped(*times)) }
            td { (wins.rate().map_or(NOTHING.to_owned(), |rate| percent(rate, 1.0))) }
            td {
                @if wins.rate().is_some() { (percent(low, 1.0)) " to " (percent(high, 1.0)) }
                @else { (NOTHING) }
            }
            td { (relative.map_or(NOTHING.to_owned(), short)) }
        };
        rows.push((relative.unwrap_or(0.0), markup));
    }
    rows.sort_by(|a, b| b.0.total_cmp(&a.0));
    let head = [head[0], head[1], "won", "95 % interval", "times the average"];
    let rows: Vec<Markup> = rows.into_iter().map(|(_, row)| row).collect();
    html! {
        @if rows.len() <= most { (sortable(&head, &[], rows)) }
        @else {
            (table_of(&head, &[], rows.iter().take(most).cloned()))
            details {
                summary { "All " (rows.len()) }
                (sortable(&head, &[], rows))
            }
        }
    }
}

fn winning_cards(report: &Report) -> Markup {
    let all = CARDS.iter().zip(&report.tally.cards.cards).enumerate();
    let seen = all.filter(|(index, (_, counts))| *index < CARDS_IN_BOX || counts.games_seen > 0);
    let rows = seen.map(|(_, (of, counts)): (usize, (&Card, &CardCounts))| {
        (card(of), counts.built(), &counts.wins)
    });
    html! {
        div.box {
            h3 { "Winning cards" }
            p.what {
                "How often the players who built a card won. Winners build more cards, so the rate \
                 is compared with the average build in games with the same number of players: \
                 above 1, its builders win more often than those of other cards. This does not \
                 prove that the card helps to win."
            }
            (ranked(["card", "built"], 10, rows))
        }
    }
}

fn winning_nobles(report: &Report) -> Markup {
    let all = NOBLES.iter().zip(&report.tally.cards.nobles);
    let rows = all.map(|(noble, counts): (&Noble, &NobleCounts)| {
        (gems(&noble.requirement), counts.visits, &counts.wins)
    });
    let visits: u64 = report.tally.cards.nobles.iter().map(|counts| counts.visits).sum();
    let seen: u64 = report.tally.cards.nobles.iter().map(|counts| counts.games_seen).sum();
    html! {
        div.box {
            h3 { "Winning nobles" }
            p.what {
                "By requirement. Of the nobles on the tables of all games, "
                (share(visits, seen)) " visited a player."
            }
            (ranked(["noble", "visits"], 10, rows))
        }
    }
}
