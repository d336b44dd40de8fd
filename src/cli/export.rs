//! `prep export`

use super::output;
use super::words::{counted, grouped};
use super::{Context, MemoryArgs, Outcome, progress, stop_flag, threads};
use crate::cache::Cache;
use crate::config::{FeatureSet, MaskSource, Ratios};
use crate::export::{ExportOptions, ExportSummary, Layout, SplitMethod, export};
use anyhow::Result;
use clap::{Args, ValueEnum};
use std::fmt::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Columns listed with `--scaler-from`, farthest drifted first.
const LISTED_DRIFT: usize = 5;

/// Write train, val and test arrays from the cache
///
/// The output folder is replaced at once, when everything is written and synced: a kill leaves the
/// old export or the new one, and a process that has old arrays mapped goes on reading them.
#[derive(Debug, Args)]
pub(super) struct ExportArgs {
    /// Folder to replace [default: processed_dir, data/processed]
    #[arg(long, value_name = "DIR", env = "PREP_PROCESSED_DIR")]
    out: Option<PathBuf>,
    /// Shares of the games for train, val and test [default: 0.8,0.1,0.1]
    #[arg(long, value_name = "A,B,C", env = "PREP_SPLIT")]
    split: Option<Ratios>,
    /// hash: a game never changes split as others come and go; sklearn: as two nested
    /// GroupShuffleSplit choose
    #[arg(long, value_enum, default_value_t = MethodArg::Hash, env = "PREP_SPLIT_METHOD")]
    split_method: MethodArg,
    /// Decides which games go into which split [default: 42]
    #[arg(long, value_name = "N", env = "PREP_SEED")]
    seed: Option<u32>,
    /// Columns: 422 base features, or all 1,308
    #[arg(long, value_enum, env = "PREP_FEATURES")]
    features: Option<FeaturesArg>,
    /// Masks: the legal classes, or ones everywhere
    #[arg(long, value_enum, env = "PREP_MASKS")]
    masks: Option<MasksArg>,
    /// Write the encoder's own values; the scaler is written all the same, if any game trains
    #[arg(long)]
    no_normalize: bool,
    /// Normalise with the scaler of an earlier export, and report how far the data has drifted
    #[arg(long, value_name = "DIR")]
    scaler_from: Option<PathBuf>,
    /// Labels and masks: one .npz a split, or one .npy a head for memory mapping
    #[arg(long, value_enum, default_value_t = LayoutArg::Npz)]
    layout: LayoutArg,
    /// Worker threads; 0 for one each core, up to 16
    #[arg(long, value_name = "N", env = "PREP_NUM_WORKERS", value_parser = threads())]
    jobs: Option<usize>,
    #[command(flatten)]
    memory: MemoryArgs,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum MethodArg {
    Hash,
    Sklearn,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum FeaturesArg {
    Base,
    All,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum MasksArg {
    Legal,
    AllOnes,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum LayoutArg {
    Npz,
    Npy,
}

pub(super) fn run(arguments: ExportArgs, context: Context) -> Result<Outcome> {
    let begun = Instant::now();
    let settings = &context.settings;
    let options = ExportOptions {
        out: arguments.out.unwrap_or_else(|| settings.processed_dir.clone()),
        ratios: arguments.split.unwrap_or(settings.ratios),
        split_method: match arguments.split_method {
            MethodArg::Hash => SplitMethod::Hash,
            MethodArg::Sklearn => SplitMethod::Sklearn,
        },
        seed: arguments.seed.unwrap_or(settings.seed),
        features: match arguments.features {
            Some(FeaturesArg::Base) => FeatureSet::Base,
            Some(FeaturesArg::All) => FeatureSet::All,
            None => settings.features,
        },
        masks: match arguments.masks {
            Some(MasksArg::Legal) => MaskSource::Legal,
            Some(MasksArg::AllOnes) => MaskSource::AllOnes,
            None => settings.masks,
        },
        normalize: !arguments.no_normalize,
        scaler_from: arguments.scaler_from,
        layout: match arguments.layout {
            LayoutArg::Npz => Layout::Npz,
            LayoutArg::Npy => Layout::Npy,
        },
        jobs: context.jobs(arguments.jobs),
        monitor_memory: arguments.memory.monitor_memory.unwrap_or(settings.monitor_memory),
    };
    let cache = Cache::open_existing(&context.cache_path())?;
    let progress = progress::progress(context.common.quiet);
    let summary = export(&cache, &options, &*progress, stop_flag())?;
    warn(&summary, options.ratios);
    if !context.common.quiet {
        output::print(describe(&summary, &options, begun.elapsed()))?;
    }
    Ok(Outcome::Done)
}

/// What somebody should look at, on stderr.
fn warn(summary: &ExportSummary, ratios: Ratios) {
    if !summary.last_ingest_finished {
        tracing::warn!(
            "the last ingest did not finish, or is still running: games may be missing, run \
             `prep ingest DIR` and export again"
        );
    }
    for refusal in &summary.left_out {
        tracing::warn!("game {} is left out: {}", refusal.game_id, refusal.message);
    }
    for refusal in &summary.from_an_older_log {
        let (game_id, message) = (refusal.game_id, &refusal.message);
        let since = if refusal.set_aside { "was last written to" } else { "broke" };
        tracing::warn!("game {game_id} is there as it was before its log {since}: {message}");
    }
    let shares = [ratios.train(), ratios.val(), ratios.test()];
    for (split, share) in summary.splits.iter().zip(shares) {
        if split.games == 0 && share > 0.0 {
            tracing::warn!(
                "no game fell into {}: ingest more games, or change --split or --seed",
                split.split.name()
            );
        }
    }
    let illegal: u64 = summary.splits.iter().map(|split| split.illegal_labels).sum();
    if illegal > 0 {
        let labels = counted(illegal, "label");
        tracing::warn!("{labels} not legal under their masks: see mask_validation_report.json");
    }
}

/// The result, on stdout.
fn describe(summary: &ExportSummary, options: &ExportOptions, time: Duration) -> String {
    let mut text = String::new();
    for split in &summary.splits {
        let games = counted(split.games, "game");
        let rows = grouped(split.rows);
        let _ = writeln!(
            text,
            "{:<6} {games:>12}  X ({rows}, {}) float32",
            split.split.name(),
            summary.columns
        );
    }
    if let Some(drift) = &summary.drift {
        let _ = writeln!(text, "means that moved most since the scaler was fitted:");
        for column in drift.iter().take(LISTED_DRIFT) {
            let (name, shift) = (&column.column, column.mean_shift);
            let _ = writeln!(text, "  {name} by {shift:+.3} standard deviations");
        }
    }
    let _ = writeln!(
        text,
        "wrote {:.1} MB to {} in {:.1} s",
        summary.bytes as f64 / 1e6,
        options.out.display(),
        time.as_secs_f64()
    );
    text
}
