//! Wrong usage, said so that it helps: what clap leaves to the standard library's own words
//! (`invalid digit found in string`), and commands that it suggests nothing for.

use super::Cli;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, Error};
use std::error::Error as _;
use std::num::{IntErrorKind, ParseIntError};

/// Likeness from which a name is a slip in another one.
const NEAR: f64 = 0.7;

/// The same error, with more of what would have been right.
pub(super) fn teach(error: Error) -> Error {
    match error.kind() {
        ErrorKind::ValueValidation => with_number_in_words(error),
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

/// `abc`, `1.5` and `-1` where a whole number belongs.
fn with_number_in_words(error: Error) -> Error {
    let Some(number) = error.source().and_then(|source| source.downcast_ref::<ParseIntError>())
    else {
        return error;
    };
    let expected = match number.kind() {
        IntErrorKind::PosOverflow => "expected a smaller number",
        _ => "expected a whole number, such as 4",
    };
    let invalid = text_of(&error, ContextKind::InvalidValue);
    let argument = text_of(&error, ContextKind::InvalidArg);
    let (Some(value), Some(argument)) = (invalid, argument) else { return error };
    let words = format!("invalid value '{value}' for '{argument}': {expected}\n");
    Error::raw(ErrorKind::ValueValidation, words).with_cmd(&Cli::command())
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
