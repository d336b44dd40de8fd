//! Whether an export is still what its manifest says: every file, every shape, every game.

use super::files::array_file;
use super::manifest::{FITTED_ON_TRAIN, MANIFEST_FILE, export_id_of};
use super::parquet_shape::parquet_shape;
use super::parquet_writer::file_name as parquet_file;
use super::scaler_file::FEATURE_COLS_FILE;
use super::shapes::{Shape, game_ids_of_index, npy_shape, npz_shapes};
use super::split::Split;
use super::{ExportError, Layout};
use crate::gamelog::GameId;
use crate::progress::{Amount, Counted, Progress};
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

/// One thing that is wrong with an export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportFault {
    /// The file it is about.
    pub file: String,
    /// What is wrong, in one sentence.
    pub what: String,
    /// Whether it is no file of the export. No export replaces a folder with such a file: it has to
    /// be moved elsewhere.
    pub is_foreign: bool,
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct ExportVerification {
    /// Everything that is wrong, by file.
    pub faults: Vec<ExportFault>,
    /// The command that writes the export anew, with the settings of its manifest; `None` without
    /// one: whatever the folder is, no export may replace it.
    pub command: Option<String>,
    /// Files looked at.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
    /// Whether it was stopped before its end.
    pub interrupted: bool,
}

impl ExportVerification {
    /// Whether the export is what it was.
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

/// What a manifest says about its files. All that it says is covered by the export's id.
#[derive(Deserialize)]
struct Receipt {
    files: BTreeMap<String, Listed>,
    settings: Settings,
    splits: BTreeMap<String, ListedSplit>,
}

#[derive(Deserialize)]
struct Listed {
    bytes: u64,
    blake3: String,
}

#[derive(Deserialize)]
struct Settings {
    columns: usize,
    layout: String,
}

#[derive(Deserialize)]
struct ListedSplit {
    games: usize,
    rows: usize,
    game_ids: Vec<GameId>,
}

/// Compares every file of an export with its manifest: size, hash, the shape in each array's
/// header, and the games of each split. Lists everything; writes nothing.
///
/// # Errors
/// If the folder is not there or cannot be listed, or its manifest is there and cannot be read.
pub fn verify_export(
    folder: &Path,
    progress: &dyn Progress,
    stop: &AtomicBool,
) -> Result<ExportVerification, ExportError> {
    let mut found = ExportVerification::default();
    let there =
        list(folder).map_err(|error| ExportError::Unreadable { path: folder.to_owned(), error })?;
    let text = match fs::read(folder.join(MANIFEST_FILE)) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            found.fault(MANIFEST_FILE, "is missing");
            return Ok(found);
        }
        Err(error) => {
            return Err(ExportError::UnreadableFile { path: folder.join(MANIFEST_FILE), error });
        }
    };
    // Without a list of files no export may replace the folder.
    if let Ok(Value::Object(manifest)) = serde_json::from_slice(&text)
        && manifest.get("files").is_some_and(Value::is_object)
    {
        let flags = flags(manifest.get("settings").unwrap_or(&Value::Null));
        found.command = Some(format!("prep export --out {}{flags}", folder.display()));
        let said = manifest.get("export_id").and_then(Value::as_str);
        if said.is_some_and(|said| export_id_of(&manifest).is_ok_and(|id| id != said)) {
            found.fault(MANIFEST_FILE, "says something else than when its export_id was made");
        }
    }
    let receipt: Receipt = match serde_json::from_slice(&text) {
        Ok(receipt) => receipt,
        Err(error) => {
            found.fault(MANIFEST_FILE, format!("is not a manifest of an export: {error}"));
            return Ok(found);
        }
    };

    for name in there.iter().filter(|name| *name != MANIFEST_FILE) {
        if !receipt.files.contains_key(name) {
            found.foreign(name);
        }
    }
    let bytes = receipt.files.values().map(|listed| listed.bytes).sum();
    progress.begin("checking files", Amount::Bytes(bytes));
    for (name, listed) in &receipt.files {
        if stop.load(Ordering::Relaxed) {
            found.interrupted = true;
            break;
        }
        check_file(folder, name, listed, &mut found, progress);
    }
    progress.end();
    for split in Split::ALL {
        check_split(folder, split, &receipt, &mut found);
    }
    check_games(&receipt, &mut found);
    check_names(folder, &receipt, &mut found);
    found.faults.sort_by(|a, b| a.file.cmp(&b.file));
    Ok(found)
}

fn list(folder: &Path) -> std::io::Result<BTreeSet<String>> {
    let entries = fs::read_dir(folder)?;
    entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
}

/// The settings of an export as the flags that choose them.
fn flags(settings: &Value) -> String {
    let text = |key: &str| match &settings[key] {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(Value::to_string).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    };
    let mut flags = String::new();
    for (flag, key) in [
        ("split", "split"),
        ("split-method", "split_method"),
        ("seed", "seed"),
        ("features", "features"),
        ("masks", "masks"),
        ("dtype", "dtype"),
        ("layout", "layout"),
    ] {
        // Parquet is chosen by another flag.
        let flag = if settings[key] == "parquet" { "format" } else { flag };
        if !settings[key].is_null() {
            flags += &format!(" --{flag} {}", text(key));
        }
    }
    if settings["normalized"] == false {
        flags += " --no-normalize";
    }
    if settings["scaler"] != FITTED_ON_TRAIN {
        flags += " --scaler-from EXPORT";
    }
    flags
}

fn check_file(
    folder: &Path,
    name: &str,
    listed: &Listed,
    found: &mut ExportVerification,
    progress: &dyn Progress,
) {
    let path = folder.join(name);
    let mut hasher = blake3::Hasher::new();
    let read = File::open(&path).and_then(|file| {
        let bytes = file.metadata()?.len();
        hasher.update_reader(Counted::new(file, progress))?;
        Ok(bytes)
    });
    match read {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            found.fault(name, "is missing");
            progress.advance(listed.bytes);
        }
        Err(error) => found.fault(name, format!("cannot be read: {error}")),
        Ok(bytes) => {
            found.files += 1;
            found.bytes += bytes;
            if bytes != listed.bytes {
                let wanted = listed.bytes;
                found.fault(name, format!("has {bytes} bytes, the manifest says {wanted}"));
            } else if hasher.finalize().to_hex().as_str() != listed.blake3 {
                found.fault(name, "has other bytes than the manifest says (blake3)");
            }
        }
    }
}

/// The arrays of a split, against its rows and columns.
fn check_split(folder: &Path, split: Split, receipt: &Receipt, found: &mut ExportVerification) {
    let Some(listed) = receipt.splits.get(split.name()) else {
        return found.fault(MANIFEST_FILE, format!("says nothing about {}", split.name()));
    };
    if listed.games != listed.game_ids.len() {
        let (games, ids) = (listed.games, listed.game_ids.len());
        let name = split.name();
        found.fault(MANIFEST_FILE, format!("{name} has {games} games, and {ids} are listed"));
    }
    let mut expect =
        |name: String, rows_only: bool, shapes: Result<Vec<(String, Shape)>, String>| {
            let columns = (!rows_only).then_some(receipt.settings.columns);
            match shapes {
                Err(why) => found.fault(name, why),
                Ok(shapes) => {
                    for (array, shape) in shapes {
                        let is_right = shape.first() == Some(&listed.rows)
                            && columns.is_none_or(|columns| shape.get(1) == Some(&columns));
                        if !is_right {
                            let wanted = match columns {
                                Some(columns) => format!("({}, {columns})", listed.rows),
                                None => format!("{} rows", listed.rows),
                            };
                            found.fault(
                                name.clone(),
                                format!("{array} has shape {shape:?}, the manifest says {wanted}"),
                            );
                        }
                    }
                }
            }
        };
    // A file that is listed and missing is found already.
    let at = |name: &str| -> Option<PathBuf> {
        let path = folder.join(name);
        (!receipt.files.contains_key(name) || path.exists()).then_some(path)
    };
    if receipt.settings.layout == Layout::Parquet.name() {
        let name = parquet_file(split);
        let Some(path) = at(&name) else { return };
        let shape = parquet_shape(&path, receipt.settings.columns);
        let game_ids = shape.as_ref().map(|shape| shape.game_ids.clone()).ok();
        expect(
            name.clone(),
            false,
            shape.map(|shape| vec![("features".to_owned(), shape.features)]),
        );
        if let Some(game_ids) = game_ids {
            compare_games(&name, split, &game_ids, listed, found);
        }
        return;
    }
    let x = format!("X_{}.npy", split.name());
    if let Some(path) = at(&x) {
        expect(x, false, npy_shape(&path).map(|shape| vec![("X".to_owned(), shape)]));
    }
    let index = format!("index_{}.npz", split.name());
    let mut packed = vec![index.clone()];
    for kind in ["labels", "masks"] {
        if receipt.settings.layout == "npy" {
            for head in crate::encode::Head::ALL {
                let name = array_file(kind, split, head.name());
                if let Some(path) = at(&name) {
                    let shape = npy_shape(&path).map(|shape| vec![(head.name().to_owned(), shape)]);
                    expect(name, true, shape);
                }
            }
        } else {
            packed.push(format!("{kind}_{}.npz", split.name()));
        }
    }
    for name in packed {
        if let Some(path) = at(&name) {
            expect(name, true, npz_shapes(&path));
        }
    }
    if let Some(path) = at(&index)
        && let Ok(in_index) = game_ids_of_index(&path)
    {
        compare_games(&index, split, &in_index, listed, found);
    }
}

/// The games that the rows of a split say they are of, against those that the manifest lists.
fn compare_games(
    file: &str,
    split: Split,
    in_index: &BTreeSet<GameId>,
    listed: &ListedSplit,
    found: &mut ExportVerification,
) {
    let in_manifest: BTreeSet<GameId> = listed.game_ids.iter().copied().collect();
    for game_id in in_index.symmetric_difference(&in_manifest) {
        let (has, has_not) = match in_index.contains(game_id) {
            true => ("the index", "the manifest"),
            false => ("the manifest", "the index"),
        };
        let name = split.name();
        found.fault(file, format!("game {game_id} is in {name} by {has} and not by {has_not}"));
    }
}

/// No game may be in two splits: a network would be tested on what it was trained with.
fn check_games(receipt: &Receipt, found: &mut ExportVerification) {
    let mut seen: BTreeMap<GameId, &str> = BTreeMap::new();
    for (split, listed) in &receipt.splits {
        for &game_id in &listed.game_ids {
            if let Some(other) = seen.insert(game_id, split) {
                let places = match other == split {
                    true => format!("twice in {split}"),
                    false => format!("in {other} and in {split}"),
                };
                found.fault(MANIFEST_FILE, format!("game {game_id} is {places}"));
            }
        }
    }
}

fn check_names(folder: &Path, receipt: &Receipt, found: &mut ExportVerification) {
    // A file that is missing or does not read is found by its hash.
    let Ok(text) = fs::read(folder.join(FEATURE_COLS_FILE)) else { return };
    let Ok(names) = serde_json::from_slice::<Vec<String>>(&text) else { return };
    let columns = receipt.settings.columns;
    if names.len() != columns {
        let names = names.len();
        found.fault(
            FEATURE_COLS_FILE,
            format!("names {names} columns, the manifest says {columns}"),
        );
    }
}
