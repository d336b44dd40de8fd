//! The section about built and reserved cards.

use crate::report::page::numbers::{NOTHING, counted, grouped, round_up, share};
use crate::report::page::palette::Ink;
use crate::report::page::parts::{bar_cell, card, figure, key, section, table_of};
use crate::report::page::plot::{Axis, points};
use crate::report::{CardCounts, Report};
use crate::rules::{CARDS, CARDS_IN_BOX, Card, Level};
use crate::table::card_in_words;
use maud::{Markup, html};

/// Number of cards of a level that are visible initially, from each end.
const AT_EACH_END: usize = 4;

type Counted<'r> = (&'static Card, &'r CardCounts);

pub(in crate::report::page) fn cards(report: &Report) -> Markup {
    let tally = &report.tally.cards;
    let unknown = |number: u64, what: &str| match number {
        0 => String::new(),
        _ => format!(" The card of {} is unknown.", counted(number, what)),
    };
    let content = html! {
        p {
            "Shares are relative to the games in which the card was seen, on the table or \
             reserved, so that rare and frequent cards can be compared. A card that was \
             reserved from a deck is known only from the next row."
            (unknown(tally.unknown_builds, "build"))
            (unknown(tally.unknown_reservations, "reservation"))
        }
        div.cards.pairs {
            (built_against_reserved(report))
            @for level in Level::ALL { (of_level(report, level)) }
        }
    };
    section("cards", "Which cards are bought and reserved", &content)
}

/// The cards of a level, most built first; of a card with two printings, only those that were seen.
fn ranked(report: &Report, level: Level) -> Vec<Counted<'_>> {
    let all = CARDS.iter().zip(&report.tally.cards.cards).enumerate();
    let of_level = all.filter(|&(index, (card, counts))| {
        card.level == level && (index < CARDS_IN_BOX || counts.games_seen > 0)
    });
    let mut ranked: Vec<Counted<'_>> = of_level.map(|(_, counted)| counted).collect();
    // A stable sort: equal cards stay in the order of [`CARDS`].
    let rate = |&(_, counts): &Counted<'_>| ratio(counts.built(), counts.games_seen);
    ranked.sort_by(|a, b| rate(b).total_cmp(&rate(a)));
    ranked
}

fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole.max(1) as f64
}

fn built_against_reserved(report: &Report) -> Markup {
    let of = |level: Level| {
        let seen = ranked(report, level).into_iter().filter(|(_, counts)| counts.games_seen > 0);
        let at = |(card, counts): Counted<'_>| {
            let seen = counts.games_seen;
            (ratio(counts.built(), seen), ratio(counts.reserved(), seen), card_in_words(card))
        };
        (Ink::Series(level.index()), seen.map(at).collect::<Vec<_>>())
    };
    let groups = Level::ALL.map(of);
    let axis = |title, value: fn(&(f64, f64, String)) -> f64| {
        let all = groups.iter().flat_map(|(_, points)| points.iter().map(value));
        let end = round_up(all.fold(0.0, f64::max) * 1.02);
        Axis { range: 0.0..end, ..Axis::shares(title) }
    };
    let row = |(of, counts): Counted<'_>| {
        html! {
            th scope="row" { (card(of)) }
            td { (grouped(counts.games_seen)) }
            td { (grouped(counts.built())) }
            td { (grouped(counts.built_from_reserve)) }
            td { (grouped(counts.reserved())) }
            td { (grouped(counts.reserved_from_deck)) }
        }
    };
    figure(
        "Built versus reserved",
        "One ring per card. Cards on the right are built often, cards at the top are reserved \
         often, which players also do to get gold or to keep a card from others.",
        &key(&[
            (Ink::Series(0), "level 1"),
            (Ink::Series(1), "level 2"),
            (Ink::Series(2), "level 3"),
        ]),
        &points(
            "Cards by how often they are built and reserved",
            &groups,
            axis("built, of the games with the card", |at| at.0),
            &axis("reserved", |at| at.1),
        ),
        &table_of(
            &["card", "games", "built", "from a reserve", "reserved", "from a deck"],
            &[],
            Level::ALL.into_iter().flat_map(|level| ranked(report, level)).map(row),
        ),
    )
}

fn of_level(report: &Report, level: Level) -> Markup {
    let ranked = ranked(report, level);
    let row = |&(of, counts): &Counted<'_>| {
        let seen = counts.games_seen;
        html! {
            th scope="row" { (card(of)) }
            (bar_cell(ratio(counts.built(), seen), &share(counts.built(), seen), Ink::Series(0)))
            (bar_cell(ratio(counts.reserved(), seen), &share(counts.reserved(), seen), Ink::Series(1)))
        }
    };
    let head = ["card", "built", "reserved"];
    let last = &ranked[ranked.len() - AT_EACH_END..];
    let between = html! {
        th scope="row" { span.faint { (NOTHING) } }
        td {} td {}
    };
    let ends = ranked[..AT_EACH_END].iter().map(row).chain([between]).chain(last.iter().map(row));
    html! {
        div.box {
            h3 { "Level " (level.number()) ": most and least built" }
            p.what { "The square shows the bonus and the points, the circles show the cost." }
            (table_of(&head, &[], ends))
            details {
                summary { "All " (ranked.len()) " cards" }
                (table_of(&head, &[], ranked.iter().map(row)))
            }
        }
    }
}
