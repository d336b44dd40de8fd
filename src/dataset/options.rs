//! The options of a dataset.

use super::columns::Columns;
use super::ratios::Ratios;
use super::split::SplitMethod;
use crate::parallel::Part;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The options of a dataset.
#[derive(Clone, Debug)]
pub struct DatasetOptions {
    /// Shares of the games.
    pub ratios: Ratios,
    /// How games are assigned to splits.
    pub split_method: SplitMethod,
    /// Seed of the split.
    pub seed: u32,
    /// The columns.
    pub columns: Columns,
    /// Whether games that do not replay are excluded.
    pub replayable_only: bool,
    /// A condition over the columns of the view `game_list`, which the games must meet.
    pub condition: Option<String>,
    /// Only this part of the games of each split. Selection, splits and sums are those of all games.
    pub shard: Option<Part>,
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
