//! Arguments of the benchmark.

use anyhow::{Result, bail};
use clap::Parser;
use std::path::PathBuf;

/// Complete runs of prep compared with alternatives, as a table
///
/// `cargo bench --bench pipeline -- [OPTIONS]`
#[derive(Debug, Default, Parser)]
pub(crate) struct Options {
    /// Number of games to simulate; they are kept for the next run
    #[arg(long, value_name = "N", default_value_t = 1_000,
          value_parser = clap::value_parser!(u32).range(20..))]
    pub(crate) games: u32,
    /// Use the logs of this folder instead; it is not changed
    #[arg(long, value_name = "DIR")]
    pub(crate) logs: Option<PathBuf>,
    /// Number of rounds
    #[arg(long, value_name = "K", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) rounds: u32,
    /// Also measure ten times as many simulated games, once; needs 6 MB of disk per game of the smaller
    /// corpus
    #[arg(long)]
    pub(crate) ten_times: bool,
    /// Measure only rows whose name contains this text
    #[arg(long, value_name = "NAME", default_value = "")]
    pub(crate) only: String,
    /// Passed by `cargo bench` to every benchmark; nothing runs without it
    #[arg(long = "bench", hide = true)]
    is_bench: bool,
    /// Passed by test runners
    #[arg(long = "test", hide = true)]
    is_test: bool,
}

impl Options {
    /// `None` if this is not a benchmark run, as with `cargo test --benches`.
    pub(crate) fn parse_arguments() -> Result<Option<Options>> {
        let options = Options::parse();
        if options.is_test || !options.is_bench {
            return Ok(None);
        }
        if let Some(logs) = &options.logs
            && !logs.is_dir()
        {
            bail!("{} is not a folder: give --logs a folder of logs", logs.display());
        }
        Ok(Some(options))
    }

    /// Whether a row of the table is selected.
    pub(crate) fn wants(&self, row: &str) -> bool {
        row.contains(&self.only)
    }
}
