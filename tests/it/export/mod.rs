//! `prep export` on simulated games, with one module for each property of exports. `golden_export.rs`
//! compares exports with expected values.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod arrays;
mod choices;
mod columns;
mod conditions;
mod dtypes;
mod excluded;
mod identical;
mod ids;
mod normalization;
mod outcomes;
mod parquet;
mod refusals;
mod repeatability;
mod replacing;
mod scaler_from;
mod settings;
mod splits;
mod stability;
mod statistics;

use crate::support::cli::CliTest;
use crate::support::export::Export;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// A folder with simulated games in `raw`, with 2, 3 and 4 players and in all dialects, all of them in
/// the cache.
fn ingested(games: u32) -> CliTest {
    let test = CliTest::new();
    test.prep(&format!("simulate raw --games {games}"));
    test.prep("ingest raw");
    test
}

/// Exports to a folder; options are words of the command line.
fn exported(test: &CliTest, out: &str, options: &str) -> Export {
    test.prep(&format!("export --out {out} {options}"));
    Export { folder: test.path(out) }
}

/// The logs below a folder by game id.
fn logs(test: &CliTest, folder: &str) -> BTreeMap<i64, PathBuf> {
    let paths = test.files(folder).into_keys();
    paths
        .map(|path| {
            let game_id = path.file_stem().unwrap().to_str().unwrap().parse().unwrap();
            (game_id, test.path(folder).join(path))
        })
        .collect()
}

/// The text of a log.
struct Log {
    columns: Vec<String>,
    turns: Vec<Vec<String>>,
}

impl Log {
    fn read(path: &Path) -> Log {
        let text = fs::read_to_string(path).unwrap();
        let mut lines =
            text.lines().map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>());
        Log { columns: lines.next().unwrap(), turns: lines.collect() }
    }

    fn place(&self, column: &str) -> usize {
        self.columns.iter().position(|name| name == column).unwrap()
    }

    /// The number at an index of a turn; a missing value is 0.
    fn number(&self, turn: usize, place: usize) -> f32 {
        match self.turns[turn][place].as_str() {
            "" | "nan" => 0.0,
            number => number.parse().unwrap(),
        }
    }
}

/// The files of a folder whose names are wanted, with their bytes.
fn files_where(
    test: &CliTest,
    folder: &str,
    is_wanted: impl Fn(&str) -> bool,
) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = test.files(folder);
    files.retain(|path, _| is_wanted(path.to_str().unwrap()));
    files
}

/// Asserts that two folders contain the same files with the same bytes; prints those that differ.
#[track_caller]
fn assert_same_files(one: &BTreeMap<PathBuf, Vec<u8>>, other: &BTreeMap<PathBuf, Vec<u8>>) {
    assert!(one.keys().eq(other.keys()), "{:?} and {:?}", one.keys(), other.keys());
    for (path, bytes) in one {
        // assert_eq would print megabytes.
        assert!(*bytes == other[path], "{} differs", path.display());
    }
}
