//! `prep export`

use crate::cache::{Reader, Refusal};
use crate::cli::context::{Context, Outcome, stop_flag, usage_error};
use crate::cli::metrics::Metrics;
use crate::cli::output::{self, LISTED_IDS};
use crate::cli::progress;
use crate::cli::values::{JobsArgs, MemoryArgs, switch, whole_number};
use crate::dataset::{
    Columns, DatasetError, DatasetOptions, Dtype, FaultyGame, FeatureSet, MaskSource, Ratios,
    Selection, SplitMethod,
};
use crate::export::{
    DatedExports, ExportError, ExportOptions, ExportSummary, Layout, Noted, SplitSummary, export,
    read_columns, up_to_date,
};
use crate::gamelog::GameId;
use crate::parallel::Part;
use crate::words::{advised, bytes_in_words, counted, counted_verb, grouped, listed, shown};
use anyhow::{Result, bail};
use clap::Args;
use serde_json::json;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Number of columns listed with `--scaler-from`, largest drift first.
const LISTED_DRIFT: usize = 5;

const AFTER_HELP: &str = "\
Examples:
  prep export                               0.8, 0.1, 0.1 to data/processed
  prep export --out runs/a --split 0.7,0.15,0.15 --seed 7
  prep export --features base               only the columns of the position
  prep export --no-normalize --dtype int8   a quarter of the size
  prep export --scaler-from runs/trained    for an existing model
  prep export --columns old/feature_cols.json --scaler-from old
                                            for a model of an earlier version
  prep export --layout npy                  memory-mapped labels and masks
  prep export --format parquet              for Polars, pandas and DuckDB
  prep export --replayable-only             without games that do not replay
  prep export --where players=2             by columns of the view game_list
  prep export --out exports --keep 7        exports/latest, and the six before";

/// Write train, val and test arrays from the cache
///
/// The output folder is replaced atomically, after everything is written and synced: a killed run leaves
/// either the old or the new export, and a process that has mapped the old arrays can keep reading them.
/// Nothing is written if the existing export was made from the same games and options.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(in crate::cli) struct ExportArgs {
    /// Folder to replace [default: processed_dir, data/processed]
    #[arg(long, value_name = "DIR", env = "PREP_PROCESSED_DIR")]
    out: Option<PathBuf>,
    /// Shares of the games for train, val and test [default: the three ratios, 0.8,0.1,0.1]
    #[arg(long, value_name = "A,B,C", env = "PREP_SPLIT")]
    split: Option<Ratios>,
    /// How games are assigned; hash: a game keeps its split when other games are added or removed;
    /// sklearn: like two nested GroupShuffleSplit [default: split_method, hash]
    #[arg(long, value_enum, env = "PREP_SPLIT_METHOD")]
    split_method: Option<SplitMethod>,
    /// Seed of the split [default: seed, 42]
    #[arg(long, value_name = "N", env = "PREP_SEED", allow_negative_numbers = true,
          value_parser = whole_number(0..=u32::MAX))]
    seed: Option<u32>,
    /// Features to write: all, or only the base features [default: enable_feature_engineering, all]
    #[arg(long, value_enum, env = "PREP_FEATURES")]
    features: Option<FeatureSet>,
    /// Columns listed in a file, in its order, such as the feature_cols.json of the export that a model
    /// was trained on; may include turn_number
    #[arg(long, value_name = "FILE", env = "PREP_COLUMNS", conflicts_with = "features")]
    columns: Option<PathBuf>,
    /// Masks: 1 for the legal classes, or 1 everywhere [default: enable_masking, legal]
    #[arg(long, value_enum, env = "PREP_MASKS")]
    masks: Option<MaskSource>,
    /// Write the values of the encoder without normalization; the scaler is still written if any game is
    /// in train
    #[arg(long, env = "PREP_NO_NORMALIZE", value_parser = switch)]
    no_normalize: bool,
    /// Type of the features: int8 (needs --no-normalize) takes a quarter of the space, float16 half
    #[arg(long, value_enum, default_value_t = Dtype::Float32, env = "PREP_DTYPE")]
    dtype: Dtype,
    /// Normalize with the scaler of an earlier export, and report the drift of the data since
    #[arg(long, value_name = "DIR", env = "PREP_SCALER_FROM")]
    scaler_from: Option<PathBuf>,
    /// Arrays for NumPy, or one Parquet file per split for Polars, pandas and DuckDB
    #[arg(long, value_parser = ["npy", "parquet"], default_value = "npy", env = "PREP_FORMAT")]
    format: String,
    /// Labels and masks of the npy format: one .npz per split, or one .npy per head for memory mapping
    #[arg(long, value_parser = ["npz", "npy"], default_value = "npz", env = "PREP_LAYOUT")]
    layout: String,
    /// Exclude games that do not replay: some row does not follow from the previous row and its move
    #[arg(long, env = "PREP_REPLAYABLE_ONLY", value_parser = switch)]
    replayable_only: bool,
    /// Select the games that meet a condition over the columns of the view game_list, such as "players = 2
    /// AND ending = 'finished'"
    #[arg(
        long = "where",
        value_name = "CONDITION",
        env = "PREP_WHERE",
        allow_hyphen_values = true
    )]
    condition: Option<String>,
    /// Write only shard K of N, such as 3/8: a part of the games of each split, normalized as all of them.
    /// `prep join` makes one export of all shards
    #[arg(long, value_name = "K/N")]
    shard: Option<Part>,
    /// Write the export even if it is up to date
    #[arg(long)]
    force: bool,
    /// Fail, and write nothing, if the last ingest did not finish or refused a log
    #[arg(long, env = "PREP_EXPORT_STRICT", value_parser = switch)]
    strict: bool,
    /// Write a dated folder in DIR, point the link DIR/latest to it, and remove all but the N newest
    /// exports there
    #[arg(long, value_name = "N", env = "PREP_KEEP", allow_negative_numbers = true,
          value_parser = whole_number(1_usize..))]
    keep: Option<usize>,
    /// Print JSON: what was written, and what was excluded
    #[arg(long)]
    json: bool,
    /// Write metrics for Prometheus, also if the run fails
    #[arg(long, value_name = "FILE", env = "PREP_EXPORT_METRICS")]
    metrics: Option<PathBuf>,
    #[command(flatten)]
    jobs: JobsArgs,
    #[command(flatten)]
    memory: MemoryArgs,
}

pub(in crate::cli) fn run(mut arguments: ExportArgs, context: Context) -> Result<Outcome> {
    let mut metrics = Metrics::begin(arguments.metrics.take(), "prep_export_")?;
    let ended = export_cache(arguments, &context, &mut metrics);
    metrics.finish(ended)
}

fn export_cache(
    arguments: ExportArgs,
    context: &Context,
    metrics: &mut Metrics,
) -> Result<Outcome> {
    let begun = Instant::now();
    if arguments.dtype == Dtype::Int8 && !arguments.no_normalize {
        let why = "--dtype int8 holds whole numbers only, and normalized values are fractions: add \
                   --no-normalize, or choose float16";
        return Err(usage_error(why));
    }
    let layout = match (arguments.format.as_str(), arguments.layout.as_str()) {
        ("parquet", "npy") => {
            let why = "--layout npy applies only to arrays, not to Parquet files: remove either \
                       --layout or --format";
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
    let mut options = ExportOptions {
        out: arguments.out.unwrap_or_else(|| settings.processed_dir.clone()),
        dataset: DatasetOptions {
            ratios: arguments.split.unwrap_or(settings.ratios),
            split_method: arguments.split_method.unwrap_or(settings.split_method),
            seed: arguments.seed.unwrap_or(settings.seed),
            columns,
            replayable_only: arguments.replayable_only,
            condition: arguments.condition,
            shard: arguments.shard,
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
    if arguments.strict {
        check_ingest(&cache)?;
    }
    let open_dated = |keep| DatedExports::open(&options.out, keep, stop_flag());
    let dated = arguments.keep.map(open_dated).transpose()?;
    // The previous export.
    let before = dated.as_ref().map_or_else(|| options.out.clone(), DatedExports::latest);
    let noted = Noted::of(&before);
    let up_to_date = match arguments.force {
        true => None,
        false => up_to_date(&cache, &options, &before).map_err(of_condition)?,
    };
    let summary = match up_to_date {
        Some(summary) => {
            options.out = before;
            summary
        }
        None => {
            let progress = progress::progress(context.common.quiet);
            if let Some(dated) = &dated {
                options.out = dated.next()?;
            }
            let summary =
                export(&cache, &options, &*progress, stop_flag()).map_err(of_condition)?;
            dated.as_ref().map_or(Ok(()), |dated| dated.link(&options.out))?;
            summary
        }
    };
    measure(&summary, metrics);
    // Before anything can fail: the next export does not repeat the warnings.
    let news = News { noted, quiet: context.common.quiet };
    warn(&summary, &news, &options.dataset, &context.cache_path());
    for old in dated.map_or(Ok(Vec::new()), |dated| dated.remove_old())? {
        tracing::info!("removed the old export {}", shown(&old));
    }
    if arguments.json {
        output::print_json(&as_json(&summary, &options))?;
    } else if !context.common.quiet {
        output::print(describe(&summary, &options, begun.elapsed()))?;
    }
    Ok(Outcome::Done)
}

/// A condition that SQLite rejects is a usage error.
fn of_condition(error: ExportError) -> anyhow::Error {
    match error {
        ExportError::Dataset(DatasetError::Condition(error)) => {
            usage_error(&format!("--where: {error}"))
        }
        error => error.into(),
    }
}

/// With `--strict`, every complete log must be in the cache.
fn check_ingest(cache: &Reader) -> Result<()> {
    if !cache.last_ingest_finished()? {
        bail!("the last ingest did not finish, or is still running, so --strict exports nothing");
    }
    let refusals = cache.refusals()?;
    let mut refused = refusals.iter().filter(|refusal| !refusal.deferred);
    if let Some(first) = refused.next() {
        bail!(
            "the last ingest refused {} (first: {}): nothing is exported with --strict",
            counted(refused.count() + 1, "log"),
            first.message
        );
    }
    Ok(())
}

fn measure(summary: &ExportSummary, metrics: &mut Metrics) {
    let games = summary.splits.iter().map(|split| (split.split.name(), split.games));
    metrics.by_label("games", "Games in the export.", "split", games);
    let rows = summary.splits.iter().map(|split| (split.split.name(), split.rows));
    metrics.by_label("rows", "Rows in the export.", "split", rows);
    let not_current = || summary.selection.excluded.iter().chain(&summary.selection.outdated);
    let deferred = not_current().filter(|refusal| refusal.deferred).count();
    let reasons = [
        ("refused", not_current().count() - deferred),
        ("deferred", deferred),
        ("does_not_replay", summary.selection.does_not_replay.len()),
    ];
    let help = "Games that are excluded, outdated, or do not replay.";
    metrics.by_label("faulty_games", help, "reason", reasons);
    metrics.gauge("bytes", "Size of the export in bytes, without its manifest.", summary.bytes);
    let help = "1 if the last run wrote the export, 0 if it was up to date.";
    metrics.gauge("written", help, u8::from(!summary.up_to_date));
}

fn as_json(summary: &ExportSummary, options: &ExportOptions) -> serde_json::Value {
    let refused = |refusals: &[Refusal]| -> Vec<_> {
        let refusal = |refusal: &Refusal| {
            let Refusal { game_id, message, deferred, .. } = refusal;
            json!({ "game_id": game_id, "why": message, "deferred": deferred })
        };
        refusals.iter().map(refusal).collect()
    };
    let split = |split: &SplitSummary| {
        let illegal = (!summary.up_to_date).then_some(split.illegal_labels);
        let value = json!({ "games": split.games, "rows": split.rows, "illegal_labels": illegal });
        (split.split.name().to_owned(), value)
    };
    let faulty = summary.selection.does_not_replay.iter();
    let faulty = faulty.map(|game| json!({ "game_id": game.game_id, "why": game.why }));
    json!({
        "out": options.out.to_string_lossy(),
        "up_to_date": summary.up_to_date,
        "splits": summary.splits.iter().map(split).collect::<serde_json::Map<_, _>>(),
        "columns": summary.columns,
        "bytes": summary.bytes,
        "last_ingest_finished": summary.selection.last_ingest_finished,
        "excluded": refused(&summary.selection.excluded),
        "from_an_older_log": refused(&summary.selection.outdated),
        "does_not_replay": faulty.collect::<Vec<_>>(),
        "not_replayed": summary.selection.not_replayed,
        "not_selected": summary.selection.not_selected,
        "identical_games": summary.identical_games,
        "drift": summary.drift,
    })
}

/// What the previous export did not note.
struct News {
    noted: Noted,
    quiet: bool,
}

impl News {
    /// The games to name, each given with its reason, and whether any of them is new. With `-q`, only those
    /// that are new.
    fn of(&self, games: impl Iterator<Item = (GameId, String)>) -> (BTreeSet<GameId>, bool) {
        let (new, others): (Vec<_>, Vec<_>) =
            games.partition(|(game_id, why)| !self.noted.has(*game_id, why));
        let is_new = !new.is_empty();
        let others = others.into_iter().filter(|_| !self.quiet);
        (new.into_iter().chain(others).map(|(game_id, _)| game_id).collect(), is_new)
    }
}

/// Prints warnings to stderr; only information if the previous export had the same warning.
fn warn(summary: &ExportSummary, news: &News, options: &DatasetOptions, cache: &Path) {
    if !summary.selection.last_ingest_finished {
        tracing::warn!(
            "the last ingest did not finish, or is still running: games may be missing, run `{}` and \
             export again",
            advised("ingest DIR", cache)
        );
    }
    let Selection { excluded, outdated, .. } = &summary.selection;
    warn_of_refused(
        excluded,
        news,
        [
            [
                "is excluded, because its log is refused",
                "are excluded, because their logs are refused",
            ],
            [
                "is excluded, because its log is being written",
                "are excluded, because their logs are being written",
            ],
        ],
    );
    warn_of_refused(
        outdated,
        news,
        [
            [
                "is included as it was before its log broke",
                "are included as they were before their logs broke",
            ],
            [
                "is included as it was before its log was last written to",
                "are included as they were before their logs were last written to",
            ],
        ],
    );
    warn_of_faulty(summary, news, options.replayable_only);
    if summary.selection.not_replayed > 0 {
        tracing::warn!(
            "{} not been replayed and may be faulty: run `{}`, which replays them, and then export \
             again",
            counted_verb(summary.selection.not_replayed, "game", ["has", "have"]),
            advised("ingest DIR", cache)
        );
    }
    if !summary.up_to_date {
        output::warn_of_identical(&summary.identical_games);
    }
    let ratios = options.ratios;
    let shares = ratios.parts();
    for (split, share) in summary.splits.iter().zip(shares) {
        if split.games == 0 && share > 0.0 && options.shard.is_none() {
            let text = format!(
                "no game fell into {}: ingest more games, or change --split or --seed",
                split.split.name()
            );
            output::note(!summary.up_to_date, &text);
        }
    }
    let illegal: u64 = summary.splits.iter().map(|split| split.illegal_labels).sum();
    if illegal > 0 {
        let labels = counted(illegal, "label");
        tracing::warn!("{labels} not legal under their masks: see mask_validation_report.json");
    }
}

/// Names the games by their ids: the ingest has printed the errors. `states` has the texts for refused and for
/// deferred logs, each for one game and for several.
///
/// A game whose log is still being written will be in a later export, so this is not a warning.
fn warn_of_refused(refusals: &[Refusal], news: &News, states: [[&str; 2]; 2]) {
    for (deferred, state) in [false, true].into_iter().zip(states) {
        let refusals = refusals.iter().filter(|refusal| refusal.deferred == deferred);
        let why = |refusal: &Refusal| (refusal.game_id, refusal.message.clone());
        let (games, is_new) = news.of(refusals.map(why));
        if !games.is_empty() {
            let state = counted_verb(games.len(), "game", state);
            let ids = listed(games.iter(), LISTED_IDS);
            output::note(is_new && !deferred, &format!("{state}: {ids}"));
        }
    }
}

fn warn_of_faulty(summary: &ExportSummary, news: &News, are_excluded: bool) {
    let why = |game: &FaultyGame| (game.game_id, format!("does not replay: {}", game.why));
    let (games, is_new) = news.of(summary.selection.does_not_replay.iter().map(why));
    if games.is_empty() {
        return;
    }
    let ids = listed(games.iter(), LISTED_IDS);
    let text = match are_excluded {
        true => {
            counted_verb(games.len(), "game", ["does not replay and is", "do not replay and are"])
                + " excluded"
        }
        false => {
            counted_verb(games.len(), "game", ["does not replay but is", "do not replay but are"])
                + " included"
        }
    };
    let hint = if are_excluded { "" } else { " (--replayable-only excludes such games)" };
    output::note(is_new, &format!("{text}: {ids}{hint}"));
}

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
        let games = counted(summary.selection.not_selected, "game");
        let _ = writeln!(text, "{games} not selected by --where");
    }
    if let Some(drift) = &summary.drift {
        let moved = || drift.iter().filter(|column| column.mean_shift != 0.0);
        text += match moved().next() {
            Some(_) => "columns with the largest drift since the scaler was fitted:\n",
            None => "no mean drifted since the scaler was fitted\n",
        };
        for column in moved().take(LISTED_DRIFT) {
            let (name, shift) = (shown(&column.column), column.mean_shift);
            let _ = writeln!(text, "  {name} by {shift:+.3} standard deviations");
        }
    }
    if summary.up_to_date {
        let out = shown(&options.out);
        let _ = writeln!(text, "{out} is up to date; --force writes it again");
        return text;
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
