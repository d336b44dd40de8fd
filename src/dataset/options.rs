//! The columns and masks of a dataset.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The columns of an export.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FeatureSet {
    /// Only the position as logged: `enable_feature_engineering: false`.
    Base,
    /// The position and all derived features.
    #[default]
    All,
    /// Named columns: `--columns`.
    Columns,
}

impl FeatureSet {
    /// All named choices, in the order of `--help`.
    pub const ALL: [FeatureSet; 2] = [FeatureSet::Base, FeatureSet::All];

    /// The name in options and in a manifest.
    pub const fn name(self) -> &'static str {
        match self {
            FeatureSet::Base => "base",
            FeatureSet::All => "all",
            FeatureSet::Columns => "columns",
        }
    }
}

impl fmt::Display for FeatureSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The source of an export's masks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MaskSource {
    /// 1 for the classes that the rules allow in the position.
    #[default]
    Legal,
    /// 1 everywhere: `enable_masking: false`.
    AllOnes,
}

impl MaskSource {
    /// All choices, in the order of `--help`.
    pub const ALL: [MaskSource; 2] = [MaskSource::Legal, MaskSource::AllOnes];

    /// The name in options and in a manifest.
    pub const fn name(self) -> &'static str {
        match self {
            MaskSource::Legal => "legal",
            MaskSource::AllOnes => "all-ones",
        }
    }
}

impl fmt::Display for MaskSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
