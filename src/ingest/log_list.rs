//! The logs of a folder as a list that takes little memory.
//!
//! Of all that a run keeps of every log until its end, this list is the most. A path takes some 60 bytes,
//! with its place in the list and what the allocator adds; but nearly every path can be put together
//! from the game id and the folder. So an entry is 12 bytes, and a folder is kept once.

use super::find::LogFile;
use crate::gamelog::GameId;
use std::cmp::Ordering;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Logs by game id, then by path.
#[derive(Clone, Debug, Default)]
pub struct LogList {
    entries: Vec<Entry>,
    places: Places,
}

/// Packed, or a quarter of it would be padding.
#[derive(Clone, Copy, Debug)]
#[repr(Rust, packed(4))]
struct Entry {
    game_id: GameId,
    place: Place,
}

const _: () = assert!(size_of::<Entry>() == 12);

impl Entry {
    fn game_id(self) -> GameId {
        self.game_id
    }
}

/// Where a log lies: mostly as `17.csv` in the folder with this number. One with a name of its own, such
/// as `017.csv`, has a whole path; then this is its number and [`OWN_PATH`].
type Place = u32;

/// Higher than any folder's number.
const OWN_PATH: Place = 1 << 31;

#[derive(Clone, Debug, Default)]
struct Places {
    /// Below the folder that was searched, which itself is the empty path.
    folders: Vec<PathBuf>,
    paths: Vec<PathBuf>,
}

impl LogList {
    /// How many logs there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The log at a place.
    ///
    /// # Panics
    /// If the list has no such place.
    pub fn get(&self, place: usize) -> LogFile {
        self.places.log(self.entries[place])
    }

    /// Every log.
    pub fn iter(&self) -> impl Iterator<Item = LogFile> {
        self.entries.iter().map(|&entry| self.places.log(entry))
    }

    /// Whether there is a log of a game.
    pub fn contains(&self, game_id: GameId) -> bool {
        self.entries.binary_search_by_key(&game_id, |entry| entry.game_id()).is_ok()
    }

    /// How many games have a log.
    pub fn games(&self) -> usize {
        self.entries.chunk_by(|one, next| one.game_id() == next.game_id()).count()
    }

    /// Whether the log before this one is of the same game.
    pub(super) fn is_second(&self, place: usize) -> bool {
        place > 0 && place < self.len() && self.game_id(place - 1) == self.game_id(place)
    }

    /// Another file of the same game, which can only be a neighbour.
    pub(super) fn twin_of(&self, place: usize) -> Option<LogFile> {
        let is_twin = |other: &usize| self.game_id(*other) == self.game_id(place);
        let before = place.checked_sub(1).filter(is_twin);
        before.or_else(|| Some(place + 1).filter(is_twin)).map(|twin| self.get(twin))
    }

    fn game_id(&self, place: usize) -> Option<GameId> {
        self.entries.get(place).map(|entry| entry.game_id())
    }
}

impl Places {
    fn log(&self, Entry { game_id, place }: Entry) -> LogFile {
        let relative_path = match place.checked_sub(OWN_PATH) {
            None => self.folders[place as usize].join(ordinary_name(game_id)),
            Some(path) => self.paths[path as usize].clone(),
        };
        LogFile { game_id, relative_path }
    }
}

fn ordinary_name(game_id: GameId) -> String {
    format!("{game_id}.csv")
}

/// Makes a [`LogList`] of logs in any order.
#[derive(Debug, Default)]
pub(super) struct LogListBuilder {
    list: LogList,
    folder_numbers: HashMap<PathBuf, Place>,
    /// Of the log before: most logs lie where that did.
    last_folder: Option<Place>,
}

impl LogListBuilder {
    /// Adds a log by its path below the folder that is searched.
    pub(super) fn push(&mut self, game_id: GameId, path: &Path) {
        let is_ordinary = path.file_name().is_some_and(|name| *name == *ordinary_name(game_id));
        let place = match path.parent() {
            Some(folder) if is_ordinary => self.number_of(folder),
            _ => {
                self.list.places.paths.push(path.to_owned());
                OWN_PATH + (self.list.places.paths.len() as Place - 1)
            }
        };
        self.list.entries.push(Entry { game_id, place });
    }

    fn number_of(&mut self, folder: &Path) -> Place {
        let folders = &mut self.list.places.folders;
        let last = self.last_folder.filter(|&last| folders[last as usize] == folder);
        let known = last.or_else(|| self.folder_numbers.get(folder).copied());
        let number = known.unwrap_or_else(|| {
            folders.push(folder.to_owned());
            let number = folders.len() as Place - 1;
            self.folder_numbers.insert(folder.to_owned(), number);
            number
        });
        self.last_folder = Some(number);
        number
    }

    /// The list, in order.
    pub(super) fn finish(self) -> LogList {
        let LogList { mut entries, places } = self.list;
        let path = |entry: &Entry| places.log(*entry).relative_path;
        entries.sort_unstable_by(|one, other| match one.game_id().cmp(&other.game_id()) {
            Ordering::Equal => path(one).cmp(&path(other)),
            order => order,
        });
        entries.shrink_to_fit();
        LogList { entries, places }
    }
}

impl FromIterator<LogFile> for LogList {
    fn from_iter<T: IntoIterator<Item = LogFile>>(logs: T) -> LogList {
        let mut list = LogListBuilder::default();
        logs.into_iter().for_each(|log| list.push(log.game_id, &log.relative_path));
        list.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::super::find::game_id_of;
    use super::*;
    use proptest::prelude::*;

    fn listed(paths: &[&str]) -> LogList {
        let log = |path: &&str| LogFile {
            game_id: game_id_of(Path::new(path)).unwrap(),
            relative_path: path.into(),
        };
        paths.iter().map(log).collect()
    }

    #[test]
    fn two_files_of_a_game_are_neighbours_by_path_and_know_each_other() {
        let logs = listed(&["b/7.csv", "9.csv", "-0.csv", "a/007.csv", "0.csv", "a/7.csv"]);
        let paths: Vec<_> = logs.iter().map(|log| log.source_path()).collect();
        assert_eq!(paths, ["-0.csv", "0.csv", "a/007.csv", "a/7.csv", "b/7.csv", "9.csv"]);
        let twin = |place: usize| logs.twin_of(place).map(|twin| twin.source_path());
        let twins = ["0.csv", "-0.csv", "a/7.csv", "a/007.csv", "a/7.csv"];
        assert_eq!((0..5).map(|place| twin(place).unwrap()).collect::<Vec<_>>(), twins);
        assert_eq!(twin(5), None);
        assert_eq!((logs.len(), logs.games()), (6, 3));
        let second: Vec<_> = (0..6).map(|place| logs.is_second(place)).collect();
        assert_eq!(second, [false, true, false, true, true, false]);
        assert!([-1, 1, 8, 10].iter().all(|&game_id| !logs.contains(GameId(game_id))));
        assert!([0, 7, 9].iter().all(|&game_id| logs.contains(GameId(game_id))));
    }

    #[test]
    fn a_log_takes_12_bytes_however_long_its_path() {
        const LOGS: i64 = 1_000;
        let folder = "a_folder_with_a_long_name".repeat(4);
        let mut list = LogList::default();
        let memory = allocation_counter::measure(|| {
            list = (0..LOGS)
                .map(|game_id| LogFile {
                    game_id: GameId(game_id),
                    relative_path: format!("{folder}{}/{game_id}.csv", game_id % 3).into(),
                })
                .collect();
        });
        assert_eq!(list.len() as i64, LOGS);
        let beside = 3 * (folder.len() as i64 + 1) + 1_000;
        assert!(memory.bytes_current <= 12 * LOGS + beside, "{memory:?}");
    }

    proptest! {
        /// The plain way to keep them.
        #[test]
        fn the_list_is_that_of_sorted_files(
            paths in prop::collection::btree_set("([ab]/)?(c/)?-?0{0,2}[0-9]{1,2}", 0..40)
        ) {
            let paths: Vec<String> = paths.into_iter().map(|path| path + ".csv").collect();
            let mut plain: Vec<LogFile> = paths
                .iter()
                .map(|path| LogFile {
                    game_id: game_id_of(Path::new(path)).unwrap(),
                    relative_path: path.into(),
                })
                .collect();
            let list: LogList = plain.iter().rev().cloned().collect();
            plain.sort();
            prop_assert_eq!(list.iter().collect::<Vec<_>>(), plain);
        }
    }
}
