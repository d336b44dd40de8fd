//! Features by name, raw and normalized.

use crate::cli::names::{patterns, similar};
use crate::cli::output;
use crate::encode::{FEATURES, Feature, FeatureRow};
use crate::export::{ColumnScale, ExportedScaler};
use crate::words::shown;
use anyhow::{Result, bail};
use serde_json::{Value, json};
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Indices of the features, in the order in which they were named.
pub(super) struct NamedFeatures(Vec<usize>);

/// An export and its scaler.
pub(super) type Normalization = (PathBuf, ExportedScaler);

/// The scaler of the named export, else of the default export if it exists.
pub(super) fn find_scaler(named: Option<PathBuf>, default: &Path) -> Result<Option<Normalization>> {
    let export = match named {
        Some(export) => export,
        None if default.join("scaler.npz").exists() => default.to_owned(),
        None => return Ok(None),
    };
    let scaler = ExportedScaler::load(&export)?;
    Ok(Some((export, scaler)))
}

fn scale(by: Option<&Normalization>, column: usize, value: i8) -> Option<ColumnScale> {
    by?.1.apply(column, value.into())
}

impl NamedFeatures {
    /// Finds the features with these names, or that match these patterns.
    pub(super) fn find(names: &[String]) -> Result<NamedFeatures> {
        let mut columns = Vec::new();
        for (typed, pattern) in patterns(names)? {
            let fits = |feature: &Feature| pattern.matches(feature.name.as_str());
            let fitting = (0..FEATURES.len()).filter(|&column| fits(&FEATURES[column]));
            let before = columns.len();
            columns.extend(fitting);
            if columns.len() == before {
                bail!("there is no feature `{typed}`: {}", advice(typed));
            }
        }
        Ok(NamedFeatures(columns))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn in_lines(&self, row: &FeatureRow, by: Option<&Normalization>) -> String {
        let header = ["feature", "raw", "normalized"].map(str::to_owned).to_vec();
        let lines = self.0.iter().map(|&column| {
            let Feature { name, normalized, .. } = &FEATURES[column];
            let words = match scale(by, column, row[column]) {
                Some(scale) if *normalized => format!("{:.4}", scale.normalized),
                Some(_) => "as it is".to_owned(),
                None => "-".to_owned(),
            };
            vec![name.as_str().to_owned(), row[column].to_string(), words]
        });
        let mut text = output::table(std::iter::once(header).chain(lines), &[1, 2]);
        match by {
            Some((export, _)) => {
                let _ = writeln!(text, "normalized as in {}", shown(export));
                if self.0.iter().any(|&column| scale(by, column, 0).is_none()) {
                    text += "(-: not in that export)\n";
                }
            }
            None => text += "no export with a scaler: name one with --export DIR\n",
        }
        text
    }

    pub(super) fn as_json(&self, row: &FeatureRow, by: Option<&Normalization>) -> Value {
        let features = self.0.iter().map(|&column| {
            let scale = scale(by, column, row[column]);
            json!({
                "column": column,
                "name": FEATURES[column].name.as_str(),
                "raw": row[column],
                "normalized": scale.map(|scale| scale.normalized),
                "mean": scale.map(|scale| scale.mean),
                "scale": scale.map(|scale| scale.scale),
            })
        });
        features.collect()
    }
}

/// Suggests up to three similar names, or how to list all.
fn advice(typed: &str) -> String {
    match similar(typed, FEATURES.iter().map(|feature| feature.name.as_str()), 3) {
        names if names.is_empty() => "`prep schema` lists all".to_owned(),
        names => format!("did you mean {}? (`prep schema` lists all)", names.join(", ")),
    }
}
