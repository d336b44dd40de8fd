//! Runs the recipes of `docs/commands.md` for thirty nights, and checks the mails of cron and the exports.

use super::{HOUR, make_older};
use crate::support::cli::CliTest;
use crate::support::log_text::edited;
use flate2::write::GzEncoder;
use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The errors and warnings in the mails by night; other nights have no mail.
const MAILS: [(usize, &[&str]); 12] = [
    // On night 5 a worker is killed in the middle of a log, which might still be written.
    (6, &["error: 901.csv:", "warning: 1 game is excluded, because its log is refused: 901"]),
    (7, &["warning: 1 log is still refused, see `prep status data/raw --cache "]),
    (8, &["warning: 1 log is still refused, see "]),
    (9, &["warning: 1 log is still refused, see "]),
    (10, &["warning: 1 game was never ingested, because its refused log was deleted: 901"]),
    // On night 12 the oldest logs are compressed.
    (15, &["warning: 2 games removed from the cache, because their logs were deleted: 21, 22"]),
    // A faulty logger.
    (20, &[BAD_VALUE, "warning: 1 game is excluded, because its log is refused: 941"]),
    (21, &["warning: 1 log is still refused, see "]),
    // On night 22 its log is repaired, and on night 24 nothing is new.
    (
        27,
        &[
            "warning: 1 game does not replay (961.csv:",
            "warning: 1 game does not replay but is included: 961 (--replayable-only ",
        ],
    ),
    // The logger is faulty again.
    (28, &[BAD_VALUE, "warning: the cache keeps an older version of 1 game", OUTDATED]),
    (29, &["warning: 1 log is still refused, see "]),
    (30, &["warning: 1 log is still refused, see "]),
];

const BAD_VALUE: &str = "error: 941.csv:3: turn_number is `2.5`, ";
const OUTDATED: &str = "warning: 1 game is included as it was before its log broke: 941";

/// The number of games before the first night.
const GAMES: usize = 30;

/// The logs that loggers write; each night ingests some.
struct Logs {
    test: CliTest,
    /// Valid logs that are not written yet.
    pool: Vec<Vec<u8>>,
    live: Option<(i64, Vec<u8>)>,
    finished: BTreeSet<i64>,
}

impl Logs {
    fn path(&self, game_id: i64) -> PathBuf {
        self.test.path(format!("raw/{game_id}.csv"))
    }

    fn write(&mut self, game_id: i64, log: &[u8]) {
        fs::write(self.path(game_id), log).unwrap();
        self.finished.insert(game_id);
    }

    fn next(&mut self, game_id: i64) -> Vec<u8> {
        with_id(&self.pool.pop().unwrap(), game_id)
    }

    /// The changes on the day before a night.
    fn day(&mut self, night: usize) {
        for path in self.test.files("raw").into_keys() {
            make_older(&self.test.path("raw").join(path), 24 * HOUR);
        }
        if night == 24 {
            return;
        }
        // The running logger: each log is incomplete for one night.
        if let Some((game_id, log)) = self.live.take() {
            self.write(game_id, &log);
        }
        if night != 23 {
            let game_id = 100 + night as i64;
            let log = self.next(game_id);
            fs::write(self.path(game_id), &log[..log.len() / 2]).unwrap();
            self.live = Some((game_id, log));
        }
        match night {
            5 => {
                let log = self.next(901);
                fs::write(self.path(901), &log[..log.len() / 3]).unwrap();
            }
            10 => fs::remove_file(self.path(901)).unwrap(),
            12 => {
                for game_id in 1..=20 {
                    let log = fs::read(self.path(game_id)).unwrap();
                    let packed = self.test.path(format!("raw/{game_id}.csv.gz"));
                    let file = fs::File::create(packed).unwrap();
                    let mut encoder = GzEncoder::new(file, flate2::Compression::default());
                    encoder.write_all(&log).unwrap();
                    encoder.finish().unwrap();
                    // `gzip --keep` for some.
                    if game_id > 5 {
                        fs::remove_file(self.path(game_id)).unwrap();
                    }
                }
            }
            15 => {
                for game_id in [21, 22] {
                    fs::remove_file(self.path(game_id)).unwrap();
                    self.finished.remove(&game_id);
                }
            }
            20 => {
                let log = self.next(941);
                fs::write(self.path(941), bad(&log)).unwrap();
                self.pool.push(log);
            }
            22 => {
                let log = self.next(941);
                self.write(941, &log);
            }
            27 => {
                let log = self.next(961);
                // A row is lost.
                let lines = log.split_inclusive(|&byte| byte == b'\n').enumerate();
                let lost: Vec<u8> = lines
                    .filter(|(line, _)| *line != 9)
                    .flat_map(|(_, line)| line)
                    .copied()
                    .collect();
                self.write(961, &lost);
            }
            28 => {
                let log = fs::read(self.path(941)).unwrap();
                fs::write(self.path(941), bad(&log)).unwrap();
            }
            _ => {}
        }
    }
}

fn bad(log: &[u8]) -> Vec<u8> {
    edited(log, |log| log.set(3, "turn_number", "2.5"))
}

fn with_id(log: &[u8], game_id: i64) -> Vec<u8> {
    edited(log, |log| {
        for line in 2..=log.lines.len() {
            log.set(line, "game_id", &game_id.to_string());
        }
    })
}

/// The commands in the recipes of the documentation, each list joined with `&&`.
fn recipes() -> [String; 2] {
    let page =
        fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/commands.md")).unwrap();
    let cron = page.lines().find_map(|line| line.strip_prefix("0 3 * * *  cd /srv/splendor && "));
    let systemd = page.lines().filter_map(|line| line.strip_prefix("ExecStart=/usr/local/bin/"));
    [cron.unwrap().to_owned(), systemd.collect::<Vec<_>>().join(" && ")]
}

/// Runs a recipe in a folder like cron or systemd; returns its stdout and stderr.
fn run(test: &CliTest, recipe: &str, folder: &str) -> (String, String) {
    let prep = test.command("");
    let bin = Path::new(prep.get_program()).parent().unwrap();
    let mut command = Command::new("/bin/sh");
    for (name, value) in prep.get_envs() {
        assert!(value.is_none());
        command.env_remove(name);
    }
    command.args(["-c", recipe]).current_dir(test.path(folder)).env("PATH", bin);
    let ran = command.output().unwrap();
    let (out, err) =
        (String::from_utf8(ran.stdout).unwrap(), String::from_utf8(ran.stderr).unwrap());
    assert!(ran.status.success(), "{recipe}: {out}\n{err}");
    (out, err)
}

fn exported(test: &CliTest, folder: &str) -> BTreeSet<i64> {
    let manifest = test.json(format!("{folder}/exports/latest/manifest.json"));
    let ids = |split: &str| {
        let ids = manifest["splits"][split]["game_ids"].as_array().unwrap().iter();
        ids.map(|id| id.as_i64().unwrap()).collect::<Vec<_>>()
    };
    ["train", "val", "test"].into_iter().flat_map(ids).collect()
}

#[test]
fn mails_and_exports() {
    let test = CliTest::new();
    test.prep("simulate pool --games 70");
    let pool = test.files("pool").into_values().collect();
    fs::create_dir(test.path("raw")).unwrap();
    for job in ["cron", "systemd"] {
        fs::create_dir_all(test.path(job).join("data")).unwrap();
        symlink("../../raw", test.path(job).join("data/raw")).unwrap();
    }
    let mut logs = Logs { test, pool, live: None, finished: BTreeSet::new() };
    for game_id in 1..=GAMES as i64 {
        let log = logs.next(game_id);
        logs.write(game_id, &log);
    }
    let [cron, systemd] = recipes();
    let mut latest = PathBuf::new();
    for night in 1..=30 {
        logs.day(night);
        let test = &logs.test;
        let (out, mail) = run(test, &cron, "cron");
        assert_eq!(out, "", "night {night}");
        let expected =
            MAILS.iter().find(|(of, _)| *of == night).map_or(&[][..], |(_, lines)| lines);
        let is_message = |line: &&str| line.starts_with("error: ") || line.starts_with("warning: ");
        let messages: Vec<&str> = mail.lines().filter(is_message).collect();
        let is_expected = messages.len() == expected.len()
            && messages.iter().zip(expected).all(|(line, begin)| line.starts_with(begin));
        assert!(is_expected && (mail.is_empty() == expected.is_empty()), "night {night}:\n{mail}");
        assert!(mail.lines().count() < 12, "night {night}:\n{mail}");

        run(test, &systemd, "systemd");
        // Game 941 is included as it was before its log broke.
        assert_eq!(exported(test, "cron"), logs.finished, "night {night}");
        assert_eq!(exported(test, "systemd"), logs.finished, "night {night}");
        let link = fs::read_link(test.path("cron/exports/latest")).unwrap();
        assert_eq!(link == latest, night == 24, "night {night}: {}", link.display());
        latest = link;
    }
    let test = &logs.test;
    let dated = fs::read_dir(test.path("cron/exports")).unwrap().count();
    // With `latest` and the lock file.
    assert_eq!(dated, 7 + 2);
    assert!(test.path("systemd/metrics/prep.prom").is_file());
    // The result is the same as from one run over the logs of the last night.
    test.prep("ingest raw --cache fresh.sqlite --max-refused 1");
    test.prep("export --cache fresh.sqlite --out fresh");
    assert_eq!(test.files("fresh").len(), test.files("cron/exports/latest").len());
}
