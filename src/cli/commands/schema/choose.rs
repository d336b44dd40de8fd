//! The arguments of `prep schema`, and the columns or classes that they select.

use crate::cli::names::{patterns, similar};
use crate::cli::values::switch;
use crate::encode::{FEATURES, Family, Feature, Head};
use anyhow::{Result, bail};
use clap::{Args, ValueEnum};

const AFTER_HELP: &str = "\
Examples:
  prep schema                               all columns
  prep schema 'player0_card3_*' card0_vp    by name, * and ? as in a shell
  prep schema --family cards --search gold  search names and meanings
  prep schema --normalized=no --format csv  columns that are not normalized
  prep schema --heads                       the classes of labels and masks
  prep schema --heads gem_take3             the classes of one head
  prep schema --json | jq -r '.[] | select(.family == \"nobles\") | .name'";

/// Explain the columns of X: position, name, family, whether normalized, meaning
///
/// With --heads, explains the classes of the labels and masks instead.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct SchemaArgs {
    /// Names to show, * for any text and ? for any character [default: all]
    #[arg(value_name = "NAME")]
    pub(super) names: Vec<String>,
    /// Show only columns of this family; can be repeated
    #[arg(long, value_name = "FAMILY", value_delimiter = ',', conflicts_with = "heads")]
    pub(super) family: Vec<Family>,
    /// Show only columns that are normalized (yes) or not (no)
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_missing_value = "yes", value_parser = switch, conflicts_with = "heads")]
    pub(super) normalized: Option<bool>,
    /// Show only the base features, as `prep export --features base` writes them
    #[arg(long, conflicts_with = "heads")]
    pub(super) base: bool,
    /// Show only entries with this text in their name or meaning, ignoring case
    #[arg(long, value_name = "TEXT")]
    pub(super) search: Option<String>,
    /// Show the classes of labels and masks by head instead of columns
    #[arg(long)]
    pub(super) heads: bool,
    /// Print a JSON schema of the settings file, which editors use for completion and checks
    #[arg(long, conflicts_with_all = ["names", "heads", "format", "json"])]
    pub(super) settings: bool,
    /// Output format
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub(super) format: Format,
    /// Print JSON, as --format json does
    #[arg(long, conflicts_with = "format")]
    pub(super) json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Format {
    Table,
    Csv,
    Json,
    Markdown,
}

/// The selected entries, in column order, or by head.
pub(super) enum Chosen {
    /// Columns with their index in `X`.
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

/// Fails if nothing is selected, so that a script notices a column that does not exist.
pub(super) fn choose(arguments: &SchemaArgs) -> Result<Chosen> {
    let known: Vec<&str> = match arguments.heads {
        true => Head::ALL.iter().map(|head| head.name()).collect(),
        false => FEATURES.iter().map(|feature| feature.name.as_str()).collect(),
    };
    let names = patterns(&arguments.names)?;
    for (typed, pattern) in &names {
        if !known.iter().any(|name| pattern.matches(name)) {
            if arguments.normalized.is_some() && ["yes", "no", "true", "false"].contains(typed) {
                bail!("no column is named {typed}: write --normalized={typed}");
            }
            let what = if arguments.heads { "head" } else { "column" };
            bail!("no {what} is named {typed}: {}", advice(typed, &known));
        }
    }
    let is_named =
        |name: &str| names.is_empty() || names.iter().any(|(_, pattern)| pattern.matches(name));
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
                && (arguments.family.is_empty() || arguments.family.contains(feature.family))
                && arguments.normalized.is_none_or(|wanted| wanted == feature.normalized)
                && (!arguments.base || feature.family.is_base)
                && says(name, &feature.meaning)
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
                "no {known} contains {text}: try another word, or `prep schema` without --search \
                 to list all {what}"
            );
        }
        bail!("no column or class matches all arguments: remove a name or one of the flags");
    }
    Ok(chosen)
}

fn is_all_but_search(arguments: &SchemaArgs) -> bool {
    arguments.names.is_empty()
        && arguments.family.is_empty()
        && arguments.normalized.is_none()
        && !arguments.base
}

fn advice(typed: &str, known: &[&str]) -> String {
    match similar(typed, known.iter().copied(), 1).first() {
        Some(name) if !typed.contains(['*', '?']) => format!("did you mean {name}?"),
        _ => "`prep schema --search TEXT` searches names and meanings".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_name() {
        let known = ["gems_board_white", "gems_board_blue"];
        assert_eq!(advice("gem_board_blue", &known), "did you mean gems_board_blue?");
        assert!(advice("nonsense", &known).contains("--search"));
        assert!(advice("gems_board_blu?", &known).contains("--search"));
    }
}
