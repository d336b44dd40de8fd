//! `prep diff`

use super::output;
use super::{Context, Outcome};
use crate::export::{ExportDiff, MeansDiff, SplitDiff, diff_exports};
use crate::gamelog::GameId;
use crate::words::{counted, grouped};
use anyhow::Result;
use clap::Args;
use serde_json::{Value, json};
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Games or columns named in a line of text; `--json` has all of them.
const MOST_NAMED: usize = 10;

const AFTER_HELP: &str = "\
A mean is that of the training rows, before normalisation, of any column; how far it has moved is \
told in standard deviations that the column had in the old export, or, if it was constant there, \
has in the new one. With --json an infinite distance (one constant became another) is null.

Examples:
  prep diff runs/monday data/processed             in words
  prep diff runs/monday data/processed --top 50    more features
  prep diff runs/monday data/processed --json      for a program

A nightly job that refuses to retrain on data that looks broken:
  prep ingest -q && prep export -q --out runs/tonight &&
    prep diff -q runs/trained runs/tonight --max-drift 0.25 &&
    train.sh runs/tonight

Exit codes: 0 done, 1 a mean moved more than --max-drift, or the features cannot be compared";

/// Compare two exports: games added, removed, changed and moved, and the features that drifted
///
/// Reads the small files of both folders, none of the arrays, and no cache.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct DiffArgs {
    /// Folder of the export to compare with, say the one that the model was trained on
    #[arg(value_name = "EXPORT_A")]
    old: PathBuf,
    /// Folder of the export to look at
    #[arg(value_name = "EXPORT_B")]
    new: PathBuf,
    /// How many features to list, farthest moved first
    #[arg(long, value_name = "N", default_value_t = 10, allow_negative_numbers = true)]
    top: usize,
    /// Exit with 1 if any feature's mean moved more than so many standard deviations
    #[arg(long, value_name = "X", env = "PREP_MAX_DRIFT", value_parser = distance,
          allow_negative_numbers = true)]
    max_drift: Option<f64>,
    /// Print JSON: every game that came, went, changed or moved, and the features
    #[arg(long)]
    json: bool,
}

fn distance(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(number) if (0.0..=f64::MAX).contains(&number) => Ok(number),
        _ => Err("expected a number from 0, in standard deviations".to_owned()),
    }
}

pub(super) fn run(arguments: DiffArgs, context: Context) -> Result<Outcome> {
    let diff = diff_exports(&arguments.old, &arguments.new)?;
    if arguments.json {
        output::print(format!("{:#}\n", as_json(&diff, &arguments)))?;
    } else if !context.common.quiet {
        output::print(describe(&diff, &arguments))?;
    }
    for remark in &diff.remarks {
        tracing::warn!("{remark}");
    }
    Ok(judge(&diff, &arguments))
}

/// Whether the features are near enough, and if not, a word on stderr.
fn judge(diff: &ExportDiff, arguments: &DiffArgs) -> Outcome {
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
        "{} moved more than {max_drift} standard deviations, {} farthest ({}): look at the new \
         logs before training on {}",
        counted(past.len(), "feature"),
        farthest.column,
        shift(farthest.mean_shift),
        arguments.new.display()
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
        let _ = writeln!(text, "{side}  {}: {games}, {rows} ({id})", folder.display());
    }
    text += "\n           old      new    added  removed  changed  moved in  moved out\n";
    for split in &diff.splits {
        text += &line_of(split);
    }
    text.push('\n');
    let all = |games: fn(&SplitDiff) -> &[GameId]| -> Vec<GameId> {
        let mut all: Vec<GameId> = diff.splits.iter().flat_map(games).copied().collect();
        all.sort();
        all
    };
    name_all(&mut text, "removed", &all(|split| &split.removed));
    name_all(&mut text, "changed", &all(|split| split.changed.as_deref().unwrap_or_default()));
    let moved = diff
        .moved
        .iter()
        .map(|game| format!("{} ({} to {})", game.game_id, game.from.name(), game.to.name()));
    name_all(&mut text, "moved", &moved.collect::<Vec<_>>());
    if let Ok(means) = &diff.means {
        describe_means(&mut text, means, arguments.top);
    }
    text
}

fn line_of(split: &SplitDiff) -> String {
    let changed = split.changed.as_ref().map(|changed| grouped(changed.len() as u64));
    let number = |count: usize| grouped(count as u64);
    format!(
        "{:<6}{:>8} {:>8} {:>8} {:>8} {:>8} {:>9} {:>10}\n",
        split.split.name(),
        number(split.old_games),
        number(split.new_games),
        number(split.added.len()),
        number(split.removed.len()),
        changed.as_deref().unwrap_or("?"),
        number(split.moved_in),
        number(split.moved_out),
    )
}

fn describe_means(text: &mut String, means: &MeansDiff, top: usize) {
    let did_move = means.moved.iter().filter(|column| column.mean_shift != 0.0).count();
    let top = top.min(did_move);
    if did_move == 0 && !means.moved.is_empty() {
        let _ = writeln!(text, "no mean moved, of {}", counted(means.moved.len(), "feature"));
    } else if top > 0 {
        let _ =
            writeln!(text, "means that moved most, of {}:", counted(means.moved.len(), "feature"));
    }
    for column in &means.moved[..top] {
        let _ = writeln!(
            text,
            "  {} by {} standard deviations",
            column.column,
            shift(column.mean_shift)
        );
    }
    name_all(text, "constant before and not now", &means.newly_varying);
    name_all(text, "constant now and not before", &means.newly_constant);
}

/// `+0.123`, `-inf`
fn shift(mean_shift: f64) -> String {
    format!("{mean_shift:+.3}")
}

/// `changed: 3, 17`, if there are any; of many the first few.
fn name_all(text: &mut String, what: &str, all: &[impl ToString]) {
    if all.is_empty() {
        return;
    }
    let named: Vec<String> = all.iter().take(MOST_NAMED).map(ToString::to_string).collect();
    let more = match all.len() - named.len() {
        0 => String::new(),
        more => format!(" and {} more", grouped(more as u64)),
    };
    let _ = writeln!(text, "{what}: {}{more}", named.join(", "));
}
