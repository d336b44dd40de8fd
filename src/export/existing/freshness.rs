//! Checks whether exporting again would change an export, without reading its arrays.
//!
//! An export is a function of the games, the options and the version of prep, which its manifest
//! records. So it is up to date if a manifest made from the cache now has the same values, and its files
//! have the listed sizes. `prep verify --export` also reads the files.

use crate::cache::{Reader, Refusal};
use crate::dataset::{BySplit, Columns, Dataset, DatasetOptions, FeatureSet, Ratios};
use crate::export::error::ExportError;
use crate::export::manifest::values::ScalerOrigin;
use crate::export::manifest::{
    Inputs, Manifest, ManifestError, RefusedGame, ScalerEntry, Settings, SplitEntry, shard_folders,
};
use crate::export::options::ExportOptions;
use crate::export::publish::{check_replaceable, remove_leftovers};
use crate::export::scaler_file::{FEATURE_COLS_FILE, read_columns, read_scaler};
use crate::export::summary::{ExportSummary, SplitSummary};
use crate::gamelog::GameId;
use crate::words::{counted, shown};
use std::collections::BTreeSet;
use std::path::Path;

/// The manifest of an export whose rows are not written yet: everything except the values that follow
/// from them.
pub(in crate::export) fn manifest_before_rows(
    dataset: &Dataset<'_>,
    settings: Settings,
) -> Manifest {
    let selection = dataset.selection();
    let entry = |game_id, why| RefusedGame { game_id: Some(game_id), file: None, why };
    let refused = |refusals: &[Refusal]| -> Vec<RefusedGame> {
        let entries = refusals.iter();
        entries.map(|refusal| entry(refusal.game_id, refusal.message.clone())).collect()
    };
    let faulty = selection.does_not_replay.iter();
    let mut does_not_replay: Vec<_> =
        faulty.map(|game| entry(game.game_id, format!("does not replay: {}", game.why))).collect();
    let mut excluded = refused(&selection.excluded);
    if settings.replayable_only == Some(true) {
        excluded.append(&mut does_not_replay);
        excluded.sort_by_key(|game| game.game_id);
    }
    let inputs = Inputs {
        games: dataset.games().len() as u64,
        rows: dataset.rows().into_values().sum(),
        blake3: dataset.inputs_hash().into(),
        last_ingest_finished: Some(selection.last_ingest_finished),
    };
    let splits = BySplit::from_fn(|split| {
        let games = || dataset.in_split(split);
        SplitEntry {
            games: games().count() as u64,
            rows: games().map(|game| u64::from(game.rows)).sum(),
            game_ids: games().map(|game| game.game_id).collect(),
            log_hashes: Some(games().map(|game| game.log_hash).collect()),
            row_hashes: None,
        }
    });
    Manifest {
        games_in_two_splits: Some(Vec::new()),
        excluded: Some(excluded),
        from_an_older_log: Some(refused(&selection.outdated)),
        does_not_replay: Some(does_not_replay),
        not_replayed: Some(selection.not_replayed as u64),
        not_selected: settings.condition.as_ref().map(|_| selection.not_selected),
        ..Manifest::new(settings, inputs, splits)
    }
}

/// The settings in the manifest of an export with these options.
pub(in crate::export) fn settings(
    options: &ExportOptions,
    columns: &Columns,
    scaler: ScalerOrigin,
) -> Settings {
    Settings {
        split: options.dataset.ratios.parts(),
        split_method: options.dataset.split_method,
        seed: options.dataset.seed,
        features: options.dataset.columns.features(),
        columns: columns.count(),
        masks: options.masks,
        normalized: options.normalize,
        scaler,
        dtype: options.dtype,
        layout: options.layout,
        replayable_only: Some(options.dataset.replayable_only),
        condition: options.dataset.condition.clone(),
        shard: options.dataset.shard,
        shards: None,
    }
}

/// The summary of the existing export; `None` if `folder` is not up to date with the cache and these
/// options.
///
/// # Errors
/// If an export would fail: no games, games of another encoder, an unusable scaler.
pub fn up_to_date(
    cache: &Reader,
    options: &ExportOptions,
    folder: &Path,
) -> Result<Option<ExportSummary>, ExportError> {
    let dataset = Dataset::open(cache, &options.dataset)?;
    if folder.is_dir() {
        // First, because this may restore the export that a killed run was replacing.
        remove_leftovers(folder)?;
    }
    let Ok(stored) = Manifest::read(folder) else { return Ok(None) };
    let columns = read_columns(&folder.join(FEATURE_COLS_FILE)).ok();
    if check_replaceable(folder).is_err() || columns.as_ref() != Some(dataset.columns()) {
        // Without this, an export of foreign files would be reported as up to date instead of failing.
        return Ok(None);
    }
    let is_fitted = !dataset.training_games().is_empty();
    let (origin, scaler) = match &options.scaler_from {
        Some(export) => {
            let scaler = read_scaler(export, dataset.columns())?;
            let id = scaler.scaler.id(&dataset.columns().names()).into();
            let fitted_in = scaler.origin.fitted_in();
            (scaler.origin, Some(ScalerEntry { id, fitted_in }))
        }
        None if is_fitted => (ScalerOrigin::FittedHere, stored.scaler.clone()),
        None => (ScalerOrigin::NoTrainingRows, None),
    };
    let settings = settings(options, dataset.columns(), origin);
    let mut expected = manifest_before_rows(&dataset, settings);
    expected.scaler = scaler;
    if !differences(&stored, &expected).is_empty() || !damaged_files(&stored, folder).is_empty() {
        return Ok(None);
    }
    Ok(Some(ExportSummary {
        up_to_date: true,
        splits: stored
            .splits
            .iter()
            .map(|(split, entry)| SplitSummary {
                split,
                games: entry.games as usize,
                rows: entry.rows,
                illegal_labels: 0,
            })
            .collect(),
        columns: stored.settings.columns,
        bytes: stored.files.values().map(|file| file.bytes).sum(),
        selection: dataset.selection().clone(),
        identical_games: stored.identical_games.unwrap_or_default(),
        drift: None,
    }))
}

/// The reasons why exporting again with the same settings would change an export, one sentence each;
/// empty if it is up to date. A scaler of another export is not checked.
///
/// # Errors
/// As for [`up_to_date`].
pub fn stale_reasons(cache: &Reader, folder: &Path) -> Result<Vec<String>, ExportError> {
    let stored = match Manifest::read(folder) {
        Ok(stored) => stored,
        Err(ManifestError::Missing) => return Ok(vec!["there is no export".to_owned()]),
        Err(error) => return Ok(vec![error.to_string()]),
    };
    let settings = &stored.settings;
    let columns = match settings.features {
        // The manifest does not name that export.
        FeatureSet::Columns => match read_columns(&folder.join(FEATURE_COLS_FILE)) {
            Ok(columns) => columns,
            Err(error) => return Ok(vec![error.to_string()]),
        },
        features => Columns::of(features),
    };
    let Some(options) = dataset_options(settings, columns) else {
        return Ok(vec!["its manifest has impossible ratios".to_owned()]);
    };
    let dataset = Dataset::open(cache, &options)?;
    let mut expected = manifest_before_rows(&dataset, settings.clone());
    expected.scaler.clone_from(&stored.scaler);
    let mut reasons = differences(&stored, &expected);
    reasons.extend(damaged_files(&stored, folder));
    Ok(reasons)
}

/// Whether a cache has the games from which an export was made, each with the same log. Only then can the
/// same export be written again.
pub fn has_games_of(cache: &Reader, folder: &Path) -> bool {
    let Ok(stored) = Manifest::read(folder) else { return false };
    let options = dataset_options(&stored.settings, Columns::of(FeatureSet::All));
    let dataset = options.and_then(|options| Dataset::open(cache, &options).ok());
    dataset.is_some_and(|dataset| stored.inputs.blake3 == dataset.inputs_hash())
}

/// The options of an export from its manifest; `None` if the ratios are impossible.
fn dataset_options(settings: &Settings, columns: Columns) -> Option<DatasetOptions> {
    let [train, val, test] = settings.split;
    Some(DatasetOptions {
        ratios: Ratios::new(train, val, test).ok()?,
        split_method: settings.split_method,
        seed: settings.seed,
        columns,
        replayable_only: settings.replayable_only.unwrap_or_default(),
        condition: settings.condition.clone(),
        shard: settings.shard,
    })
}

/// The differences between a manifest and one that [`manifest_before_rows`] made, except for values that
/// follow from the rows.
fn differences(stored: &Manifest, expected: &Manifest) -> Vec<String> {
    let mut reasons = Vec::new();
    let mut now = expected.clone();
    reasons.extend(not_as_written(stored, &mut now));
    if stored.settings != now.settings {
        reasons.push("its settings differ".to_owned());
    } else if stored.scaler != now.scaler {
        reasons.push("its scaler differs".to_owned());
    }
    let (old, new) = (stored.games(), now.games());
    let added = new.keys().filter(|game_id| !old.contains_key(game_id)).count();
    let removed = old.keys().filter(|game_id| !new.contains_key(game_id)).count();
    let in_both = || new.iter().filter_map(|(game_id, game)| Some((game, old.get(game_id)?)));
    let changed = in_both().filter(|(new, old)| new.log_hash != old.log_hash).count();
    let moved = in_both().filter(|(new, old)| new.split != old.split).count();
    for (games, what) in [
        (added, "not in it yet"),
        (changed, "in it with different logs"),
        (removed, "in it and no longer in the cache"),
        (moved, "in other splits"),
    ] {
        if games > 0 {
            let are = if games == 1 { "is" } else { "are" };
            reasons.push(format!("{} {are} {what}", counted(games, "game")));
        }
    }
    if reasons.is_empty() && stored.inputs != now.inputs {
        reasons.push(match now.inputs.last_ingest_finished {
            _ if stored.inputs.blake3 != now.inputs.blake3 => {
                "the games of other shards are others".to_owned()
            }
            Some(true) => "it was written after an ingest that did not finish".to_owned(),
            _ => "the last ingest did not finish".to_owned(),
        });
    }
    let noted = |manifest: &Manifest| {
        let manifest = manifest.clone();
        let Manifest { excluded, from_an_older_log, does_not_replay, .. } = manifest;
        (excluded, from_an_older_log, does_not_replay, manifest.not_replayed)
    };
    if noted(stored) != noted(&now) {
        reasons.push("different games are refused, or do not replay".to_owned());
    }
    if stored.not_selected != now.not_selected {
        let [old, new] = [stored, &now].map(|manifest| manifest.not_selected.unwrap_or_default());
        let games = counted(new, "game");
        reasons.push(format!("{games} not selected by --where, {old} when it was written"));
    }
    if !stored.has_outcomes() {
        reasons.push("it has no outcomes of the games".to_owned());
    }
    reasons
}

/// The differences of a manifest from the manifests that this version of prep writes, of which `now`, which is
/// sealed here, is one.
pub(in crate::export) fn not_as_written(stored: &Manifest, now: &mut Manifest) -> Vec<String> {
    let mut reasons = Vec::new();
    if now.seal().is_err() || stored.compute_id().ok() != stored.export_id {
        reasons.push("its manifest was changed since it was written".to_owned());
    }
    let versions = |manifest: &Manifest| {
        let Manifest { prep_version, manifest_version, encoder_version, .. } = manifest;
        format!("{prep_version} (encoder {encoder_version}, manifest {manifest_version})")
    };
    if versions(stored) != versions(now) || stored.feature_schema != now.feature_schema {
        let (old, new) = (versions(stored), versions(now));
        reasons.push(format!("it was written by prep {}, this is {new}", shown(&old)));
    }
    reasons
}

/// Files that are missing or whose sizes differ from the manifest, also those of the shards.
fn damaged_files(manifest: &Manifest, folder: &Path) -> Vec<String> {
    let mut damaged = damaged_in(manifest, folder);
    for name in shard_folders(manifest) {
        let shard = folder.join(name);
        let in_shard = match Manifest::read(&shard) {
            Ok(manifest) => damaged_in(&manifest, &shard),
            Err(error) => vec![error.to_string()],
        };
        damaged.extend(in_shard.iter().map(|what| format!("{name}/{what}")));
    }
    damaged
}

fn damaged_in(manifest: &Manifest, folder: &Path) -> Vec<String> {
    let damaged = |name: &str, bytes: u64| match std::fs::metadata(folder.join(name)) {
        Ok(file) if file.is_file() && file.len() == bytes => None,
        Ok(file) => Some(format!("{name} has {} instead of {bytes}", counted(file.len(), "byte"))),
        Err(error) => Some(format!("{name} cannot be read: {error}")),
    };
    let files = manifest.files.iter();
    files.filter_map(|(name, file)| damaged(name, file.bytes)).collect()
}

/// Warnings that the previous export already had, so that nightly exports need not repeat them.
#[derive(Clone, Debug, Default)]
pub struct Noted {
    /// Games that are excluded, outdated or do not replay, each with the reason.
    games: BTreeSet<(GameId, String)>,
}

impl Noted {
    /// Reads the manifest of the export in a folder, if there is one.
    pub fn of(folder: &Path) -> Noted {
        let Ok(manifest) = Manifest::read(folder) else { return Noted::default() };
        let lists = [manifest.excluded, manifest.from_an_older_log, manifest.does_not_replay];
        let games = lists.into_iter().flatten().flatten();
        Noted { games: games.filter_map(|game| Some((game.game_id?, game.why))).collect() }
    }

    /// Whether it lists this game with the same reason.
    pub fn has(&self, game_id: GameId, why: &str) -> bool {
        self.games.contains(&(game_id, why.to_owned()))
    }
}
