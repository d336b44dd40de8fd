//! How games go: points and actions by turn.

use super::games::by_players;
use super::numbers::{NOTHING, grouped, percent_tick, share, short, tick};
use super::palette::Ink;
use super::parts::{figure, key, players_in_words, players_key, section, table};
use super::plot::{Axis, Bar, Line, bars, lines};
use crate::gamelog::ActionType;
use crate::report::{Distribution, GamesTally, Report, TurnTally};
use crate::rules::{POINTS_TO_END, PlayerCount};
use maud::{Markup, html};

/// Turns that fewer than this share of the games reach are not drawn: what is left of the long
/// games says little about the others.
const REACHED: f64 = 0.05;

/// The turns that are drawn.
fn turns(games: &GamesTally) -> impl Iterator<Item = (i32, &TurnTally)> {
    let enough = REACHED * games.games as f64;
    let is_reached = move |tally: &TurnTally| tally.leader_points.total() as f64 >= enough;
    games
        .turns
        .iter()
        .map(|(&turn, tally)| (turn, tally))
        .filter(move |(_, tally)| is_reached(tally))
}

fn turn_axis(report: &Report) -> Axis<'static> {
    let ends = |(.., games): (usize, PlayerCount, &GamesTally)| {
        turns(games).map(|(turn, _)| f64::from(turn)).collect::<Vec<_>>()
    };
    let all: Vec<f64> = by_players(report).flat_map(ends).collect();
    let first = all.iter().copied().fold(f64::INFINITY, f64::min);
    let last = all.iter().copied().fold(0.0, f64::max);
    let first = if first.is_finite() { first } else { 0.0 };
    Axis { title: "turn", range: first..last.max(first + 1.0), tick }
}

pub(super) fn points(report: &Report) -> Markup {
    let x = turn_axis(report);
    let top = by_players(report)
        .flat_map(|(.., games)| {
            turns(games).filter_map(|(_, tally)| tally.leader_points.quantile(0.9))
        })
        .max();
    let top = (top.unwrap_or(0) as f64).max(f64::from(POINTS_TO_END)) + 1.0;
    let y = |title| Axis { title, range: 0.0..top, tick };
    let line = |points: fn(&TurnTally) -> &Distribution, with_band: bool| {
        let line = move |(place, _, games): (usize, PlayerCount, &GamesTally)| {
            let at = |(turn, tally): (i32, &TurnTally)| (f64::from(turn), points(tally).mean());
            let spread = |(turn, tally): (i32, &TurnTally)| {
                let ends = [0.1, 0.9].map(|share| points(tally).quantile(share).unwrap_or(0));
                (f64::from(turn), ends[0] as f64, ends[1] as f64)
            };
            let band = if with_band { turns(games).map(spread).collect() } else { Vec::new() };
            Line { ink: Ink::Series(place), points: turns(games).map(at).collect(), band }
        };
        by_players(report).map(line).collect::<Vec<Line>>()
    };
    let leaders = line(|tally| &tally.leader_points, true);
    let everyone = line(|tally| &tally.points, false);
    let content = html! {
        div.cards {
            (figure(
                "Points of the leader",
                "Mean at the beginning of a turn; the shade holds the middle four fifths of the \
                 games. Games that are over have left, so the right end is of the slow ones.",
                &players_key(),
                &lines("Points of the leader by turn", &leaders, &x, &y("points")),
                &points_table(report, |tally| &tally.leader_points),
            ))
            (figure(
                "Points of all players",
                "Mean over the players before they move, so the distance to the leader on the left \
                 is what the others lack.",
                &players_key(),
                &lines("Points of all players by turn", &everyone, &x, &y("points")),
                &points_table(report, |tally| &tally.points),
            ))
            (figure(
                "Games still going",
                "Share of the games that reach a turn. The other plots stop where fewer than one \
                 in twenty do.",
                &players_key(),
                &still_going(report, &x),
                &going_table(report),
            ))
        }
    };
    section("points", "How points grow", &content)
}

/// The turns of all numbers of players together, in order.
fn all_turns(report: &Report) -> Vec<i32> {
    let of = |(.., games): (usize, PlayerCount, &GamesTally)| -> Vec<i32> {
        turns(games).map(|(turn, _)| turn).collect()
    };
    let mut all: Vec<i32> = by_players(report).flat_map(of).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// A line for each turn, with a cell for each number of players.
fn by_turn(report: &Report, cell: impl Fn(&GamesTally, &TurnTally) -> String) -> Markup {
    let names: Vec<String> =
        by_players(report).map(|(_, count, _)| players_in_words(count)).collect();
    let head: Vec<&str> = ["turn"].into_iter().chain(names.iter().map(String::as_str)).collect();
    let rows = all_turns(report).into_iter().map(|turn| {
        let cells = by_players(report).map(|(.., games)| {
            games.turns.get(&turn).map_or(NOTHING.to_owned(), |tally| cell(games, tally))
        });
        [turn.to_string()].into_iter().chain(cells).collect::<Vec<_>>()
    });
    table(&head, rows)
}

fn points_table(report: &Report, points: fn(&TurnTally) -> &Distribution) -> Markup {
    by_turn(report, |_, tally| short(points(tally).mean()))
}

fn still_going(report: &Report, x: &Axis<'_>) -> Markup {
    let line = |(place, _, games): (usize, PlayerCount, &GamesTally)| {
        let at = |(turn, tally): (i32, &TurnTally)| {
            (f64::from(turn), tally.leader_points.total() as f64 / games.games as f64)
        };
        Line { ink: Ink::Series(place), points: turns(games).map(at).collect(), band: Vec::new() }
    };
    let y = Axis { title: "of the games", range: 0.0..1.0, tick: percent_tick };
    lines("Games still going by turn", &by_players(report).map(line).collect::<Vec<_>>(), x, &y)
}

fn going_table(report: &Report) -> Markup {
    by_turn(report, |games, tally| share(tally.leader_points.total(), games.games))
}

/// The four actions with their colours.
pub(super) fn actions_key() -> Markup {
    key(ActionType::ALL
        .into_iter()
        .enumerate()
        .map(|(place, action)| (Ink::Series(place), action.logged_name())))
}

/// Bars of all the same length, parted by action.
pub(super) fn action_bars(what: &str, counts: &[(String, Vec<u64>)]) -> Markup {
    let bar = |(name, counts): &(String, Vec<u64>)| {
        let all = counts.iter().sum::<u64>().max(1) as f64;
        let parts = counts.iter().enumerate();
        Bar {
            name: name.clone(),
            parts: parts.map(|(place, &rows)| (Ink::Series(place), rows as f64 / all)).collect(),
            note: String::new(),
            mark: None,
        }
    };
    let x = Axis { title: "of the moves", range: 0.0..1.0, tick: percent_tick };
    bars(what, &counts.iter().map(bar).collect::<Vec<_>>(), &x)
}

/// Shares of the actions in words, a line for each name.
pub(super) fn action_table(first: &str, counts: &[(String, Vec<u64>)]) -> Markup {
    let line = |(name, counts): &(String, Vec<u64>)| {
        let all = counts.iter().sum();
        let shares = counts.iter().map(|&rows| share(rows, all));
        [name.clone()].into_iter().chain(shares).chain([grouped(all)]).collect::<Vec<_>>()
    };
    let names = ActionType::ALL.map(ActionType::logged_name);
    let head: Vec<&str> = [first].into_iter().chain(names).chain(["moves"]).collect();
    table(&head, counts.iter().map(line))
}

pub(super) fn actions(report: &Report) -> Markup {
    let mut counts: Vec<(String, Vec<u64>)> = by_players(report)
        .map(|(_, count, games)| (players_in_words(count), games.actions.to_vec()))
        .collect();
    let all = (0..ActionType::ALL.len())
        .map(|action| counts.iter().map(|(_, counts)| counts[action]).sum())
        .collect();
    counts.push(("all".to_owned(), all));
    let x = turn_axis(report);
    let content = html! {
        div.cards.pairs {
            (figure(
                "Action mix",
                "What players do, as logged. It is the class balance of the action_type head: a \
                 model that always answers the most frequent action is right that often.",
                &actions_key(),
                &action_bars("Action mix by number of players", &counts),
                &action_table("games of", &counts),
            ))
            @for (_, count, games) in by_players(report) {
                (figure(
                    &format!("Through a game of {}", count.get()),
                    "Share of each action among the moves of a turn.",
                    &actions_key(),
                    &mix_by_turn(count, games, &x),
                    &mix_table(games),
                ))
            }
        }
    };
    section("actions", "What players do", &content)
}

fn mix_by_turn(count: PlayerCount, games: &GamesTally, x: &Axis<'_>) -> Markup {
    let line = |action: usize| {
        let at = |(turn, tally): (i32, &TurnTally)| {
            let moves = tally.actions.iter().sum::<u64>().max(1) as f64;
            (f64::from(turn), tally.actions[action] as f64 / moves)
        };
        Line { ink: Ink::Series(action), points: turns(games).map(at).collect(), band: Vec::new() }
    };
    let y = Axis { title: "of the moves", range: 0.0..1.0, tick: percent_tick };
    let what = format!("Action mix by turn, {}", players_in_words(count));
    lines(&what, &[0, 1, 2, 3].map(line), x, &y)
}

fn mix_table(games: &GamesTally) -> Markup {
    let line = |(turn, tally): (i32, &TurnTally)| (turn.to_string(), tally.actions.to_vec());
    action_table("turn", &turns(games).map(line).collect::<Vec<_>>())
}
