//! `prep report`

use super::context::{Context, Outcome, stop_flag};
use super::values::JobsArgs;
use super::{output, progress};
use crate::cache::Reader;
use crate::platform::let_all_read;
use crate::report::{ReportOptions, as_json, render, report};
use crate::words::bytes_in_words;
use anyhow::{Result, anyhow, bail};
use clap::Args;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

const AFTER_HELP: &str = "\
Examples:
  prep report                             the cache, into report.html
  prep report --export data/processed     and the splits of an export
  prep report --export runs/tonight --against runs/trained --out tonight.html
  prep report --json | jq .cache          the numbers, to stdout";

/// Write an HTML report with plots and numbers about the cache and an export
///
/// Games and rows by players and day, game lengths, points, actions, cards, legal and chosen classes,
/// the values of every column; for an export, how similar its splits are and what changed since an
/// older one. The file needs no network and no other file. Reads the cached rows once, and no log.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct ReportArgs {
    /// File to write [default: report.html; none with --json]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Folder of an export to include
    #[arg(long, value_name = "DIR")]
    export: Option<PathBuf>,
    /// Folder of an older export to compare that one with
    #[arg(long, value_name = "DIR", requires = "export")]
    against: Option<PathBuf>,
    /// Print JSON: the numbers themselves
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    jobs: JobsArgs,
}

pub(super) fn run(arguments: ReportArgs, context: Context) -> Result<Outcome> {
    let options = ReportOptions {
        export: arguments.export,
        against: arguments.against,
        jobs: context.jobs(&arguments.jobs),
    };
    let out = match (arguments.out, arguments.json) {
        (None, true) => None,
        (out, _) => Some(out.unwrap_or_else(|| PathBuf::from("report.html"))),
    };
    if let Some(folder) = out.as_ref().filter(|out| out.is_dir()) {
        let file = folder.join("report.html");
        bail!(
            "{} is a folder: give a file in it, such as --out {}",
            folder.display(),
            file.display()
        );
    }
    let cache = Reader::open(&context.cache_path())?;
    let progress = progress::progress(context.common.quiet);
    let report = report(&cache, &options, &*progress, stop_flag())?;
    if let Some(out) = &out {
        let page = render(&report);
        write(out, page.as_bytes()).map_err(|error| {
            let (out, why) = (out.display(), in_systems_words(&error));
            anyhow!("cannot write {out}: {why}: choose another place with --out")
        })?;
        if !context.common.quiet && !arguments.json {
            let size = bytes_in_words(page.len() as u64);
            output::print(format!("wrote {size} to {}\n", out.display()))?;
        }
    }
    if arguments.json {
        output::print(format!("{:#}\n", as_json(&report)))?;
    }
    Ok(Outcome::Done)
}

/// Without the name of the temporary file, which means nothing to the user.
fn in_systems_words(error: &std::io::Error) -> String {
    match error.get_ref() {
        Some(_with_path) => error.kind().to_string(),
        None => error.to_string(),
    }
}

/// Writes a temporary file and renames it: a browser never reloads half of a report.
fn write(out: &Path, bytes: &[u8]) -> std::io::Result<()> {
    if out.exists() && !out.is_file() {
        // Such as /dev/stdout.
        return fs::OpenOptions::new().write(true).open(out)?.write_all(bytes);
    }
    let folder = match out.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    fs::create_dir_all(folder)?;
    let mut file = tempfile::Builder::new().prefix(".report").tempfile_in(folder)?;
    file.write_all(bytes)?;
    // As any new file: it is there to be shown.
    let_all_read(file.as_file())?;
    file.persist(out).map_err(|error| error.error)?;
    Ok(())
}
