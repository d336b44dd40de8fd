//! The section about points and actions by turn.

use crate::gamelog::ActionType;
use crate::report::page::numbers::{NOTHING, grouped, percent, share, short};
use crate::report::page::palette::Ink;
use crate::report::page::parts::{Group, figure, groups, key, players_key, section, table};
use crate::report::page::plot::{Axis, Bar, Line, X, bars, lines};
use crate::report::{ActionCounts, Distribution, GamesTally, Report, TurnTally};
use crate::rules::POINTS_TO_END;
use maud::{Markup, html};
use std::collections::BTreeSet;

/// Turns that fewer than this share of the games reach are not drawn, because they say little about most
/// games.
const REACHED: f64 = 0.05;

fn turns(games: &GamesTally) -> impl Iterator<Item = (i32, &TurnTally)> {
    let enough = REACHED * games.games as f64;
    let turns = games.turns.iter().map(|(&turn, tally)| (turn, tally));
    turns.filter(move |(_, tally)| tally.leader_points.total() as f64 >= enough)
}

fn all_turns(report: &Report) -> BTreeSet<i32> {
    groups(report).iter().flat_map(|group| turns(group.games).map(|(turn, _)| turn)).collect()
}

fn turn_axis(report: &Report) -> X<'static> {
    let all = all_turns(report);
    let end = |turn: Option<&i32>| turn.map_or(0.0, |&turn| f64::from(turn));
    let (first, last) = (end(all.first()), end(all.last()));
    X::Numbers(Axis::numbers("turn", first..last.max(first + 1.0)))
}

struct TurnPlot<'a> {
    title: &'a str,
    what: &'a str,
    y: Axis<'a>,
    value: fn(&GamesTally, &TurnTally) -> f64,
    /// The distribution whose 10th to 90th percentile is drawn as a band, if any.
    spread: Option<fn(&TurnTally) -> &Distribution>,
    cell: fn(f64) -> String,
}

impl TurnPlot<'_> {
    fn draw(&self, report: &Report) -> Markup {
        let line = |group: &Group<'_>| {
            let point = |(turn, tally)| (f64::from(turn), (self.value)(group.games, tally));
            let band = self.spread.map(|spread| {
                let band = |(turn, tally)| {
                    let end = |share| spread(tally).quantile(share).unwrap_or(0) as f64;
                    (f64::from(turn), end(0.1), end(0.9))
                };
                turns(group.games).map(band).collect()
            });
            let points = turns(group.games).map(point).collect();
            let line = Line::new(group.ink(), &group.name, points);
            Line { band: band.unwrap_or_default(), ..line }
        };
        let groups = groups(report);
        let drawn: Vec<Line> = groups.iter().map(line).collect();
        let mut head = vec!["turn"];
        head.extend(groups.iter().map(|group| group.name.as_str()));
        let rows = all_turns(report).into_iter().map(|turn| {
            let cell = |group: &Group<'_>| {
                let tally = group.games.turns.get(&turn);
                let value = tally.map(|tally| (self.value)(group.games, tally));
                value.map_or(NOTHING.to_owned(), self.cell)
            };
            [turn.to_string()].into_iter().chain(groups.iter().map(cell)).collect()
        });
        let plot = lines(&format!("{} by turn", self.title), &drawn, &turn_axis(report), &self.y);
        figure(self.title, self.what, &players_key(), &plot, &table(&head, rows))
    }
}

pub(in crate::report::page) fn points(report: &Report) -> Markup {
    let ends = groups(report).into_iter().flat_map(|group| {
        turns(group.games).filter_map(|(_, tally)| tally.leader_points.quantile(0.9))
    });
    let top = (ends.max().unwrap_or(0) as f64).max(f64::from(POINTS_TO_END)) + 1.0;
    let y = || Axis::numbers("points", 0.0..top);
    let plots = [
        TurnPlot {
            title: "Points of the leader",
            what: "Mean at the start of a turn; the band contains the middle 80 % of the games. \
                   Finished games are not counted, so the right end shows only long games.",
            y: y(),
            value: |_, tally| tally.leader_points.mean(),
            spread: Some(|tally| &tally.leader_points),
            cell: short,
        },
        TurnPlot {
            title: "Points of all players",
            what: "Mean over all players before their moves. The distance from the leader shows \
                   how far behind the others are.",
            y: y(),
            value: |_, tally| tally.points.mean(),
            spread: None,
            cell: short,
        },
        TurnPlot {
            title: "Games still running",
            what: "Share of the games that reach a turn. The other plots end where this falls \
                   below 5 %.",
            y: Axis::shares("of the games"),
            value: |games, tally| tally.leader_points.total() as f64 / games.games as f64,
            spread: None,
            cell: |share| percent(share, 1.0),
        },
    ];
    let content = html! { div.cards { @for plot in &plots { (plot.draw(report)) } } };
    section("points", "How points grow", &content)
}

pub(in crate::report::page) fn actions_key() -> Markup {
    let entry = |(action, name): (usize, ActionType)| (Ink::Series(action), name.logged_name());
    key(&ActionType::ALL.into_iter().enumerate().map(entry).collect::<Vec<_>>())
}

pub(in crate::report::page) fn action_bars(what: &str, counts: &[(String, Vec<u64>)]) -> Markup {
    let bar = |(name, counts): &(String, Vec<u64>)| {
        let all = counts.iter().sum::<u64>().max(1) as f64;
        let part = |(action, &rows): (usize, &u64)| (Ink::Series(action), rows as f64 / all);
        let names = ActionType::ALL.iter().zip(counts);
        let shares = names.map(|(action, &rows)| {
            format!("{} {}", action.logged_name(), percent(rows as f64, all))
        });
        let tip = shares.collect::<Vec<_>>().join(", ");
        Bar::new(name.clone(), counts.iter().enumerate().map(part).collect(), tip)
    };
    let drawn: Vec<Bar> = counts.iter().map(bar).collect();
    bars(what, &drawn, &Axis::shares("of the moves"))
}

/// A table of the shares of actions, with a row for each name.
pub(in crate::report::page) fn action_table(first: &str, counts: &[(String, Vec<u64>)]) -> Markup {
    let row = |(name, counts): &(String, Vec<u64>)| {
        let all = counts.iter().sum();
        let shares = counts.iter().map(|&rows| share(rows, all));
        [name.clone()].into_iter().chain(shares).chain([grouped(all)]).collect()
    };
    let names = ActionType::ALL.map(ActionType::logged_name);
    let head: Vec<&str> = [first].into_iter().chain(names).chain(["moves"]).collect();
    table(&head, counts.iter().map(row))
}

pub(in crate::report::page) fn actions(report: &Report) -> Markup {
    let groups = groups(report);
    let mut counts: Vec<(String, Vec<u64>)> =
        groups.iter().map(|group| (group.name.clone(), group.games.actions.to_vec())).collect();
    let mut all = ActionCounts::default();
    for group in &groups {
        all.iter_mut().zip(group.games.actions).for_each(|(sum, rows)| *sum += rows);
    }
    counts.push(("all".to_owned(), all.to_vec()));
    let x = turn_axis(report);
    let content = html! {
        div.cards.pairs {
            (figure(
                "Action mix",
                "Actions as logged. This is the class balance of the action_type head: a model \
                 that always predicts the most frequent action is correct in that share of the \
                 rows.",
                &actions_key(),
                &action_bars("Action mix by number of players", &counts),
                &action_table("games of", &counts),
            ))
            @for group in &groups { (actions_by_turn(group, &x)) }
        }
    };
    section("actions", "Actions of the players", &content)
}

fn actions_by_turn(group: &Group<'_>, x: &X<'_>) -> Markup {
    let line = |action: usize| {
        let point = |(turn, tally): (i32, &TurnTally)| {
            let moves = tally.actions.iter().sum::<u64>().max(1) as f64;
            (f64::from(turn), tally.actions[action] as f64 / moves)
        };
        let name = ActionType::ALL[action].logged_name();
        Line::new(Ink::Series(action), name, turns(group.games).map(point).collect())
    };
    let row = |(turn, tally): (i32, &TurnTally)| (turn.to_string(), tally.actions.to_vec());
    let rows: Vec<_> = turns(group.games).map(row).collect();
    figure(
        &format!("Actions by turn, {}", group.name),
        "Share of each action among the moves of a turn.",
        &actions_key(),
        &lines(
            &format!("Action mix by turn, {}", group.name),
            &[0, 1, 2, 3].map(line),
            x,
            &Axis::shares("of the moves"),
        ),
        &action_table("turn", &rows),
    )
}
