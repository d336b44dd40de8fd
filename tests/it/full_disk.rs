//! A real full disk: a small file system in memory, which only root can mount. For other users these
//! tests are skipped; `tests/it/kills.rs` simulates a full disk for everybody.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::print_stderr)]

use crate::support::cli::{CliTest, Ran};
use std::fs;
use std::path::PathBuf;
use std::process::Command;

/// A file system at `small` in the test's folder, unmounted on drop.
struct SmallDisk {
    path: PathBuf,
}

impl SmallDisk {
    fn mount(test: &CliTest, kilobytes: u64) -> Option<SmallDisk> {
        let path = test.path("small");
        fs::create_dir(&path).unwrap();
        if !run("mount", &["-t", "tmpfs", "-o", &size(kilobytes), "tmpfs"], &path) {
            eprintln!("skipped: cannot mount a small file system here");
            return None;
        }
        Some(SmallDisk { path })
    }

    fn resize(&self, kilobytes: u64) {
        assert!(run("mount", &["-o", &format!("remount,{}", size(kilobytes))], &self.path));
    }

    fn used_kilobytes(&self) -> u64 {
        let mut kilobytes = 0;
        for entry in walkdir::WalkDir::new(&self.path) {
            kilobytes += entry.unwrap().metadata().unwrap().len().div_ceil(4096) * 4;
        }
        kilobytes
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        if !run("umount", &[], &self.path) {
            run("umount", &["--lazy"], &self.path);
        }
    }
}

fn size(kilobytes: u64) -> String {
    format!("size={kilobytes}k")
}

fn run(program: &str, arguments: &[&str], path: &PathBuf) -> bool {
    let ran = Command::new(program).args(arguments).arg(path).output();
    ran.is_ok_and(|output| output.status.success())
}

fn assert_full(ran: &Ran) {
    assert!(ran.tells_of_a_full_disk(), "{ran:#?}");
}

/// The amount after a word, in bytes.
fn amount_behind(word: &str, text: &str) -> f64 {
    let mut words = text.split(&format!("{word} ")).nth(1).unwrap().split(' ');
    let number: f64 = words.next().unwrap().parse().unwrap();
    let unit = words.next().unwrap().trim_matches([',', ':']);
    number
        * [("bytes", 1.0), ("KB", 1e3), ("MB", 1e6)].iter().find(|known| known.0 == unit).unwrap().1
}

#[test]
fn ingest_continues_after_a_full_disk() {
    let test = CliTest::new();
    test.prep("simulate raw --games 200 --seed 5");
    let Some(disk) = SmallDisk::mount(&test, 1_200) else { return };
    let ingest = "ingest raw --cache small/prep.sqlite --batch-size 5 --jobs 2";
    let ran = test.run(ingest);
    assert_full(&ran);
    let error = ran.complaints();
    assert!(error.contains("small/prep.sqlite is full"), "{error}");
    assert!(error.contains("the games stored so far are kept"), "{error}");

    disk.resize(6_000);
    let ran = test.run(ingest);
    assert_eq!(ran.code, 0, "{error}, then {ran:#?}");
    let up_to_date: u32 = ran
        .stdout
        .split(" up to date")
        .next()
        .unwrap()
        .rsplit(' ')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    assert!(up_to_date > 0, "{}", ran.stdout);
    test.prep("verify raw --cache small/prep.sqlite");

    // A failed rebuild leaves it unchanged.
    let before = test.read("small/prep.sqlite");
    disk.resize(disk.used_kilobytes() + 500);
    let ran = test.run("ingest raw --cache small/prep.sqlite --rebuild");
    assert_full(&ran);
    assert!(ran.complaints().contains("the cache is unchanged"), "{ran:#?}");
    assert_eq!(test.read("small/prep.sqlite"), before);
    let left: Vec<_> = test.files("small").into_keys().collect();
    assert_eq!(left, ["prep.sqlite", "prep.sqlite.lock"].map(PathBuf::from));

    // Not even enough space to begin.
    disk.resize(disk.used_kilobytes());
    fs::write(test.path("raw/2_games/1000.csv"), test.read("raw/2_games/1.csv")).unwrap();
    assert_full(&test.run(ingest));
}

/// Megabytes are rounded to one decimal.
const ROUNDED: f64 = 5e4;

#[test]
fn export_is_refused_before_it_begins() {
    let test = CliTest::new();
    test.prep("simulate raw --games 40 --seed 5");
    test.prep("ingest raw --cache few.sqlite --max-games 3");
    test.prep("ingest raw --cache all.sqlite");
    for layout in ["npz", "npy"] {
        let Some(disk) = SmallDisk::mount(&test, 2_000) else { return };
        let export = |cache: &str| {
            format!(
                "export --cache {cache} --out small/processed --features base --layout {layout}"
            )
        };
        test.prep(&export("few.sqlite"));
        let old = test.files("small");
        let ran = test.run(&export("all.sqlite"));
        assert_full(&ran);
        let error = ran.complaints();
        assert!(error.contains("the export to small/processed needs "), "{error}");
        assert!(error.contains(" are free there"), "not before it began: {error}");
        assert!(test.files("small") == old, "it left something");

        // The stated amount is enough, and not much too large.
        let needed = amount_behind("needs", &error) + ROUNDED;
        disk.resize(disk.used_kilobytes() + needed as u64 / 1024 + 1);
        test.prep(&export("all.sqlite"));
        let written: usize = test.files("small").values().map(Vec::len).sum();
        let written = written as f64;
        assert!((written..written * 1.25 + 5e5).contains(&needed), "{needed} for {written}");
        drop(disk);
        fs::remove_dir(test.path("small")).unwrap();
    }
}

#[test]
fn join_reports_a_full_disk() {
    let test = CliTest::new();
    test.prep("simulate raw --games 20 -q");
    test.prep("ingest raw -q --cache all.sqlite");
    for shard in ["1", "2"] {
        test.prep(&format!("export -q --cache all.sqlite --shard {shard}/2 --out s{shard}"));
    }
    let Some(_disk) = SmallDisk::mount(&test, 300) else { return };
    let ran = test.run("join small/out s1 s2");
    assert_full(&ran);
    assert!(ran.complaints().contains("the export to small/out needs "), "{ran:#?}");
    assert!(test.files("small").is_empty());
}

#[test]
fn simulate_reports_a_full_disk_once() {
    let test = CliTest::new();
    let Some(_disk) = SmallDisk::mount(&test, 500) else { return };
    let ran = test.exits(1, "simulate small/raw --games 60");
    assert_eq!(ran.stderr.matches("No space left on device").count(), 1, "{ran:#?}");
}
