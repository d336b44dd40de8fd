//! `prep status`

use crate::cache::Reader;
use crate::cli::context::{Context, Outcome};
use crate::cli::values::{JobsArgs, SettleArgs, switch};
use crate::cli::{output, progress};
use crate::export::stale_reasons;
use crate::gamelog::ReadOptions;
use crate::ingest::{GameStatus, GameVersion, ReplayStatus, StatusOptions, StatusReport, status};
use crate::words::{counted, shown};
use anyhow::Result;
use clap::Args;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Limit on the games listed for each reason without `--explain`.
const LISTED_OF_A_REASON: usize = 20;

const AFTER_HELP: &str = "\
Examples:
  prep status data/raw                    games that are not up to date, and why
  prep status data/raw --explain          every game, with old and new values
  prep status -q && prep export           export only if all logs are ingested
  prep status --export data/processed     also whether that export is stale
  prep status --json | jq .counts         for programs";

/// Show what the next ingest would do with each game, and why
///
/// Hashes every log, compares it with the cache, and reads the logs that differ; writes nothing. Exits
/// with 0 if the cache is up to date with every complete log, else with 1.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(in crate::cli) struct StatusArgs {
    /// Folder with the logs [default: data_root, data/raw]
    #[arg(value_name = "DIR", env = "PREP_DATA_ROOT")]
    data_root: Option<PathBuf>,
    /// Read logs as `ingest --repair` does
    #[arg(long, env = "PREP_REPAIR", value_parser = switch)]
    repair: bool,
    /// Refuse games that do not replay, as `ingest --strict` does
    #[arg(long, env = "PREP_STRICT", value_parser = switch)]
    strict: bool,
    #[command(flatten)]
    settle: SettleArgs,
    /// Also check whether exporting again would change this export
    #[arg(long, value_name = "DIR")]
    export: Option<PathBuf>,
    /// List every game, each with its old and new hash, size and versions
    #[arg(long)]
    explain: bool,
    /// Print JSON: every game with reason, old and new, and the counts
    #[arg(long)]
    json: bool,
}

pub(in crate::cli) fn run(arguments: StatusArgs, context: Context) -> Result<Outcome> {
    let root = context.data_root(arguments.data_root);
    let cache = Reader::open_if_there(&context.cache_path())?;
    let progress = progress::progress(context.common.quiet);
    let options = StatusOptions {
        read: ReadOptions { repair: arguments.repair, strict: arguments.strict },
        settle: arguments.settle.settle,
        every_game: arguments.explain || arguments.json,
        jobs: context.jobs(&JobsArgs::default()),
    };
    let report = status(&root, cache, options, &*progress)?;
    for key in &context.without_use {
        tracing::info!("{key}");
    }
    if !report.last_ingest_finished {
        tracing::info!(
            "the last ingest did not finish, or is still running: the next one continues it"
        );
    }
    let export = match arguments.export {
        Some(folder) => Some((stale_because(&folder, &context.cache_path())?, folder)),
        None => None,
    };
    if arguments.json {
        let mut json = as_json(&report);
        if let Some((reasons, folder)) = &export {
            json["export"] = serde_json::json!({
                "path": folder.to_string_lossy(),
                "up_to_date": reasons.is_empty(),
                "reasons": reasons,
            });
        }
        output::print_json(&json)?;
    } else if !context.common.quiet {
        let mut text = describe(&report, arguments.explain);
        if let Some((reasons, folder)) = &export {
            let folder = shown(folder);
            let _ = match reasons.is_empty() {
                true => writeln!(text, "the export {folder} is up to date"),
                false => writeln!(text, "the export {folder} is stale: {}", reasons.join("; ")),
            };
        }
        output::print(text)?;
    }
    let is_fresh = export.is_none_or(|(reasons, _)| reasons.is_empty());
    Ok(if report.is_up_to_date() && is_fresh { Outcome::Done } else { Outcome::Failed })
}

/// Reasons why exporting again would change the export.
fn stale_because(folder: &Path, cache: &Path) -> Result<Vec<String>> {
    let Some(reader) = Reader::open_if_there(cache)? else {
        return Ok(vec![format!("there is no cache {}", shown(cache))]);
    };
    match stale_reasons(&reader, folder) {
        // For example games of another encoder, with which nothing can be exported.
        Err(error) if error.cache_error().is_none() => Ok(vec![error.to_string()]),
        reasons => Ok(reasons?),
    }
}

fn as_json(report: &StatusReport) -> serde_json::Value {
    let games: Vec<_> = report
        .games
        .iter()
        .map(|entry| {
            serde_json::json!({
                "game_id": entry.game_id,
                "path": entry.path,
                "reason": entry.status.name(),
                "why": entry.status.to_string(),
                "old": entry.old,
                "new": entry.new,
                "older_version_kept": entry.older_version_kept,
                "ending": entry.replay.as_ref().map(|replay| replay.ending.name()),
                "replay_fault_rows": entry.replay.as_ref().map(|replay| replay.fault_rows),
                "replay_fault": entry.replay.as_ref().and_then(first_fault),
            })
        })
        .collect();
    serde_json::json!({
        "up_to_date": report.is_up_to_date(),
        "last_ingest_finished": report.last_ingest_finished,
        "counts": report.counts,
        "unreadable_folders": output::unreadable_folders(&report.unreadable),
        "games": games,
    })
}

/// A line for each game that is not up to date, with a limit for each reason except refused logs, or
/// with `--explain` for every game; then the counts.
fn describe(report: &StatusReport, explain: bool) -> String {
    let mut text = String::new();
    let mut listed: BTreeMap<&str, usize> = BTreeMap::new();
    let mut left_out = false;
    for entry in &report.games {
        let of_this_reason = listed.entry(entry.status.name()).or_default();
        *of_this_reason += 1;
        let is_listed = match &entry.status {
            GameStatus::UpToDate { repaired: false } => false,
            GameStatus::Refused(_) => true,
            _ if *of_this_reason <= LISTED_OF_A_REASON => true,
            _ => {
                left_out = true;
                false
            }
        };
        if explain || is_listed {
            let path = shown(&entry.path).to_string();
            let reason = entry.status.name().replace('_', " ");
            let why = without_name(&entry.status.to_string(), &reason, &path);
            let _ = write!(text, "{path}: ");
            if explain && !why.starts_with(&reason) {
                let _ = write!(text, "{reason}: ");
            }
            let kept = match entry.older_version_kept {
                true => " (an older version stays in the cache)",
                false => "",
            };
            let _ = write!(text, "{why}{kept}");
            if explain {
                let old = entry.old.as_ref().map_or("not cached".to_owned(), in_words);
                let new = entry.new.as_ref().map_or("no bytes".to_owned(), in_words);
                let _ = write!(text, "; old: {old}; new: {new}");
                if let Some(replay) = &entry.replay {
                    let _ = write!(text, "; {}", replay.ending.name());
                    if let Some(fault) = first_fault(replay) {
                        let rows = counted(replay.fault_rows, "row");
                        let _ = write!(text, "; does not replay ({rows}; {fault})");
                    }
                }
            }
            text.push('\n');
        }
    }
    if !explain && left_out {
        let _ = writeln!(text, "... (--explain lists every game)");
    }
    let counts: Vec<_> = report
        .counts
        .iter()
        .map(|(name, &games)| format!("{} {}", counted(games, "game"), name.replace('_', " ")))
        .collect();
    let _ = writeln!(text, "{}", counts.join(", "));
    if explain {
        let _ = writeln!(text, "{} in all", counted(report.games.len(), "game"));
    }
    text
}

/// `refused: 101.csv:6: …` after `101.csv: ` as `refused: line 6: …`, so that a line has the name only once.
fn without_name(why: &str, reason: &str, path: &str) -> String {
    let place = why
        .strip_prefix(reason)
        .and_then(|rest| rest.strip_prefix(": "))
        .and_then(|rest| rest.strip_prefix(path));
    match place.map(|place| (place.strip_prefix(": "), place.strip_prefix(':'))) {
        Some((Some(fault), _)) => format!("{reason}: {fault}"),
        Some((None, Some(line_and_fault))) => format!("{reason}: line {line_and_fault}"),
        _ => why.to_owned(),
    }
}

/// `line 31: player1 has 5 points, the move gives 2`
fn first_fault(replay: &ReplayStatus) -> Option<String> {
    replay.first_fault.as_ref().map(|fault| format!("line {}: {fault}", fault.line))
}

fn in_words(version: &GameVersion) -> String {
    let GameVersion { blake3, bytes, encoder_version, feature_schema, repaired } = version;
    let bytes = counted(*bytes, "byte");
    let repaired = if *repaired { ", repaired" } else { "" };
    format!("{blake3}, {bytes}, encoder {encoder_version}, columns {feature_schema}{repaired}")
}
