//! Finds the logs below a folder.

use super::IngestError;
use super::compression::stem;
use crate::folders::parent_of;
use crate::gamelog::GameId;
use crate::parallel::Part;
use crate::platform::{FileId, means_link_loop};
use crate::words::shown;
use std::collections::BTreeSet;
use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use walkdir::{DirEntry, WalkDir};

/// A file with all games appended, which some pipelines write beside the logs; not a game.
const AGGREGATE: &str = "all_games";

/// A file with the name of a log.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LogFile {
    /// The game id, from the file's stem.
    pub game_id: GameId,
    /// Path relative to the searched folder.
    pub relative_path: PathBuf,
}

impl LogFile {
    /// The relative path with `/` on every system, as the cache and messages write it. Bytes that
    /// are not UTF-8 are written `\xE9`, and the backslash of a name that has `\x` in it `\x5C`:
    /// otherwise two paths could have one text.
    pub fn source_path(&self) -> String {
        let mut path = String::new();
        for part in self.relative_path.iter() {
            if !path.is_empty() {
                path.push('/');
            }
            for chunk in part.as_encoded_bytes().utf8_chunks() {
                path.push_str(&chunk.valid().replace("\\x", "\\x5Cx"));
                path.extend(chunk.invalid().iter().map(|byte| format!("\\x{byte:02X}")));
            }
        }
        path
    }
}

/// A folder that could not be searched, or a link to one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnreadableFolder {
    /// Below the folder that was searched.
    pub path: PathBuf,
    /// The reason.
    pub why: String,
}

impl UnreadableFolder {
    fn new(path: PathBuf, error: &walkdir::Error) -> UnreadableFolder {
        let why = match error.io_error() {
            Some(error) if error.kind() == ErrorKind::PermissionDenied => {
                "permission denied".to_owned()
            }
            Some(error) if error.kind() == ErrorKind::NotFound => {
                "a broken symbolic link (is a disk not mounted?)".to_owned()
            }
            _ => error.to_string(),
        };
        UnreadableFolder { path, why }
    }
}

impl std::error::Error for UnreadableFolder {}

impl fmt::Display for UnreadableFolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the folder {} cannot be read: {}", shown(&self.path), shown(&self.why))
    }
}

/// The result of searching a folder for logs.
#[derive(Clone, Debug, Default)]
pub struct FoundLogs {
    /// The logs by game id, then by path.
    pub logs: Vec<LogFile>,
    /// Relative paths of CSV files that are not logs.
    pub skipped: Vec<PathBuf>,
    /// Relative paths of folders with the name of a log. They are searched as well.
    pub folders: Vec<PathBuf>,
    /// Relative paths of links that lead to a parent folder or to themselves.
    pub loops: Vec<PathBuf>,
    /// Folders that could not be searched. Logs that are missing may be in there.
    pub unreadable: Vec<UnreadableFolder>,
    /// Number of files that are not CSV files.
    pub others: usize,
    /// One of these files, preferably an archive.
    pub other: Option<PathBuf>,
}

impl FoundLogs {
    /// Warns about links that were not followed, and about folders with the name of a log.
    pub(super) fn warn(&self) {
        for path in &self.loops {
            let link = shown(path);
            tracing::warn!(
                "{link} is a link to one of its parent folders: it is not followed, remove it"
            );
        }
        for path in &self.folders {
            let folder = shown(path);
            tracing::warn!(
                "{folder} is a folder, not a log: the files in it are searched for logs"
            );
        }
    }

    /// Keeps only the logs of a part of the games.
    pub fn retain_part(&mut self, part: Option<Part>) {
        self.logs.retain(|log| part.is_none_or(|part| is_in(part, log.game_id)));
    }

    /// The logs of each game, by game id.
    pub(super) fn games(&self) -> impl Iterator<Item = &[LogFile]> {
        self.logs.chunk_by(|log, next| log.game_id == next.game_id)
    }
}

/// Searches a folder and all folders in it for `*.csv`, `*.csv.gz` and `*.csv.zst` files whose stem is a whole
/// number. `stop` ends the search.
/// Hidden files and folders are ignored; links are followed, but each folder is visited once, however many
/// paths lead to it. A log that is a broken link is found too: its game is not deleted, but unreadable.
/// Files that are deleted during the search are ignored.
///
/// # Errors
/// If the folder itself cannot be read; [`IngestError::Interrupted`] if it was stopped.
pub fn find_logs(root: &Path, stop: &AtomicBool) -> Result<FoundLogs, IngestError> {
    if root.is_file() {
        let folder = parent_of(root).to_owned();
        return Err(IngestError::NotAFolder { file: root.to_owned(), folder });
    }
    if !root.is_dir() {
        return Err(IngestError::NoFolder(root.to_owned()));
    }
    let (found, visited, links) = (FoundLogs::default(), BTreeSet::new(), Vec::new());
    let mut search = Search { root, stop, found, visited, links };
    search.folder(root)?;
    // Each real folder was visited before.
    while !search.links.is_empty() {
        search.links.sort();
        for link in std::mem::take(&mut search.links) {
            search.folder(&link)?;
        }
    }
    let mut found = search.found;
    found.logs.sort();
    found.skipped.sort();
    found.folders.sort();
    found.loops.sort();
    found.unreadable.sort();
    Ok(found)
}

struct Search<'r> {
    root: &'r Path,
    stop: &'r AtomicBool,
    found: FoundLogs,
    visited: BTreeSet<FileId>,
    /// Links to folders that have not been followed yet.
    links: Vec<PathBuf>,
}

impl Search<'_> {
    /// Searches a folder without following links to folders.
    fn folder(&mut self, folder: &Path) -> Result<(), IngestError> {
        let Search { root, stop, found, visited, links } = self;
        let root: &Path = root;
        let below = |path: &Path| path.strip_prefix(root).unwrap_or(path).to_owned();
        let mut is_searched = |entry: &DirEntry| {
            if entry.path() != root && is_hidden(entry.path()) {
                return false;
            }
            if !entry.file_type().is_dir() {
                return true;
            }
            if entry.depth() > 0 && entry.path_is_symlink() {
                links.push(entry.path().to_owned());
                return false;
            }
            entry.metadata().map_or(true, |folder| visited.insert(FileId::of(&folder)))
        };
        let entries = WalkDir::new(folder).follow_links(true).into_iter();
        for entry in entries.filter_entry(&mut is_searched) {
            if stop.load(Ordering::Relaxed) {
                return Err(IngestError::Interrupted);
            }
            let path = match &entry {
                Ok(entry) if entry.file_type().is_dir() => {
                    if entry.path() != root
                        && is_csv(entry.path())
                        && game_id_of(entry.path()).is_some()
                    {
                        found.folders.push(below(entry.path()));
                    }
                    continue;
                }
                // A FIFO or a device with the name of a log is an unreadable log.
                Ok(entry) => entry.path(),
                Err(error) => match error.path() {
                    // Editors use hidden broken links as lock files.
                    Some(path) if path != root && (is_hidden(path) || is_deleted(path)) => continue,
                    Some(path) if is_csv(path) && !path.is_dir() => path,
                    Some(path) if is_loop(error) => {
                        found.loops.push(below(path));
                        continue;
                    }
                    // Or a link to nothing, which may be a folder on a disk that is not mounted.
                    Some(path) if path != root => {
                        found.unreadable.push(UnreadableFolder::new(below(path), error));
                        continue;
                    }
                    _ => {
                        let error = entry.expect_err("an error");
                        return Err(IngestError::Search { root: root.to_owned(), error });
                    }
                },
            };
            if !is_csv(path) {
                if is_csv_by_another_ending(path) {
                    found.skipped.push(below(path));
                } else if !is_hidden(path) {
                    found.others += 1;
                    let is_better = |other: &PathBuf| is_archive(path) && !is_archive(other);
                    if found.other.as_ref().is_none_or(is_better) {
                        found.other = Some(below(path));
                    }
                }
                continue;
            }
            let relative_path = below(path);
            match game_id_of(path) {
                Some(game_id) => found.logs.push(LogFile { game_id, relative_path }),
                None => found.skipped.push(relative_path),
            }
        }
        Ok(())
    }
}

/// Whether a game is in a part. This depends on its id alone: both logs of a game with two logs are in the
/// same part, and a game stays in its part when others are added or deleted.
fn is_in(part: Part, game_id: GameId) -> bool {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"splendor-prep part 1").update(&game_id.0.to_le_bytes());
    let digest = hasher.finalize();
    part.has(u64::from_le_bytes(*digest.as_bytes().first_chunk().expect("32 bytes")))
}

/// Checks that there are logs in a folder.
///
/// # Errors
/// As [`find_logs`], and if there are none.
pub fn check_for_logs(root: &Path, stop: &AtomicBool) -> Result<(), IngestError> {
    let found = find_logs(root, stop)?;
    if found.logs.is_empty() { Err(no_logs(root, &found)) } else { Ok(()) }
}

fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'))
}

fn is_csv(path: &Path) -> bool {
    path.file_name().is_some_and(|name| stem(&name.to_string_lossy()).is_some())
}

/// Whether a file looks like a log but is not one: `17.CSV`, `17.csv.xz`.
fn is_csv_by_another_ending(path: &Path) -> bool {
    let lower = path.with_file_name(path.file_name().unwrap_or_default().to_ascii_lowercase());
    is_csv(&lower) || is_archive(&lower) && is_csv(&lower.with_extension(""))
}

fn is_archive(path: &Path) -> bool {
    let endings = ["gz", "tgz", "zip", "tar", "zst", "bz2", "xz", "7z", "rar"];
    path.extension()
        .is_some_and(|ending| endings.iter().any(|known| ending.eq_ignore_ascii_case(known)))
}

pub(super) fn is_deleted(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_err_and(|error| error.kind() == ErrorKind::NotFound)
}

fn is_loop(error: &walkdir::Error) -> bool {
    error.loop_ancestor().is_some() || error.io_error().is_some_and(means_link_loop)
}

/// The game id of a log by its name: the stem, if that is an integer.
pub fn game_id_of(path: &Path) -> Option<GameId> {
    let name = path.file_name()?.to_str()?;
    let stem = stem(name).or_else(|| path.file_stem()?.to_str())?;
    let digits = stem.strip_prefix('-').unwrap_or(stem);
    let is_whole_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if is_whole_number { stem.parse().ok().map(GameId) } else { None }
}

/// The error for a folder without logs, with a description of its content.
pub(super) fn no_logs(root: &Path, found: &FoundLogs) -> IngestError {
    IngestError::NoLogs { root: root.to_owned(), instead: instead_of_logs(found) }
}

/// Describes the content of a folder without logs, with advice.
fn instead_of_logs(found: &FoundLogs) -> String {
    if let Some(folder) = found.unreadable.first() {
        return folder.to_string();
    }
    match (&found.skipped[..], &found.other) {
        (_, Some(other)) if is_archive(other) => {
            return format!("{} is an archive: unpack it first", shown(other));
        }
        ([], Some(other)) => {
            let (shown, more) = (shown(other), found.others - 1);
            return match more {
                0 => format!("there is only {shown}, which is not a log: is it the right folder?"),
                _ => format!(
                    "there are {shown} and {more} more files that are not logs: is it the right \
                     folder?"
                ),
            };
        }
        _ => {}
    }
    match &found.skipped[..] {
        [] => "the folder is empty: is it the right one, and is its disk mounted?".to_owned(),
        [only] => skipped_note(only),
        [first, rest @ ..] => {
            let more = rest.len();
            let (files, are) = if more == 1 { ("file", "is") } else { ("files", "are") };
            format!("{}, and {more} more {files} {are} skipped", skipped_note(first))
        }
    }
}

/// Whether a log is a link, or in a linked folder, that leads out of the searched folder. A user who can
/// write to that folder may not be allowed to read the file.
pub fn leads_elsewhere(root: &Path, relative_path: &Path) -> bool {
    match (root.canonicalize(), root.join(relative_path).canonicalize()) {
        (Ok(root), Ok(log)) => !log.starts_with(root),
        _ => true,
    }
}

/// One sentence about a file that was skipped.
pub(super) fn skipped_note(path: &Path) -> String {
    let shown = shown(path);
    if path.file_name().is_some_and(|name| stem(&name.to_string_lossy()) == Some(AGGREGATE)) {
        format!("{shown} is skipped: it contains all games, not one game")
    } else if !is_csv(path) {
        format!("{shown} is skipped: logs end in .csv, .csv.gz or .csv.zst, in lower case")
    } else {
        format!("{shown} is skipped: its name is not a game id (a whole number)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    static NEVER: AtomicBool = AtomicBool::new(false);

    #[test]
    fn logs_are_found_in_any_layout() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for path in [
            "2_games/10.csv",
            "2_games/9.csv",
            "11.csv",
            "deep/er/007.csv",
            "-3.csv",
            "all_games.csv",
            "notes.csv",
            "1e3.csv",
            "+5.csv",
            "99999999999999999999.csv",
            "12.csv.backup",
            "13.txt",
            ".14.csv",
            ".hidden/15.csv",
            "16.csv/inside.txt",
            "17.csv.gz",
            "deep/18.csv.zst",
            "all_games.csv.gz",
            "19.csv.xz",
            "20.CSV.gz",
            "21.gz",
            ".csv.gz",
        ] {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let found = find_logs(root, &NEVER).unwrap();
        let logs: Vec<_> =
            found.logs.iter().map(|log| (log.game_id.0, log.source_path())).collect();
        let expected = [
            (-3, "-3.csv"),
            (7, "deep/er/007.csv"),
            (9, "2_games/9.csv"),
            (10, "2_games/10.csv"),
            (11, "11.csv"),
            (17, "17.csv.gz"),
            (18, "deep/18.csv.zst"),
        ];
        assert_eq!(logs, expected.map(|(id, path)| (id, path.to_owned())));
        let skipped: Vec<_> = found.skipped.iter().map(|path| skipped_note(path)).collect();
        assert_eq!(skipped.len(), 8, "{skipped:?}");
        assert_eq!(skipped.iter().filter(|note| note.contains("it contains all games")).count(), 2);
        for other in ["19.csv.xz", "20.CSV.gz"] {
            assert!(skipped.iter().any(|note| note.starts_with(other)), "{skipped:?}");
        }
    }

    #[test]
    #[cfg(unix)]
    fn broken_link_is_a_log_or_an_unreadable_folder() {
        use std::os::unix::fs::symlink;
        let folder = tempfile::tempdir().unwrap();
        for name in ["5.csv", "notes.csv", ".#6.csv"] {
            symlink("nowhere", folder.path().join(name)).unwrap();
        }
        let found = find_logs(folder.path(), &NEVER).unwrap();
        assert_eq!(found.logs.iter().map(|log| log.game_id.0).collect::<Vec<_>>(), [5]);
        assert_eq!(found.skipped, [Path::new("notes.csv")]);

        symlink("nowhere", folder.path().join("2_games")).unwrap();
        let found = find_logs(folder.path(), &NEVER).unwrap();
        let said =
            "the folder 2_games cannot be read: a broken symbolic link (is a disk not mounted?)";
        assert_eq!(found.unreadable.iter().map(ToString::to_string).collect::<Vec<_>>(), [said]);
        assert_eq!(found.logs.len(), 1);
    }

    #[test]
    #[cfg(unix)]
    fn link_loop_is_noted() {
        use std::os::unix::fs::symlink;
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir(root.join("2_games")).unwrap();
        fs::write(root.join("2_games/1.csv"), "").unwrap();
        symlink(root, root.join("2_games/back")).unwrap();
        symlink("itself", root.join("itself")).unwrap();
        symlink("7.csv", root.join("7.csv")).unwrap();
        let found = find_logs(root, &NEVER).unwrap();
        let logs: Vec<_> = found.logs.iter().map(|log| log.source_path()).collect();
        assert_eq!(logs, ["2_games/1.csv", "7.csv"]);
        assert_eq!(found.loops, [Path::new("2_games/back"), Path::new("itself")]);
    }

    #[test]
    #[cfg(unix)]
    fn names_that_are_not_utf8_stay_different() {
        use std::os::unix::ffi::OsStrExt;
        let path = |bytes| {
            let relative_path = PathBuf::from(std::ffi::OsStr::from_bytes(bytes));
            LogFile { game_id: GameId(7), relative_path }.source_path()
        };
        assert_eq!(path(b"caf\xe9/7.csv"), "caf\\xE9/7.csv");
        assert_eq!(path(b"caf\xe8/7.csv"), "caf\\xE8/7.csv");
        assert_eq!(path("caf\u{e9}/7.csv".as_bytes()), "caf\u{e9}/7.csv");
        assert_eq!(path(b"caf\\xE9/7.csv"), "caf\\x5CxE9/7.csv");
        assert_eq!(path(b"caf\\\xE9/7.csv"), "caf\\\\xE9/7.csv");
        assert_eq!(path(b"a\\b/7.csv"), "a\\b/7.csv");
    }

    #[test]
    fn missing_folder_is_an_error() {
        let found = find_logs(Path::new("/no/such"), &NEVER);
        assert!(matches!(found, Err(IngestError::NoFolder(_))));
        let stopped = find_logs(Path::new("/"), &AtomicBool::new(true));
        assert!(matches!(stopped, Err(IngestError::Interrupted)));
    }
}
