//! `prep export`

use super::context::{Context, Outcome, stop_flag, usage_error};
use super::values::{JobsArgs, MemoryArgs, switch, whole_number};
use super::{output, progress};
use crate::cache::{Reader, Refusal};
use crate::dataset::{
    Columns, DatasetError, DatasetOptions, Dtype, FeatureSet, MaskSource, Ratios, SplitMethod,
};
use crate::export::{
    ExportError, ExportOptions, ExportSummary, IdenticalGames, Layout, export, read_columns,
};
use crate::words::{bytes_in_words, counted, grouped, shell_path, shown};
use anyhow::Result;
use clap::Args;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Columns listed with `--scaler-from`, the most drifted first.
const LISTED_DRIFT: usize = 5;

/// Groups of identical games that are warned of one by one, and games named of each.
const LISTED_IDENTICAL: usize = 10;

const AFTER_HELP: &str = "\
Examples:
  prep export                               0.8, 0.1, 0.1 to data/processed
  prep export --out runs/a --split 0.7,0.15,0.15 --seed 7
  prep export --features base               the 422 columns of the position
  prep export --no-normalize --dtype int8   a quarter of the size
  prep export --scaler-from runs/trained    for a model that is already trained
  prep export --columns old/feature_cols.json --scaler-from old
                                            for one of an earlier version
  prep export --layout npy                  labels and masks for memory mapping
  prep export --format parquet              for Polars, pandas and DuckDB
  prep export --replayable-only             without games whose logs are faulty
  prep export --where players=2             by the columns of the view game_list";

/// Write train, val and test arrays from the cache
///
/// The output folder is replaced at once, after everything is written and synced: a killed run leaves
/// the old export or the new one, and a process that has old arrays mapped goes on reading them.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct ExportArgs {
    /// Folder to replace [default: processed_dir, data/processed]
    #[arg(long, value_name = "DIR", env = "PREP_PROCESSED_DIR")]
    out: Option<PathBuf>,
    /// Shares of the games for train, val and test [default: the three ratios, 0.8,0.1,0.1]
    #[arg(long, value_name = "A,B,C", env = "PREP_SPLIT")]
    split: Option<Ratios>,
    /// How games are assigned; hash: a game keeps its split as others come and go; sklearn: as two
    /// nested GroupShuffleSplit choose
    /// [default: split_method, hash]
    #[arg(long, value_enum, env = "PREP_SPLIT_METHOD")]
    split_method: Option<SplitMethod>,
    /// Seed of the split [default: seed, 42]
    #[arg(long, value_name = "N", env = "PREP_SEED", allow_negative_numbers = true,
          value_parser = whole_number(0..=u32::MAX))]
    seed: Option<u32>,
    /// Columns: the 422 base features, or all 1,308 [default: enable_feature_engineering, all]
    #[arg(long, value_enum, env = "PREP_FEATURES")]
    features: Option<FeatureSet>,
    /// Columns named by a file: feature_cols.json of an export that a model was trained on, in its order; may
    /// have turn_number
    #[arg(long, value_name = "FILE", env = "PREP_COLUMNS", conflicts_with = "features")]
    columns: Option<PathBuf>,
    /// Masks: the legal classes, or ones everywhere [default: enable_masking, legal]
    #[arg(long, value_enum, env = "PREP_MASKS")]
    masks: Option<MaskSource>,
    /// Write the encoder's own values; the scaler is still written if any game is in train
    #[arg(long, env = "PREP_NO_NORMALIZE", value_parser = switch)]
    no_normalize: bool,
    /// Type of the features: int8 (with --no-normalize) is a quarter of the size, float16 half
    #[arg(long, value_enum, default_value_t = Dtype::Float32, env = "PREP_DTYPE")]
    dtype: Dtype,
    /// Normalize with the scaler of an earlier export, and report how far the data has drifted
    #[arg(long, value_name = "DIR", env = "PREP_SCALER_FROM")]
    scaler_from: Option<PathBuf>,
    /// Arrays for NumPy, or one Parquet file per split for Polars, pandas and DuckDB
    #[arg(long, value_parser = ["npy", "parquet"], default_value = "npy", env = "PREP_FORMAT")]
    format: String,
    /// Labels and masks of the npy format: one .npz per split, or one .npy per head for memory mapping
    #[arg(long, value_parser = ["npz", "npy"], default_value = "npz", env = "PREP_LAYOUT")]
    layout: String,
    /// Leave out games that do not replay: a row does not follow from the row before and its move
    #[arg(long, env = "PREP_REPLAYABLE_ONLY", value_parser = switch)]
    replayable_only: bool,
    /// Only games that meet a condition over the columns of the view game_list, such as "players = 2
    /// AND ending = 'finished'"
    #[arg(
        long = "where",
        value_name = "CONDITION",
        env = "PREP_WHERE",
        allow_hyphen_values = true
    )]
    condition: Option<String>,
    #[command(flatten)]
    jobs: JobsArgs,
    #[command(flatten)]
    memory: MemoryArgs,
}

pub(super) fn run(arguments: ExportArgs, context: Context) -> Result<Outcome> {
    let begun = Instant::now();
    if arguments.dtype == Dtype::Int8 && !arguments.no_normalize {
        let why = "--dtype int8 holds whole numbers, which normalized values are not: \
                   add --no-normalize, or choose float16";
        return Err(usage_error(why));
    }
    let layout = match (arguments.format.as_str(), arguments.layout.as_str()) {
        ("parquet", "npy") => {
            let why = "--layout npy is about arrays, and a Parquet file holds all of a split: \
                       leave out one of --layout and --format";
            return Err(usage_error(why));
        }
        ("parquet", _) => Layout::Parquet,
        (_, "npy") => Layout::Npy,
        _ => Layout::Npz,
    };
    let settings = &context.settings;
    let columns = match &arguments.columns {
        Some(file) => read_columns(file)?,
        None => Columns::of(arguments.features.unwrap_or(settings.features)),
    };
    let options = ExportOptions {
        out: arguments.out.unwrap_or_else(|| settings.processed_dir.clone()),
        dataset: DatasetOptions {
            ratios: arguments.split.unwrap_or(settings.ratios),
            split_method: arguments.split_method.unwrap_or(settings.split_method),
            seed: arguments.seed.unwrap_or(settings.seed),
            columns,
            replayable_only: arguments.replayable_only,
            condition: arguments.condition,
        },
        masks: arguments.masks.unwrap_or(settings.masks),
        normalize: !arguments.no_normalize,
        dtype: arguments.dtype,
        scaler_from: arguments.scaler_from,
        layout,
        jobs: context.jobs(&arguments.jobs),
        monitor_memory: arguments.memory.monitor_memory.unwrap_or(settings.monitor_memory),
    };
    let cache = Reader::open(&context.cache_path())?;
    let progress = progress::progress(context.common.quiet);
    let summary = match export(&cache, &options, &*progress, stop_flag()) {
        Err(ExportError::Dataset(DatasetError::Condition(error))) => {
            return Err(usage_error(&format!("--where: {error}")));
        }
        exported => exported?,
    };
    warn(&summary, &options.dataset, &context.cache_path());
    if !context.common.quiet {
        output::print(describe(&summary, &options, begun.elapsed()))?;
    }
    Ok(Outcome::Done)
}

/// What somebody should look at, on stderr.
fn warn(summary: &ExportSummary, options: &DatasetOptions, cache: &Path) {
    if !summary.last_ingest_finished {
        tracing::warn!(
            "the last ingest did not finish, or is still running: games may be missing, run \
             `prep ingest DIR` and export again"
        );
    }
    for refusal in &summary.excluded {
        warn_of_refusal(refusal, "is left out");
    }
    for refusal in &summary.outdated {
        let since = if refusal.deferred { "was last written to" } else { "broke" };
        warn_of_refusal(refusal, &format!("is there as it was before its log {since}"));
    }
    warn_of_faulty(summary, options.replayable_only);
    if summary.not_replayed > 0 {
        tracing::warn!(
            "{} not been replayed, so that some may be faulty: run `prep ingest DIR --cache {}`, which \
             replays them, and export again",
            match summary.not_replayed {
                1 => "1 game has".to_owned(),
                games => format!("{} have", counted(games, "game")),
            },
            shell_path(cache)
        );
    }
    warn_of_identical(&summary.identical_games);
    let ratios = options.ratios;
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

/// A game whose log is still being written is in one of the next exports: no reason to worry.
fn warn_of_refusal(refusal: &Refusal, state: &str) {
    let Refusal { game_id, message, deferred, .. } = refusal;
    match deferred {
        true => tracing::info!("game {game_id} {state}: {message}"),
        false => tracing::warn!("game {game_id} {state}: {message}"),
    }
}

/// Games that do not replay, in one line: a faulty logger makes many.
fn warn_of_faulty(summary: &ExportSummary, are_left_out: bool) {
    let [first, others @ ..] = summary.does_not_replay.as_slice() else { return };
    let (games, is, first, it) = match others.len() {
        0 => ("1 game does".to_owned(), "is", first.why.clone(), "it"),
        others => {
            let games = format!("{} do", counted(others + 1, "game"));
            (games, "are", format!("first: {}", first.why), "them")
        }
    };
    match are_left_out {
        true => tracing::warn!(
            "{games} not replay and {is} left out ({first}): see left_out in manifest.json"
        ),
        false => tracing::warn!(
            "{games} not replay and {is} included ({first}): --replayable-only leaves {it} out"
        ),
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
    let mut text = output::table(
        summary.splits.iter().map(|split| {
            let shape = format!(
                "X ({}, {}) {}",
                grouped(split.rows),
                summary.columns,
                options.dtype.name()
            );
            vec![split.split.name().to_owned(), counted(split.games, "game"), shape]
        }),
        &[1],
    );
    if options.dataset.condition.is_some() {
        let games = counted(summary.not_selected, "game");
        let _ = writeln!(text, "{games} left out by --where");
    }
    if let Some(drift) = &summary.drift {
        let moved = || drift.iter().filter(|column| column.mean_shift != 0.0);
        text += match moved().next() {
            Some(_) => "means that drifted most since the scaler was fitted:\n",
            None => "no mean drifted since the scaler was fitted\n",
        };
        for column in moved().take(LISTED_DRIFT) {
            let (name, shift) = (shown(&column.column), column.mean_shift);
            let _ = writeln!(text, "  {name} by {shift:+.3} standard deviations");
        }
    }
    let _ = writeln!(
        text,
        "wrote {} to {} in {:.1} s",
        bytes_in_words(summary.bytes),
        shown(&options.out),
        time.as_secs_f64()
    );
    text
}
