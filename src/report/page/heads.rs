//! What the heads may choose and what they choose; classes never seen; labels that are not legal.

use super::numbers::{NOTHING, counted, grouped, percent_tick, share, short, tick};
use super::palette::Ink;
use super::parts::{figure, round_up, section, table, table_of};
use super::plot::{Axis, Bar, bars, columns};
use crate::encode::{Head, REMOVALS};
use crate::report::{ClassTally, HeadTally, Report, class_in_words, never_occurs};
use maud::{Markup, html};

/// Classes listed by name where there are many.
const MOST_LISTED: usize = 30;

fn heads_of(report: &Report) -> impl Iterator<Item = (Head, &HeadTally)> {
    Head::ALL.into_iter().zip(&report.tally.heads)
}

pub(super) fn heads(report: &Report) -> Markup {
    let line = |(head, tally): (Head, &HeadTally)| {
        let rows = tally.rows;
        let choices = tally.legal_counts.iter().enumerate();
        let legal: u64 = choices.map(|(legal, &rows)| legal as u64 * rows).sum();
        let when_chosen: u64 = tally.classes.iter().map(|class| class.choices).sum();
        let forced = tally.legal_counts.get(1).copied().unwrap_or(0);
        vec![
            head.name().to_owned(),
            head.classes().to_string(),
            share(tally.chosen(), rows),
            short(legal as f64 / rows.max(1) as f64),
            match tally.chosen() {
                0 => NOTHING.to_owned(),
                chosen => short(when_chosen as f64 / chosen as f64),
            },
            share(forced, rows),
            grouped(tally.illegal),
        ]
    };
    let content = html! {
        p { "Each head of a network chooses among its legal classes, in the rows to which it applies. \
             Where the rows leave no choice, a right answer proves nothing." }
        div.box {
            (table(
                &["head", "classes", "applies to", "legal on average", "legal where it applies",
                  "just one legal", "not legal"],
                heads_of(report).map(line),
            ))
        }
        div.cards.pairs {
            @for (head, tally) in heads_of(report) {
                (choices(head, tally))
                (legal_counts(head, tally))
            }
        }
    };
    section("heads", "Legal moves and chosen classes", &content)
}

/// Classes of a head that are drawn as one bar.
struct Group {
    name: String,
    chosen: u64,
    by_chance: f64,
}

fn groups(head: Head, tally: &HeadTally) -> Vec<Group> {
    let all = tally.classes.iter().enumerate();
    if head != Head::GemsRemoved {
        let group = |(place, class): (usize, &ClassTally)| Group {
            name: short_name(head, place),
            chosen: class.chosen,
            by_chance: class.by_chance(),
        };
        return all.filter(|&(place, _)| !never_occurs(head, place)).map(group).collect();
    }
    // 84 bars tell less than four.
    let mut by_total: Vec<Group> = ["none", "1 gem", "2 gems", "3 gems"]
        .map(|name| Group { name: name.to_owned(), chosen: 0, by_chance: 0.0 })
        .into();
    for (place, class) in all {
        let group = &mut by_total[usize::from(REMOVALS[place].total())];
        group.chosen += class.chosen;
        group.by_chance += class.by_chance();
    }
    by_total
}

/// The class in words that fit beside a bar.
fn short_name(head: Head, class: usize) -> String {
    let words = class_in_words(head, class);
    match head {
        Head::CardReservation if class == 11 => "card 11 / deck 1".to_owned(),
        _ => words.replace("displayed card", "card").replace("reserved card", "reserve"),
    }
}

fn choices(head: Head, tally: &HeadTally) -> Markup {
    let labels = tally.chosen();
    let groups = groups(head, tally);
    let of_labels = |number: f64| number / labels.max(1) as f64;
    let bar = |group: &Group| Bar {
        name: group.name.clone(),
        parts: vec![(Ink::Series(0), of_labels(group.chosen as f64))],
        note: share(group.chosen, labels),
        mark: Some(of_labels(group.by_chance)),
    };
    let most = groups.iter().map(|group| of_labels(group.by_chance.max(group.chosen as f64)));
    let most = round_up(most.fold(0.0, f64::max).max(0.01)).min(1.0);
    let x = Axis { title: "of the rows it applies to", range: 0.0..most, tick: percent_tick };
    let key = html! {
        div.key {
            span { i style={ "background:" (Ink::Series(0).css()) } {} "chosen" }
            span { i.mark style={ "background:" (Ink::Text.css()) } {} "by chance among the legal" }
        }
    };
    let line = |(place, class): (usize, &ClassTally)| {
        let chance = class.by_chance();
        let times =
            if chance > 0.0 { short(class.chosen as f64 / chance) } else { NOTHING.to_owned() };
        vec![
            format!("{place}: {}", class_in_words(head, place)),
            grouped(class.legal),
            grouped(class.chosen),
            share(class.chosen, labels),
            times,
            class.mean_choices().map_or(NOTHING.to_owned(), short),
        ]
    };
    let what = match head {
        Head::GemsRemoved => "Gems given back, by how many. The table has each of the 84 classes.",
        Head::CardReservation => {
            "Class 11 is both the twelfth displayed card and the top of deck 1. A bar past its mark \
             is preferred, one short of it avoided."
        }
        _ => {
            "A bar past its mark is a class that is preferred to the others that were legal beside \
             it; one short of it is avoided."
        }
    };
    figure(
        head.name(),
        what,
        &key,
        &bars(
            &format!("Classes of {}", head.name()),
            &groups.iter().map(bar).collect::<Vec<_>>(),
            &x,
        ),
        &table(
            &[
                "class",
                "legal in",
                "chosen in",
                "of its labels",
                "times chance",
                "legal when chosen",
            ],
            tally.classes.iter().enumerate().map(line),
        ),
    )
}

fn legal_counts(head: Head, tally: &HeadTally) -> Markup {
    let last = tally.legal_counts.iter().rposition(|&rows| rows > 0).unwrap_or(0);
    let counts = &tally.legal_counts[..=last];
    let names: Vec<String> = (0..=last).map(|legal| legal.to_string()).collect();
    let heights: Vec<f64> = counts.iter().map(|&rows| rows as f64).collect();
    let most = counts.iter().max().copied().unwrap_or(0);
    let y = Axis { title: "rows", range: 0.0..round_up(most as f64), tick };
    let line = |(legal, &rows): (usize, &u64)| {
        vec![legal.to_string(), grouped(rows), share(rows, tally.rows)]
    };
    let what = match head {
        Head::GemsRemoved => "Rows by how many classes were legal; giving back nothing always is.",
        _ => "Rows by how many classes were legal; at 0 the head has no say, at 1 no choice.",
    };
    figure(
        &format!("{}: legal classes", head.name()),
        what,
        &html! {},
        &columns(
            &format!("Legal classes of {}", head.name()),
            &names,
            &[(Ink::Series(2), heights)],
            "legal classes",
            &y,
        ),
        &table(&["legal classes", "rows", "of all"], counts.iter().enumerate().map(line)),
    )
}

/// Classes that no row has as its label.
pub(super) fn unseen(report: &Report) -> Markup {
    let listed = |head: Head, classes: &[usize]| {
        let named = classes.iter().take(MOST_LISTED).map(|&class| match head {
            Head::GemTake2 | Head::ActionType => class_in_words(head, class),
            _ => format!("{class} ({})", class_in_words(head, class)),
        });
        let mut text = named.collect::<Vec<_>>().join("; ");
        if classes.len() > MOST_LISTED {
            text += &format!("; and {} more", classes.len() - MOST_LISTED);
        }
        text
    };
    let row = |(head, tally): (Head, &HeadTally)| {
        let can_occur = tally.never_chosen().filter(|&class| !never_occurs(head, class));
        let (legal, never): (Vec<usize>, Vec<usize>) =
            can_occur.partition(|&class| tally.classes[class].legal > 0);
        (head, legal, never)
    };
    let all: Vec<(Head, Vec<usize>, Vec<usize>)> = heads_of(report).map(row).collect();
    let counts = |(head, legal, never): &(Head, Vec<usize>, Vec<usize>)| {
        vec![head.name().to_owned(), legal.len().to_string(), never.len().to_string()]
    };
    let named = |what: &str, head: Head, classes: &[usize]| {
        html! {
            @if !classes.is_empty() {
                li { b { (head.name()) ", " (what) ": " } (listed(head, classes)) }
            }
        }
    };
    let content = html! {
        p { "Classes that are the label of no row. A network has nothing to learn them from; those that \
             are legal at times it may still be asked about. Two classes that can never occur are left \
             out: the empty set of gem_take3 and class 14 of card_reservation." }
        div.box {
            (table(&["head", "legal, never chosen", "never legal"], all.iter().map(counts)))
            ul.named {
                @for (head, legal, never) in &all {
                    (named("legal at times", *head, legal))
                    (named("never legal", *head, never))
                }
            }
        }
    };
    section("unseen", "Classes never seen", &content)
}

/// Labels that are not legal under their mask.
pub(super) fn illegal(report: &Report) -> Markup {
    let all: u64 = heads_of(report).map(|(_, tally)| tally.illegal).sum();
    let row = |(head, tally): (Head, &HeadTally)| {
        html! {
            th scope="row" { (head.name()) }
            td { (grouped(tally.chosen())) }
            td.alarm[tally.illegal > 0] { (grouped(tally.illegal)) }
            td { (share(tally.illegal, tally.chosen())) }
        }
    };
    let named = |(head, tally): (Head, &HeadTally)| {
        let first = tally.named.iter().map(|label| {
            let (game, turn, row) = (label.game_id, label.turn_number, label.row_in_game);
            format!("game {game}, turn {turn}, row {row} ({})", class_in_words(head, label.class))
        });
        let first: Vec<String> = first.collect();
        let more = tally.illegal - first.len() as u64;
        html! {
            @if !first.is_empty() {
                li {
                    b { (head.name()) ": " }
                    (first.join("; "))
                    @if more > 0 { "; and " (grouped(more)) " more" }
                }
            }
        }
    };
    let content = html! {
        p {
            @if all == 0 {
                "Every logged move is legal by the rules that made the masks."
            } @else {
                (counted(all, "label")) " would be masked out: with the class at minus infinity the loss \
                 is infinite, so leave these rows out of the head's loss. They are in the logs; a rule \
                 that differs between the engine and the masks shows here first."
            }
        }
        div.box {
            (table_of(
                &["head", "labels", "not legal", "of its labels"],
                &[],
                heads_of(report).map(row),
            ))
            ul.named { @for head in heads_of(report) { (named(head)) } }
        }
    };
    section("illegal", "Labels not legal under their masks", &content)
}
