//! What an export holds, by its small files: games, rows and classes of each split. Reads no array.

use super::diff::{DiffError, ExportFolder};
use super::scaler_file::ColumnDrift;
use super::split::Split;
use super::training_sums::STATS_FILE;
use crate::encode::Head;
use crate::gamelog::GameId;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Why a folder could not be looked at.
#[derive(Debug, thiserror::Error)]
#[error("cannot read the export {}: {why}", export.display())]
pub struct OverviewError {
    /// The folder.
    pub export: PathBuf,
    /// What is wrong with it.
    pub why: String,
}

impl From<DiffError> for OverviewError {
    fn from(DiffError { export, why }: DiffError) -> OverviewError {
        OverviewError { export, why }
    }
}

/// What an export holds.
#[derive(Clone, Debug)]
pub struct ExportOverview {
    /// Its id; exports of older versions of prep have none.
    pub export_id: Option<String>,
    /// The encoder that made its rows.
    pub encoder_version: u32,
    /// Columns of `X`.
    pub columns: usize,
    /// Settings by name, as the manifest has them.
    pub settings: serde_json::Map<String, serde_json::Value>,
    /// Each split, in order.
    pub splits: Vec<SplitOverview>,
    /// With `--scaler-from`: how far each normalised column's mean was from that scaler's, farthest
    /// first.
    pub drift: Option<Vec<ColumnDrift>>,
}

/// What a split holds.
#[derive(Clone, Debug)]
pub struct SplitOverview {
    /// Which.
    pub split: Split,
    /// Its games, in ascending order.
    pub game_ids: Vec<GameId>,
    /// Rows of those games.
    pub rows: u64,
    /// Games by their number of players.
    pub games_by_players: BTreeMap<u8, u64>,
    /// Every head, in order.
    pub heads: Vec<HeadOverview>,
    /// Labels that are not legal under their mask, over all heads.
    pub illegal_labels: u64,
}

/// The labels of one head in a split.
#[derive(Clone, Debug, Deserialize)]
pub struct HeadOverview {
    /// Rows to which the head does not apply.
    pub no_label: u64,
    /// How often each class is the label.
    pub classes: Vec<u64>,
}

#[derive(Deserialize)]
struct StatsFile {
    splits: BTreeMap<String, SplitStats>,
    #[serde(default)]
    drift: Option<Vec<ColumnDrift>>,
}

#[derive(Deserialize)]
struct SplitStats {
    rows: u64,
    games_by_players: BTreeMap<u8, u64>,
    class_counts: BTreeMap<String, HeadOverview>,
}

#[derive(Deserialize)]
struct SplitValidation {
    total_failures: u64,
}

/// Reads what an export says of itself.
///
/// # Errors
/// If the folder holds no export, or a file of it is not the one that its manifest lists.
pub fn overview(folder: &Path) -> Result<ExportOverview, OverviewError> {
    let export = ExportFolder::read(folder)?;
    let lacks = |what: &str| OverviewError {
        export: folder.to_owned(),
        why: format!("{what}: export again with this version of prep"),
    };
    let mut stats: StatsFile = export.read_json(STATS_FILE)?;
    let validation: BTreeMap<String, SplitValidation> =
        export.read_json("mask_validation_report.json")?;
    let mut splits = Vec::new();
    for split in Split::ALL {
        let name = split.name();
        let its_stats = stats.splits.remove(name);
        let mut its_stats =
            its_stats.ok_or_else(|| lacks(&format!("{STATS_FILE} tells nothing of {name}")))?;
        let mut heads = Vec::new();
        for head in Head::ALL {
            let counts = its_stats.class_counts.remove(head.name());
            match counts.filter(|counts| counts.classes.len() == head.classes()) {
                Some(counts) => heads.push(counts),
                // No row was counted: then no class was either.
                None if its_stats.rows == 0 => {
                    heads.push(HeadOverview { no_label: 0, classes: vec![0; head.classes()] });
                }
                None => return Err(lacks(&format!("{name} has other classes of {}", head.name()))),
            }
        }
        splits.push(SplitOverview {
            split,
            game_ids: export.receipt.split(split).game_ids,
            rows: its_stats.rows,
            games_by_players: its_stats.games_by_players,
            heads,
            illegal_labels: validation.get(name).map_or(0, |report| report.total_failures),
        });
    }
    let mut settings = export.receipt.settings.others.clone();
    settings.insert("scaler".to_owned(), export.receipt.settings.scaler.clone().into());
    Ok(ExportOverview {
        export_id: export.receipt.export_id.clone(),
        encoder_version: export.receipt.encoder_version,
        columns: export.columns.len(),
        settings,
        splits,
        drift: stats.drift,
    })
}
