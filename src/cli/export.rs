//! `prep export`

use super::output;
use super::{Context, MemoryArgs, Outcome, progress, stop_flag, switch, threads, usage_error};
use crate::cache::Cache;
use crate::dataset::{DatasetOptions, FeatureSet, MaskSource, Ratios, SplitMethod};
use crate::export::{Dtype, ExportOptions, ExportSummary, IdenticalGames, Layout, export};
use crate::words::{bytes_in_words, counted, grouped};
use anyhow::Result;
use clap::{Args, ValueEnum};
use std::fmt::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Columns listed with `--scaler-from`, farthest drifted first.
const LISTED_DRIFT: usize = 5;

/// Groups of identical games that are warned of one by one, and games named of each.
const LISTED_IDENTICAL: usize = 10;

const AFTER_HELP: &str = "\
Examples:
  prep export                               0.8, 0.1, 0.1 to data/processed
  prep export --out runs/a --split 0.7,0.15,0.15 --seed 7
  prep export --features base               the 422 columns of the position
  prep export --no-normalize --dtype int8   a quarter of the size, unscaled
  prep export --scaler-from runs/trained    for a model that is trained already
  prep export --layout npy                  labels and masks to map, as X
  prep export --format parquet              for Polars, pandas and DuckDB";

/// Write train, val and test arrays from the cache
///
/// The output folder is replaced at once, when everything is written and synced: a kill leaves the
/// old export or the new one, and a process that has old arrays mapped goes on reading them.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
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
    #[arg(long, value_name = "N", env = "PREP_SEED", allow_negative_numbers = true)]
    seed: Option<u32>,
    /// Columns: 422 base features, or all 1,308
    #[arg(long, value_enum, env = "PREP_FEATURES")]
    features: Option<FeaturesArg>,
    /// Masks: the legal classes, or ones everywhere
    #[arg(long, value_enum, env = "PREP_MASKS")]
    masks: Option<MasksArg>,
    /// Write the encoder's own values; the scaler is written all the same, if any game trains
    #[arg(long, env = "PREP_NO_NORMALIZE", value_parser = switch())]
    no_normalize: bool,
    /// Type of the features: int8 (with --no-normalize) is a quarter of the size, float16 half
    #[arg(long, value_enum, default_value_t = DtypeArg::Float32, env = "PREP_DTYPE")]
    dtype: DtypeArg,
    /// Normalise with the scaler of an earlier export, and report how far the data has drifted
    #[arg(long, value_name = "DIR", env = "PREP_SCALER_FROM")]
    scaler_from: Option<PathBuf>,
    /// Arrays for NumPy, or one Parquet file a split for Polars, pandas and DuckDB
    #[arg(long, value_enum, default_value_t = FormatArg::Npy, env = "PREP_FORMAT")]
    format: FormatArg,
    /// Labels and masks of the npy format: one .npz a split, or one .npy a head for memory mapping
    #[arg(long, value_enum, default_value_t = LayoutArg::Npz, env = "PREP_LAYOUT")]
    layout: LayoutArg,
    /// Worker threads; 0 for one each core, up to 16
    #[arg(long, value_name = "N", env = "PREP_NUM_WORKERS", value_parser = threads(),
          allow_negative_numbers = true)]
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

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum DtypeArg {
    Float32,
    Float16,
    Int8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FormatArg {
    Npy,
    Parquet,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum LayoutArg {
    Npz,
    Npy,
}

pub(super) fn run(arguments: ExportArgs, context: Context) -> Result<Outcome> {
    let begun = Instant::now();
    if arguments.dtype == DtypeArg::Int8 && !arguments.no_normalize {
        let why = "--dtype int8 holds whole numbers, and normalised values are none: \
                   add --no-normalize, or choose float16";
        return Err(usage_error("export", why));
    }
    if arguments.format == FormatArg::Parquet && arguments.layout == LayoutArg::Npy {
        let why = "--layout npy is about arrays, and a Parquet file holds all of a split: \
                   leave out one of --layout and --format";
        return Err(usage_error("export", why));
    }
    let settings = &context.settings;
    let options = ExportOptions {
        out: arguments.out.unwrap_or_else(|| settings.processed_dir.clone()),
        dataset: DatasetOptions {
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
        },
        masks: match arguments.masks {
            Some(MasksArg::Legal) => MaskSource::Legal,
            Some(MasksArg::AllOnes) => MaskSource::AllOnes,
            None => settings.masks,
        },
        normalize: !arguments.no_normalize,
        dtype: match arguments.dtype {
            DtypeArg::Float32 => Dtype::Float32,
            DtypeArg::Float16 => Dtype::Float16,
            DtypeArg::Int8 => Dtype::Int8,
        },
        scaler_from: arguments.scaler_from,
        layout: match (arguments.format, arguments.layout) {
            (FormatArg::Parquet, _) => Layout::Parquet,
            (FormatArg::Npy, LayoutArg::Npz) => Layout::Npz,
            (FormatArg::Npy, LayoutArg::Npy) => Layout::Npy,
        },
        jobs: context.jobs(arguments.jobs),
        monitor_memory: arguments.memory.monitor_memory.unwrap_or(settings.monitor_memory),
    };
    let cache = Cache::open_existing(&context.cache_path())?;
    let progress = progress::progress(context.common.quiet);
    let summary = export(&cache, &options, &*progress, stop_flag())?;
    warn(&summary, options.dataset.ratios);
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
    for refusal in &summary.excluded {
        tracing::warn!("game {} is left out: {}", refusal.game_id, refusal.message);
    }
    for refusal in &summary.outdated {
        let (game_id, message) = (refusal.game_id, &refusal.message);
        let since = if refusal.set_aside { "was last written to" } else { "broke" };
        tracing::warn!("game {game_id} is there as it was before its log {since}: {message}");
    }
    warn_of_identical(&summary.identical_games);
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

/// Games that are there twice, those that leak from one split into another first.
fn warn_of_identical(groups: &[IdenticalGames]) {
    let (leaks, harmless): (Vec<_>, Vec<_>) =
        groups.iter().partition(|group| group.in_different_splits);
    for group in leaks.iter().chain(&harmless).take(LISTED_IDENTICAL) {
        let games = group.game_ids.iter().zip(&group.splits).take(LISTED_IDENTICAL);
        let games: Vec<_> =
            games.map(|(game_id, split)| format!("{game_id} ({})", split.name())).collect();
        let mut games = games.join(", ");
        if group.game_ids.len() > LISTED_IDENTICAL {
            let _ = write!(games, " and {} more", group.game_ids.len() - LISTED_IDENTICAL);
        }
        match group.in_different_splits {
            true => tracing::warn!(
                "games {games} have identical rows in different splits, so a model is judged by \
                 rows that it has learned: keep only one of their logs"
            ),
            false => {
                tracing::warn!("games {games} have identical rows: keep only one of their logs")
            }
        }
    }
    if groups.len() > LISTED_IDENTICAL {
        tracing::warn!(
            "{} of identical games in all, {} of them in different splits: see identical_games in \
             manifest.json",
            counted(groups.len(), "group"),
            grouped(leaks.len() as u64)
        );
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
            "{:<6} {games:>12}  X ({rows}, {}) {}",
            split.split.name(),
            summary.columns,
            options.dtype.name()
        );
    }
    if let Some(drift) = &summary.drift {
        let moved = || drift.iter().filter(|column| column.mean_shift != 0.0);
        text += match moved().next() {
            Some(_) => "means that moved most since the scaler was fitted:\n",
            None => "no mean moved since the scaler was fitted\n",
        };
        for column in moved().take(LISTED_DRIFT) {
            let (name, shift) = (&column.column, column.mean_shift);
            let _ = writeln!(text, "  {name} by {shift:+.3} standard deviations");
        }
    }
    let _ = writeln!(
        text,
        "wrote {} to {} in {:.1} s",
        bytes_in_words(summary.bytes),
        options.out.display(),
        time.as_secs_f64()
    );
    text
}
