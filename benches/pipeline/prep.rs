//! Runs the `prep` binary and parses its output.

use crate::instead::THREADS;
use crate::stopwatch::{Took, time};
use anyhow::{Context as _, Result, ensure};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The result of a run of `prep`.
#[derive(Clone, Debug)]
pub(crate) struct Ran {
    pub(crate) took: Took,
    pub(crate) stdout: String,
    /// Peak resident memory in megabytes as reported by the program; `None` without `/proc`.
    pub(crate) peak_megabytes: Option<f64>,
}

/// The numbers that an ingest reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ingested {
    pub(crate) encoded: u64,
    pub(crate) up_to_date: u64,
    /// The total in the cache afterwards.
    pub(crate) games: u64,
    /// The total in the cache afterwards.
    pub(crate) rows: u64,
}

/// Runs prep in `folder` without the caller's `PREP_*` variables; panics if it fails.
fn prep(folder: &Path, arguments: &[&str]) -> Result<(Took, Output)> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_prep"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("PREP_") {
            command.env_remove(name);
        }
    }
    command.args(arguments).current_dir(folder);
    let (took, output) = time(|| Ok(command.output()?))?;
    ensure!(
        output.status.success(),
        "prep {} failed: {}",
        arguments.join(" "),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok((took, output))
}

pub(crate) fn simulate(folder: &Path, games: u32, first_id: u32) -> Result<()> {
    let (games, first_id) = (games.to_string(), first_id.to_string());
    let folder_name = text(folder)?;
    let parent = folder.parent().context("a folder in a folder")?;
    let arguments =
        ["simulate", folder_name, "--games", &games, "--first-id", &first_id, "--seed", "1", "-q"];
    prep(parent, &arguments).map(|_| ())
}

pub(crate) fn ingest(logs: &Path, cache: &Path) -> Result<(Ran, Ingested)> {
    let ran = run(cache, &["ingest", text(logs)?])?;
    let said = &ran.stdout;
    let after = |words: &str| said.split_once(words).map(|(_, after)| after);
    let ingested = (|| {
        Some(Ingested {
            encoded: number_before(said, " game")?,
            up_to_date: number_before(said, " up to date")?,
            games: number_before(after("the cache holds")?, " game")?,
            rows: number_before(after("the cache holds")?, " row")?,
        })
    })();
    let ingested = ingested.with_context(|| format!("cannot read what ingest said: {said}"))?;
    Ok((ran, ingested))
}

pub(crate) fn export(cache: &Path, out: &Path) -> Result<Ran> {
    run(cache, &["export", "--force", "--out", text(out)?])
}

fn run(cache: &Path, arguments: &[&str]) -> Result<Ran> {
    let jobs = THREADS.to_string();
    let common = ["--cache", text(cache)?, "--jobs", &jobs, "--monitor-memory"];
    let folder = cache.parent().context("a cache in a folder")?;
    let (took, output) = prep(folder, &[arguments, &common].concat())?;
    let stderr = String::from_utf8(output.stderr)?;
    let last = stderr.lines().rfind(|line| line.starts_with("memory at the end"));
    let peak = last.and_then(|line| line.rsplit_once("peak ")).map(|(_, peak)| peak);
    let peak_megabytes = peak.and_then(|peak| peak.strip_suffix(" MB")?.parse().ok());
    Ok(Ran { took, stdout: String::from_utf8(output.stdout)?, peak_megabytes })
}

/// The version of the binary.
pub(crate) fn version() -> Result<String> {
    let (_, output) = prep(Path::new("."), &["--version"])?;
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

/// The number before the first occurrence of `words`, with or without commas.
fn number_before(text: &str, words: &str) -> Option<u64> {
    let before = &text[..text.find(words)?];
    let word = before.rsplit([' ', '(']).next()?;
    word.replace(',', "").parse().ok()
}

fn text(path: &Path) -> Result<&str> {
    path.to_str().with_context(|| format!("{} is not UTF-8", PathBuf::from(path).display()))
}
