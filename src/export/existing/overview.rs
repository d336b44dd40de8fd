//! An overview of an export from its small files: games, rows and classes of each split. Reads no arrays.

use super::folder::{ExportFolder, FolderError};
use crate::dataset::{BySplit, ShortHash, Split};
use crate::export::scaler_file::ColumnDrift;
use crate::export::statistics::{
    ClassCounts, MASK_VALIDATION_FILE, MaskValidation, STATISTICS_FILE, Statistics,
};
use crate::gamelog::GameId;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::Path;

/// An overview of an export.
#[derive(Clone, Debug)]
pub struct ExportOverview {
    /// Its id; missing in exports of older versions of prep.
    pub export_id: Option<String>,
    /// Version of the encoder that made its rows.
    pub encoder_version: u32,
    /// Number of columns of `X`.
    pub columns: usize,
    /// The settings in the manifest, by name.
    pub settings: Map<String, Value>,
    /// Each split, in order.
    pub splits: Vec<SplitOverview>,
    /// With `--scaler-from`: how far the mean of each normalized column had moved from that scaler's,
    /// largest first.
    pub drift: Option<Vec<ColumnDrift>>,
}

/// An overview of a split.
#[derive(Clone, Debug)]
pub struct SplitOverview {
    /// The split.
    pub split: Split,
    /// Its games, in ascending order.
    pub game_ids: Vec<GameId>,
    /// The hashes of their logs, unless an earlier version of prep wrote the export.
    pub log_hashes: Option<Vec<ShortHash>>,
    /// Number of rows.
    pub rows: u64,
    /// Number of games by number of players.
    pub games_by_players: BTreeMap<u8, u64>,
    /// Every head, in order.
    pub heads: Vec<ClassCounts>,
    /// Number of labels that are not legal under their mask, over all heads.
    pub illegal_labels: u64,
}

/// Reads the overview of an export.
///
/// # Errors
/// If the folder is not an export, or a file does not match its manifest.
pub fn overview(folder: &Path) -> Result<ExportOverview, FolderError> {
    let export = ExportFolder::read(folder)?;
    let statistics: Statistics = export.read_json(STATISTICS_FILE)?;
    let validation: BySplit<MaskValidation> = export.read_json(MASK_VALIDATION_FILE)?;
    let mut splits = Vec::new();
    for (split, entry) in export.manifest.splits.iter() {
        let statistics = &statistics.splits[split];
        let mut heads = Vec::new();
        for (head, counts) in statistics.class_counts.iter() {
            let mut counts = counts.clone();
            if statistics.rows == 0 {
                counts.classes = vec![0; head.classes()];
            }
            if counts.classes.len() != head.classes() {
                return Err(export.failed(format!(
                    "{} has different classes of {}: export again with this version of prep",
                    split.name(),
                    head.name()
                )));
            }
            heads.push(counts);
        }
        splits.push(SplitOverview {
            split,
            game_ids: entry.game_ids.clone(),
            log_hashes: entry.log_hashes.clone(),
            rows: statistics.rows,
            games_by_players: statistics.games_by_players.clone(),
            heads,
            illegal_labels: validation[split].total_failures,
        });
    }
    let settings = serde_json::to_value(&export.manifest.settings);
    let settings = settings.map_err(|error| export.failed(error.to_string()))?;
    Ok(ExportOverview {
        export_id: export.manifest.export_id.map(String::from),
        encoder_version: export.manifest.encoder_version,
        columns: export.columns.len(),
        settings: settings.as_object().cloned().unwrap_or_default(),
        splits,
        drift: statistics.drift,
    })
}
