//! Which columns and masks the rows of a dataset have.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Which columns an export has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FeatureSet {
    /// The position alone, as logged: `enable_feature_engineering: false`.
    Base,
    /// The position and everything derived from it.
    #[default]
    All,
    /// Columns that were named: `--columns`.
    Columns,
}

impl FeatureSet {
    /// Every choice by name, in the order that `--help` lists them.
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

/// Where the masks of an export come from.
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
    /// Every choice, in the order that `--help` lists them.
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
