//! `prep report`

use crate::cache::Reader;
use crate::cli::context::{Context, Outcome, stop_flag};
use crate::cli::output_file::{OutputFile, refuse_folder};
use crate::cli::values::JobsArgs;
use crate::cli::{output, progress};
use crate::report::{ReportOptions, as_json, render, report};
use crate::words::{bytes_in_words, shown};
use anyhow::Result;
use clap::Args;
use std::path::PathBuf;

const AFTER_HELP: &str = "\
Examples:
  prep report                             report on the cache, to report.html
  prep report --export data/processed     include the splits of an export
  prep report --export runs/tonight --against runs/trained --out tonight.html
  prep report --json | jq .cache          print the numbers";

/// Write an HTML report with plots and numbers about the cache and an export
///
/// Games and rows by players and day, game lengths, points, actions, cards, legal and chosen classes,
/// the values of every column; for an export, how similar its splits are and what changed since an older
/// export. The page needs no network and no other files. Reads each cached row once, and no logs.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(in crate::cli) struct ReportArgs {
    /// File to write [default: report.html; none with --json]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Folder of an export to include
    #[arg(long, value_name = "DIR")]
    export: Option<PathBuf>,
    /// Folder of an older export to compare with
    #[arg(long, value_name = "DIR", requires = "export")]
    against: Option<PathBuf>,
    /// Replace FILE even if it is not a report
    #[arg(long)]
    force: bool,
    /// Print the numbers as JSON instead
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    jobs: JobsArgs,
}

pub(in crate::cli) fn run(arguments: ReportArgs, context: Context) -> Result<Outcome> {
    let options = ReportOptions {
        export: arguments.export,
        against: arguments.against,
        jobs: context.jobs(&arguments.jobs),
    };
    let out = match (arguments.out, arguments.json) {
        (None, true) => None,
        (out, _) => Some(out.unwrap_or_else(|| PathBuf::from("report.html"))),
    };
    if let Some(out) = &out {
        refuse_folder(out, "report.html")?;
    }
    let file = out.as_deref().map(|path| OutputFile {
        path,
        what: "a report of prep",
        mark: "<meta name=\"generator\" content=\"prep ",
        force: Some(arguments.force),
        advice: "choose another place with --out",
    });
    if let Some(file) = &file {
        file.check()?;
    }
    let cache = Reader::open(&context.cache_path())?;
    let progress = progress::progress(context.common.quiet);
    let report = report(&cache, &options, &*progress, stop_flag())?;
    if let Some(file) = &file {
        let page = render(&report);
        file.write(page.as_bytes())?;
        if !context.common.quiet && !arguments.json {
            let size = bytes_in_words(page.len() as u64);
            output::print(format!("wrote {size} to {}\n", shown(file.path)))?;
        }
    }
    if arguments.json {
        output::print_json(&as_json(&report))?;
    }
    Ok(Outcome::Done)
}
