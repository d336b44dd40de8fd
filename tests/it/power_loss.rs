//! Power loss at any moment, with unsynced data missing or torn: the next run succeeds and gives the
//! same bytes, and an export is either the old or the new one.
//!
//! `PREP_LONG_TESTS=1` tests thousands of states, otherwise a few of each kind.

#![cfg(target_os = "linux")]

use crate::support::broken_cache::fragment;
use crate::support::cli::{CliTest, Ran};
use crate::support::failing_io;
use crate::support::long_run::times;
use crate::support::power_loss::{Model, State, record, write_state};
use rand_mt::Mt64;
use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::PathBuf;

const INGEST: &str = "ingest raw --cache disk/data/prep.sqlite --batch-size 3 --jobs 2";
const EXPORT: &str = "export --cache disk/data/prep.sqlite --out disk/arrays/out --features base";

/// Logs, and the results of an undisturbed ingest and export of them.
struct Setup {
    test: CliTest,
    expected: BTreeMap<PathBuf, Vec<u8>>,
}

impl Setup {
    fn begin(games: u32) -> Setup {
        let test = CliTest::new();
        test.prep(&format!("simulate raw --games {games}"));
        fs::create_dir(test.path("disk")).unwrap();
        let expected = Setup::undisturbed(&test);
        Setup { test, expected }
    }

    fn undisturbed(test: &CliTest) -> BTreeMap<PathBuf, Vec<u8>> {
        test.prep("ingest raw --cache undisturbed.sqlite");
        test.prep("export --cache undisturbed.sqlite --out undisturbed --features base");
        test.files("undisturbed")
    }

    /// Records a command, and calls `check` with different states after a power loss, in their folder.
    fn replay(&self, name: &str, command: &str, check: impl Fn(&Setup, &State)) {
        let disk = self.test.path("disk");
        let Some(recording) = record(&self.test.command(command), &disk) else { return };
        let mut random = Mt64::new(7);
        for model in [Model::Ordered, Model::Strict] {
            let mut tried = HashSet::new();
            for _ in 0..times(8, 250) {
                let state = recording.crash(model, &mut random);
                let hash = blake3::hash(format!("{state:?}").as_bytes());
                if !tried.insert(hash) {
                    continue;
                }
                fs::remove_dir_all(&disk).unwrap();
                fs::create_dir(&disk).unwrap();
                write_state(&state, &disk);
                check(self, &state);
            }
            eprintln!("{name}, {model:?}: {} different states", tried.len());
        }
    }

    /// The next ingest succeeds, and the cache is complete.
    fn check_cache(&self, state: &State) {
        let ran = self.test.run(INGEST);
        assert_eq!(ran.code, 0, "{ran:#?}\n{}", described(state));
        self.check_export(state);
    }

    fn check_export(&self, state: &State) {
        let ran = self.test.run(EXPORT);
        assert_eq!(ran.code, 0, "{ran:#?}\n{}", described(state));
        let files = self.test.files("disk/arrays/out");
        assert!(files == self.expected, "another export\n{}", described(state));
        let hidden: Vec<_> = fs::read_dir(self.test.path("disk/arrays")).unwrap().collect();
        assert_eq!(hidden.len(), 1, "leftovers\n{}", described(state));
    }

    /// The folder is one of these exports or does not exist yet, and the next export succeeds.
    fn check_folder(&self, old: Option<&BTreeMap<PathBuf, Vec<u8>>>, state: &State) {
        let folder = self.test.path("disk/arrays/out");
        let files = folder.exists().then(|| self.test.files("disk/arrays/out"));
        let is_whole = files.as_ref() == old || files.as_ref() == Some(&self.expected);
        assert!(is_whole, "a mixture\n{}", described(state));
        self.check_export(state);
    }
}

fn described(state: &State) -> String {
    let line = |(path, file): (&PathBuf, &Option<Vec<u8>>)| {
        format!("{} {:?}\n", path.display(), file.as_ref().map(Vec::len))
    };
    state.iter().map(line).collect()
}

#[test]
fn first_ingest() {
    Setup::begin(9).replay("first ingest", INGEST, Setup::check_cache);
}

#[test]
fn second_ingest() {
    let setup = Setup::begin(9);
    setup.test.prep(INGEST);
    let setup = with_more_games(setup);
    setup.replay("second ingest", INGEST, Setup::check_cache);
}

#[test]
fn ingest_after_a_kill() {
    let setup = Setup::begin(9);
    setup.test.prep(INGEST);
    let setup = with_more_games(setup);
    let calls = failing_io::count(setup.test.command(&INGEST.replace("disk/data", "copy"))).all();
    let killed = failing_io::with(setup.test.command(INGEST), "KILL", calls / 2).output().unwrap();
    assert_eq!(killed.status.code(), None, "{:#?}", Ran::from(killed));
    setup.replay("ingest after a kill", INGEST, Setup::check_cache);
}

#[test]
fn vacuum() {
    let setup = Setup::begin(9);
    setup.test.prep(INGEST);
    fragment(&setup.test.path("disk/data/prep.sqlite"));
    let setup = with_more_games(setup);
    // Without a power loss, the ingest runs a VACUUM.
    setup.test.write("copy/prep.sqlite", setup.test.read("disk/data/prep.sqlite"));
    let size = || fs::metadata(setup.test.path("copy/prep.sqlite")).unwrap().len();
    assert!(size() > 3_000_000);
    setup.test.prep(&INGEST.replace("disk/data", "copy"));
    assert!(size() < 1_000_000, "{}: it was not vacuumed", size());
    setup.replay("vacuum", INGEST, Setup::check_cache);
}

#[test]
fn rebuild() {
    let setup = Setup::begin(9);
    setup.test.prep(INGEST);
    setup.replay("rebuild", &format!("{INGEST} --rebuild"), Setup::check_cache);
}

#[test]
fn first_export() {
    let setup = Setup::begin(6);
    setup.test.prep(INGEST);
    setup.replay("first export", EXPORT, |setup, state| setup.check_folder(None, state));
}

#[test]
fn second_export() {
    let setup = Setup::begin(6);
    setup.test.prep(INGEST);
    setup.test.prep(EXPORT);
    let old = setup.expected.clone();
    let setup = with_more_games(setup);
    setup.test.prep(INGEST);
    assert!(old != setup.expected);
    setup.replay("second export", EXPORT, |setup, state| setup.check_folder(Some(&old), state));
}

fn with_more_games(setup: Setup) -> Setup {
    let test = setup.test;
    test.prep("simulate more --games 16 --seed 5");
    for (path, log) in test.files("more") {
        test.write(PathBuf::from("raw").join(path), log);
    }
    let expected = Setup::undisturbed(&test);
    Setup { test, expected }
}
