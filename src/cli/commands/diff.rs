//! `prep diff`

use crate::cli::context::{Context, Outcome};
use crate::cli::output;
use crate::cli::values::whole_number;
use crate::export::{ExportDiff, MeansDiff, SplitDiff, diff_exports};
use crate::gamelog::GameId;
use crate::words::{counted, listed, shown};
use anyhow::Result;
use clap::Args;
use serde_json::{Value, json};
use std::fmt::{Display, Write};
use std::path::{Path, PathBuf};

/// Limit on the games or columns listed in a line; `--json` lists all.
const MAX_LISTED: usize = 10;

const AFTER_HELP: &str = "\
Means are those of the training rows before normalization. Drift is measured in standard deviations of \
the old export, or of the new one for a column that was constant in the old. With --json, an infinite \
drift (a constant column with a new value) is null.

Examples:
  prep diff runs/monday data/processed             as text
  prep diff runs/monday data/processed --top 50    more features
  prep diff runs/monday data/processed --json      for programs

A nightly job that trains only if the data has not drifted:
  prep ingest -q && prep export -q --out runs/tonight &&
    prep diff -q runs/trained runs/tonight --max-drift 0.25 &&
    train.sh runs/tonight

Exit codes: 0 done, 1 a mean drifted by more than --max-drift, or the features cannot be compared";

/// Compare two exports: games that differ, and features that drifted
///
/// Reads only the small files of both folders: no arrays and no cache.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(in crate::cli) struct DiffArgs {
    /// Folder of the old export, such as the one that the model was trained on
    #[arg(value_name = "EXPORT_A")]
    old: PathBuf,
    /// Folder of the new export
    #[arg(value_name = "EXPORT_B")]
    new: PathBuf,
    /// Number of features to list, largest drift first
    #[arg(long, value_name = "N", default_value_t = 10, allow_negative_numbers = true,
          value_parser = whole_number(0_usize..))]
    top: usize,
    /// Exit with 1 if the mean of any feature drifted by more than X standard deviations, and by more
    /// than chance explains for this number of games
    #[arg(long, value_name = "X", env = "PREP_MAX_DRIFT", value_parser = distance,
          allow_negative_numbers = true)]
    max_drift: Option<f64>,
    /// Print JSON: all games that were added, removed, changed or moved, and the drift of features
    #[arg(long)]
    json: bool,
}

fn distance(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(number) if (0.0..=f64::MAX).contains(&number) => Ok(number),
        _ => Err("expected a number from 0, in standard deviations".to_owned()),
    }
}

pub(in crate::cli) fn run(arguments: DiffArgs, context: Context) -> Result<Outcome> {
    let diff = diff_exports(&arguments.old, &arguments.new)?;
    if arguments.json {
        output::print_json(&as_json(&diff, &arguments))?;
    } else if !context.common.quiet {
        output::print(describe(&diff, &arguments))?;
    }
    for remark in &diff.remarks {
        tracing::warn!("{remark}");
    }
    Ok(outcome(&diff, &arguments))
}

/// Whether the drift is within the limit; if not, prints an error.
fn outcome(diff: &ExportDiff, arguments: &DiffArgs) -> Outcome {
    let means = match &diff.means {
        Ok(means) => means,
        Err(why) => {
            tracing::error!("{why}");
            return Outcome::Failed;
        }
    };
    let Some(max_drift) = arguments.max_drift else { return Outcome::Done };
    let past = means.past(max_drift);
    let Some(farthest) = past.first() else { return Outcome::Done };
    tracing::error!(
        "{} drifted by more than {max_drift} standard deviations, {} the most ({}): check the new \
         logs before training on {}",
        counted(past.len(), "feature"),
        shown(&farthest.column),
        shift(farthest.mean_shift),
        shown(&arguments.new)
    );
    Outcome::Failed
}

fn as_json(diff: &ExportDiff, arguments: &DiffArgs) -> Value {
    let splits: serde_json::Map<String, Value> =
        diff.splits.iter().map(|split| (split.split.name().to_owned(), json!(split))).collect();
    let means = diff.means.as_ref().ok();
    json!({
        "old": diff.old,
        "new": diff.new,
        "splits": splits,
        "moved": diff.moved,
        "columns_compared": means.map_or(0, |means| means.moved.len()),
        "means": means.map(|means| &means.moved[..arguments.top.min(means.moved.len())]),
        "newly_varying": means.map(|means| &means.newly_varying),
        "newly_constant": means.map(|means| &means.newly_constant),
        "past_max_drift": means
            .zip(arguments.max_drift)
            .map(|(means, max_drift)| means.past(max_drift)),
        "why_no_means": diff.means.as_ref().err().map(ToString::to_string),
        "remarks": diff.remarks,
    })
}

fn describe(diff: &ExportDiff, arguments: &DiffArgs) -> String {
    let mut text = String::new();
    for (side, folder, facts) in
        [("old", &arguments.old, &diff.old), ("new", &arguments.new, &diff.new)]
    {
        let id = facts.export_id.as_deref().map_or("no id", |id| id.get(..12).unwrap_or(id));
        let (games, rows) = (counted(facts.games, "game"), counted(facts.rows, "row"));
        let folder: &Path = folder;
        let _ = writeln!(text, "{side}  {}: {games}, {rows} ({id})", shown(folder));
    }
    let header = ["", "old", "new", "added", "removed", "changed", "moved in", "moved out"];
    let lines = diff.splits.iter().map(SplitDiff::cells);
    let rows = std::iter::once(header.map(str::to_owned).to_vec()).chain(lines);
    text = text + "\n" + &output::table(rows, &[1, 2, 3, 4, 5, 6, 7]);
    text.push('\n');
    let all = |games: fn(&SplitDiff) -> &[GameId]| -> Vec<GameId> {
        let mut all: Vec<GameId> = diff.splits.iter().flat_map(games).copied().collect();
        all.sort();
        all
    };
    list(&mut text, "removed", &all(|split| &split.removed));
    list(&mut text, "changed", &all(|split| split.changed.as_deref().unwrap_or_default()));
    let moved = diff
        .moved
        .iter()
        .map(|game| format!("{} ({} to {})", game.game_id, game.from.name(), game.to.name()));
    list(&mut text, "moved", &moved.collect::<Vec<_>>());
    if let Ok(means) = &diff.means {
        describe_means(&mut text, means, arguments.top);
    }
    text
}

fn describe_means(text: &mut String, means: &MeansDiff, top: usize) {
    let did_move = means.moved.iter().filter(|column| column.mean_shift != 0.0).count();
    let top = top.min(did_move);
    if did_move == 0 && !means.moved.is_empty() {
        let _ = writeln!(text, "none of {} drifted", counted(means.moved.len(), "feature"));
    } else if top > 0 {
        let _ = writeln!(
            text,
            "means that drifted most, of {}:",
            counted(means.moved.len(), "feature")
        );
    }
    for column in &means.moved[..top] {
        let _ = writeln!(
            text,
            "  {} by {} standard deviations",
            shown(&column.column),
            shift(column.mean_shift)
        );
    }
    list(text, "no longer constant", &means.newly_varying);
    list(text, "newly constant", &means.newly_constant);
}

/// `+0.123`, `-inf`
fn shift(mean_shift: f64) -> String {
    format!("{mean_shift:+.3}")
}

/// `changed: 3, 17`, cut after the first few; nothing if there are none.
fn list(text: &mut String, what: &str, all: &[impl Display]) {
    if !all.is_empty() {
        let _ = writeln!(text, "{what}: {}", shown(&listed(all.iter(), MAX_LISTED)));
    }
}
