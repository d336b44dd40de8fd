//! Runs that are killed, or fail to write, at many different moments: the next run must finish the work
//! with the same bytes as an undisturbed run. An export folder is always either the old or the new
//! export.
//!
//! Moments are counted in I/O calls, not in seconds, so that they are the same on any machine and cover
//! every step. `PREP_LONG_TESTS=1` tests 200 moments, otherwise a few.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

use crate::support::broken_cache::fragment;
use crate::support::cli::{CliTest, Ran};
use crate::support::failing_io::{count, with};
use crate::support::long_run::times;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;

type Files = BTreeMap<PathBuf, Vec<u8>>;

const INGEST: &str = "ingest raw --cache prep.sqlite --batch-size 3 --jobs 2";
const EXPORT: &str = "export --cache prep.sqlite --out arrays/processed --features base";
const SIGKILL: i32 = 9;

/// A folder of logs that was ingested and exported, and has changed since.
struct Setup {
    test: CliTest,
    /// The export before the change.
    old: Files,
    /// The export of an undisturbed second run.
    new: Files,
}

impl Setup {
    fn begin() -> Setup {
        let test = CliTest::new();
        test.prep("simulate raw --games 12 --seed 3");
        test.prep(INGEST);
        test.prep(EXPORT);
        test.prep("simulate more --games 21 --seed 3");
        for (path, log) in test.files("more") {
            if !test.path("raw").join(&path).exists() {
                test.write(PathBuf::from("raw").join(path), log);
            }
        }
        let mut logs = test.files("raw").into_iter();
        let (deleted, _) = logs.next().unwrap();
        fs::remove_file(test.path("raw").join(deleted)).unwrap();
        let (changed, log) = logs.next().unwrap();
        let without_last_row =
            log.trim_ascii_end().iter().rposition(|&byte| byte == b'\n').unwrap();
        test.write(PathBuf::from("raw").join(changed), &log[..=without_last_row]);
        let old = test.files("arrays/processed");
        fragment(&test.path("prep.sqlite"));
        fs::copy(test.path("prep.sqlite"), test.path("first.sqlite")).unwrap();

        test.prep(INGEST);
        test.prep(EXPORT);
        let new = test.files("arrays/processed");
        assert_ne!(old, new);
        fs::copy(test.path("prep.sqlite"), test.path("second.sqlite")).unwrap();
        Setup { test, old, new }
    }

    /// Restores the state before the second ingest, or before its export.
    fn rewind(&self, cache: &str) {
        for leftover in ["", "-wal", "-shm", "-journal", ".lock"] {
            let _ = fs::remove_file(self.test.path(format!("prep.sqlite{leftover}")));
        }
        fs::copy(self.test.path(cache), self.test.path("prep.sqlite")).unwrap();
        fs::remove_dir_all(self.test.path("arrays")).unwrap();
        for (path, bytes) in &self.old {
            self.test.write(PathBuf::from("arrays/processed").join(path), bytes);
        }
    }

    /// Checks that the folder is one of the two exports; returns whether it is the new one.
    fn export_is_new(&self) -> bool {
        let files = self.test.files("arrays/processed");
        assert!(files == self.old || files == self.new, "a mixture: {:?}", files.keys());
        files == self.new
    }

    /// The next runs finish the work, and leave no other files.
    fn check_the_next_run(&self, what: &str) {
        let test = &self.test;
        for command in [INGEST, "verify raw --cache prep.sqlite", EXPORT] {
            let ran = test.run(command);
            assert_eq!(ran.code, 0, "{what}, then {command}: {ran:#?}");
        }
        assert!(self.export_is_new(), "{what}");
        let beside: Vec<_> = fs::read_dir(test.path("arrays")).unwrap().collect();
        assert_eq!(beside.len(), 1, "{what}: {beside:?}");
        let names = test.files(".").into_keys().filter_map(|path| path.to_str().map(String::from));
        let caches: Vec<_> = names.filter(|name| name.starts_with("prep.sqlite")).collect();
        assert_eq!(caches, ["prep.sqlite", "prep.sqlite.lock"], "{what}");
    }
}

/// `count` numbers from 1 to `last`, evenly spaced; all if there are fewer.
fn spread(wanted: u64, last: u64) -> impl Iterator<Item = u64> {
    let wanted = wanted.min(last);
    (0..wanted).map(move |i| 1 + i * (last - 1) / (wanted - 1).max(1))
}

#[test]
fn killed_ingest_is_finished_by_the_next() {
    let setup = Setup::begin();
    setup.rewind("first.sqlite");
    let calls = count(setup.test.command(INGEST));
    let mut killed = 0;
    for point in spread(times(12, 100), calls.all()) {
        setup.rewind("first.sqlite");
        let status = with(setup.test.command(INGEST), "KILL", point).output().unwrap().status;
        killed += u64::from(status.signal() == Some(SIGKILL));
        setup.check_the_next_run(&format!("an ingest killed at call {point} of {}", calls.all()));
    }
    assert!(killed >= times(10, 90), "{killed} killed, {calls:?}");
}

#[test]
fn killed_export_leaves_old_or_new() {
    let setup = Setup::begin();
    setup.rewind("second.sqlite");
    let calls = count(setup.test.command(EXPORT));
    let (mut killed, mut new) = (0, 0);
    let last_moments = calls.all().saturating_sub(10)..calls.all();
    for point in spread(times(12, 90), calls.all()).chain(last_moments) {
        setup.rewind("second.sqlite");
        let status = with(setup.test.command(EXPORT), "KILL", point).output().unwrap().status;
        killed += u64::from(status.signal() == Some(SIGKILL));
        new += u64::from(setup.export_is_new());
        setup.check_the_next_run(&format!("an export killed at call {point} of {}", calls.all()));
    }
    assert!(killed >= times(20, 98), "{killed} killed, {calls:?}");
    assert!(new > 0 && new < killed, "some before the exchange and some after: {new} of {killed}");
}

#[test]
fn failing_calls_are_errors() {
    const EIO: i32 = 5;
    let setup = Setup::begin();
    let mut failed = 0;
    for (command, cache) in [(INGEST, "first.sqlite"), (EXPORT, "second.sqlite")] {
        setup.rewind(cache);
        let calls = count(setup.test.command(command));
        for (kind, calls) in
            [("write", calls.writes), ("sync", calls.syncs), ("rename", calls.renames)]
        {
            for point in spread(times(4, 30), calls) {
                setup.rewind(cache);
                let failure = format!("{kind}:{point}:{EIO}");
                let output = with(setup.test.command(command), "FAIL", &failure).output().unwrap();
                let ran = Ran::from(output);
                let what = format!("{command} with {failure}");
                // Failures after the work is done, such as in cleaning up, may be ignored.
                assert!(matches!(ran.code, 0 | 1), "{what}: {ran:#?}");
                assert_eq!(ran.code == 1, ran.complaints().contains("error: "), "{what}: {ran:#?}");
                assert!(!ran.stderr.contains("panicked"), "{what}: {ran:#?}");
                if command == EXPORT {
                    assert!(setup.export_is_new() || ran.code == 1, "{what}: {ran:#?}");
                }
                failed += u64::from(ran.code == 1);
                setup.check_the_next_run(&what);
            }
        }
    }
    assert!(failed >= times(8, 60), "{failed} runs failed");
}

#[test]
fn full_disk_loses_nothing() {
    let setup = Setup::begin();
    let mut failed = 0;
    for (command, cache) in [(INGEST, "first.sqlite"), (EXPORT, "second.sqlite")] {
        setup.rewind(cache);
        let calls = count(setup.test.command(command));
        for point in spread(times(9, 60), calls.writes) {
            setup.rewind(cache);
            let mut ran =
                Ran::from(with(setup.test.command(command), "FULL", point).output().unwrap());
            // The zip crate also prints a message if the last bytes of an archive cannot be written.
            ran.stderr = ran.stderr.split_off(ran.stderr.find("error: ").unwrap_or(0));
            let what = format!("{command}, full from write {point}");
            if ran.code != 0 {
                assert_eq!(ran.code, 1, "{what}: {ran:#?}");
                failed += 1;
                assert!(ran.tells_of_a_full_disk(), "{what}: {ran:#?}");
                if command == EXPORT {
                    assert!(!setup.export_is_new(), "{what}");
                }
            }
            setup.check_the_next_run(&what);
        }
    }
    assert!(failed >= times(8, 60), "{failed} runs failed");
}
