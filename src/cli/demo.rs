//! `prep demo`

use super::{Cli, Outcome, output};
use crate::words::grouped;
use anyhow::{Context as _, Result};
use clap::{Args, Parser};
use std::fs;
use std::path::{Path, PathBuf};

const AFTER_HELP: &str = "\
Examples:
  prep demo                               everything into data/demo
  prep demo /tmp/demo --games 300         more games, in another place";

/// Show the whole way from logs to arrays on simulated games
///
/// Prints and runs four commands: simulate, ingest, ingest once more (nothing left to do), export.
/// Run again, it keeps the games that are there.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct DemoArgs {
    /// Folder for everything it makes
    #[arg(value_name = "DIR", default_value = "data/demo")]
    dir: PathBuf,
    /// How many games to play
    #[arg(long, value_name = "N", default_value_t = 60, allow_negative_numbers = true)]
    games: u32,
}

pub(super) fn run(arguments: DemoArgs) -> Result<Outcome> {
    let raw = arguments.dir.join("raw");
    let cache = arguments.dir.join("prep.sqlite");
    let out = arguments.dir.join("processed");
    let games = arguments.games.to_string();

    if !raw.exists() {
        step(&["simulate".as_ref(), raw.as_ref(), "--games".as_ref(), games.as_ref()])?;
    }
    let ingest = ["ingest".as_ref(), raw.as_ref(), "--cache".as_ref(), cache.as_ref()];
    step(&ingest)?;
    step(&ingest)?;
    step(&["export".as_ref(), "--cache".as_ref(), cache.as_ref(), "--out".as_ref(), out.as_ref()])?;

    output::print(format!("\nmade in {}:\n", out.display()))?;
    for (name, bytes) in files(&out)? {
        output::print(format!("{:>12}  {name}\n", grouped(bytes)))?;
    }
    Ok(Outcome::Done)
}

/// Prints a command and runs it, as if it had been typed.
fn step(arguments: &[&Path]) -> Result<()> {
    let words: Vec<_> = arguments.iter().map(|word| word.to_string_lossy()).collect();
    output::print(format!("\n$ prep {}\n", words.join(" ")))?;
    let program = Path::new("prep");
    let typed = std::iter::once(&program).chain(arguments).map(|word| word.as_os_str());
    match super::run(Cli::try_parse_from(typed)?)? {
        Outcome::Done => Ok(()),
        outcome => anyhow::bail!("the demo stops here: {outcome:?}"),
    }
}

/// Files of a folder with their sizes, by name.
fn files(folder: &Path) -> Result<Vec<(String, u64)>> {
    let read = || -> std::io::Result<Vec<_>> {
        let mut files = Vec::new();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            files.push((entry.file_name().to_string_lossy().into_owned(), entry.metadata()?.len()));
        }
        files.sort();
        Ok(files)
    };
    read().with_context(|| format!("cannot list {}", folder.display()))
}
