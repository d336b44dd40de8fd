//! `prep schema`: the meaning of every column, and the classes of every head.
//!
//! There are four output formats. The repository contains two of the outputs, `schema/features.csv` and
//! `schema/features.md`; a test checks that they are up to date.

mod choose;
mod page;

use crate::cli::context::Outcome;
use crate::cli::{output, settings};
use crate::config::Settings;
use crate::encode::{Feature, Head};
use anyhow::Result;
pub(in crate::cli) use choose::SchemaArgs;
use choose::{Chosen, Format, choose};

pub(in crate::cli) fn run(arguments: SchemaArgs, cli: &clap::Command) -> Result<Outcome> {
    if arguments.settings {
        output::print_json(&Settings::json_schema(settings::schema_sections(cli)))?;
        return Ok(Outcome::Done);
    }
    let format = if arguments.json { Format::Json } else { arguments.format };
    let chosen = choose(&arguments)?;
    let text = match format {
        Format::Table => as_table(&chosen),
        Format::Csv => as_csv(&chosen)?,
        Format::Json => {
            output::print_json(&as_json(&chosen))?;
            return Ok(Outcome::Done);
        }
        Format::Markdown => page::as_markdown(&chosen),
    };
    output::print(text)?;
    Ok(Outcome::Done)
}

/// The header and the rows of a table. `normalized` are the words for yes and no.
fn rows(chosen: &Chosen, normalized: [&str; 2]) -> (&'static [&'static str], Vec<Vec<String>>) {
    let column = |&(column, feature): &(usize, &Feature)| {
        let normalized = normalized[usize::from(!feature.normalized)];
        let (name, family) = (feature.name.as_str(), feature.family.name);
        [&column.to_string(), name, family, normalized, &feature.meaning].map(str::to_owned).into()
    };
    let class = |&(head, class): &(Head, usize)| {
        vec![head.name().to_owned(), class.to_string(), head.class_in_words(class)]
    };
    match chosen {
        Chosen::Columns(columns) => (
            &["column", "name", "family", "normalized", "meaning"],
            columns.iter().map(column).collect(),
        ),
        Chosen::Classes(classes) => {
            (&["head", "class", "meaning"], classes.iter().map(class).collect())
        }
    }
}

fn as_table(chosen: &Chosen) -> String {
    let (header, rows) = rows(chosen, ["normalized", "as it is"]);
    let numbers = header.iter().position(|name| ["column", "class"].contains(name));
    output::table(rows, &[numbers.unwrap_or(0)])
}

fn as_csv(chosen: &Chosen) -> Result<String> {
    let (header, rows) = rows(chosen, ["true", "false"]);
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(header)?;
    for row in rows {
        writer.write_record(row)?;
    }
    Ok(String::from_utf8(writer.into_inner()?)?)
}

fn as_json(chosen: &Chosen) -> serde_json::Value {
    let column = |&(column, feature): &(usize, &Feature)| {
        serde_json::json!({
            "column": column,
            "name": feature.name.as_str(),
            "family": feature.family.name,
            "base": feature.family.is_base,
            "normalized": feature.normalized,
            "meaning": feature.meaning,
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
    fn repository_lists_are_current() {
        let all = Chosen::Columns(FEATURES.iter().enumerate().collect());
        assert!(
            as_csv(&all).unwrap() == include_str!("../../../schema/features.csv"),
            "schema/features.csv is out of date: run `prep schema --format csv` into it"
        );
        assert!(
            page::as_markdown(&all) == include_str!("../../../schema/features.md"),
            "schema/features.md is out of date: run `prep schema --format markdown` into it"
        );
    }
}
