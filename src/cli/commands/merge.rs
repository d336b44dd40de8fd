//! `prep merge`

use crate::cache::{MergeConflict, MergeInput, MergeSummary, merge};
use crate::cli::context::{Context, Outcome, stop_flag, usage_error};
use crate::cli::output::{self, LISTED_IDS};
use crate::cli::values::whole_number;
use crate::words::{counted, counted_verb, listed, shown};
use anyhow::{Result, bail};
use clap::Args;
use serde_json::json;
use std::path::PathBuf;
use std::time::Duration;

/// Limit on the conflicts that are listed.
const LISTED_CONFLICTS: usize = 20;

const AFTER_HELP: &str = "\
Examples:
  prep merge all.sqlite a.sqlite b.sqlite     games are matched by id
  prep merge all.sqlite a.sqlite b.sqlite --offset 1000000   shift the ids of b
  prep merge all.sqlite a.sqlite b.sqlite --offset 0,700     shift them by 700
  prep export --cache all.sqlite              export all games together

Exit codes: 0 done, 1 failed, 3 done but a game is excluded, 4 another run holds OUT";

/// Merge the caches of several machines into one
///
/// The new cache holds every game of the others, and replaces OUT atomically when it is complete. Games
/// with the same id and content are one game. A game with different content in two caches, or whose log
/// another cache refused, is excluded and listed.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(in crate::cli) struct MergeArgs {
    /// Cache to create or replace
    #[arg(value_name = "OUT")]
    out: PathBuf,
    /// Caches to merge, in any order
    #[arg(value_name = "CACHE", required = true)]
    caches: Vec<PathBuf>,
    /// Keep equal ids of different machines apart: adds N to the ids of the second cache, 2 N to those
    /// of the third and so on; or give one number for each cache
    #[arg(long, value_name = "N", value_delimiter = ',', value_parser = whole_number(0_i64..))]
    offset: Vec<i64>,
    /// Replace OUT even if more than a fifth of its games would be lost
    #[arg(long)]
    allow_delete: bool,
    /// Print JSON: what was merged, and the conflicts
    #[arg(long)]
    json: bool,
    /// Wait up to this time for another run that holds OUT
    #[arg(long, value_name = "SECONDS", default_value_t = 0, value_parser = whole_number(0_u64..))]
    wait: u64,
}

pub(in crate::cli) fn run(arguments: MergeArgs, context: Context) -> Result<Outcome> {
    let caches = arguments.caches.len();
    let offset = |index: usize| match arguments.offset.as_slice() {
        [] => Some(0),
        &[step] if caches > 1 => i64::try_from(index).ok()?.checked_mul(step),
        offsets => offsets.get(index).copied(),
    };
    if arguments.offset.len() > 1 && arguments.offset.len() != caches {
        let why = "give --offset one number, or as many as there are caches";
        return Err(usage_error(why));
    }
    let mut inputs = Vec::new();
    for (index, path) in arguments.caches.iter().enumerate() {
        let Some(offset) = offset(index) else { bail!("--offset makes ids that are too large") };
        inputs.push(MergeInput { path: path.clone(), offset });
    }
    let wait = Duration::from_secs(arguments.wait);
    let Some(summary) = merge(&arguments.out, &inputs, arguments.allow_delete, wait, stop_flag())?
    else {
        bail!("interrupted: {} is unchanged", shown(&arguments.out));
    };
    for conflict in summary.conflicts.iter().take(LISTED_CONFLICTS) {
        tracing::error!("{}", in_words(conflict));
    }
    if summary.conflicts.len() > LISTED_CONFLICTS {
        let more = counted(summary.conflicts.len() - LISTED_CONFLICTS, "conflict");
        tracing::error!("and {more} more: see --json");
    }
    if !summary.lost.is_empty() {
        let are = counted_verb(summary.lost.len(), "game", ["is", "are"]);
        let ids = listed(summary.lost.iter(), LISTED_IDS);
        let out = shown(&arguments.out);
        tracing::warn!("{are} no longer in {out}, because none of the caches has them: {ids}");
    }
    if !summary.all_ingests_finished {
        tracing::warn!(
            "the last ingest into one of the caches did not finish: games may be missing"
        );
    }
    if arguments.json {
        output::print_json(&as_json(&summary))?;
    } else if !context.common.quiet {
        let (games, rows) = (counted(summary.games, "game"), counted(summary.rows, "row"));
        output::print(format!(
            "{} merged into {}: {games}, {rows}; {} more than once, {} excluded\n",
            counted(caches, "cache"),
            shown(&arguments.out),
            counted(summary.duplicates, "game"),
            counted(summary.conflicts.len(), "game"),
        ))?;
    }
    Ok(if summary.conflicts.is_empty() { Outcome::Done } else { Outcome::NotAllIngested })
}

/// `game 17 is excluded: a.sqlite (2_games/17.csv) and b.sqlite (17.csv) differ`
fn in_words(conflict: &MergeConflict) -> String {
    let places = conflict.found.iter();
    let places: Vec<String> =
        places.map(|(cache, log)| format!("{} ({})", shown(cache), shown(log))).collect();
    format!("game {} is excluded: {} differ", conflict.game_id, places.join(" and "))
}

fn as_json(summary: &MergeSummary) -> serde_json::Value {
    let conflict = |conflict: &MergeConflict| {
        let found = conflict.found.iter().map(|(cache, log)| json!({ "cache": cache, "log": log }));
        json!({ "game_id": conflict.game_id, "found": found.collect::<Vec<_>>() })
    };
    json!({
        "games": summary.games,
        "rows": summary.rows,
        "duplicates": summary.duplicates,
        "refusals": summary.refusals,
        "all_ingests_finished": summary.all_ingests_finished,
        "lost": summary.lost,
        "conflicts": summary.conflicts.iter().map(conflict).collect::<Vec<_>>(),
    })
}
