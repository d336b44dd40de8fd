//! Compares two exports: games that were added, removed, changed or moved, and columns whose means drifted.
//!
//! Intended as a check before nightly training: a faulty simulator writes well-formed logs, and only
//! their statistics differ from earlier ones. Reads only the small files of both exports, no arrays.
//!
//! The shift of a mean is measured in standard deviations of the column in the old export. If the column
//! was constant there, the standard deviation in the new export is used, so that a new flag has a small
//! shift if it is set in 0.1% of the rows, and a large shift if it is set in half of them. The shift
//! between two constants is infinite.
//!
//! Means over a small number of games differ by chance, most of all those of rare flags. A shift of at
//! most [`CHANCE`] standard errors of the difference between the means counts as chance. The rows of a
//! game are highly correlated, so games are counted as samples, not rows.

use super::folder::{ExportFolder, FolderError};
use crate::dataset::{BySplit, Scaler, Split};
use crate::export::manifest::Manifest;
use crate::export::manifest::values::ScalerOrigin;
use crate::export::scaler_file::{ColumnDrift, drift, read_scaler_arrays};
use crate::export::statistics::{STATISTICS_FILE, Statistics};
use crate::gamelog::GameId;
use crate::words::{grouped, shown};
use serde::Serialize;
use std::collections::BTreeSet;
use std::path::Path;

/// 1 in 16,000 values of a normal distribution is farther out, so with all columns that almost never
/// happens by chance.
const CHANCE: f64 = 4.0;

/// The differences between two exports.
#[derive(Clone, Debug)]
pub struct ExportDiff {
    /// The old export.
    pub old: ExportFacts,
    /// The new export.
    pub new: ExportFacts,
    /// Each split, in order.
    pub splits: Vec<SplitDiff>,
    /// Games that are in different splits in the two exports, in ascending order.
    pub moved: Vec<MovedGame>,
    /// How the training rows have changed, or one sentence that says why this is unknown.
    pub means: Result<MeansDiff, String>,
    /// Limitations of the comparison, one sentence each.
    pub remarks: Vec<String>,
}

/// One of the exports.
#[derive(Clone, Debug, Serialize)]
pub struct ExportFacts {
    /// Its id; missing in exports of older versions of prep.
    pub export_id: Option<String>,
    /// Version of the encoder that made its rows.
    pub encoder_version: u32,
    /// Games in all splits.
    pub games: usize,
    /// Rows in all splits.
    pub rows: u64,
}

/// The differences of a split. All lists are in ascending order.
#[derive(Clone, Debug, Serialize)]
pub struct SplitDiff {
    /// The split.
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
    /// Games in this split of the new export that the old export has with different rows; if the
    /// encoders differ, with different logs. `None` if an export does not list hashes.
    pub changed: Option<Vec<GameId>>,
    /// Games that moved here from another split.
    pub moved_in: usize,
    /// Games that moved to another split.
    pub moved_out: usize,
}

impl SplitDiff {
    /// The cells of a table row: the split and its numbers in the order of the fields; `?` if unknown.
    pub fn cells(&self) -> Vec<String> {
        let number = |number: usize| grouped(number as u64);
        vec![
            self.split.name().to_owned(),
            number(self.old_games),
            number(self.new_games),
            number(self.added.len()),
            number(self.removed.len()),
            self.changed.as_ref().map_or("?".to_owned(), |changed| number(changed.len())),
            number(self.moved_in),
            number(self.moved_out),
        ]
    }
}

/// A game that changed split.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct MovedGame {
    /// The split.
    pub game_id: GameId,
    /// Its split in the old export.
    pub from: Split,
    /// Its split in the new export.
    pub to: Split,
}

/// How the training rows have changed.
#[derive(Clone, Debug)]
pub struct MeansDiff {
    /// The shifts of all columns that are known for both exports, largest first; the [module](self)
    /// explains the unit.
    pub moved: Vec<ColumnDrift>,
    /// Columns whose shift is explained by chance.
    by_chance: BTreeSet<String>,
    /// Columns that are no longer constant, in column order.
    pub newly_varying: Vec<String>,
    /// Columns that have become constant.
    pub newly_constant: Vec<String>,
}

impl MeansDiff {
    /// The columns whose mean moved by more than `limit` standard deviations and by more than chance
    /// explains, largest shift first.
    pub fn past(&self, max_drift: f64) -> Vec<&ColumnDrift> {
        let past = self.moved.iter().filter(|column| column.mean_shift.abs() > max_drift);
        past.filter(|column| !self.by_chance.contains(&column.column)).collect()
    }
}

/// Compares two exports.
///
/// # Errors
/// If a folder is not an export, or its files do not match its manifest.
pub fn diff_exports(old: &Path, new: &Path) -> Result<ExportDiff, FolderError> {
    let (old, new) = (ExportFolder::read(old)?, ExportFolder::read(new)?);
    let mut remarks = Vec::new();
    let same_encoder = old.manifest.encoder_version == new.manifest.encoder_version
        && old.manifest.feature_schema == new.manifest.feature_schema;
    if !same_encoder {
        remarks.push(format!(
            "the exports were made by different encoders (version {} and {}): the rows of every \
             game may differ, so only games with different logs are listed as changed",
            old.manifest.encoder_version, new.manifest.encoder_version
        ));
    }
    let [only_old, only_new] =
        [&old, &new].map(|export| export.manifest.settings.replayable_only == Some(true));
    if only_old != only_new {
        let export = if only_old { &old } else { &new };
        remarks.push(format!(
            "{} was made with --replayable-only, and the other export was not: games that do not \
             replay may be in only one of them",
            shown(export.path)
        ));
    }
    if old.manifest.settings.condition != new.manifest.settings.condition {
        let [old, new] = [&old, &new].map(|export| match &export.manifest.settings.condition {
            Some(condition) => format!("{} has the games where {condition}", shown(export.path)),
            None => format!("{} has all games", shown(export.path)),
        });
        remarks.push(format!("{}, and {}", shown(&old), shown(&new)));
    }
    let [old_outcomes, new_outcomes] = [&old, &new].map(|export| export.manifest.has_outcomes());
    if old_outcomes != new_outcomes {
        let export = if old_outcomes { &new } else { &old };
        remarks.push(format!(
            "{} was made by an older version of prep, and has no outcomes of the games",
            shown(export.path)
        ));
    }
    let (splits, moved) = compare_games(&old.manifest, &new.manifest, same_encoder);
    for export in [&old, &new] {
        if export.manifest.games().values().any(|game| game.row_hash.is_none()) {
            remarks.push(format!(
                "{} was made by an older version of prep, whose manifest has no hash of each game: \
                 it is unknown which games changed",
                shown(export.path)
            ));
        }
    }
    let means = compare_means(&old, &new, &mut remarks)?;
    let (old, new) = (facts(&old.manifest), facts(&new.manifest));
    Ok(ExportDiff { old, new, splits, moved, means, remarks })
}

fn facts(manifest: &Manifest) -> ExportFacts {
    ExportFacts {
        export_id: manifest.export_id.map(String::from),
        encoder_version: manifest.encoder_version,
        games: manifest.games().len(),
        rows: manifest.splits.iter().fold(0, |rows, (_, entry)| entry.rows.saturating_add(rows)),
    }
}

/// Mean and standard deviation of the columns over the training rows, or why they are unknown.
/// `normalized` marks the known ones.
fn training_columns(export: &ExportFolder<'_>) -> Result<Result<Scaler, String>, FolderError> {
    let folder = shown(export.path);
    let columns = export.columns.len();
    let no_rows = || format!("{folder} has no training rows, so there are no means to compare");
    let statistics: Statistics = export.read_json(STATISTICS_FILE)?;
    let known = match statistics.training_sums {
        Some(sums) if sums.rows == 0 => return Ok(Err(no_rows())),
        Some(sums) => sums.fit_all().map_err(|error| export.failed(error.to_string()))?,
        None if export.manifest.settings.scaler != ScalerOrigin::FittedHere => {
            return Ok(Err(format!(
                "{folder} was made by an older version of prep with the scaler of another export, \
                 and does not have its own means: export it again"
            )));
        }
        None if export.manifest.splits.train.rows == 0 => return Ok(Err(no_rows())),
        None => read_scaler_arrays(export.path).map_err(|why| export.failed(why))?.0,
    };
    let lengths = [&known.mean, &known.var, &known.scale].map(Vec::len);
    if lengths != [columns; 3] || known.normalized.len() != columns {
        return Err(export.failed("it does not hold one mean for each column".to_owned()));
    }
    Ok(Ok(known))
}

/// One sentence about how the columns of two exports differ; `None` if they are the same.
fn other_columns(old: &[String], new: &[String]) -> Option<String> {
    let difference = if old.len() == new.len() {
        let mut pairs = old.iter().zip(new).enumerate();
        let (column, (old, new)) = pairs.find(|(_, (old, new))| old != new)?;
        format!("column {column} is {} in one and {} in the other", shown(old), shown(new))
    } else {
        format!("{} and {}", old.len(), new.len())
    };
    Some(format!(
        "the exports have different columns ({difference}): their features cannot be compared, and \
         no model can use both"
    ))
}

fn compare_games(
    old: &Manifest,
    new: &Manifest,
    same_encoder: bool,
) -> (Vec<SplitDiff>, Vec<MovedGame>) {
    let (old_games, new_games) = (old.games(), new.games());
    let mut moved = Vec::new();
    let mut splits = BySplit::from_fn(|split| SplitDiff {
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
            splits[game.split].added.push(game_id);
            continue;
        };
        if before.split != game.split {
            moved.push(MovedGame { game_id, from: before.split, to: game.split });
            splits[before.split].moved_out += 1;
            splits[game.split].moved_in += 1;
        }
        let hashes = match same_encoder {
            true => (before.row_hash, game.row_hash),
            false => (before.log_hash, game.log_hash),
        };
        let changed = &mut splits[game.split].changed;
        match hashes {
            (Some(before), Some(now)) if before == now => {}
            (Some(_), Some(_)) => changed.iter_mut().for_each(|changed| changed.push(game_id)),
            _ => *changed = None,
        }
    }
    for (&game_id, game) in &old_games {
        if !new_games.contains_key(&game_id) {
            splits[game.split].removed.push(game_id);
        }
    }
    (splits.into_values().collect(), moved)
}

fn compare_means(
    old: &ExportFolder<'_>,
    new: &ExportFolder<'_>,
    remarks: &mut Vec<String>,
) -> Result<Result<MeansDiff, String>, FolderError> {
    if let Some(why) = other_columns(&old.columns, &new.columns) {
        return Ok(Err(why));
    }
    let (before, after) = match (training_columns(old)?, training_columns(new)?) {
        (Ok(before), Ok(after)) => (before, after),
        (Err(why), _) | (_, Err(why)) => return Ok(Err(why)),
    };
    let names: Vec<&str> = new.columns.iter().map(String::as_str).collect();
    let known: Vec<bool> =
        before.normalized.iter().zip(&after.normalized).map(|(&old, &new)| old && new).collect();
    let unknown = known.iter().filter(|&&known| !known).count();
    if unknown > 0 {
        remarks.push(format!(
            "an export was made by an older version of prep, which has no means of the {unknown} \
             columns that are not normalized: those are not compared"
        ));
    }
    let games = [old, new].map(|export| export.manifest.splits.train.games);
    Ok(Ok(means_diff(&Scaler { normalized: known, ..before }, &after, &names, games)))
}

/// `old.normalized` marks the columns to compare; `games` is the number of games of each export.
fn means_diff(old: &Scaler, new: &Scaler, names: &[&str], games: [u64; 2]) -> MeansDiff {
    let compared = || (0..names.len()).filter(|&column| old.normalized[column]);
    let names_of = |columns: &mut dyn Iterator<Item = usize>| -> Vec<String> {
        columns.map(|column| names[column].to_owned()).collect()
    };
    let mut unit = old.clone();
    for column in compared().filter(|&column| old.var[column] == 0.0) {
        unit.scale[column] = match (new.var[column] > 0.0, new.mean[column] == old.mean[column]) {
            (true, _) => new.scale[column],
            (false, true) => 1.0,
            // The shift is infinite.
            (false, false) => 0.0,
        };
    }
    let standard_error = |column: usize| {
        let [old_games, new_games] = games.map(|games| games.max(1) as f64);
        (old.var[column] / old_games + new.var[column] / new_games).sqrt()
    };
    let by_chance = |&column: &usize| {
        (new.mean[column] - old.mean[column]).abs() <= CHANCE * standard_error(column)
    };
    MeansDiff {
        by_chance: names_of(&mut compared().filter(by_chance)).into_iter().collect(),
        moved: drift(&unit, new, names),
        newly_varying: names_of(
            &mut compared().filter(|&column| old.var[column] == 0.0 && new.var[column] > 0.0),
        ),
        newly_constant: names_of(
            &mut compared().filter(|&column| old.var[column] > 0.0 && new.var[column] == 0.0),
        ),
    }
}
