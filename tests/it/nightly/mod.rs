//! Nightly jobs: logs that are being written, killed writers, logs that stay faulty, deleted and
//! compressed logs, and especially the output with `-q`, which cron sends by mail.

mod compressed;
mod exports;
mod logs;
mod thirty_nights;

use std::fs::File;
use std::path::Path;
use std::time::{Duration, SystemTime};

const HOUR: Duration = Duration::from_secs(60 * 60);

/// Sets the modification time of a file back by `age`.
fn make_older(path: &Path, age: Duration) {
    set_modified(path, SystemTime::now() - age);
}

fn set_modified(path: &Path, time: SystemTime) {
    File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
}
