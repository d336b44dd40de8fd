//! What a job that runs every night meets: logs that are being written, writers that died, logs that stay
//! bad, deleted and compressed logs. Above all what `-q` prints then, which is somebody's mail.

mod compressed;
mod exports;
mod logs;
mod thirty_nights;

use crate::support::cli::CliTest;
use std::fs::File;
use std::path::Path;
use std::time::{Duration, SystemTime};

const HOUR: Duration = Duration::from_secs(60 * 60);

/// Games 1 to so many in `raw`, ingested.
fn cached_games(games: usize) -> CliTest {
    let test = CliTest::new();
    test.prep(&format!("simulate raw --games {games}"));
    test.prep("ingest raw");
    test
}

/// As if a file had been written so long ago.
fn make_older(path: &Path, age: Duration) {
    set_modified(path, SystemTime::now() - age);
}

fn set_modified(path: &Path, time: SystemTime) {
    File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
}
