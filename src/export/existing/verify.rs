//! Checks an export against its manifest: every file, every shape, every game.

use super::arrays::{NpzArchive, Shape, game_ids_of_index, npy_shape};
use super::parquet_shape::parquet_shape;
use crate::dataset::{FeatureSet, Split};
use crate::encode::Head;
use crate::export::error::ExportError;
use crate::export::files::array_file;
use crate::export::join::joined;
use crate::export::manifest::values::ScalerOrigin;
use crate::export::manifest::{
    FileEntry, MANIFEST_FILE, MAX_SMALL_FILE, Manifest, ManifestError, Settings, SplitEntry,
    shard_folders,
};
use crate::export::options::Layout;
use crate::export::scaler_file::FEATURE_COLS_FILE;
use crate::export::writers::parquet::file_name as parquet_file;
use crate::gamelog::GameId;
use crate::platform::{open_file, read_file};
use crate::progress::{Amount, Counted, Progress};
use crate::words::{shell_path, shell_word};
use std::collections::BTreeSet;
use std::fs;
use std::io::{ErrorKind, Read};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

/// A fault of an export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportFault {
    /// The file.
    pub file: String,
    /// The fault in one sentence.
    pub what: String,
    /// Whether the file is foreign, that is, not part of the export. A folder with a foreign file is
    /// never replaced, so the file must be moved elsewhere.
    pub is_foreign: bool,
}

/// The result of a verification.
#[derive(Clone, Debug, Default)]
pub struct ExportVerification {
    /// All faults, by file.
    pub faults: Vec<ExportFault>,
    /// The command of prep that writes the export again, with the settings of its manifest and without the
    /// cache; for an export of shards, the one that writes shard `K`. `None` without a manifest: no export may
    /// replace such a folder.
    pub command: Option<String>,
    /// For an export of shards: the command that joins them again.
    pub join: Option<String>,
    /// Number of checked files.
    pub files: usize,
    /// Their size in bytes.
    pub bytes: u64,
    /// Whether the verification was stopped early.
    pub interrupted: bool,
}

impl ExportVerification {
    /// Whether no faults were found.
    pub fn is_clean(&self) -> bool {
        self.faults.is_empty() && !self.interrupted
    }

    fn fault(&mut self, file: impl Into<String>, what: impl Into<String>) {
        self.faults.push(ExportFault { file: file.into(), what: what.into(), is_foreign: false });
    }

    fn foreign(&mut self, file: &str) {
        let what = "is not in the manifest: move it elsewhere".to_owned();
        self.faults.push(ExportFault { file: file.to_owned(), what, is_foreign: true });
    }
}

/// Compares every file of an export with its manifest: size, hash, the shape in each array's header, and
/// the games of each split. Lists all faults; writes nothing.
///
/// # Errors
/// If the folder does not exist or cannot be listed, or its manifest cannot be read.
pub fn verify_export(
    folder: &Path,
    progress: &dyn Progress,
    stop: &AtomicBool,
) -> Result<ExportVerification, ExportError> {
    verify(folder, progress, stop).map(|(found, _)| found)
}

/// Also returns the manifest, if it is valid.
fn verify(
    folder: &Path,
    progress: &dyn Progress,
    stop: &AtomicBool,
) -> Result<(ExportVerification, Option<Manifest>), ExportError> {
    let mut found = ExportVerification::default();
    let present =
        list(folder).map_err(|error| ExportError::Unreadable { path: folder.to_owned(), error })?;
    let manifest = match Manifest::read(folder) {
        Ok(manifest) => manifest,
        Err(ManifestError::Unreadable(error)) => {
            return Err(ExportError::UnreadableFile { path: folder.join(MANIFEST_FILE), error });
        }
        Err(error) => {
            let what = match error {
                ManifestError::Missing => "is missing".to_owned(),
                ManifestError::Invalid(error) => format!("is not a manifest of an export: {error}"),
                error => error.to_string(),
            };
            found.fault(MANIFEST_FILE, what);
            return Ok((found, None));
        }
    };
    if let Some(id) = &manifest.export_id
        && manifest.compute_id().is_ok_and(|computed| computed != *id)
    {
        found.fault(MANIFEST_FILE, "was changed after its export_id was computed");
    }
    for name in present.iter().filter(|name| *name != MANIFEST_FILE && !name.starts_with('.')) {
        let is_folder_of_files = || {
            let mut names = manifest.files.keys();
            names.any(|file| file.split_once('/').is_some_and(|(folder, _)| folder == name))
        };
        if !manifest.files.contains_key(name.as_str()) && !is_folder_of_files() {
            found.foreign(name);
        }
    }
    let shards = verify_shards(folder, &manifest, &mut found, progress, stop)?;
    let bytes = manifest.files.values().fold(0_u64, |sum, file| sum.saturating_add(file.bytes));
    progress.begin("checking files", Amount::Bytes(bytes));
    for (name, entry) in &manifest.files {
        if stop.load(Ordering::Relaxed) {
            found.interrupted = true;
            break;
        }
        check_file(folder, name, entry, &mut found, progress, stop);
    }
    progress.end();
    match shards {
        Some(shards) => check_shards(&manifest, &shards, &mut found),
        None if manifest.settings.shards.is_some() => {}
        None => {
            for (split, entry) in manifest.splits.iter() {
                let manifest = &manifest;
                SplitCheck { folder, manifest, split, entry, found: &mut found }.run();
            }
        }
    }
    for (game_id, [one, other]) in manifest.repeated_games() {
        let splits = match one == other {
            true => format!("twice in {}", one.name()),
            false => format!("in {} and in {}", one.name(), other.name()),
        };
        found.fault(MANIFEST_FILE, format!("game {game_id} is {splits}"));
    }
    check_names(folder, &manifest, &mut found);
    let columns = match found.faults.iter().any(|fault| fault.file == FEATURE_COLS_FILE) {
        // The names of the columns are unknown.
        true => "FILE".to_owned(),
        false => shell_path(&folder.join(FEATURE_COLS_FILE)),
    };
    let flags = flags(&manifest.settings, &columns);
    let out = shell_path(folder);
    // Without --force, an export with files of the right sizes is taken as up to date.
    found.command = Some(match manifest.settings.shards {
        None => format!("export --out {out}{flags} --force"),
        Some(of) => format!("export --out SHARD --shard K/{of}{flags} --force"),
    });
    found.join = manifest.settings.shards.map(|_| format!("join {out} SHARD..."));
    found.faults.sort_by(|a, b| a.file.cmp(&b.file));
    Ok((found, Some(manifest)))
}

/// Verifies each shard of an export as an export. Returns their manifests; `None` if this is not an export of
/// shards, or a manifest is missing or invalid, which is reported.
fn verify_shards(
    folder: &Path,
    manifest: &Manifest,
    found: &mut ExportVerification,
    progress: &dyn Progress,
    stop: &AtomicBool,
) -> Result<Option<Vec<Manifest>>, ExportError> {
    let mut manifests = Vec::new();
    for name in shard_folders(manifest) {
        let shard = folder.join(name);
        if !shard.exists() {
            // Its manifest is reported as missing.
            manifests.push(None);
            continue;
        }
        let (of_shard, manifest) = verify(&shard, progress, stop)?;
        manifests.push(manifest);
        found.files += of_shard.files;
        found.bytes += of_shard.bytes;
        found.interrupted |= of_shard.interrupted;
        found.faults.extend(of_shard.faults.into_iter().map(|fault| {
            let file = format!("{name}/{}", fault.file);
            ExportFault { file, ..fault }
        }));
    }
    Ok(manifest.settings.shards.and_then(|_| manifests.into_iter().collect()))
}

/// Compares the manifest of an export of shards with theirs.
fn check_shards(manifest: &Manifest, shards: &[Manifest], found: &mut ExportVerification) {
    match joined(&shards.iter().collect::<Vec<_>>()) {
        Err(why) => found.fault(MANIFEST_FILE, format!("the shards are not one export: {why}")),
        Ok(mut whole) => {
            (whole.export_id, whole.files) = (manifest.export_id, manifest.files.clone());
            whole.prep_version.clone_from(&manifest.prep_version);
            if serde_json::to_string(&whole).ok() != serde_json::to_string(manifest).ok() {
                found.fault(MANIFEST_FILE, "differs from the manifests of the shards");
            }
        }
    }
}

fn list(folder: &Path) -> std::io::Result<BTreeSet<String>> {
    let entries = fs::read_dir(folder)?;
    entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
}

/// The settings of an export as the flags that choose them, with the file of its columns.
fn flags(settings: &Settings, columns: &str) -> String {
    let [train, val, test] = settings.split;
    let layout = settings.layout;
    let flag = if layout == Layout::Parquet { "format" } else { "layout" };
    let mut flags = format!(
        " --split {train},{val},{test} --split-method {} --seed {} --{} --masks {} --dtype {} --{flag} {}",
        settings.split_method.name(),
        settings.seed,
        match settings.features {
            FeatureSet::Columns => format!("columns {columns}"),
            features => format!("features {features}"),
        },
        settings.masks,
        settings.dtype.name(),
        layout.name()
    );
    if !settings.normalized {
        flags += " --no-normalize";
    }
    if settings.replayable_only == Some(true) {
        flags += " --replayable-only";
    }
    if let Some(condition) = &settings.condition {
        // Joined with `=`, because it may begin with a dash.
        flags += &format!(" --where={}", shell_word(condition));
    }
    if let Some(shard) = settings.shard {
        flags += &format!(" --shard {shard}");
    }
    if settings.scaler != ScalerOrigin::FittedHere {
        flags += " --scaler-from EXPORT";
    }
    flags
}

/// A reader that fails when the run should stop.
struct Stoppable<'s, R> {
    reader: R,
    stop: &'s AtomicBool,
}

impl<R: Read> Read for Stoppable<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.stop.load(Ordering::Relaxed) { Ok(0) } else { self.reader.read(buffer) }
    }
}

fn check_file(
    folder: &Path,
    name: &str,
    entry: &FileEntry,
    found: &mut ExportVerification,
    progress: &dyn Progress,
    stop: &AtomicBool,
) {
    let path = folder.join(name);
    let mut hasher = blake3::Hasher::new();
    let read = open_file(&path).and_then(|file| {
        let bytes = file.metadata()?.len();
        // Limited to the listed size: some special files have a size of 0 and no end.
        if bytes == entry.bytes {
            let stoppable = Stoppable { reader: file.take(bytes), stop };
            hasher.update_reader(Counted::new(stoppable, progress))?;
        }
        Ok(bytes)
    });
    if stop.load(Ordering::Relaxed) {
        found.interrupted = true;
        return;
    }
    match read {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            found.fault(name, "is missing");
            progress.advance(entry.bytes);
        }
        Err(error) => found.fault(name, format!("cannot be read: {error}")),
        Ok(bytes) => {
            found.files += 1;
            found.bytes += bytes;
            if bytes != entry.bytes {
                let listed = entry.bytes;
                found.fault(name, format!("has {bytes} bytes, but {listed} in the manifest"));
            } else if entry.blake3 != hasher.finalize() {
                found.fault(name, "does not have the hash in the manifest (blake3)");
            }
        }
    }
}

/// Checks the arrays of a split against the rows, columns and games that the manifest lists.
struct SplitCheck<'c> {
    folder: &'c Path,
    manifest: &'c Manifest,
    split: Split,
    entry: &'c SplitEntry,
    found: &'c mut ExportVerification,
}

impl SplitCheck<'_> {
    fn run(mut self) {
        let (name, games, listed) =
            (self.split.name(), self.entry.games, self.entry.game_ids.len());
        if games != listed as u64 {
            let what = format!("{name} has {games} games, but {listed} are listed");
            self.found.fault(MANIFEST_FILE, what);
        }
        match self.manifest.settings.layout {
            layout @ (Layout::Npz | Layout::Npy) => self.check_arrays(layout),
            Layout::Parquet => self.check_table(),
        }
    }

    fn check_arrays(&mut self, layout: Layout) {
        let name = self.split.name();
        let columns = self.manifest.settings.columns;
        self.check_array(&format!("X_{name}.npy"), "X", Some(columns));
        for kind in ["labels", "masks"] {
            if layout == Layout::Npz {
                self.check_archive(&format!("{kind}_{name}.npz"));
                continue;
            }
            for head in Head::ALL.map(Head::name) {
                self.check_array(&array_file(kind, self.split, head), head, None);
            }
        }
        // Missing in exports of earlier versions.
        let outcome = format!("outcome_{name}.npz");
        if self.manifest.files.contains_key(outcome.as_str()) {
            self.check_archive(&outcome);
        }
        let index = format!("index_{name}.npz");
        self.check_archive(&index);
        if let Ok(game_ids) = game_ids_of_index(&self.folder.join(&index)) {
            self.compare_games(&index, &game_ids);
        }
    }

    fn check_table(&mut self) {
        let (file, columns) = (parquet_file(self.split), self.manifest.settings.columns);
        if let Some(table) = self.read(&file, |path| parquet_shape(path, columns)) {
            self.compare(&file, "features", &table.features, Some(columns));
            self.compare_games(&file, &table.game_ids);
        }
    }

    fn check_array(&mut self, file: &str, array: &str, columns: Option<usize>) {
        if let Some(shape) = self.read(file, npy_shape) {
            self.compare(file, array, &shape, columns);
        }
    }

    fn check_archive(&mut self, file: &str) {
        let shapes = |path: &Path| NpzArchive::open(path)?.shapes();
        for (array, shape) in self.read(file, shapes).into_iter().flatten() {
            self.compare(file, &array, &shape, None);
        }
    }

    /// Reads a file; `None` if it is missing, which the check of hashes reports, or invalid.
    fn read<T, E: ToString>(
        &mut self,
        file: &str,
        read: impl FnOnce(&Path) -> Result<T, E>,
    ) -> Option<T> {
        let path = self.folder.join(file);
        if self.manifest.files.contains_key(file) && !path.exists() {
            return None;
        }
        read(&path).map_err(|error| self.found.fault(file, error.to_string())).ok()
    }

    fn compare(&mut self, file: &str, array: &str, shape: &Shape, columns: Option<usize>) {
        let rows = self.entry.rows as usize;
        if shape.first() == Some(&rows) && (columns.is_none() || shape.get(1) == columns.as_ref()) {
            return;
        }
        let expected = match columns {
            Some(columns) => format!("({rows}, {columns})"),
            None => format!("{rows} rows"),
        };
        let what = format!("{array} has shape {shape:?}, expected {expected} as in the manifest");
        self.found.fault(file, what);
    }

    /// Compares the games in the index of the split with those in the manifest.
    fn compare_games(&mut self, file: &str, in_index: &BTreeSet<GameId>) {
        let name = self.split.name();
        let in_manifest: BTreeSet<GameId> = self.entry.game_ids.iter().copied().collect();
        for game_id in in_index.symmetric_difference(&in_manifest) {
            let (has, has_not) = match in_index.contains(game_id) {
                true => ("the index", "the manifest"),
                false => ("the manifest", "the index"),
            };
            let what = format!("game {game_id} is in {name} by {has} and not by {has_not}");
            self.found.fault(file, what);
        }
    }
}

/// Compares the number of column names with the number of columns.
fn check_names(folder: &Path, manifest: &Manifest, found: &mut ExportVerification) {
    // The check of hashes reports a missing or invalid file.
    let Ok(text) = read_file(&folder.join(FEATURE_COLS_FILE), MAX_SMALL_FILE) else { return };
    let Ok(names) = serde_json::from_slice::<Vec<String>>(&text) else { return };
    let columns = manifest.settings.columns;
    if names.len() != columns {
        let names = names.len();
        found.fault(
            FEATURE_COLS_FILE,
            format!("names {names} columns, but the manifest has {columns}"),
        );
    }
}
