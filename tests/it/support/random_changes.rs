//! A folder with random changes: games are added, changed, removed, broken, repaired and moved (always
//! in the same way for a seed), and ingested after each round.

use super::cached::{cached_games, make_old, written_since};
use super::cli::CliTest;
use super::log_text::with_one_byte_changed;
use rand_mt::Mt64;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

const POOL: i64 = 150;
const CACHE: &str = "incremental.sqlite";

/// The state of a game's log in the folder.
struct Log {
    path: PathBuf,
    /// The newest version that could be read; `None` if there never was one.
    good: Option<Vec<u8>>,
    broken: bool,
    /// Whether it is broken so that it is refused, not deferred.
    refused: bool,
}

pub(crate) struct ChangingFolder {
    test: CliTest,
    dice: Mt64,
    /// Games that have not been added yet.
    pool: Vec<PathBuf>,
    folder: BTreeMap<i64, Log>,
    /// By game, the log of its cached rows.
    cached: BTreeMap<i64, Vec<u8>>,
    /// Games whose logs the last ingest deferred.
    refused_before: BTreeSet<i64>,
    done: BTreeMap<&'static str, usize>,
}

impl ChangingFolder {
    pub(crate) fn begin(seed: u64) -> ChangingFolder {
        let test = CliTest::new();
        test.prep(&format!("simulate pool --games {POOL} --seed 7"));
        let pool = test.files("pool").into_keys().collect();
        let mut changing = ChangingFolder {
            test,
            dice: Mt64::new(seed),
            pool,
            folder: BTreeMap::new(),
            cached: BTreeMap::new(),
            refused_before: BTreeSet::new(),
            done: BTreeMap::new(),
        };
        for _ in 0..20 {
            changing.add();
        }
        changing
    }

    pub(crate) fn change_something(&mut self) {
        for _ in 0..self.roll(4) {
            self.add();
        }
        for _ in 0..self.roll(3) {
            self.change();
        }
        for _ in 0..self.roll(3) {
            self.remove();
        }
        for _ in 0..self.roll(3) {
            self.break_one();
        }
        for _ in 0..self.roll(3) {
            self.repair_one();
        }
        if self.roll(3) == 0 {
            self.move_one();
        }
    }

    pub(crate) fn repair_all(&mut self) {
        while self.repair_one() {}
    }

    /// Ingests with a random number of threads and batch size, and compares the numbers of written,
    /// removed and refused games with the changes of the folder.
    pub(crate) fn ingest_and_check_the_work(&mut self) {
        let jobs = 1 + self.roll(3);
        let batch_size = 1 + self.roll(6);
        if self.test.path(CACHE).exists() {
            make_old(&self.test.path(CACHE));
        }
        let arguments =
            format!("ingest raw --cache {CACHE} --jobs {jobs} --batch-size {batch_size}");
        let ran = self.test.run(&arguments);

        let broken = self.folder.values().filter(|log| log.broken).count();
        let refused = self.folder.values().filter(|log| log.refused).count();
        assert_eq!(ran.code, if refused > 0 { 3 } else { 0 }, "{ran:#?}");
        let should_be = self.cache_should_hold();
        let encoded: Vec<i64> = should_be
            .iter()
            .filter(|(game_id, bytes)| self.cached.get(game_id) != Some(bytes))
            .map(|(&game_id, _)| game_id)
            .collect();
        // Also logs that were never valid: the cache has recorded that they were deferred.
        let known: BTreeSet<i64> =
            self.cached.keys().chain(&self.refused_before).copied().collect();
        let deleted = known.iter().filter(|id| !self.folder.contains_key(id)).count();
        let up_to_date = self.folder.len() - broken - encoded.len();
        let line = ran.stdout.lines().next().unwrap_or_default();
        let plural = if encoded.len() == 1 { "" } else { "s" };
        let begins = format!("{} game{plural} encoded", encoded.len());
        // A truncated log is not refused, because it may still be written.
        let deferred = match broken - refused {
            0 => String::new(),
            deferred => format!(", {deferred} deferred"),
        };
        let ends =
            format!(", {up_to_date} up to date, {deleted} deleted, {refused} refused{deferred}");
        assert!(line.starts_with(&begins) && line.ends_with(&ends), "{begins}…{ends}: {line}");
        assert_eq!(written_since(&self.test.path(CACHE)), encoded);
        let cached: BTreeMap<i64, String> = cached_games(&self.test.path(CACHE))
            .into_iter()
            .map(|(game_id, game)| (game_id, game.source_hash))
            .collect();
        let hashes = should_be.iter().map(|(&id, bytes)| (id, blake3::hash(bytes).to_string()));
        assert_eq!(cached, hashes.collect());
        self.cached = should_be;
        let broken = self.folder.iter().filter(|(_, log)| log.broken);
        self.refused_before = broken.map(|(&game_id, _)| game_id).collect();
    }

    /// A new cache, made from the folder in one run, must give the same export. Games whose logs are
    /// broken but were valid before need two runs: first with the last valid version.
    pub(crate) fn check_the_export(&mut self, features: &str) {
        let scratch = "scratch.sqlite";
        for leftover in ["", ".lock"] {
            let _ = fs::remove_file(self.test.path(format!("{scratch}{leftover}")));
        }
        let older_versions = self.folder.values().any(|log| log.broken && log.good.is_some());
        if older_versions {
            let _ = fs::remove_dir_all(self.test.path("good"));
            for log in self.folder.values() {
                if let Some(good) = &log.good {
                    self.test.write(Path::new("good").join(&log.path), good);
                }
            }
            self.test.prep(&format!("ingest good --cache {scratch}"));
            self.count("exports with an older version");
        }
        let ran = self.test.run(&format!("ingest raw --cache {scratch}"));
        assert!([0, 3].contains(&ran.code), "{ran:#?}");

        // A clean run leaves one file.
        let size = |cache: &str| fs::metadata(self.test.path(cache)).unwrap().len();
        let (long_lived, fresh) = (size(CACHE), size(scratch));
        assert!(2 * long_lived <= 3 * fresh, "{long_lived} bytes, a fresh cache has {fresh}");

        let export = |cache, out| {
            self.test.prep(&format!("export --cache {cache} --out {out} --features {features}"))
        };
        export(CACHE, "incremental");
        export(scratch, "at_once");
        let (incremental, at_once) = (self.test.files("incremental"), self.test.files("at_once"));
        assert!(incremental.contains_key(Path::new("manifest.json")));
        assert!(incremental.contains_key(Path::new("X_train.npy")));
        assert!(incremental.keys().eq(at_once.keys()), "{:?}", incremental.keys());
        for (name, bytes) in &incremental {
            assert!(*bytes == at_once[name], "{} differs", name.display());
        }
        self.count("exports compared");
    }

    pub(crate) fn check_that_enough_happened(&self) {
        let done = &self.done;
        for (what, at_least) in [
            ("added", 40),
            ("changed", 15),
            ("removed", 15),
            ("broken", 15),
            ("broken on arrival", 2),
            ("refused", 5),
            ("repaired", 15),
            ("moved", 5),
            ("exports compared", 6),
            ("exports with an older version", 2),
        ] {
            assert!(done.get(what) >= Some(&at_least), "{what}: {done:?}");
        }
    }

    fn cache_should_hold(&self) -> BTreeMap<i64, Vec<u8>> {
        let good = |(&game_id, log): (&i64, &Log)| Some((game_id, log.good.clone()?));
        self.folder.iter().filter_map(good).collect()
    }

    fn add(&mut self) {
        if self.pool.is_empty() {
            return;
        }
        let place = self.roll(self.pool.len());
        let path = self.pool.swap_remove(place);
        let game_id = path.file_stem().unwrap().to_str().unwrap().parse().unwrap();
        let bytes = self.test.read(Path::new("pool").join(&path));
        let broken = self.roll(8) == 0;
        if broken {
            self.test.write(Path::new("raw").join(&path), cut_off(&bytes));
            // The repair needs the complete game.
            self.test.write(Path::new("arriving").join(&path), &bytes);
            self.count("broken on arrival");
        } else {
            self.test.write(Path::new("raw").join(&path), &bytes);
        }
        let good = (!broken).then_some(bytes);
        self.folder.insert(game_id, Log { path, good, broken, refused: false });
        self.count("added");
    }

    fn change(&mut self) {
        let Some(game_id) = self.pick(|log| !log.broken) else { return };
        let log = self.folder.get_mut(&game_id).unwrap();
        let changed = with_one_byte_changed(log.good.as_ref().unwrap());
        self.test.write(Path::new("raw").join(&log.path), &changed);
        log.good = Some(changed);
        self.count("changed");
    }

    fn remove(&mut self) {
        let Some(game_id) = self.pick(|_| true) else { return };
        let log = self.folder.remove(&game_id).unwrap();
        fs::remove_file(self.test.path("raw").join(log.path)).unwrap();
        self.count("removed");
    }

    fn break_one(&mut self) {
        let Some(game_id) = self.pick(|log| !log.broken) else { return };
        let refused = self.roll(2) == 0;
        let log = self.folder.get_mut(&game_id).unwrap();
        (log.broken, log.refused) = (true, refused);
        let good = log.good.as_ref().unwrap();
        let bytes = if refused { with_text_for_a_number(good) } else { cut_off(good).to_owned() };
        self.test.write(Path::new("raw").join(&log.path), bytes);
        // A log can be broken before its first ingest; then there is no older version.
        if self.cached.get(&game_id) != log.good.as_ref() {
            self.test.write(Path::new("arriving").join(&log.path), log.good.as_ref().unwrap());
            log.good = self.cached.get(&game_id).cloned();
        }
        self.count("broken");
        if refused {
            self.count("refused");
        }
    }

    /// Restores the last valid version, or another one.
    fn repair_one(&mut self) -> bool {
        let Some(game_id) = self.pick(|log| log.broken) else { return false };
        let to_another = self.roll(2) == 0;
        let log = self.folder.get_mut(&game_id).unwrap();
        let mut bytes = match &log.good {
            Some(good) => good.clone(),
            None => self.test.read(Path::new("arriving").join(&log.path)),
        };
        if to_another {
            bytes = with_one_byte_changed(&bytes);
        }
        self.test.write(Path::new("raw").join(&log.path), &bytes);
        log.good = Some(bytes);
        (log.broken, log.refused) = (false, false);
        self.count("repaired");
        true
    }

    fn move_one(&mut self) {
        let Some(game_id) = self.pick(|log| !log.broken) else { return };
        let folder = ["deep/er", "moved", "2_games"][self.roll(3)];
        let log = self.folder.get_mut(&game_id).unwrap();
        let from = self.test.path("raw").join(&log.path);
        log.path = Path::new(folder).join(log.path.file_name().unwrap());
        self.test.write(Path::new("raw").join(&log.path), fs::read(&from).unwrap());
        if from != self.test.path("raw").join(&log.path) {
            fs::remove_file(from).unwrap();
        }
        self.count("moved");
    }

    /// A random game whose log satisfies a condition.
    fn pick(&mut self, is_candidate: impl Fn(&Log) -> bool) -> Option<i64> {
        let candidates: BTreeSet<i64> = self
            .folder
            .iter()
            .filter(|(_, log)| is_candidate(log))
            .map(|(&game_id, _)| game_id)
            .collect();
        let place = self.roll(candidates.len().max(1));
        candidates.into_iter().nth(place)
    }

    /// A number from 0 to `below - 1`.
    fn roll(&mut self, below: usize) -> usize {
        (self.dice.next_u64() % below as u64) as usize
    }

    fn count(&mut self, what: &'static str) {
        *self.done.entry(what).or_default() += 1;
    }
}

/// The log as it is while it is still being written.
fn cut_off(log: &[u8]) -> &[u8] {
    &log[..log.len() - log.len() / 5]
}

/// A log with text in the first field of its second line.
fn with_text_for_a_number(log: &[u8]) -> Vec<u8> {
    let second_line = log.iter().position(|&byte| byte == b'\n').unwrap() + 1;
    [&log[..second_line], b"seven", &log[second_line..]].concat()
}
