//! The sections about legal and chosen classes of each head, classes that never occur, and illegal labels.

use crate::encode::{Head, REMOVALS};
use crate::report::page::boards::{link, link_if_shown, place_in_words};
use crate::report::page::numbers::{NOTHING, counted, grouped, percent, round_up, share, short};
use crate::report::page::palette::Ink;
use crate::report::page::parts::{figure, names_in_short, section, sortable, table, table_of};
use crate::report::page::plot::{Axis, Bar, X, bars, columns};
use crate::report::{
    ClassTally, HeadTally, IllegalLabel, Place, RARE_CLASS, Report, class_in_words, never_occurs,
};
use maud::{Markup, html};

/// Limit on the listed classes.
const MAX_LISTED: usize = 30;

fn heads_of(report: &Report) -> impl Iterator<Item = (Head, &HeadTally)> {
    Head::ALL.into_iter().zip(&report.tally.heads)
}

pub(in crate::report::page) fn heads(report: &Report) -> Markup {
    let row = |(head, tally): (Head, &HeadTally)| {
        let rows = tally.rows;
        let by_legal = tally.legal_counts.iter().enumerate();
        let legal: u64 = by_legal.map(|(legal, &rows)| legal as u64 * rows).sum();
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
    let head = [
        "head",
        "classes",
        "applies to",
        "mean of legal classes",
        "mean where it applies",
        "one legal class",
        "illegal",
    ];
    let content = html! {
        p { "In the rows to which it applies, each head of a network chooses among its legal \
             classes. Rows with only one legal class say nothing about a model's accuracy. The \
             balanced weight of a class is that of scikit-learn's class_weight=\"balanced\": the \
             number of labels of the head, divided by the number of its classes that occur, and \
             divided by the number of labels of the class. A weight of some hundreds or more often \
             stems from very few labels: check the count beside it. For classes below " (percent(RARE_CLASS, 1.0))
             ", the count links to the first position in which they were chosen." }
        div.box { (table(&head, heads_of(report).map(row))) }
        div.cards.pairs {
            @for (head, tally) in heads_of(report) {
                (choices(report, head, tally))
                (legal_counts(head, tally))
            }
        }
    };
    section("heads", "Legal moves and chosen classes", &content)
}

/// Name, count, and count expected by chance for each bar of a head.
fn groups(head: Head, tally: &HeadTally) -> Vec<(String, f64, f64)> {
    let all = tally.classes.iter().enumerate();
    if head != Head::GemsRemoved {
        let possible = all.filter(|&(class, _)| !never_occurs(head, class));
        let group = |(class, tally): (usize, &ClassTally)| {
            (short_name(head, class), tally.chosen as f64, tally.by_chance())
        };
        return possible.map(group).collect();
    }
    // Grouped by the number of gems, because 84 bars would be too many.
    let mut groups: Vec<(String, f64, f64)> =
        ["none", "1 gem", "2 gems", "3 gems"].map(|name| (name.to_owned(), 0.0, 0.0)).into();
    for (class, tally) in all {
        let (_, chosen, by_chance) = &mut groups[usize::from(REMOVALS[class].total())];
        *chosen += tally.chosen as f64;
        *by_chance += tally.by_chance();
    }
    groups
}

/// A description of the class that fits beside a bar.
fn short_name(head: Head, class: usize) -> String {
    if (head, class) == (Head::CardReservation, 11) {
        return "card 11 / deck 1".to_owned();
    }
    let words = class_in_words(head, class);
    words.replace("displayed card", "card").replace("reserved card", "reserve")
}

fn choices(report: &Report, head: Head, tally: &HeadTally) -> Markup {
    let labels = tally.chosen();
    let of_labels = |number: f64| number / labels.max(1) as f64;
    let groups = groups(head, tally);
    let bar = |(name, chosen, by_chance): &(String, f64, f64)| {
        let note = percent(*chosen, labels as f64);
        let tip = format!("chosen {note}, by chance {}", percent(*by_chance, labels as f64));
        let mark = Some(of_labels(*by_chance));
        let parts = vec![(Ink::Series(0), of_labels(*chosen))];
        Bar { mark, ..Bar::new(name, parts, tip).with_note(note) }
    };
    let most = groups.iter().map(|(_, chosen, by_chance)| of_labels(by_chance.max(*chosen)));
    let most = round_up(most.fold(0.01, f64::max)).min(1.0);
    let x = Axis { range: 0.0..most, ..Axis::shares("of the rows it applies to") };
    let key = html! {
        div.key {
            span { i style={ "background:" (Ink::Series(0).css()) } {} "chosen" }
            span { i.mark style={ "background:" (Ink::Text.css()) } {} "expected by chance" }
        }
    };
    let row = |(index, class): (usize, &ClassTally)| {
        let chance = class.by_chance();
        let times =
            if chance > 0.0 { short(class.chosen as f64 / chance) } else { NOTHING.to_owned() };
        let name = format!("{index}: {}", class_in_words(head, index));
        html! {
            th.wrap scope="row" { (name) }
            td { (grouped(class.legal)) }
            td { (link_if_shown(report, class.first, &grouped(class.chosen))) }
            td { (share(class.chosen, labels)) }
            td { (times) }
            td { (class.mean_choices().map_or(NOTHING.to_owned(), short)) }
            td { (tally.balanced_weight(index).map_or(NOTHING.to_owned(), short)) }
        }
    };
    let what = match head {
        Head::GemsRemoved => "Number of gems given back. The table has all 84 classes.",
        Head::CardReservation => {
            "Class 11 is both the twelfth displayed card and the top of deck 1. Bars longer than \
             their mark are preferred classes, shorter ones are avoided."
        }
        _ => {
            "The mark is the share expected from uniform choices among the legal classes: classes \
             with longer bars are preferred, those with shorter bars avoided."
        }
    };
    let head_row = [
        "class",
        "legal in",
        "chosen in",
        "of its labels",
        "times chance",
        "legal when chosen",
        "balanced weight",
    ];
    figure(
        head.name(),
        what,
        &key,
        &bars(
            &format!("Classes of {}", head.name()),
            &groups.iter().map(bar).collect::<Vec<_>>(),
            &x,
        ),
        &sortable(&head_row, &[], tally.classes.iter().enumerate().map(row)),
    )
}

fn legal_counts(head: Head, tally: &HeadTally) -> Markup {
    let last = tally.legal_counts.iter().rposition(|&rows| rows > 0).unwrap_or(0);
    let counts = &tally.legal_counts[..=last];
    let names: Vec<String> = (0..=last).map(|legal| legal.to_string()).collect();
    let heights: Vec<f64> = counts.iter().map(|&rows| rows as f64).collect();
    let row = |(legal, &rows): (usize, &u64)| {
        vec![legal.to_string(), grouped(rows), share(rows, tally.rows)]
    };
    let what = match head {
        Head::GemsRemoved => {
            "Rows by number of legal classes; giving back nothing is always legal."
        }
        _ => {
            "Rows by number of legal classes. With 0 the head does not apply, with 1 there is no \
             choice."
        }
    };
    figure(
        &format!("{}: legal classes", head.name()),
        what,
        &html! {},
        &columns(
            &format!("Legal classes of {}", head.name()),
            &X::Names { title: "legal classes", names: &names, mark: None },
            &[(Ink::Series(2), "rows", heights)],
            &Axis::counts("rows", counts.iter().max().copied().unwrap_or(0)),
        ),
        &table(&["legal classes", "rows", "of all"], counts.iter().enumerate().map(row)),
    )
}

/// Classes of a head that are never the label, by kind.
type Unseen = (Head, [(&'static str, Vec<usize>); 2]);

pub(in crate::report::page) fn unseen(report: &Report) -> Markup {
    let of_head = |(head, tally): (Head, &HeadTally)| -> Unseen {
        let possible = tally.never_chosen().filter(|&class| !never_occurs(head, class));
        let (legal, never): (Vec<usize>, Vec<usize>) =
            possible.partition(|&class| tally.classes[class].legal > 0);
        (head, [("sometimes legal", legal), ("never legal", never)])
    };
    let all: Vec<Unseen> = heads_of(report).map(of_head).collect();
    let counts = |(head, [(_, legal), (_, never)]): &Unseen| {
        vec![head.name().to_owned(), legal.len().to_string(), never.len().to_string()]
    };
    let listed = |head: Head, classes: &[usize]| {
        let name = |&class: &usize| match head {
            Head::GemTake2 | Head::ActionType => class_in_words(head, class),
            _ => format!("{class} ({})", class_in_words(head, class)),
        };
        names_in_short(&classes.iter().map(name).collect::<Vec<_>>(), MAX_LISTED, "; ")
    };
    let content = html! {
        p { "Classes that are never the label, so that a network cannot learn them, although some \
             are legal in some positions. The two classes that can never occur are not counted: the \
             empty set of gem_take3 and class 14 of card_reservation." }
        div.box {
            (table(&["head", "legal, never chosen", "never legal"], all.iter().map(counts)))
            ul.named {
                @for (head, kinds) in &all {
                    @for (what, classes) in kinds {
                        @if !classes.is_empty() {
                            li { b { (head.name()) ", " (what) ": " } (listed(*head, classes)) }
                        }
                    }
                }
            }
        }
    };
    section("unseen", "Classes that were never chosen", &content)
}

pub(in crate::report::page) fn illegal(report: &Report) -> Markup {
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
        let more = tally.illegal - tally.first_illegal.len() as u64;
        html! {
            @if !tally.first_illegal.is_empty() {
                li {
                    b { (head.name()) ": " }
                    @for (index, label) in tally.first_illegal.iter().enumerate() {
                        @if index > 0 { "; " }
                        (illegal_label(head, label))
                    }
                    @if more > 0 { "; and " (grouped(more)) " more" }
                }
            }
        }
    };
    let content = html! {
        p {
            @if all == 0 {
                "Every logged move is legal under its masks."
            } @else {
                (counted(all, "label")) " would be masked out: with a logit of minus infinity the \
                                         loss is infinite, so exclude these rows from the head's \
                                         loss. The labels are as logged; a difference between the \
                                         rules of the engine and those of the masks appears here."
            }
        }
        div.box {
            (table_of(
                &["head", "labels", "illegal", "of its labels"],
                &[],
                heads_of(report).map(row),
            ))
            ul.named { @for head in heads_of(report) { (named(head)) } }
        }
    };
    section("illegal", "Labels that are illegal under their masks", &content)
}

fn illegal_label(head: Head, label: &IllegalLabel) -> Markup {
    let &IllegalLabel { game_id, row_in_game, turn_number, class } = label;
    let row_in_game = row_in_game as u32;
    let words = place_in_words(game_id, turn_number, row_in_game);
    html! { (link(Place { game_id, row_in_game }, &words)) " (" (class_in_words(head, class)) ")" }
}
