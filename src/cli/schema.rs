//! `prep schema`

use super::{Outcome, output};
use crate::encode::{FEATURES, Feature};
use anyhow::Result;
use clap::{Args, ValueEnum};
use std::fmt::Write;

/// List the feature columns: position, name, family, whether normalised, meaning
#[derive(Debug, Args)]
pub(super) struct SchemaArgs {
    /// How to print them
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Table,
    Csv,
    Json,
}

pub(super) fn run(arguments: SchemaArgs) -> Result<Outcome> {
    let text = match arguments.format {
        Format::Table => as_table(),
        Format::Csv => as_csv()?,
        Format::Json => format!("{:#}\n", as_json()),
    };
    output::print(text)?;
    Ok(Outcome::Done)
}

const COLUMNS: [&str; 5] = ["column", "name", "family", "normalized", "meaning"];

fn as_table() -> String {
    let longest = FEATURES.iter().map(|feature| feature.name.as_str().len()).max().unwrap_or(0);
    let mut text = String::new();
    for (column, feature) in FEATURES.iter().enumerate() {
        let Feature { name, family, meaning, .. } = feature;
        let normalized = if feature.normalized { "normalised" } else { "as it is" };
        let family = family.name();
        let _ = writeln!(
            text,
            "{column:>4}  {name:<longest$}  {family:<14}  {normalized:<10}  {meaning}",
            name = name.as_str()
        );
    }
    text
}

fn as_csv() -> Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(COLUMNS)?;
    for (column, feature) in FEATURES.iter().enumerate() {
        writer.write_record([
            &column.to_string(),
            feature.name.as_str(),
            feature.family.name(),
            &feature.normalized.to_string(),
            feature.meaning,
        ])?;
    }
    Ok(String::from_utf8(writer.into_inner()?)?)
}

fn as_json() -> serde_json::Value {
    let columns = FEATURES.iter().enumerate().map(|(column, feature)| {
        serde_json::json!({
            "column": column,
            "name": feature.name.as_str(),
            "family": feature.family.name(),
            "normalized": feature.normalized,
            "meaning": feature.meaning,
        })
    });
    columns.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_in_the_repository_is_current() {
        let written = include_str!("../../schema/features.csv");
        assert!(
            as_csv().unwrap() == written,
            "schema/features.csv is out of date: run `prep schema --format csv` into it"
        );
    }
}
