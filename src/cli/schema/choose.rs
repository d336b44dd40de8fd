//! Which columns or classes are to be shown.

use super::SchemaArgs;
use crate::cli::names::{NamePatterns, near};
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
    let names = NamePatterns::parse(&arguments.names)?;
    for (typed, pattern) in names.iter() {
        if !known.iter().any(|name| pattern.matches(name)) {
            if arguments.normalized.is_some() && ["yes", "no", "true", "false"].contains(&typed) {
                bail!("no column is named {typed}: write --normalized={typed}");
            }
            let what = if arguments.heads { "head" } else { "column" };
            bail!("no {what} is named {typed}: {}", advice(typed, &known));
        }
    }
    let is_named = |name: &str| names.is_empty() || names.fit(name);
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
        if let Some(text) = search.filter(|_| is_all_but_search(arguments)) {
            let (known, what) = match arguments.heads {
                true => ("head or meaning of a class", "classes"),
                false => ("name or meaning of a column", "columns"),
            };
            bail!(
                "no {known} holds {text}: try another word, or `prep schema` without --search, \
                   which lists all {what}"
            );
        }
        bail!("nothing is all that was asked for: leave out a name, or one of the flags");
    }
    Ok(chosen)
}

/// Whether the text to search for is all that narrows it down.
fn is_all_but_search(arguments: &SchemaArgs) -> bool {
    arguments.names.is_empty()
        && arguments.family.is_empty()
        && arguments.normalized.is_none()
        && !arguments.base
}

/// What to write instead of a name that nothing has.
fn advice(typed: &str, known: &[&str]) -> String {
    match near(typed, known.iter().copied(), 1).first() {
        Some(name) if !typed.contains(['*', '?']) => format!("did you mean {name}?"),
        _ => "`prep schema --search TEXT` looks into names and meanings".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_met_with_the_nearest_name() {
        let known = ["gems_board_white", "gems_board_blue"];
        assert_eq!(advice("gem_board_blue", &known), "did you mean gems_board_blue?");
        assert!(advice("nonsense", &known).contains("--search"));
        assert!(advice("gems_board_blu?", &known).contains("--search"));
    }
}
