//! Threads that are descheduled at inconvenient moments: exit code 0 still means that the result is complete.
//!
//! `support/preempting_clock.c` makes a thread sleep after every Nth read of the clock. Different values
//! of N give different schedules, some of which stop each thread repeatedly at the same place.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

use crate::support::cached::{cached_games, execute};
use crate::support::cli::{CliTest, Ran};
use crate::support::preloaded;
use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

const RHYTHMS: [u32; 7] = [50, 53, 97, 101, 150, 197, 331];
const GAMES: usize = 40;

static CLOCK: LazyLock<PathBuf> = LazyLock::new(|| preloaded::compile("preempting_clock"));

fn preempted(test: &CliTest, arguments: &str, every: u32) -> Ran {
    let mut command = test.command(arguments);
    command.env("LD_PRELOAD", &*CLOCK).env("PREEMPTING_CLOCK_EVERY", every.to_string());
    Ran::from(command.output().unwrap())
}

fn simulated() -> CliTest {
    let test = CliTest::new();
    test.prep(&format!("simulate raw --games {GAMES} --seed 5"));
    test
}

#[test]
fn ingest_and_rebuild_store_every_game() {
    let test = simulated();
    for every in RHYTHMS {
        for jobs in [1, 2] {
            let _ = fs::remove_file(test.path("c.sqlite"));
            for rebuild in ["", "--rebuild"] {
                let ingest = format!("ingest raw --cache c.sqlite --jobs {jobs} {rebuild}");
                let ran = preempted(&test, &ingest, every);
                assert_eq!(ran.code, 0, "{ingest}, every {every}: {ran:#?}");
                let stored = cached_games(&test.path("c.sqlite")).len();
                assert_eq!(stored, GAMES, "{ingest}, every {every}: {ran:#?}");
            }
        }
    }
}

#[test]
fn verify_finds_the_damaged_game() {
    let test = simulated();
    test.prep("ingest raw --cache c.sqlite");
    execute(
        &test.path("c.sqlite"),
        "UPDATE games SET features = x'00' WHERE game_id = (SELECT max(game_id) FROM games)",
    );
    for every in RHYTHMS {
        for jobs in [1, 2] {
            let verify = format!("verify raw --cache c.sqlite --jobs {jobs}");
            let ran = preempted(&test, &verify, every);
            assert_eq!(ran.code, 1, "{verify}, every {every}: {ran:#?}");
        }
    }
}

#[test]
fn export_and_report_have_every_row() {
    let test = simulated();
    test.prep("ingest raw --cache c.sqlite");
    test.prep("export --cache c.sqlite --out calm --features base");
    test.prep("report --cache c.sqlite --out calm.html");
    let (calm, calm_page) = (test.files("calm"), test.read("calm.html"));
    for every in RHYTHMS {
        for jobs in [1, 2] {
            let export =
                format!("export --cache c.sqlite --out out --features base --force --jobs {jobs}");
            let ran = preempted(&test, &export, every);
            assert_eq!(ran.code, 0, "{export}, every {every}: {ran:#?}");
            assert!(test.files("out") == calm, "{export}, every {every}");
            let report = format!("report --cache c.sqlite --out page.html --jobs {jobs}");
            let ran = preempted(&test, &report, every);
            assert_eq!(ran.code, 0, "{report}, every {every}: {ran:#?}");
            assert!(test.read("page.html") == calm_page, "{report}, every {every}");
        }
    }
}
