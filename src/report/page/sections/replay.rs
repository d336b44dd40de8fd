//! The section about games that do not replay, and about endings.

use crate::gamelog::{Ending, ReplayFaultKind};
use crate::report::page::boards::link_if_shown;
use crate::report::page::numbers::{counted, grouped, share};
use crate::report::page::parts::{section, sortable, table};
use crate::report::{FaultyGame, Place, Report};
use crate::words::shown;
use maud::{Markup, html};

/// Limit on the games whose faults are listed.
const MAX_LISTED: usize = 100;

pub(in crate::report::page) fn replay(report: &Report) -> Markup {
    let cache = &report.cache;
    let faulty = &cache.does_not_replay;
    let replayed = cache.games - cache.not_replayed;
    let endings = Ending::ALL.iter().zip(cache.endings).map(|(ending, games)| {
        vec![ending.name().to_owned(), grouped(games), share(games, replayed)]
    });
    let more = faulty.len().saturating_sub(MAX_LISTED);
    let content = html! {
        p {
            "A game replays if each row follows from the previous row and its move by the rules. "
            @if replayed == 0 { "No game of this cache has been replayed yet." }
            @else if faulty.is_empty() { "All " (counted(replayed, "game")) " replay." }
            @else {
                (counted(replayed - faulty.len() as u64, "game")) " replay, " (grouped(faulty.len() as u64))
                " do not."
            }
            @if cache.not_replayed > 0 && replayed > 0 {
                " " (counted(cache.not_replayed, "game")) " from an older cache: not replayed yet."
            }
        }
        div.cards {
            div.box {
                h3 { "How games end" }
                p.what {
                    "An unfinished log ends before a player has 15 points at the end of a round, \
                     because a worker stopped or the number of rows was limited. In a tie the best \
                     players have the same points and number of cards."
                }
                (table(&["ending", "games", "of all"], endings))
            }
            @if !faulty.is_empty() { (kinds(faulty)) }
        }
        @if !faulty.is_empty() {
            div.box {
                h3 { "Games that do not replay" }
                p.what { "The first faulty row of each game. prep inspect GAME --row ROW shows it \
                          with the previous row." }
                (sortable(
                    &["game", "row", "log", "fault", "faulty rows"],
                    &[2, 3],
                    faulty.iter().take(MAX_LISTED).map(|game| row(report, game)),
                ))
                @if more > 0 {
                    p.what { "and " (counted(more as u64, "more game")) ": the view replay_faults of the \
                              cache lists all of them" }
                }
            }
        }
    };
    section("replay", "Games that replay", &content)
}

fn row(report: &Report, game: &FaultyGame) -> Markup {
    let first = game.faults.first();
    let line = first.map_or(String::new(), |fault| format!(":{}", fault.line));
    html! {
        th scope="row" { (game.game_id) }
        td {
            @if let Some(fault) = first {
                @let place = Place { game_id: game.game_id, row_in_game: fault.row };
                (link_if_shown(report, Some(place), &fault.row.to_string()))
            }
        }
        td.left.wrap { code { (shown(&game.source_path)) (line) } }
        td.left.wrap { @if let Some(fault) = first { (shown(&fault.to_string())) } }
        td { (grouped(game.fault_rows.into())) }
    }
}

/// The number of games by the kind of their first fault.
fn kinds(faulty: &[FaultyGame]) -> Markup {
    let games = |kind| {
        let first = faulty.iter().filter_map(|game| game.faults.first());
        first.filter(|fault| fault.kind == kind).count() as u64
    };
    let kinds = ReplayFaultKind::ALL.iter().map(|&kind| (kind, games(kind)));
    let row = |(kind, games): (ReplayFaultKind, u64)| {
        html! {
            th scope="row" { (kind.name()) }
            td.left.wrap { (kind.meaning()) }
            td { (grouped(games)) }
        }
    };
    html! {
        div.box {
            h3 { "First faults by kind" }
            (sortable(
                &["kind", "meaning", "games"],
                &[1],
                kinds.filter(|&(_, games)| games > 0).map(row),
            ))
        }
    }
}
