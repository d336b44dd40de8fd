//! `prep status`

use super::output;
use super::words::counted;
use super::{Context, Outcome, switch};
use crate::cache::Cache;
use crate::gamelog::ReadOptions;
use crate::ingest::{GameStatus, StatusReport, status};
use anyhow::Result;
use clap::Args;
use std::fmt::Write;
use std::path::PathBuf;

/// Say what the next ingest would do, and why, game by game
///
/// Hashes every log and compares it with the cache; writes nothing. Exits with 0 if the cache is up
/// to date, with 1 if not.
#[derive(Debug, Args)]
pub(super) struct StatusArgs {
    /// Folder with the logs [default: data_root, data/raw]
    #[arg(value_name = "DIR", env = "PREP_DATA_ROOT")]
    data_root: Option<PathBuf>,
    /// As for ingest
    #[arg(long, env = "PREP_REPAIR", value_parser = switch())]
    repair: bool,
    /// Print JSON: every game with its status, and the counts
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: StatusArgs, context: Context) -> Result<Outcome> {
    let root = arguments.data_root.unwrap_or_else(|| context.settings.data_root.clone());
    let cache = Cache::open_if_there(&context.cache_path())?;
    let report = status(&root, cache.as_ref(), ReadOptions { repair: arguments.repair })?;
    if arguments.json {
        output::print(format!("{:#}\n", as_json(&report)))?;
    } else if !context.common.quiet {
        output::print(describe(&report))?;
    }
    Ok(if report.is_up_to_date() { Outcome::Done } else { Outcome::Failed })
}

fn as_json(report: &StatusReport) -> serde_json::Value {
    let games: Vec<_> = report
        .games
        .iter()
        .map(|entry| {
            serde_json::json!({
                "game_id": entry.game_id,
                "path": entry.path,
                "status": entry.status.name(),
                "why": entry.status.to_string(),
                "older_version_kept": entry.older_version_kept,
            })
        })
        .collect();
    serde_json::json!({
        "up_to_date": report.is_up_to_date(),
        "counts": report.counts(),
        "games": games,
    })
}

/// A line for each game that is not up to date, then the counts.
fn describe(report: &StatusReport) -> String {
    let mut text = String::new();
    for entry in &report.games {
        if entry.status != GameStatus::UpToDate {
            let kept = match entry.older_version_kept {
                true => " (an older version stays in the cache)",
                false => "",
            };
            let _ = writeln!(text, "{}: {}{kept}", entry.path, entry.status);
        }
    }
    let counts: Vec<_> = report
        .counts()
        .iter()
        .map(|(name, &games)| format!("{} {}", counted(games, "game"), name.replace('_', " ")))
        .collect();
    let _ = writeln!(text, "{}", counts.join(", "));
    text
}
