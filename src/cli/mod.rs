//! The `prep` command line: arguments to library calls, results to text, errors to exit codes.
//!
//! Results go to stdout, everything else to stderr. A value is taken from its flag, else from its
//! `PREP_*` variable, else from the settings file, else from the defaults.

mod code_frame;
mod commands;
mod context;
mod failure;
mod metrics;
mod names;
mod output;
mod output_file;
mod progress;
mod settings;
mod values;

use crate::cache::sqlite_version;
use crate::config::{ConfigError, Loaded, Settings};
use crate::encode::ENCODER_VERSION;
use crate::platform::end_by_signal;
use anyhow::Result;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use commands::{
    completions, demo, diff, export, ingest, inspect, join, man, merge, report, schema, simulate,
    status, verify,
};
use context::{Common, Context, Outcome, stopped_by};
use failure::exit_code_of;
use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::LazyLock;

const AFTER_HELP: &str = "\
Examples:
  prep ingest data/raw                    encode new and changed games
  prep export --split 0.8,0.1,0.1         write train, val and test arrays
  prep diff runs/monday data/processed    what changed between two exports
  prep inspect 17 --turn 12               a position and its legal moves
  prep report --export data/processed     an HTML report with plots
  prep status                             what the next ingest would do, and why
  prep verify                             whether the cache is intact
  prep merge all.sqlite a.sqlite b.sqlite caches of several machines as one
  prep join data/processed a b            shards of several machines as one
  prep simulate data/raw --games 30       games to try the tool with
  prep demo                               simulate, ingest twice, export
  prep schema 'gems_board_*'              what the columns mean

Exit codes: 0 done, 1 failed, 2 usage, 3 done but some logs were
refused, 4 another run holds the cache, 130 and 143 stopped by Ctrl-C
and by kill";

/// The versions that determine the output; a bug report needs all three.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let (prep, sqlite) = (env!("CARGO_PKG_VERSION"), sqlite_version());
    format!("{prep} (encoder {ENCODER_VERSION}, SQLite {sqlite})")
});

/// Turn Splendor self-play logs into exact, split, normalized arrays, encoding each game once
#[derive(Debug, Parser)]
#[command(name = "prep", version = VERSION.as_str(), after_help = AFTER_HELP, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    common: Common,
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
    Merge(merge::MergeArgs),
    Join(join::JoinArgs),
    Schema(schema::SchemaArgs),
    Simulate(simulate::SimulateArgs),
    Demo(demo::DemoArgs),
    Completions(completions::CompletionsArgs),
    Man(man::ManArgs),
}

/// Runs the command given by the arguments; the first is the name of the program.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let code = run_to_code(arguments);
    if let Some(signal) = stopped_by(code) {
        end_by_signal(signal);
    }
    code.into()
}

/// The same inside another program, such as Python: returns the exit code as a number. If a signal
/// stopped the run, that is 128 plus the number of the signal, as in a shell.
pub fn run_command(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let code = run_to_code(arguments);
    stopped_by(code).map_or(code, |signal| 128 + signal as u8)
}

fn run_to_code(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    match run(&arguments) {
        Ok(outcome) => outcome.exit_code(),
        Err(error) => {
            let code = exit_code_of(&error);
            if code != 0 && arguments.iter().any(|argument| argument == "--json") {
                // A closed pipe is ignored.
                let _ = output::print_json(&failure::as_json(&error, code));
            }
            match error.downcast::<clap::Error>() {
                // `--help` and `--version` also come here, with exit code 0.
                Ok(usage) => {
                    let _ = values::with_tip(usage, &Cli::command(), &arguments).print();
                }
                Err(error) => {
                    tracing::error!("{error:#}");
                    if let Some(error) = error.downcast_ref::<ConfigError>() {
                        code_frame::show_settings(error);
                    }
                }
            }
            code
        }
    }
}

fn run(arguments: &[OsString]) -> Result<Outcome> {
    let explicit = Cli::command().try_get_matches_from(arguments)?;
    let mut cli = Cli::from_arg_matches(&explicit)?;
    if let Some(problem) = settings::unknown_variable(&Cli::command()) {
        return Err(context::usage_error(&problem));
    }
    let entered = cli.common.directory.as_deref().map(context::enter).transpose();
    let found = Settings::find(cli.common.config.as_deref());
    let verbose = found.as_ref().is_ok_and(|loaded| loaded.settings.verbose);
    output::start_logging(&cli.common, verbose);
    let _previous_directory = entered?;
    let mut loaded = found?;
    for note in &loaded.notes {
        tracing::warn!("{note}");
    }
    if !loaded.options.is_empty() {
        settings::resolve_conflicts(&Cli::command(), &explicit, &mut loaded.options)?;
        cli = parse_with_options(arguments, &loaded)?;
    }
    let Loaded { settings, without_use, .. } = loaded;
    let context = Context { settings, without_use, common: cli.common };
    match cli.command {
        Command::Ingest(arguments) => ingest::run(arguments, context),
        Command::Export(arguments) => export::run(arguments, context),
        Command::Diff(arguments) => diff::run(arguments, context),
        Command::Inspect(arguments) => inspect::run(arguments, context),
        Command::Report(arguments) => report::run(arguments, context),
        Command::Status(arguments) => status::run(arguments, context),
        Command::Verify(arguments) => verify::run(arguments, context),
        Command::Merge(arguments) => merge::run(arguments, context),
        Command::Join(arguments) => join::run(arguments, context),
        Command::Schema(arguments) => schema::run(arguments, &Cli::command()),
        Command::Simulate(arguments) => simulate::run(arguments, context),
        Command::Demo(arguments) => demo::run(arguments, run),
        Command::Completions(arguments) => completions::run(&arguments, Cli::command()),
        Command::Man(arguments) => man::run(&arguments, &context, Cli::command()),
    }
}

/// Parses the arguments again, with the settings file as defaults.
fn parse_with_options(arguments: &[OsString], loaded: &Loaded) -> Result<Cli> {
    let cli = settings::with_options(Cli::command(), &loaded.options)?;
    match cli.try_get_matches_from(arguments) {
        Ok(matches) => Ok(Cli::from_arg_matches(&matches)?),
        // The arguments are valid without the file.
        Err(usage) => match settings::first_wrong_value(&Cli::command(), &loaded.options) {
            Some(wrong) => Err(wrong.into()),
            None => Err(usage.into()),
        },
    }
}
