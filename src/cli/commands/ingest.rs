//! `prep ingest`

use crate::cache::{CacheError, Reader, Rebuild, Writer, too_many_missing};
use crate::cli::context::{Context, Outcome, stop_flag, usage_error};
use crate::cli::metrics::Metrics;
use crate::cli::output::{self, LISTED_IDS};
use crate::cli::values::{JobsArgs, MemoryArgs, SettleArgs, switch, whole_number};
use crate::cli::{code_frame, progress};
use crate::disk_space::free_in_words;
use crate::gamelog::{GameId, LogError, ReadOptions};
use crate::ingest::{
    Affected, CacheTotals, IngestError, IngestOptions, IngestSummary, check_for_logs, find_logs,
    ingest, status_names,
};
use crate::parallel::Part;
use crate::progress::{Amount, Progress};
use crate::words::{advised, counted, counted_verb, grouped, listed, shell_path, shown};
use anyhow::{Result, anyhow, bail};
use clap::Args;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Limit on the refused logs that are listed, and on the deferred ones; the rest are counted.
const LISTED_LOGS: usize = 20;

const AFTER_HELP: &str = "\
Examples:
  prep ingest data/raw                    encode the new and changed games
  prep ingest data/raw --dry-run          show what would be done, write nothing
  prep ingest --cache /srv/prep.sqlite    use a cache in another place
  prep ingest -q --wait 600               for cron: print only news, and wait
  prep ingest data/raw --rebuild          replace a damaged cache
  prep ingest data/raw --part 3/8 --cache part3.sqlite
                                          one of eight machines, see prep merge

Exit codes: 0 every complete log is in the cache, 1 failed, 3 more than --max-refused logs were
refused, 4 another run holds the cache";

/// Encode the new and changed games of a folder into the cache
///
/// Hashes every log below the folder, encodes and stores those with new content, and removes games whose
/// logs were deleted. A log with an error is refused, with file, line and column. A log that is still
/// being written is deferred to the next run, which is not a failure. All other logs are ingested.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(in crate::cli) struct IngestArgs {
    /// Folder with the logs [default: data_root, data/raw]
    #[arg(value_name = "DIR", env = "PREP_DATA_ROOT")]
    data_root: Option<PathBuf>,
    #[command(flatten)]
    jobs: JobsArgs,
    /// Games per commit, which is the most that a killed run loses
    #[arg(long, value_name = "N", env = "PREP_BATCH_SIZE", allow_negative_numbers = true,
          value_parser = whole_number(NonZeroUsize::MIN..))]
    batch_size: Option<NonZeroUsize>,
    /// Correct rows of old logs with the known gem fault: a take of three in the gem_take2 columns
    #[arg(long, env = "PREP_REPAIR", value_parser = switch)]
    repair: bool,
    /// Refuse games that do not replay: some row does not follow from the previous row and its move
    #[arg(long, env = "PREP_STRICT", value_parser = switch)]
    strict: bool,
    #[command(flatten)]
    settle: SettleArgs,
    /// Exit with 0 if at most N logs are refused
    #[arg(long, value_name = "N", default_value_t = 0, env = "PREP_MAX_REFUSED",
          allow_negative_numbers = true, value_parser = whole_number(0_usize..))]
    max_refused: usize,
    /// Show what would be done, write nothing
    #[arg(long)]
    dry_run: bool,
    /// Process only the N games with the lowest ids
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = whole_number(0_usize..))]
    max_games: Option<usize>,
    /// Take only part K of N, such as 3/8, into this cache: for several machines, whose caches `prep
    /// merge` joins. A game is in the same part in every run
    #[arg(long, value_name = "K/N")]
    part: Option<Part>,
    /// Create a new cache from all logs, to replace a damaged cache file, which is kept beside it as
    /// CACHE.damaged
    #[arg(long, conflicts_with = "dry_run")]
    rebuild: bool,
    /// Remove games even if more than a fifth of the cached games have no log any more
    #[arg(long, conflicts_with = "keep_missing")]
    allow_delete: bool,
    /// Keep games whose logs are deleted
    #[arg(long)]
    keep_missing: bool,
    #[command(flatten)]
    memory: MemoryArgs,
    /// Print JSON: what was done, and the refused and deferred logs
    #[arg(long)]
    json: bool,
    /// Write metrics for Prometheus, also if the run fails
    #[arg(long, value_name = "FILE", env = "PREP_INGEST_METRICS")]
    metrics: Option<PathBuf>,
    /// Wait up to this time for another run that holds the cache
    #[arg(long, value_name = "SECONDS", default_value_t = 0, allow_negative_numbers = true,
          value_parser = whole_number(0_u64..))]
    wait: u64,
}

pub(in crate::cli) fn run(mut arguments: IngestArgs, context: Context) -> Result<Outcome> {
    // A dry run is no news of the cache.
    let file = arguments.metrics.take().filter(|_| !arguments.dry_run);
    let mut metrics = Metrics::begin(file, "prep_ingest_")?;
    let ended = ingest_logs(arguments, &context, &mut metrics);
    metrics.finish(ended)
}

fn ingest_logs(arguments: IngestArgs, context: &Context, metrics: &mut Metrics) -> Result<Outcome> {
    let begun = Instant::now();
    let settings = &context.settings;
    // Not left to clap, because these can be set in the settings file.
    for (option, is_set) in
        [("--keep-missing", arguments.keep_missing), ("--max-games", arguments.max_games.is_some())]
    {
        if arguments.rebuild && is_set {
            let why = format!("--rebuild creates a cache from all logs, and {option} is set");
            return Err(usage_error(&why));
        }
    }
    let options = IngestOptions {
        root: context.data_root(arguments.data_root),
        jobs: context.jobs(&arguments.jobs),
        batch_size: arguments.batch_size.unwrap_or(settings.batch_size),
        read: ReadOptions { repair: arguments.repair, strict: arguments.strict },
        settle: arguments.settle.settle,
        max_games: arguments.max_games,
        part: arguments.part,
        allow_delete: arguments.allow_delete,
        keep_missing: arguments.keep_missing,
        known_games: Vec::new(),
        monitor_memory: arguments.memory.monitor_memory.unwrap_or(settings.monitor_memory),
    };
    let path = context.cache_path();
    let progress = progress::progress(context.common.quiet);
    let wait = Duration::from_secs(arguments.wait);
    // The result of the games is printed first, even if this fails.
    let mut vacuumed = Ok(());
    let summary = if arguments.dry_run {
        ingest(Reader::open_if_there(&path)?, None, &options, &*progress, stop_flag())?
    } else if arguments.rebuild {
        check_for_logs(&options.root, stop_flag())?;
        rebuild(&path, wait, &options, &*progress)?
    } else {
        if !path.exists() {
            // A typo in the folder's name must not leave an empty cache behind.
            check_for_logs(&options.root, stop_flag())?;
        }
        let writer = Writer::open(&path, wait, stop_flag())?;
        let before = Some(Reader::open(&path)?);
        let summary = ingest(before, Some(&writer), &options, &*progress, stop_flag())?;
        if !summary.interrupted {
            vacuumed = writer.vacuum(|| progress.begin("vacuuming the cache", Amount::Unknown));
            progress.end();
        }
        summary
    };
    measure(&summary, metrics);
    warn_of_refused(&summary, &options, context);
    warn(&summary, &options, arguments.dry_run, context.common.quiet);
    if arguments.json {
        // One document: this result, or the error.
        vacuumed?;
        vacuumed = Ok(());
        output::print_json(&as_json(&summary, arguments.dry_run))?;
    } else if !context.common.quiet {
        output::print(describe(&summary, &options, arguments.dry_run, begun.elapsed()))?;
    }
    vacuumed?;
    Ok(outcome(&summary, arguments.max_refused))
}

fn measure(summary: &IngestSummary, metrics: &mut Metrics) {
    let counts =
        status_names().map(|name| (name, summary.counts.get(name).copied().unwrap_or_default()));
    let help = "Games of the last run by outcome.";
    metrics.by_label("games", help, "reason", counts);
    metrics.gauge("logs", "Logs that the last run examined.", summary.logs);
    metrics.gauge("log_bytes", "Size of these logs in bytes, decompressed.", summary.log_bytes);
    metrics.gauge("encoded_rows", "Rows that the last run encoded.", summary.just_encoded.rows);
    metrics.gauge("cache_games", "Games in the cache.", summary.cache.games);
    metrics.gauge("cache_rows", "Rows in the cache.", summary.cache.rows);
}

/// Ingests into a new cache that then replaces the old one.
fn rebuild(
    path: &Path,
    wait: Duration,
    options: &IngestOptions,
    progress: &dyn Progress,
) -> Result<IngestSummary> {
    let rebuild = Rebuild::begin(path, wait)?;
    let (known_games, missing) = check_for_missing(&rebuild, options)?;
    let options = &IngestOptions { known_games, ..options.clone() };
    let ingested = rebuild
        .writer(stop_flag())
        .map_err(IngestError::from)
        .and_then(|writer| ingest(None, Some(&writer), options, progress, stop_flag()));
    let mut summary = ingested.map_err(|error| match error {
        IngestError::Cache(CacheError::DiskFull { free, .. }) => anyhow!(
            "the disk of {} is full: {} there, and the cache is unchanged: free some space and run \
             this again",
            shown(path),
            free_in_words(free)
        ),
        error => error.into(),
    })?;
    if summary.interrupted {
        bail!("interrupted: the cache is unchanged");
    }
    summary.add_deleted(missing);
    if let Some(kept) = rebuild.finish(true, stop_flag())? {
        tracing::info!("the cache is rebuilt; the old file is kept as {}", shown(&kept));
        if summary.is_incomplete() {
            tracing::warn!(
                "the new cache has no older versions of games whose logs were refused or deferred: \
                 {} may have them",
                shown(&kept)
            );
        }
    }
    Ok(summary)
}

/// As in a regular ingest: if the logs of more than a fifth of the games are missing, a disk is probably
/// not mounted. Returns the games that have a log, and those of the old cache that have none.
fn check_for_missing(
    rebuild: &Rebuild,
    options: &IngestOptions,
) -> Result<(Vec<GameId>, Vec<GameId>)> {
    let mut found = find_logs(&options.root, stop_flag())?;
    found.retain_part(options.part);
    if let Some(folder) = found.unreadable.first() {
        bail!("{folder}: the cache is as it was");
    }
    let with_log: BTreeSet<GameId> = found.logs.iter().map(|log| log.game_id).collect();
    let cached = rebuild.old_games();
    let mut missing = cached.clone();
    missing.retain(|game_id| !with_log.contains(game_id));
    if too_many_missing(missing.len(), cached.len()) && !options.allow_delete {
        bail!(
            "{} of the {} games of the old cache have no log in {}: is its disk mounted? If they \
             are to be deleted, add --allow-delete",
            missing.len(),
            cached.len(),
            searched(options)
        );
    }
    Ok((with_log.into_iter().collect(), missing))
}

/// `data/raw`, or `part 3/8 of data/raw`.
fn searched(options: &IngestOptions) -> String {
    let part = options.part.map_or(String::new(), |part| format!("part {part} of "));
    format!("{part}{}", shown(&options.root))
}

fn outcome(summary: &IngestSummary, max_refused: usize) -> Outcome {
    match () {
        () if summary.interrupted || summary.removal_blocked => Outcome::Failed,
        () if !summary.unreadable.is_empty() => Outcome::NotAllIngested,
        () if summary.refused.len() > max_refused => Outcome::NotAllIngested,
        () => Outcome::Done,
    }
}

/// Refused logs, and deferred ones. With `-q`, logs that were refused before are only counted, and deferred
/// ones are not mentioned, so that a nightly job prints only news.
fn warn_of_refused(summary: &IngestSummary, options: &IngestOptions, context: &Context) {
    let IngestOptions { root, read, .. } = options;
    let is_new =
        |error: &&LogError| !context.common.quiet || !summary.refused_before.contains(&error.file);
    let (new, others): (Vec<_>, Vec<_>) = summary.refused.iter().partition(is_new);
    for error in new.iter().take(LISTED_LOGS) {
        tracing::error!("{error}");
        code_frame::show_log(root, error);
    }
    let status = || {
        let mut command = format!("status {}", shell_path(root));
        command += if read.repair { " --repair" } else { "" };
        command += if read.strict { " --strict" } else { "" };
        format!("`{}`", advised(&command, &context.cache_path()))
    };
    if let Some(more @ 1..) = new.len().checked_sub(LISTED_LOGS) {
        tracing::error!("and {}, see {}", counted(more, "more refused log"), status());
    }
    if !others.is_empty() {
        let logs = counted_verb(others.len(), "log", ["is", "are"]);
        let names = listed(others.iter().map(|error| shown(&error.file)), LISTED_IDS);
        tracing::warn!("{logs} still refused, see {}: {names}", status());
    }
    for error in summary.deferred.iter().take(LISTED_LOGS) {
        tracing::info!("{error}");
    }
    if let Some(more @ 1..) = summary.deferred.len().checked_sub(LISTED_LOGS) {
        tracing::info!("and {} deferred, see {}", counted(more, "more log"), status());
    }
}

/// Prints warnings to stderr. With `quiet`, games that keep an older version are named when it is new.
fn warn(summary: &IngestSummary, options: &IngestOptions, is_dry_run: bool, quiet: bool) {
    if summary.deleted_but_kept == 0 && !summary.deleted.is_empty() {
        let would = if is_dry_run { "would be removed" } else { "removed" };
        let games = counted(summary.deleted.len(), "game");
        let their = if summary.deleted.len() == 1 { "its log was" } else { "their logs were" };
        let ids = listed(summary.deleted.iter(), LISTED_IDS);
        tracing::warn!("{games} {would} from the cache, because {their} deleted: {ids}");
    }
    if !summary.refused_and_deleted.is_empty() {
        let verbs = [
            "was never ingested, because its refused log was deleted",
            "were never ingested, because their refused logs were deleted",
        ];
        let games = counted_verb(summary.refused_and_deleted.len(), "game", verbs);
        tracing::warn!("{games}: {}", listed(summary.refused_and_deleted.iter(), LISTED_IDS));
    }
    let is_new = |game_id: &&GameId| summary.newly_refused.contains(game_id);
    let kept = summary.older_version_kept.iter().filter(|game_id| !quiet || is_new(game_id));
    let kept: Vec<&GameId> = kept.collect();
    if !kept.is_empty() {
        let (games, ids) = (counted(kept.len(), "game"), listed(kept.iter(), LISTED_IDS));
        output::note(
            kept.iter().any(is_new),
            &format!("the cache keeps an older version of {games} until the log is valid: {ids}"),
        );
    }
    let CacheTotals { gem_faults, unbalanced, .. } = summary.cache;
    if gem_faults.games > 0 {
        output::note(
            summary.just_encoded.gem_faults.games > 0,
            &format!(
                "the known gem fault (a take of three in the gem_take2 columns) is in {}: the \
                 gem_take3 label is -1 there, --repair corrects it",
                rows_of_games(gem_faults)
            ),
        );
    }
    if unbalanced.games > 0 {
        output::note(
            summary.just_encoded.unbalanced.games > 0,
            &format!(
                "in {} the gems on the table and in hands do not add up to the supply",
                rows_of_games(unbalanced)
            ),
        );
    }
    if let Some((path, fault)) = &summary.does_not_replay.first {
        let (line, games) = (fault.line, summary.does_not_replay.games);
        let do_not = counted_verb(games, "game", ["does", "do"]) + " not replay";
        let first = if games == 1 { "" } else { "first: " };
        tracing::warn!("{do_not} ({first}{path}:{line}: {fault})");
    }
    for folder in summary.unreadable.iter().take(LISTED_LOGS) {
        tracing::error!("{folder}");
    }
    if summary.not_found > 0 {
        tracing::warn!(
            "no log is found of {}, which may be in a folder that cannot be read: nothing was removed",
            counted(summary.not_found, "cached game")
        );
    }
    if summary.removal_blocked {
        tracing::error!(
            "the logs of {} are not in {} any more, more than a fifth of the cache: is a disk not \
             mounted? Nothing was removed; use --allow-delete to remove them, or --keep-missing to \
             keep them",
            counted(summary.deleted_but_kept, "cached game"),
            searched(options)
        );
    }
    if summary.interrupted {
        tracing::warn!(
            "interrupted: the games encoded so far are kept, and the next run continues from here"
        );
    }
}

fn rows_of_games(affected: Affected) -> String {
    format!("{} of {}", counted(affected.rows, "row"), counted(affected.games, "game"))
}

fn as_json(summary: &IngestSummary, is_dry_run: bool) -> serde_json::Value {
    let logs = |errors: &[LogError]| -> Vec<_> {
        let log = |error: &LogError| {
            let (kind, path) = (error.fault.kind.name(), error.file.to_string_lossy());
            serde_json::json!({
                "path": path,
                "kind": kind,
                "why": error.to_string(),
                "line": error.line,
                "column": error.fault.column,
                "value": error.fault.found,
                "expected": error.fault.expected,
            })
        };
        errors.iter().map(log).collect()
    };
    serde_json::json!({
        "dry_run": is_dry_run,
        "finished": summary.is_finished(),
        "logs": summary.logs,
        "counts": summary.counts,
        "encoded": { "games": summary.encoded_games(), "rows": summary.just_encoded.rows },
        "deleted": summary.deleted,
        "deleted_but_kept": summary.deleted_but_kept > 0,
        "refused": logs(&summary.refused),
        "refused_before": summary.refused_before,
        "deferred": logs(&summary.deferred),
        "unreadable_folders": output::unreadable_folders(&summary.unreadable),
        "older_version_kept": summary.older_version_kept,
        "does_not_replay": summary.does_not_replay.games,
        "cache": {
            "games": summary.cache.games,
            "rows": summary.cache.rows,
            "unfinished": summary.cache.unfinished,
            "does_not_replay": summary.cache.replay_faults.games,
        },
    })
}

/// Prints the result to stdout: the number of games per outcome, with the names that `prep status` uses.
fn describe(
    summary: &IngestSummary,
    options: &IngestOptions,
    is_dry_run: bool,
    time: Duration,
) -> String {
    let mut text = String::new();
    let (would, holds) = match is_dry_run {
        true => ("would be ", "would hold"),
        false => ("", "holds"),
    };
    let encoded = counted(summary.encoded_games(), "game");
    let _ = write!(text, "{encoded} {would}encoded");
    let named =
        |name: &str, games: usize| format!("{} {}", grouped(games as u64), name.replace('_', " "));
    let reasons: Vec<_> = summary.encoded().map(|(name, games)| named(name, games)).collect();
    if !reasons.is_empty() {
        let _ = write!(
            text,
            " ({}; {})",
            reasons.join(", "),
            counted(summary.just_encoded.rows, "row")
        );
    }
    let count = |name: &str| named(name, summary.counts.get(name).copied().unwrap_or_default());
    let _ = write!(text, ", {}, {}", count("up_to_date"), count("deleted"));
    if summary.deleted_but_kept > 0 {
        text.push_str(" but kept");
    }
    let _ = write!(text, ", {}", count("refused"));
    if !summary.deferred.is_empty() {
        let _ = write!(text, ", {}", count("deferred"));
    }
    text.push('\n');
    let _ = writeln!(
        text,
        "{} of {} in {:.1} s; the cache {holds} {}, {}",
        counted(summary.logs, "log"),
        shown(&options.root),
        time.as_secs_f64(),
        counted(summary.cache.games, "game"),
        counted(summary.cache.rows, "row")
    );
    let CacheTotals { unfinished, replay_faults, .. } = summary.cache;
    let parts = [
        (unfinished, "is unfinished", "are unfinished"),
        (replay_faults.games, "does not replay", "do not replay"),
    ];
    let parts: Vec<_> = parts
        .into_iter()
        .filter(|&(games, ..)| games > 0)
        .map(|(games, one, more)| {
            format!("{} {}", grouped(games), if games == 1 { one } else { more })
        })
        .collect();
    if !parts.is_empty() {
        let _ = writeln!(text, "of these games, {}", parts.join(", "));
    }
    text
}
