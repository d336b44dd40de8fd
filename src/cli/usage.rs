//! Wrong usage, said so that it helps: what clap leaves to the standard library's own words
//! (`invalid digit found in string`) or in Rust's notation (`0 is not in 1..=10`), values of
//! variables that it blames a flag for, and commands that it suggests nothing for.

use super::Cli;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, CommandFactory, Error};
use std::error::Error as _;
use std::ffi::OsString;
use std::num::{IntErrorKind, ParseIntError};

/// Likeness from which a name is a slip in another one.
const NEAR: f64 = 0.7;

/// The same error of these arguments, with more of what would have been right.
pub(super) fn teach(error: Error, arguments: &[OsString]) -> Error {
    match error.kind() {
        ErrorKind::ValueValidation => with_value_in_words(with_name_of_variable(error, arguments)),
        ErrorKind::InvalidValue => with_name_of_variable(error, arguments),
        ErrorKind::InvalidSubcommand => with_near_command(error),
        ErrorKind::UnknownArgument => with_way_of_logs(error),
        _ => error,
    }
}

fn text_of(error: &Error, kind: ContextKind) -> Option<&str> {
    match error.get(kind)? {
        ContextValue::String(text) => Some(text),
        _ => None,
    }
}

/// `PREP_NUM_WORKERS=lots`: names the variable, as nobody typed the flag that it stands for.
fn with_name_of_variable(mut error: Error, arguments: &[OsString]) -> Error {
    let Some(blamed) = text_of(&error, ContextKind::InvalidArg) else { return error };
    let value = text_of(&error, ContextKind::InvalidValue).unwrap_or_default();
    let is_typed = |argument: &Arg| {
        arguments.iter().skip(1).any(|typed| match argument.get_long() {
            Some(long) => typed.to_str().is_some_and(|typed| {
                let flag = typed.split('=').next().unwrap_or(typed);
                flag.strip_prefix("--") == Some(long)
            }),
            None => typed == value,
        })
    };
    let mut cli = Cli::command();
    // Gives the commands the flags that are everywhere.
    cli.build();
    let command = cli
        .get_subcommands()
        .find(|command| arguments.iter().any(|typed| typed == command.get_name()))
        .unwrap_or(&cli);
    let variable = command
        .get_arguments()
        .find(|argument| argument.to_string() == blamed && !is_typed(argument))
        .and_then(|argument| argument.get_env())
        .filter(|variable| std::env::var_os(variable).is_some_and(|its| its == value))
        .map(|variable| variable.to_string_lossy().into_owned());
    if let Some(variable) = variable {
        error.insert(ContextKind::InvalidArg, ContextValue::String(variable));
    }
    error
}

/// Where a number or a yes or no belongs, and something else stands.
fn with_value_in_words(error: Error) -> Error {
    let invalid = text_of(&error, ContextKind::InvalidValue);
    let argument = text_of(&error, ContextKind::InvalidArg);
    let (Some(value), Some(argument)) = (invalid, argument) else { return error };
    let Some(expected) = error.source().and_then(|source| expected(source, value)) else {
        return error;
    };
    let words = format!("invalid value '{value}' for '{argument}': expected {expected}\n");
    Error::raw(ErrorKind::ValueValidation, words).with_cmd(&Cli::command())
}

/// What was expected instead of a value, where the reason that it was refused for does not say so.
fn expected(reason: &(dyn std::error::Error + 'static), value: &str) -> Option<String> {
    let negative = value.strip_prefix('-').is_some_and(|number| number.parse::<u64>().is_ok());
    if let Some(number) = reason.downcast_ref::<ParseIntError>() {
        let expected = match number.kind() {
            IntErrorKind::PosOverflow => "a smaller number",
            IntErrorKind::NegOverflow => "a greater number",
            IntErrorKind::Zero => "a whole number from 1",
            _ if negative => "a whole number that is not negative",
            _ => "a whole number",
        };
        return Some(expected.to_owned());
    }
    // clap's own reasons are text, the value in front.
    let reason = reason.to_string();
    if reason == "value was not a boolean" {
        return Some("yes, no, true, false, on, off, 1 or 0".to_owned());
    }
    let (least, most) = reason.split_once(" is not in ")?.1.split_once("..=")?;
    Some(format!("a whole number from {least} to {most}"))
}

/// `prep export data/raw`: the logs go into the cache first, and the export comes out of that.
fn with_way_of_logs(mut error: Error) -> Error {
    let Some(argument) = text_of(&error, ContextKind::InvalidArg) else { return error };
    let usage = error.get(ContextKind::Usage).map(ToString::to_string).unwrap_or_default();
    if !argument.starts_with('-') && usage.contains("prep export") {
        let tip = format!("an export reads the cache, which 'prep ingest {argument}' fills");
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
    }
    error
}

/// `prep help ingets`, which clap passes by, and `prep prep ingest`.
fn with_near_command(mut error: Error) -> Error {
    if error.get(ContextKind::SuggestedSubcommand).is_some() {
        return error;
    }
    let Some(typed) = text_of(&error, ContextKind::InvalidSubcommand) else { return error };
    let cli = Cli::command();
    let nearest = cli
        .get_subcommands()
        .map(|command| command.get_name())
        .map(|name| (strsim::jaro_winkler(typed, name), name))
        .max_by(|(one, _), (other, _)| one.total_cmp(other));
    if let Some((likeness, name)) = nearest
        && likeness >= NEAR
    {
        let suggested = ContextValue::Strings(vec![name.to_owned()]);
        error.insert(ContextKind::SuggestedSubcommand, suggested);
    }
    error
}
