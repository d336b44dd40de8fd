//! `prep report`: compares its numbers with counts from the logs and arrays, and tests its page.

#![allow(clippy::unwrap_used)]

mod arrays;
mod logs;
mod over_time;
mod page;

use crate::support::cli::CliTest;
use serde_json::Value;

/// A folder with simulated games in `raw`, all of them in the cache.
fn ingested(games: u32) -> CliTest {
    let test = CliTest::new();
    test.prep(&format!("simulate raw --games {games}"));
    test.prep("ingest raw");
    test
}

/// The numbers of a report; options are words of the command line.
fn numbers(test: &CliTest, options: &str) -> Value {
    serde_json::from_str(&test.prep(&format!("report --json {options}"))).unwrap()
}
