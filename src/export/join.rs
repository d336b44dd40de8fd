//! Joins the shards of an export: writes a folder that contains all of them, with the small files and the manifest
//! of the whole.
//!
//! A shard is an export of a part of the games of each split. The selection, the splits and the scaler are those of
//! all games, so the concatenated rows of the shards, and the small files, equal those of an export without shards.

use super::error::ExportError;
use super::existing::folder::{ExportFolder, FolderError};
use super::existing::freshness::not_as_written;
use super::files::ExportFiles;
use super::label_mappings::LABEL_MAPPINGS_FILE;
use super::manifest::{IdenticalGames, MANIFEST_FILE, MAX_SMALL_FILE, Manifest, SplitEntry};
use super::publish::Staging;
use super::scaler_file::{FEATURE_COLS_FILE, SCALER_FILE};
use super::statistics::{
    MASK_VALIDATION_FILE, MaskValidation, MaskValidationFile, RowCounts, STATISTICS_FILE,
    Statistics, StatisticsFile,
};
use crate::dataset::{BySplit, ShortHash, Split};
use crate::disk_space::{free_bytes, is_of_full_disk};
use crate::parallel::Part;
use crate::platform::read_file;
use crate::progress::{Amount, Progress};
use crate::words::{counted, shown};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

/// Files that are the same in all shards.
const SHARED: [&str; 3] = [FEATURE_COLS_FILE, LABEL_MAPPINGS_FILE, SCALER_FILE];

/// The summary of a join.
#[derive(Clone, Debug)]
pub struct JoinSummary {
    /// Games in all splits.
    pub games: u64,
    /// Rows in all splits.
    pub rows: u64,
    /// Games with identical rows, also in different shards.
    pub identical_games: Vec<IdenticalGames>,
}

/// Why shards were not joined. The output folder is unchanged; see [`PublishError`](super::PublishError) for the
/// exception.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// A folder is not an export, or a file does not match its manifest.
    #[error(transparent)]
    Shard(#[from] FolderError),
    /// They are not all shards of one export.
    #[error("the shards are not one export: {0}")]
    NotOneSet(String),
    /// Another version of prep wrote a shard, or its manifest was changed.
    #[error("cannot join {}: {why}: export it again", shown(shard))]
    OtherVersion {
        /// The folder.
        shard: PathBuf,
        /// The reasons.
        why: String,
    },
    /// The output folder is one of the shards.
    #[error("{} is one of the shards, and would be replaced: choose another OUT", shown(.0))]
    IsShard(PathBuf),
    /// The export could not be written.
    #[error(transparent)]
    Export(#[from] ExportError),
}

/// Joins all shards of an export, given in any order, and replaces `out` atomically. Files are linked if the file
/// system allows it, and copied otherwise; the folders of the shards are unchanged.
///
/// # Errors
/// If a folder is not a shard that this version of prep wrote, these are not all shards of one export, or `out` may
/// not be replaced or cannot be written. Then `out` is unchanged.
pub fn join_shards(
    out: &Path,
    shards: &[PathBuf],
    progress: &dyn Progress,
    stop: &AtomicBool,
) -> Result<JoinSummary, JoinError> {
    let shards = shards.iter().map(|shard| ExportFolder::read(shard));
    let mut shards: Vec<ExportFolder<'_>> = shards.collect::<Result<_, _>>()?;
    let is_out = |path: &Path| match (fs::canonicalize(path), fs::canonicalize(out)) {
        (Ok(path), Ok(out)) => path == out,
        _ => false,
    };
    if shards.iter().any(|shard| is_out(shard.path)) {
        return Err(JoinError::IsShard(out.to_owned()));
    }
    // The joined manifest claims this version of prep for all of them.
    for shard in &shards {
        let why = not_as_written(&shard.manifest, &mut shard.manifest.clone());
        if !why.is_empty() {
            let shard = shard.path.to_owned();
            return Err(JoinError::OtherVersion { shard, why: why.join(", ") });
        }
    }
    shards.sort_by_key(|shard| shard.manifest.settings.shard.map(Part::number));
    let manifests: Vec<&Manifest> = shards.iter().map(|shard| &shard.manifest).collect();
    let mut manifest = joined(&manifests).map_err(JoinError::NotOneSet)?;
    let files = manifests.iter().flat_map(|shard| shard.files.values());
    let needed = files.fold(0_u64, |sum, file| sum.saturating_add(file.bytes));
    let written = write_joined(out, &shards, &mut manifest, progress, stop);
    // The incomplete export has been removed, so that its space is free again.
    written.map_err(|error| match error {
        JoinError::Export(error) if error.is_of_full_disk() => {
            ExportError::DiskFull { out: out.to_owned(), needed, free: free_bytes(out) }.into()
        }
        error => error,
    })?;
    let Manifest { inputs, identical_games, .. } = manifest;
    let identical_games = identical_games.unwrap_or_default();
    Ok(JoinSummary { games: inputs.games, rows: inputs.rows, identical_games })
}

fn write_joined(
    out: &Path,
    shards: &[ExportFolder<'_>],
    manifest: &mut Manifest,
    progress: &dyn Progress,
    stop: &AtomicBool,
) -> Result<(), JoinError> {
    let (statistics, counts) = join_statistics(shards)?;
    let staging = Staging::create(out).map_err(ExportError::from)?;
    let mut files = ExportFiles::new(staging.path(), progress);
    progress.begin("joining", Amount::Unknown);
    for name in SHARED.iter().filter(|&&name| shards[0].manifest.files.contains_key(name)) {
        let bytes = shards[0].read_bytes(name)?;
        files.write(name, &bytes)?;
    }
    files.write_json(STATISTICS_FILE, &StatisticsFile::new(&statistics, &counts))?;
    files.write_json(MASK_VALIDATION_FILE, &MaskValidationFile::new(&counts))?;
    for shard in shards {
        if stop.load(Ordering::Relaxed) {
            return Err(ExportError::Interrupted.into());
        }
        add_shard(shard, &mut files)?;
    }
    progress.end();
    files.write_manifest(manifest)?;
    Ok(staging.publish(progress).map_err(ExportError::from)?)
}

/// The manifest of all shards of an export, in their order, without its files. An error is a readable reason.
pub(super) fn joined(shards: &[&Manifest]) -> Result<Manifest, String> {
    let [first, ..] = shards else { return Err("there are no shards".to_owned()) };
    let of = shards.len();
    for (place, shard) in shards.iter().enumerate() {
        let Some(part) = shard.settings.shard else {
            return Err(
                "one of them is not a shard: shards are written with --shard K/N".to_owned()
            );
        };
        if (part.number() as usize, part.of() as usize) != (place + 1, of) {
            let among = counted(of, "shard");
            return Err(format!("found shard {part} among {among}: give every shard exactly once"));
        }
        if common_fields(shard) != common_fields(first) {
            return Err(format!(
                "shard {part} is from other games or options than shard 1/{of}: export it again"
            ));
        }
    }
    let mut manifest = Manifest::clone(first);
    manifest.settings.shard = None;
    manifest.settings.shards = u32::try_from(of).ok();
    manifest.inputs.games = shards.iter().map(|shard| shard.inputs.games).sum();
    manifest.inputs.rows = shards.iter().map(|shard| shard.inputs.rows).sum();
    manifest.splits = BySplit::from_fn(|split| {
        let entries = || shards.iter().map(|shard| &shard.splits[split]);
        let hashes = |of: fn(&SplitEntry) -> &Option<Vec<ShortHash>>| {
            Some(entries().flat_map(|entry| of(entry).iter().flatten()).copied().collect())
        };
        SplitEntry {
            games: entries().map(|entry| entry.games).sum(),
            rows: entries().map(|entry| entry.rows).sum(),
            game_ids: entries().flat_map(|entry| &entry.game_ids).copied().collect(),
            log_hashes: hashes(|entry| &entry.log_hashes),
            row_hashes: hashes(|entry| &entry.row_hashes),
        }
    });
    manifest.identical_games = Some(manifest.find_identical_games());
    manifest.files.clear();
    Ok(manifest)
}

/// The fields that are the same in all shards of an export.
fn common_fields(shard: &Manifest) -> String {
    let mut shard = shard.clone();
    shard.export_id = None;
    shard.settings.shard = None;
    (shard.inputs.games, shard.inputs.rows) = (0, 0);
    shard.splits = BySplit::default();
    shard.identical_games = None;
    shard.files.retain(|name, _| SHARED.contains(&&**name));
    as_text(&shard)
}

fn as_text(manifest: &Manifest) -> String {
    serde_json::to_string(manifest).expect("a manifest is JSON")
}

/// The statistics of all rows, and their counts.
fn join_statistics(
    shards: &[ExportFolder<'_>],
) -> Result<(Statistics, BySplit<RowCounts>), FolderError> {
    let mut counts = BySplit::<RowCounts>::default();
    let mut total_samples = 0;
    let mut last = None;
    for shard in shards {
        let statistics: Statistics = shard.read_json(STATISTICS_FILE)?;
        let validation: BySplit<MaskValidation> = shard.read_json(MASK_VALIDATION_FILE)?;
        for split in Split::ALL {
            let of_shard = RowCounts::restore(&statistics.splits[split], &validation[split]);
            counts[split].add(&of_shard);
        }
        total_samples += statistics.total_samples;
        last = Some(statistics);
    }
    // Every shard has the drift and the sums of all rows.
    let statistics = Statistics {
        total_samples,
        splits: BySplit::from_fn(|split| counts[split].statistics()),
        ..last.expect("there are shards")
    };
    Ok((statistics, counts))
}

fn add_shard(shard: &ExportFolder<'_>, files: &mut ExportFiles<'_>) -> Result<(), JoinError> {
    let part = shard.manifest.settings.shard.expect("it is a shard");
    // The names sort in the order of the rows.
    let name = format!("shard-{:05}-of-{:05}", part.number(), part.of());
    let folder = files.path(&name);
    fs::create_dir(&folder).map_err(|error| ExportError::file(&folder, error))?;
    for (file, entry) in &shard.manifest.files {
        let (from, to) = (shard.path.join(&**file), folder.join(&**file));
        // Some file systems have no hard links.
        let linked = fs::hard_link(&from, &to).or_else(|_| fs::copy(&from, &to).map(drop));
        linked.map_err(|error| match is_of_full_disk(&error) {
            true => ExportError::file(&to, error),
            false => ExportError::UnreadableFile { path: from, error },
        })?;
        let bytes = fs::metadata(&to).map_err(|error| ExportError::file(&to, error))?.len();
        if bytes != entry.bytes {
            let why = format!("{} does not have the size in its manifest", &**file);
            return Err(shard.failed(why).into());
        }
    }
    let path = shard.path.join(MANIFEST_FILE);
    let manifest = read_file(&path, MAX_SMALL_FILE)
        .map_err(|error| ExportError::UnreadableFile { path, error })?;
    // Another export may have replaced the shard, between two files.
    let now = serde_json::from_slice::<Manifest>(&manifest).ok();
    if now.is_none_or(|now| as_text(&now) != as_text(&shard.manifest)) {
        let why = "another export replaced it meanwhile: join again".to_owned();
        return Err(shard.failed(why).into());
    }
    Ok(files.write(&format!("{name}/{MANIFEST_FILE}"), &manifest)?)
}
