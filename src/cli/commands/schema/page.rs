//! The columns as a Markdown page that can be read on its own.

use super::choose::Chosen;
use crate::encode::{BASE_FEATURE_COUNT, FAMILIES, FEATURE_COUNT, FEATURES, Feature, Head};
use crate::words::grouped;
use std::fmt::Write;

/// A section for each family or head that has something chosen.
pub(super) fn as_markdown(chosen: &Chosen) -> String {
    match chosen {
        Chosen::Columns(columns) => columns_page(columns),
        Chosen::Classes(classes) => classes_page(classes),
    }
}

fn columns_page(columns: &[(usize, &Feature)]) -> String {
    let mut text = String::new();
    let all = columns.len() == FEATURE_COUNT;
    if all {
        text += &introduction();
    }
    for family in &FAMILIES {
        let its: Vec<_> = columns.iter().filter(|(_, feature)| feature.family == family).collect();
        let (Some((first, _)), Some((last, _))) = (its.first(), its.last()) else { continue };
        let base = if family.is_base { ", base" } else { "" };
        let _ = writeln!(
            text,
            "## `{}`: {} column{}, {first} to {last}{base}\n\n{}\n",
            family.name,
            grouped(its.len() as u64),
            if its.len() == 1 { "" } else { "s" },
            wrapped(family.rules),
        );
        text += "| column | name | normalized | meaning |\n| ---: | --- | --- | --- |\n";
        for (column, feature) in its {
            let normalized = if feature.normalized { "yes" } else { "no" };
            let (name, meaning) = (&feature.name, &feature.meaning);
            let _ = writeln!(text, "| {column} | `{name}` | {normalized} | {meaning} |");
        }
        text.push('\n');
    }
    if all {
        text += "# The labels and masks\n\n";
        let classes: Vec<_> = Head::ALL
            .into_iter()
            .flat_map(|head| (0..head.classes()).map(move |class| (head, class)))
            .collect();
        text += &classes_page(&classes);
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

fn introduction() -> String {
    let mut text = format!("# The {} columns of `X`\n\n", grouped(FEATURE_COUNT as u64));
    let normalized = FEATURES.iter().filter(|feature| feature.normalized).count();
    let paragraphs = [
        "Made by `prep schema --format markdown`, do not edit. `prep schema` prints the same in a \
         terminal, by name, family or text; `features.csv` beside this page is for programs."
            .to_owned(),
        format!(
            "Every value is a small whole number before normalization. {normalized} \
             columns are normalized in an export: less the mean of the training rows, divided by \
             their standard deviation. The other {} are flags, places, ranks and counts that stay \
             as they are. The {BASE_FEATURE_COUNT} *base* columns are the position itself; the \
             others are computed from it.",
            FEATURE_COUNT - normalized
        ),
        "Mind two numberings: in the base families `player0` is the player to move and `player1` \
         the next one in turn; in all others `player0` is seat 0. Existing models were trained on \
         it so."
            .to_owned(),
    ];
    for paragraph in &paragraphs {
        let _ = writeln!(text, "{}\n", wrapped(paragraph));
    }
    text += "| family | columns | normalized |\n| --- | ---: | ---: |\n";
    for family in &FAMILIES {
        let its = || FEATURES.iter().filter(|feature| feature.family == family);
        let (all, normalized) = (its().count(), its().filter(|its| its.normalized).count());
        let _ = writeln!(text, "| `{}` | {all} | {normalized} |", family.name);
    }
    text.push('\n');
    text
}

fn classes_page(classes: &[(Head, usize)]) -> String {
    let mut text = String::new();
    for head in Head::ALL {
        let its: Vec<_> = classes.iter().filter(|&&(its_head, _)| its_head == head).collect();
        if its.is_empty() {
            continue;
        }
        let _ = writeln!(
            text,
            "## `{}`: {} classes\n\nThe class of the label is {}, -1 where the head does not apply; \
             the mask is 1 where a class is legal.\n",
            head.name(),
            head.classes(),
            head.in_words()
        );
        text += "| class | meaning |\n| ---: | --- |\n";
        for &&(_, class) in &its {
            let _ = writeln!(text, "| {class} | {} |", head.class_in_words(class));
        }
        text.push('\n');
    }
    text
}

/// Lines of at most 100 characters, so that a change in a sentence shows as such in a diff.
fn wrapped(paragraph: &str) -> String {
    const LINE: usize = 100;
    let mut text = String::new();
    let mut length = 0;
    for word in paragraph.split_whitespace() {
        if length > 0 && length + 1 + word.len() > LINE {
            text.push('\n');
            length = 0;
        } else if length > 0 {
            text.push(' ');
            length += 1;
        }
        text += word;
        length += word.len();
    }
    text
}
