//! `prep demo`

use crate::cli::context::Outcome;
use crate::cli::output;
use crate::cli::values::whole_number;
use crate::words::{grouped, shell_word, shown};
use anyhow::{Context as _, Result};
use clap::Args;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

const AFTER_HELP: &str = "\
Examples:
  prep demo                               write everything to data/demo
  prep demo /tmp/demo --games 300         more games, in another folder";

/// Run the whole pipeline from logs to arrays on simulated games
///
/// Prints and runs four commands: simulate, ingest, ingest again (nothing left to do), export. A second
/// run keeps the games of the first.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(in crate::cli) struct DemoArgs {
    /// Folder for all files
    #[arg(value_name = "DIR", default_value = "data/demo")]
    dir: PathBuf,
    /// Number of games to play
    #[arg(long, value_name = "N", default_value_t = 60, allow_negative_numbers = true,
          value_parser = whole_number(1..=u32::MAX))]
    games: u32,
}

/// Runs each step with `run`, which takes the arguments of a command line.
pub(in crate::cli) fn run(
    arguments: DemoArgs,
    run: impl Fn(&[OsString]) -> Result<Outcome>,
) -> Result<Outcome> {
    let raw = arguments.dir.join("raw");
    let cache = arguments.dir.join("prep.sqlite");
    let out = arguments.dir.join("processed");
    let games = arguments.games.to_string();

    // Prints a command and runs it.
    let step = |arguments: &[&Path]| -> Result<()> {
        let words: Vec<_> = arguments.iter().map(shell_word).collect();
        output::print(format!("\n$ prep {}\n", words.join(" ")))?;
        let program = OsString::from("prep");
        let words = arguments.iter().map(|word| word.as_os_str().to_owned());
        match run(&std::iter::once(program).chain(words).collect::<Vec<_>>())? {
            Outcome::Done => Ok(()),
            outcome => anyhow::bail!("the demo stopped: {outcome:?}"),
        }
    };
    if !raw.exists() {
        step(&["simulate".as_ref(), &raw, "--games".as_ref(), games.as_ref()])?;
    }
    let ingest = ["ingest".as_ref(), raw.as_path(), "--cache".as_ref(), cache.as_path()];
    step(&ingest)?;
    step(&ingest)?;
    step(&["export".as_ref(), "--cache".as_ref(), &cache, "--out".as_ref(), &out])?;

    let size = |entry: fs::DirEntry| -> io::Result<(String, u64)> {
        Ok((entry.file_name().to_string_lossy().into_owned(), entry.metadata()?.len()))
    };
    let files: io::Result<Vec<_>> =
        fs::read_dir(&out).and_then(|all| all.map(|entry| size(entry?)).collect());
    let mut files = files.with_context(|| format!("cannot list {}", shown(&out)))?;
    files.sort();
    let files = files.into_iter().map(|(name, bytes)| vec![grouped(bytes), name]);
    output::print(format!("\n{}:\n{}", shown(&out), output::table(files, &[0])))?;
    Ok(Outcome::Done)
}
