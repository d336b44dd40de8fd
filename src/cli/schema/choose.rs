//! Which columns or classes are to be shown.

use super::SchemaArgs;
use crate::encode::{FEATURES, Feature, Head};
use anyhow::{Result, bail};

/// What is shown, in column order, or head by head.
pub(super) enum Chosen {
    /// Columns with their place in `X`.
    Columns(Vec<(usize, &'static Feature)>),
    /// Classes of heads.
    Classes(Vec<(Head, usize)>),
}

impl Chosen {
    fn is_empty(&self) -> bool {
        match self {
            Chosen::Columns(columns) => columns.is_empty(),
            Chosen::Classes(classes) => classes.is_empty(),
        }
    }
}

/// Fails with a sentence where nothing is left: a script that asked for a column that does not exist
/// should hear of it.
pub(super) fn choose(arguments: &SchemaArgs) -> Result<Chosen> {
    let known: Vec<&str> = match arguments.heads {
        true => Head::ALL.iter().map(|head| head.name()).collect(),
        false => FEATURES.iter().map(|feature| feature.name.as_str()).collect(),
    };
    for pattern in &arguments.names {
        if !known.iter().any(|name| matches(pattern, name)) {
            let what = if arguments.heads { "head" } else { "column" };
            bail!("no {what} is named {pattern}: {}", advice(pattern, &known));
        }
    }
    let is_named = |name: &str| {
        arguments.names.is_empty() || arguments.names.iter().any(|pattern| matches(pattern, name))
    };
    let search = arguments.search.as_deref().map(str::to_lowercase);
    let says = |name: &str, meaning: &str| {
        search.as_ref().is_none_or(|text| {
            name.to_lowercase().contains(text) || meaning.to_lowercase().contains(text)
        })
    };
    let chosen = if arguments.heads {
        let classes = Head::ALL
            .into_iter()
            .filter(|head| is_named(head.name()))
            .flat_map(|head| (0..head.classes()).map(move |class| (head, class)));
        let said = classes.filter(|&(head, class)| says(head.name(), &head.class_in_words(class)));
        Chosen::Classes(said.collect())
    } else {
        let is_chosen = |&(_, feature): &(usize, &'static Feature)| {
            let name = feature.name.as_str();
            is_named(name)
                && (arguments.family.is_empty() || arguments.family.contains(&feature.family))
                && arguments.normalized.is_none_or(|wanted| wanted == feature.normalized)
                && (!arguments.base || feature.family.is_base())
                && says(name, &feature.in_words())
        };
        Chosen::Columns(FEATURES.iter().enumerate().filter(is_chosen).collect())
    };
    if chosen.is_empty() {
        bail!("nothing is all that was asked for: leave out a name, or one of the flags");
    }
    Ok(chosen)
}

/// Whether a name is what a pattern with `*` and `?` says. Both are ASCII, or nothing matches.
fn matches(pattern: &str, name: &str) -> bool {
    fn matches(pattern: &[u8], name: &[u8]) -> bool {
        match (pattern, name) {
            ([], []) => true,
            ([b'*', rest @ ..], _) => {
                (0..=name.len()).any(|skipped| matches(rest, &name[skipped..]))
            }
            ([b'?', pattern @ ..], [_, name @ ..]) => matches(pattern, name),
            ([a, pattern @ ..], [b, name @ ..]) => a == b && matches(pattern, name),
            _ => false,
        }
    }
    // Every further star multiplies the ways to try; of several in a row one says the same.
    let mut pattern = pattern.as_bytes().to_vec();
    pattern.dedup_by(|a, b| (*a, *b) == (b'*', b'*'));
    matches(&pattern, name.as_bytes())
}

/// What to write instead of a name that nothing has.
fn advice(pattern: &str, known: &[&str]) -> String {
    const NEAR: f64 = 0.85;
    if pattern.contains(['*', '?']) {
        return "`prep schema --search TEXT` looks into names and meanings".to_owned();
    }
    let nearest = known
        .iter()
        .map(|name| (strsim::jaro_winkler(pattern, name), name))
        .max_by(|(one, _), (other, _)| one.total_cmp(other));
    match nearest {
        Some((likeness, name)) if likeness >= NEAR => format!("did you mean {name}?"),
        _ => "`prep schema --search TEXT` looks into names and meanings".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_any_text_and_question_marks_for_one_character() {
        for (pattern, name, fits) in [
            ("card3_vp", "card3_vp", true),
            ("card3_vp", "player0_card3_vp", false),
            ("*_vp", "card3_vp", true),
            ("card?_vp", "card3_vp", true),
            ("card?_vp", "card4_vp", true),
            ("card?_vp", "card11_vp", false),
            ("card*", "card11_vp", true),
            ("*card*vp*", "player0_card3_vp_if_buy", true),
            ("**", "anything", true),
            ("", "anything", false),
            ("*red", "gems_board_red", true),
            ("*red", "player0_reduction_blue", false),
        ] {
            assert_eq!(matches(pattern, name), fits, "{pattern} {name}");
        }
    }

    #[test]
    fn a_slip_is_met_with_the_nearest_name() {
        let known = ["gems_board_white", "gems_board_blue"];
        assert_eq!(advice("gem_board_blue", &known), "did you mean gems_board_blue?");
        assert!(advice("nonsense", &known).contains("--search"));
    }
}
