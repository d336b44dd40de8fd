//! Keeping the file as small as a new one.
//!
//! A page holds a dozen games, in order. A game that comes between two others, into a page that is
//! full, makes SQLite open another; and what a game leaves that goes, it keeps for those that come there
//! one day. Over many nights of a folder that changes, the file would become half as large again. So
//! after a run that has changed it, it may be copied, game after game, and the copy takes its place.
//!
//! Both files are whole at any moment, and one of them is the cache. Nobody else may have the old one
//! open: whoever closed it last would take the write-ahead log of the new one for its own. If somebody
//! has, the file stays as it is until another night.

use super::database::{PAGE_BYTES, PAGE_CACHE_BYTES, connect, sqlite_error};
use super::error::CacheError;
use super::lock::{WriterLock, beside, real_path};
use super::replacement::{INDEX, JOURNAL, Replacement, WRITE_AHEAD_LOG, remove};
use super::store::Cache;
use super::write_ahead_log;
use crate::disk_space::free_bytes;
use rusqlite::{Connection, OpenFlags};
use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::Path;

/// One page in so many may be more than a new file would have: less than what a copy is worth.
const MOST_SPARE_PARTS: u64 = 24;

impl Cache {
    /// Copies the file, if this run has changed something and a copy would be noticeably smaller, and
    /// lets the copy take its place; says so to `begin` before that. A copy that cannot be made, as on a
    /// full disk, is no error: the cache stays as it is.
    ///
    /// # Errors
    /// If SQLite cannot read the file; [`CacheError::Malformed`] if it does not hang together.
    pub fn compact(self, _lock: &WriterLock, begin: impl FnOnce()) -> Result<(), CacheError> {
        // First of all: clears away what a run that was killed in here left. The journal can go: SQLite
        // has looked at it when it opened the file, and nobody writes one in write-ahead mode.
        let replacement = Replacement::begin(&self.path);
        let _ = remove(&beside(&real_path(&self.path), JOURNAL));
        if self.connection.total_changes() == 0 || !self.is_worth_a_copy()? {
            return Ok(());
        }
        // A copy of what does not hang together would look as if it did.
        self.check_structure()?;
        begin();
        let result = replacement.and_then(|replacement| self.put_copy_in_place(replacement));
        if let Err(error) = result {
            tracing::info!("the cache is larger than it need be: {error}");
            // The next run tries it again.
            let _ = write_ahead_log::enter(&self.connection, &self.path);
        }
        Ok(())
    }

    /// Whether a new file with the same games would be noticeably smaller, or has pages of another size.
    fn is_worth_a_copy(&self) -> Result<bool, CacheError> {
        if self.pages("page_size")? != u64::from(PAGE_BYTES) {
            return Ok(true);
        }
        let spare = self.pages("freelist_count")? + self.spare_pages_of_games()?;
        Ok(spare > self.pages("page_count")? / MOST_SPARE_PARTS)
    }

    /// Pages of the games that a new file would do without.
    fn spare_pages_of_games(&self) -> Result<u64, CacheError> {
        let sql = "SELECT pageno, ncell, payload, unused FROM dbstat
                   WHERE name = 'games' AND aggregate = TRUE";
        let read = |row: &rusqlite::Row<'_>| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get(2)?, row.get(3)?))
        };
        let (pages, games, payload, unused): (_, _, i64, i64) = self
            .connection
            .query_row(sql, [], read)
            .map_err(|error| sqlite_error(&self.path, error))?;
        let page_bytes = i64::from(PAGE_BYTES);
        // A page is full when the next game is too long for what is left of it. Less than a whole game is
        // left even where all are as long: a new file must never seem to be worth a copy.
        let left_in_full_page = (payload / games.max(1)).min(page_bytes / 2);
        let used = pages * page_bytes - unused;
        let needed = (used as u64).div_ceil((page_bytes - left_in_full_page) as u64);
        Ok((pages as u64).saturating_sub(needed))
    }

    fn put_copy_in_place(&self, replacement: Replacement) -> Result<(), CacheError> {
        let of_sqlite = |error| sqlite_error(&self.path, error);
        let needed = self.pages("page_count")? * self.pages("page_size")?;
        if free_bytes(&self.path).is_some_and(|free| free < needed) {
            return Err(CacheError::disk_full(&self.path));
        }
        if !write_ahead_log::leave(&self.connection).map_err(of_sqlite)? {
            tracing::debug!("another program has the cache open: it is not copied");
            return Ok(());
        }
        let copy = replacement.path();
        let make = || -> rusqlite::Result<Connection> {
            let path =
                copy.to_str().ok_or_else(|| rusqlite::Error::InvalidPath(copy.to_owned()))?;
            // Counted in pages of the copy.
            self.connection.pragma_update(None, "cache_size", PAGE_CACHE_BYTES / PAGE_BYTES)?;
            self.connection.pragma_update(None, "page_size", PAGE_BYTES)?;
            self.connection.execute("VACUUM INTO ?1", [path])?;
            connect(copy, OpenFlags::SQLITE_OPEN_READ_WRITE)
        };
        write_ahead_log::enter(&make().map_err(of_sqlite)?, copy)?;
        give_as(&self.path, copy).map_err(|error| replacement.failed(error))?;
        replacement.take_the_place(|target| {
            // SQLite does not say so where it could not remove them.
            let mut left = [WRITE_AHEAD_LOG, INDEX, JOURNAL].into_iter();
            left.try_for_each(|ending| remove(&beside(target, ending)))
        })
    }

    fn pages(&self, pragma: &str) -> Result<u64, CacheError> {
        let count: i64 = self
            .connection
            .pragma_query_value(None, pragma, |row| row.get(0))
            .map_err(|error| sqlite_error(&self.path, error))?;
        Ok(count.unsigned_abs())
    }
}

/// Gives a file the owner and the permissions of another.
fn give_as(model: &Path, file: &Path) -> std::io::Result<()> {
    let model = fs::metadata(model)?;
    chown(file, Some(model.uid()), Some(model.gid()))?;
    fs::set_permissions(file, model.permissions())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::{CacheKey, GameRecord, PackedGame, Packer};
    use crate::encode::EncodedGame;
    use crate::gamelog::{GameId, GamePlay, ReadOptions};
    use crate::simulate::simulate_game;
    use crate::splendor::PlayerCount;
    use std::os::unix::fs::PermissionsExt;
    use std::path::PathBuf;
    use std::time::Duration;

    struct Folder {
        folder: tempfile::TempDir,
        game: PackedGame,
    }

    impl Folder {
        fn new() -> Folder {
            let mut rows = EncodedGame::default();
            simulate_game(PlayerCount::Two, 1).iter().for_each(|turn| rows.push(turn));
            let record = GameRecord {
                game_id: GameId(0),
                source_path: "7.csv".into(),
                source_bytes: 3,
                key: CacheKey::now(b"log", ReadOptions::default()),
                rows: rows.features().len() as u32,
                players: 2,
                gem_fault_rows: 0,
                unbalanced_rows: 0,
            };
            let game = Packer::new().unwrap().pack(record, &rows).unwrap();
            Folder { folder: tempfile::tempdir().unwrap(), game }
        }

        fn path(&self) -> PathBuf {
            self.folder.path().join("prep.sqlite")
        }

        fn bytes(&self) -> u64 {
            fs::metadata(self.path()).unwrap().len()
        }

        /// Stores games night after night, and returns whether a copy took the cache's place.
        fn store(&self, games: impl Iterator<Item = i64>) -> bool {
            let cache = Cache::open_or_create(&self.path()).unwrap();
            let batch = cache.begin().unwrap();
            for game_id in games {
                let mut game = self.game.clone();
                game.record.game_id = GameId(game_id);
                batch.put(&game, &GamePlay::default()).unwrap();
            }
            batch.commit().unwrap();
            self.compact(cache)
        }

        fn compact(&self, cache: Cache) -> bool {
            let lock = WriterLock::acquire(&self.path(), Duration::ZERO).unwrap();
            let inode = || fs::metadata(self.path()).unwrap().ino();
            let (before, mut has_begun) = (inode(), false);
            cache.compact(&lock, || has_begun = true).unwrap();
            assert!(has_begun || before == inode());
            before != inode()
        }

        /// What is in the tables of games, but for when it came there.
        fn content(&self) -> Vec<Vec<rusqlite::types::Value>> {
            let connection = Connection::open(self.path()).unwrap();
            connection.execute("UPDATE games SET ingested_at = ''", []).unwrap();
            let sql = "SELECT * FROM games JOIN game_play USING (game_id) ORDER BY game_id";
            let mut statement = connection.prepare(sql).unwrap();
            let columns = statement.column_count();
            let row = |row: &rusqlite::Row<'_>| (0..columns).map(|i| row.get(i)).collect();
            statement.query_map([], row).unwrap().collect::<Result<_, _>>().unwrap()
        }
    }

    #[test]
    fn a_file_that_has_become_loose_is_as_small_as_a_new_one_again() {
        let nightly = Folder::new();
        let games_by = |night| (0..300).filter(move |game_id| game_id % 10 <= night);
        let at_once_by = |night| {
            let at_once = Folder::new();
            assert!(!at_once.store(games_by(night)), "a new one is tight");
            at_once
        };
        nightly.store(games_by(0));
        fs::set_permissions(nightly.path(), fs::Permissions::from_mode(0o640)).unwrap();
        let mut copies = 0;
        for night in 1..10 {
            copies += u32::from(nightly.store((night..300).step_by(10)));
            let (bytes, fresh) = (nightly.bytes(), at_once_by(night).bytes());
            assert!(10 * bytes <= 11 * fresh, "{bytes} in night {night}, a fresh one has {fresh}");
        }
        assert!(copies > 0);
        assert!(nightly.content() == at_once_by(9).content());

        let mode = fs::metadata(nightly.path()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o640);
        assert_eq!(fs::read(nightly.path()).unwrap()[18], 2, "it is in write-ahead mode");
        let mut names: Vec<_> = fs::read_dir(nightly.folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(names, ["prep.sqlite", "prep.sqlite.lock"]);
    }

    #[test]
    fn games_that_go_take_their_room_with_them() {
        let folder = Folder::new();
        folder.store(0..300);
        let cache = Cache::open_or_create(&folder.path()).unwrap();
        let batch = cache.begin().unwrap();
        (0..300).filter(|game_id| game_id % 3 > 0).for_each(|game_id| {
            batch.remove(GameId(game_id)).unwrap();
        });
        batch.commit().unwrap();
        assert!(folder.compact(cache));
        let fresh = Folder::new();
        fresh.store((0..300).step_by(3));
        assert_eq!(folder.bytes(), fresh.bytes());
        assert!(folder.content() == fresh.content());
    }

    #[test]
    fn a_file_that_somebody_has_open_stays_until_another_night() {
        let folder = Folder::new();
        let reader = {
            drop(Cache::open_or_create(&folder.path()).unwrap());
            Cache::open_existing(&folder.path()).unwrap()
        };
        folder.store((0..300).step_by(2));
        let (before, games) = (folder.bytes(), reader.snapshot().unwrap().records().unwrap().len());
        assert!(!folder.store((1..300).step_by(20)), "it is open elsewhere");
        assert!(folder.bytes() >= before);
        assert_eq!(games, 150);
        assert_eq!(reader.snapshot().unwrap().records().unwrap().len(), 165);
        drop(reader);
        let unchanged = Cache::open_or_create(&folder.path()).unwrap();
        assert!(!folder.compact(unchanged), "a run that wrote nothing has nothing to do");
        assert!(folder.store((1..300).step_by(20)));
    }

    #[test]
    fn a_file_with_small_pages_gets_large_ones() {
        let folder = Folder::new();
        folder.store(0..20);
        let small = Connection::open(folder.path()).unwrap();
        small
            .execute_batch("PRAGMA journal_mode = delete; PRAGMA page_size = 2048; VACUUM")
            .unwrap();
        drop(small);
        let content = folder.content();
        let page_size = || {
            let connection = Connection::open(folder.path()).unwrap();
            connection.pragma_query_value(None, "page_size", |row| row.get::<_, u32>(0)).unwrap()
        };
        assert_eq!(page_size(), 2048);
        assert!(folder.store(20..21));
        assert_eq!(page_size(), PAGE_BYTES);
        assert_eq!(folder.content()[..20], content);
    }
}
