//! The logs that are ingested, and changes to them between two runs.

use crate::prep;
use anyhow::{Context as _, Result, ensure};
use splendor_prep::gamelog::GameId;
use splendor_prep::ingest::find_logs;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

/// Simulated games, created once and kept in `kept` for the next run.
pub(crate) fn simulated(kept: &Path, games: u32) -> Result<PathBuf> {
    let folder = kept.join(format!("simulated-{games}"));
    if !folder.is_dir() {
        eprintln!("simulating {games} games");
        let unfinished = kept.join(format!("simulated-{games}-unfinished"));
        if unfinished.is_dir() {
            fs::remove_dir_all(&unfinished)?;
        }
        prep::simulate(&unfinished, games, 1)?;
        fs::rename(&unfinished, &folder)?;
    }
    Ok(folder)
}

/// A copy of a folder of logs that may be modified.
pub(crate) struct Logs {
    pub(crate) folder: PathBuf,
    /// The paths by game id.
    pub(crate) files: Vec<(GameId, PathBuf)>,
}

impl Logs {
    /// Creates hard links to the logs in a new folder, or copies if links are not possible.
    pub(crate) fn copy_of(originals: &Path, folder: &Path) -> Result<Logs> {
        let mut files = Vec::new();
        for log in find_logs(originals, &AtomicBool::new(false))?.logs.iter() {
            let (original, path) =
                (originals.join(&log.relative_path), folder.join(&log.relative_path));
            fs::create_dir_all(path.parent().context("a file in a folder")?)?;
            if fs::hard_link(&original, &path).is_err() {
                fs::copy(&original, &path)
                    .with_context(|| format!("cannot copy {}", original.display()))?;
            }
            files.push((log.game_id, path));
        }
        ensure!(!files.is_empty(), "there are no logs in {}", originals.display());
        Ok(Logs { folder: folder.to_owned(), files })
    }

    pub(crate) fn paths(&self) -> Vec<PathBuf> {
        self.files.iter().map(|(_, path)| path.clone()).collect()
    }

    /// Total size of the logs in bytes.
    pub(crate) fn bytes(&self) -> Result<u64> {
        self.files.iter().map(|(_, path)| Ok(fs::metadata(path)?.len())).sum()
    }

    /// Changes the game in the middle by removing its last turn.
    pub(crate) fn change_one(&self) -> Result<()> {
        let (_, path) = &self.files[self.files.len() / 2];
        let log = fs::read(path)?;
        let last_turn = log.trim_ascii_end().iter().rposition(|&byte| byte == b'\n');
        let shorter = &log[..=last_turn.context("a log of more than one line")?];
        // Not modified in place, because the file may be a hard link to the original.
        fs::remove_file(path)?;
        Ok(fs::write(path, shorter)?)
    }

    /// Adds new games, with the next ids after `already` added ones.
    pub(crate) fn add(&self, games: u32, already: u32) -> Result<()> {
        let (GameId(last), _) = self.files[self.files.len() - 1];
        prep::simulate(&self.folder, games, u32::try_from(last)? + 1 + already)
    }
}

/// The size and hash of every file in a folder, by name.
pub(crate) fn contents(folder: &Path) -> Result<Vec<(PathBuf, u64, blake3::Hash)>> {
    let mut files: Vec<(PathBuf, u64, blake3::Hash)> = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let mut hasher = blake3::Hasher::new();
        let bytes = std::io::copy(&mut fs::File::open(&path)?, &mut hasher)?;
        files.push((path.file_name().context("a name")?.into(), bytes, hasher.finalize()));
    }
    files.sort_by(|one, other| one.0.cmp(&other.0));
    Ok(files)
}
