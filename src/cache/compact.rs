//! Keeping the file as small as a new one.
//!
//! A page holds a dozen games, in order. A game that comes between two others, into a page that is
//! full, makes SQLite open another; and what a game leaves that goes, it keeps for those that come there
//! one day. Over many nights of a folder that changes, the file would become half as large again. So
//! after a run that has changed it, SQLite may write all of it anew (`VACUUM`).
//!
//! In write-ahead mode all of that would go through the log, which is to stay short. So it is done in the
//! other mode, under a lock that nobody else gets past: if another program has the file open, it stays as
//! it is until another night. After a kill, whoever opens the file next rolls back what was begun.

use super::database::{LOGS, PAGE_BYTES, PAGE_CACHE_BYTES, sqlite_error};
use super::error::CacheError;
use super::lock::{WriterLock, beside, real_path};
use super::store::Cache;
use super::write_ahead_log::write_ahead_log_bytes;
use crate::disk_space::free_bytes;
use rusqlite::ErrorCode;
use std::fs;
use std::time::Duration;

/// One page in so many may be more than a new file would have: less than what writing it is worth.
const MOST_SPARE_PARTS: u64 = 24;

impl Cache {
    /// Writes the file anew, if this run has changed something and it would become noticeably smaller;
    /// says so to `begin` before that. Where that cannot be done, as on a full disk, it is no error: the
    /// file stays as it is.
    ///
    /// # Errors
    /// If SQLite cannot read the file; [`CacheError::Malformed`] if it does not hang together.
    pub fn compact(self, _lock: &WriterLock, begin: impl FnOnce()) -> Result<(), CacheError> {
        // A run that was killed in here may have left it. SQLite has looked at it when it opened the file,
        // and nobody writes one in write-ahead mode.
        let _ = fs::remove_file(beside(&real_path(&self.path), LOGS[1]));
        if self.connection.total_changes() == 0 {
            return Ok(());
        }
        let has_other_pages = self.pages("page_size")? != u64::from(PAGE_BYTES);
        if !has_other_pages && !self.is_loose()? {
            return Ok(());
        }
        // The journal of all pages, and the new ones in the system's temporary folder.
        let needed = self.pages("page_count")? * self.pages("page_size")?;
        if free_bytes(&self.path).is_some_and(|free| free < needed) {
            tracing::debug!("the cache could be smaller, but there is no room to write it anew");
            return Ok(());
        }
        // Written anew, what does not hang together would look as if it did.
        self.check_structure()?;
        begin();
        match self.vacuum() {
            Ok(true) => {}
            Ok(false) => {
                tracing::debug!("another program has the cache open: it is not written anew")
            }
            Err(error) => tracing::info!("the cache is larger than it need be: {error}"),
        }
        Ok(())
    }

    /// Returns whether it could be done. Every lock that is taken here is held until the connection is
    /// closed.
    fn vacuum(&self) -> rusqlite::Result<bool> {
        let set = |pragma, value: &str| {
            self.connection.pragma_update_and_check(None, pragma, value, |_| Ok(()))
        };
        self.connection.busy_timeout(Duration::ZERO)?;
        set("locking_mode", "exclusive")?;
        match set("journal_mode", "delete") {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => {
                return Ok(false);
            }
            left => left?,
        }
        // SQLite does not say so if it could not remove the log. All of it is in the file; over a file
        // that is written anew, it would bring back what was there before.
        let is_log_left = write_ahead_log_bytes(&self.path) > 0;
        let vacuumed = if is_log_left { Ok(()) } else { self.write_anew() };
        set("journal_mode", "wal")?;
        vacuumed.map(|()| !is_log_left)
    }

    fn write_anew(&self) -> rusqlite::Result<()> {
        // As much as the whole file; it must not be held in memory.
        self.connection.pragma_update(None, "temp_store", "file")?;
        // Counted in pages, of whichever size.
        self.connection.pragma_update(None, "cache_size", PAGE_CACHE_BYTES / PAGE_BYTES)?;
        self.connection.pragma_update(None, "page_size", PAGE_BYTES)?;
        self.connection.pragma_update(None, "auto_vacuum", "none")?;
        self.connection.execute_batch("VACUUM")
    }

    /// Whether a new file with the same games would be noticeably smaller.
    fn is_loose(&self) -> Result<bool, CacheError> {
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
        // left even where all are as long: a new file must never seem to be loose.
        let left_in_full_page = (payload / games.max(1)).min(page_bytes / 2);
        let used = pages * page_bytes - unused;
        let needed = (used as u64).div_ceil((page_bytes - left_in_full_page) as u64);
        Ok((pages as u64).saturating_sub(needed))
    }

    fn pages(&self, pragma: &str) -> Result<u64, CacheError> {
        let count: i64 = self
            .connection
            .pragma_query_value(None, pragma, |row| row.get(0))
            .map_err(|error| sqlite_error(&self.path, error))?;
        Ok(count.unsigned_abs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::{CacheKey, GameRecord, PackedGame, Packer};
    use crate::encode::EncodedGame;
    use crate::gamelog::{GameId, GamePlay, ReadOptions};
    use crate::rules::PlayerCount;
    use crate::simulate::simulate_game;
    use rusqlite::Connection;
    use std::path::PathBuf;

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

        /// Stores games as a run does, and returns whether the file was then written anew.
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
            // SQLite counts this on, so that others read the schema again.
            let before = self.pragma("schema_version");
            let mut has_begun = false;
            cache.compact(&lock, || has_begun = true).unwrap();
            let is_new = before != self.pragma("schema_version");
            assert!(has_begun || !is_new);
            is_new
        }

        fn pragma(&self, name: &str) -> u32 {
            let connection = Connection::open(self.path()).unwrap();
            connection.pragma_query_value(None, name, |row| row.get(0)).unwrap()
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
        let mut times = 0;
        for night in 1..10 {
            times += u32::from(nightly.store((night..300).step_by(10)));
            let (bytes, fresh) = (nightly.bytes(), at_once_by(night).bytes());
            assert!(10 * bytes <= 11 * fresh, "{bytes} in night {night}, a fresh one has {fresh}");
        }
        assert!(times > 0);
        assert!(nightly.content() == at_once_by(9).content());

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
        assert_eq!(folder.pragma("page_size"), 2048);
        assert!(folder.store(20..21));
        assert_eq!(folder.pragma("page_size"), PAGE_BYTES);
        assert_eq!(folder.content()[..20], content);
    }
}
