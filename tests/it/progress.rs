//! Progress of a run: every phase reaches exactly its end. Without a terminal a short run prints only
//! its result. `src/cli/progress.rs` tests the lines themselves.

#![allow(clippy::unwrap_used)]

use crate::support::cached::ingest_options;
use crate::support::cli::CliTest;
use splendor_prep::cache::{Reader, Writer};
use splendor_prep::dataset::{
    Columns, DatasetOptions, Dtype, FeatureSet, MaskSource, Ratios, SplitMethod,
};
use splendor_prep::export::{ExportOptions, Layout, export, verify_export};
use splendor_prep::ingest::{IngestOptions, StatusOptions, VerifyOptions, ingest, status, verify};
use splendor_prep::progress::{Amount, Progress};
use std::cell::RefCell;
use std::fs;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

static NEVER: AtomicBool = AtomicBool::new(false);

#[derive(Clone, Debug)]
struct Phase {
    doing: &'static str,
    amount: Amount,
    steps: u64,
    calls: u64,
    ended: bool,
}

/// Records all calls.
#[derive(Default)]
struct Recorder(RefCell<Vec<Phase>>);

impl Progress for Recorder {
    fn begin(&self, doing: &'static str, amount: Amount) {
        self.end();
        self.0.borrow_mut().push(Phase { doing, amount, steps: 0, calls: 0, ended: false });
    }

    fn advance(&self, steps: u64) {
        if let Some(last) = self.0.borrow_mut().last_mut().filter(|last| !last.ended) {
            last.steps += steps;
            last.calls += 1;
        }
    }

    fn end(&self) {
        if let Some(last) = self.0.borrow_mut().last_mut() {
            last.ended = true;
        }
    }
}

impl Recorder {
    /// Asserts the names of the phases, and that each did exactly the announced amount of work and ended.
    #[track_caller]
    fn phases(self, phases: &[&str]) -> Vec<Phase> {
        let heard = self.0.into_inner();
        let names: Vec<_> = heard.iter().map(|phase| phase.doing).collect();
        assert_eq!(names, phases);
        for phase in &heard {
            assert!(phase.ended, "{phase:?}");
            let wanted = phase.amount.steps().unwrap_or(0);
            // The headers of packed files are added to the arrays.
            let headers = if phase.doing == "packing" { 51 * 4 * 128 } else { 0 };
            assert!((wanted..=wanted + headers).contains(&phase.steps), "{phase:?}");
        }
        heard
    }
}

#[test]
fn phases_are_complete() {
    let test = CliTest::new();
    test.prep("simulate raw --games 30");
    let root = test.path("raw");
    let batch_size = 7.try_into().unwrap();
    let options = IngestOptions { batch_size, allow_delete: true, ..ingest_options(&root) };
    let path = test.path("prep.sqlite");
    let cache = || Reader::open(&path).unwrap();
    let ingest = |phases: &[&str]| {
        let recorder = Recorder::default();
        let writer = Writer::open(&path, Duration::ZERO, &NEVER).unwrap();
        ingest(Some(cache()), Some(&writer), &options, &recorder, &NEVER).unwrap();
        recorder.phases(phases)
    };
    let heard = ingest(&["looking for logs", "reading the cache", "ingesting", "committing"]);
    assert_eq!(heard[2].amount, Amount::Games(30));

    let out = test.path("out");
    let export_options = ExportOptions {
        out: out.clone(),
        dataset: DatasetOptions {
            ratios: Ratios::default(),
            split_method: SplitMethod::Hash,
            seed: 42,
            columns: Columns::of(FeatureSet::All),
            replayable_only: false,
            condition: None,
            shard: None,
        },
        masks: MaskSource::Legal,
        normalize: true,
        dtype: Dtype::default(),
        scaler_from: None,
        layout: Layout::Npz,
        jobs: 2,
        monitor_memory: false,
    };
    for _ in ["a new folder", "in place of the old one"] {
        let recorder = Recorder::default();
        let summary = export(&cache(), &export_options, &recorder, &NEVER).unwrap();
        let heard = recorder.phases(&[
            "checking the cache",
            "adding up",
            "writing",
            "packing",
            "syncing",
            "removing the old export",
        ]);
        let rows = summary.splits.iter().map(|split| split.rows).sum();
        assert_eq!(heard[2].amount, Amount::Rows(rows));
        let Amount::Bytes(synced) = heard[4].amount else { panic!("{heard:?}") };
        assert!(synced >= summary.bytes, "{synced} of {}", summary.bytes);
    }

    let recorder = Recorder::default();
    verify_export(&out, &recorder, &NEVER).unwrap();
    recorder.phases(&["checking files"]);
    fs::remove_file(out.join("X_train.npy")).unwrap();
    let recorder = Recorder::default();
    assert!(!verify_export(&out, &recorder, &NEVER).unwrap().is_clean());
    recorder.phases(&["checking files"]);

    let recorder = Recorder::default();
    let jobs = VerifyOptions { root: root.clone(), jobs: 2 };
    verify(&path, &jobs, &recorder, &NEVER).unwrap();
    recorder.phases(&["looking for logs", "checking the file", "checking games"]);
    let recorder = Recorder::default();
    status(&root, Some(cache()), StatusOptions::default(), &recorder).unwrap();
    recorder.phases(&["looking for logs", "comparing"]);
}

#[test]
fn short_runs_are_silent() {
    let test = CliTest::new();
    for (arguments, lines) in [
        ("simulate raw --games 9", 1),
        ("ingest raw", 2),
        ("ingest raw", 2),
        ("export --split 1,0,0", 4),
        ("export --force --split 1,0,0", 4),
        ("verify raw", 1),
        ("verify --export data/processed", 1),
        ("status raw", 1),
    ] {
        let ran = test.run(arguments);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{arguments}: {ran:#?}");
        assert_eq!(ran.stdout.lines().count(), lines, "{arguments}: {ran:#?}");
    }
}
