//! Maps the options of the settings file and the `PREP_*` variables to the command line.

use crate::config::{CommandOption, ConfigError};
use crate::words::shown;
use clap::builder::PossibleValue;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// Variables of the project's tests and scripts, which must not be reported as unknown.
const OF_TESTS: [&str; 7] = [
    "PREP_LONG_TESTS",
    "PREP_PYTHON",
    "PREP_REQUIRE_GOLDEN",
    "PREP_REQUIRE_PYTHON",
    "PREP_REQUIRE_RAY",
    "PREP_SOURCE",
    "PREP_TIME_LIMIT",
];

/// Commands with a section in the file.
const SECTIONS: [&str; 2] = ["ingest", "export"];

/// The command line with the options of a settings file as defaults, so that flags and variables take
/// precedence. The section `ingest` also applies to `status`, which shows what an ingest would do.
///
/// # Errors
/// If a command has no such option.
pub(super) fn with_options(
    mut cli: Command,
    options: &[CommandOption],
) -> Result<Command, ConfigError> {
    for option in options {
        let command = cli.find_subcommand(option.command).unwrap_or(&cli);
        let Some(argument) = settable(command).find(|argument| key(argument) == option.key) else {
            return Err(unknown(command, option));
        };
        let id = argument.get_id().clone();
        let value = option.value.clone();
        let status = cli.find_subcommand("status").filter(|_| option.command == "ingest");
        let is_shared = status.is_some_and(|status| {
            settable(status).any(|arg| *arg.get_id() == id && arg.get_env().is_some())
        });
        for name in [option.command].into_iter().chain(is_shared.then_some("status")) {
            let (id, value) = (id.clone(), value.clone());
            cli = cli.mut_subcommand(name, |command| {
                command.mut_arg(id, |argument| argument.default_value(value))
            });
        }
    }
    Ok(cli)
}

/// Removes the options that conflict with an explicit flag or variable, which takes precedence: clap
/// looks for conflicts only among explicit values, and these become defaults.
///
/// # Errors
/// If two of the options conflict.
pub(super) fn resolve_conflicts(
    cli: &Command,
    explicit: &ArgMatches,
    options: &mut Vec<CommandOption>,
) -> Result<(), ConfigError> {
    let Some((name, explicit)) = explicit.subcommand() else { return Ok(()) };
    let Some(command) = cli.find_subcommand(name) else { return Ok(()) };
    let argument_of = |option: &CommandOption| {
        let is_set = option.command == name && option.value != "false";
        settable(command).find(|argument| is_set && key(argument) == option.key)
    };
    let is_explicit = |argument: &Arg| {
        let source = explicit.value_source(argument.get_id().as_str());
        matches!(source, Some(ValueSource::CommandLine | ValueSource::EnvVariable))
    };
    let conflict = |one: &Arg, other: &Arg| {
        command.get_arg_conflicts_with(one).contains(&other)
            || command.get_arg_conflicts_with(other).contains(&one)
    };
    options.retain(|option| {
        argument_of(option).is_none_or(|argument| {
            let mut explicit = settable(command).filter(|other| is_explicit(other));
            !explicit.any(|other| conflict(argument, other))
        })
    });
    for (index, option) in options.iter().enumerate() {
        let Some(argument) = argument_of(option) else { continue };
        let conflicts = |other: &&CommandOption| {
            argument_of(other).is_some_and(|other| conflict(argument, other))
        };
        if let Some(other) = options[..index].iter().find(conflicts) {
            let message =
                format!("`{name}.{}` cannot be used with `{name}.{}`", option.key, other.key);
            return Err(ConfigError::Invalid { at: option.key_at.clone(), message });
        }
    }
    Ok(())
}

/// The first option with an invalid value, with clap's reason.
pub(super) fn first_wrong_value(cli: &Command, options: &[CommandOption]) -> Option<ConfigError> {
    options.iter().find_map(|option| {
        let with_this = with_options(cli.clone(), std::slice::from_ref(option)).ok()?;
        let error = with_this.try_get_matches_from(["prep", option.command]).err()?;
        // `error: invalid value 'x' for '--seed <N>': expected a whole number`, possibly a line with the
        // possible values, and a hint about `--help`.
        let text = error.to_string();
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let lines: Vec<&str> = lines.take_while(|line| !line.starts_with("For more ")).collect();
        let message = lines.join("; ").replacen("error: ", "", 1);
        Some(ConfigError::Invalid { at: option.value_at.clone(), message })
    })
}

/// Options that differ between machines, which share a file.
const OF_A_MACHINE: [&str; 2] = ["part", "shard"];

/// The options of a command that the file can set.
fn settable(command: &Command) -> impl Iterator<Item = &Arg> {
    command.get_arguments().filter(|argument| {
        argument.get_long().is_some_and(|name| !OF_A_MACHINE.contains(&name))
            && matches!(argument.get_action(), ArgAction::Set | ArgAction::SetTrue)
    })
}

/// The options of `ingest` and `export` as sections of a JSON schema.
pub(super) fn schema_sections(cli: &Command) -> impl Iterator<Item = (String, Map<String, Value>)> {
    let commands = SECTIONS.iter().filter_map(|name| cli.find_subcommand(name));
    commands.map(|command| {
        let options = settable(command).map(|argument| {
            let words = argument.get_possible_values();
            let words: Vec<&str> = words.iter().map(PossibleValue::get_name).collect();
            let mut schema = match argument.get_action() {
                ArgAction::SetTrue => json!({ "type": "boolean" }),
                _ if words.is_empty() => json!({ "type": ["string", "number", "boolean"] }),
                _ => json!({ "enum": words }),
            };
            schema["description"] =
                argument.get_help().map(ToString::to_string).unwrap_or_default().into();
            (key(argument), schema)
        });
        (command.get_name().to_owned(), options.collect())
    })
}

/// The name of an option in a settings file, such as `scaler_from`.
fn key(argument: &Arg) -> String {
    argument.get_long().unwrap_or_default().replace('-', "_")
}

fn unknown(command: &Command, option: &CommandOption) -> ConfigError {
    let keys: Vec<String> = settable(command).map(key).collect();
    let (name, advice) = (&option.key, nearest(&option.key, &keys, "the keys here are"));
    let message = format!("unknown key `{}.{name}`; {advice}", option.command);
    ConfigError::Invalid { at: option.key_at.clone(), message }
}

/// An error for an unknown `PREP_*` variable, which is probably a typo.
pub(super) fn unknown_variable(cli: &Command) -> Option<String> {
    let commands = || cli.get_subcommands().chain([cli]);
    let known: BTreeSet<String> = commands()
        .flat_map(Command::get_arguments)
        .filter_map(|argument| Some(argument.get_env()?.to_str()?.to_owned()))
        .collect();
    let known: Vec<String> = known.into_iter().collect();
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let mut unknown: Vec<String> = names
        .filter(|name| name.starts_with("PREP_"))
        .filter(|name| !known.contains(name) && !OF_TESTS.contains(&name.as_str()))
        .collect();
    unknown.sort();
    let name = unknown.first()?;
    let named = shown(name);
    Some(format!("unknown variable {named}; {}", nearest(name, &known, "known variables are")))
}

fn nearest(name: &str, known: &[String], otherwise: &str) -> String {
    // The common prefix does not count as similarity.
    let word = |name: &str| name.trim_start_matches("PREP_").to_lowercase();
    let likeness = |known: &String| strsim::jaro_winkler(&word(name), &word(known));
    match known.iter().max_by(|one, other| likeness(one).total_cmp(&likeness(other))) {
        Some(nearest) if likeness(nearest) >= 0.75 => format!("did you mean `{nearest}`?"),
        _ => format!("{otherwise} {}", known.join(", ")),
    }
}
