//! The `prep` command line: arguments to library calls, results to text, errors to exit codes.
//!
//! Results go to stdout, everything else to stderr. A value is taken from its flag, else from its
//! `PREP_*` variable, else from the settings file, else from the defaults.

mod code_frame;
mod completions;
mod demo;
mod diff;
mod export;
mod ingest;
mod inspect;
mod man;
mod names;
mod output;
mod progress;
mod report;
mod schema;
mod simulate;
mod status;
mod usage;
mod verify;

use crate::cache::{CacheError, sqlite_version};
use crate::config::{ConfigError, MAX_WORKERS, Settings};
use crate::encode::ENCODER_VERSION;
use crate::export::ExportError;
use crate::ingest::IngestError;
use crate::report::ReportError;
use anyhow::Result;
use clap::builder::{BoolishValueParser, RangedU64ValueParser};
use clap::{Args, CommandFactory, Parser, Subcommand};
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{LazyLock, OnceLock};
use std::thread::available_parallelism;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// All is done.
    Done,
    /// It could not be done, or not all of it, and stderr says why.
    Failed,
    /// Done, but some logs did not go in.
    NotAllTaken,
    /// Another run holds the cache.
    CacheHeld,
}

impl Outcome {
    const fn exit_code(self) -> u8 {
        // 2 is for usage errors, which clap reports itself.
        match self {
            Outcome::Done => 0,
            Outcome::Failed => 1,
            Outcome::NotAllTaken => 3,
            Outcome::CacheHeld => 4,
        }
    }
}

const AFTER_HELP: &str = "\
Examples:
  prep ingest data/raw                    encode new and changed games
  prep export --split 0.8,0.1,0.1         write train, val and test arrays
  prep diff runs/monday data/processed    what changed between two exports
  prep inspect 17 --turn 12               a position, its move, the legal ones
  prep report --export data/processed     one HTML file with plots of it all
  prep status                             what the next ingest would do, and why
  prep verify                             is the cache sound, and what mends it
  prep simulate data/raw --games 30       make games to try it with
  prep demo                               simulate, ingest twice, export
  prep schema 'gems_board_*'              what the columns mean

Exit codes: 0 done, 1 failed, 2 usage, 3 done but some logs did
not go in, 4 another run holds the cache";

/// What decides about the bytes that come out, and about the cache file, is told too: whoever reports
/// a fault, or wonders why everything is encoded anew, needs all three.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let (prep, sqlite) = (env!("CARGO_PKG_VERSION"), sqlite_version());
    format!("{prep} (encoder {ENCODER_VERSION}, SQLite {sqlite})")
});

/// Turns Splendor self-play logs into exact, split, normalised arrays. Each game is encoded once
/// and kept in a cache; a run encodes only what is new or changed.
#[derive(Debug, Parser)]
#[command(name = "prep", version = VERSION.as_str(), after_help = AFTER_HELP, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    common: Common,
}

/// Flags of every command.
#[derive(Debug, Args)]
struct Common {
    /// Settings file [default: prep.yaml, if there is one]
    #[arg(long, global = true, value_name = "FILE", env = "PREP_CONFIG")]
    config: Option<PathBuf>,
    /// Cache file [default: prep.sqlite in intermediate_dir]
    #[arg(long, global = true, value_name = "FILE", env = "PREP_CACHE")]
    cache: Option<PathBuf>,
    /// Only errors and warnings
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,
    /// Say more
    #[arg(short, long, global = true)]
    verbose: bool,
}

/// Of the commands that take a while.
#[derive(Debug, Args)]
struct MemoryArgs {
    /// Report resident memory as the run goes on
    // An optional value rather than a mere flag, so that it can also say no to the settings file.
    #[arg(long, value_name = "BOOL", env = "PREP_MONITOR_MEMORY", num_args = 0..=1,
          require_equals = true, default_missing_value = "true", value_parser = switch())]
    monitor_memory: Option<bool>,
}

#[derive(Debug, Subcommand)]
enum Command {
    Ingest(ingest::IngestArgs),
    Export(export::ExportArgs),
    Diff(diff::DiffArgs),
    Inspect(inspect::InspectArgs),
    Report(report::ReportArgs),
    Status(status::StatusArgs),
    Verify(verify::VerifyArgs),
    Schema(schema::SchemaArgs),
    Simulate(simulate::SimulateArgs),
    Demo(demo::DemoArgs),
    Completions(completions::CompletionsArgs),
    Man(man::ManArgs),
}

/// Runs the command that the arguments ask for (the first is the program's name).
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    run_command(arguments).into()
}

/// The same for a process that is not this program's own: gives its exit code as a number.
pub fn run_command(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let cli = match Cli::try_parse_from(&arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version come here too, with exit code 0.
            let error = usage::teach(error, &arguments);
            let _ = error.print();
            return u8::try_from(error.exit_code()).unwrap_or(2);
        }
    };
    match run(cli) {
        Ok(outcome) => outcome.exit_code(),
        Err(error) => match error.downcast_ref::<clap::Error>() {
            Some(usage) => {
                let _ = usage.print();
                2
            }
            None => {
                tracing::error!("{error:#}");
                if let Some(error) = error.downcast_ref::<ConfigError>() {
                    code_frame::show_settings(error);
                }
                outcome_of(&error).exit_code()
            }
        },
    }
}

fn run(cli: Cli) -> Result<Outcome> {
    let found = Settings::find(cli.common.config.as_deref());
    let verbose = found.as_ref().is_ok_and(|loaded| loaded.settings.verbose);
    output::start_logging(&cli.common, verbose);
    let loaded = found?;
    for note in &loaded.notes {
        tracing::warn!("{note}");
    }
    let context = Context { settings: loaded.settings, common: cli.common };
    match cli.command {
        Command::Ingest(arguments) => ingest::run(arguments, context),
        Command::Export(arguments) => export::run(arguments, context),
        Command::Diff(arguments) => diff::run(arguments, context),
        Command::Inspect(arguments) => inspect::run(arguments, context),
        Command::Report(arguments) => report::run(arguments, context),
        Command::Status(arguments) => status::run(arguments, context),
        Command::Verify(arguments) => verify::run(arguments, context),
        Command::Schema(arguments) => schema::run(arguments),
        Command::Simulate(arguments) => simulate::run(arguments, context),
        Command::Demo(arguments) => demo::run(arguments),
        Command::Completions(arguments) => completions::run(&arguments),
        Command::Man(arguments) => man::run(&arguments, &context),
    }
}

/// What every command gets besides its own arguments.
struct Context {
    settings: Settings,
    common: Common,
}

impl Context {
    fn cache_path(&self) -> PathBuf {
        let default = || self.settings.intermediate_dir.join("prep.sqlite");
        self.common.cache.clone().unwrap_or_else(default)
    }

    /// Worker threads: a flag or variable, else the settings; 0 is one for each core, up to
    /// [`MOST_DEFAULT_THREADS`].
    fn jobs(&self, asked: Option<usize>) -> usize {
        match asked.unwrap_or_else(|| self.settings.num_workers.map_or(0, usize::from)) {
            0 => available_parallelism().map_or(1, usize::from).min(MOST_DEFAULT_THREADS),
            jobs => jobs,
        }
    }
}

/// Arguments of a command that do not go together, where clap cannot tell by itself.
fn usage_error(command: &str, why: &str) -> anyhow::Error {
    let mut cli = Cli::command();
    // Gives the usage line its full name.
    cli.build();
    let command = cli.find_subcommand_mut(command).expect("a command of this program");
    command.error(clap::error::ErrorKind::ArgumentConflict, why).into()
}

/// Reads `--jobs`, with the limit that a settings file has: each thread brings its own buffers, and
/// ten thousand of them would be the end of the machine rather than of the work.
fn threads() -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(0..=u64::from(MAX_WORKERS))
}

/// Every thread has buffers of its own, some megabytes: without a limit, memory would follow the
/// number of cores.
const MOST_DEFAULT_THREADS: usize = 16;

/// Reads the variable that stands for a flag: 1, yes, on and true, or 0, no, off and false.
fn switch() -> BoolishValueParser {
    BoolishValueParser::new()
}

fn outcome_of(error: &anyhow::Error) -> Outcome {
    let cache_error =
        error.downcast_ref::<CacheError>().or_else(|| match error.downcast_ref::<IngestError>() {
            Some(IngestError::Cache(error)) => Some(error),
            _ => match error.downcast_ref::<ExportError>().and_then(ExportError::cache_error) {
                Some(error) => Some(error),
                None => match error.downcast_ref::<ReportError>() {
                    Some(ReportError::Cache(error)) => Some(error),
                    _ => None,
                },
            },
        });
    match cache_error {
        Some(CacheError::Held { .. } | CacheError::Busy(_)) => Outcome::CacheHeld,
        _ => Outcome::Failed,
    }
}

/// Set by the first Ctrl-C; a run then ends at its next commit. The second ends it at once.
fn stop_flag() -> &'static AtomicBool {
    static STOP: AtomicBool = AtomicBool::new(false);
    static HANDLER: OnceLock<()> = OnceLock::new();
    HANDLER.get_or_init(|| {
        let on_signal = || {
            if STOP.swap(true, Ordering::Relaxed) {
                let _ = progress::bars().clear();
                std::process::exit(130);
            }
            tracing::warn!("stopping; once more to stop at once");
        };
        if let Err(error) = ctrlc::set_handler(on_signal) {
            tracing::debug!("Ctrl-C will stop at once, without a last commit: {error}");
        }
    });
    &STOP
}
