//! `prep schema`: every column in words, and the classes of every head.
//!
//! The same columns go to a reader in four shapes. Two of them lie in the repository, where people
//! look first: `schema/features.csv` and `schema/features.md`; a test holds them current.

mod choose;
mod page;

use super::{Outcome, output};
use crate::encode::{Family, Feature, Head};
use anyhow::Result;
use choose::{Chosen, choose};
use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};
use std::fmt::Write;

const AFTER_HELP: &str = "\
Examples:
  prep schema                               all 1,308 columns
  prep schema 'player0_card3_*' card0_vp    by name, * and ? as in a shell
  prep schema --family cards --search gold  a word in the names and meanings
  prep schema --normalized=no --format csv  those not normalised, as CSV
  prep schema --heads                       the classes of labels and masks
  prep schema --heads gem_take3             those of one head
  prep schema --json | jq -r '.[] | select(.family == \"nobles\") | .name'";

/// Explain the columns of X in words: position, name, family, whether normalised, meaning
///
/// With --heads, the classes of the labels and masks instead.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct SchemaArgs {
    /// Names to show, * for any text and ? for any character [default: all]
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Only columns of this family; may be given more than once
    #[arg(long, value_name = "FAMILY", value_delimiter = ',', conflicts_with = "heads")]
    family: Vec<Family>,
    /// Only columns that are normalised, or that are not
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_missing_value = "yes", value_parser = super::switch(), conflicts_with = "heads")]
    normalized: Option<bool>,
    /// Only the 422 base features, those that `prep export --features base` writes
    #[arg(long, conflicts_with = "heads")]
    base: bool,
    /// Only what has this text in its name or meaning, in capitals or not
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
    /// The classes of labels and masks, head by head, instead of columns
    #[arg(long)]
    heads: bool,
    /// How to print them
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Print JSON, as --format json does
    #[arg(long, conflicts_with = "format")]
    json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Table,
    Csv,
    Json,
    Markdown,
}

impl ValueEnum for Family {
    fn value_variants<'a>() -> &'a [Family] {
        &Family::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.name()))
    }
}

pub(super) fn run(arguments: SchemaArgs) -> Result<Outcome> {
    let format = if arguments.json { Format::Json } else { arguments.format };
    let chosen = choose(&arguments)?;
    let text = match format {
        Format::Table => as_table(&chosen),
        Format::Csv => as_csv(&chosen)?,
        Format::Json => format!("{:#}\n", as_json(&chosen)),
        Format::Markdown => page::as_markdown(&chosen),
    };
    output::print(text)?;
    Ok(Outcome::Done)
}

fn as_table(chosen: &Chosen) -> String {
    let mut text = String::new();
    match chosen {
        Chosen::Columns(columns) => {
            let names = columns.iter().map(|(_, feature)| feature.name.as_str().len());
            let longest = names.max().unwrap_or(0);
            for (column, feature) in columns {
                let Feature { name, family, .. } = feature;
                let normalized = if feature.normalized { "normalised" } else { "as it is" };
                let _ = writeln!(
                    text,
                    "{column:>4}  {name:<longest$}  {family:<14}  {normalized:<10}  {meaning}",
                    name = name.as_str(),
                    family = family.name(),
                    meaning = feature.in_words()
                );
            }
        }
        Chosen::Classes(classes) => {
            let longest = Head::ALL.iter().map(|head| head.name().len()).max().unwrap_or(0);
            for &(head, class) in classes {
                let (name, meaning) = (head.name(), head.class_in_words(class));
                let _ = writeln!(text, "{name:<longest$}  {class:>2}  {meaning}");
            }
        }
    }
    text
}

fn as_csv(chosen: &Chosen) -> Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    match chosen {
        Chosen::Columns(columns) => {
            writer.write_record(["column", "name", "family", "normalized", "meaning"])?;
            for (column, feature) in columns {
                writer.write_record([
                    &column.to_string(),
                    feature.name.as_str(),
                    feature.family.name(),
                    &feature.normalized.to_string(),
                    &feature.in_words(),
                ])?;
            }
        }
        Chosen::Classes(classes) => {
            writer.write_record(["head", "class", "meaning"])?;
            for &(head, class) in classes {
                writer.write_record([
                    head.name(),
                    &class.to_string(),
                    &head.class_in_words(class),
                ])?;
            }
        }
    }
    Ok(String::from_utf8(writer.into_inner()?)?)
}

fn as_json(chosen: &Chosen) -> serde_json::Value {
    let column = |&(column, feature): &(usize, &Feature)| {
        serde_json::json!({
            "column": column,
            "name": feature.name.as_str(),
            "family": feature.family.name(),
            "base": feature.family.is_base(),
            "normalized": feature.normalized,
            "meaning": feature.in_words(),
        })
    };
    let class = |&(head, class): &(Head, usize)| {
        let meaning = head.class_in_words(class);
        serde_json::json!({ "head": head.name(), "class": class, "meaning": meaning })
    };
    match chosen {
        Chosen::Columns(columns) => columns.iter().map(column).collect(),
        Chosen::Classes(classes) => classes.iter().map(class).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encode::FEATURES;

    #[test]
    fn the_lists_in_the_repository_are_current() {
        let all = Chosen::Columns(FEATURES.iter().enumerate().collect());
        assert!(
            as_csv(&all).unwrap() == include_str!("../../schema/features.csv"),
            "schema/features.csv is out of date: run `prep schema --format csv` into it"
        );
        assert!(
            page::as_markdown(&all) == include_str!("../../schema/features.md"),
            "schema/features.md is out of date: run `prep schema --format markdown` into it"
        );
    }
}
