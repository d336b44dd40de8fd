//! Logs that change while they are read: no mixture of two versions is cached, no change is missed,
//! every byte is read once, and an unfinished log is deferred. `src/ingest/whole_file.rs` tests how a
//! single read detects a change.

#![allow(clippy::unwrap_used)]

use crate::support::cached::{cached_games, ingest_options};
use crate::support::cli::{CliTest, Ran};
use crate::support::failing_io;
use crate::support::log_text::{LogText, with_one_byte_changed};
use rand_mt::Mt64;
use rusqlite::Connection;
use splendor_prep::cache::{Damage, GameRecord, Reader, Writer};
use splendor_prep::gamelog::{GameId, LogErrorKind};
use splendor_prep::ingest::{IngestError, IngestOptions, IngestSummary, ingest};
use splendor_prep::progress::{Amount, Progress, Silent};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// An ingest in this process, for tests that need a thousand of them.
fn ingest_here(cache: &Path, root: &Path) -> IngestSummary {
    ingest_watched(cache, root, &Silent)
}

fn ingest_watched(cache: &Path, root: &Path, progress: &dyn Progress) -> IngestSummary {
    try_ingest(cache, root, progress).unwrap()
}

fn try_ingest(
    cache: &Path,
    root: &Path,
    progress: &dyn Progress,
) -> Result<IngestSummary, IngestError> {
    try_ingest_with(cache, &ingest_options(root), progress)
}

fn try_ingest_with(
    cache: &Path,
    options: &IngestOptions,
    progress: &dyn Progress,
) -> Result<IngestSummary, IngestError> {
    let stop = AtomicBool::new(false);
    let writer = Writer::open(cache, Duration::ZERO, &stop).unwrap();
    let before = Some(Reader::open(cache).unwrap());
    ingest(before, Some(&writer), options, progress, &stop)
}

/// Does something when a phase of the ingest begins. The logs are read after `ingesting`.
struct Meanwhile<F>(F);

impl<F: Fn(&str)> Progress for Meanwhile<F> {
    fn begin(&self, doing: &'static str, _amount: Amount) {
        self.0(doing);
    }
    fn advance(&self, _steps: u64) {}
    fn end(&self) {}
}

/// Deletes a log after the search of the folder and before the log is read.
fn deletes(log: &Path) -> impl Progress {
    Meanwhile(move |doing: &str| {
        if doing == "ingesting" {
            fs::remove_file(log).unwrap();
        }
    })
}

#[test]
fn log_that_is_deleted_meanwhile_is_not_there() {
    let test = CliTest::simulated(6);
    let (cache, root) = (test.path("c.sqlite"), test.path("raw"));
    let log = root.join("2_games/4.csv");
    let summary = ingest_watched(&cache, &root, &deletes(&log));
    assert_eq!((summary.encoded_games(), summary.refused.len()), (5, 0), "{summary:?}");
    assert_eq!(summary.deferred.len(), 1, "the next run removes the game");
    let summary = ingest_here(&cache, &root);
    assert_eq!((summary.counts["up_to_date"], summary.deferred.len()), (5, 0), "{summary:?}");
    // A cached game stays until the next run.
    let log = root.join("3_games/5.csv");
    let summary = ingest_watched(&cache, &root, &deletes(&log));
    assert_eq!((summary.cache.games, summary.refused.len()), (5, 0), "{summary:?}");
    assert_eq!(ingest_here(&cache, &root).deleted, [GameId(5)]);
}

/// As if a disk was unmounted after the search: no log is a change that was deferred.
#[test]
fn folder_that_vanishes_fails_the_ingest() {
    let test = CliTest::simulated(12);
    let (cache, root) = (test.path("c.sqlite"), test.path("raw"));
    ingest_here(&cache, &root);
    test.prep("simulate raw --games 12 --first-id 13");
    let is_finished = || Reader::open(&cache).unwrap().last_ingest_finished().unwrap();
    for folder in ["raw", "raw/2_games"] {
        let [there, away] = [folder, "away"].map(|folder| test.path(folder));
        let vanishing = Meanwhile(|doing: &str| {
            if doing == "ingesting" {
                assert!(!is_finished(), "a kill before the new games is recorded");
                fs::rename(&there, &away).unwrap();
            }
        });
        let error = try_ingest(&cache, &root, &vanishing).unwrap_err().to_string();
        assert!(error.contains("raw"), "{error}");
        assert!(!is_finished(), "{folder}: {error}");
        fs::rename(&away, &there).unwrap();
    }
    let summary = ingest_here(&cache, &root);
    assert_eq!((summary.cache.games, summary.deferred.len()), (24, 0), "{summary:?}");
    assert!(is_finished());
}

/// A log that is moved while the folders are listed is in none of them, or in two.
#[test]
fn log_that_is_moved_meanwhile_is_read() {
    let test = CliTest::simulated(9);
    let (cache, root) = (test.path("c.sqlite"), test.path("raw"));
    let (from, to) = (root.join("2_games/1.csv"), root.join("3_games/1.csv"));
    ingest_here(&cache, &root);
    let sound = fs::read(&from).unwrap();
    let changed = with_one_byte_changed(&sound);
    let hidden = test.path("hidden");
    let moving = Meanwhile(|doing: &str| match doing {
        "looking for logs" => fs::rename(&from, &hidden).unwrap(),
        "reading the cache" => fs::rename(&hidden, &to).unwrap(),
        _ => {}
    });
    let not_listed = |log: &[u8]| {
        fs::write(&from, log).unwrap();
        let summary = ingest_watched(&cache, &root, &moving);
        fs::rename(&to, &from).unwrap();
        (summary.counts, summary.refused.len())
    };
    assert_eq!(not_listed(&changed), ([("bytes_changed", 1), ("up_to_date", 8)].into(), 0));
    for _ in 0..2 {
        assert_eq!(not_listed(b"no log\n"), ([("refused", 1), ("up_to_date", 8)].into(), 1));
        assert_eq!(Reader::open(&cache).unwrap().refusals().unwrap().len(), 1);
    }
    // A rebuild has found it before.
    let options = IngestOptions { known_games: vec![GameId(1)], ..ingest_options(&root) };
    fs::write(&from, &sound).unwrap();
    let rebuilt = try_ingest_with(&test.path("rebuilt.sqlite"), &options, &moving).unwrap();
    assert_eq!(rebuilt.counts, [("new", 9)].into());

    for log in [&from, &to] {
        fs::write(log, &changed).unwrap();
    }
    let summary = ingest_watched(&cache, &root, &deletes(&from));
    assert_eq!(summary.counts, [("up_to_date", 9)].into(), "{summary:?}");
    assert_eq!(cached_games(&cache)[&1].source_path, "3_games/1.csv");
}

#[test]
fn cache_that_is_deleted_meanwhile_is_named() {
    let test = CliTest::simulated(3);
    let (cache, root) = (test.path("c.sqlite"), test.path("raw"));
    let deleting = deletes(&cache);
    let error = try_ingest(&cache, &root, &deleting).unwrap_err().to_string();
    assert!(error.contains("was deleted or replaced by another program"), "{error}");
    // An older state that `cp` writes to the same file.
    ingest_here(&cache, &root);
    let backup = fs::read(&cache).unwrap();
    for first_id in [4, 5] {
        test.prep(&format!("simulate raw --games 1 --first-id {first_id}"));
        let restoring = Meanwhile(|doing: &str| {
            if doing == "ingesting" && first_id == 5 {
                fs::write(&cache, &backup).unwrap();
            }
        });
        let error = try_ingest(&cache, &root, &restoring).err().map(|error| error.to_string());
        assert_eq!(error.is_some_and(|error| error.contains("replaced by another")), first_id == 5);
    }
}

/// After the ingest has written all games, and before it commits the last batch; also if nothing was written.
#[test]
fn cache_that_is_replaced_before_the_last_commit_is_named() {
    let test = CliTest::simulated(3);
    let (cache, root) = (test.path("c.sqlite"), test.path("raw"));
    for new_game in [None, None, Some(4)] {
        if let Some(game_id) = new_game {
            test.prep(&format!("simulate raw --games 1 --first-id {game_id}"));
        }
        ingest_here(&test.path("other.sqlite"), &root);
        let replacing = Meanwhile(|doing: &str| {
            if doing == "committing" {
                fs::rename(test.path("other.sqlite"), &cache).unwrap();
            }
        });
        let error = try_ingest(&cache, &root, &replacing).unwrap_err().to_string();
        assert!(error.contains("was deleted or replaced by another program"), "{error}");
    }
}

/// The header and the first rows.
fn shortened(log: &[u8], rows: usize) -> Vec<u8> {
    let mut text = LogText::parse(log);
    text.lines.truncate(1 + rows);
    text.to_bytes()
}

/// Runs `prep` and returns the number of bytes read, as counted by the kernel.
fn bytes_read(test: &CliTest, arguments: &str) -> u64 {
    let mut child = test.command(arguments).spawn().unwrap();
    // The count is available until the process is waited for.
    let process = format!("/proc/{}", child.id());
    loop {
        let stat = fs::read_to_string(format!("{process}/stat")).unwrap();
        if stat.rsplit(')').next().unwrap().trim_start().starts_with('Z') {
            break;
        }
        sleep(Duration::from_millis(2));
    }
    let io = fs::read_to_string(format!("{process}/io")).unwrap();
    assert!(child.wait().unwrap().success());
    let count = io.lines().find_map(|line| line.strip_prefix("rchar: ")).unwrap();
    count.parse().unwrap()
}

#[test]
fn every_byte_is_read_once() {
    let test = CliTest::simulated(72);
    let size: u64 = test.files("raw").values().map(|log| log.len() as u64).sum();
    for what in ["ingest raw", "ingest raw", "status raw"] {
        let read = bytes_read(&test, what);
        // The cache, which is read too, has a tenth of the size of the logs.
        let most = size + size / 3;
        assert!((size..most).contains(&read), "{what}: {read} bytes of logs of {size}");
    }
}

/// Writes to a folder like a fast logger, in bursts, until `stop` is set.
struct Logger<'a> {
    folder: &'a Path,
    dice: Mt64,
    /// Two complete versions of each game, with the same size.
    versions: [[Vec<u8>; 2]; 3],
}

impl Logger<'_> {
    fn work(&mut self, stop: &AtomicBool) {
        while !stop.load(Ordering::Relaxed) {
            for _ in 0..self.roll(8) {
                let version = self.roll(2);
                match self.roll(3) {
                    // Replaces the file by a complete one.
                    0 => {
                        let new = self.folder.join(".new");
                        fs::write(&new, &self.versions[0][version]).unwrap();
                        fs::rename(new, self.folder.join("1.csv")).unwrap();
                    }
                    // Writes the file from the beginning, row by row, each in two halves.
                    1 => {
                        let log = &self.versions[1][version];
                        let mut file = File::create(self.folder.join("2.csv")).unwrap();
                        for row in log.split_inclusive(|&byte| byte == b'\n') {
                            let (front, back) = row.split_at(row.len() / 2);
                            file.write_all(front).unwrap();
                            file.write_all(back).unwrap();
                        }
                    }
                    // Overwrites the file in one call.
                    _ => {
                        let file = File::options().write(true).open(self.folder.join("3.csv"));
                        file.unwrap().write_all(&self.versions[2][version]).unwrap();
                    }
                }
            }
            let pause = self.roll(70) as u64;
            sleep(Duration::from_millis(pause));
        }
    }

    fn roll(&mut self, below: usize) -> usize {
        (self.dice.next_u64() % below as u64) as usize
    }

    /// Hashes of all complete versions: a growing log is complete after every row.
    fn whole(&self, game_id: i64) -> BTreeSet<String> {
        let versions = &self.versions[game_id as usize - 1];
        let ends = |log: &Vec<u8>| -> Vec<usize> {
            let ends = log.iter().enumerate().filter(|&(_, &byte)| byte == b'\n');
            ends.map(|(end, _)| end + 1).collect()
        };
        let prefixes = versions.iter().flat_map(|log| {
            let ends = if game_id == 2 { ends(log) } else { vec![log.len()] };
            ends.into_iter().map(|end| blake3::hash(&log[..end]).to_string())
        });
        prefixes.collect()
    }
}

#[test]
fn no_mixture_of_versions_is_cached() {
    let test = CliTest::simulated(9);
    let folder = test.path("moving");
    fs::create_dir(&folder).unwrap();
    let log = |path: &str, game_id: i64| {
        let mut text = LogText::parse(&test.read(path));
        for line in 2..=text.lines.len() {
            text.set(line, "game_id", &game_id.to_string());
        }
        let log = text.to_bytes();
        fs::write(folder.join(format!("{game_id}.csv")), &log).unwrap();
        [with_one_byte_changed(&log), log]
    };
    let versions =
        [log("raw/2_games/4.csv", 1), log("raw/2_games/7.csv", 2), log("raw/2_games/1.csv", 3)];
    let mut logger = Logger { folder: &folder, dice: Mt64::new(5), versions };
    let whole: Vec<_> = (1..=3).map(|game_id| logger.whole(game_id)).collect();

    let stop = AtomicBool::new(false);
    let path = test.path("cache.sqlite");
    let (mut ingested, mut deferred, mut changed) = (0, 0, 0);
    std::thread::scope(|scope| {
        let _stop = StopAtEnd(&stop);
        scope.spawn(|| logger.work(&stop));
        // Until both outcomes occurred often enough, which depends on the scheduling of the threads.
        let begun = Instant::now();
        let mut round = 0;
        while round < 50 || ingested < 5 || deferred < 5 || changed == 0 {
            assert!(begun.elapsed() < PATIENCE, "{ingested} ingested, {deferred} deferred");
            round += 1;
            let summary = ingest_here(&path, &folder);
            ingested += summary.encoded_games();
            deferred += summary.deferred.len();
            assert!(summary.refused.is_empty(), "{:?}", summary.refused);
            let refusals = Reader::open(&path).unwrap().refusals().unwrap();
            assert_eq!(refusals.len(), summary.deferred.len());
            assert!(refusals.iter().all(|refusal| refusal.deferred), "{refusals:?}");
            let kinds = summary.deferred.iter().map(|error| error.fault.kind);
            changed += kinds.filter(|&kind| kind == LogErrorKind::ChangedWhileRead).count();
            let look_at = |game_id: GameId, record: Result<GameRecord, Damage>| {
                let hash = record.unwrap().key.source_hash.to_string();
                assert!(whole[game_id.0 as usize - 1].contains(&hash), "a mixture of {game_id}");
            };
            Reader::open(&path).unwrap().each_game(look_at).unwrap();
        }
    });
}

/// Time limit for enough races.
const PATIENCE: Duration = Duration::from_secs(120);

/// Ends the other thread also if this one fails.
struct StopAtEnd<'a>(&'a AtomicBool);

impl Drop for StopAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Restores the modification time for every second one.
#[test]
fn rapid_rewrites_are_detected() {
    const GAMES: usize = 20;
    const ROUNDS: usize = 50;
    let test = CliTest::simulated(GAMES);
    let folder = test.path("raw");
    let logs: Vec<(PathBuf, [Vec<u8>; 2])> = test
        .files("raw")
        .into_iter()
        .map(|(path, log)| {
            let log = shortened(&log, 3);
            fs::write(folder.join(&path), &log).unwrap();
            (folder.join(path), [with_one_byte_changed(&log), log])
        })
        .collect();
    let cache = test.path("cache.sqlite");
    assert_eq!(ingest_here(&cache, &folder).encoded_games(), GAMES);
    for round in 0..ROUNDS {
        for (path, versions) in &logs {
            let modified = fs::metadata(path).unwrap().modified().unwrap();
            fs::write(path, &versions[round % 2]).unwrap();
            if round % 4 < 2 {
                File::options().write(true).open(path).unwrap().set_modified(modified).unwrap();
            }
        }
        let summary = ingest_here(&cache, &folder);
        assert_eq!(summary.counts, [("bytes_changed", GAMES)].into(), "round {round}");
    }
}

#[test]
fn unfinished_log_is_deferred() {
    let test = CliTest::ingested(6);
    let (log, cached) = (test.read("raw/2_games/1.csv"), cached_games(&test.cache()));
    let header = log.iter().position(|&byte| byte == b'\n').unwrap() + 1;
    // In a row, in its last value, in a quoted value, after the header, in the header, and in an empty file.
    let last_comma = log.iter().rposition(|&byte| byte == b',').unwrap();
    let quoted = [&log[..=last_comma], b"\"3"].concat();
    let cuts =
        [&log[..log.len() / 2], &log[..log.len() - 1], &quoted, &log[..header], &log[..9], b""];
    for cut in cuts {
        test.write("raw/2_games/1.csv", cut);
        if cut.len() == log.len() - 1 {
            // Complete except for the line break, if the last value cannot continue.
            test.exits(0, "ingest raw");
            continue;
        }
        let ran = test.run("ingest raw");
        assert_eq!(ran.code, 0, "{} bytes: {ran:#?}", cut.len());
        assert!(ran.stdout.contains(" 0 deleted, 0 refused, 1 deferred\n"), "{ran:#?}");
        let said = "still being written: it will be tried again on the next run\n";
        assert!(ran.stderr.starts_with("2_games/1.csv") && ran.stderr.contains(said), "{ran:#?}");
        assert_eq!(ran.complaints(), "", "{ran:#?}");
        assert!(cached_games(&test.cache())[&1].blobs == cached[&1].blobs, "the old rows stay");

        let ran = test.exits(0, "export --out out");
        assert!(
            ran.stderr
                .contains("1 game is included as it was before its log was last written to: 1\n"),
            "{ran:#?}"
        );
        let listed = &test.json("out/manifest.json")["from_an_older_log"];
        assert_eq!(listed.as_array().unwrap().len(), 1, "{listed}");
        assert!(listed[0]["why"].as_str().unwrap().contains("still being written"), "{listed}");
    }
    test.write("raw/2_games/1.csv", with_one_byte_changed(&log));
    assert!(test.prep("ingest raw").contains("1 bytes changed"));
    let ran = test.run("export --out out");
    assert!(!ran.stderr.contains("game 1 "), "{ran:#?}");
}

/// Refused logs have the lowest ids, so they are in the cache long before the end of the run.
#[test]
fn killed_ingest_is_recorded() {
    let test = CliTest::simulated(150);
    for (path, log) in test.files("raw") {
        let game_id: i64 = path.file_stem().unwrap().to_str().unwrap().parse().unwrap();
        if game_id <= 20 {
            let mut text = LogText::parse(&log);
            text.set(3, "turn_number", "2.5");
            test.write(Path::new("raw").join(path), text.to_bytes());
        }
    }
    let slow = "ingest raw --jobs 1 --batch-size 10 --cache cache.sqlite";
    let halfway = failing_io::count(test.command(slow)).all() / 2;
    let path = test.path("cache.sqlite");
    fs::remove_file(&path).unwrap();
    let count = |table: &str| -> u32 {
        let sql = format!("SELECT count(*) FROM {table}");
        Connection::open(&path).unwrap().query_row(&sql, [], |row| row.get(0)).unwrap()
    };
    let killed = failing_io::with(test.command(slow), "KILL", halfway).output().unwrap();
    let ran = Ran::from(killed);
    assert!((1..130).contains(&count("games")), "{ran:#?}");
    assert_eq!(ran.code, -1, "{ran:#?}");
    assert_eq!(count("refusals"), 20);

    let said = "the last ingest did not finish, or is still running";
    let export = "export --cache cache.sqlite --features base";
    let ran = test.exits(0, &format!("{export} --out half"));
    assert!(ran.stderr.contains(&format!("warning: {said}")), "{ran:#?}");
    assert_eq!(test.json("half/manifest.json")["inputs"]["last_ingest_finished"], false);
    let ran = test.run("status raw --cache cache.sqlite");
    assert!(ran.code == 1 && ran.stderr.contains(said), "{ran:#?}");

    // The next run continues, and no warning is left.
    test.exits(3, slow);
    test.exits(3, "ingest raw --cache fresh.sqlite");
    let ran = test.run(&format!("{export} --out whole"));
    assert!(!ran.stderr.contains(said), "{ran:#?}");
    assert_eq!(test.json("whole/manifest.json")["inputs"]["last_ingest_finished"], true);
    test.prep("export --cache fresh.sqlite --features base --out fresh");
    assert!(test.files("whole") == test.files("fresh"), "the exports differ");
}

/// Also if the run is killed in its first batch.
#[test]
fn ingest_killed_in_first_batch_is_recorded() {
    let test = CliTest::simulated(150);
    test.prep("ingest raw --max-games 10 --cache cache.sqlite");
    let mut child = test.command("ingest raw --jobs 1 --cache cache.sqlite").spawn().unwrap();
    let path = test.path("cache.sqlite");
    let begun = |sql: &str| -> bool {
        Connection::open(&path).unwrap().query_row(sql, [], |row| row.get(0)).unwrap()
    };
    while begun("SELECT finished_at IS NOT NULL FROM last_ingest") {
        assert!(child.try_wait().unwrap().is_none(), "it is over");
        sleep(Duration::from_millis(2));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(begun("SELECT count(*) = 10 FROM games"), "nothing of the batch is there");
    test.prep("export --cache cache.sqlite --features base --out half");
    assert_eq!(test.json("half/manifest.json")["inputs"]["last_ingest_finished"], false);

    // An ingest of some of the games does not finish it; without one, it is a sample.
    for (max_games, code) in [(10, 1), (12, 1), (150, 0)] {
        test.prep(&format!("ingest raw --max-games {max_games} --cache cache.sqlite"));
        let ran = test.run("export --cache cache.sqlite --features base --out strict --strict");
        assert_eq!(ran.code, code, "{max_games}: {ran:#?}");
    }
    test.prep("ingest raw --max-games 12 --cache cache.sqlite");
    test.prep("export --cache cache.sqlite --features base --out strict --strict");
}
