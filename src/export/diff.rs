//! Two exports compared: which games came, went, changed or moved, and which means moved.
//!
//! Meant for the hour before a nightly training: logs of a broken simulator are well-formed, and
//! show only in that their numbers are others than before. Reads the small files of both exports
//! and none of the arrays.
//!
//! **How far a mean has moved** is told in the standard deviations that the column had in the old
//! export. A column that was constant had none: then those of the new one are taken, so that a flag
//! which one row in a thousand has for the first time counts little, and one that half of all rows
//! have counts much. A constant that is another constant now has moved infinitely far.

use super::manifest::FITTED_ON_TRAIN;
use super::receipt::Receipt;
use super::scaler::Scaler;
use super::scaler_file::{ColumnDrift, FEATURE_COLS_FILE, drift, read_scaler_arrays};
use super::split::Split;
use super::training_sums::{STATS_FILE, Stats, TrainingSums};
use crate::gamelog::GameId;
use serde::Serialize;
use std::fs;
use std::path::{Path, PathBuf};

/// Why two folders could not be compared.
#[derive(Debug, thiserror::Error)]
#[error("cannot compare {}: {why}", export.display())]
pub struct DiffError {
    /// Which of the two folders.
    pub export: PathBuf,
    /// What is wrong with it.
    pub why: String,
}

/// What became of an export.
#[derive(Clone, Debug)]
pub struct ExportDiff {
    /// The first export.
    pub old: ExportFacts,
    /// The second.
    pub new: ExportFacts,
    /// Each split, in order.
    pub splits: Vec<SplitDiff>,
    /// Games that are in both exports, and in different splits, in ascending order.
    pub moved: Vec<MovedGame>,
    /// How the training rows have changed, or why that is not known.
    pub means: Result<MeansDiff, NoMeans>,
    /// What else should be known to judge the rest, each a sentence.
    pub remarks: Vec<String>,
}

/// One of the exports.
#[derive(Clone, Debug, Serialize)]
pub struct ExportFacts {
    /// Its id; exports of older versions of prep have none.
    pub export_id: Option<String>,
    /// The encoder that made its rows.
    pub encoder_version: u32,
    /// Games in all splits.
    pub games: usize,
    /// Rows in all splits.
    pub rows: u64,
}

/// What became of one split. All lists are in ascending order.
#[derive(Clone, Debug, Serialize)]
pub struct SplitDiff {
    /// Which.
    #[serde(skip)]
    pub split: Split,
    /// Games in the old export.
    pub old_games: usize,
    /// Games in the new one.
    pub new_games: usize,
    /// Games that were in no split of the old export.
    pub added: Vec<GameId>,
    /// Games that are in no split of the new one.
    pub removed: Vec<GameId>,
    /// Games that are in this split now, were in any before, and have other rows. Where encoders
    /// differ, games that have other logs. `None` if an export does not tell.
    pub changed: Option<Vec<GameId>>,
    /// Games that were in another split.
    pub moved_in: usize,
    /// Games that are in another split now.
    pub moved_out: usize,
}

/// A game that changed split.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct MovedGame {
    /// Which.
    pub game_id: GameId,
    /// Where it was.
    pub from: Split,
    /// Where it is.
    pub to: Split,
}

/// How the training rows have changed.
#[derive(Clone, Debug)]
pub struct MeansDiff {
    /// Every column that both exports tell of, farthest moved first; see the [module](self) on the unit.
    pub moved: Vec<ColumnDrift>,
    /// Columns that were constant and are not any more, in column order.
    pub newly_varying: Vec<String>,
    /// Columns that are constant now and were not.
    pub newly_constant: Vec<String>,
}

impl MeansDiff {
    /// The columns whose mean moved more than so many standard deviations, farthest first.
    pub fn past(&self, max_drift: f64) -> &[ColumnDrift] {
        let past = self.moved.partition_point(|column| column.mean_shift.abs() > max_drift);
        &self.moved[..past]
    }
}

/// Why means could not be compared.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoMeans {
    /// The exports have other columns.
    #[error(
        "the exports have other columns ({old} and {new}): their features cannot be compared, \
         and no model fits both"
    )]
    ColumnCount {
        /// Columns of the old export.
        old: usize,
        /// Columns of the new one.
        new: usize,
    },
    /// The exports have as many columns, but not the same.
    #[error(
        "the exports have other columns (column {column} is {old} in one and {new} in the other): \
         their features cannot be compared, and no model fits both"
    )]
    ColumnName {
        /// The first that differs, from 0.
        column: usize,
        /// Its name in the old export.
        old: String,
        /// Its name in the new one.
        new: String,
    },
    /// Nothing to take a mean of.
    #[error("{} has no training rows: there are no means to compare", export.display())]
    NoTrainingRows {
        /// The export.
        export: PathBuf,
    },
    /// An older version of prep exported with a scaler of other rows.
    #[error(
        "{} was made by an older prep with another export's scaler, and does not tell its own \
         means: export it again",
        export.display()
    )]
    NotTold {
        /// The export.
        export: PathBuf,
    },
}

/// Compares two exports.
///
/// # Errors
/// If a folder is no export, or its files are not those that its manifest lists.
pub fn diff_exports(old: &Path, new: &Path) -> Result<ExportDiff, DiffError> {
    let (old, new) = (ExportFolder::read(old)?, ExportFolder::read(new)?);
    let mut remarks = Vec::new();
    let same_encoder = old.receipt.encoder_version == new.receipt.encoder_version
        && old.receipt.feature_schema == new.receipt.feature_schema;
    if !same_encoder {
        remarks.push(format!(
            "the exports were made by different encoders (version {} and {}): every game's rows \
             may differ, so the games listed as changed are those whose logs did",
            old.receipt.encoder_version, new.receipt.encoder_version
        ));
    }
    let (splits, moved) = compare_games(&old.receipt, &new.receipt, same_encoder);
    for export in [&old, &new] {
        if export.receipt.games().values().any(|game| game.row_hash.is_none()) {
            remarks.push(format!(
                "{} was made by an older prep, whose manifest has no hash of each game: which \
                 games changed is not known",
                export.folder.display()
            ));
        }
    }
    let means = compare_means(&old, &new, &mut remarks)?;
    Ok(ExportDiff { old: old.facts(), new: new.facts(), splits, moved, means, remarks })
}

/// An export, without its arrays.
pub(super) struct ExportFolder<'p> {
    folder: &'p Path,
    pub(super) receipt: Receipt,
    pub(super) columns: Vec<String>,
}

impl ExportFolder<'_> {
    pub(super) fn read(folder: &Path) -> Result<ExportFolder<'_>, DiffError> {
        let failed = |why| DiffError { export: folder.to_owned(), why };
        if !folder.is_dir() {
            let what = if folder.exists() { "is a file" } else { "is not there" };
            return Err(failed(format!("it {what}: give a folder that prep export wrote")));
        }
        let receipt = Receipt::read_if_there(folder).map_err(failed)?.ok_or_else(|| {
            failed("it has no manifest.json: give a folder that prep export wrote".to_owned())
        })?;
        let mut export = ExportFolder { folder, receipt, columns: Vec::new() };
        export.columns = export.read_json(FEATURE_COLS_FILE)?;
        Ok(export)
    }

    fn failed(&self, why: String) -> DiffError {
        DiffError { export: self.folder.to_owned(), why }
    }

    /// Reads a file that is as the manifest says. One that is not belongs to another export (which
    /// may have taken this one's place a moment ago) or was changed.
    pub(super) fn read_json<T: serde::de::DeserializeOwned>(
        &self,
        name: &str,
    ) -> Result<T, DiffError> {
        let bytes = fs::read(self.folder.join(name))
            .map_err(|error| self.failed(format!("{name}: {error}")))?;
        self.check(name, &bytes)?;
        serde_json::from_slice(&bytes).map_err(|error| self.failed(format!("{name}: {error}")))
    }

    fn check(&self, name: &str, bytes: &[u8]) -> Result<(), DiffError> {
        let listed = self.receipt.files.get(name).map(|file| file.blake3.as_str());
        match listed == Some(blake3::hash(bytes).to_hex().as_str()) {
            true => Ok(()),
            false => Err(self.failed(format!(
                "{name} is not the file that its manifest.json lists: try again if an export was \
                 running, else export again"
            ))),
        }
    }

    fn facts(&self) -> ExportFacts {
        ExportFacts {
            export_id: self.receipt.export_id.clone(),
            encoder_version: self.receipt.encoder_version,
            games: self.receipt.games().len(),
            rows: Split::ALL.map(|split| self.receipt.split(split).rows).iter().sum(),
        }
    }

    /// Mean and spread of the training rows' columns; `normalized` says which are known.
    fn training_columns(&self) -> Result<Result<Scaler, NoMeans>, DiffError> {
        let export = || self.folder.to_owned();
        let columns = self.columns.len();
        let known = match self.read_json::<Stats>(STATS_FILE)?.training_sums {
            Some(sums) if sums.is_empty() => {
                return Ok(Err(NoMeans::NoTrainingRows { export: export() }));
            }
            Some(sums) => {
                TrainingSums::fit_all(sums).map_err(|error| self.failed(error.to_string()))?
            }
            None if self.receipt.settings.scaler != FITTED_ON_TRAIN => {
                return Ok(Err(NoMeans::NotTold { export: export() }));
            }
            None if self.receipt.split(Split::Train).rows == 0 => {
                return Ok(Err(NoMeans::NoTrainingRows { export: export() }));
            }
            None => read_scaler_arrays(self.folder).map_err(|why| self.failed(why))?.0,
        };
        let lengths = [&known.mean, &known.var, &known.scale].map(Vec::len);
        match lengths == [columns; 3] && known.normalized.len() == columns {
            true => Ok(Ok(known)),
            false => Err(self.failed("it does not hold one mean for each column".to_owned())),
        }
    }
}

fn compare_games(
    old: &Receipt,
    new: &Receipt,
    same_encoder: bool,
) -> (Vec<SplitDiff>, Vec<MovedGame>) {
    let (old_games, new_games) = (old.games(), new.games());
    let mut moved = Vec::new();
    let mut splits = Split::ALL.map(|split| SplitDiff {
        split,
        old_games: old_games.values().filter(|game| game.split == split).count(),
        new_games: new_games.values().filter(|game| game.split == split).count(),
        added: Vec::new(),
        removed: Vec::new(),
        changed: Some(Vec::new()),
        moved_in: 0,
        moved_out: 0,
    });
    for (&game_id, game) in &new_games {
        let Some(before) = old_games.get(&game_id) else {
            splits[game.split as usize].added.push(game_id);
            continue;
        };
        if before.split != game.split {
            moved.push(MovedGame { game_id, from: before.split, to: game.split });
            splits[before.split as usize].moved_out += 1;
            splits[game.split as usize].moved_in += 1;
        }
        let hashes = match same_encoder {
            true => (before.row_hash, game.row_hash),
            false => (before.log_hash, game.log_hash),
        };
        let changed = &mut splits[game.split as usize].changed;
        match hashes {
            (Some(before), Some(now)) if before == now => {}
            (Some(_), Some(_)) => changed.iter_mut().for_each(|changed| changed.push(game_id)),
            _ => *changed = None,
        }
    }
    for (&game_id, game) in &old_games {
        if !new_games.contains_key(&game_id) {
            splits[game.split as usize].removed.push(game_id);
        }
    }
    (splits.into(), moved)
}

fn compare_means(
    old: &ExportFolder<'_>,
    new: &ExportFolder<'_>,
    remarks: &mut Vec<String>,
) -> Result<Result<MeansDiff, NoMeans>, DiffError> {
    if old.columns.len() != new.columns.len() {
        let (old, new) = (old.columns.len(), new.columns.len());
        return Ok(Err(NoMeans::ColumnCount { old, new }));
    }
    let mut pairs = old.columns.iter().zip(&new.columns).enumerate();
    if let Some((column, (old, new))) = pairs.find(|(_, (old, new))| old != new) {
        let (old, new) = (old.clone(), new.clone());
        return Ok(Err(NoMeans::ColumnName { column, old, new }));
    }
    let (before, after) = match (old.training_columns()?, new.training_columns()?) {
        (Ok(before), Ok(after)) => (before, after),
        (Err(why), _) | (_, Err(why)) => return Ok(Err(why)),
    };
    let names: Vec<&str> = new.columns.iter().map(String::as_str).collect();
    let known: Vec<bool> =
        before.normalized.iter().zip(&after.normalized).map(|(&old, &new)| old && new).collect();
    let unknown = known.iter().filter(|&&known| !known).count();
    if unknown > 0 {
        remarks.push(format!(
            "an export was made by an older prep, which tells no means of the {unknown} columns \
             that are not normalised: those are not compared"
        ));
    }
    Ok(Ok(means_diff(&Scaler { normalized: known, ..before }, &after, &names)))
}

/// `old.normalized` says which columns to compare.
fn means_diff(old: &Scaler, new: &Scaler, names: &[&str]) -> MeansDiff {
    let compared = || (0..names.len()).filter(|&column| old.normalized[column]);
    let names_of = |columns: &mut dyn Iterator<Item = usize>| -> Vec<String> {
        columns.map(|column| names[column].to_owned()).collect()
    };
    let mut unit = old.clone();
    for column in compared().filter(|&column| old.var[column] == 0.0) {
        unit.scale[column] = match (new.var[column] > 0.0, new.mean[column] == old.mean[column]) {
            (true, _) => new.scale[column],
            (false, true) => 1.0,
            // Any distance is infinitely many of these.
            (false, false) => 0.0,
        };
    }
    MeansDiff {
        moved: drift(&unit, new, names),
        newly_varying: names_of(
            &mut compared().filter(|&column| old.var[column] == 0.0 && new.var[column] > 0.0),
        ),
        newly_constant: names_of(
            &mut compared().filter(|&column| old.var[column] > 0.0 && new.var[column] == 0.0),
        ),
    }
}
