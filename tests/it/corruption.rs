//! Random damage to the cache file: flipped bits and truncation. No command crashes or exports wrong
//! arrays: an export gives the same bytes as before, or an error that `verify` confirms; and the
//! commands in the messages repair everything.
//!
//! Uses the library, dozens of times per second; with `PREP_LONG_TESTS=1` a thousand times.

#![allow(clippy::unwrap_used)]

use crate::support::cached::ingest_options;
use crate::support::long_run;
use rand_mt::Mt64;
use splendor_prep::cache::{CacheError, Reader, Rebuild, Writer};
use splendor_prep::dataset::{
    Columns, DatasetOptions, Dtype, FeatureSet, MaskSource, Ratios, SplitMethod,
};
use splendor_prep::export::{ExportOptions, Layout, export};
use splendor_prep::gamelog::{Dialect, GameId, write_log};
use splendor_prep::ingest::{
    FindingKind, IngestError, IngestOptions, IngestSummary, VerifyOptions, VerifyReport, ingest,
    verify,
};
use splendor_prep::progress::Silent;
use splendor_prep::rules::PlayerCount;
use splendor_prep::simulate::simulate_game;
use std::fs::{self, File};
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

static NEVER: AtomicBool = AtomicBool::new(false);
const GAMES: i64 = 8;
const PAGE: u64 = 65_536;

fn rounds() -> u32 {
    long_run::times(60, 1_000) as u32
}

struct Setup {
    folder: tempfile::TempDir,
    /// The undamaged cache file.
    good: Vec<u8>,
    /// The manifest of its export, which has the hash of every file.
    manifest: Vec<u8>,
}

impl Setup {
    fn new() -> Setup {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("raw")).unwrap();
        for game in 1..=GAMES {
            let mut log = File::create(folder.path().join(format!("raw/{game}.csv"))).unwrap();
            let turns = simulate_game(PlayerCount::Two, game as u64);
            write_log(&mut log, GameId(game), &turns, Dialect::ALL[0]).unwrap();
        }
        let mut setup = Setup { folder, good: Vec::new(), manifest: Vec::new() };
        setup.ingest().unwrap();
        setup.good = fs::read(setup.cache()).unwrap();
        setup.manifest = setup.export().unwrap();
        assert!(setup.verify().unwrap().is_clean());
        setup
    }

    fn cache(&self) -> PathBuf {
        self.folder.path().join("prep.sqlite")
    }

    fn options(&self) -> IngestOptions {
        let batch_size = 3.try_into().unwrap();
        IngestOptions { batch_size, ..ingest_options(&self.folder.path().join("raw")) }
    }

    /// Like `prep ingest`.
    fn ingest(&self) -> Result<IngestSummary, IngestError> {
        let path = self.cache();
        let writer = Writer::open(&path, Duration::ZERO, &NEVER)?;
        ingest(Some(Reader::open(&path)?), Some(&writer), &self.options(), &Silent, &NEVER)
    }

    /// Like `prep ingest --rebuild`.
    fn rebuild(&self) {
        let rebuild = Rebuild::begin(&self.cache(), Duration::ZERO).unwrap();
        let writer = rebuild.writer(&NEVER).unwrap();
        ingest(None, Some(&writer), &self.options(), &Silent, &NEVER).unwrap();
        drop(writer);
        rebuild.finish(true, &NEVER).unwrap();
    }

    fn verify(&self) -> Result<VerifyReport, IngestError> {
        let options = VerifyOptions { root: self.folder.path().join("raw"), jobs: 2 };
        verify(&self.cache(), &options, &Silent, &NEVER)
    }

    /// The manifest of an export.
    fn export(&self) -> Result<Vec<u8>, String> {
        let out = self.folder.path().join("out");
        let options = ExportOptions {
            out: out.clone(),
            dataset: DatasetOptions {
                ratios: Ratios::default(),
                split_method: SplitMethod::Hash,
                seed: 42,
                columns: Columns::of(FeatureSet::Base),
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
        let cache = Reader::open(&self.cache()).map_err(|error| error.to_string())?;
        export(&cache, &options, &Silent, &NEVER).map_err(|error| error.to_string())?;
        Ok(fs::read(out.join("manifest.json")).unwrap())
    }

    /// Restores the undamaged file and damages it; returns a description.
    fn damage(&self, dice: &mut Mt64) -> String {
        let mut bytes = self.good.clone();
        let size = bytes.len() as u64;
        let mut roll = |below: u64| dice.next_u64() % below;
        let what = if roll(5) == 0 {
            let length = match roll(3) {
                0 => roll(200),
                1 => roll(size / PAGE) * PAGE,
                _ => roll(size),
            };
            bytes.truncate(length as usize);
            format!("cut to {length} bytes")
        } else {
            let flips: Vec<(u64, u64)> = (0..=roll(3))
                .map(|_| {
                    let place = match roll(4) {
                        // The header, the schema, the start of a page, or any byte.
                        0 => roll(100),
                        1 => roll(2 * PAGE),
                        2 => roll(size / PAGE) * PAGE + roll(60),
                        _ => roll(size),
                    };
                    (place, roll(8))
                })
                .collect();
            for &(place, bit) in &flips {
                bytes[place as usize] ^= 1 << bit;
            }
            format!("flipped (byte, bit) {flips:?}")
        };
        for ending in ["-journal", ".damaged"] {
            let _ = fs::remove_file(self.folder.path().join(format!("prep.sqlite{ending}")));
        }
        fs::write(self.cache(), bytes).unwrap();
        what
    }
}

#[derive(Debug, Default)]
struct Outcomes {
    /// The export was the same as before.
    harmless: u32,
    /// The export was refused.
    reported: u32,
    /// A regular ingest repaired it.
    repaired: u32,
    /// It had to be rebuilt.
    rebuilt: u32,
}

#[test]
fn random_damage_is_reported_and_repaired() {
    let setup = Setup::new();
    let mut dice = Mt64::new(20_261_123);
    let mut outcomes = Outcomes::default();
    for round in 0..rounds() {
        let damage = setup.damage(&mut dice);
        let what = format!("round {round}, {damage}");
        match setup.export() {
            Ok(manifest) => {
                assert!(manifest == setup.manifest, "another export without an error: {what}");
                outcomes.harmless += 1;
            }
            Err(error) => {
                // A game with a changed version is not damaged but stale.
                let is_outdated = error.contains("another version of prep");
                let is_clean = setup.verify().is_ok_and(|report| report.is_clean());
                assert!(is_outdated || !is_clean, "{what}: {error}");
                outcomes.reported += 1;
            }
        }

        let found = setup.verify();
        let is_of_file = found.is_ok_and(|report| {
            report.findings.iter().any(|finding| finding.kind == FindingKind::DamagedFile)
        });
        match setup.ingest() {
            // Ingest checks the structure of the file only if it replaces something; verify always does.
            Ok(_) if is_of_file => {
                setup.rebuild();
                outcomes.rebuilt += 1;
            }
            Ok(summary) => outcomes.repaired += u32::from(summary.encoded_games() > 0),
            Err(IngestError::Cache(
                error @ (CacheError::Malformed { .. }
                | CacheError::NotADatabase(_)
                | CacheError::Newer { .. }),
            )) => {
                assert!(error.to_string().contains("--rebuild"), "{what}: {error}");
                setup.rebuild();
                outcomes.rebuilt += 1;
            }
            Err(error) => panic!("{what}: {error}"),
        }
        let found = setup.verify().unwrap();
        assert!(found.is_clean(), "{what}: {found:#?}");
        assert!(setup.export().unwrap() == setup.manifest, "not repaired: {what}");
    }
    println!("{outcomes:?}");
    let Outcomes { harmless, reported, repaired, rebuilt } = outcomes;
    assert_eq!(harmless + reported, rounds());
    for (count, outcome) in [
        (harmless, "harmless"),
        (reported, "reported"),
        (repaired, "repaired"),
        (rebuilt, "rebuilt"),
    ] {
        assert!(count > 0, "nothing was {outcome}: {outcomes:?}");
    }
}
