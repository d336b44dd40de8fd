//! `prep report`: compares its numbers with counts from the logs and arrays, and tests its page.

#![allow(clippy::unwrap_used)]

mod arrays;
mod logs;
mod over_time;
mod page;

use crate::support::cli::CliTest;
use serde_json::Value;

/// The numbers of a report; options are words of the command line.
fn numbers(test: &CliTest, options: &str) -> Value {
    serde_json::from_str(&test.prep(&format!("report --json {options}"))).unwrap()
}
